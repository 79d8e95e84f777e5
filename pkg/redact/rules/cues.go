// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"sync"

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
			m[w] = true
		}
	}
	return m
})

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
	if n == 0 || properties[seg[n-1]] {
		return false
	}
	for _, w := range seg[:n] {
		if cueWords()[trimDigits(w)] {
			return true
		}
	}
	return false
}

const (
	minNumberDigits = 7
	maxNumberText   = 40
)

// IsNumber reports whether s is digits, and what people put between them, and no more.
func IsNumber(s string) bool {
	if len(s) < minNumberDigits || len(s) > maxNumberText || !ascii.Is(s, 0, ascii.Digit) && s[0] != '+' && s[0] != '(' {
		return false
	}
	digits := 0
	for i := range len(s) {
		switch class := ascii.Class[s[i]]; {
		case class&ascii.Digit != 0:
			digits++
		case class&ascii.NumSep == 0:
			return false
		}
	}
	return digits >= minNumberDigits
}
