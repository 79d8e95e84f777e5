// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The corpora lie beside the repository, because their licences keep them out of it.
const corpora = "../../../shared/corpora"

func needCorpora(t testing.TB) {
	if _, err := os.Stat(corpora); err != nil {
		t.Skipf("the corpora are not there: put them beside the repository, as %s (%v)", corpora, err)
	}
}

func newEngine(t testing.TB, change ...func(*Config)) *Engine {
	t.Helper()
	cfg := DefaultConfig()
	for _, f := range change {
		f(&cfg)
	}
	e, err := New(cfg)
	require.NoError(t, err)
	return e
}

var (
	tokenRun   = regexp.MustCompile(`[A-Za-z0-9_+/=.~@|:%$!*#&{}-]{6,}`)
	assignment = regexp.MustCompile(`^[A-Za-z0-9_.-]*[A-Za-z_]=(.{4,})$`)
)

// named are runs of token characters that are names, not values.
var named = regexp.MustCompile(`(?i)(token|secret|password|_key|apikey)[=:,]*$|^BUNDLE_|^System\.|^[A-Za-z]+:$`)

// secretOf guesses the secret in an example: the longest run of token characters that is not a name, one with a digit if
// there is one.
func secretOf(text string) string {
	text = strings.ReplaceAll(text, `\n`, "\n")
	best := ""
	digit := false
	for _, r := range tokenRun.FindAllString(text, -1) {
		if k := strings.Index(r, "://"); k >= 0 {
			if at := strings.LastIndexByte(r, '@'); at > k {
				r = r[k+3 : at]
			} else {
				r = r[strings.LastIndexByte(r, '/')+1:]
			}
		}
		if m := assignment.FindStringSubmatch(r); m != nil && !strings.ContainsAny(r[:len(r)-len(m[1])], "0123456789") {
			r = m[1]
		}
		if k := strings.IndexByte(r, ':'); k > 0 && strings.Contains(text, "curl") {
			r = r[k+1:]
		}
		r = strings.Trim(r, ":=.,\\")
		if len(r) < 6 || named.MatchString(r) || strings.HasPrefix(r, "/") {
			continue
		}
		has := strings.ContainsAny(r, "0123456789")
		if has && !digit || has == digit && len(r) > len(best) {
			best, digit = r, has
		}
	}
	return best
}

// gone reports whether neither the secret nor half of it is left.
func gone(out, secret string) bool {
	if len(secret) < 12 {
		return !strings.Contains(out, secret)
	}
	h := len(secret) / 2
	return !strings.Contains(out, secret[:h]) || !strings.Contains(out, secret[h:])
}

// TestCorporaSecrets measures recall on gitleaks' own examples, rule by rule.
func TestCorporaSecrets(t *testing.T) {
	needCorpora(t)
	e := newEngine(t)
	f, err := os.Open(filepath.Join(corpora, "secrets-gitleaks.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	type score struct{ n, hit, other, changed int }
	rules := map[string]*score{}
	var total score
	missed := os.Getenv("REDACT_SHOW_MISSES") != ""
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<22)
	for sc.Scan() {
		var line struct {
			Rule string `json:"rule"`
			T    string `json:"t"`
			Y    int    `json:"y"`
		}
		require.NoError(t, json.Unmarshal(sc.Bytes(), &line))
		s := rules[line.Rule]
		if s == nil {
			s = &score{}
			rules[line.Rule] = s
		}
		out, spans, _ := e.Text(line.T, nil)
		if line.Y == 0 {
			s.other++
			total.other++
			if len(spans) > 0 {
				s.changed++
				total.changed++
			}
			continue
		}
		if line.T == "" {
			continue
		}
		s.n++
		total.n++
		if len(spans) > 0 && gone(out, secretOf(line.T)) {
			s.hit++
			total.hit++
		} else if missed {
			fmt.Printf("MISS %s %.200q\n  -> %.200q\n", line.Rule, line.T, out)
		}
	}
	require.NoError(t, sc.Err())
	names := make([]string, 0, len(rules))
	for r := range rules {
		names = append(names, r)
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-45s %6s %6s %7s   %s\n", "gitleaks rule", "lines", "gone", "recall", "lines without its secret, changed")
	row := func(name string, s score) {
		recall := 1.0
		if s.n > 0 {
			recall = float64(s.hit) / float64(s.n)
		}
		fmt.Fprintf(&b, "%-45s %6d %6d %7.3f   %d of %d\n", name, s.n, s.hit, recall, s.changed, s.other)
	}
	for _, n := range names {
		row(n, *rules[n])
	}
	row("all", total)
	t.Log(b.String())
	require.GreaterOrEqual(t, float64(total.hit)/float64(total.n), 0.97)
}

// TestCorporaLogs measures how many lines of ordinary system logs are changed.
func TestCorporaLogs(t *testing.T) {
	needCorpora(t)
	e := newEngine(t)
	files, err := filepath.Glob(filepath.Join(corpora, "loghub", "*.log"))
	require.NoError(t, err)
	lines, changed := 0, 0
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-20s %6s %8s\n", "source", "lines", "changed")
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		n, c := 0, 0
		for line := range strings.SplitSeq(strings.TrimRight(string(data), "\n"), "\n") {
			line = strings.TrimSuffix(line, "\r")
			n++
			if out, spans, _ := e.Text(line, nil); len(spans) > 0 {
				c++
				if os.Getenv("REDACT_SHOW_MISSES") != "" {
					fmt.Printf("%v %.300q\n  -> %.300q\n", spans, line, out)
				}
			}
		}
		fmt.Fprintf(&b, "%-20s %6d %8d\n", filepath.Base(name), n, c)
		lines, changed = lines+n, changed+c
	}
	fmt.Fprintf(&b, "%-20s %6d %8d\n", "all", lines, changed)
	t.Log(b.String())
	require.LessOrEqual(t, changed*10000, lines, "at most one line in 10,000 may be changed")
}
