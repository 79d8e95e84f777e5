// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// about is what claims are told apart by.
type about struct {
	code   finding.Code
	stream string
}

// claim is what findings of one code say of one stream: how many records or seals it is on, and which.
type claim struct {
	n     uint64
	which map[string]seal.Ranges // by handle, for records; under "", for seals
	cut   bool                   // which names the first ones only

	perhaps []finding.Finding // that a watcher may have or not
	less    []finding.Finding // of which it may have less: see agree
}

type claims map[about]*claim

func (cs claims) add(at about, n uint64) *claim {
	c := cs[at]
	if c == nil {
		c = &claim{which: map[string]seal.Ranges{}}
		cs[at] = c
	}
	c.n += n
	return c
}

// cameAgain stands for what came when a watcher, whose memory is bounded, had forgotten its session: it may be a copy, or another with that id, or one that
// came late. The offline verifier says of which of these codes it is; whatever else it says stands.
const cameAgain finding.Code = "came again"

var againMayBe = []finding.Code{finding.Conflict, finding.Voided, finding.Inserted, finding.Unsealed}

// of is what a finding is about. Seals that no key vouches for are of no stream: anybody can write one.
func of(f *finding.Finding) about {
	switch {
	case f.Code == finding.BadSeal:
		return about{code: f.Code}
	case f.Reason == finding.CameAgain:
		return about{cameAgain, f.Stream}
	}
	return about{f.Code, f.Stream}
}

func (c *claim) records(firstID, lastID string) {
	first, last := idsOf(&finding.Finding{ID: firstID, LastID: lastID})
	c.with(first.Handle, seal.Range{First: first.Seq, Last: last.Seq})
}

func (c *claim) with(handle string, r seal.Range) {
	c.which[handle] = c.which[handle].Union(seal.Ranges{r})
}

func (c *claim) seals(s finding.Seals) {
	if s.Any {
		c.with("", seal.Range{First: s.First, Last: s.Last})
	}
}

// exact reports whether which names no more than the claim is on.
func (c *claim) exact() bool {
	n := uint64(0)
	for _, rs := range c.which {
		n += rs.Len()
	}
	return n == c.n
}

// in reports whether another claim names all that this one does.
func (c *claim) in(other *claim) bool {
	for handle, rs := range c.which {
		if slices.Clone(other.which[handle]).Union(rs).Len() != other.which[handle].Len() {
			return false
		}
	}
	return true
}

// compared reports whether both verifiers have a finding: SILENT and OPEN_END are of those who have a clock and of those who see an end, and so is what
// is newer than its seals.
func compared(code finding.Code, reason finding.Reason) bool {
	switch code {
	case finding.OpenEnd, finding.Silent:
		return false
	case finding.Absent:
		return reason == finding.NoFirstSeal
	case finding.Unsealed:
		return reason != finding.NewerThanSeals && reason != finding.NotAdoptedYet
	}
	return true
}

// claimsOf returns what a watcher should say that has seen what a report is on. It does not tell those apart that have one cause: records that are
// UNRESOLVED because another one of their group is altered or missing, and seals that nobody can authenticate because the first one is missing.
func claimsOf(report *verifier.Report) claims {
	cs := claims{}
	headless := map[string]bool{}
	for _, s := range report.Streams {
		headless[s.StreamID] = slices.ContainsFunc(report.Findings, func(f finding.Finding) bool { return f.Reason == finding.NoFirstSeal && f.Stream == s.Name })
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		if !compared(f.Code, f.Reason) || f.Reason == finding.UnknownKey && headless[f.Detail.StreamID] {
			continue
		}
		if f.Code == finding.Unresolved && explained(report, f) {
			if f.Reason == finding.PolicyUnknown { // it may be that its short digest shows that it is another one
				cs.add(of(f), 0).perhaps = append(cs.add(of(f), 0).perhaps, *f)
			}
			continue
		}
		c := cs.add(of(f), f.Count)
		if f.Reason == finding.PolicyUnknown || f.Reason == finding.SealMissing {
			c.less = append(c.less, *f)
		}
		if f.ID != "" {
			c.records(f.ID, f.LastID)
		} else {
			c.seals(f.Detail.Seals)
		}
	}
	return cs
}

// explained reports whether another finding says what is wrong with a group.
func explained(report *verifier.Report, unresolved *finding.Finding) bool {
	first, last := idsOf(unresolved)
	if id, end, ok := strings.Cut(unresolved.Detail.Group, " to "); ok {
		first, _ = seal.ParseID(id)
		last, _ = seal.ParseID(first.Handle + "-" + end)
	} else { // it does not say of which group it is
		first.Seq -= min(first.Seq, seal.GroupSize-1)
		last.Seq += seal.GroupSize - 1
	}
	return slices.ContainsFunc(report.Findings, func(f finding.Finding) bool {
		if f.Code != finding.Altered && f.Code != finding.Missing {
			return false
		}
		from, to := idsOf(&f)
		return from.Handle == first.Handle && from.Seq <= last.Seq && first.Seq <= to.Seq
	})
}

