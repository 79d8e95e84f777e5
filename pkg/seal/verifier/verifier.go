// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	// maxHeld bounds the seals that wait for others to vouch for them, in bytes of memory, roughly: a day of a busy stream's.
	maxHeld = 1 << 30

	// maxStrangers bounds how many streams that nobody trusts are told apart.
	maxStrangers = 100

	maxConflicts = 1 << 16 // a handle
)

var errHeld = errors.New("more than 1 GiB of seals are out of order, or forged: give the files in the order in which they were written, or verify fewer streams at once")

// Verifier checks records and seals against each other as they come, in any order. Its memory is bounded by what is out of order:
// it keeps the leaf hashes of records whose seal has not come, and of groups that do not verify; of everything else ranges, and about
// 70 bytes for each seal, 150 behind missing ones. Work on a record or seal does not depend on the numbers in it.
//
//	v := verifier.New(trust)
//	for … {
//		v.Prepare(&record) // may be left out; may be called from several goroutines at once
//		v.Add(&record)
//	}
//	report, err := v.Finish(until)
//	if again := v.Again(); again != nil { /* read the archive once more, into again */ }
type Verifier struct {
	usual   *seal.Policy // what is assumed of a session whose open seal is not known: see [seal.Usual]
	streams map[string]*stream
	handles map[string]*handle

	firstUse bool // trust streams when their seal 0 is met

	mu       sync.Mutex // for writers of policies
	policies atomic.Pointer[map[string]*seal.Policy]
	interned []*seal.Policy

	files     map[string]uint64
	names     []string
	lastFile  string
	lastIndex uint64

	records   uint64
	lastName  *handle
	strangers map[string]bool
	done      doneQueue
	freePages []*page
	held      int
	findings  finding.List
	again     bool
	err       error
}

// New returns a verifier that trusts the given streams.
func New(trust []seal.Trust) *Verifier {
	v := &Verifier{
		streams:   map[string]*stream{},
		handles:   map[string]*handle{},
		files:     map[string]uint64{},
		strangers: map[string]bool{},
	}
	usual := seal.Usual()
	v.usual = &usual
	v.policies.Store(&map[string]*seal.Policy{})
	v.interned = []*seal.Policy{v.usual}
	names := map[string]int{}
	for _, t := range trust {
		names[t.Name]++
	}
	for _, t := range trust {
		id := t.StreamID()
		if names[t.Name] > 1 { // a host that lost its keys is another stream with the old name; a report tells them apart
			t.Name += " (" + id + ")"
		}
		v.trust(t, id)
	}
	return v
}

// NewFirstUse returns a verifier that trusts every stream whose first seal it meets. It can tell that an archive is
// consistent, but not whose it is: whoever could replace the whole archive could have made the keys in it.
func NewFirstUse() *Verifier {
	v := New(nil)
	v.firstUse = true
	return v
}

func (v *Verifier) trust(t seal.Trust, id string) *stream {
	st := &stream{
		trust: t, id: id,
		pending: map[uint64][]*heldNote{}, waiting: map[seal.Hash]bool{}, starts: map[uint64]*start{}, anchors: map[uint64]seal.PublicKey{}, sessions: map[[16]byte]*session{},
	}
	v.streams[st.id] = st
	return st
}

// Prepare does the part of Add that needs no order. It may be called from several goroutines at once.
func (v *Verifier) Prepare(o *Observed) {
	if !o.HasID || o.Fault != "" {
		return
	}
	policy := (*v.policies.Load())[o.ID.Handle]
	if policy == nil {
		policy = v.usual
	}
	o.digest(policy)
}

