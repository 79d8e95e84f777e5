// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Finish ends the verification and returns what was found. Every stream must be complete up to the time until; when that is zero
// nothing is asked, but then a stream that was running where the archive ends counts as incomplete: what came after
// its last seal may have been taken away. The verifier cannot be used after Finish, except for [Verifier.Again].
func (v *Verifier) Finish(until time.Time) (*Report, error) {
	if v.err != nil {
		return nil, v.err
	}
	streams := slices.SortedFunc(maps.Values(v.streams), func(a, b *stream) int { return cmp.Compare(a.trust.Name, b.trust.Name) })
	sealed := false
	for _, st := range streams {
		sealed = sealed || len(st.runs) > 0
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
		v.findings.other(Finding{Verdict: Absent, Message: "there is no authentic seal of a trusted stream in the archive, so nothing in it is verified"})
	}
	report := &Report{Records: v.records, Outcome: v.findings.outcome, FirstUse: v.firstUse}
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
	report.Findings, report.Omitted = v.findings.sorted(), v.findings.omitted
	if report.Outcome == "" {
		report.Outcome = OK
	}
	return report, nil
}

// all returns the stream's sessions in their order.
func (st *stream) all() []*session {
	return append(slices.SortedFunc(maps.Values(st.sessions), func(a, b *session) int { return cmp.Compare(a.first, b.first) }), st.orphaned...)
}

func (v *Verifier) streamReport(st *stream) StreamReport {
	sr := StreamReport{Name: st.trust.Name, StreamID: st.id, Outcome: OK, Seals: st.seals, Excluded: st.excluded}
	if o := v.findings.streams[st.trust.Name]; o != "" {
		sr.Outcome = o
	}
	if st.seals > 0 {
		sr.CompleteAsOf, sr.Closed = st.last.time, st.last.kind == KindClose
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
			v.findings.other(Finding{Verdict: Absent, Stream: name, Message: fmt.Sprintf("has no authentic seal here: %d seals name it, but without its first seal, number 0, and those after it none of them can be authenticated", waiting)})
		default:
			v.findings.other(Finding{Verdict: Absent, Stream: name, Message: "is trusted, and there is no seal of it here at all"})
		}
		return
	}
	for i, r := range st.runs[1:] {
		low := st.runs[i]
		first, last := low.end(), r.first-1
		if first > last {
			if r.head.Seal.Prev != low.tip.hash && st.problem(Forked, low.tip.Seal.Number) == nil {
				st.addProblem(Forked, low.tip.Seal.Number, fmt.Sprintf("two authentic seals have the number %d: seal %d goes on from another one than the one that is here", low.tip.Seal.Number, r.first), low.tip.place)
			}
			continue
		}
		message := fmt.Sprintf("seals %d to %d are missing: what they covered cannot be verified, and whether they covered anything is not known; what comes behind them rests on an anchor's key that was on the host meanwhile", first, last)
		if first == last {
			message = fmt.Sprintf("seal %d is missing: what it covered cannot be verified, and whether it covered anything is not known; what comes behind it rests on an anchor's key that was on the host meanwhile", first)
		}
		v.findings.other(Finding{Verdict: MissingSeal, Stream: name, Count: last - first + 1, Message: message})
	}
	for _, number := range st.unsigned() {
		v.broken(st, number, "is not signed with the key that the seal before it names")
	}
	for _, ss := range st.all() {
		if !ss.settledAll() {
			v.broken(st, ss.closedAt, "it closes a session of which not every id was settled, or more than all")
		}
	}
	slices.SortStableFunc(st.problems, func(a, b chainProblem) int { return cmp.Compare(a.number, b.number) })
	for _, p := range st.problems {
		v.findings.other(Finding{Verdict: p.verdict, Stream: name, Place: p.place, Message: p.message})
	}
	for _, number := range st.rollback {
		v.findings.other(Finding{Verdict: StateRolledBack, Stream: name, Message: fmt.Sprintf("says in seal %d that its storage had fallen behind its keys, as after a loss of power or when a snapshot is restored: records that were not sealed by then are lost or cannot be verified", number)})
	}
	at := st.last.time.Format(time.RFC3339Nano)
	switch {
	case !until.IsZero() && st.last.time.Before(until):
		v.findings.other(Finding{Verdict: Silent, Stream: name, Message: fmt.Sprintf("ends with its seal of %s, before the time up to which it must be complete: what came after was lost or taken away, or the host was silent", at)})
	case until.IsZero() && st.last.kind != KindClose:
		v.findings.other(Finding{Verdict: OpenEnd, Stream: name, Message: fmt.Sprintf("was running at its last seal, %s, and what came after that is not here; say with --until up to when it must be complete", at)})
	}
}

