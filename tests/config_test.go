// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/logseal/logseal/internal/testbed"
)

// validate runs the collector's own check of a configuration: it builds every component of it.
func validate(t *testing.T, c testbed.Collector, configs ...string) (string, int) {
	t.Helper()
	env := []string{"PATH=" + os.Getenv("PATH"), "LOGSEAL_METRICS_PORT=8888"}
	for name, value := range c.Env {
		env = append(env, name+"="+value)
	}
	args := []string{"validate"}
	for i, config := range configs {
		path := filepath.Join(t.TempDir(), "config"+string(rune('0'+i))+".yaml")
		require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
		args = append(args, "--config", path)
	}
	return run(t, env, collector, args...)
}

func TestShippedConfigsAreValid(t *testing.T) {
	site := newSite(t)
	delete(site.Agent.Env, "LOGSEAL_INCLUDE") // the default
	for _, c := range []testbed.Collector{site.Agent, site.Gateway, site.SIEM} {
		t.Run(c.Name, func(t *testing.T) {
			out, status := validate(t, c, string(c.Config))
			assert.Zero(t, status, out)
		})
	}
	t.Run("agent with every receiver", func(t *testing.T) {
		c := site.Agent
		c.Env["LOGSEAL_RECEIVERS"] = "[file_log, journald, syslog]"
		out, status := validate(t, c, string(c.Config))
		assert.Zero(t, status, out)
	})
}

// What an operator forgets is said by name.
func TestShippedConfigsSayWhatIsMissing(t *testing.T) {
	site := newSite(t)
	for name, text := range map[string]string{
		"LOGSEAL_SIEM_ENDPOINT": "endpoint",
		"LOGSEAL_SIEM_PINS":     "pins",
	} {
		t.Run(name, func(t *testing.T) {
			c := site.Agent
			value := c.Env[name]
			delete(c.Env, name)
			defer func() { c.Env[name] = value }()
			out, status := validate(t, c, string(c.Config))
			assert.NotZero(t, status)
			assert.Contains(t, out, "exporters::siem")
			assert.Contains(t, out, text)
		})
	}
}

// The image holds the binary and no time zone database; `location` works there too.
func TestLocationsWithoutADatabase(t *testing.T) {
	empty := t.TempDir()
	binary, err := os.ReadFile(collector)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(empty, "collector"), binary, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(empty, "config.yaml"), []byte(`
receivers:
  syslog: {protocol: rfc3164, location: Europe/Berlin, tcp: {listen_address: "127.0.0.1:0"}}
exporters: {debug: }
service: {pipelines: {logs: {receivers: [syslog], exporters: [debug]}}}
`), 0o600))
	cmd := exec.CommandContext(deadline(t, 5*time.Minute), "/collector", "validate", "--config", "/config.yaml")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: empty}
	if os.Geteuid() != 0 { // root of a namespace of its own may call chroot
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if cmd.Process == nil && os.Geteuid() != 0 {
		t.Skipf("chroot needs root, or user namespaces: %v", err)
	}
	assert.NoError(t, err, string(out))
}

var fence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// Every YAML example in the documentation is a collector configuration, or a part of one that goes on top of a shipped
// configuration: the agent's, or the one that a first line `# gateway` names. Kubernetes manifests are only parsed.
func TestDocumentedConfigsAreValid(t *testing.T) {
	site := newSite(t)
	delete(site.Agent.Env, "LOGSEAL_INCLUDE") // the default
	shipped := map[string]testbed.Collector{"agent": site.Agent, "gateway": site.Gateway, "siem": site.SIEM}
	pins := strings.Split(strings.Trim(site.Agent.Env["LOGSEAL_SIEM_PINS"], "[]"), ", ")

	key := filepath.Join(t.TempDir(), "pseudonym.key")
	require.NoError(t, os.WriteFile(key, bytes.Repeat([]byte{7}, 32), 0o600))

	var pages []string
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	}))
	require.NotEmpty(t, pages)
	examples := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		rel, err := filepath.Rel(root, page)
		require.NoError(t, err)
		for _, m := range fence.FindAllSubmatchIndex(text, -1) {
			example := string(text[m[2]:m[3]])
			line := bytes.Count(text[:m[2]], []byte("\n")) + 1
			examples++
			t.Run(rel+":"+example[:min(len(example), 24)], func(t *testing.T) {
				keys := topLevelKeys(t, example)
				if keys["apiVersion"] {
					return
				}
				role := "agent"
				first, _, _ := strings.Cut(example, "\n")
				if name, ok := strings.CutPrefix(first, "# "); ok && shipped[name].Config != nil {
					role = name
				}
				// A placeholder stands for what only the reader knows: the pin in use, and its backup.
				for _, pin := range pins {
					example = strings.Replace(example, "sha256/BASE64=", pin, 1)
				}
				example = strings.ReplaceAll(example, "/etc/logseal/pseudonym.key", key)
				configs := []string{string(shipped[role].Config), example}
				if keys["service"] && keys["receivers"] && keys["exporters"] {
					configs = configs[1:]
				}
				c := shipped[role]
				if strings.Contains(example, "endpoints:") {
					// Several SIEMs stand instead of the one in the shipped configuration.
					c.Env = maps.Clone(c.Env)
					delete(c.Env, "LOGSEAL_SIEM_ENDPOINT")
				}
				out, status := validate(t, c, configs...)
				assert.Zero(t, status, "%s line %d:\n%s\n%s", rel, line, example, out)
			})
		}
	}
	t.Logf("%d examples on %d pages", examples, len(pages))
}

var envFile = regexp.MustCompile("(?ms)^```\n(LOGSEAL_.*?)^```")

// An example of agent.env says the same to systemd, which takes off quotes around a value, and to a shell, which does more.
func TestDocumentedEnvironmentIsReadAlike(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "deploy.md"))
	require.NoError(t, err)
	examples := envFile.FindAllSubmatch(text, -1)
	require.NotEmpty(t, examples)
	for _, example := range examples {
		file := filepath.Join(t.TempDir(), "agent.env")
		require.NoError(t, os.WriteFile(file, example[1], 0o600))
		for entry := range strings.Lines(string(example[1])) {
			name, value, _ := strings.Cut(strings.TrimSpace(entry), "=")
			out, status := run(t, nil, "sh", "-c", `set -a; . "$0"; printenv "$1"`, file, name)
			assert.Zero(t, status, out)
			assert.Equal(t, strings.Trim(value, `"`)+"\n", out)
		}
	}
}

func topLevelKeys(t *testing.T, text string) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var doc map[string]any
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return keys
		}
		require.NoError(t, err, text)
		for key := range doc {
			keys[key] = true
		}
	}
}