// idsOf returns the first and the last id of records that a finding is on; zero if it is on none.
func idsOf(f *finding.Finding) (first, last seal.ID) {
	first, _ = seal.ParseID(f.ID)
	last = first
	if f.LastID != "" {
		last, _ = seal.ParseID(f.LastID)
	}
	return first, last
}

// claims returns what the watcher says now in findings that count.
func (s *seen) claims(counts func(*watch.Event) bool) claims {
	concerned := s.w.Concerned()
	cs := claims{}
	for _, e := range s.open {
		f := &e.Finding
		if !compared(f.Code, f.Reason) || !counts(&e) {
			continue
		}
		c := cs.add(of(f), concerned[e.UID])
		c.evidence(e)
	}
	return cs
}

func (c *claim) evidence(e watch.Event) {
	if e.Finding.ID == "" {
		c.seals(e.Finding.Detail.Seals)
	}
	c.cut = c.cut || len(e.Evidence) == watch.MaxEvidence
	for _, v := range e.Evidence {
		c.records(v.FirstID, v.LastID)
		c.seals(v.Seals)
	}
}

// union returns the claims of several reports.
func union(list ...claims) claims {
	all := claims{}
	for _, cs := range list {
		for at, c := range cs {
			to := all.add(at, c.n)
			to.perhaps, to.less = append(to.perhaps, c.perhaps...), append(to.less, c.less...)
			for handle, rs := range c.which {
				to.which[handle] = to.which[handle].Union(rs)
			}
			to.cut = to.cut || c.cut
		}
	}
	return all
}

// mayWait takes out what a watcher does not say yet: records that wait in a session that goes on are UNSEALED once seals have come for some time that do not
// settle them. The offline verifier, for which that is the end, says so at once if seals of the session are missing.
func (cs claims) mayWait(waiting map[string]seal.Ranges) {
	for at, c := range cs {
		for i := range c.less {
			f := &c.less[i]
			for id, last := idsOf(f); f.Reason == finding.SealMissing && id.Seq <= last.Seq; id.Seq++ {
				if waiting[id.Handle].Contains(id.Seq) {
					cs.without(at, id)
				}
			}
		}
	}
}

// mayName takes out the records that lie in one group with one that the watcher names. The offline verifier does not say which record of a group is wrong while the
// policy is not known; the watcher does where the short digest tells.
func (cs claims) mayName(got claims) {
	for at, c := range cs {
		for i := range c.less {
			f := &c.less[i]
			if f.Reason != finding.PolicyUnknown || got[at] == nil {
				continue
			}
			id, last := idsOf(f)
			named := got[at].which[id.Handle]
			for ; id.Seq <= last.Seq; id.Seq++ {
				near := seal.Range{First: max(id.Seq, seal.GroupSize-1) - (seal.GroupSize - 1), Last: id.Seq + seal.GroupSize - 1}
				if !named.Contains(id.Seq) && named.Overlaps(seal.Ranges{near}) {
					cs.without(at, id)
				}
			}
		}
	}
}

// mayRepeat takes over how often a watcher has counted records that came again and that are wrong: it does not keep all of them to compare with. repeated is how
// many came again, by stream.
func (cs claims) mayRepeat(got claims, repeated map[string]uint64) {
	for at, c := range cs {
		g := got[at]
		if g == nil || g.n <= c.n || g.n-c.n > repeated[at.stream] {
			continue
		}
		switch at.code {
		case finding.Voided: // the offline verifier says how many
			c.n = g.n
		case finding.Conflict, finding.Unsealed, finding.Inserted:
			if g.in(c) && (g.cut || c.in(g)) {
				c.n = g.n
			}
		}
	}
}

// eitherFork takes out the streams that both find forked, with what is of no stream: one of two branches is followed, the one whose seal was there first, and what
// is of the other one has no seals. That is not the same one where the two came at the same time. someLost says that a watcher may have lost one of the branches.
func (want claims) eitherFork(got claims, someLost bool) {
	forked := map[string]bool{}
	for at := range want {
		if at.code == finding.Forked && (got[at] != nil || someLost) {
			forked[at.stream] = true
		}
	}
	for _, cs := range []claims{want, got} {
		for at := range cs {
			if len(forked) > 0 && (forked[at.stream] || at.stream == "") && (at.code != finding.Forked || !someLost) {
				delete(cs, at)
			}
		}
	}
}

