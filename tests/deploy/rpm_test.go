// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rpmOf packages the files of this tree, with small ones in the places of binaries, manual and bills of materials, and returns the package.
func rpmOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"bin/otelcol-logseal", "bin/logseal", "docs/man/logseal.1.gz", "docs/completions/logseal.bash", "docs/completions/_logseal",
		"docs/completions/logseal.fish", "sbom.cdx.json", "sbom-cli.cdx.json",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(name), 0o600)) // the modes in the package must not be those on disk
	}
	nfpm := exec.Command(tool(t, "nfpm"), "package", "--config", "deploy/packages/nfpm.yaml", "--packager", "rpm", "--target", dir)
	nfpm.Dir = root
	nfpm.Env = append(os.Environ(), "ARCH=amd64", "VERSION=0.0.1", "BIN="+dir+"/bin", "DOCS="+dir+"/docs", "SBOM="+dir+"/sbom", "SOURCE_DATE_EPOCH=1")
	out, err := nfpm.CombinedOutput()
	require.NoError(t, err, string(out))
	found, err := filepath.Glob(filepath.Join(dir, "*.rpm"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

// What rpm itself reads from the package: files, modes, owners, which of them an upgrade leaves alone, and the scripts.
func TestRPM(t *testing.T) {
	needs(t, "rpm", "rpm")
	needs(t, "cpio", "cpio")
	path := rpmOf(t)
	query := func(args ...string) string {
		t.Helper()
		// A database of its own: there may be none on this machine, and the package's is not asked for.
		out, err := exec.Command("rpm", append([]string{"--dbpath", t.TempDir(), "-qp"}, append(args, path)...)...).Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	assert.Equal(t, "logseal 0.0.1-1 x86_64 Apache-2.0 logseal", query("--queryformat", "%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{LICENSE} %{BUILDHOST}"))
	// FILEFLAGS c: configuration, n: an administrator's changes stay, and the new file comes beside it.
	assert.Equal(t, strings.TrimSpace(`
-rw-r----- root root cn /etc/logseal/agent.env
-rw-r--r-- root root cn /etc/logseal/agent.yaml
-rw-r--r-- root root cn /etc/logseal/gateway-webhook.yaml
-rw-r----- root root cn /etc/logseal/gateway.env
-rw-r--r-- root root cn /etc/logseal/gateway.yaml
drwxr-x--- root root  /etc/logseal/tls
-rwxr-xr-x root root  /usr/bin/logseal
-rwxr-xr-x root root  /usr/bin/otelcol-logseal
-rw-r--r-- root root  /usr/lib/systemd/system/logseal-agent.service
-rw-r--r-- root root  /usr/lib/systemd/system/logseal-gateway.service
-rw-r--r-- root root  /usr/lib/sysusers.d/logseal.conf
-rw-r--r-- root root  /usr/lib/tmpfiles.d/logseal.conf
-rw-r--r-- root root  /usr/share/bash-completion/completions/logseal
-rw-r--r-- root root  /usr/share/doc/logseal/README.md
-rw-r--r-- root root  /usr/share/doc/logseal/copyright
-rw-r--r-- root root  /usr/share/doc/logseal/logseal.cdx.json
-rw-r--r-- root root  /usr/share/doc/logseal/otelcol-logseal.cdx.json
-rw-r--r-- root root  /usr/share/fish/vendor_completions.d/logseal.fish
-rw-r--r-- root root  /usr/share/man/man1/logseal.1.gz
-rw-r--r-- root root  /usr/share/zsh/site-functions/_logseal
`), query("--queryformat", `[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS:fflags} %{FILENAMES}\n]`))
	for tag, script := range map[string]string{"POSTIN": "postinstall.sh", "PREUN": "preremove.sh", "POSTUN": "postremove.sh"} {
		want, err := os.ReadFile(filepath.Join(root, "deploy", "packages", script))
		require.NoError(t, err)
		assert.Equal(t, strings.TrimSpace(string(want)), query("--queryformat", "%{"+tag+"}"), script)
		assert.Equal(t, "/bin/sh", query("--queryformat", "%{"+tag+"PROG}"), script)
	}

	// Unpacked, each file is what it was. The names in the payload are absolute, which is how nfpm writes it, so cpio is told to stay below its
	// folder; rpm2cpio exits with 1 of such a package, because of a size in its header, and rpm itself says whether it is whole.
	checked, err := exec.Command("rpm", "--dbpath", t.TempDir(), "--checksig", path).CombinedOutput()
	require.NoError(t, err, string(checked))
	assert.Contains(t, string(checked), "digests OK")
	unpacked := t.TempDir()
	cmd := exec.Command("bash", "-ec", `rpm2cpio "$0" > payload || true; cpio --extract --quiet --make-directories --no-absolute-filenames < payload`, path)
	cmd.Dir = unpacked
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	for name, source := range map[string]string{
		"/etc/logseal/agent.yaml": "distributions/agent/config.yaml", "/etc/logseal/gateway.yaml": "distributions/gateway/config.yaml",
		"/etc/logseal/agent.env": "deploy/packages/agent.env", "/etc/logseal/gateway.env": "deploy/packages/gateway.env",
		"/usr/lib/systemd/system/logseal-agent.service": "distributions/agent/logseal-agent.service",
		"/usr/lib/sysusers.d/logseal.conf":              "deploy/packages/sysusers.conf", "/usr/lib/tmpfiles.d/logseal.conf": "deploy/packages/tmpfiles.conf",
		"/usr/share/doc/logseal/copyright": "LICENSE",
	} {
		have, err := os.ReadFile(unpacked + name)
		require.NoError(t, err)
		want, err := os.ReadFile(filepath.Join(root, source))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(have), name)
	}
}
