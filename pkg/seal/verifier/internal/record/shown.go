// SPDX-License-Identifier: Apache-2.0

package record

import (
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/session"
)

// AddShown takes in that a store shows a record otherwise than its original says, and what of it. Such a record does not count as verified.
func (r *Records) AddShown(id seal.ID, what string, at finding.Place) {
	h := r.handle(id.Handle)
	h.shown = h.shown.Add(seal.Range{First: id.Seq, Last: id.Seq})
	h.report(finding.ShownDiffers, id.Seq, h.stream(), r.places.pack(at), finding.Detail{Lost: what})
}

// Alike reports whether two records with one id have one digest: then they differ in what their session excludes, or in nothing.
func (r *Records) Alike(id seal.ID, one, other *canonical.Record) bool {
	h := r.handle(id.Handle)
	var a *account
	if len(h.accounts) > 0 {
		a = h.accounts[0]
	}
	var x, y Digest
	return *h.digestFor(a, one, &x) == *h.digestFor(a, other, &y)
}

// shownOtherwise counts the records that verify under the seals of a session and are shown otherwise.
func (a *account) shownOtherwise() (n uint64) {
	for _, r := range a.handle.shown {
		for seq := r.First; ; seq++ {
			if a.State(seq) == session.Covered && a.groups[seq] == nil {
				n++
			}
			if seq == r.Last {
				break
			}
		}
	}
	return n
}
