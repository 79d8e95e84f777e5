// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/session"
)

// Records are the stamped records of all streams. They are a [session.Listener].
type Records struct {
	findings *finding.List
	policies *policies
	places   places
	pages    *pages
	handles  map[string]*handle
	last     *handle // the one used last
	accounts map[*session.Session]*account
	coverage Coverage
	fromSeal bool  // see FromSeal
	again    bool  // a second pass is needed
	group    group // the one that is being settled
}

// New returns an empty set of records. What is wrong with them goes to findings.
func New(findings *finding.List) *Records {
	return &Records{
		findings: findings,
		policies: newPolicies(),
		pages:    new(pages),
		handles:  map[string]*handle{},
		accounts: map[*session.Session]*account{},
	}
}

// Prepare does the part of [Records.Add] that needs no order. It may be called from several goroutines at once.
func (r *Records) Prepare(id seal.ID, rec *canonical.Record, d *Digest) {
	policy := r.policies.get(id.Handle)
	if policy == nil {
		policy = r.policies.usual
	}
	d.under(policy, rec)
}

// Add takes in a record. It keeps nothing that rec points to.
func (r *Records) Add(id seal.ID, rec *canonical.Record, d *Digest, at finding.Place) {
	h := r.handle(id.Handle)
	h.count++
	t, packed := rec.Time(), r.places.pack(at)
	h.countTime(t)
	if r.coverage.beyond(t) {
		packed |= beyond
	}
	h.keeper.add(id.Seq, rec, d, packed)
}

// AddMalformed takes in a record that has an id and no meaning. Section 3.1.
func (r *Records) AddMalformed(id seal.ID, fault finding.Reason, at finding.Place) {
	h := r.handle(id.Handle)
	h.count++
	if h.malformed == nil {
		h.malformed = map[uint64]place{}
	}
	h.malformed[id.Seq] = r.places.pack(at)
	h.report(fault, id.Seq, "", h.malformed[id.Seq], finding.Detail{})
}

// AddWaiting takes in a leaf that [Records.Waiting] returned of a session in an earlier verification, and reports whether it is a further record: where
// sessions share a handle, each of them has what waits under it.
func (r *Records) AddWaiting(s *session.Session, seq uint64, leaf *seal.Hash, at finding.Place) bool {
	h := r.handle(s.Handle())
	if !h.keeper.resume(r.accounts[s], seq, leaf, r.places.pack(at)) {
		return false
	}
	h.count++
	return true
}

// EndedBefore notes that a session of a stream had a handle and ended before what is verified. Section 8.4, last paragraph.
func (r *Records) EndedBefore(handle, stream string) {
	h := r.handle(handle)
	h.ended, h.former = true, stream
}

// SessionFound takes in a session.
func (r *Records) SessionFound(s *session.Session) {
	h := r.handle(s.Handle())
	a := &account{Session: s, handle: h, groups: map[uint64]*group{}}
	r.accounts[s] = a
	h.accounts = append(h.accounts, a)
	if alone, ok := h.keeper.(*single); ok && len(h.accounts) == 2 {
		h.keeper = alone.share()
	}
}

// PolicyKnown takes in what a session excludes.
func (r *Records) PolicyKnown(s *session.Session, policy seal.Policy) {
	a := r.accounts[s]
	a.policy = r.policies.intern(policy)
	if h := a.handle; len(h.policies) == 0 && h.assumed.wrong(a.policy, r.policies.usual) {
		r.again = true
	}
	r.policies.publish(s.Handle(), a.policy)
}

// Settled takes in what a genuine seal covers and voids: the ids of its ranges in their order, in groups of 16, or in a block of doubt of 1.
// Sections 4 and 6.3.
func (r *Records) Settled(st session.Settlement) {
	a, s := r.accounts[st.Session], st.Seal
	for _, rg := range s.Void {
		a.handle.keeper.void(rg)
	}
	var late *lateSeal
	if st.Late {
		late = &lateSeal{number: s.Number}
		a.late = append(a.late, late)
	}
	var (
		seqs   [seal.GroupSize]uint64
		n      int
		index  int // of the group
		size   = s.GroupSize()
		prefix = s.Prefixes
		g      = &r.group
	)
	flush := func() {
		*g = group{account: a, late: late, sealed: s.Time, doubt: s.Doubt, root: s.Groups[index], seqs: append(g.seqs[:0], seqs[:n]...)}
		if prefix != nil {
			g.prefix, prefix = prefix[:2*n], prefix[2*n:]
		}
		a.handle.keeper.cover(g)
		index, n = index+1, 0
	}
	for _, rg := range s.Covered {
		for seq := rg.First; seq <= rg.Last; seq++ {
			seqs[n] = seq
			if n++; n == size {
				flush()
			}
		}
	}
	if n > 0 {
		flush()
	}
}

