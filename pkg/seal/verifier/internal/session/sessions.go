// SPDX-License-Identifier: Apache-2.0

package session

import (
	"cmp"
	"maps"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/chain"
)

// Settlement is what a genuine seal settles: the ids in its Covered and Void are those of Session.
type Settlement struct {
	Session *Session
	Seal    *seal.Seal
	Late    bool // see [chain.Genuine]
}

// Listener takes in what becomes known of sessions.
type Listener interface {
	// SessionFound is called once for each session, before anything else is said of it.
	SessionFound(s *Session)

	// PolicyKnown is called when a session's open seal is genuine, with what that excludes.
	PolicyKnown(s *Session, policy seal.Policy)

	// Settled is called for each genuine seal that settles ids, once their session has noted it.
	Settled(s Settlement)
}

// Sessions are the sessions of a stream. They are a [chain.Listener].
type Sessions struct {
	chain    *chain.Chain
	listener Listener

	byNonce   map[[16]byte]*Session
	adopted   []*Session // known only because their records were adopted
	excluded  []string
	rollbacks []uint64 // numbers of open seals that say so
}

// New returns the sessions of a chain, which it listens to.
func New(c *chain.Chain, l Listener) *Sessions {
	s := &Sessions{chain: c, listener: l, byNonce: map[[16]byte]*Session{}}
	c.Listen(s)
	return s
}

// Genuine takes in a genuine seal of the stream: what it says of its session, whether it can stand where it stands, and then what it settles.
func (ss *Sessions) Genuine(g chain.Genuine) {
	ss.recordSeal(g.Seal)
	if g.Before != nil {
		ss.Adjacent(g.Before, g.Seal)
	}
	if g.After != nil {
		ss.Adjacent(g.Seal, g.After)
	}
	ss.applySettlement(g.Seal, g.Late)
}

// Adjacent checks what must hold between a genuine seal and the next. Section 6.1.
func (ss *Sessions) Adjacent(before, after *seal.Seal) {
	if !after.GrowsFrom(before.Size, &before.Root) {
		ss.chain.Contradict(after.Number, finding.TreeJumps)
	}
	same := after.Nonce == before.Nonce
	switch {
	case after.Kind == seal.KindOpen && (same || after.Number != ss.byNonce[after.Nonce].open.Number): // recordOpen has said so
	case after.Kind == seal.KindOpen:
		ss.link(ss.byNonce[before.Nonce], ss.byNonce[after.Nonce])
	case !same:
		ss.chain.Contradict(after.Number, finding.SessionNotOpened)
	case before.Kind == seal.KindClose:
		ss.chain.Contradict(after.Number, finding.SessionWasClosed)
	case after.Kind == seal.KindAdopt && before.Kind != seal.KindOpen && before.Kind != seal.KindAdopt:
		ss.chain.Contradict(after.Number, finding.AdoptsLate)
	}
}

// recordSeal finds or makes the session of a genuine seal, and notes what the seal says of it. Sections 6.1 and 8.2.
func (ss *Sessions) recordSeal(s *seal.Seal) {
	own := ss.byNonce[s.Nonce]
	if own == nil {
		if key := ss.chain.Trust().Key; s.Handle != seal.NewHandle(&key, &s.Nonce) {
			ss.chain.Contradict(s.Number, finding.HandleOfNoNonce)
		}
		own = ss.found(s.Handle, s.Number)
		ss.byNonce[s.Nonce] = own
	}
	switch {
	case s.Handle != own.handle:
		ss.chain.Contradict(s.Number, finding.HandleChanged)
	case s.Number == 0 && s.Kind != seal.KindOpen:
		ss.chain.Contradict(s.Number, finding.FirstOpensNothing)
	case own.open != nil && s.Number < own.open.Number:
		ss.chain.Contradict(own.open.Number, finding.SessionBegun)
	}
	own.first, own.last = min(own.first, s.Number), max(own.last, s.Number)
	if s.Kind == seal.KindOpen {
		ss.recordOpen(own, s)
	}
	if s.Kind == seal.KindClose {
		own.closes = append(own.closes, closing{number: s.Number, end: s.End})
	}
	if s.Kind == seal.KindClose && (!own.closed || s.Number < own.closedAt) {
		own.closed, own.closedAt, own.end = true, s.Number, s.End
	}
	if s.Kind != seal.KindOpen && s.Kind != seal.KindAdopt && (!own.working || s.Number < own.began) {
		own.began, own.working = s.Number, true
	}
}

// found makes a session that a seal tells of.
func (ss *Sessions) found(handle string, number uint64) *Session {
	s := &Session{stream: ss, handle: handle, first: number, last: number}
	ss.listener.SessionFound(s)
	return s
}

// recordOpen notes what a session's open seal declares. Section 8.2: of a session that is opened twice the first open seal holds; section 6.2: its policy.
func (ss *Sessions) recordOpen(own *Session, s *seal.Seal) {
	switch {
	case own.open != nil:
		ss.chain.Contradict(s.Number, finding.OpenedTwice)
		return
	case s.Number > own.first:
		ss.chain.Contradict(s.Number, finding.SessionBegun)
	}
	own.open = s
	policy, err := seal.NewPolicy(s.Exclude, s.ExcludeResource)
	if err != nil { // ParseSeal has checked it
		panic("seal: " + err.Error())
	}
	ss.listener.PolicyKnown(own, policy)
	for _, name := range s.Exclude {
		ss.addExcluded(name)
	}
	for _, name := range s.ExcludeResource {
		ss.addExcluded("resource " + name)
	}
	if s.RolledBack {
		ss.rollbacks = append(ss.rollbacks, s.Number)
	}
}

