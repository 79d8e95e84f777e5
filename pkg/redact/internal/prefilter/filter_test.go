// SPDX-License-Identifier: Apache-2.0

package prefilter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// log is what detectors note: which trigger was offered where.
type log struct{ offers []string }

// noting is a detector that notes its name and the place, and goes on behind n bytes.
func noting(name string, n int) Detector[*log] {
	return func(l *log, _ uint16, i int) int {
		l.offers = append(l.offers, fmt.Sprintf("%s@%d", name, i))
		if n == 0 {
			return 0
		}
		return i + n
	}
}

func run(f *Filter[*log], s string, budget int) ([]string, State) {
	l := &log{}
	st := State{S: s, Budget: &budget}
	f.Run(&st, l)
	slices.Sort(l.offers)
	return l.offers, st
}

func TestOffers(t *testing.T) {
	f := New([]Trigger[*log]{
		{Lit: "secret", Detect: noting("secret", 0)},
		{Lit: "sec", Detect: noting("sec", 0)},
		{Lit: "@", Detect: noting("@", 0)},
		{Sets: []*Set{Bytes("%"), Class(ascii.HexDigit)}, Detect: noting("%", 0)},
		{Sets: []*Set{Not(Class(ascii.Alnum)), Bytes("pP"), Bytes("wW"), Not(Class(ascii.LowerCase))}, Boundary: true, Detect: noting("pw", 0)},
		{Sets: []*Set{Digits, Digits, Digits, Digits}, Detect: noting("digits", 4)},
	})
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"secret", "sec@0 secret@0"},
		{"a SECRET, b", "sec@2 secret@2"},
		{"xxxxxxxxsecre", "sec@8"},
		{"@a@", "@@0 @@2"},
		{"%4 %", "%@0"},
		{"pw", "pw@0"},
		{"pw=x PW; spw pwd", "pw@0 pw@5"},
		{strings.Repeat("-", 61) + "secret", "sec@61 secret@61"},
		{"n 4111111111111111.", "digits@10 digits@14 digits@2 digits@6"},
		{"at 12:30:45 1234 ms and so on", ""},
	} {
		got, _ := run(f, tt.in, 1000)
		assert.Equal(t, tt.want, strings.Join(got, " "), "%q", tt.in)
	}
}

// What a detector has consumed is not offered again, but to those that are always wanted; what is noted once is no longer looked for.
func TestResumeAndNotes(t *testing.T) {
	note := func(l *log, _ uint16, i int) int { return noting("note", 0)(l, 0, i) }
	f := New([]Trigger[*log]{
		{Lit: "long", Detect: noting("long", 12)},
		{Lit: "inner", Detect: noting("inner", 0)},
		{Lit: "inner", Detect: note, Always: true},
	})
	got, st := run(f, "long inner, and inner again", 1000)
	assert.Equal(t, []string{"inner@16", "long@0", "note@16", "note@5"}, got)
	assert.Equal(t, 12, st.Resume)

	f = New([]Trigger[*log]{{Sets: []*Set{Bytes("%"), Digits}, Note: SawPercent, Detect: noting("%", 0)}})
	budget := 1000
	l := &log{}
	f.Run(&State{S: "%1 %2 %3", Budget: &budget, Saw: SawPercent}, l)
	assert.Empty(t, l.offers)
}

// When the budget is used up no detector is called any more; free ones use up none.
func TestBudget(t *testing.T) {
	f := New([]Trigger[*log]{{Lit: "key", Detect: noting("key", 0)}, {Lit: "free", Free: true, Detect: noting("free", 0)}})
	got, st := run(f, strings.Repeat("free key ", 50), 10*CostOfCall)
	assert.Negative(t, *st.Budget)
	assert.Equal(t, 10, strings.Count(strings.Join(got, " "), "key"))
}

