// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// Maps and lists whose members tell together what one of them is, as they do in a text: {"name": "password", "value": "x"}, and the words of
// a command, ["mysql", "-px"].

const (
	maxMembers = 12
	maxWords   = 256
)

// namedMembers redacts the values of a map that has the name of its value as a member.
func (w *worker) namedMembers(m pcommon.Map, depth int) outcome {
	if m.Len() < 2 || m.Len() > maxMembers {
		return unchanged
	}
	name, holds := "", false
	for key, v := range m.All() {
		if rules.HoldsValue(key) {
			holds = true
		} else if v.Type() == pcommon.ValueTypeStr && name == "" && len(v.Str()) <= rules.MaxCachedNameLen && rules.HoldsName(key) {
			name = v.Str()
		}
	}
	if !holds || name == "" {
		return unchanged
	}
	vd := w.names.Verdict(name)
	if vd.Strength == rules.Nothing {
		return unchanged
	}
	result := unchanged
	m.RemoveIf(func(key string, v pcommon.Value) bool {
		if result == dropRecord || !rules.HoldsValue(key) {
			return false
		}
		out := w.value(v, vd, depth+1)
		result = max(result, min(out, changed))
		if out == dropRecord {
			result = out
		}
		return out == dropField
	})
	return result
}

// listOfWords redacts a list of strings as the words of a command, if one of them is an option: what is told by the words before it.
func (w *worker) listOfWords(s pcommon.Slice) outcome {
	if s.Len() < 2 || s.Len() > maxWords {
		return unchanged
	}
	options := false
	size := 0
	for i := range s.Len() {
		v := s.At(i)
		if v.Type() != pcommon.ValueTypeStr {
			return unchanged
		}
		options = options || strings.HasPrefix(v.Str(), "-")
		size += len(v.Str()) + len(`"",`)
	}
	if !options || size > int(w.e.cfg.Limits.MaxValueBytes) {
		return unchanged
	}
	// The words as JSON has them, with as many bytes as they have.
	w.bytes = append(w.bytes[:0], '[')
	for i := range s.Len() {
		w.bytes = append(w.bytes, '"')
		for _, b := range []byte(s.At(i).Str()) {
			switch {
			case b == '"':
				b = '\''
			case b == '\\':
				b = '/'
			case b < ' ':
				b = ' '
			}
			w.bytes = append(w.bytes, b)
		}
		w.bytes = append(w.bytes, '"', ',')
	}
	w.bytes[len(w.bytes)-1] = ']'
	if !w.finds(ascii.UnsafeString(w.bytes)) {
		return unchanged
	}
	w.words = append(w.words[:0], w.scans[0].spans...)
	return w.redactWords(s)
}

// redactWords replaces what w.words says of the joined words of the list.
func (w *worker) redactWords(s pcommon.Slice) outcome {
	result := unchanged
	at := len(`["`)
	s.RemoveIf(func(v pcommon.Value) bool {
		word := v.Str()
		from, to := at, at+len(word)
		at = to + len(`","`)
		for k := len(w.words) - 1; k >= 0 && result != dropRecord; k-- {
			sp := w.words[k]
			start, end := max(sp.start, from), min(sp.end, to)
			if start >= end || w.e.audit && w.finds(word) { // what is found without the other words is counted later
				continue
			}
			r := &w.e.rules[sp.rule]
			switch w.matched(sp.rule); {
			case w.e.audit:
			case r.action == actionDropRecord:
				result = dropRecord
			case r.action == actionDropField:
				result = max(result, changed)
				return true
			default:
				w.out = r.replace(w.out[:0], word[start-from:end-from])
				word = word[:start-from] + string(w.out) + word[end-from:]
				v.SetStr(word)
				result = max(result, changed)
			}
		}
		return false
	})
	return result
}
