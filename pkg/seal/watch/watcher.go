// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// MaxStep is how long may lie between two calls for the time between them to count: a watcher that was not called did not wait. So a
// process that stood still, or a clock that was set, makes nobody late or silent.
const MaxStep = 10 * time.Second

// maxHost bounds the name of a host.
const maxHost = 256

// nothing is the policy that leaves out nothing, under which a record is kept whole.
var nothing seal.Policy

// Watcher verifies what it is shown. Its methods may be called from several goroutines; each call is answered under one lock.
type Watcher struct {
	config Config
	usual  *seal.Policy // what is assumed of a session whose open seal is not known: see [seal.Usual]

	mu    sync.Mutex
	now   time.Time     // the caller's clock, at the last call
	clock time.Duration // how long it has been called

	streams map[string]*stream
	names   map[string]int
	gone    []string // ids of streams that were saved and are not to be kept
	former  map[string]*stream

	handles    map[string]*handle
	lastHandle *handle
	strangers  strangers
	early      []*note // seals of streams that may be learned
	heldBytes  int

	pending   int // leaves that wait
	pages     int // pages in which they do
	maxPages  int
	freePages []*page
	done      []*page // with verified leaves: a ring
	doneAt    int
	expected  groupQueue // groups that may still become complete in time
	overdue   groupQueue

	hasher canonical.Hasher
	batch  batch
	causes causes
	claims map[string]bool // in a Tick, when they are asked for: handles that seals name which nothing vouches for since a restart
	gap    bool            // before the first call there was a time that was not watched
	blind  time.Duration   // when it passed last that it is not known what was not looked at

	saved            map[string]bool // streams of which there is a part of the state
	indexed, wasLast bool            // there is an index, and it says that nothing came after it

	records, verifiedCount, duplicates, sealCount, lagCount uint64
	lagSum                                                  time.Duration

	inbox inbox
}

// New returns a watcher that has seen nothing yet.
func New(config Config) (*Watcher, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Watcher{config: config}
	usual := seal.Usual()
	w.usual = &usual
	w.reset()
	return w, nil
}

// reset makes the watcher as new.
func (w *Watcher) reset() {
	w.streams, w.names, w.former, w.saved = map[string]*stream{}, map[string]int{}, map[string]*stream{}, map[string]bool{}
	w.handles, w.strangers, w.causes = map[string]*handle{}, newStrangers(), newCauses()
	w.blind, w.gap = -time.Hour, false
	w.gone, w.early, w.heldBytes, w.indexed, w.wasLast = nil, nil, 0, false, false
	w.lastHandle, w.pending, w.pages, w.done, w.doneAt = nil, 0, 0, nil, 0
	w.expected, w.overdue = groupQueue{}, groupQueue{}
	// Leaves that lie scattered take a page each: what is waited for is bounded by pages too.
	w.maxPages = 3 * (w.config.MaxPending/leavesAPage + 1)
	for _, t := range w.config.Trust {
		w.trust(t)
	}
	for _, st := range w.streams {
		st.twin = w.names[st.trust.Name] > 1
	}
}

// Observe takes in records and seals that came from a peer, and changes nothing in them. It keeps no part of ld.
func (w *Watcher) Observe(ld plog.Logs, from Peer, now time.Time) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advanceClock(now)
	w.takeInbox()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			w.scope(rl, sl, from)
		}
	}
	w.hasher.Reset()
	return w.flush()
}

// advanceClock lets the time pass that has.
func (w *Watcher) advanceClock(now time.Time) {
	if !w.now.IsZero() {
		w.clock += min(max(0, now.Sub(w.now)), MaxStep)
	}
	w.now = now
}

