// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"math"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/decode"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// Some writers have bytes as a list of numbers: journalctl's JSON for every field with a control character in it, Go's %v and
// Java's Arrays.toString. Such a list is read as the text that it spells, as a value and inside a text.

// listOfBytes redacts a value that is a list of whole numbers from 0 to 255 as the bytes that they spell: it becomes a string, or bytes
// if it is no UTF-8. What spells nothing to redact stays a list, control characters included: most lists are numbers.
func (w *worker) listOfBytes(v pcommon.Value, vd rules.Verdict) outcome {
	if !w.spell(v.Slice()) {
		return unchanged
	}
	s := ascii.UnsafeString(w.bytes)
	if len(s) > int(w.e.cfg.Limits.MaxValueBytes) {
		out := w.exceeded(failedBytes)
		if out == changed {
			v.SetStr(markLimit)
		}
		return out
	}
	out := unchanged
	if vd.Strength > rules.Nothing {
		out = w.leaf(s, vd)
	}
	if out == unchanged && w.finds(s) {
		out = w.text(s)
	}
	if out == changed {
		if utf8.Valid(w.out) {
			v.SetStr(string(w.out))
		} else {
			v.SetEmptyBytes().FromRaw(w.out)
		}
	}
	return out
}

// spell writes the bytes that the list spells to w.bytes and reports whether it is a list of bytes.
func (w *worker) spell(s pcommon.Slice) bool {
	w.bytes = w.bytes[:0]
	for i := range s.Len() {
		var f float64
		switch v := s.At(i); v.Type() {
		case pcommon.ValueTypeInt:
			f = float64(v.Int())
		case pcommon.ValueTypeDouble:
			f = v.Double()
		default:
			return false
		}
		if f < 0 || f > math.MaxUint8 || f != math.Trunc(f) {
			return false
		}
		w.bytes = append(w.bytes, byte(f))
	}
	return len(w.bytes) > 0
}

// finds reports whether there is more to redact in s than control characters, or whether that takes too long to find out.
func (w *worker) finds(s string) bool {
	w.work = prefilter.WorkFor(len(s))
	w.again = true // nothing is counted
	c := w.scans[0]
	c.run(s)
	w.again = false
	return len(c.spans) > 0 || w.work < 0
}

// noteByteList notes that a list of numbers stands in the text.
func noteByteList(c *rules.Context, _ rules.ID, i int) int {
	if c.Saw&prefilter.SawByteList == 0 && decode.IsByteList(c.S, i) {
		c.Saw |= prefilter.SawByteList
	}
	return 0
}
