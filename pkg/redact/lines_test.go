// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// line is a line as software prints it, with its secrets.
type line struct {
	kind, text    string
	secrets       [][2]int // where they stand in the text
	left, changed int      // how many secrets of its kind stay, and harmless lines change
}

var written = strings.NewReplacer("⏎", "\n", "→", "\t", "␛", "\x1b")

// readLines reads a file of lines: "# kind" heads those of a kind, and "# kind: 2 left" or "# kind: 1 changed" those of which it is known that
// so many secrets stay, or harmless lines change. Secrets stand between ⟦ and ⟧, ⏎ is a line feed, → a tab, ␛ an escape. A line without a
// secret is harmless.
func readLines(t testing.TB, name string) (all []line) {
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	var head line
	for s := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n") {
		if k, ok := strings.CutPrefix(s, "# "); ok {
			kind, known, found := strings.Cut(k, ": ")
			head = line{kind: kind}
			if found {
				number, what, _ := strings.Cut(known, " ")
				n, err := strconv.Atoi(number)
				require.NoError(t, err, "%s: %s", name, s)
				switch what {
				case "left":
					head.left = n
				case "changed":
					head.changed = n
				default:
					require.Fail(t, "neither left nor changed", "%s: %s", name, s)
				}
			}
			continue
		}
		if s == "" {
			continue
		}
		l := head
		for rest := written.Replace(s); rest != ""; {
			before, after, found := strings.Cut(rest, "⟦")
			l.text += before
			if !found {
				break
			}
			secret, after, found := strings.Cut(after, "⟧")
			require.True(t, found, "%s: a secret without its end: %s", name, s)
			l.secrets = append(l.secrets, [2]int{len(l.text), len(l.text) + len(secret)})
			l.text += secret
			rest = after
		}
		all = append(all, l)
	}
	return all
}

// TestLines scores lines of our own making, kind by kind: secrets gone, harmless lines changed, and of what stands beside a secret
// in its line the share that is kept. Of each kind in the repository as many secrets stay as its heading says, no more and no fewer.
// LOGSEAL_LINES names files of the same form in the place of those in the repository, of which only the whole is held to anything.
func TestLines(t *testing.T) {
	names, err := filepath.Glob("testdata/lines/*.txt")
	require.NoError(t, err)
	other := os.Getenv("LOGSEAL_LINES")
	if other != "" {
		names = strings.Split(other, ":")
	}
	e := newEngine(t)
	type score struct{ secrets, gone, harmless, changed, beside, kept int }
	var total score
	table := ""
	row := func(kind string, s score) {
		share := func(n, of int) string {
			if of == 0 {
				return "    —"
			}
			return fmt.Sprintf("%5.3f", float64(n)/float64(of))
		}
		table += fmt.Sprintf("%-24s secrets %4d, gone %s   harmless %4d, changed %s   beside kept %s\n",
			kind, s.secrets, share(s.gone, s.secrets), s.harmless, share(s.changed, s.harmless), share(s.kept, s.beside))
		total = score{total.secrets + s.secrets, total.gone + s.gone, total.harmless + s.harmless, total.changed + s.changed, total.beside + s.beside, total.kept + s.kept}
	}
	for _, name := range names {
		kind, s := line{}, score{}
		for _, l := range append(readLines(t, name), line{}) {
			if l.kind != kind.kind {
				if kind.kind != "" {
					row(kind.kind, s)
				}
				if other == "" {
					assert.Equal(t, kind.left, s.secrets-s.gone, "secrets left: %s of %s", kind.kind, name)
					assert.Equal(t, kind.changed, s.changed, "harmless lines changed: %s of %s", kind.kind, name)
				}
				kind, s = l, score{}
			}
			rec := newTally()
			out, matches, _ := e.Text(l.text, rec)
			assert.Empty(t, rec.failures, "%q", l.text)
			if len(l.secrets) == 0 && l.text != "" {
				s.harmless++
				if len(matches) > 0 {
					s.changed++
					t.Logf("changed, %s: %q -> %q", kind.kind, l.text, out)
				}
				continue
			}
			cover := make([]bool, len(l.text))
			for _, m := range matches {
				for i := m.Start; i < m.End; i++ {
					cover[i] = true
				}
			}
			secret := make([]bool, len(l.text))
			for _, x := range l.secrets {
				s.secrets++
				if value := l.text[x[0]:x[1]]; strings.Contains(out, value) {
					t.Logf("left, %s: %q -> %q", kind.kind, l.text, out)
				} else {
					s.gone++
				}
				for i := x[0]; i < x[1]; i++ {
					secret[i] = true
				}
			}
			taken := 0
			for i := range secret {
				if !secret[i] {
					s.beside++
					if !cover[i] {
						s.kept++
					} else {
						taken++
					}
				}
			}
			if taken > len(l.text)/20 {
				t.Logf("%d bytes beside, %s: %q -> %q", taken, kind.kind, l.text, out)
			}
		}
	}
	all := total
	row("all", total)
	total = all
	t.Log("\n" + table)
	assert.GreaterOrEqual(t, float64(total.gone), 0.95*float64(total.secrets), "secrets gone")
	assert.LessOrEqual(t, float64(total.changed), 0.01*float64(total.harmless), "harmless lines changed")
	assert.GreaterOrEqual(t, float64(total.kept), 0.98*float64(total.beside), "bytes beside a secret kept")
}