// scope takes in the records of one scope.
func (w *Watcher) scope(rl plog.ResourceLogs, sl plog.ScopeLogs, from Peer) {
	var (
		source    seal.Hash
		sourceOf  *seal.Policy // that source was computed under
		sourceErr error
		encoding  []byte // of the source, with everything
		last      *handle
	)
	for _, lr := range sl.LogRecords().All() {
		id, has, err := canonical.ReadID(lr.Attributes())
		h := w.lastHandle
		if !has || h == nil || h.name != id.Handle { // most are of the session of the one before, which may wait for this one
			w.recordBatch(from)
		}
		if !has && err == nil && seal.IsSeal(lr) {
			if err := readable(&w.hasher, rl, sl, lr); err != nil {
				w.add(canonical.Fault(err), subject{sub: from.key(), from: from})
			} else {
				w.note(lr.Body().Str(), from)
			}
			continue
		}
		w.records++
		if !has {
			reason := finding.NoID
			if err != nil {
				reason = canonical.Fault(err)
			}
			w.add(reason, subject{sub: from.key(), from: from})
			continue
		}
		if h == nil || h.name != id.Handle {
			if st := w.former[id.Handle]; st != nil {
				again := subject{stream: st, handle: id.Handle, first: id.Seq, last: id.Seq, from: from}
				w.add(finding.CameAgain, again)
				w.bind(st, from, again)
				continue
			}
			h = w.handleOf(id.Handle, from)
		}
		ss := h.session
		policy := &nothing
		if ss != nil {
			policy = ss.policyOr(w.usual)
			if h != last {
				last = h
				w.meetRecords(ss.stream, rl)
			}
			if w.config.BindIdentity && ss.stream.identity != from.Identity {
				w.bind(ss.stream, from, h.on(id.Seq, id.Seq, from))
			}
		} else if w.config.BindIdentity {
			h.note(from, id.Seq)
		}
		if err == nil && sourceOf != policy {
			encoding, sourceErr = w.hasher.SourceEncoding(rl, sl, policy)
			sourceOf, source = policy, sha256.Sum256(encoding)
			if ss == nil {
				encoding = slices.Clone(encoding)
			}
		}
		if err == nil {
			err = sourceErr
		}
		switch {
		case err != nil:
		case ss == nil:
			var b []byte
			if b, err = w.hasher.Canonical(&source, lr, policy); err == nil {
				w.strange(h, id.Seq, &canonical.Record{Canonical: b, Attributes: canonical.AttributesAt(b), Source: &canonical.Source{Encoding: encoding}}, from)
			}
		default:
			var full bool
			if full, err = w.hasher.Add(&source, lr, policy); err == nil {
				if w.batch.add(ss, id.Seq); full {
					w.recordBatch(from)
				}
			}
		}
		if err != nil {
			w.recordBatch(from)
			w.malformed(h, id.Seq, canonical.Fault(err), from)
		}
	}
	w.recordBatch(from)
}

// batch is records of one session, one behind the other, whose digests the hasher has not computed yet.
type batch struct {
	session *session
	n       int
	seqs    [canonical.MaxBatch]uint64
}

func (b *batch) add(ss *session, seq uint64) {
	b.session, b.seqs[b.n] = ss, seq
	b.n++
}

// recordBatch takes in the records of the batch. Whatever comes behind them waits until then.
func (w *Watcher) recordBatch(from Peer) {
	b := &w.batch
	if b.n == 0 {
		return
	}
	var leaves [canonical.MaxBatch]seal.Hash
	w.hasher.Digests(leaves[:])
	for i, seq := range b.seqs[:b.n] {
		w.record(b.session, seq, &leaves[i], from)
	}
	b.session, b.n = nil, 0
}

// readable returns an error if two readers may read a record, which claims to be a seal, in different ways: then it is none.
func readable(h *canonical.Hasher, rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord) error {
	if _, err := h.SourceEncoding(rl, sl, &nothing); err != nil {
		return err
	}
	_, err := h.Canonical(&seal.Hash{}, lr, &nothing)
	return err
}

// meetRecords notes which host records of a stream are of.
func (w *Watcher) meetRecords(st *stream, rl plog.ResourceLogs) {
	if host, ok := rl.Resource().Attributes().Get("host.name"); ok && host.Str() != st.host && len(host.Str()) <= maxHost {
		st.host, st.dirty = host.Str(), true
	}
}

// malformed reports a record that has an id and no meaning.
func (w *Watcher) malformed(h *handle, seq uint64, reason finding.Reason, from Peer) {
	w.add(reason, h.on(seq, seq, from))
	if len(h.broken) < maxMalformed {
		if h.broken == nil {
			h.broken = map[uint64]bool{}
		}
		h.broken[seq] = true
	}
}

