// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	// maxMarks is how many seals are remembered of a stream, to tell their copies from other seals of their number.
	maxMarks = 32

	// maxHeld bounds the seals of a stream that no key is known for yet, in bytes and in number; maxHeldAll those of all streams.
	maxHeld      = 4 << 20
	maxHeldNotes = 512
	maxHeldAll   = 64 << 20

	maxGaps = 3 // that may still be filled

	// maxNumbers bounds the sets of numbers of missing seals.
	maxNumbers = 64
)

// stream is a stream that is trusted, and the head of its chain.
type stream struct {
	trust    seal.Trust
	id       string
	twin     bool // another stream has its name
	learned  bool
	endorsed string    // if a certificate vouches for it: the identity that this names
	when     time.Time // if learned or endorsed
	from     Peer      // if learned or endorsed
	host     string
	identity string // of its first client

	head     *tip // nil while no seal is authentic
	tree     *seal.Tree
	marks    []mark
	anchors  map[uint64]seal.AnchorKey // the keys of anchors to come, as authentic seals name them
	sessions []*session                // the oldest first
	former   []string                  // handles of earlier ones
	gaps     []*gap                    // the lowest first
	owed     []owed

	missing, unwatched seal.Ranges // numbers of seals below head that are not here

	held      map[uint64][]*note
	heldBytes int
	heldNotes int

	heartbeat time.Duration
	sealedAt  time.Duration // when the last authentic seal came
	sealedNow time.Time     // the same by the caller's clock
	silent    *cause
	nofirst   *cause

	resumed bool       // it is not known what came between what was saved and the restart
	after   resumption // while resumed
	dirty   bool       // changed since it was saved
}

// tip is what is kept of an authentic seal to go on from.
type tip struct {
	number uint64
	hash   seal.Hash
	next   seal.PublicKey
	named  []seal.Anchor // the anchors that this seal names
	size   uint64
	root   seal.Hash
	kind   seal.Kind
	nonce  [16]byte
	time   time.Time
	uptime time.Duration
	boot   [16]byte
}

func tipOf(n *note) *tip {
	s := n.Seal
	return &tip{number: s.Number, hash: n.hash, next: s.Next, named: s.Anchors, size: s.Size, root: s.Root, kind: s.Kind, nonce: s.Nonce, time: s.Time, uptime: s.Uptime, boot: s.BootID}
}

// mark is what is remembered of a seal.
type mark struct {
	number uint64
	text   seal.Hash
	key    seal.AnchorKey // that authenticates its number: its own, or that of the anchor where only that is known
	anchor bool           // the latter
}

// note is a seal that was found.
type note struct {
	*seal.Note
	hash  seal.Hash // of the text
	whole seal.Hash // of the note: a copy with other signatures may be the one that holds
	body  string    // the note as it came
	from  Peer
	at    time.Duration
	told  *cause // that it is not authentic
}

func newNote(parsed *seal.Note, body string, from Peer, at time.Duration) *note {
	return &note{Note: parsed, hash: parsed.TextHash(), whole: sha256.Sum256([]byte(body)), body: body, from: from, at: at}
}

// memory is about how much of it a seal takes: its text, and what was parsed of that.
func (n *note) memory() int { return 2*len(n.body) + 1024 }

// gap is where seals are missing below an anchor. It may still be filled.
type gap struct {
	low    *tip    // the last seal below it
	upper  *note   // the first seal above it
	copies []*note // of upper
	anchor uint64  // that vouches for upper
	cause  *cause  // of the missing seals
	closed bool
	lates  contributions // of the records that only the anchor vouches for

	unwatched bool // the seals may have come while nobody watched
}

// seals is a finding's subject: seals of the stream.
func (st *stream) seals(first, last uint64) subject {
	return subject{stream: st, sub: strconv.FormatUint(first, 10), detail: finding.Detail{Seals: finding.Seals{Any: true, First: first, Last: last}}}
}

// name returns what reports call the stream.
func (st *stream) name() string {
	switch {
	case st.endorsed != "":
		return endorse.StreamName(st.endorsed, &seal.Seal{Name: st.trust.Name, StreamID: st.id})
	case st.twin:
		return st.trust.Name + " (" + st.id + ")"
	}
	return st.trust.Name
}

// broken notes that a seal contradicts others. It returns the finding, nil if it is one that was there.
func (w *Watcher) broken(st *stream, number, by uint64, reason finding.Reason) *cause {
	s := st.seals(number, number)
	s.detail.By = by
	for c := range w.causes.open { // one contradiction entails others: a seal counts once
		if c.key.stream == st.id && c.key.sub == s.sub && c.key.reason.Code() == finding.BrokenChain {
			if f := &c.event.Finding; f.Reason != reason && !slices.Contains(f.Further, reason) {
				f.Further = append(f.Further, reason)
			}
			return nil
		}
	}
	return w.add(reason, s)
}

