// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Part is a piece of the state, under a key of its own, for a key-value store.
type Part struct {
	Key   string // of a-z, 0-9 and "/"
	Value []byte // nil to delete the key
}

const (
	stateVersion = 2

	indexKey     = "index"
	findingsKey  = "findings"
	strangersKey = "strangers"
	streamKey    = "stream/" // and the stream's id

	// What a part may hold. Beyond it the oldest is left out, as if it had fallen out of memory.
	maxSavedRanges = 256
	maxSavedMarks  = 16
	maxSavedNotes  = 64
	maxSavedGroups = 2048
	maxSavedLeaves = 16384
	maxSavedDone   = 1024 // a session
	maxSavedLost   = 4096
)

// indexState says what other parts there are.
type indexState struct {
	Version int      `json:"logseal_watch"`
	Last    bool     `json:"last"` // nothing was observed after it
	Streams []string `json:"streams"`
}

// strangersState are the records of sessions that are not known yet, under the usual policy. It is there if nothing was observed after it.
type strangersState struct {
	Version int             `json:"logseal_watch"`
	Handles []strangerState `json:"handles"`
	Lost    []string        `json:"lost,omitempty"` // handles of which records came that are not here
}

type strangerState struct {
	Handle string      `json:"handle"`
	From   Peer        `json:"from"`
	Named  bool        `json:"named,omitempty"` // one has attributes that the usual policy leaves out
	Leaves []leafState `json:"leaves"`
}

// streamState is a stream.
type streamState struct {
	Version   int             `json:"logseal_watch"`
	Learned   *learnedState   `json:"learned,omitempty"`
	Host      string          `json:"host,omitempty"`
	Identity  string          `json:"identity,omitempty"`
	Head      *tipState       `json:"head,omitempty"`
	Tree      *treeState      `json:"tree,omitempty"`
	Marks     []markState     `json:"marks,omitempty"`
	Anchors   []anchorState   `json:"anchors,omitempty"`
	Sessions  []*sessionState `json:"sessions,omitempty"`
	Former    []string        `json:"former,omitempty"`
	Missing   rangesState     `json:"missing,omitempty"`
	Unwatched rangesState     `json:"unwatched,omitempty"`
	Held      []heldState     `json:"held,omitempty"`
	Heartbeat int64           `json:"heartbeat_ms,omitempty"`
	Sealed    time.Time       `json:"sealed"`
}

type learnedState struct {
	Trust string    `json:"trust"`
	When  time.Time `json:"when"`
	From  Peer      `json:"from"`

	Endorsed string `json:"endorsed,omitempty"` // the identity of the certificate that vouches for it
}

type tipState struct {
	Number  uint64        `json:"number"`
	Hash    b32           `json:"hash"`
	Next    b32           `json:"next"`
	Anchors []anchorState `json:"anchors"`
	Size    uint64        `json:"size"`
	Root    b32           `json:"root"`
	Kind    seal.Kind     `json:"kind"`
	Nonce   b16           `json:"nonce"`
	Time    time.Time     `json:"time"`
}

type treeState struct {
	Size     uint64 `json:"size"`
	Subtrees []b32  `json:"subtrees"`
}

type markState struct {
	Number uint64 `json:"number"`
	Text   b32    `json:"text"`
	Key    anchor `json:"key"`
	Anchor bool   `json:"anchor,omitempty"`
}

type anchorState struct {
	Number uint64 `json:"number"`
	Key    anchor `json:"key"`
}

type sessionState struct {
	Handle          string       `json:"handle"`
	Nonce           b16          `json:"nonce"`
	Exclude         []string     `json:"exclude,omitempty"`
	ExcludeResource []string     `json:"exclude_resource,omitempty"`
	Opened          bool         `json:"opened"`
	OpenNumber      uint64       `json:"open_number"`
	BootID          b16          `json:"boot"`
	RolledBack      bool         `json:"rolled_back,omitempty"`
	First           uint64       `json:"first"`
	Last            uint64       `json:"last"`
	FollowsPrior    bool         `json:"follows_prior,omitempty"` // the session before it in the list
	Began           uint64       `json:"began"`
	Working         bool         `json:"working,omitempty"`
	Closed          bool         `json:"closed,omitempty"`
	ClosedAt        uint64       `json:"closed_at,omitempty"`
	End             uint64       `json:"end,omitempty"`
	Adopted         bool         `json:"adopted,omitempty"`
	Forgetful       bool         `json:"forgetful,omitempty"`
	Judged          bool         `json:"judged,omitempty"`
	Settled         rangesState  `json:"settled,omitempty"`
	Void            rangesState  `json:"void,omitempty"`
	Skipped         rangesState  `json:"skipped,omitempty"`
	Groups          []groupState `json:"groups,omitempty"`
	Leaves          []leafState  `json:"leaves,omitempty"`
	Verified        []leafState  `json:"verified,omitempty"` // the latest, to compare copies with; if nothing was observed after it
}

