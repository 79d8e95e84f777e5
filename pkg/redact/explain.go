// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/decode"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// Explanation says why a rule took something, so that a false alarm can be reported without what was taken. It holds words of the
// rules and nothing of the text.
type Explanation struct {
	Rule   string
	Action string // mask, partial, …
	Shape  string // "12 bytes: letters, digits"
	Why    string // `it stands behind a name with the word "password"`
}

// Explain explains a match that [Engine.Text] has found in the text.
func (e *Engine) Explain(text string, m Match) Explanation {
	x := Explanation{Rule: m.Rule, Shape: shapeOf(text[m.Start:m.End])}
	var r *rule
	for i := range e.rules {
		if e.rules[i].id == m.Rule {
			r = &e.rules[i]
		}
	}
	if r == nil {
		return x
	}
	x.Action = r.action.String()
	switch {
	case r.builtin == nil:
		x.Why = "the regular expression of the configuration matches"
	case e.encoded(text[m.Start:m.End], &x):
	case m.Rule == rules.All()[rules.SensitiveKey].ID:
		x.Why = "it stands behind a name of keys.sensitive"
	case wordBefore(text, m.Start, r.builtin) != "":
		x.Why = fmt.Sprintf("it stands behind a name with the word %q", wordBefore(text, m.Start, r.builtin))
	case r.builtin.Placed != "":
		x.Why = r.builtin.Placed
	case rules.VendorOf(text[m.Start:m.End]) != "":
		x.Why = fmt.Sprintf("it begins as tokens of %s do; checked: %s", rules.VendorOf(text[m.Start:m.End]), r.builtin.ValidatedBy)
	default:
		x.Why = "its form"
		if r.builtin.ValidatedBy != "" {
			x.Why = "its form; checked: " + r.builtin.ValidatedBy
		}
	}
	return x
}

// encoded explains a value in base64 by what is found in it, and reports whether there is something.
func (e *Engine) encoded(value string, x *Explanation) bool {
	inner, ok := decode.Base64(nil, value)
	if !ok {
		return false
	}
	_, matches, _ := e.Text(string(inner), nil)
	for _, m := range matches {
		if m.Rule == x.Rule {
			x.Why = "it is base64, and in it: " + e.Explain(string(inner), m).Why
			return true
		}
	}
	return false
}

// maxNameDistance is how far in front of a value its name is looked for.
const maxNameDistance = 160

// wordBefore returns the nearest word of the rule's names that stands on the line in front of i.
func wordBefore(text string, i int, r *rules.Rule) (nearest string) {
	before := text[max(0, i-maxNameDistance):i]
	end := 0
	for _, n := range r.Names {
		for w := range strings.FieldsSeq(n.Words + " " + n.Endings + " " + n.Inside) {
			for k := len(before); k >= max(end, len(w)); k-- {
				if ascii.HasSuffixFold(before, k, w) && (k > end || len(w) > len(nearest)) {
					end, nearest = k, w
					break
				}
			}
		}
	}
	return nearest
}

// shapeOf says how long a value is and what it is made of.
func shapeOf(v string) string {
	var parts []string
	for _, p := range []struct {
		name string
		is   func(b byte) bool
	}{
		{"letters", func(b byte) bool { return ascii.Class[b]&ascii.Alpha != 0 }},
		{"digits", func(b byte) bool { return ascii.Class[b]&ascii.Digit != 0 }},
		{"spaces", func(b byte) bool { return ascii.Class[b]&ascii.Space != 0 }},
		{"other ASCII", func(b byte) bool { return b < 0x80 && ascii.Class[b]&(ascii.Alnum|ascii.Space) == 0 }},
		{"beyond ASCII", func(b byte) bool { return b >= 0x80 }},
	} {
		for i := range len(v) {
			if p.is(v[i]) {
				parts = append(parts, p.name)
				break
			}
		}
	}
	return fmt.Sprintf("%d bytes: %s", len(v), strings.Join(parts, ", "))
}