// Add takes in the next record. It keeps nothing that o points to.
func (v *Verifier) Add(o *Observed) {
	if o.Note != nil && o.Fault == "" {
		v.addNote(o)
		return
	}
	if o.Fault.Code() == finding.Truncated {
		v.findings.AddCause(findingAt(o.Fault, o.Place)) // it is no record yet
		return
	}
	v.records++
	if !o.HasID {
		if o.Fault != "" {
			v.findings.AddCause(findingAt(o.Fault, o.Place))
		} else {
			v.findings.AddCause(findingAt(finding.NoID, o.Place))
		}
		return
	}
	h := v.handle(o.ID.Handle)
	h.records++
	at := v.place(o.Place)
	if o.Fault != "" {
		if h.malformed == nil {
			h.malformed = map[uint64]place{}
		}
		h.malformed[o.ID.Seq] = at
		f := h.finding(o.Fault, o.ID.Seq)
		f.Place = o.Place
		v.findings.AddRecord(f)
		return
	}
	if t := o.Time(); t != 0 {
		if h.from == 0 || t < h.from {
			h.from = t
		}
		h.to = max(h.to, t)
	}
	switch {
	case h.shared():
		v.addShared(h, o, at)
	case len(h.sessions) == 0 && h.former != nil:
		v.before(h, h.former, o.ID.Seq, at)
	case len(h.sessions) == 0:
		v.Prepare(o)
		if (*v.policies.Load())[h.name] == nil {
			h.assume(o, v.usual)
		}
		v.hold(h, o.ID.Seq, &o.leaf, at)
	default:
		ss := h.sessions[0]
		policy := ss.policy
		if policy == nil {
			v.Prepare(o)
			if (*v.policies.Load())[h.name] == nil {
				h.assume(o, v.usual)
			}
			policy = o.policy
		}
		o.digest(policy)
		v.addTo(ss, o.ID.Seq, &o.leaf, at)
	}
}

// addTo gives a record to the one session that its handle stands for.
func (v *Verifier) addTo(ss *session, seq uint64, leaf *seal.Hash, at place) {
	h := ss.handle
	if n := len(ss.settled); n == 0 || seq > ss.settled[n-1].Last || !ss.settled.Contains(seq) {
		v.hold(h, seq, leaf, at)
		return
	}
	if ss.before.Contains(seq) {
		v.before(h, ss.stream, seq, at)
		return
	}
	if g := ss.groups[seq]; g != nil {
		v.offer(g, seq, leaf, at)
		return
	}
	if ss.void.Contains(seq) {
		h.addVoid(seq, candidate{leaf: *leaf, place: at})
		return
	}
	v.repeat(h, seq, leaf, at)
}

// before reports a record that was settled before the checkpoint from which its stream is verified.
func (v *Verifier) before(h *handle, st *stream, seq uint64, at place) {
	f := h.finding(finding.RecordBefore, seq)
	f.Stream, f.Place = st.trust.Name, v.where(at)
	v.findings.AddRecord(f)
}

// repeat judges a record whose id has been verified for another one before.
func (v *Verifier) repeat(h *handle, seq uint64, leaf *seal.Hash, at place) {
	genuine, ok := h.genuine(seq)
	switch {
	case !ok:
		h.recheck = h.recheck.Add(seal.Range{First: seq, Last: seq})
		v.again = true
	case genuine.leaf == *leaf:
		h.duplicates++
	default:
		v.conflict(h, conflict{seq: seq, candidate: candidate{leaf: *leaf, place: at}, against: genuine.place, backed: true})
	}
}

// hold keeps a record until a seal settles it.
func (v *Verifier) hold(h *handle, seq uint64, leaf *seal.Hash, at place) {
	p, slot, ok := h.leaf(seq)
	switch {
	case !ok:
		v.put(h, seq, leaf, at)
	case p.leaf[slot] == *leaf:
		h.duplicates++
	default:
		v.addExtra(h, seq, leaf, at, p.place[slot])
	}
}

func (v *Verifier) conflict(h *handle, c conflict) {
	key := conflictKey{c.seq, c.leaf}
	if h.against[key] {
		h.duplicates++
		return
	}
	if len(h.conflicts) < maxConflicts {
		if h.against == nil {
			h.against = map[conflictKey]bool{}
		}
		h.against[key] = true
		h.conflicts = append(h.conflicts, c)
		return
	}
	f := finding.New(finding.TooMany)
	v.findings.Omit(&f)
}

func (v *Verifier) handle(name string) *handle {
	if v.lastName != nil && v.lastName.name == name {
		return v.lastName
	}
	h := v.handles[name]
	if h == nil {
		h = &handle{name: name, pages: map[uint64]*page{}}
		v.handles[name] = h
	}
	v.lastName = h
	return h
}