type groupState struct {
	Seqs    rangesState `json:"seqs"`
	Root    b32         `json:"root"`
	Prefix  []byte      `json:"prefix,omitempty"`
	Overdue bool        `json:"overdue,omitempty"`
	Lenient bool        `json:"lenient,omitempty"`
	Told    []toldState `json:"told,omitempty"`
}

type toldState struct {
	Finding uint64 `json:"finding"` // its serial
	N       uint64 `json:"n"`
}

type leafState struct {
	Seq  uint64 `json:"seq"`
	Leaf b32    `json:"leaf"`
}

type heldState struct {
	Body string `json:"body"`
	From Peer   `json:"from"`
	Told bool   `json:"told,omitempty"`
}

// findingsState are the findings that are open.
type findingsState struct {
	Version  int            `json:"logseal_watch"`
	Findings []findingState `json:"findings"`
}

type findingState struct {
	Serial    uint64           `json:"serial"`
	Reason    finding.Reason   `json:"reason"`
	Further   []finding.Reason `json:"further,omitempty"`
	Sub       string           `json:"sub,omitempty"`
	Stream    string           `json:"stream,omitempty"`
	Name      string           `json:"name,omitempty"`
	Current   bool             `json:"current"`
	Remaining uint64           `json:"remaining"`
	Counted   uint64           `json:"counted"`
	UID       string           `json:"uid"`
	Count     uint64           `json:"count"`
	Place     string           `json:"place,omitempty"`
	Detail    finding.Detail   `json:"detail"`
	Host      string           `json:"host,omitempty"`
	From      Peer             `json:"from"`
	FirstSeen time.Time        `json:"first_seen"`
	LastSeen  time.Time        `json:"last_seen"`
	EventTime time.Time        `json:"event_time"`
	Evidence  []evidenceState  `json:"evidence,omitempty"`
}

type evidenceState struct {
	Handle string        `json:"handle,omitempty"`
	First  uint64        `json:"first,omitempty"`
	Last   uint64        `json:"last,omitempty"`
	Seals  finding.Seals `json:"seals"`
	Count  uint64        `json:"count"`
}

// rangesState is a set of numbers, as a seal writes it; empty for none.
type rangesState string

func (r rangesState) ranges(limit int) (seal.Ranges, error) {
	if r == "" {
		return nil, nil
	}
	return seal.ParseRanges(string(r), limit)
}

// b32 is a hash or a key in Base64, anchor what an anchor's key is named by, and b16 a nonce or the like: arrays are lists of numbers in JSON.
type (
	b32    [32]byte
	anchor seal.AnchorKey
	b16    [16]byte
)

// MarshalText implements encoding.TextMarshaler, and UnmarshalText its counterpart.
func (a anchor) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, a[:]), nil }

// UnmarshalText is described at MarshalText.
func (a *anchor) UnmarshalText(text []byte) error { return fixed(a[:], text) }

// MarshalText implements encoding.TextMarshaler, and UnmarshalText its counterpart.
func (b b32) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, b[:]), nil }

// UnmarshalText is described at MarshalText.
func (b *b32) UnmarshalText(text []byte) error { return fixed(b[:], text) }

// MarshalText implements encoding.TextMarshaler, and UnmarshalText its counterpart.
func (b b16) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, b[:]), nil }

// UnmarshalText is described at MarshalText.
func (b *b16) UnmarshalText(text []byte) error { return fixed(b[:], text) }

func fixed(dst, text []byte) error {
	raw, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(raw) != len(dst) {
		return errState
	}
	copy(dst, raw)
	return nil
}

