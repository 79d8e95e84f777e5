// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// stream is a trusted stream, and its chain of seals as far as it is known to be authentic.
type stream struct {
	trust seal.Trust
	id    string

	from      *Checkpoint // where the chain begins, if that is not seal 0
	fromPlace place

	// runs holds the authentic seals: numbers without a gap within each, ascending, and a gap between two. All but the first, which
	// starts at seal 0, were reached through an anchor.
	runs    []*run
	pending map[uint64][]*heldNote    // seals by number that no key is known for yet
	waiting map[seal.Hash]bool        // what those are as a whole
	anchors map[uint64]seal.PublicKey // the keys of anchors to come, as authentic seals name them

	sessions map[[16]byte]*session
	orphaned []*session // known only because their records were adopted
	seals    uint64
	last     sealEnd
	excluded []string

	starts   map[uint64]*start // seals that were reached other than through the one before
	problems []finding.Finding // of seals, one for each
	late     []*lateSeal
	rollback []uint64 // numbers of open seals that say so
}

// run is a run of authentic seals without a gap.
type run struct {
	first uint64
	given bool       // it begins with a checkpoint's seal, which is trusted as it is
	marks []sealMark // of seal first, first+1, …

	head *heldNote // the seal at first, to join the run with what may come to be known below it
	tip  *heldNote // the last seal

	tree  *seal.Tree   // of all blocks up to tip; nil where a block is not known, or one was wrong
	above []checkpoint // of the seals of a run above a gap, to be checked should that be closed

	// lateUntil is the lowest anchor that vouches for the run while there is a gap below it: seals before it are late.
	lateUntil uint64
}

// sealMark is what is kept of each authentic seal: enough to tell its copies from other seals of its number.
type sealMark struct {
	text seal.Hash
	key  seal.PublicKey // its own; zero where only an anchor vouches for it
}

func (r *run) end() uint64 { return r.first + uint64(len(r.marks)) } // one beyond the last

// start is a seal that was not reached through the one before: an anchor, by its anchor signature, or a seal below one, by its text. All that
// vouches for it is the anchor's key. Should the seal before it turn up, its own signature must hold too: in one of its copies, since anybody
// can spoil the signatures of a copy.
type start struct {
	copies map[seal.Hash]*heldNote // by the whole, while key is not known
	key    seal.PublicKey          // its own, as the seal before it names it; zero while that is missing
	until  uint64                  // the anchor that vouches for it
}

// sealEnd is what a report says of the end of a stream.
type sealEnd struct {
	number uint64
	time   time.Time
	kind   seal.Kind
}

// lateSeal collects what was verified with a seal that lies between a gap and an anchor.
type lateSeal struct {
	number   uint64
	session  *session
	verified seal.Ranges
}

// broken notes that a seal contradicts others.
func (st *stream) broken(number uint64, reason finding.Reason) { st.brokenBy(number, 0, reason) }

// brokenBy is broken with the number of another seal that the sentence names.
func (st *stream) brokenBy(number, by uint64, reason finding.Reason) {
	if p := st.problem(finding.BrokenChain, number); p != nil {
		p.Further = append(p.Further, reason) // one contradiction entails others: a seal counts once
		return
	}
	st.addProblem(reason, number, by, finding.Place{})
}

// problem returns what is known to be wrong with a seal, nil when nothing is.
func (st *stream) problem(code finding.Code, number uint64) *finding.Finding {
	for i := range st.problems {
		if p := &st.problems[i]; p.Code == code && p.Detail.Seals.First == number {
			return p
		}
	}
	return nil
}

func (st *stream) addProblem(reason finding.Reason, number, by uint64, at finding.Place) {
	if len(st.problems) < finding.MaxListed {
		f := findingAt(reason, at)
		f.Stream, f.Detail = st.trust.Name, finding.Detail{Seals: finding.Seal(number), By: by}
		st.problems = append(st.problems, f)
	}
}

// heldNote is a seal that was found.
type heldNote struct {
	*seal.Note
	hash  seal.Hash // of the text
	whole seal.Hash // of the note: a copy with other signatures may be the one that holds
	size  int
	place finding.Place

	// What was tried last, so that seals nobody can authenticate cost their signature checks once.
	own, anchor       seal.PublicKey
	ownOK, anchorOK   bool
	ownTried, anTried bool
}

func (n *heldNote) signedBy(key *seal.PublicKey) bool {
	if !n.ownTried || n.own != *key {
		n.ownTried, n.own, n.ownOK = true, *key, n.SignedBy(key)
	}
	return n.ownOK
}

func (n *heldNote) anchoredBy(key *seal.PublicKey) bool {
	if !n.anTried || n.anchor != *key {
		n.anTried, n.anchor, n.anchorOK = true, *key, n.AnchoredBy(key)
	}
	return n.anchorOK
}

