// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// record redacts the parts of one record and turns a panic into an outcome: the worker is put back in order, and the caller
// does with the record what is configured for failures.
func (w *worker) guarded(f func() outcome) (result outcome, failed bool) {
	defer func() {
		if r := recover(); r != nil {
			// The panic's value may hold what was scanned: it is not looked at.
			w.counts.failures[failedPanic]++
			w.again, w.part = false, span{}
			result, failed = dropRecord, true
		}
	}()
	return f(), false
}

// renamed is an entry of a map that gets a new key.
type renamed struct {
	key   string
	value pcommon.Value
}

// attribute is an entry of a map in which there was nothing to redact, and nothing to count.
type attribute struct{ key, value string }

// maxAlike is how many attributes of a record are compared with those of the record before it. Records of one file, unit or
// pod have the same ones, and most of them say where the record comes from.
const maxAlike = 16

// isAlike reports whether the attribute in this place is the same as in the record before.
func (w *worker) isAlike(place int, key string, v pcommon.Value) bool {
	if place >= maxAlike || v.Type() != pcommon.ValueTypeStr || w.e.keys.n.Load() > 0 {
		return false
	}
	before := &w.alike[place]
	if before.key == "" || before.key != key || before.value != v.Str() {
		return false
	}
	w.counts.bytes += int64(len(key) + len(before.value))
	return true
}

// attrs redacts the entries of a map, their keys included. vd is the verdict on the map's own name: a condemned map
// condemns what is in it.
func (w *worker) attrs(m pcommon.Map, vd rules.Verdict, depth int) outcome {
	result := unchanged
	var renames []renamed
	place := -1
	m.RemoveIf(func(key string, v pcommon.Value) bool {
		if result == dropRecord {
			return false
		}
		if place++; depth == 0 && w.isAlike(place, key, v) {
			return false
		}
		notes, failures := w.counts.notes, w.counts.failures
		newKey, own, out := w.key(key)
		if out >= dropField {
			result = max(result, out)
			return out == dropField
		}
		if own.Strength < vd.Strength {
			own = vd
		}
		w.place.name = key
		switch o := w.value(v, own, depth+1); o {
		case dropField:
			result = max(result, changed)
			return true
		default:
			result = max(result, o)
		}
		if out == changed {
			r := renamed{newKey, pcommon.NewValueEmpty()}
			v.MoveTo(r.value)
			renames = append(renames, r)
			result = max(result, changed)
			return true
		}
		if depth == 0 && place < maxAlike && result == unchanged && v.Type() == pcommon.ValueTypeStr && w.counts.notes == notes && w.counts.failures == failures {
			w.alike[place] = attribute{key, v.Str()}
		}
		return false
	})
	for _, r := range renames {
		key := r.key
		for n := 2; ; n++ {
			if _, taken := m.Get(key); !taken {
				break
			}
			key = r.key + "#" + strconv.Itoa(n)
		}
		r.value.MoveTo(m.PutEmpty(key))
	}
	return result
}

// repeated redacts a text of which the same few come again and again: a map key, a severity text, the name of a scope. Those
// that are clean are remembered, with what they say as a name. The new text is in w.out if the outcome is changed.
func (w *worker) repeated(s string) (rules.Verdict, outcome) {
	if v, ok := w.clean[s]; ok {
		w.counts.bytes += int64(len(s))
		return v, unchanged
	}
	failures := w.counts.failures
	out := w.text(s)
	if out != unchanged {
		return rules.Verdict{}, out
	}
	v := w.names.Decide(withoutMarkers(s))
	if len(s) <= rules.MaxCachedNameLen && w.counts.failures == failures && len(w.scans[0].spans) == 0 && w.scans[0].Saw&prefilter.SawControl == 0 {
		if len(w.clean) >= rules.MaxCachedNames {
			clear(w.clean)
		}
		w.clean[strings.Clone(s)] = v
	}
	return v, unchanged
}

// key redacts a map key and says what its name says about its value. What is left of a redacted key is judged, so that a second
// pass judges the same.
func (w *worker) key(key string) (string, rules.Verdict, outcome) {
	loc := w.loc
	w.loc = inKey
	v, out := w.repeated(key)
	w.loc = loc
	if out == changed {
		key = string(w.out)
		v = w.names.Decide(withoutMarkers(key))
	}
	return key, v, out
}

// minNumber is the smallest number that is looked at for what it could be, when its name says rules.Nothing, and minCued when its name
// says what kind of number it is.
const (
	minNumber = 100_000_000_000
	minCued   = 1_000_000
)