// fewest keeps a set small for a part of the state: the highest ranges, and what is below as one.
func fewest(rs seal.Ranges) rangesState {
	if len(rs) > maxSavedRanges {
		rs = slices.Clone(rs[len(rs)-maxSavedRanges:])
		rs[0].First = 0
	}
	return rangesState(rs.String())
}

var errState = errors.New("it is damaged, or of another program")

// Save returns the parts of the state that have changed since the last Save: to be written in one transaction. last says that
// nothing will be observed any more; after that a restart goes on as if there had been none. Without it what came after the last Save is
// not known to a restart, and what is missing there is UNCHECKED. So there is to be a Save after Load, before the first Observe.
func (w *Watcher) Save(last bool) []Part {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []Part
	put := func(key string, value any) {
		data, err := json.Marshal(value)
		if err != nil { // it is of our own making
			panic("watch: " + err.Error())
		}
		parts = append(parts, Part{key, data})
	}
	var ids []string
	changed := last || w.wasLast || !w.indexed
	for _, id := range slices.Sorted(maps.Keys(w.streams)) {
		st := w.streams[id]
		if st.head == nil && !st.learned && st.endorsed == "" && st.heldNotes == 0 {
			continue
		}
		ids = append(ids, id)
		if !w.saved[id] {
			w.saved[id], changed, st.dirty = true, true, true
		}
		if st.dirty || last {
			put(streamKey+id, w.saveStream(st, last))
			st.dirty = false
		}
	}
	for _, id := range w.gone {
		parts = append(parts, Part{Key: streamKey + id})
		changed = true
	}
	w.gone = nil
	if changed {
		index := indexState{Version: stateVersion, Last: last, Streams: ids}
		put(indexKey, index)
		if last {
			put(strangersKey, w.saveStrangers())
		} else if w.wasLast {
			parts = append(parts, Part{Key: strangersKey})
		}
		w.indexed, w.wasLast = true, last
	}
	if w.causes.dirty {
		put(findingsKey, w.saveFindings())
		w.causes.dirty = false
	}
	return parts
}

func (w *Watcher) saveStream(st *stream, last bool) streamState {
	s := streamState{
		Version: stateVersion, Host: st.host, Identity: st.identity, Former: st.former, Heartbeat: st.heartbeat.Milliseconds(), Sealed: st.sealedNow,
		Missing: rangesState(st.missing.String()), Unwatched: rangesState(st.unwatched.String()),
	}
	if st.learned || st.endorsed != "" {
		s.Learned = &learnedState{st.trust.String(), st.when, st.from, st.endorsed}
	}
	if t := st.head; t != nil {
		s.Head = &tipState{t.number, b32(t.hash), b32(t.next), nil, t.size, b32(t.root), t.kind, t.nonce, t.time}
		for _, a := range t.named {
			s.Head.Anchors = append(s.Head.Anchors, anchorState{a.Number, anchor(a.Key)})
		}
	}
	if st.tree != nil {
		s.Tree = &treeState{Size: st.tree.Size()}
		for _, h := range st.tree.Subtrees() {
			s.Tree.Subtrees = append(s.Tree.Subtrees, b32(h))
		}
	}
	for _, m := range st.marks[max(0, len(st.marks)-maxSavedMarks):] {
		s.Marks = append(s.Marks, markState{m.number, b32(m.text), anchor(m.key), m.anchor})
	}
	for _, number := range slices.Sorted(maps.Keys(st.anchors)) {
		s.Anchors = append(s.Anchors, anchorState{number, anchor(st.anchors[number])})
	}
	for _, number := range slices.Sorted(maps.Keys(st.held)) {
		for _, n := range st.held[number] {
			if len(s.Held) < maxSavedNotes {
				s.Held = append(s.Held, heldState{n.body, n.from, n.told})
			}
		}
	}
	for i, ss := range st.sessions {
		s.Sessions = append(s.Sessions, w.saveSession(ss, i > 0 && ss.prior == st.sessions[i-1], last))
	}
	return s
}