func TestRuns(t *testing.T) {
	f := New([]Trigger[*log]{{Lit: "key", Detect: noting("key", 0)}})
	for n := range 40 {
		for _, before := range []string{"", " ", "short words ", "a.b.c ........ "} {
			s := before + strings.Repeat("x", MinRun+n%7) + " " + strings.Repeat("ab1_", 4) + "\n" + strings.Repeat("Q", MinRun+n)
			_, st := run(f, s, 100)
			var runs []string
			st.Runs(func(start, end int) bool {
				runs = append(runs, s[start:end])
				return true
			})
			assert.Equal(t, []string{strings.Repeat("x", MinRun+n%7), strings.Repeat("Q", MinRun+n)}, runs)
		}
	}
}

// Whatever the triggers are, and whatever groups they share, each is offered wherever it begins, and nowhere else.
func TestEveryTriggerIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 9))
	for round := range 8 {
		const letters = "abcdexyz-=@:_%"
		var triggers []Trigger[*log]
		var lits []string
		for range 5 + 20*round {
			lit := make([]byte, 1+r.IntN(7))
			for i := range lit {
				lit[i] = letters[r.IntN(len(letters))]
			}
			if !slices.Contains(lits, string(lit)) {
				lits = append(lits, string(lit))
				triggers = append(triggers, Trigger[*log]{Lit: string(lit), Detect: noting(string(lit), 0)})
			}
		}
		f := New(triggers)
		for range 200 {
			var b strings.Builder
			for b.Len() < r.IntN(120) {
				switch r.IntN(3) {
				case 0:
					b.WriteString(lits[r.IntN(len(lits))])
				case 1:
					b.WriteString(strings.ToUpper(lits[r.IntN(len(lits))]))
				default:
					b.WriteByte(letters[r.IntN(len(letters))])
				}
			}
			s := b.String()
			var want []string
			for _, lit := range lits {
				for i := range s {
					if strings.HasPrefix(strings.ToLower(s[i:]), lit) {
						want = append(want, fmt.Sprintf("%s@%d", lit, i))
					}
				}
			}
			slices.Sort(want)
			got, _ := run(f, s, 1<<20)
			assert.Equal(t, want, slices.Compact(got), "%q", s)
		}
	}
}

// The bits that tell long numbers from dates agree with counting.
func TestLongNumber(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	const bytes = "0123456789 -./()_+,:a%&"
	for range 20_000 {
		b := make([]byte, 3*stepBytes+r.IntN(8))
		for i := range b {
			if r.IntN(3) == 0 {
				b[i] = bytes[r.IntN(len(bytes))]
			} else {
				b[i] = bytes[r.IntN(10)]
			}
		}
		s := string(b)
		// The number around four digits that end in the step, if it has as many digits as the shortest that is of interest.
		long := false
		for k := stepBytes - filterWidth + 1; k < 2*stepBytes-filterWidth+1; k++ {
			if ascii.Span(s, k, ascii.Digit) < k+filterWidth {
				continue
			}
			from, to, digits := k, k, 0
			for from > 0 && (ascii.Class[s[from-1]]&(ascii.Digit|ascii.NumSep) != 0) {
				from--
			}
			for to < 3*stepBytes && (ascii.Class[s[to]]&(ascii.Digit|ascii.NumSep) != 0) {
				to++
			}
			for i := from; i < to; i++ {
				if ascii.Class[s[i]]&ascii.Digit != 0 {
					digits++
				}
			}
			long = long || digits >= MinNumberDigits
		}
		if long {
			assert.True(t, longNumber(s, stepBytes), "%q", s)
		}
	}
}

// The lines that the filter is tuned with pass with a look at few places.
func TestSample(t *testing.T) {
	assert.Greater(t, len(sampleText), 8000)
	assert.Equal(t, accessCopies*strings.Count(accessText, "HTTP/"), strings.Count(sampleText[:len(sampleText)-len(otherText)], "HTTP/"))
	assert.Positive(t, InSample("mozilla"))
	assert.Zero(t, InSample("no such word"))
	assert.Equal(t, strings.Count(sampleText, "rt="), SetsInSample([]*Set{Bytes("r"), Bytes("t"), Bytes("=")}))
}