// value redacts a value in place. vd is the verdict on its name.
func (w *worker) value(v pcommon.Value, vd rules.Verdict, depth int) outcome {
	if depth > w.e.cfg.Limits.MaxDepth && (v.Type() == pcommon.ValueTypeMap || v.Type() == pcommon.ValueTypeSlice) {
		out := w.exceeded(failedDepth)
		if out == changed {
			v.SetStr(markLimit)
		}
		return out
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		out := w.string(v.Str(), vd)
		if out == changed {
			v.SetStr(string(w.out))
		}
		return out
	case pcommon.ValueTypeBytes:
		b := v.Bytes()
		if int64(b.Len()) > int64(w.e.cfg.Limits.MaxValueBytes) {
			out := w.exceeded(failedBytes)
			if out == changed {
				v.SetEmptyBytes().FromRaw(w.out)
			}
			return out
		}
		w.bytes = w.bytes[:0]
		for i := range b.Len() {
			w.bytes = append(w.bytes, b.At(i))
		}
		out := w.string(ascii.UnsafeString(w.bytes), vd)
		if out == changed {
			v.SetEmptyBytes().FromRaw(w.out)
		}
		return out
	case pcommon.ValueTypeInt:
		n := v.Int()
		if vd.Strength == rules.Nothing && n > -minNumber && n < minNumber && (n < minCued || !w.cued()) {
			return unchanged
		}
		w.bytes = strconv.AppendInt(w.bytes[:0], n, 10)
		return w.number(v, vd)
	case pcommon.ValueTypeDouble:
		f := v.Double()
		if math.Trunc(f) != f && (vd.Strength < rules.Hard || math.IsNaN(f)) || math.Abs(f) >= 1e19 || vd.Strength == rules.Nothing && math.Abs(f) < minNumber && (f < minCued || !w.cued()) {
			return unchanged
		}
		w.bytes = strconv.AppendFloat(w.bytes[:0], f, 'f', -1, 64)
		return w.number(v, vd)
	case pcommon.ValueTypeMap:
		out := w.namedMembers(v.Map(), depth)
		if out == dropRecord {
			return out
		}
		return max(out, w.attrs(v.Map(), vd, depth))
	case pcommon.ValueTypeSlice:
		if out := w.listOfBytes(v, vd); out != unchanged {
			return out
		}
		out := w.listOfWords(v.Slice())
		if out == dropRecord {
			return out
		}
		return max(out, w.slice(v.Slice(), vd, depth))
	}
	return unchanged
}

func (w *worker) slice(s pcommon.Slice, vd rules.Verdict, depth int) outcome {
	result := unchanged
	s.RemoveIf(func(v pcommon.Value) bool {
		if result == dropRecord {
			return false
		}
		switch o := w.value(v, vd, depth+1); o {
		case dropField:
			result = max(result, changed)
			return true
		default:
			result = max(result, o)
			return false
		}
	})
	return result
}

// number redacts a number, written to w.bytes. What is redacted becomes a string.
func (w *worker) number(v pcommon.Value, vd rules.Verdict) outcome {
	out := w.string(ascii.UnsafeString(w.bytes), vd)
	if out == changed {
		v.SetStr(string(w.out))
	}
	return out
}

// string redacts a text whose name has the verdict vd.
func (w *worker) string(s string, vd rules.Verdict) outcome {
	if vd.Strength > rules.Nothing && int64(len(s)) <= int64(w.e.cfg.Limits.MaxValueBytes) {
		if out := w.leaf(s, vd); out != unchanged {
			return out
		}
		if w.e.audit && w.e.rules[vd.Rule].action != actionOff && rules.IsSecret(s, vd) && !w.isMarker(s) {
			return unchanged // counted already
		}
	}
	if rules.IsNumber(s) && w.cued() {
		return w.behindName(s)
	}
	return w.text(s)
}

// cued reports whether the name of the value that is redacted says what kind of number it is: phone, cpf.
func (w *worker) cued() bool { return w.names.IsCue(w.place.name) }

// behindName redacts a number as if it stood behind its name in a text.
func (w *worker) behindName(s string) outcome {
	w.named = append(append(append(w.named[:0], w.place.name...), ": "...), s...)
	out := w.text(ascii.UnsafeString(w.named))
	if n := len(w.place.name) + len(": "); out == changed && bytes.HasPrefix(w.out, w.named[:n]) {
		w.out = append(w.out[:0], w.out[n:]...)
	}
	return out
}