// memory is about how much of it a seal takes: its text, and what was parsed of that.
func (n *heldNote) memory() int { return 2*n.size + 1024 }

// addNote takes in a record that claims to be a seal.
func (v *Verifier) addNote(o *Observed) {
	parsed, err := seal.ParseNote(string(o.Note))
	if err != nil {
		v.unreadable(err, o.Place)
		return
	}
	n := &heldNote{Note: parsed, hash: parsed.TextHash(), whole: sha256.Sum256(o.Note), size: len(o.Note), place: o.Place}
	st := v.streams[n.Seal.StreamID]
	if st == nil {
		if st = v.meet(n); st == nil {
			return
		}
	}
	number := n.Seal.Number
	if v.firstUse && number == 0 && len(st.runs) == 0 && n.Seal.Kind == seal.KindOpen { // ParseSeal has checked that the key is that of the stream id
		st.trust.Key, st.trust.Name = n.Seal.Key, n.Seal.Name+" ("+st.id+")"
	}
	i := st.below(number)
	if i >= 0 && number < st.runs[i].end() {
		v.another(st, st.runs[i], n)
		return
	}
	if st.from != nil && i < 0 {
		f := findingAt(finding.SealBefore, n.place)
		f.Stream = st.trust.Name
		v.findings.AddCause(f)
		return
	}
	if st.waiting[n.whole] {
		return
	}
	if !v.holds(n) {
		return
	}
	st.pending[number] = append(st.pending[number], n)
	st.waiting[n.whole] = true
	// Only what this one brings about is looked at: anybody can make any number of seals that wait for ever.
	switch {
	case i < 0:
		if number == 0 && v.start(st) {
			v.advance(st, 0)
		}
	case v.opensUp(st, i, n):
		v.advance(st, i)
	}
}

// holds reports whether there is memory to keep a seal, and counts it.
func (v *Verifier) holds(n *heldNote) bool {
	if v.held += n.memory(); v.held > maxHeld {
		v.fail(errHeld)
		return false
	}
	return true
}

// opensUp reports whether a seal that has come can be authenticated, above run i.
func (v *Verifier) opensUp(st *stream, i int, n *heldNote) bool {
	number := n.Seal.Number
	if number == st.runs[i].end() && n.follows(st.runs[i]) {
		return true
	}
	if i+1 < len(st.runs) && number == st.runs[i+1].first-1 && n.hash == st.runs[i+1].head.Seal.Prev {
		return true
	}
	key, ok := st.anchors[number]
	return ok && number > st.runs[i].end() && n.anchorHolds(&key)
}

// another judges a seal whose number has an authentic seal already.
func (v *Verifier) another(st *stream, r *run, n *heldNote) {
	mark := &r.marks[n.Seal.Number-r.first]
	switch {
	case mark.text == n.hash:
		if s := st.starts[n.Seal.Number]; s != nil {
			v.addCopy(st, s, n)
			if i := st.below(n.Seal.Number); n.Seal.Number == r.first && i > 0 {
				v.advance(st, i-1) // this copy may be the one that closes a gap
			}
		}
	case st.vouched(n, &mark.key):
		v.forked(st, n)
	default:
		v.bad(n)
	}
}

// vouched reports whether a seal is signed with the key that authenticates its number: its own, or that of the anchor where only that is known.
func (st *stream) vouched(n *heldNote, own *seal.PublicKey) bool {
	if *own != (seal.PublicKey{}) {
		return n.SignedBy(own)
	}
	key, ok := st.anchors[n.Seal.Number]
	return ok && n.AnchoredBy(&key)
}

func (v *Verifier) forked(st *stream, n *heldNote) {
	if st.problem(finding.Forked, n.Seal.Number) != nil {
		return // a copy, or a third branch
	}
	st.addProblem(finding.NumberTwice, n.Seal.Number, 0, n.place)
}

// below returns the index of the last run that begins at or below number, -1 if there is none.
func (st *stream) below(number uint64) int {
	i, _ := slices.BinarySearchFunc(st.runs, number, func(r *run, number uint64) int {
		if r.first <= number {
			return -1
		}
		return 1
	})
	return i - 1
}

// advance authenticates what can be by the rules of docs/stamp-format.md, section 8.1, from run i on.
func (v *Verifier) advance(st *stream, i int) {
	v.extend(st, i)
	for len(st.pending) > 0 && v.jump(st, i) {
		v.extend(st, i)
		if i+1 < len(st.runs) {
			i++
			v.extend(st, i)
		}
	}
}

