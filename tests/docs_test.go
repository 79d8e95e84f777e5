// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pages are what people read: README, docs, and each component's own page.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "*/*/README.md"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, name := range names {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			relative, err := filepath.Rel(root, name)
			require.NoError(t, err)
			found[relative] = string(b)
		}
	}
	require.NotEmpty(t, found["README.md"])
	return found
}

// TestReadmeListsEveryPage: what nobody links to, nobody reads.
func TestReadmeListsEveryPage(t *testing.T) {
	readme := pages(t)["README.md"]
	for name := range pages(t) {
		if strings.HasPrefix(name, "docs/") {
			assert.Contains(t, readme, "| ["+name+"]("+name+") |")
		}
	}
}

// TestDocumentedLinksLeadSomewhere follows relative links, to the heading where they name one.
func TestDocumentedLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	drop := regexp.MustCompile("[^a-z0-9 _-]")
	for name, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(root, filepath.Dir(name), file)
			if file == "" {
				target = filepath.Join(root, name)
			}
			info, err := os.Stat(target)
			if !assert.NoError(t, err, "%s links to %s", name, m[1]) || anchor == "" || info.IsDir() {
				continue
			}
			b, err := os.ReadFile(target)
			require.NoError(t, err)
			var anchors []string
			for _, h := range heading.FindAllStringSubmatch(string(b), -1) {
				anchors = append(anchors, strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
			}
			assert.Contains(t, anchors, anchor, "%s links to %s", name, m[1])
		}
	}
}

// componentMetrics are the names that components list in their documentation, as Prometheus sees them.
func componentMetrics(t *testing.T) map[string]bool {
	t.Helper()
	// Of the collector's own libraries, on the shipped configurations' page of metrics.
	known := map[string]bool{
		"otelcol_exporter_queue_size": true, "otelcol_exporter_queue_capacity": true,
		"otelcol_process_uptime": true, "otelcol_process_memory_rss": true,
	}
	lists, err := filepath.Glob(filepath.Join(root, "*", "*", "documentation.md"))
	require.NoError(t, err)
	require.NotEmpty(t, lists)
	for _, list := range lists {
		for _, m := range regexp.MustCompile(`(?m)^### (otelcol_[a-z0-9_.]+)`).FindAllStringSubmatch(read(t, list), -1) {
			known[strings.ReplaceAll(m[1], ".", "_")] = true
		}
	}
	return known
}

// TestDocumentedMetricsExist: whoever alerts on a name from the docs would otherwise never be woken.
func TestDocumentedMetricsExist(t *testing.T) {
	known := componentMetrics(t)
	for name, text := range pages(t) {
		for _, metric := range metricName.FindAllString(text, -1) {
			assert.True(t, known[metric], "%s names %s, which no component has", name, metric)
		}
	}
}

// TestArchitectureIsTheHouse: docs/architecture.md lists every package and nothing else.
func TestArchitectureIsTheHouse(t *testing.T) {
	_, house, found := strings.Cut(pages(t)["docs/architecture.md"], "```\n")
	require.True(t, found)
	house, _, _ = strings.Cut(house, "```")
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9./_-]+)`).FindAllString(house, -1) {
		_, err := os.Stat(filepath.Join(root, m))
		assert.NoError(t, err, "docs/architecture.md lists it")
		listed[strings.TrimSuffix(m, "/")] = true
	}
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}}", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	const module = "github.com/logseal/logseal/"
	kind := func(p string) string { k, _, _ := strings.Cut(p, "/"); return k }
	for line := range strings.Lines(string(out)) {
		p := strings.TrimPrefix(strings.TrimSpace(line), module)
		if kind(p) == "components" || strings.Contains(p, "/internal/metadata") {
			continue
		}
		// An internal folder may be listed as one.
		shared, _, inside := strings.Cut(p, "/internal/")
		assert.True(t, listed[p] || inside && listed[shared+"/internal"] || kind(p) == "tests" && listed["tests"],
			"docs/architecture.md does not list %s", p)
	}
}

// TestFindingsSayWhatTheyAre: each script in findings/ can be run, and says on top what is believed, what is true, and by what source.
func TestFindingsSayWhatTheyAre(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(root, "findings", "*"))
	require.NoError(t, err)
	for _, script := range scripts {
		info, err := os.Stat(script)
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&0o100, "%s is not executable", script)
		b, err := os.ReadFile(script)
		require.NoError(t, err)
		for _, part := range []string{"Believed", "True", "Since", "Source"} {
			assert.Regexp(t, "(?im)^# *"+part+"\\b", string(b), script)
		}
	}
}

// TestCIInstallsWhatTestsNeed: where CI is set, a test whose peer is not installed fails instead of being skipped.
func TestCIInstallsWhatTestsNeed(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	require.NoError(t, err)
	names, err := filepath.Glob(filepath.Join(root, "tests", "*_test.go"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(root, "tests", "*", "*_test.go"))
	require.NoError(t, err)
	names = append(names, more...)
	found := 0
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`needs\(t, "([^"]+)", "([^"]+)"\)`).FindAllStringSubmatch(string(b), -1) {
			found++
			assert.Regexp(t, `(?m)^want .*\b`+regexp.QuoteMeta(m[2])+`\b`, string(script), "%s needs %s", filepath.Base(name), m[1])
		}
	}
	assert.NotZero(t, found)
}
