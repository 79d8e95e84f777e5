// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Numbers with a form of their own, such as those that states give to people: see Number. Each is a file of its own.

// numberForm is a form of a rule's number that begins with a digit.
type numberForm struct {
	rule ID
	num  *Number
	form string
	cued bool
	// second is the size of the second group, which stands behind one separator, or 0 if it is not that simple.
	second int
}

// formTable holds such forms by the size of their first group and by what may follow that, as behindGroup counts it.
type formTable struct {
	behindGroup [256]uint8
	behindDigit int // the least size of the second group of those that begin with one digit
	forms       [maxPAN + 1][][]numberForm
}

// What follows the first digits of a number, besides the separators of the forms.
const (
	behindNothing = iota // of what forms have there
	behindLetter
	behindSeparators // and the following ones
)

// numberForms are the forms of all rules.
var numberForms = sync.OnceValue(func() *formTable {
	t := &formTable{behindDigit: maxPAN}
	for b := range t.behindGroup {
		if ascii.Class[b]&ascii.Alpha != 0 {
			t.behindGroup[b] = behindLetter
		}
	}
	kinds := behindSeparators
	each := func(visit func(f numberForm, size int)) {
		for i, r := range registered {
			if r.Number == nil {
				continue
			}
			for k, form := range slices.Concat(r.Number.Forms, r.Number.Cued) {
				f := numberForm{rule: ID(i), num: r.Number, form: form, cued: k >= len(r.Number.Forms)}
				size := leadingDigits(form)
				if size == 0 || size >= maxPAN {
					continue // it is found by its cue
				}
				visit(f, size)
				if size < len(form) && form[size] == '*' {
					visit(f, size+1)
				}
			}
		}
	}
	each(func(f numberForm, size int) {
		if size >= len(f.form) || f.form[size] == 'A' || f.form[size] == '*' {
			return
		}
		if b := f.form[size]; t.behindGroup[b] == behindNothing {
			t.behindGroup[b] = uint8(kinds)
			kinds++
		}
	})
	for size := range t.forms {
		t.forms[size] = make([][]numberForm, kinds)
	}
	each(func(f numberForm, size int) {
		add := func(kind uint8) { t.forms[size][kind] = append(t.forms[size][kind], f) }
		switch {
		case size >= len(f.form): // its end: no letter or digit follows
			for kind := range kinds {
				if kind != behindLetter {
					add(uint8(kind))
				}
			}
		case f.form[size] == 'A' || f.form[size] == '*':
			add(behindLetter)
		default:
			n := leadingDigits(f.form[size+1:])
			if end := size + 1 + n; isSep(f.form[size]) && (end == len(f.form) || ascii.Class[f.form[end]]&ascii.Alnum == 0 && f.form[end] != '*') {
				f.second = n
			}
			if size == 1 {
				t.behindDigit = min(t.behindDigit, f.second)
			}
			add(t.behindGroup[f.form[size]])
		}
	})
	return t
})

// grouped finds numbers without four digits in a row.
var grouped = &Detector{Free: true, Find: func(c *Context, rule ID, i int) int {
	for !ascii.Is(c.S, i, ascii.Digit) {
		i++
	}
	return detectSpread(c, rule, i)
}}

// formTrigger derives where a number of the form is looked at, or nothing if the triggers of all numbers lead to it: from the four
// bytes of it that are rarest in ordinary lines to its end.
func formTrigger(form string) []Trigger {
	if strings.Contains(form, "dddd") {
		return nil
	}
	var best []*prefilter.Set
	fewest := -1
	for i := 0; i+4 <= len(form); i++ {
		var at []*prefilter.Set
		for _, b := range []byte(form[i:]) {
			at = append(at, formSet(b))
		}
		if n := prefilter.SetsInSample(at[:4]); fewest < 0 || n < fewest {
			best, fewest = append(at, prefilter.Not(prefilter.Class(ascii.Alnum))), n
		}
	}
	return []Trigger{sets(best...)}
}

// formSet are the bytes that b stands for in a form.
func formSet(b byte) *prefilter.Set {
	switch b {
	case 'd':
		return prefilter.Digits
	case 'A':
		return prefilter.Class(ascii.Alpha)
	case '*':
		return prefilter.Class(ascii.Alnum)
	}
	return prefilter.Bytes(string(b))
}

// minReached is the length from which on the triggers of all numbers lead to one, wherever it stands: see prefilter.
const minReached = 11

// hidden reports whether the triggers of all numbers do not lead to one of the form: it has letters or what does not stand between
// digits, it is too short, has too few digits, or no four in a row.
func hidden(form string) bool {
	digits := 0
	for _, b := range []byte(form) {
		switch {
		case b == 'd' || b == '*' || ascii.Class[b]&ascii.Digit != 0:
			digits++
		case ascii.Class[b]&ascii.NumSep == 0:
			return true
		}
	}
	return len(form) < minReached || digits < prefilter.MinNumberDigits || !strings.Contains(form, "dddd")
}

// cueTriggers lead to the cues: to the part of each from the four letters on that are rarest in ordinary lines, or to a word of fewer.
func cueTriggers(cues []string) (t []Trigger) {
	noLetter := prefilter.Not(prefilter.Class(ascii.Alpha))
	for _, cue := range cues {
		var at []*prefilter.Set
		for _, b := range []byte(cue) {
			at = append(at, prefilter.Bytes(string([]byte{b})+strings.ToUpper(string([]byte{b}))))
		}
		if len(cue) < minLiteral {
			t = append(t, behind(append(append([]*prefilter.Set{noLetter}, at...), noLetter)...))
			continue
		}
		best := 0
		for i := range len(at) - 3 {
			if prefilter.SetsInSample(at[i:i+4]) < prefilter.SetsInSample(at[best:best+4]) {
				best = i
			}
		}
		t = append(t, Trigger{Literal: cue[best:]})
	}
	return t
}

