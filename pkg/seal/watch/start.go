// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
)

// Start is a seal from which a stream can be watched that began before anybody did: what "logseal verify --checkpoint" writes of a stream that it has
// verified. Whoever gives one vouches for it, as for a trust line.
type Start struct {
	Last *seal.Seal // the seal to go on from
	StartSession

	Complete bool          // Settled are all the numbers of the session that are settled
	Prior    *StartSession // the session before, if that of Last may still adopt records of it; nil if not
	Former   []string      // the handles of the sessions before these
}

// StartSession is what is known of a session at a [Start].
type StartSession struct {
	Open    *seal.Seal // its open seal
	Settled seal.Ranges
	Waiting []StartLeaf // records that wait for their seals
}

// StartLeaf is the digest of a record.
type StartLeaf struct {
	Seq  uint64
	Leaf seal.Hash
}

// check says what is wrong with a start.
func (s *Start) check() error {
	switch {
	case s.Open == nil:
		return fmt.Errorf("the open seal of the session of seal %d is not there, so it is not known which attributes count: use a checkpoint that logseal verify --checkpoint wrote of an archive that holds it", s.Last.Number)
	case s.Open.StreamID != s.Last.StreamID || s.Open.Nonce != s.Last.Nonce || s.Open.Kind != seal.KindOpen || s.Open.Number > s.Last.Number:
		return fmt.Errorf("seal %d is not the open seal of the session of seal %d", s.Open.Number, s.Last.Number)
	case s.Prior != nil && (s.Prior.Open == nil || s.Prior.Open.StreamID != s.Last.StreamID || s.Prior.Open.Nonce == s.Last.Nonce || s.Prior.Open.Number >= s.Open.Number):
		return fmt.Errorf("the session before that of seal %d does not open before it", s.Last.Number)
	}
	return nil
}

// StartFrom watches a stream that is trusted from a seal on, unless it is watched already. What came between that seal and now was not watched, and is
// not missing.
func (w *Watcher) StartFrom(s *Start, now time.Time) ([]Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advanceClock(now)
	st := w.streams[s.Last.StreamID]
	if st == nil {
		return nil, fmt.Errorf("seal %d is of stream %s, which is not trusted: its trust line is needed too", s.Last.Number, s.Last.StreamID)
	}
	if st.head != nil {
		return nil, nil
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	last, hash := s.Last, seal.Hash(sha256.Sum256([]byte(s.Last.Text())))
	st.head = tipOf(&note{Note: &seal.Note{Seal: last}, hash: hash})
	st.resumed, st.after = true, resumption{away: max(0, now.Sub(last.Time))}
	st.sealedAt, st.sealedNow, st.dirty = w.clock, w.now, true
	st.heartbeat = s.Open.Heartbeat
	w.remember(st, mark{number: last.Number, text: hash, anchor: true})
	for _, known := range []*seal.Seal{s.Open, last} {
		for _, a := range known.Anchors {
			if a.Number > last.Number {
				st.anchors[a.Number] = a.Key
			}
		}
	}
	st.former = slices.Clone(s.Former[:min(len(s.Former), maxFormer)])
	for _, name := range st.former {
		w.former[name] = st
	}
	var prior *session
	if s.Prior != nil {
		prior = w.startSession(st, s.Prior, s.Prior.Open.Number)
		prior.forgetful = true // what of it was settled before may not be all that was
	}
	own := w.startSession(st, &s.StartSession, last.Number)
	own.forgetful = !s.Complete
	w.link(st, prior, own)
	if last.Kind != seal.KindOpen && last.Kind != seal.KindAdopt {
		own.began, own.working = last.Number, true
	}
	if last.Kind == seal.KindClose {
		own.closed, own.closedAt, own.end, own.judged = true, last.Number, last.End, true
	}
	if prior != nil {
		w.startLeaves(prior, s.Prior.Waiting)
	}
	w.startLeaves(own, s.Waiting)
	w.retract(st.nofirst, 1)
	st.nofirst = nil
	w.passOver(st)
	w.advance(st)
	w.judgeSessions(st)
	return w.flush(), nil
}

func (w *Watcher) startSession(st *stream, s *StartSession, last uint64) *session {
	open := s.Open
	ss := w.newSession(st, open.Number, open.Nonce, open.Handle)
	heartbeat := st.heartbeat
	w.opened(ss, open)
	st.heartbeat = heartbeat
	ss.last, ss.heardAt = last, w.clock
	ss.settled = slices.Clone(s.Settled)
	if len(ss.settled) > maxRanges {
		ss.settled, ss.forgetful = bounded(ss.settled), true
	}
	w.recognise(ss)
	return ss
}

func (w *Watcher) startLeaves(ss *session, list []StartLeaf) {
	for i := range list {
		w.record(ss, list[i].Seq, &list[i].Leaf, Peer{})
	}
}

// passOver forgets the seals that wait and are not above the chain's head.
func (w *Watcher) passOver(st *stream) {
	for number, list := range st.held {
		if number > st.head.number {
			continue
		}
		for _, n := range slices.Clone(list) {
			w.retract(n.told, 1)
			w.unhold(st, n)
		}
	}
}