// Tick lets time pass: what has waited too long is reported. It is to be called about once a second.
func (w *Watcher) Tick(now time.Time) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advanceClock(now)
	w.takeInbox()
	w.judgeEarly(func(n *note) bool { return n.at+w.config.LateAfter <= w.clock })
	w.claims = nil
	for _, st := range w.streams {
		w.judgeChain(st)
	}
	w.judgeGroups()
	for _, h := range w.handles {
		if h.session == nil {
			w.judgeStranger(h)
		} else if !h.session.stream.resumed {
			w.judgeWaiting(h)
		}
	}
	return append(w.flush(), w.update()...)
}

// judgeStranger reports records of a session that no authentic seal knows, in time.
func (w *Watcher) judgeStranger(h *handle) {
	if h.orphans != nil || h.born+w.config.LateAfter > w.clock {
		return
	}
	w.digestBlind(h)
	for p := h.oldest; p != nil; p = p.next {
		p.seqs(p.waiting(), func(seq uint64, _ int) { w.orphan(h, seq) })
	}
}

func (w *Watcher) orphan(h *handle, seq uint64) {
	reason := finding.SessionUnknown
	if w.config.Partial || w.claimed(h) {
		reason = finding.NotWatched
	}
	h.orphans.add(w.add(reason, h.on(seq, seq, h.from)), 1)
}

// claimed reports whether the seals of a session may have come in a time that was not watched: some time after that, only if others name it.
func (w *Watcher) claimed(h *handle) bool {
	if w.gap && w.clock < keepSession {
		return true
	}
	if w.claims == nil {
		w.claims = map[string]bool{}
		for _, st := range w.streams {
			if !st.resumed {
				continue
			}
			for _, list := range st.held {
				for _, n := range list {
					w.claims[n.Seal.Handle], w.claims[n.Seal.Adopts] = true, true
				}
			}
		}
	}
	return w.claims[h.name]
}

// blindSince reports whether something that nobody knows of passed without being looked at, about when a seal came or since.
func (w *Watcher) blindSince(t time.Duration) bool { return w.blind+w.config.LateAfter >= t }

// Open returns the findings that are open, each as it was told last, in the order in which they were found.
func (w *Watcher) Open() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Event
	for _, c := range w.sortedCauses() {
		if c.told {
			e := c.event
			e.Evidence = slices.Clone(e.Evidence)
			list = append(list, e)
		}
	}
	return list
}

// Stats returns figures for metrics.
func (w *Watcher) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Stats{
		Records: w.records, Verified: w.verifiedCount, Duplicates: w.duplicates, Seals: w.sealCount, Unchecked: w.causes.found[finding.Unchecked],
		Found: maps.Clone(w.causes.found), Open: map[finding.Code]int{}, Expected: w.expected.leaves, Pending: w.pending,
		LagSum: w.lagSum, LagCount: w.lagCount,
	}
	for c := range w.causes.open {
		if c.told {
			s.Open[c.key.reason.Code()]++
		}
	}
	for _, st := range w.sortedStreams() {
		one := StreamStats{Name: st.trust.Name, StreamID: st.id, LastSeal: st.sealedNow, Silent: st.silent != nil}
		if st.head != nil {
			one.SealTime, one.Closed = st.head.time, st.head.kind == seal.KindClose
		}
		for _, ss := range st.sessions {
			one.Pending += ss.handle.pending
		}
		s.Streams = append(s.Streams, one)
	}
	return s
}

// Learned returns the streams that were trusted on first use, by name.
func (w *Watcher) Learned() []Learned {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Learned
	for _, st := range w.sortedStreams() {
		if st.learned {
			list = append(list, Learned{st.trust, st.when, st.from})
		}
	}
	return list
}

// sortedStreams returns the streams by name.
func (w *Watcher) sortedStreams() []*stream {
	return slices.SortedFunc(maps.Values(w.streams), func(a, b *stream) int {
		return cmp.Or(cmp.Compare(a.trust.Name, b.trust.Name), cmp.Compare(a.id, b.id))
	})
}
