// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Some numbers are told only by what stands before them: telephone numbers without a plus, national numbers in one piece. As the value of a
// key, what stands before them is the key.

// phoneCues are the words of keys with telephone numbers.
var phoneCues = strings.Fields("phone telephone tel mobile mobil cell cellphone handy fax msisdn whatsapp sms phonenumber mobilenumber telefon phones contactnumber")

// cueWords are the words of keys that say what kind of number the value is.
var cueWords = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, w := range phoneCues {
		m[w] = true
	}
	for _, r := range registered {
		if r.Number == nil {
			continue
		}
		for _, w := range r.Number.Cues {
			m[joinCue.Replace(w)] = true
		}
	}
	return m
})

// joinCue takes out of a cue what names are split at.
var joinCue = strings.NewReplacer(" ", "", "_", "", "-", "")

// IsCue reports whether the name of a value says what kind of number it is.
func (k *Namer) IsCue(name string) bool {
	if is, ok := k.cues[name]; ok {
		return is
	}
	is := isCue(name)
	if len(name) <= MaxCachedNameLen {
		if len(k.cues) >= MaxCachedNames {
			clear(k.cues)
		}
		k.cues[strings.Clone(name)] = is
	}
	return is
}

func isCue(name string) bool {
	var buf [maxName]byte
	var seg [maxSegments]string
	n := segments(name, &buf, &seg)
	if n == 0 {
		return false
	}
	property := properties[seg[n-1]]
	for _, w := range seg[:n] {
		if !property && cueWords()[trimDigits(w)] {
			return true
		}
	}
	joined := strings.Join(seg[:n], "")
	for w := range cueWords() {
		if len(w) >= longCue && strings.Contains(joined, w) && (!property || strings.HasSuffix(joined, w)) {
			return true
		}
	}
	return false
}

// cueTable holds the cues of numbers in text, by the byte that they begin with.
type cueTable struct {
	by    [256][]cueWord
	pairs [32][32]bool // of the letters that they begin with, by their places in the alphabet
}

type cueWord struct {
	word string
	rule ID
}

var cueWordsInText = sync.OnceValue(func() *cueTable {
	t := &cueTable{}
	for i, r := range registered {
		if r.Number == nil {
			continue
		}
		for _, w := range r.Number.Cues {
			t.by[w[0]] = append(t.by[w[0]], cueWord{w, ID(i)})
			t.pairs[w[0]&31][w[1]&31] = true
		}
	}
	return t
})

// cueMemo is up to where cues have been looked for in the text, and where the last one of any rule begins.
type cueMemo struct{ to, last int }

// mayBeCued reports whether a cue of the rule stands in the bytes before i. Each place is looked at once, as numbers often follow another.
func (c *Context) mayBeCued(i int, rule ID) bool {
	s, m := c.S[:i], &c.memo.cues
	if m.to == 0 {
		m.last = -1
		for k := range c.cueAt {
			c.cueAt[k] = -1
		}
	}
	floor := max(0, i-maxToNumber)
	for k := max(floor, m.to); k+1 < i; k++ {
		b := s[k]
		if b < utf8.RuneSelf && ascii.Class[b]&ascii.Alpha == 0 || !c.cues.pairs[b&31][s[k+1]&31] {
			continue
		}
		for _, cue := range c.cues.by[ascii.ToLower(b)] {
			if ascii.HasPrefixFold(s, k, cue.word) {
				c.cueAt[cue.rule], m.last = k, k
			}
		}
	}
	m.to = max(m.to, i)
	return m.last >= floor && c.cueAt[rule] >= floor
}

const (
	minNumberDigits  = 7
	minWithLetters   = 4  // digits of a number that has letters, too
	maxNumberLetters = 12 // of those, most of which stand before the first digit
	maxLettersBefore = 6
	maxNumberText    = 40
)

// IsNumber reports whether s may be a number: digits, and what people put between them, or a few letters.
func IsNumber(s string) bool {
	if len(s) < minNumberDigits || len(s) > maxNumberText || !ascii.Is(s, 0, ascii.Alnum) && s[0] != '+' && s[0] != '(' {
		return false
	}
	digits, letters := 0, 0
	for i := range len(s) {
		switch class := ascii.Class[s[i]]; {
		case class&ascii.Digit != 0:
			digits++
		case class&ascii.Alpha != 0:
			if letters++; letters > maxNumberLetters || digits == 0 && letters > maxLettersBefore {
				return false
			}
		case class&ascii.NumSep == 0:
			return false
		}
	}
	return digits >= minNumberDigits || letters > 0 && digits >= minWithLetters
}