func (w *Watcher) saveSession(ss *session, followsPrior, last bool) *sessionState {
	h := ss.handle
	s := &sessionState{
		Handle: h.name, Nonce: ss.nonce, Opened: ss.opened, OpenNumber: ss.openNumber, BootID: ss.bootID, RolledBack: ss.rolledBack,
		First: ss.first, Last: ss.last, FollowsPrior: followsPrior, Began: ss.began, Working: ss.working, Closed: ss.closed, ClosedAt: ss.closedAt, End: ss.end,
		Adopted: ss.adopted, Forgetful: ss.forgetful || len(ss.settled) > maxSavedRanges, Judged: ss.judged,
		Settled: fewest(ss.settled), Void: rangesState(ss.void[max(0, len(ss.void)-maxSavedRanges):].String()), Skipped: fewest(h.skipped),
	}
	if ss.policy != nil {
		s.Exclude, s.ExcludeResource = ss.policy.Names(), ss.policy.ResourceNames()
	}
	for _, number := range slices.Sorted(maps.Keys(ss.groups)) {
		for _, g := range ss.groups[number] {
			if g.seq(0)/leavesAPage == number && len(s.Groups) < maxSavedGroups {
				s.Groups = append(s.Groups, saveGroup(g))
			}
		}
	}
	for p := h.oldest; p != nil; p = p.next {
		if !last && p.at+w.config.LateAfter > w.clock {
			break // what has come just now is not worth its writing
		}
		p.seqs(p.waiting(), func(seq uint64, slot int) {
			for _, leaf := range append([]seal.Hash{p.leaf[slot]}, h.extras[seq]...) {
				if len(s.Leaves) < maxSavedLeaves {
					s.Leaves = append(s.Leaves, leafState{seq, b32(leaf)})
				}
			}
		})
	}
	if last {
		numbers := slices.Sorted(maps.Keys(h.pages))
		for _, number := range slices.Backward(numbers) {
			p := h.pages[number]
			p.seqs(p.done, func(seq uint64, slot int) {
				if len(s.Verified) < maxSavedDone {
					s.Verified = append(s.Verified, leafState{seq, b32(p.leaf[slot])})
				}
			})
		}
	}
	return s
}

func (w *Watcher) saveStrangers() strangersState {
	s := strangersState{Version: stateVersion, Handles: []strangerState{}}
	room := maxSavedLeaves
	for h := range w.strangers.handles {
		one := strangerState{Handle: h.name, From: h.from, Named: h.named}
		for i := range h.blind {
			one.Named = one.Named || h.blind[i].LeavesOut(w.usual)
			one.Leaves = append(one.Leaves, leafState{h.blind[i].seq, b32(h.blind[i].Digest(w.usual))})
		}
		for p := h.oldest; p != nil; p = p.next {
			p.seqs(p.waiting(), func(seq uint64, slot int) {
				for _, leaf := range append([]seal.Hash{p.leaf[slot]}, h.extras[seq]...) {
					one.Leaves = append(one.Leaves, leafState{seq, b32(leaf)})
				}
			})
		}
		switch {
		case len(one.Leaves) <= room:
			room -= len(one.Leaves)
			s.Handles = append(s.Handles, one)
		case len(s.Lost) < maxSavedLost:
			s.Lost = append(s.Lost, h.name)
		}
	}
	return s
}

func saveGroup(g *group) groupState {
	var seqs seal.Ranges
	for i := range int(g.size) {
		seqs = seqs.Add(seal.Range{First: g.seq(i), Last: g.seq(i)})
	}
	s := groupState{Seqs: rangesState(seqs.String()), Root: b32(g.root), Prefix: g.prefix, Overdue: g.overdue, Lenient: g.lenient}
	for _, c := range g.told {
		s.Told = append(s.Told, toldState{c.cause.serial, c.n})
	}
	return s
}

func (w *Watcher) saveFindings() findingsState {
	s := findingsState{Version: stateVersion, Findings: []findingState{}}
	for _, c := range w.sortedCauses() {
		e := &c.event
		f := findingState{
			Serial: c.serial, Reason: c.key.reason, Further: e.Finding.Further, Sub: c.key.sub, Stream: c.key.stream, Name: e.Finding.Stream,
			Current: w.causes.current[c.key] == c, Remaining: c.remaining, Counted: c.counted,
			UID: e.UID, Count: e.Finding.Count, Place: e.Finding.Place.File, Detail: e.Finding.Detail, Host: e.Host, From: e.Peer,
			FirstSeen: e.FirstSeen, LastSeen: e.LastSeen, EventTime: e.EventTime,
		}
		for _, v := range e.Evidence {
			f.Evidence = append(f.Evidence, evidenceState{v.handle, v.first, v.last, v.Seals, v.Count})
		}
		s.Findings = append(s.Findings, f)
	}
	return s
}