// note takes in a record that claims to be a seal.
func (w *Watcher) note(body string, from Peer) {
	parsed, err := seal.ParseNote(body)
	if err != nil {
		w.unreadable(err, from)
		return
	}
	n := newNote(parsed, body, from, w.clock)
	st := w.streams[n.Seal.StreamID]
	if st == nil {
		if st = w.meet(n); st == nil {
			return
		}
	}
	if st.head == nil {
		if n.Seal.Number == 0 && n.Begins(&st.trust) {
			w.accept(st, n, st.trust.Key)
			w.advance(st)
			return
		}
		w.wait(st, n)
		return
	}
	switch number := n.Seal.Number; {
	case number <= st.head.number:
		w.another(st, n)
	case number == st.head.number+1 && n.follows(st.head):
		w.accept(st, n, st.head.next)
		w.advance(st)
	default:
		w.wait(st, n)
	}
}

// follows reports whether a seal is authentic as the next after another.
func (n *note) follows(before *tip) bool { return n.Follows(before.hash, &before.next, before.named) }

// advance goes on with the seals that wait.
func (w *Watcher) advance(st *stream) {
	for st.heldNotes > 0 {
		next := -1
		list := st.held[st.head.number+1]
		for i, n := range list {
			if n.follows(st.head) {
				next = i
				break
			}
		}
		if next < 0 {
			return
		}
		w.accept(st, list[next], st.head.next)
	}
}

// accept puts an authentic seal at the end of the chain.
func (w *Watcher) accept(st *stream, n *note, key seal.PublicKey) {
	s, before := n.Seal, st.head
	w.release(st, n, mark{s.Number, n.hash, seal.Ed25519Anchor(&key), false})
	w.resume(st, n)
	st.head = tipOf(n)
	if s.Number == 0 {
		st.tree = new(seal.Tree)
	}
	w.sealed(st, n)
	ss := w.follow(st, s)
	if before != nil && before.number+1 == s.Number {
		w.checkPair(st, before, s)
	}
	w.checkTree(st, s)
	w.obey(st, ss, s, nil, false)
	w.judgeSessions(st)
}

// sealed notes that a stream has made itself heard.
func (w *Watcher) sealed(st *stream, n *note) {
	w.sealCount++
	st.sealedAt, st.sealedNow, st.dirty = w.clock, w.now, true
	w.retract(st.silent, 1)
	w.retract(st.nofirst, 1)
	st.silent, st.nofirst = nil, nil
	w.bind(st, n.from, st.seals(n.Seal.Number, n.Seal.Number))
}

// follow notes what an authentic seal says of the stream and its session.
func (w *Watcher) follow(st *stream, s *seal.Seal) *session {
	st.dirty = true
	for _, a := range s.Anchors {
		if key, ok := st.anchors[a.Number]; ok && key != a.Key {
			w.broken(st, s.Number, a.Number, finding.AnchorRenamed)
			continue
		}
		st.anchors[a.Number] = a.Key
	}
	if len(st.anchors) > 16 {
		low := st.head.number
		if len(st.gaps) > 0 {
			low = st.gaps[0].low.number
		}
		for number := range st.anchors {
			if number <= low {
				delete(st.anchors, number)
			}
		}
	}
	return w.attend(st, s)
}

// checkPair checks what must hold between an authentic seal and the next (docs/stamp-format.md, section 6.1).
func (w *Watcher) checkPair(st *stream, before *tip, s *seal.Seal) {
	if !s.GrowsFrom(before.size, &before.root) {
		w.broken(st, s.Number, 0, finding.TreeJumps)
	}
	same := s.Nonce == before.nonce
	switch {
	case s.Kind == seal.KindOpen && same: // opened has said so
	case s.Kind == seal.KindOpen:
		w.link(st, st.session(before.nonce), st.session(s.Nonce))
	case !same:
		w.broken(st, s.Number, 0, finding.SessionNotOpened)
	case before.kind == seal.KindClose:
		w.broken(st, s.Number, 0, finding.SessionWasClosed)
	case s.Kind == seal.KindAdopt && before.kind != seal.KindOpen && before.kind != seal.KindAdopt:
		w.broken(st, s.Number, 0, finding.AdoptsLate)
	}
}

// link notes that two sessions follow each other, and checks what was adopted while that was not known.
func (w *Watcher) link(st *stream, prior, next *session) {
	if prior == nil || next == nil {
		return
	}
	next.prior, prior.next = prior, next
	if next.took != nil && next.took != prior {
		w.mayAdopt(st, next.first, next.took.handle.name, prior)
	}
}

