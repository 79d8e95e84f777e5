// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrows are the import directions of the house (docs/architecture.md): which of our packages one may reach, itself or through what it imports.
// A name stands for the package and all below it. The longest name that a package is under counts for it; what it is under, and
// so its own internal packages, it may reach anyway.
var arrows = map[string][]string{
	"cmd":       {"internal", "pkg", "distributions"},
	"tests":     {"internal", "pkg", "distributions"},
	"internal":  {"internal", "pkg", "distributions"},
	"receiver":  {"internal", "pkg", "receiver/internal"},
	"processor": {"internal", "pkg"},
	"connector": {"internal", "pkg"},
	"exporter":  {"internal", "pkg"},
	"extension": {"internal", "pkg"},

	"distributions": {},
	"pkg":           {}, // an engine stands alone

	// The stamp format. What parses knows no sealer and no verifier, what seals no verifier, and the other way round.
	"pkg/seal/finding":   {},
	"pkg/seal/canonical": {"pkg/seal", "pkg/seal/finding"},
	"pkg/seal/endorse":   {"pkg/seal", "pkg/seal/finding"},
	"pkg/seal/original":  {},
	"pkg/seal/sealer":    {"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/original", "pkg/seal/internal/keychain"},
	"pkg/seal/verifier":  {"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/endorse"},
	"pkg/seal/archive":   {"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/endorse", "pkg/seal/verifier"},
	"pkg/seal/export":    {"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/endorse", "pkg/seal/verifier", "pkg/seal/archive"},
	"pkg/seal/watch":     {"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/endorse"},
	"pkg/seal/ocsf":      {"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/endorse", "pkg/seal/watch"},

	"pkg/seal/verifier/evidence": {
		"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/original", "pkg/seal/endorse", "pkg/seal/verifier", "pkg/seal/archive",
		"pkg/seal/verifier/internal/chain", "pkg/seal/verifier/internal/session",
	},

	// The three owners of a verification.
	"pkg/seal/verifier/internal/chain":   {"pkg/seal", "pkg/seal/finding"},
	"pkg/seal/verifier/internal/session": {"pkg/seal", "pkg/seal/finding", "pkg/seal/verifier/internal/chain"},
	"pkg/seal/verifier/internal/record": {
		"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/verifier/internal/chain", "pkg/seal/verifier/internal/session",
	},

	"pkg/seal/internal/keychain": {"pkg/seal"},
	"pkg/seal/internal/forge":    {"pkg/seal", "pkg/seal/internal/keychain"},
	"pkg/seal/internal/samples":  {"pkg/seal"},
	"pkg/seal/internal/sealtest": {"pkg/seal", "pkg/seal/finding", "pkg/seal/canonical", "pkg/seal/original", "pkg/seal/internal/keychain", "pkg/seal/sealer"},
}

// hash computes what crypto/sha256 does, and knows nothing of ours: whoever may reach the stamp format may reach it.
const hash = "pkg/seal/internal/sha256x2"

// exact are names in arrows that do not stand for what is below them: beside them are packages of other rooms.
var exact = []string{"pkg/seal"}

// ownRoom is how much of a package's path is its own: an adapter, an engine, or a room of arrows.
func ownRoom(p string) string {
	parts := strings.Split(p, "/")
	room := path.Join(parts[:min(2, len(parts))]...)
	for name := range arrows {
		if under(p, name) && len(name) > len(room) {
			room = name
		}
	}
	return room
}

func under(p, name string) bool { return p == name || strings.HasPrefix(p, name+"/") }

// mayReach reports whether the arrows lead from one of our packages to another.
func mayReach(from, to string) bool {
	room := ownRoom(from)
	rule, known := arrows[room]
	if !known {
		rule = arrows[strings.Split(from, "/")[0]]
	}
	if to == room || under(to, room) && ownRoom(to) == room || under(to, room+"/internal") {
		return true
	}
	return slices.ContainsFunc(rule, func(name string) bool {
		return to == name || to == hash && name == "pkg/seal" || !slices.Contains(exact, name) && under(to, name)
	})
}

// reachesCollector are the packages of the collector that an engine may reach: it knows pdata.
var reachesCollector = []string{"go.opentelemetry.io/collector/pdata", "go.opentelemetry.io/collector/featuregate"}

// TestImportDirections: which package may know which is in the table above and nowhere else.
func TestImportDirections(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}}|{{join .Imports \" \"}}|{{join .Deps \" \"}}", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	const module = "github.com/logseal/logseal/"
	packages := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		p := strings.TrimPrefix(fields[0], module)
		if p == "components" { // generated: it knows every adapter
			continue
		}
		packages++
		for _, to := range strings.Fields(fields[2]) {
			own, ours := strings.CutPrefix(to, module)
			switch {
			case ours:
				assert.True(t, mayReach(p, own), "%s reaches %s: see arrows in tests/imports_test.go", p, own)
			case under(p, "pkg") && (under(to, "go.opentelemetry.io/collector") || under(to, "github.com/open-telemetry/opentelemetry-collector-contrib")):
				assert.True(t, slices.ContainsFunc(reachesCollector, func(name string) bool { return under(to, name) }), "%s reaches %s: pkg/ knows pdata, not the collector", p, to)
			}
		}
		// What bin/logseal is made of is not linked with the testing package, and its flags, by an import of our own.
		if under(p, "cmd") || under(p, "internal") && !under(p, "internal/tools") {
			assert.NotContains(t, strings.Fields(fields[1]), "testing", p)
		}
	}
	require.Greater(t, packages, 50)
}

// TestArrowsHold: the table says no where it should.
func TestArrowsHold(t *testing.T) {
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"pkg/seal", "pkg/seal/canonical", false},
		{"pkg/seal/sealer", "pkg/seal/verifier", false},
		{"pkg/seal/verifier", "pkg/seal/sealer", false},
		{"pkg/seal/verifier", "pkg/seal/verifier/internal/record", true},
		{"pkg/seal/verifier/internal/chain", "pkg/seal/verifier/internal/session", false},
		{"pkg/seal/verifier/internal/session", "pkg/seal/verifier/internal/record", false},
		{"pkg/seal/archive", "pkg/seal/verifier/internal/chain", true},
		{"pkg/redact", "pkg/redact/rules", true},
		{"pkg/redact/rules", "pkg/redact/internal/ascii", true},
		{"pkg/flood", "pkg/seal", false},
		{"pkg/flood", "internal/quietlog", false},
		{"processor/stampprocessor", "processor/redactprocessor", false},
		{"processor/stampprocessor", "processor/stampprocessor/internal/metadata", true},
		{"receiver/syslogreceiver", "receiver/internal/lossless", true},
		{"receiver/syslogreceiver", "exporter/siemexporter", false},
		{"internal/demo", "internal/testbed", true},
		{"internal/demo", "cmd/logseal", false},
		{"cmd/logseal", "processor/stampprocessor", false},
	} {
		assert.Equal(t, c.may, mayReach(c.from, c.to), "%s to %s", c.from, c.to)
	}
}
