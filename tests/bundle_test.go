// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
)

type manifest struct {
	Dist struct {
		Module  string `yaml:"module"`
		Version string `yaml:"version"`
	} `yaml:"dist"`
	Telemetry module `yaml:"telemetry"`

	Receivers, Processors, Exporters, Connectors, Extensions, Providers []module
}

type module struct {
	GoMod  string `yaml:"gomod"`
	Import string `yaml:"import"`
}

func readManifest(t *testing.T) manifest {
	t.Helper()
	var m manifest
	b, err := os.ReadFile(filepath.Join(root, "builder-config.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &m))
	return m
}

func TestManifestAgreesWithGoMod(t *testing.T) {
	m := readManifest(t)
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	mod, err := modfile.Parse("go.mod", b, nil)
	require.NoError(t, err)
	required := map[string]string{m.Dist.Module: "v" + m.Dist.Version}
	for _, r := range mod.Require {
		required[r.Mod.Path] = r.Mod.Version
	}
	require.Equal(t, mod.Module.Mod.Path, m.Dist.Module)

	all := []module{m.Telemetry}
	for _, section := range [][]module{m.Receivers, m.Processors, m.Exporters, m.Connectors, m.Extensions, m.Providers} {
		require.NotEmpty(t, section)
		all = append(all, section...)
	}
	for _, c := range all {
		path, version, ok := strings.Cut(c.GoMod, " ")
		require.True(t, ok, c.GoMod)
		assert.Equal(t, required[path], version, "%s: builder-config.yaml and go.mod differ", path)
	}
}

func TestVersionAgrees(t *testing.T) {
	version := readManifest(t).Dist.Version
	b, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	require.NoError(t, err)
	newest := regexp.MustCompile(`(?m)^## v?([0-9][^ \n]*)`).FindSubmatch(b)
	require.NotNil(t, newest, "CHANGELOG.md has no version heading")
	assert.Equal(t, version, string(newest[1]), "the newest heading of CHANGELOG.md")

	for _, binary := range []string{collector, logseal} {
		flag := map[string]string{collector: "--version", logseal: "version"}[binary]
		out, status := run(t, os.Environ(), binary, flag)
		assert.Zero(t, status)
		assert.Contains(t, out, version, filepath.Base(binary))
	}
}

// The bundle is what docs/bundle.md says, and nothing else: a part that slips in is attack surface.
func TestBundleIsDocumented(t *testing.T) {
	out, status := run(t, os.Environ(), collector, "components")
	require.Zero(t, status, out)
	var components struct {
		Receivers, Processors, Exporters, Connectors, Extensions []struct{ Name string }
		Providers                                                []struct{ Scheme string }
	}
	require.NoError(t, yaml.Unmarshal([]byte(out), &components), out)
	page, err := os.ReadFile(filepath.Join(root, "docs", "bundle.md"))
	require.NoError(t, err)
	included, left, found := strings.Cut(string(page), "## What stays out")
	require.True(t, found)
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| ([a-z]+) ").FindAllStringSubmatch(included, -1) {
		assert.False(t, documented[row[2]+" "+row[1]], "docs/bundle.md lists %s %s twice", row[2], row[1])
		documented[row[2]+" "+row[1]] = true
	}
	for kind, names := range map[string][]struct{ Name string }{
		"receiver": components.Receivers, "processor": components.Processors, "exporter": components.Exporters,
		"connector": components.Connectors, "extension": components.Extensions,
	} {
		require.NotEmpty(t, names)
		for _, c := range names {
			assert.True(t, documented[kind+" "+c.Name], "%s %s is in the bundle and not in docs/bundle.md", kind, c.Name)
			delete(documented, kind+" "+c.Name)
		}
	}
	for _, p := range components.Providers {
		assert.True(t, documented["provider "+p.Scheme], "provider %s is in the bundle and not in docs/bundle.md", p.Scheme)
		delete(documented, "provider "+p.Scheme)
	}
	assert.Empty(t, documented, "in docs/bundle.md and not in the bundle")
	assert.NotEmpty(t, left)
}