// finding returns a finding on a record of this handle.
func (h *handle) finding(reason finding.Reason, seq uint64) finding.Finding {
	f := finding.New(reason)
	f.SetID(h.name, seq)
	return f
}

// findingAt returns a finding on what is at a place.
func findingAt(reason finding.Reason, at finding.Place) finding.Finding {
	f := finding.New(reason)
	f.Place = at
	return f
}

func (v *Verifier) place(p finding.Place) place {
	if p.File != v.lastFile || len(v.names) == 0 {
		index, ok := v.files[p.File]
		if !ok {
			index = uint64(len(v.names))
			v.files[p.File] = index
			v.names = append(v.names, p.File)
		}
		v.lastFile, v.lastIndex = p.File, index
	}
	return place(v.lastIndex<<lineBits | uint64(p.Line)&(1<<lineBits-1))
}

func (v *Verifier) where(p place) finding.Place {
	return finding.Place{File: v.names[p>>lineBits], Line: int(p & (1<<lineBits - 1))}
}

// intern returns the one pointer for equal policies.
func (v *Verifier) intern(p seal.Policy) *seal.Policy {
	for _, known := range v.interned {
		if known.Equal(&p) {
			return known
		}
	}
	v.interned = append(v.interned, &p)
	return &p
}

// publish lets Prepare know the policy of a handle.
func (v *Verifier) publish(handle string, policy *seal.Policy) {
	if policy == v.usual {
		if _, known := (*v.policies.Load())[handle]; !known {
			return // Prepare assumes it
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	next := maps.Clone(*v.policies.Load())
	next[handle] = policy
	v.policies.Store(&next)
}

func (v *Verifier) fail(err error) {
	if v.err == nil {
		v.err = err
	}
}

// meet is called for a seal of a stream that is not trusted.
func (v *Verifier) meet(n *heldNote) *stream {
	id := n.Seal.StreamID
	if v.firstUse {
		// Its key comes with an open seal, and is proven by the stream id. Until then it is not known, and nothing verifies with it.
		return v.trust(seal.Trust{Name: id}, id)
	}
	if !v.strangers[id] {
		if len(v.strangers) >= maxStrangers {
			id = "…"
		}
		v.strangers[id] = true
	}
	f := findingAt(finding.NotTrusted, n.place)
	f.Detail.StreamID = id
	v.findings.AddCause(f)
	return nil
}

// unreadable is called for what claims to be a seal and is none.
func (v *Verifier) unreadable(err error, at finding.Place) {
	reason := finding.NotASeal
	if errors.Is(err, seal.ErrUnsupported) {
		reason = finding.VersionUnknown
	}
	v.findings.AddCause(findingAt(reason, at))
}

// bad is called for a seal that no key vouches for. Anybody can write one, so it is not held against the stream it names.
func (v *Verifier) bad(n *heldNote) {
	f := findingAt(finding.UnknownKey, n.place)
	f.Detail.StreamID = n.Seal.StreamID
	v.findings.AddCause(f)
}

// Again returns a verifier for a second pass, when the first one cannot answer without: because records came before the seal that
// says which of their attributes count, or came again long after they were verified. It returns nil when the report of the
// first pass stands. The archive is then to be added once more, in the same order.
func (v *Verifier) Again() *Verifier {
	if !v.again {
		return nil
	}
	next := New(nil)
	next.firstUse = v.firstUse
	for _, st := range v.streams {
		again := next.trust(st.trust, st.id)
		if st.from != nil {
			next.startFrom(again, st.from, next.place(v.where(st.fromPlace)))
		}
	}
	known := *next.policies.Load()
	for name, h := range v.handles {
		policies := h.distinctPolicies(v)
		for i := range policies {
			policies[i] = next.intern(*policies[i])
		}
		switch len(policies) {
		case 0:
		case 1:
			known[name] = policies[0]
		default:
			shared := next.handle(name)
			shared.policies, shared.extras = policies, map[uint64][]candidate{}
		}
		if len(h.recheck) > 0 {
			next.handle(name).watch = h.recheck
		}
	}
	return next
}
