// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Coverage is verifier.Coverage.
type Coverage struct {
	From, Until time.Time
	Lacking     bool
}

// edge is how long after Coverage.From a seal may be made of records from before it: a store selects records by their own time, which comes
// before that of their seal.
const edge = time.Minute

// asks reports whether the interval has the records of a seal that was made then.
func (c *Coverage) asks(sealed time.Time) bool {
	return (c.From.IsZero() || !sealed.Before(c.From)) && (c.Until.IsZero() || !sealed.After(c.Until))
}

// beyond reports whether a record gives a time of its own that is outside the interval. One that gives none may be in it.
func (c *Coverage) beyond(ns uint64) bool {
	if c.From.IsZero() && c.Until.IsZero() || ns == 0 || ns > math.MaxInt64 {
		return false
	}
	own := time.Unix(0, int64(ns))
	return !c.From.IsZero() && own.Before(c.From) || !c.Until.IsZero() && !own.Before(c.Until)
}

// excuse returns the reason why records of the interval, of a seal made then, need not be here, empty if there is none.
func (c *Coverage) excuse(sealed time.Time) finding.Reason {
	switch {
	case !c.From.IsZero() && sealed.Before(c.From.Add(edge)):
		return finding.FirstMinute
	case c.Lacking:
		return finding.PageMissing
	}
	return ""
}

// Cover says what part of the streams is to be here: the interval before anything is added, and whether pages are lacking before anything is finished.
func (r *Records) Cover(c Coverage) { r.coverage = c }

// AddUncheckable takes in a record that a store gives back otherwise than it was sealed. lost says what is missing of it.
func (r *Records) AddUncheckable(id seal.ID, reason finding.Reason, lost string, at finding.Place) {
	h := r.handle(id.Handle)
	h.count++
	if h.malformed == nil {
		h.malformed = map[uint64]place{}
	}
	h.malformed[id.Seq] = r.places.pack(at)
	h.lost = h.lost.Add(seal.Range{First: id.Seq, Last: id.Seq})
	h.report(reason, id.Seq, h.stream(), h.malformed[id.Seq], finding.Detail{Lost: lost})
}

// lacks reports whether leaves of a group that does not verify are known not to be here, for a reason that is no tampering.
func (h *handle) lacks(g *group) bool {
	coverage := &h.records.coverage
	if !g.complete() && (!coverage.asks(g.sealed) || coverage.excuse(g.sealed) != "") {
		return true
	}
	for _, seq := range g.seqs {
		if len(h.lost) > 0 && h.lost.Contains(seq) {
			return true
		}
	}
	return false
}

// FromSeal notes that a stream is verified from a seal on: there may be records of sessions that nothing here tells of.
func (r *Records) FromSeal() { r.fromSeal = true }

// UnjudgedStrangers counts the records of no known session that are not judged: see [handle.reportOpen].
func (r *Records) UnjudgedStrangers() (n uint64) {
	for _, h := range r.handles {
		if len(h.accounts) == 0 {
			n += h.unjudged
		}
	}
	return n
}

// reportOpen reports a record that no seal here settles. One that says itself that it is none of the interval's is not judged where that is nothing
// wrong: who asks for an interval lets the search reach further, and no seal of the interval is missing for it.
func (h *handle) reportOpen(reason finding.Reason, seq uint64, stream string, at place) {
	if at&beyond != 0 {
		code := reason.Code()
		if code == finding.Unsealed || code == finding.Before || reason == finding.SessionUnknown && h.records.fromSeal {
			h.unjudged++
			return
		}
	}
	h.report(reason, seq, stream, at, finding.Detail{})
}