func (ss *Sessions) addExcluded(name string) {
	if !slices.Contains(ss.excluded, name) {
		ss.excluded = append(ss.excluded, name)
	}
}

// applySettlement notes what a genuine seal covers and voids. Sections 6.3 and 8.2: a seal that settles an id again settles nothing.
func (ss *Sessions) applySettlement(s *seal.Seal, late bool) {
	target := ss.byNonce[s.Nonce]
	if s.Kind == seal.KindAdopt {
		target = ss.adoptedBy(s)
	}
	if target == nil || len(s.Covered)+len(s.Void) == 0 {
		return
	}
	if target.settled.Overlaps(s.Covered) || target.settled.Overlaps(s.Void) {
		ss.chain.Contradict(s.Number, finding.SettledTwice)
		return
	}
	for i := range target.closes {
		if c := &target.closes[i]; c.settled == nil && c.number < s.Number {
			c.settled = append(seal.Ranges{}, target.settled...) // what comes after it is not held against the close seal
		}
	}
	for _, r := range s.Void {
		target.void = target.void.Add(r)
		target.settled = target.settled.Add(r)
	}
	for _, r := range s.Covered {
		target.settled = target.settled.Add(r)
	}
	ss.listener.Settled(Settlement{target, s, late})
}

// adoptedBy returns the session whose ids an adopt seal settles: the one before that of the seal. Where the seals between are missing it goes by
// the handle. Sections 6.1 and 8.2.
func (ss *Sessions) adoptedBy(s *seal.Seal) *Session {
	own := ss.byNonce[s.Nonce]
	switch {
	case own.first == 0:
		ss.chain.Contradict(s.Number, finding.AdoptsAtFirst)
		return nil
	case own.prior != nil:
		if !ss.mayAdopt(s.Number, s.Adopts, own.prior) {
			return nil
		}
		return own.prior
	}
	found := ss.latest(s.Adopts, own, s.Number)
	if found == nil {
		// All of its own seals are missing. This one is genuine, and says that the session was.
		found = ss.found(s.Adopts, s.Number)
		ss.adopted = append(ss.adopted, found)
	}
	own.adoptions = append(own.adoptions, adoption{s.Number, s.Adopts, found})
	if found.closed && found.closedAt < s.Number {
		ss.chain.Contradict(s.Number, finding.AdoptsClosed)
		return nil
	}
	return found
}

// latest returns the last session before a seal of another one that has a handle, nil if none is known. Section 8.2, "adopts the latest earlier session".
func (ss *Sessions) latest(handle string, own *Session, number uint64) (found *Session) {
	consider := func(other *Session) {
		if other != own && other.handle == handle && other.first < number && (found == nil || other.first > found.first) {
			found = other
		}
	}
	for _, other := range ss.byNonce {
		consider(other)
	}
	for _, other := range ss.adopted {
		consider(other)
	}
	return found
}

// DependsOnOrder reports whether an adopt seal came before what is now known of the session that it adopts from.
func (ss *Sessions) DependsOnOrder() bool {
	for _, own := range ss.byNonce {
		for _, a := range own.adoptions {
			from := own.prior
			if from == nil {
				from = ss.latest(a.handle, own, a.number)
			}
			if from != nil && from != a.from {
				return true
			}
		}
	}
	return false
}

// mayAdopt reports whether a seal may settle ids of the session before its own, given the handle that it says. Sections 6.1 and 8.2.
func (ss *Sessions) mayAdopt(number uint64, handle string, prior *Session) bool {
	switch {
	case prior.handle != handle:
		ss.chain.Contradict(number, finding.AdoptsOther)
	case prior.closed:
		ss.chain.Contradict(number, finding.AdoptsClosed)
	default:
		return true
	}
	return false
}

// link notes that two sessions follow each other, and checks what was adopted while that was not known. Section 6.1.
func (ss *Sessions) link(prior, next *Session) {
	next.prior, prior.next = prior, next
	for _, a := range next.adoptions {
		ss.mayAdopt(a.number, a.handle, prior)
	}
}

// All returns the sessions in their order.
func (ss *Sessions) All() []*Session {
	list := slices.SortedFunc(maps.Values(ss.byNonce), func(a, b *Session) int { return cmp.Compare(a.first, b.first) })
	return append(list, ss.adopted...)
}

// Excluded returns the attributes that open seals exclude.
func (ss *Sessions) Excluded() []string { return ss.excluded }

// CheckClosed contradicts the close seals whose session settled less or more than they say. Section 8.2.
func (ss *Sessions) CheckClosed() {
	for _, s := range ss.All() {
		for i := range s.closes {
			if c := &s.closes[i]; !s.settledAll(c) {
				ss.chain.Contradict(c.number, finding.ClosedUnsettled)
			}
		}
	}
}

// FinishRollbacks adds a finding for each open seal that tells of a rollback. Section 6.4.
func (ss *Sessions) FinishRollbacks(findings *finding.List) {
	for _, number := range ss.rollbacks {
		f := finding.New(finding.StorageBehind)
		f.Stream, f.Detail.Seals = ss.chain.Name(), finding.Seal(number)
		findings.AddCause(f)
	}
}
