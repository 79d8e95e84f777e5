// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/decode"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// outcome is what becomes of a text or value.
type outcome uint8

const (
	unchanged outcome = iota
	changed
	dropField
	dropRecord
)

// What detectors may do for a text, its decoded forms included, is limited: a text made of triggers would take many times what an
// ordinary one does. The unit is a step; see prefilter.State. What cannot but take time in proportion to the text, such as numbers, costs nothing.
const (
	costOfMatch     = 6
	costOfBase64    = 20 * prefilter.CostOfCall
	stepsOfEscape   = 3
	bytesOfStep     = 8
	bytesOfDecoding = 5
)

// text redacts s. If the outcome is changed, the new text is in w.out, valid until the next call. In audit mode matches are
// counted and the outcome is unchanged.
func (w *worker) text(s string) outcome {
	w.counts.bytes += int64(len(s))
	if int64(len(s)) > int64(w.e.cfg.Limits.MaxValueBytes) {
		return w.exceeded(failedBytes)
	}
	if w.e.probe != nil {
		w.e.probe(s)
	}
	key := w.keyOf()
	inKey := key != nil && key.open
	if inKey {
		w.part = key.next(s)
	}
	limit := prefilter.WorkFor(len(s))
	w.work = limit
	result := w.pass(s)
	w.part = span{}
	if w.found = w.found[:0]; len(w.scans[0].spans) > 0 {
		w.found = append(w.found, w.scans[0].spans...)
	}
	if key != nil {
		if !key.open {
			key.begin(s, w.found)
		}
		w.keep(key, inKey)
	}
	// What was decoded, escaped or replaced may let another pass see what this one could not. It is taken now, so that no later
	// pass changes anything.
	if w.work < 0 {
		return result
	}
	// What has been escaped now is looked at decoded, too.
	w.work = 3 * limit
	for n := 0; result == changed && w.work >= 0; n++ {
		if n == maxPasses {
			return w.exceeded(failedWork)
		}
		w.before = append(w.before[:0], w.out...)
		w.again = true
		w.escapedOnly = n == 0 && len(w.found) == 0 && w.scans[0].Saw&(prefilter.SawBackslash|prefilter.SawUnusual) == 0
		again := w.pass(ascii.UnsafeString(w.before))
		w.again, w.escapedOnly = false, false
		if again == unchanged {
			w.out = append(w.out[:0], w.before...)
			break
		}
		result = again
	}
	return result
}

const maxPasses = 4

// pass redacts s once; see text.
func (w *worker) pass(s string) outcome {
	c := w.scans[0]
	c.run(s)
	if w.part.end > w.part.start {
		c.Offer(w.part.rule, w.part.start, w.part.end, "")
		c.resolve()
	}
	if w.work < 0 {
		// A text made of triggers: to examine it all would take many times what an ordinary text of its length takes.
		c.spans = c.spans[:0]
		return w.exceeded(failedWork)
	}
	escapes := c.Saw&prefilter.SawControl != 0 && w.e.rules[rules.Control].action != actionOff
	if len(c.spans) == 0 && !escapes {
		return unchanged
	}
	return w.rebuild(s, c.spans, escapes)
}

// exceeded handles what is over a limit.
func (w *worker) exceeded(f failure) outcome {
	w.counts.failures[f]++
	switch {
	case w.e.audit:
		return unchanged
	case w.e.cfg.Limits.OnExceed == Drop:
		return dropRecord
	}
	w.out = append(w.out[:0], markLimit...)
	return changed
}

// rebuild writes s with the spans redacted and, if asked to, control characters escaped, to w.out.
func (w *worker) rebuild(s string, spans []span, escapes bool) outcome {
	result := unchanged
	out := w.out[:0]
	pos := 0
	gap := func(end int) {
		if !escapes {
			out = append(out, s[pos:end]...)
			return
		}
		n := len(out)
		out = decode.AppendEscaped(out, s[pos:end])
		if len(out)-n != end-pos {
			w.matched(rules.Control)
			result = max(result, changed)
		}
	}
	for i := range spans {
		sp := &spans[i]
		r := &w.e.rules[sp.rule]
		w.matched(sp.rule)
		gap(sp.start)
		switch r.action {
		case actionDropField:
			result = max(result, dropField)
		case actionDropRecord:
			result = dropRecord
		default:
			out = append(out, sp.quote...)
			out = r.replace(out, sp.text)
			out = append(out, sp.quote...)
			result = max(result, changed)
		}
		pos = sp.end
	}
	gap(len(s))
	w.out = out
	if w.e.audit {
		return unchanged
	}
	return result
}

// replace appends what stands for the value v.
func (r *rule) replace(dst []byte, v string) []byte {
	switch r.action {
	case actionPseudonymize:
		return append(dst, r.pseudonym.token(v)...)
	case actionPartial:
		return r.partial(dst, v)
	}
	return append(dst, r.mask...)
}

// partial appends v with all but the first and last letters and digits replaced by stars. At least half of them are: of a
// short value more could be guessed than is meant to be shown.
func (r *rule) partial(dst []byte, v string) []byte {
	total := 0
	for i := range len(v) {
		if v[i] >= 0x80 || ascii.Class[v[i]]&ascii.Alnum != 0 || v[i] == '*' {
			total++
		}
	}
	first, last := r.keepFirst, r.keepLast
	if first+last > total*2/3 {
		return append(dst, r.mask...)
	}
	n := 0
	for i := range len(v) {
		b := v[i]
		if b >= 0x80 || ascii.Class[b]&ascii.Alnum != 0 || b == '*' {
			if n >= first && n < total-last {
				b = '*'
			}
			n++
		}
		dst = append(dst, b)
	}
	return dst
}

// leaf redacts a whole value because of its name: s is all of it. The outcome is as for text.
func (w *worker) leaf(s string, vd rules.Verdict) outcome {
	r := &w.e.rules[vd.Rule]
	if r.action == actionOff || !rules.IsSecret(s, vd) || w.isMarker(s) {
		return unchanged
	}
	for _, glob := range r.allow {
		if ascii.Glob(glob, s) {
			w.spared(vd.Rule)
			return unchanged
		}
	}
	w.matched(vd.Rule)
	switch {
	case w.e.audit:
		return unchanged
	case r.action == actionDropField:
		return dropField
	case r.action == actionDropRecord:
		return dropRecord
	}
	w.out = r.replace(w.out[:0], s)
	return changed
}

// isMarker reports whether s is wholly a marker or pseudonym of ours, or what partial leaves of a value.
func (w *worker) isMarker(s string) bool {
	n := rules.MarkerLen(s, 0)
	return n > 0 && n == len(s) && w.e.isOurs(s)
}
