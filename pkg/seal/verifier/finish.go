// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Finish ends the verification and returns what was found. Every stream must be complete up to the time until; when that is zero
// nothing is asked, but then a stream that was running where the archive ends counts as incomplete: what came after
// its last seal may have been taken away. The verifier cannot be used after Finish, except for [Verifier.Again].
func (v *Verifier) Finish(until time.Time) (*Report, error) {
	if v.err != nil {
		return nil, v.err
	}
	streams := v.sortedStreams()
	sealed := false
	for _, st := range streams {
		sealed = sealed || st.seals > 0 || st.from != nil && st.last.kind != seal.KindClose
		v.finishChain(st, until)
		for _, ss := range st.all() {
			v.finishSession(ss)
		}
		v.finishLate(st)
	}
	for _, name := range slices.Sorted(maps.Keys(v.handles)) {
		h := v.handles[name]
		v.again = v.again || len(h.policies) == 0 && h.records > 0 && len(h.distinctPolicies(v)) > 1
		v.finishHandle(h)
	}
	if !sealed {
		v.findings.AddCause(finding.New(finding.NoStream))
	}
	report := &Report{Records: v.records, Verdict: v.findings.Verdict(), FirstUse: v.firstUse}
	for _, st := range streams {
		if len(st.runs) == 0 && st.trust.Optional {
			continue
		}
		sr := v.streamReport(st)
		report.Streams = append(report.Streams, sr)
		report.Verified += sr.Verified
	}
	for _, h := range v.handles {
		report.Duplicates += h.duplicates
	}
	report.Checkpoints = v.checkpoints()
	report.Findings, report.Omitted = v.findings.Sorted(), v.findings.Omitted()
	return report, nil
}

// sortedStreams returns the streams by name.
func (v *Verifier) sortedStreams() []*stream {
	return slices.SortedFunc(maps.Values(v.streams), func(a, b *stream) int { return cmp.Compare(a.trust.Name, b.trust.Name) })
}

// all returns the stream's sessions in their order.
func (st *stream) all() []*session {
	return append(slices.SortedFunc(maps.Values(st.sessions), func(a, b *session) int { return cmp.Compare(a.first, b.first) }), st.orphaned...)
}

func (v *Verifier) streamReport(st *stream) StreamReport {
	sr := StreamReport{Name: st.trust.Name, StreamID: st.id, Verdict: v.findings.StreamVerdict(st.trust.Name), Seals: st.seals, Excluded: st.excluded}
	if len(st.runs) > 0 {
		sr.CompleteAsOf, sr.Closed = st.last.time, st.last.kind == seal.KindClose
	}
	var from, to uint64
	for _, ss := range st.all() {
		sr.Verified += ss.verified
		sr.Voids += ss.void.Len()
		h := ss.handle
		if h.sessions[0] != ss {
			continue // what two sessions share is counted once
		}
		sr.Records += h.records
		sr.Duplicates += h.duplicates
		sr.Voided += h.voided
		if h.from != 0 && (from == 0 || h.from < from) {
			from = h.from
		}
		to = max(to, h.to)
	}
	if to != 0 {
		sr.From, sr.To = time.Unix(0, int64(from)).UTC(), time.Unix(0, int64(to)).UTC()
	}
	return sr
}

// finishChain reports what is wrong with a stream's seals.
func (v *Verifier) finishChain(st *stream, until time.Time) {
	name := st.trust.Name
	waiting := 0
	for _, number := range slices.Sorted(maps.Keys(st.pending)) {
		for _, n := range st.pending[number] {
			v.bad(n)
			waiting++
		}
	}
	if len(st.runs) == 0 {
		switch {
		case st.trust.Optional: // anybody can make seals that name it; they are BAD_SEAL
		case waiting > 0:
			st.report(v, finding.NoFirstSeal, finding.Detail{N: uint64(waiting)})
		default:
			st.report(v, finding.NoSeal, finding.Detail{})
		}
		return
	}
	for i, r := range st.runs[1:] {
		low := st.runs[i]
		first, last := low.end(), r.first-1
		if first > last {
			if r.head.Seal.Prev != low.tip.hash && st.problem(finding.Forked, low.tip.Seal.Number) == nil {
				st.addProblem(finding.OtherBefore, low.tip.Seal.Number, r.first, low.tip.place)
			}
			continue
		}
		f := finding.New(finding.SealGap)
		f.Stream, f.Count, f.Detail.Seals = name, last-first+1, finding.Seals{Any: true, First: first, Last: last}
		v.findings.AddCause(f)
	}
	for _, number := range st.unsigned() {
		st.broken(number, finding.KeyNotNamed)
	}
	for _, ss := range st.all() {
		if !ss.settledAll() {
			st.broken(ss.closedAt, finding.ClosedUnsettled)
		}
	}
	slices.SortStableFunc(st.problems, func(a, b finding.Finding) int {
		return cmp.Compare(a.Detail.Seals.First, b.Detail.Seals.First)
	})
	for _, f := range st.problems {
		v.findings.AddCause(f)
	}
	for _, number := range st.rollback {
		st.report(v, finding.StorageBehind, finding.Detail{Seals: finding.Seal(number)})
	}
	last := finding.Detail{Time: finding.Stamp(st.last.time)}
	switch {
	case !until.IsZero() && st.last.time.Before(until):
		st.report(v, finding.EndsEarly, last)
	case until.IsZero() && st.last.kind != seal.KindClose:
		st.report(v, finding.RunningAtEnd, last)
	}
}