// Load takes up the state that Saves have written, before the first Observe. read returns the value of a key, nil if there is none. State
// that cannot be read is an error, and the watcher is as new.
func (w *Watcher) Load(read func(key string) ([]byte, error), now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.load(read, now); err != nil {
		w.reset()
		return fmt.Errorf("what is known of streams cannot be loaded: %w", err)
	}
	return nil
}

func (w *Watcher) load(read func(key string) ([]byte, error), now time.Time) error {
	var index indexState
	found, err := readPart(read, indexKey, &index, func() int { return index.Version })
	if !found {
		return err
	}
	w.now = now
	w.wasLast, w.indexed = index.Last, true
	if err := w.loadFindings(read); err != nil {
		return err
	}
	for _, id := range index.Streams {
		var s streamState
		found, err := readPart(read, streamKey+id, &s, func() int { return s.Version })
		if err == nil && !found {
			err = errors.New("it is not there")
		}
		if err == nil {
			err = w.loadStream(id, &s, index.Last)
		}
		if err != nil {
			return fmt.Errorf("stream %q: %w", id, err)
		}
		w.saved[id] = w.streams[id] != nil
	}
	if !index.Last {
		w.blind, w.gap = w.clock, true
		w.add(finding.NotWatched, subject{sub: "restart"}) // what came since the last Save may have been anything
		for _, st := range w.streams {                     // of those that are not known their first seals may have come
			st.resumed = true
		}
	} else if err := w.loadStrangers(read); err != nil {
		return err
	}
	w.dropStrayFindings()
	return nil
}

func (w *Watcher) loadStrangers(read func(key string) ([]byte, error)) error {
	var s strangersState
	if _, err := readPart(read, strangersKey, &s, func() int { return s.Version }); err != nil {
		return err
	}
	leaves := 0
	for _, one := range s.Handles {
		if _, err := seal.ParseID(one.Handle + "-0"); err != nil {
			return fmt.Errorf("%q: %w", strangersKey, err)
		}
		if leaves += len(one.Leaves); leaves > maxSavedLeaves || len(s.Handles) > maxHandles {
			return fmt.Errorf("%q: %w", strangersKey, errState)
		}
		h := w.handleOf(one.Handle, one.From)
		if h.session != nil {
			continue
		}
		h.assumed, h.named = true, one.Named
		for i := range one.Leaves {
			w.hold(h, one.Leaves[i].Seq, (*seal.Hash)(&one.Leaves[i].Leaf), one.From)
		}
	}
	for _, name := range s.Lost[:min(len(s.Lost), maxSavedLost)] {
		w.strangers.forget(name)
	}
	return nil
}

// readPart reads a part, and reports whether it is there.
func readPart(read func(key string) ([]byte, error), key string, into any, version func() int) (bool, error) {
	data, err := read(key)
	if err != nil || data == nil {
		return false, err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("%q: %w", key, err)
	}
	if v := version(); v != stateVersion {
		return false, fmt.Errorf("%q is of version %d, and this program knows version %d", key, v, stateVersion)
	}
	return true, nil
}

func (w *Watcher) loadFindings(read func(key string) ([]byte, error)) error {
	var s findingsState
	if _, err := readPart(read, findingsKey, &s, func() int { return s.Version }); err != nil {
		return err
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		code := f.Reason.Code()
		if code == "" || f.Remaining == 0 || len(f.Evidence) > MaxEvidence || w.causes.byCode[code] > 4*maxCauses {
			return fmt.Errorf("%q: %w", findingsKey, errState)
		}
		what := finding.New(f.Reason)
		what.Stream, what.Detail, what.Further, what.Place.File = f.Name, f.Detail, f.Further, f.Place
		c := &cause{
			key: causeKey{f.Reason, f.Stream, f.Sub}, serial: f.Serial, told: true, remaining: f.Remaining, counted: f.Counted,
			event: Event{
				UID: f.UID, State: Opened, Time: f.FirstSeen, StreamID: f.Stream, Host: f.Host, Peer: f.From,
				FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, EventTime: f.EventTime,
			},
		}
		for _, v := range f.Evidence {
			e := Evidence{Seals: v.Seals, Count: v.Count}
			if v.Handle != "" {
				if _, err := seal.ParseID(v.Handle + "-0"); err != nil || v.Last < v.First {
					return fmt.Errorf("%q: %w", findingsKey, errState)
				}
				e = newEvidence(v.Handle, v.First, v.Last)
			}
			c.event.Evidence = append(c.event.Evidence, e)
		}
		if len(c.event.Evidence) > 0 && c.event.Evidence[0].handle != "" {
			e := &c.event.Evidence[0]
			what.SetIDs(e.handle, e.first, e.last)
		}
		what.Count = f.Count
		c.event.Finding = what
		if !f.Current || w.causes.current[c.key] != nil {
			w.enlistOld(c)
		} else {
			w.enlist(c)
		}
	}
	return nil
}

