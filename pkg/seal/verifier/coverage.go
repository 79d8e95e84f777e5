// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"time"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/record"
)

// Coverage says which part of the streams is asked for, where that is what a store's search gave back: what was sealed from From up to Until, as the
// seals say. All of that must be here. What was sealed outside need not be, and what is here of it is verified as far as that goes; where it
// cannot be, because others are not here, nothing is said of a record whose own time is outside the interval too.
//
// What is not here for a reason that lies in the export is NOT_EXPORTED, which is nothing wrong and nothing proven.
type Coverage struct {
	// From and Until are the ends of the interval; the zero time is none. A store selects records by their own time, which is before that of their
	// seal: so where what was sealed in the first minute is not here, the search began too late for it, or it was deleted.
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

// Cover says which part of the streams is asked for. It is to be called before anything is added, and may be called once more before
// [Verifier.Finish] to say whether pages are lacking. It says nothing of a verifier that [Verifier.Again] returns.
func (v *Verifier) Cover(c Coverage) {
	v.coveredFrom = c.From
	v.records.Cover(record.Coverage(c))
	v.findings.Instead = map[finding.Reason]finding.Reason{finding.EndsEarly: finding.EndsBefore}
	if c.Lacking {
		v.findings.Instead = instead
	}
}

// finishBeginning reports that a stream is verified from a seal on that is inside the interval: what was sealed before it is judged by nobody.
func (v *Verifier) finishBeginning(st *stream) {
	if st.from == nil || v.coveredFrom.IsZero() || !st.from.Last.Time.After(v.coveredFrom) {
		return
	}
	f := finding.New(finding.BeginsBehind)
	f.Stream, f.Detail.Time = st.chain.Name(), finding.Stamp(st.from.Last.Time)
	v.findings.AddCause(f)
}