// checkTree checks size and root while all blocks are known.
func (w *Watcher) checkTree(st *stream, s *seal.Seal) {
	if st.tree == nil {
		return
	}
	if len(s.Covered) > 0 {
		st.tree.Append(seal.Root(s.Groups))
	}
	if st.tree.Size() != s.Size || st.tree.Root() != s.Root {
		w.broken(st, s.Number, 0, finding.TreeDiffers)
		st.tree = nil // said once
	}
}

// obey settles what an authentic seal settles. lenient says that what it covers may have come in a time that was not watched.
func (w *Watcher) obey(st *stream, own *session, s *seal.Seal, late *gap, lenient bool) {
	target := own
	if s.Kind == seal.KindAdopt {
		target = w.adoptedBy(own, s)
	}
	if target == nil || len(s.Covered)+len(s.Void) == 0 {
		return
	}
	w.settle(target, s, late, lenient || w.clock < target.lenientUntil || st.resumed && st.after.mayCover(s))
}

// wait keeps a seal until others vouch for it.
func (w *Watcher) wait(st *stream, n *note) {
	list := st.held[n.Seal.Number]
	for _, other := range list {
		if other.same(n) {
			return
		}
	}
	if st.held == nil {
		st.held = map[uint64][]*note{}
	}
	st.held[n.Seal.Number] = append(list, n)
	st.heldBytes += n.memory()
	st.heldNotes++
	w.heldBytes += n.memory()
	st.dirty = true
	if st.resumed || w.config.Partial {
		st.sealedAt = w.clock // what vouches for it may have come elsewhere; it is no silence
	}
	for st.heldNotes > maxHeldNotes || st.heldBytes > maxHeld {
		w.dropHeld(st)
	}
	for w.heldBytes > maxHeldAll {
		most := st
		for _, other := range w.streams {
			if other.heldBytes > most.heldBytes {
				most = other
			}
		}
		w.dropHeld(most)
	}
}

// same reports whether two seals are the same, with their signatures.
func (n *note) same(other *note) bool { return n.whole == other.whole }

// dropHeld forgets a seal that waits: the last that came from the peer that has most of them, so that nobody displaces those of others.
func (w *Watcher) dropHeld(st *stream) {
	bytes := map[string]int{}
	most := ""
	for _, list := range st.held {
		for _, n := range list {
			key := n.from.key()
			bytes[key] += n.memory()
			if bytes[key] > bytes[most] {
				most = key
			}
		}
	}
	var victim *note
	for _, list := range st.held {
		for _, n := range list {
			if n.from.key() == most && (victim == nil || n.at > victim.at || n.at == victim.at && n.Seal.Number > victim.Seal.Number) {
				victim = n
			}
		}
	}
	w.bad(st, victim)
	w.unhold(st, victim)
}

func (w *Watcher) unhold(st *stream, n *note) {
	number := n.Seal.Number
	list := slices.DeleteFunc(st.held[number], func(other *note) bool { return other == n })
	if len(list) == 0 {
		delete(st.held, number)
	} else {
		st.held[number] = list
	}
	st.heldBytes -= n.memory()
	st.heldNotes--
	w.heldBytes -= n.memory()
}

// release removes a seal that has become authentic from those that wait, with all of its number, which are judged by it.
func (w *Watcher) release(st *stream, n *note, m mark) {
	w.remember(st, m)
	for _, other := range slices.Clone(st.held[n.Seal.Number]) {
		w.unhold(st, other)
		switch {
		case other.hash == n.hash:
			w.retract(other.told, 1)
		default:
			w.judgeOther(st, other, &m)
		}
	}
}

// remember keeps what tells a seal's copies from other seals of its number.
func (w *Watcher) remember(st *stream, m mark) {
	if len(st.marks) >= maxMarks {
		st.marks = slices.Delete(st.marks, 0, 1)
	}
	st.marks = append(st.marks, m)
}

func (st *stream) marked(number uint64) *mark {
	for i := len(st.marks) - 1; i >= 0; i-- {
		if st.marks[i].number == number {
			return &st.marks[i]
		}
	}
	return nil
}

// judgeOther judges a seal that stands against an authentic one of its number.
func (w *Watcher) judgeOther(st *stream, n *note, m *mark) {
	vouched := !m.anchor && n.SignedBy(m.key.Ed25519()) || m.anchor && n.AnchoredBy(&m.key)
	if !vouched {
		w.bad(st, n)
		return
	}
	w.retract(n.told, 1)
	s := st.seals(n.Seal.Number, n.Seal.Number)
	s.from = n.from
	w.once(finding.NumberTwice, s)
}