// dropStrayFindings ends findings on streams that are not known any more, or that are now.
func (w *Watcher) dropStrayFindings() {
	for _, c := range w.sortedCauses() {
		switch {
		case c.key.stream != "" && w.streams[c.key.stream] == nil:
			w.forget(c)
		case c.key.reason.Code() == finding.UnknownStream && w.streams[c.key.sub] != nil:
			w.retract(c, c.remaining)
		}
	}
}

func (w *Watcher) loadStream(id string, s *streamState, last bool) error {
	st := w.streams[id]
	if st == nil && s.Learned != nil && (s.Learned.Endorsed == "" && w.config.Learn || s.Learned.Endorsed != "" && w.config.Roots != nil) {
		t, err := seal.ParseTrustLine(s.Learned.Trust)
		if err != nil {
			return err
		}
		if t.StreamID() != id {
			return errState
		}
		st = w.trust(t)
		st.learned, st.endorsed, st.when, st.from = s.Learned.Endorsed == "", s.Learned.Endorsed, s.Learned.When, s.Learned.From
	}
	if st == nil {
		w.gone = append(w.gone, id) // it is trusted no more
		return nil
	}
	if st.head != nil || st.heldNotes > 0 {
		return errState // it is there twice
	}
	st.host, st.identity = strings.Clone(s.Host[:min(len(s.Host), maxHost)]), s.Identity
	st.heartbeat, st.sealedNow, st.sealedAt = time.Duration(s.Heartbeat)*time.Millisecond, s.Sealed, w.clock
	st.away = max(0, w.now.Sub(s.Sealed))
	if st.heartbeat < 0 || st.heartbeat > seal.MaxDuration || len(s.Marks) > maxMarks || len(s.Anchors) > 64 || len(s.Sessions) > maxSessions+2 ||
		len(s.Former) > maxFormer || len(s.Held) > maxSavedNotes {
		return errState
	}
	var err error
	if st.missing, err = s.Missing.ranges(maxNumbers); err != nil {
		return err
	}
	if st.unwatched, err = s.Unwatched.ranges(maxNumbers); err != nil {
		return err
	}
	for _, m := range s.Marks {
		st.marks = append(st.marks, mark{m.Number, seal.Hash(m.Text), seal.AnchorKey(m.Key), m.Anchor})
	}
	for _, a := range s.Anchors {
		st.anchors[a.Number] = seal.AnchorKey(a.Key)
	}
	for _, name := range s.Former {
		st.former = append(st.former, name)
		w.former[name] = st
	}
	if s.Head != nil {
		t := s.Head
		st.head = &tip{number: t.Number, hash: seal.Hash(t.Hash), next: seal.PublicKey(t.Next), size: t.Size, root: seal.Hash(t.Root), kind: t.Kind, nonce: t.Nonce, time: t.Time}
		for _, a := range t.Anchors {
			st.head.named = append(st.head.named, seal.Anchor{Number: a.Number, Key: seal.AnchorKey(a.Key)})
		}
	} else if len(s.Sessions) > 0 {
		return errState
	}
	if s.Tree != nil {
		if bits.OnesCount64(s.Tree.Size) != len(s.Tree.Subtrees) {
			return errState
		}
		subtrees := make([]seal.Hash, len(s.Tree.Subtrees))
		for i := range subtrees {
			subtrees[i] = seal.Hash(s.Tree.Subtrees[i])
		}
		tree := seal.TreeOf(s.Tree.Size, subtrees)
		st.tree = &tree
	}
	for i, saved := range s.Sessions {
		if saved == nil {
			return errState
		}
		if err := w.loadSession(st, saved, last); err != nil {
			return err
		}
		if saved.FollowsPrior && i > 0 {
			prior, next := st.sessions[i-1], st.sessions[i]
			prior.next, next.prior = next, prior
		}
	}
	for _, held := range s.Held {
		if parsed, err := seal.ParseNote(held.Body); err == nil && parsed.Seal.StreamID == id {
			n := newNote(parsed, held.Body, held.From, w.clock)
			n.told = held.Told
			w.wait(st, n)
		}
	}
	st.silent = w.causes.current[causeKey{finding.HeartbeatMissed, id, ""}]
	st.nofirst = w.causes.current[causeKey{finding.NoFirstSeal, id, ""}]
	st.strange = w.causes.current[causeKey{finding.UnknownKey, id, ""}]
	return nil
}

