// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"time"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/record"
)

// Coverage says which part of the streams is to be there, where that is what a store's search gave back. What is not there for a reason that
// lies in this is NOT_EXPORTED, which is nothing wrong and nothing proven.
type Coverage struct {
	// From and Until are the ends of the interval that the search asked for; the zero time is none. A store selects records by their own time,
	// and what is known of a record that is not here is when it was sealed: so what was sealed in the first minute need not be here.
	From, Until time.Time

	// Lacking says that the search found more than was given: pages are not here.
	Lacking bool
}

// instead are the reasons that say the same where pages are not here: of everything that taking records and seals away can bring about, and of
// nothing else. A record that is missing is [record.Coverage]'s.
var instead = map[finding.Reason]finding.Reason{
	finding.SealGap:         finding.SealPageMissing,
	finding.AnchorAlone:     finding.LatePageMissing,
	finding.UnknownKey:      finding.KeyPageMissing,
	finding.SessionUnknown:  finding.SessionPageMissing,
	finding.PolicyUnknown:   finding.PolicyPageMissing,
	finding.NoFirstSeal:     finding.StreamPageMissing,
	finding.NoSeal:          finding.StreamPageMissing,
	finding.NoStream:        finding.SealsPagesMissing,
	finding.NotEndorsed:     finding.EndorsedPageMissing,
	finding.NotClosedBefore: finding.ClosedPageMissing,
	finding.Ed25519Alone:    finding.AnchorPageMissing,
	finding.EndsEarly:       finding.EndsBefore,
}

// Cover says which part of the streams is to be there. It may be called at any time before [Verifier.Finish], and says nothing of a
// verifier that [Verifier.Again] returns.
func (v *Verifier) Cover(c Coverage) {
	v.covered = true
	v.records.Cover(record.Coverage(c))
	v.findings.Instead = map[finding.Reason]finding.Reason{finding.EndsEarly: finding.EndsBefore}
	if c.Lacking {
		v.findings.Instead = instead
	}
}

// endOf returns the time before which the last seal of a stream must not be. A search of an interval that ends with it cannot find a seal of its
// end: the last one in it is up to a heartbeat older.
func (v *Verifier) endOf(st *stream, until time.Time) time.Time {
	if !v.covered || until.IsZero() {
		return until
	}
	return until.Add(-st.sessions.Heartbeat())
}