// finishSession reports the groups that did not verify.
func (v *Verifier) finishSession(ss *session) {
	st, h := ss.stream, ss.handle
	for _, seq := range slices.Sorted(maps.Keys(ss.groups)) {
		g := ss.groups[seq]
		i := g.index(seq)
		f := h.finding(Finding{Stream: st.trust.Name}, seq)
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
			f.Verdict, f.Message = Missing, "was sealed and is not here: it was deleted, or lost after the host had sent it"
			if g.doubt {
				f.Verdict, f.Message = Doubt, "was on its way when the host stopped, and is not here: it may never have left the host"
			}
			v.findings.record(f)
			continue
		}
		for n, c := range list {
			f.Place = v.where(c.place)
			switch {
			case n > 0:
				f.Verdict, f.Message = Conflict, "has the id of another record that says something else, and the seal backs neither"
			case ss.policy == nil:
				f.Verdict, f.Message = Unresolved, "cannot be checked: the open seal of its session is missing, which says what attributes do not count"
			case len(choices(i)) > 0:
				f.Verdict, f.Message = Unresolved, fmt.Sprintf("is one of the %d records %s-%d to %d, which were sealed together and do not hold together: one or more of them are missing or were altered", len(g.seqs), h.name, g.seqs[0], g.seqs[len(g.seqs)-1])
			default:
				f.Verdict, f.Message = Altered, "is not the record that was sealed under this id"
			}
			v.findings.record(f)
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
			f := late.session.handle.finding(Finding{Verdict: Late, Stream: st.trust.Name, Message: fmt.Sprintf("is what was sealed, but seals before that seal, %d, are missing or not genuine, and the next thing that vouches for it is seal %d: whoever took the host before that was made could have changed it", late.number, anchor)}, rg.First)
			f.last, f.Count = rg.Last, rg.Len()
			if rg.Last > rg.First {
				f.LastID = ID{late.session.handle.name, rg.Last}.String()
			}
			v.findings.note(&f)
			v.findings.append(f)
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
			f := h.finding(Finding{Verdict: Orphan, Message: "has an id of a session that no authentic seal knows", Place: v.where(p.place[seq%leavesAPage])}, seq)
			for i, ss := range h.sessions {
				verdict, message := ss.fate(seq)
				if i == 0 || verdict == Unsealed && f.Verdict != Unsealed {
					f.Verdict, f.Message, f.Stream = verdict, message, ss.stream.trust.Name
				}
			}
			v.findings.record(f)
		}
	}
	if h.shared() {
		v.finishShared(h, stream)
	}
	if h.voided > 0 {
		v.findings.other(Finding{Verdict: Voided, Stream: stream, Count: h.voided, Message: "has records under ids that the host declared void, since it could not pass them on: nothing vouches for what they say, and anybody could have put them there"})
	}
	for _, seq := range slices.Sorted(maps.Keys(h.extras)) {
		if h.shared() {
			break // said already
		}
		for _, c := range h.extras[seq] {
			v.findings.record(h.finding(Finding{Verdict: Conflict, Stream: stream, Place: v.where(c.place), Message: "has the id of another record that says something else, and no seal tells which is genuine"}, seq))
		}
	}
	slices.SortStableFunc(h.conflicts, func(a, b conflict) int { return cmp.Compare(a.seq, b.seq) })
	for _, c := range h.conflicts {
		message := "has the id of another record that says something else"
		if c.backed {
			at := v.where(c.against)
			message = fmt.Sprintf("has the id of another record that says something else; the seal backs the other one, at %s:%d", at.File, at.Line)
		}
		v.findings.record(h.finding(Finding{Verdict: Conflict, Stream: stream, Place: v.where(c.place), Message: message}, c.seq))
	}
}