func (w *Watcher) loadSession(st *stream, s *sessionState, last bool) error {
	if _, err := seal.ParseID(s.Handle + "-0"); err != nil {
		return err
	}
	ss := w.newSession(st, s.First, s.Nonce, s.Handle)
	ss.opened, ss.openNumber, ss.bootID, ss.rolledBack = s.Opened, s.OpenNumber, s.BootID, s.RolledBack
	ss.last, ss.began, ss.working, ss.closed, ss.closedAt, ss.end = max(s.First, s.Last), s.Began, s.Working, s.Closed, s.ClosedAt, s.End
	ss.adopted, ss.forgetful, ss.judged, ss.sealedAt = s.Adopted, s.Forgetful, s.Judged, w.clock
	if s.Opened {
		policy, err := seal.NewPolicy(s.Exclude, s.ExcludeResource)
		if err != nil {
			return err
		}
		ss.policy = w.shared(st, policy)
	}
	h := ss.handle
	var err error
	if ss.settled, err = s.Settled.ranges(maxSavedRanges); err != nil {
		return err
	}
	if ss.void, err = s.Void.ranges(maxSavedRanges); err != nil {
		return err
	}
	if h.skipped, err = s.Skipped.ranges(maxSavedRanges); err != nil {
		return err
	}
	if len(s.Groups) > maxSavedGroups || len(s.Leaves) > maxSavedLeaves || len(s.Verified) > maxSavedDone {
		return errState
	}
	for i := range s.Verified {
		if _, _, ok := h.leaf(s.Verified[i].Seq); !ok {
			w.put(h, s.Verified[i].Seq, (*seal.Hash)(&s.Verified[i].Leaf))
			if p, slot, ok := h.leaf(s.Verified[i].Seq); ok { // put may have needed room
				w.settleLeaf(p, slot, true)
			}
		}
	}
	for i := range s.Leaves {
		w.hold(h, s.Leaves[i].Seq, (*seal.Hash)(&s.Leaves[i].Leaf), Peer{})
	}
	for i := range s.Groups {
		if err := w.loadGroup(ss, &s.Groups[i], last); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) loadGroup(ss *session, s *groupState, last bool) error {
	seqs, err := s.Seqs.ranges(seal.GroupSize)
	if err != nil {
		return err
	}
	n := seqs.Len()
	doubt := s.Prefix == nil
	if n == 0 || n > seal.GroupSize || doubt && n > 1 || !doubt && uint64(len(s.Prefix)) != 2*n {
		return errState
	}
	g := &group{session: ss, doubt: doubt, lenient: s.Lenient || !last, size: uint8(n), first: seqs[0].First, root: seal.Hash(s.Root), prefix: s.Prefix, overdue: s.Overdue, born: w.clock}
	if s.Overdue {
		g.lenient = s.Lenient
	}
	if len(seqs) > 1 {
		for _, r := range seqs {
			for seq := r.First; seq <= r.Last; seq++ {
				g.rest = append(g.rest, seq)
			}
		}
	}
	for _, t := range s.Told {
		for c := range w.causes.open {
			if c.serial == t.Finding {
				g.told = append(g.told, contribution{c, t.N})
			}
		}
	}
	w.enter(g)
	return nil
}