const (
	maxToNumber       = 40 // bytes between a cue and the number
	maxNationalDigits = 32
)

// cued finds the number behind the cue of which a part is at i.
var cued = &Detector{Extra: 16, Find: func(c *Context, rule ID, i int) int {
	s, num := c.S, registered[rule].Number
	for k := c.span(i, ascii.Alpha); k < len(s) && k-i < maxToNumber && s[k] != '\n'; k++ {
		if ascii.Class[s[k]]&ascii.Alnum == 0 || ascii.Is(s, k-1, ascii.Alnum) {
			continue
		}
		for _, form := range num.Cued {
			if c.has(num, form, k) && c.behindCue(k, num.Cues) {
				c.Offer(rule, k, k+len(form))
				return k + len(form)
			}
		}
	}
	return 0
}}

// has reports whether a valid number of that form is at i, and is no part of a longer one.
func (c *Context) has(num *Number, form string, i int) bool {
	s, end := c.S, i+len(form)
	if !matchesForm(s, i, form) || ascii.Is(s, i-1, ascii.Alnum) || ascii.At(s, i-1) == '_' || ascii.Is(s, end, ascii.Alnum) {
		return false
	}
	digits, n := &c.digits, 0
	for k := i; k < end; k++ {
		b := ascii.ToLower(s[k])
		switch class := ascii.Class[b]; {
		case class&ascii.Digit != 0:
			digits[n] = int(b - '0')
			n++
		case class&ascii.Alpha != 0:
			digits[n] = int(b-'a') + 10
			n++
		case b != ' ' && (ascii.At(s, i-1) == b || ascii.At(s, end) == b && ascii.Is(s, end+1, ascii.Digit)):
			return false // a longer one with the same separators
		}
	}
	return num.Valid(digits[:n])
}

// national looks for a number with a form of its own that starts with group g, and returns the group after it, or g.
func (c *Context) national(n *number, g int) int {
	first := &n.g[g]
	size := first.size()
	if size > maxPAN {
		return g
	}
	forms := c.forms.forms[size][c.forms.behindGroup[ascii.At(c.S, first.end)]]
	for k := range forms {
		f := &forms[k]
		// Most are told apart by the first digits, and by what follows them.
		if f.second > 0 && (g+1 == n.n || n.g[g+1].size() != f.second || first.sepEnd-first.end != 1) {
			continue
		}
		if f.cued && !c.mayBeCued(first.start, f.rule) {
			continue
		}
		if c.Charge(1); c.has(f.num, f.form, first.start) && (!f.cued || c.behindCue(first.start, f.num.Cues)) && c.sink.On(f.rule) {
			end := first.start + len(f.form)
			c.Offer(f.rule, first.start, end)
			for g < n.n && n.g[g].start < end {
				g++
			}
			return g
		}
	}
	return g
}

// behindCue reports whether one of the cues is a word in the bytes before i, or one of a name in camel case.
func (c *Context) behindCue(i int, cues []string) bool {
	s := c.S[max(0, i-maxToNumber):i]
	for k := range s {
		if s[k] < utf8.RuneSelf && ascii.Class[s[k]]&ascii.Alpha == 0 {
			continue
		}
		for _, cue := range cues {
			if !ascii.HasPrefixFold(s, k, cue) {
				continue
			}
			end := k + len(cue)
			begins := !ascii.Is(s, k-1, ascii.Alpha) || ascii.Is(s, k, ascii.UpperCase) && ascii.Is(s, k-1, ascii.LowerCase)
			ends := !ascii.Is(s, end, ascii.Alpha) || ascii.Is(s, end, ascii.UpperCase) && ascii.Is(s, end-1, ascii.LowerCase)
			if begins && ends || len(cue) >= longCue {
				return true
			}
		}
	}
	return false
}

const longCue = 6 // letters of one that may be a part of a longer word

// leadingDigits counts the digits that a form begins with.
func leadingDigits(form string) (n int) {
	for n < len(form) && (form[n] == 'd' || ascii.Class[form[n]]&ascii.Digit != 0) {
		n++
	}
	return n
}

// matchesForm reports whether s at i is written like the form.
func matchesForm(s string, i int, form string) bool {
	if i < 0 || len(s)-i < len(form) {
		return false
	}
	for k := range len(form) {
		class, ok := ascii.Class[s[i+k]], false
		switch form[k] {
		case 'd':
			ok = class&ascii.Digit != 0
		case 'A':
			ok = class&ascii.Alpha != 0
		case '*':
			ok = class&ascii.Alnum != 0
		default:
			ok = form[k] == s[i+k]
		}
		if !ok {
			return false
		}
	}
	return true
}

// alnumOnly is the canonical form of numbers with letters.
func alnumOnly(b byte) (byte, bool) { return ascii.ToLower(b), ascii.Class[b]&ascii.Alnum != 0 }

// weighted is the sum of the digits, each times its weight.
func weighted(digits []int, weights ...int) (sum int) {
	for k, w := range weights {
		sum += digits[k] * w
	}
	return sum
}

// validLuhn reports whether the digits pass the check of ISO/IEC 7812.
func validLuhn(digits []int) bool {
	sum := 0
	for k, d := range digits {
		if (len(digits)-k)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// numberOf is the number that the digits are.
func numberOf(digits []int) (n int) {
	for _, d := range digits {
		n = n*10 + d
	}
	return n
}

// validDay reports whether the month and the day, two digits each, may be those of a birth.
func validDay(month, day []int) bool {
	m, d := numberOf(month), numberOf(day)
	return m >= 1 && m <= 12 && d >= 1 && d <= 31
}