// extend closes in on the gap above run i from both sides.
func (v *Verifier) extend(st *stream, i int) {
	for progress := true; progress; {
		progress = false
		for v.forward(st, i) {
			progress = true
		}
		if i+1 == len(st.runs) {
			return
		}
		for v.backward(st, i+1) {
			progress = true
		}
		if v.join(st, i) {
			progress = true
		}
	}
}

// start looks for seal 0.
func (v *Verifier) start(st *stream) bool {
	for _, n := range st.pending[0] {
		if n.signedBy(&st.trust.Key) {
			r := &run{tree: new(seal.Tree)}
			st.runs = append(st.runs, r)
			v.accept(st, r, n, st.trust.Key)
			return true
		}
	}
	return false
}

// forward looks for the seal after run i.
func (v *Verifier) forward(st *stream, i int) bool {
	r := st.runs[i]
	number := r.end()
	if i+1 < len(st.runs) && st.runs[i+1].first == number {
		return false
	}
	for _, n := range st.pending[number] {
		if n.follows(r) {
			v.accept(st, r, n, r.tip.Seal.Next)
			return true
		}
	}
	return false
}

// follows reports whether a seal is authentic as the next of a run.
func (n *heldNote) follows(r *run) bool {
	if n.Seal.Prev != r.tip.hash || !n.signedBy(&r.tip.Seal.Next) {
		return false
	}
	if !n.Seal.HasAnchor() {
		return true
	}
	key, ok := r.tip.Seal.AnchorKey(n.Seal.Number)
	return ok && n.anchoredBy(&key)
}

// backward looks for the seal below run i: the one whose text its first seal names.
func (v *Verifier) backward(st *stream, i int) bool {
	r := st.runs[i]
	number := r.first - 1
	if number < st.runs[i-1].end() {
		return false
	}
	for _, n := range st.pending[number] {
		if n.hash == r.head.Seal.Prev {
			v.prepend(st, r, n)
			return true
		}
	}
	return false
}

// jump looks for an anchor in the gap above run i, and begins a run with it.
func (v *Verifier) jump(st *stream, i int) bool {
	var numbers []uint64
	for number := range st.anchors {
		if number > st.runs[i].end() && (i+1 == len(st.runs) || number < st.runs[i+1].first) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		key := st.anchors[number]
		for _, n := range st.pending[number] {
			if !n.anchorHolds(&key) {
				continue
			}
			r := &run{first: number, lateUntil: number}
			st.runs = slices.Insert(st.runs, i+1, r)
			v.begin(st, n, number)
			v.accept(st, r, n, seal.PublicKey{})
			return true
		}
	}
	return false
}

// begin notes a waiting seal that is reached other than through the one before.
func (v *Verifier) begin(st *stream, n *heldNote, until uint64) {
	s := &start{until: until, copies: map[seal.Hash]*heldNote{}}
	st.starts[n.Seal.Number] = s
	for _, other := range st.pending[n.Seal.Number] {
		if other.hash == n.hash {
			v.addCopy(st, s, other)
		}
	}
}

// addCopy takes in a copy of a start. All are kept that there are: how many of them are spoiled is up to whoever spoils them.
func (v *Verifier) addCopy(st *stream, s *start, n *heldNote) {
	switch {
	case s.key != (seal.PublicKey{}):
		if n.signedBy(&s.key) {
			delete(st.starts, n.Seal.Number)
		}
	case s.copies[n.whole] == nil:
		s.copies[n.whole] = n
		v.holds(n)
	}
}

// anchorHolds reports whether a seal is authentic by its anchor signature. Whether its own signature holds is known when the seal before it is
// authentic, and must not depend on which of the two comes first: see unsigned.
func (n *heldNote) anchorHolds(key *seal.PublicKey) bool {
	return n.anchoredBy(key) && n.ClaimsOwnSignature()
}

// accept puts an authentic seal at the end of a run.
func (v *Verifier) accept(st *stream, r *run, n *heldNote, key seal.PublicKey) {
	v.unpend(st, n, key)
	before := r.tip
	if before == nil {
		r.head = n
	}
	r.marks = append(r.marks, sealMark{n.hash, key})
	r.tip = n
	if r.given {
		// The tree below it is not known.
	} else if r.first > 0 {
		r.above = append(r.above, checkpointOf(n.Seal))
	} else {
		v.checkTree(st, r, n.Seal.Number, checkpointOf(n.Seal))
	}
	v.follow(st, n.Seal)
	if before != nil {
		v.checkPair(st, before.Seal, n.Seal)
	}
	v.obey(st, r, n.Seal)
}

