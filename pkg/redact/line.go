// SPDX-License-Identifier: Apache-2.0

package redact

// Match is a place in a text where a rule applies. It never holds the value.
type Match struct {
	Rule  string
	Start int // byte offsets in the text
	End   int
}

// Text redacts one text. keep is false if a rule drops the whole record; a dropped field is an empty text. In audit
// mode the text is returned as it is. The matches are those of all rules, control characters excepted; rec may be
// nil.
func (e *Engine) Text(s string, rec Recorder) (out string, matches []Match, keep bool) {
	return e.text(s, rec, nil)
}

// text redacts a text of a stream, whose state is key.
func (e *Engine) text(s string, rec Recorder, key *keyState) (out string, matches []Match, keep bool) {
	w := e.workers.Get().(*worker)
	w.loc, w.followed = inText, key
	result, failed := w.guarded(func() outcome { return w.text(s) })
	if failed && e.audit {
		result = unchanged
	} else if failed {
		result = changed
		w.out = append(w.out[:0], markFailure...)
		if e.cfg.OnFailure == Drop {
			result = dropRecord
		}
	} else if int64(len(s)) <= int64(e.cfg.Limits.MaxValueBytes) {
		for _, sp := range w.found {
			matches = append(matches, Match{e.rules[sp.rule].id, sp.start, sp.end})
		}
	}
	out, keep = s, true
	switch result {
	case changed:
		out = string(w.out)
	case dropField:
		out = ""
	case dropRecord:
		out, keep = "", false
	}
	w.followed = nil
	w.report(rec)
	e.workers.Put(w)
	return out, matches, keep
}

// MaxValueBytes is the longest text that is examined.
func (e *Engine) MaxValueBytes() int { return int(e.cfg.Limits.MaxValueBytes) }
