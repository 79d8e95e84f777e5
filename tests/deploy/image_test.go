// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The image of the built binaries: twice the same bytes, and in it no shell, no package manager and nobody's privileges.
func TestImage(t *testing.T) {
	one, two := makeImage(t), makeImage(t)
	a, err := os.ReadFile(filepath.Join(one, "archive.tar"))
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(two, "archive.tar"))
	require.NoError(t, err)
	assert.Equal(t, sha256.Sum256(a), sha256.Sum256(b))

	layout := filepath.Join(one, "layout")
	var index, platforms struct{ Manifests []struct{ Digest string } }
	readJSON(t, filepath.Join(layout, "index.json"), &index)
	readJSON(t, blob(layout, index.Manifests[0].Digest), &platforms)
	require.Len(t, platforms.Manifests, 1)
	var manifest struct {
		Config struct{ Digest string }
		Layers []struct{ Digest string }
	}
	readJSON(t, blob(layout, platforms.Manifests[0].Digest), &manifest)
	var image struct {
		Config struct {
			User       string
			Entrypoint []string
			Labels     map[string]string
		}
	}
	readJSON(t, blob(layout, manifest.Config.Digest), &image)
	assert.Equal(t, "10001:0", image.Config.User)
	assert.Equal(t, []string{"/usr/bin/otelcol-logseal"}, image.Config.Entrypoint)
	assert.Equal(t, "Apache-2.0", image.Config.Labels["org.opencontainers.image.licenses"])
	assert.Equal(t, "1.2.3", image.Config.Labels["org.opencontainers.image.version"])

	files := map[string]*tar.Header{}
	for _, layer := range manifest.Layers {
		readLayer(t, blob(layout, layer.Digest), files)
	}
	for name, h := range files {
		assert.Zero(t, h.Mode&0o6000, "%s has a set-id bit", name)
		assert.True(t, h.Uid == 0 || name == "var/lib/logseal/", name)
		if h.Typeflag == tar.TypeReg && h.Mode&0o111 != 0 {
			assert.Contains(t, []string{"usr/bin/otelcol-logseal", "usr/bin/logseal"}, name, "nothing else can be run")
		}
	}
	for _, name := range []string{"etc/ssl/certs/ca-certificates.crt", "etc/logseal/agent.yaml", "etc/logseal/gateway.yaml", "usr/bin/logseal", "tmp/"} {
		assert.Contains(t, files, name)
	}
}

// makeImage makes an image of bin/ and returns the folder with layout and archive.tar.
func makeImage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(tool(t, "image"), "-out", filepath.Join(dir, "layout"), "-archive", filepath.Join(dir, "archive.tar"), "-name", "logseal.test/logseal:1.2.3",
		"-version", "1.2.3", "-configs", filepath.Join(root, "distributions"), "linux/amd64="+filepath.Join(root, "bin"))
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1790000000")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return dir
}

func blob(layout, digest string) string {
	return filepath.Join(layout, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
	if strings.Contains(path, "sha256") {
		sum := sha256.Sum256(data)
		require.Equal(t, filepath.Base(path), hex.EncodeToString(sum[:]))
	}
}

func readLayer(t *testing.T, path string, into map[string]*tar.Header) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		into[h.Name] = h
	}
}