// report adds a finding on the stream as a whole.
func (st *stream) report(v *Verifier, reason finding.Reason, detail finding.Detail) {
	f := finding.New(reason)
	f.Stream, f.Detail = st.trust.Name, detail
	v.findings.AddCause(f)
}

// finishSession reports the groups that did not verify.
func (v *Verifier) finishSession(ss *session) {
	st, h := ss.stream, ss.handle
	for _, seq := range slices.Sorted(maps.Keys(ss.groups)) {
		g := ss.groups[seq]
		i := g.index(seq)
		list := append([]candidate{{leaf: g.leaf[i], place: g.place[i]}}, h.extras[seq]...)
		choices := g.choices
		if h.shared() {
			list, choices = v.claim(g, i), func(i int) []candidate { return v.sharedChoices(g, i) }
		} else if g.have>>i&1 == 0 {
			list = nil
		}
		if len(list) == 0 {
			if _, there := h.malformed[seq]; there {
				continue // said already
			}
			reason := finding.RecordMissing
			if g.doubt {
				reason = finding.OnItsWay
			}
			f := h.finding(reason, seq)
			f.Stream = st.trust.Name
			v.findings.AddRecord(f)
			continue
		}
		for n, c := range list {
			reason, detail := finding.DigestDiffers, finding.Detail{}
			switch {
			case n > 0:
				reason = finding.NoneBacked
			case ss.policy == nil:
				reason = finding.PolicyUnknown
			case len(choices(i)) > 0:
				reason, detail = finding.GroupDiffers, finding.Detail{N: uint64(len(g.seqs)), Group: fmt.Sprintf("%s-%d to %d", h.name, g.seqs[0], g.seqs[len(g.seqs)-1])}
			}
			f := h.finding(reason, seq)
			f.Stream, f.Place, f.Detail = st.trust.Name, v.where(c.place), detail
			v.findings.AddRecord(f)
		}
		if !h.shared() {
			delete(h.extras, seq)
		}
	}
}

// claim returns the record that a session with a shared handle has to answer for in a group that does not verify: one that could be the leaf,
// else one that no other session has use for.
func (v *Verifier) claim(g *group, i int) []candidate {
	pool := g.session.handle.extras[g.seqs[i]]
	best := -1
	for j := range pool {
		if c := &pool[j]; !c.done && !c.told && (best < 0 || g.fits(i, v.leafFor(c, g.session))) {
			best = j
		}
	}
	if best < 0 {
		return nil
	}
	pool[best].told = true
	return pool[best : best+1]
}

// finishLate moves what only a later anchor vouches for from the verified records to the findings.
func (v *Verifier) finishLate(st *stream) {
	for _, late := range st.late {
		anchor, still := st.lateBelow(late.number)
		if !still {
			continue // the gap was closed later
		}
		late.session.verified -= late.verified.Len()
		for _, rg := range late.verified {
			f := finding.New(finding.AnchorAlone)
			f.Stream, f.Detail = st.trust.Name, finding.Detail{Seals: finding.Seal(late.number), By: anchor}
			f.SetIDs(late.session.handle.name, rg.First, rg.Last)
			v.findings.Add(f)
		}
	}
}

// finishHandle reports the records that no seal settled, and those that stood against others.
func (v *Verifier) finishHandle(h *handle) {
	stream := ""
	if len(h.sessions) > 0 {
		stream = h.sessions[0].stream.trust.Name
	}
	for _, number := range slices.Sorted(maps.Keys(h.pages)) {
		p := h.pages[number]
		for _, seq := range p.open(number) {
			reason, owner := finding.SessionUnknown, ""
			for i, ss := range h.sessions {
				fate := ss.fate(seq)
				if i == 0 || fate.Code() == finding.Unsealed && reason.Code() != finding.Unsealed {
					reason, owner = fate, ss.stream.trust.Name
				}
			}
			f := h.finding(reason, seq)
			f.Stream, f.Place = owner, v.where(p.place[seq%leavesAPage])
			v.findings.AddRecord(f)
		}
	}
	if h.shared() {
		v.finishShared(h, stream)
	}
	if h.voided > 0 {
		f := finding.New(finding.VoidID)
		f.Stream, f.Count = stream, h.voided
		v.findings.AddCause(f)
	}
	for _, seq := range slices.Sorted(maps.Keys(h.extras)) {
		if h.shared() {
			break // said already
		}
		for _, c := range h.extras[seq] {
			f := h.finding(finding.NotSealedYet, seq)
			f.Stream, f.Place = stream, v.where(c.place)
			v.findings.AddRecord(f)
		}
	}
	slices.SortStableFunc(h.conflicts, func(a, b conflict) int { return cmp.Compare(a.seq, b.seq) })
	for _, c := range h.conflicts {
		f := h.finding(finding.TooMany, c.seq)
		if c.backed {
			f = h.finding(finding.OtherBacked, c.seq)
			f.Detail.Other = v.where(c.against)
		}
		f.Stream, f.Place = stream, v.where(c.place)
		v.findings.AddRecord(f)
	}
}