// once adds a finding unless it is there.
func (w *Watcher) once(reason finding.Reason, s subject) {
	if w.causes.current[causeKey{reason, s.stream.id, s.sub}] == nil {
		w.add(reason, s)
	}
}

// bad reports a seal that no key vouches for. Anybody can write one, so it is not held against the stream it names.
func (w *Watcher) bad(st *stream, n *note) {
	if n.told != nil {
		return
	}
	st.dirty = true
	s := subject{stream: st, from: n.from, count: 1}
	if w.config.Partial || st.resumed || st.besideUnwatched(n.Seal.Number) {
		n.told = w.add(finding.NotWatched, s)
		return
	}
	s.detail.StreamID = st.id
	n.told = w.add(finding.UnknownKey, s)
}

// unreadable reports what claims to be a seal and is none.
func (w *Watcher) unreadable(err error, from Peer) {
	reason := finding.NotASeal
	if errors.Is(err, seal.ErrUnsupported) {
		reason = finding.VersionUnknown
	}
	w.add(reason, subject{sub: from.key(), from: from})
}

// another judges a seal whose number the chain has passed.
func (w *Watcher) another(st *stream, n *note) {
	number := n.Seal.Number
	w.settleOwed(st, n)
	if m := st.marked(number); m != nil {
		if m.text != n.hash {
			w.judgeOther(st, n, m)
		} else {
			w.bind(st, n.from, st.seals(number, number))
		}
		for _, g := range st.gaps {
			if g.upper.hash == n.hash && !slices.ContainsFunc(g.copies, n.same) && len(g.copies) < maxMarks {
				g.copies = append(g.copies, n)
				w.fill(st, g)
			}
		}
		return
	}
	for _, g := range st.gaps {
		if g.low.number < number && number < g.upper.Seal.Number {
			w.wait(st, n)
			w.fill(st, g)
			return
		}
	}
	// A copy of an old seal is of a session that was; a host whose state went back opens a new one.
	if h := w.handles[n.Seal.Handle]; w.former[n.Seal.Handle] != st && (h == nil || h.session == nil || h.session.stream != st) && st.head.time.Before(n.Seal.Time) {
		w.add(finding.PassedSeal, subject{stream: st, from: n.from, count: 1, detail: finding.Detail{StreamID: st.id}})
	}
}

// trust takes up a stream.
func (w *Watcher) trust(t seal.Trust) *stream {
	st := &stream{trust: t, id: t.StreamID(), anchors: map[uint64]seal.AnchorKey{}, sealedAt: w.clock}
	w.streams[st.id] = st
	w.names[t.Name]++
	return st
}

// bind checks that a stream's seals and records come from the client that its first seals came from. Records decide nothing: anybody can write
// one.
func (w *Watcher) bind(st *stream, from Peer, s subject) {
	switch {
	case !w.config.BindIdentity || st.identity == from.Identity:
	case st.identity != "":
		s.sub, s.from = from.Identity, from
		w.add(finding.OtherIdentity, s)
	case s.handle == "":
		st.identity, st.dirty = from.Identity, true
	}
}

// judgeChain reports seals that nothing vouches for in time, goes on from an anchor, and reports silence.
func (w *Watcher) judgeChain(st *stream) {
	if st.heldNotes > 0 {
		w.judgeHeld(st)
	}
	if st.head == nil {
		return
	}
	if st.silent == nil && st.head.kind != seal.KindClose && !w.config.Partial && st.sealedAt+w.patience(st) < w.clock {
		st.dirty = true
		st.silent = w.add(finding.HeartbeatMissed, subject{
			stream: st, detail: finding.Detail{Time: finding.Stamp(st.head.time), Seals: finding.Seal(st.head.number)},
		})
	}
}

// judgeHeadless reports a stream whose first seal has not come.
func (w *Watcher) judgeHeadless(st *stream, ripe func(*note) bool) {
	for _, list := range st.held {
		for _, n := range list {
			if st.nofirst != nil || !ripe(n) {
				continue
			}
			s := subject{stream: st, from: n.from, count: 1, detail: finding.Detail{N: uint64(st.heldNotes)}}
			reason := finding.NoFirstSeal
			if st.resumed || w.config.Partial {
				reason = finding.NotWatched
			}
			st.nofirst, st.dirty = w.add(reason, s), true
		}
	}
}

func (w *Watcher) judgeHeld(st *stream) {
	ripe := func(n *note) bool { return n.at+w.config.LateAfter <= w.clock }
	if st.head == nil {
		w.judgeHeadless(st, ripe)
		return
	}
	if w.jump(st, ripe) {
		w.advance(st)
		w.judgeSessions(st)
	}
	for _, list := range st.held {
		for _, n := range list {
			if ripe(n) {
				w.bad(st, n)
			}
		}
	}
}