// mayStay takes out what a watcher of small memory had given up by the time when what it waited for came: records that it calls ALTERED of which the genuine one
// came then, and those that it calls MISSING where at least as many of the same runs came.
func (cs claims) mayStay() {
	for at, c := range cs {
		again := cs[about{cameAgain, at.stream}]
		if again == nil {
			continue
		}
		for handle, rs := range again.which {
			switch at.code {
			case finding.Altered:
				cs.withoutAll(at, handle, rs, nil)
			case finding.Missing:
				if again.n >= c.n && c.which[handle].Overlaps(rs) {
					delete(cs, at)
				}
			}
		}
	}
}

// agree adds what a watcher may find or not, and takes into account that the offline verifier says the mildest that a record can be where two sessions have one handle, and takes a
// session that was adopted behind missing seals for two: what it calls UNSEALED then may be INSERTED.
func (want claims) agree(got claims) {
	want.mayName(got)
	for at, c := range want {
		for i := range c.perhaps {
			first, last := idsOf(&c.perhaps[i])
			for seq := first.Seq; got[at] != nil && seq <= last.Seq; seq++ {
				if got[at].which[first.Handle].Contains(seq) {
					c.n++
					c.with(first.Handle, seal.Range{First: seq, Last: seq})
				}
			}
		}
		if c.n == 0 {
			delete(want, at)
		}
	}
	for at, c := range got {
		if at.code == cameAgain {
			want.mayComeAgain(got, at.stream, c)
			delete(got, at)
		}
	}
	for at, c := range got {
		unsealed := want[about{finding.Unsealed, at.stream}]
		if at.code != finding.Inserted || unsealed == nil || want[about{finding.MissingSeal, at.stream}] == nil {
			continue
		}
		for handle, rs := range c.which {
			for _, r := range rs {
				if before := unsealed.which[handle]; before.Overlaps(seal.Ranges{r}) {
					unsealed.which[handle] = before.Remove(r)
					n := before.Len() - unsealed.which[handle].Len()
					unsealed.n -= n
					want.add(at, n).with(handle, r)
				}
			}
		}
		if unsealed.n == 0 {
			delete(want, about{finding.Unsealed, at.stream})
		}
	}
}

// mayComeAgain takes out what a watcher says of records of a stream that came again only that they did.
func (want claims) mayComeAgain(got claims, stream string, again *claim) {
	for handle, rs := range again.which {
		for _, code := range againMayBe {
			at := about{code, stream}
			var before seal.Ranges // what came before, too
			if other := got[at]; other != nil {
				before = other.which[handle]
			}
			want.withoutAll(at, handle, rs, before)
		}
	}
	at := about{finding.Voided, stream} // the offline verifier says how many
	void, here := want[at], uint64(0)
	if void == nil {
		return
	}
	if got[at] != nil {
		here = got[at].n
	}
	if void.n > here {
		void.n -= min(void.n-here, again.n)
	}
	if void.n == 0 {
		delete(want, at)
	}
}

// withoutAll removes records from a claim, but for some.
func (cs claims) withoutAll(at about, handle string, rs, but seal.Ranges) {
	for _, r := range rs {
		for seq := r.First; seq <= r.Last; seq++ {
			if !but.Contains(seq) {
				cs.without(at, seal.ID{Handle: handle, Seq: seq})
			}
		}
	}
}

// without removes a record from a claim.
func (cs claims) without(at about, id seal.ID) {
	c := cs[at]
	if c == nil || !c.which[id.Handle].Contains(id.Seq) {
		return
	}
	c.which[id.Handle] = c.which[id.Handle].Remove(seal.Range{First: id.Seq, Last: id.Seq})
	if c.n--; c.n == 0 {
		delete(cs, at)
	}
}

// differs says in what two sets of claims differ; empty if in nothing. Evidence may name more than is the case by now, so each claim that names
// all that it should name and is on as many is the same.
func (cs claims) differs(want claims) string {
	var b strings.Builder
	for at, w := range want {
		switch c := cs[at]; {
		case c == nil:
			fmt.Fprintf(&b, "%v: not found: %v\n", at, w)
		case at.code == finding.BadSeal && c.n < w.n: // a watcher does not count copies
		case c.n != w.n:
			fmt.Fprintf(&b, "%v: is on %d, not %d: %v, not %v\n", at, c.n, w.n, c, w)
		case !c.cut && !w.in(c):
			fmt.Fprintf(&b, "%v: is on others: %v, not %v\n", at, c, w)
		}
	}
	for at, c := range cs {
		if want[at] == nil {
			fmt.Fprintf(&b, "%v: false: %v\n", at, c)
		}
	}
	return b.String()
}

func (c *claim) String() string {
	if c == nil {
		return "nothing"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "×%d", c.n)
	for _, handle := range slices.Sorted(maps.Keys(c.which)) {
		fmt.Fprintf(&b, " %s %s", handle, c.which[handle])
	}
	return b.String()
}