func (r *Records) handle(name string) *handle {
	if r.last != nil && r.last.name == name {
		return r.last
	}
	h := r.handles[name]
	if h == nil {
		h = &handle{records: r, name: name, leaves: newLeaves(r.pages)}
		h.keeper = &single{handle: h}
		r.handles[name] = h
	}
	r.last = h
	return h
}

// Waiting returns the leaves of a session's records that no seal has settled, by seq.
func (r *Records) Waiting(s *session.Session) iter.Seq2[uint64, seal.Hash] {
	a := r.accounts[s]
	return func(yield func(uint64, seal.Hash) bool) {
		for seq, leaf := range a.handle.keeper.open(a) {
			if a.State(seq) == session.Open && !yield(seq, leaf) {
				return
			}
		}
	}
}

// FinishStream reports what groups of a stream's sessions do not verify, and what only a later anchor vouches for.
func (r *Records) FinishStream(sessions []*session.Session) {
	for _, s := range sessions {
		a := r.accounts[s]
		a.handle.finishGroups(a)
	}
	for _, s := range sessions {
		r.finishLate(r.accounts[s])
	}
}

// finishLate moves what only a later anchor vouches for from the verified records to the findings. Section 8.1, rule 2.
func (r *Records) finishLate(a *account) {
	for _, late := range a.late {
		anchor, still := a.LateUntil(late.number)
		if !still {
			continue // the gap was closed later
		}
		late.stands = true
		a.verified -= late.verified.Len()
		for _, rg := range late.verified {
			f := finding.New(finding.AnchorAlone)
			f.Stream, f.Detail = a.Stream(), finding.Detail{Seals: finding.Seal(late.number), By: anchor}
			f.SetIDs(a.handle.name, rg.First, rg.Last)
			r.findings.Add(f)
		}
	}
}

// FinishHandles reports what is left once each stream is finished.
func (r *Records) FinishHandles() {
	for _, name := range sortedKeys(r.handles) {
		h := r.handles[name]
		r.again = r.again || len(h.policies) == 0 && h.count > 0 && len(h.distinctPolicies()) > 1
		h.finish()
	}
}

// Next returns the records for a second pass, nil when the first one is enough; see verifier.Again. Waiting records and what ended before are to be
// added as they were to the first.
func (r *Records) Next(findings *finding.List) *Records {
	if !r.again {
		return nil
	}
	next := New(findings)
	known := map[string]*seal.Policy{}
	for name, h := range r.handles {
		policies := h.distinctPolicies()
		for i := range policies {
			policies[i] = next.policies.intern(*policies[i])
		}
		switch len(policies) {
		case 0:
		case 1:
			known[name] = policies[0]
		default:
			several := next.handle(name)
			several.policies = policies
			several.keeper = &shared{handle: several, pool: map[uint64][]claim{}}
		}
		if len(h.recheck) > 0 {
			next.handle(name).leaves.watch = h.recheck
		}
	}
	next.policies.byHandle.Store(&known)
	return next
}

// Tally is what there is to count of a session's records.
type Tally struct {
	Verified uint64

	// Of all records with its handle. Where several sessions have it they are counted with the first.
	Records, Duplicates, Voided uint64
	From, To                    uint64 // nanoseconds since 1970; 0 when no record gives a time

	// Of what the interval does not ask for: what was sealed outside of it and is not here, and what is here and cannot be judged.
	Elsewhere, Unjudged uint64
}

// Tally counts a session's records.
func (r *Records) Tally(s *session.Session) Tally {
	a := r.accounts[s]
	t := Tally{Verified: a.verified - min(a.verified, a.shownOtherwise()), Elsewhere: a.elsewhere}
	if h := a.handle; h.accounts[0] == a {
		t.Records, t.Duplicates, t.Voided, t.From, t.To, t.Unjudged = h.count, h.duplicates, h.voided, h.from, h.to, h.unjudged
	}
	return t
}

// Duplicates counts the records of all handles that are there more than once, each time the same.
func (r *Records) Duplicates() (n uint64) {
	for _, h := range r.handles {
		n += h.duplicates
	}
	return n
}

// Repeats returns how often records are in the tallies as verified beyond the first time: a record may verify in several sessions (section 8.3). It is
// to be called once all streams are finished.
func (r *Records) Repeats() (n uint64) {
	for _, h := range r.handles {
		if several, ok := h.keeper.(*shared); ok {
			n += several.repeats()
		}
	}
	return n
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
