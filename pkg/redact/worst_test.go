// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// worst are texts made to keep detectors busy: every trigger, over and over, and starts without ends.
func worst() map[string]string {
	return map[string]string{
		"digits": "1234567890123456", "cards": "4111 1111 1111 1111 ", "groups": "4111 ", "single digits": "4 1 1 ", "dashes": "1-2-3-4-5-6-7-8-9-",
		"plus": "+1", "parens": "(1", "at signs": "@", "mail": "a@b.cc ", "mail ends": "a@", "long local part": strings.Repeat("a", 64) + "@", "dots": "a.",
		"names": "password", "pairs": "password=", "keys": "key=", "quotes": `password="`, "open brackets": "password=[", "xml": "<password>", "xml name": "<password ",
		"flags": " -p", "user flags": " -u", "curl": "curl -u ", "cookies": "cookie: a=", "bearer": "bearer ", "authorization": "authorization: basic ",
		"pem": "-----BEGIN ", "keys without end": "-----BEGIN PRIVATE KEY-----", "jwt": "eyJ.", "jwt head": "eyJhbGciOiJub25lIn0.", "hooks": "hooks.slack.com/",
		"urls": "://a:", "userinfo": "://a:b@", "slashes": "://a:b/", "phones": "tel", "phone words": "call 1", "numbers after words": "phone 12345 ",
		"countries": " DE89", "iban": "DE89370400440532013000 ", "markers": "[REDACTED:", "pseudonyms": "[ps:a:b:", "tracks": ";4111111111111111=",
		"percent": "%41", "percent signs": "%25", "backslashes": `\`, "escapes": `\u0041`, "unusual": "\u00a0", "zero-width": "\u200b", "ansi": "\x1b[", "control": "\x01",
		"continuation bytes": "\x80", "base64": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo", "base64 words": "cGFzc3dvcmQ9aHVudGVyMng= ", "hex": "0123456789abcdef",
		"prefixes": "ghp_", "github": "ghp_16C7e42F292c6912E7710c838347Ae178B4a ", "equals": "a=", "colons": ":", "spaces": " ", "random": "q7Zp2mW9xT4vK8sB1nD6fJ3h=",
		"entities": "&#64;", "cdata": "<password><![CDATA[", "hashes": "$1$.", "named runs": "key-", "short named runs": strings.Repeat("key-", 60) + "1 ", "ldapsearch": "ldapsearch ", "identified": "identified by 'a",
		"blocks": "password: |\n  ", "values before names": `"value":"a","name":"password",`, "quoted mail": `"a a"@`, "braces": "a{@",
		"tokens and dots": "token q7Zp2mW9xT4vK8sB1nD6.", "azure": "1Q~", "mixed": `{"a":"\u0041%41 4111-1111 a@b.c pass=x"}`, "everything": "password=eyJ://@4111 -p+1(2%41\\u0041key tel ",
	}
}

// Whatever a text consists of, what is done for it is in proportion to its length: the work of detectors is counted, none does much more
// than is counted before it ends, and where the count is over the limit the text is withheld. LOGSEAL_EVERY_TEXT=1 tries all of them, and many
// more that are composed.
func TestWorkIsBounded(t *testing.T) {
	e := newEngine(t)
	w := newWorker(e)
	r := rand.New(rand.NewPCG(1, 0))
	all := os.Getenv("LOGSEAL_EVERY_TEXT") != ""
	for _, unit := range slices.Sorted(maps.Keys(madeOf(e))) {
		if !all && r.IntN(16) > 0 {
			continue
		}
		text := repeated(unit, 1<<14)
		limit := prefilter.WorkFor(len(text))
		w.work = limit
		w.pass(text)
		assert.LessOrEqual(t, limit-w.work, limit+mostAtOnce, "%q", unit)
	}
}

// mostAtOnce is how many steps detectors may be over the limit when that shows: those of the longest values that begin in eight bytes.
const mostAtOnce = 24 << 10

// madeOf are texts that consist of what leads to detectors, and what may stand before and behind it: every trigger and many names of every
// rule, and the rules' own examples.
func madeOf(e *Engine) map[string]bool {
	units := map[string]bool{}
	for _, unit := range worst() {
		units[unit] = true
	}
	var words []string
	for _, trigger := range rules.Triggers(func(r rules.ID) bool { return e.rules[r].action != actionOff }, nil) {
		words = append(words, trigger.Lit+exampleOf(trigger.Sets))
	}
	for _, r := range rules.All() {
		names := exampleNames(r)
		for i := 0; i < len(names); i += 1 + len(names)/4 {
			words = append(words, names[i])
		}
		for _, x := range r.Gone {
			units[x.Text+" "], units[x.Text+"\n"] = true, true
		}
		for _, text := range r.Stay {
			units[text+" "] = true
		}
	}
	for _, w := range words {
		for _, behind := range []string{"", " ", "=", "=\"", ": ", " a ", "={", ">", "\\\"", ","} {
			units[w+behind] = true
		}
		for _, before := range []string{"set ", "<", "\"key\":\"", "-p ", "${", "://a:"} {
			units[before+w+" "] = true
		}
	}
	delete(units, "")
	return units
}

// exampleOf returns bytes that are in the sets.
func exampleOf(sets []*prefilter.Set) string {
	var b []byte
	for _, set := range sets {
		some := []byte("a1 A-:.=\"'@%x0pP\n")
		for c := range 256 {
			some = append(some, byte(c))
		}
		b = append(b, some[slices.IndexFunc(some, func(c byte) bool { return set[c] })])
	}
	return string(b)
}

func repeated(unit string, size int) string { return strings.Repeat(unit, max(1, size/len(unit))) }

// BenchmarkWorstCase measures texts made to keep detectors busy, in CPU time a byte and in times what access-log lines take. With -v it
// prints the dearest.
func BenchmarkWorstCase(b *testing.B) {
	e := newEngine(b)
	w := newWorker(e)
	// The best of several runs: other work on the machine only ever adds.
	cost := func(runs int, texts ...string) float64 {
		best := int64(math.MaxInt64)
		for range runs {
			start := threadTime(b)
			for _, text := range texts {
				w.text(text)
			}
			best = min(best, threadTime(b)-start)
		}
		return float64(best) / float64(totalBytes(texts))
	}
	type row struct {
		unit        string
		cost, times float64
		withheld    bool
	}
	measure := func(b *testing.B, units map[string]bool) {
		runtime.LockOSThread() // of each benchmark, which is a goroutine of its own
		defer runtime.UnlockOSThread()
		var rows []row
		for b.Loop() {
			rows = rows[:0]
			ordinary := cost(15, accessLines(400, 3, true)...)
			for unit := range units {
				text := repeated(unit, 1<<16)
				out, _, _ := e.Text(text, nil)
				ns := cost(3, text)
				rows = append(rows, row{unit, ns, ns / ordinary, out == markLimit})
			}
		}
		slices.SortFunc(rows, func(x, y row) int { return int(y.cost*100) - int(x.cost*100) })
		above := slices.IndexFunc(rows, func(r row) bool { return r.times <= 8 })
		b.ReportMetric(rows[0].times, "times-at-most")
		b.ReportMetric(rows[len(rows)/2].times, "times-in-the-middle")
		b.ReportMetric(100*float64(above)/float64(len(rows)), "%-above-8")
		table := ""
		for _, r := range rows[:min(len(rows), 80)] {
			table += fmt.Sprintf("%7.1f ns a byte, %5.1f times, withheld %-5v  %.60q\n", r.cost, r.times, r.withheld, r.unit)
		}
		b.Log("\n" + table)
	}
	kinds := map[string]bool{}
	for _, unit := range worst() {
		kinds[unit] = true
	}
	b.Run("kinds", func(b *testing.B) { measure(b, kinds) })
	b.Run("made", func(b *testing.B) { measure(b, madeOf(e)) })
}