// prepend puts an authentic seal before a run that has a gap below it.
func (v *Verifier) prepend(st *stream, r *run, n *heldNote) {
	v.begin(st, n, r.lateUntil)
	v.unpend(st, n, seal.PublicKey{})
	after := r.head
	r.marks = slices.Insert(r.marks, 0, sealMark{text: n.hash})
	r.above = slices.Insert(r.above, 0, checkpointOf(n.Seal))
	r.first--
	r.head = n
	v.nameKey(st, n.Seal, &r.marks[1])
	if n.Seal.HasAnchor() {
		if key, ok := st.anchors[n.Seal.Number]; ok && n.anchoredBy(&key) {
			r.lateUntil = n.Seal.Number
		}
	}
	v.follow(st, n.Seal)
	v.checkPair(st, n.Seal, after.Seal)
	v.obey(st, r, n.Seal)
}

// nameKey notes the key of the seal after an authentic one that was not reached through it.
func (v *Verifier) nameKey(st *stream, before *seal.Seal, mark *sealMark) {
	mark.key = before.Next
	s := st.starts[before.Number+1]
	if s == nil || s.key != (seal.PublicKey{}) {
		return
	}
	s.key = before.Next
	proven := false
	for _, n := range s.copies {
		v.held -= n.memory()
		proven = proven || n.signedBy(&s.key)
	}
	s.copies = nil
	if proven { // the seal before it vouches for it, as for any other
		delete(st.starts, before.Number+1)
	}
}

// unsigned returns the numbers of the seals that are not signed with their own key, though that is known.
func (st *stream) unsigned() (numbers []uint64) {
	for number, s := range st.starts {
		if s.key != (seal.PublicKey{}) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// lateBelow returns the anchor that is the next thing to vouch for an authentic seal which the keys before it do not vouch for.
func (st *stream) lateBelow(number uint64) (anchor uint64, late bool) {
	if r := st.runs[st.below(number)]; r.first > 0 && number < r.lateUntil {
		return r.lateUntil, true
	}
	for first, s := range st.starts {
		if s.key != (seal.PublicKey{}) && first <= number && number < s.until {
			return s.until, true
		}
	}
	return 0, false
}

// join makes one run of two that have come to touch. The upper one must go on from the lower, and be signed with the key that the lower one
// names: else whoever has an anchor's key could rewrite all that lies between the anchor and any seal below it.
func (v *Verifier) join(st *stream, i int) bool {
	low, high := st.runs[i], st.runs[i+1]
	if low.end() != high.first || high.head.Seal.Prev != low.tip.hash {
		return false
	}
	v.nameKey(st, low.tip.Seal, &high.marks[0])
	if st.starts[high.first] != nil {
		return false
	}
	v.checkPair(st, low.tip.Seal, high.head.Seal)
	low.marks = append(low.marks, high.marks...)
	low.tip = high.tip
	if low.given {
		// as in accept
	} else if low.first > 0 {
		low.above = append(low.above, high.above...)
	} else {
		for i, c := range high.above {
			v.checkTree(st, low, high.first+uint64(i), c)
		}
	}
	st.runs = slices.Delete(st.runs, i+1, i+2)
	return true
}

// unpend removes an authentic seal from the waiting ones, and judges the others of its number.
func (v *Verifier) unpend(st *stream, n *heldNote, key seal.PublicKey) {
	all := st.pending[n.Seal.Number]
	delete(st.pending, n.Seal.Number)
	for _, other := range all {
		delete(st.waiting, other.whole)
		v.held -= other.memory()
		switch {
		case other.hash == n.hash: // a copy
		case st.vouched(other, &key):
			v.forked(st, other)
		default:
			v.bad(other)
		}
	}
}

// follow notes what an authentic seal says of the stream and its session.
func (v *Verifier) follow(st *stream, s *seal.Seal) {
	st.seals++
	if st.seals == 1 || s.Number > st.last.number {
		st.last = sealEnd{s.Number, s.Time, s.Kind}
	}
	for _, a := range s.Anchors {
		if key, ok := st.anchors[a.Number]; ok && key != a.Key {
			st.brokenBy(s.Number, a.Number, finding.AnchorRenamed)
			continue
		}
		st.anchors[a.Number] = a.Key
	}
	if len(st.anchors) > 64 {
		for number := range st.anchors {
			if number < st.runs[0].end() {
				delete(st.anchors, number)
			}
		}
	}
	v.attend(st, s)
}

// obey settles what an authentic seal settles.
func (v *Verifier) obey(st *stream, r *run, s *seal.Seal) {
	target := st.sessions[s.Nonce]
	if s.Kind == seal.KindAdopt {
		target = v.adopted(st, s)
	}
	if target == nil || len(s.Covered)+len(s.Void) == 0 {
		return
	}
	var late *lateSeal
	if r.first > 0 && s.Number < r.lateUntil {
		late = &lateSeal{number: s.Number, session: target}
		st.late = append(st.late, late)
	}
	v.settle(target, s, late)
}
