// SPDX-License-Identifier: Apache-2.0

package record

import (
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

// excuse returns the reason why records of a seal made then need not be here, empty if there is none.
func (c *Coverage) excuse(sealed time.Time) finding.Reason {
	switch {
	case !c.From.IsZero() && sealed.Before(c.From.Add(edge)), !c.Until.IsZero() && sealed.After(c.Until):
		return finding.OutsideInterval
	case c.Lacking:
		return finding.PageMissing
	}
	return ""
}

// Cover says what part of the streams is to be here. It is to be called before anything is finished.
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
	if !g.complete() && h.records.coverage.excuse(g.sealed) != "" {
		return true
	}
	for _, seq := range g.seqs {
		if len(h.lost) > 0 && h.lost.Contains(seq) {
			return true
		}
	}
	return false
}
