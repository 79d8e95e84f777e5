// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/session"
)

// Checkpoint is a seal from which a stream is verified on, instead of from its first: because an archive does not reach back that far, or
// because what came before has been verified. Whoever gives one vouches for the seal, as for a trust line: nothing in the
// archive proves it.
type Checkpoint struct {
	Last *seal.Seal // the seal to go on from
	Open *seal.Seal // the open seal of its session, which says what attributes do not count; nil if it is not known

	// Settled are the numbers of its session that Last and seals before it cover or void. Complete says that these are all.
	Settled  seal.Ranges
	Complete bool

	// Waiting are the leaves of records of the session that were found and not sealed by then.
	Waiting []WaitingLeaf

	// Prior is the session before, if that of Last may still adopt records of it; nil if not.
	Prior *PriorSession

	// Former are the handles of the sessions before these.
	Former []string

	// Identity is that of the certificate that vouched for the stream; empty if that has a trust line.
	Identity string
}

// PriorSession is what a checkpoint holds of the session before the one of its seal.
type PriorSession struct {
	Open    *seal.Seal
	Settled seal.Ranges
	Waiting []WaitingLeaf
}

// WaitingLeaf is a record that waits for its seal.
type WaitingLeaf struct {
	Seq  uint64
	Leaf seal.Hash
}

// NewCheckpoint returns the checkpoint of the highest of the given seals of one stream. Of the others, only the open seal of its session
// counts.
func NewCheckpoint(seals []*seal.Seal) Checkpoint {
	var c Checkpoint
	for _, s := range seals {
		if c.Last == nil || s.Number > c.Last.Number {
			c.Last = s
		}
	}
	for _, s := range seals {
		if s.Kind == seal.KindOpen && s.Nonce == c.Last.Nonce {
			c.Open = s
		}
	}
	if c.Last.Kind != seal.KindAdopt { // that settles another session's
		c.Settled = slices.Clone(c.Last.Covered)
		for _, r := range c.Last.Void {
			c.Settled = c.Settled.Add(r)
		}
	}
	return c
}

// From makes the verifier go on from checkpoints, of trusted streams. It is to be called before records are added; place is where
// findings say that the checkpoints are.
func (v *Verifier) From(list []Checkpoint, place finding.Place) error {
	for i := range list {
		c := &list[i]
		st := v.streams[c.Last.StreamID]
		switch {
		case st == nil && v.roots != nil && c.Open == nil:
			return fmt.Errorf("seal %d is of stream %s, which is not in the trust file, and its key is not known without the open seal of its session", c.Last.Number, c.Last.StreamID)
		case st == nil && v.roots == nil:
			return fmt.Errorf("seal %d is of stream %s, which is not in the trust file", c.Last.Number, c.Last.StreamID)
		case st != nil && st.from != nil:
			return fmt.Errorf("there are two checkpoints of stream %s", c.Last.StreamID)
		case c.Open != nil && (c.Open.StreamID != c.Last.StreamID || c.Open.Nonce != c.Last.Nonce || c.Open.Kind != seal.KindOpen || c.Open.Number > c.Last.Number):
			return fmt.Errorf("seal %d is not the open seal of the session of seal %d", c.Open.Number, c.Last.Number)
		case c.Prior != nil && (c.Prior.Open.StreamID != c.Last.StreamID || c.Prior.Open.Nonce == c.Last.Nonce || c.Prior.Open.Number >= c.Last.Number):
			return fmt.Errorf("seal %d does not open the session before that of seal %d", c.Prior.Open.Number, c.Last.Number)
		}
		if st == nil {
			// Who gives the seal vouches for it, as the certificate has done for the first.
			st = v.addStream(seal.Trust{Key: c.Open.Key, Name: endorse.StreamName(c.Identity, c.Open)}, c.Open.StreamID, nil, false)
			st.identity = c.Identity
		}
		v.startFrom(st, c, place)
	}
	return nil
}

// startFrom makes a stream's chain begin with the seal of a checkpoint.
func (v *Verifier) startFrom(st *stream, c *Checkpoint, at finding.Place) {
	st.from, st.fromPlace = c, at
	v.records.FromSeal()
	var earlier []*seal.Seal
	var prior *session.Resumed
	if p := c.Prior; p != nil {
		earlier = append(earlier, p.Open)
		prior = &session.Resumed{Open: p.Open, Settled: p.Settled}
	}
	if c.Open != nil && c.Open.Number < c.Last.Number {
		earlier = append(earlier, c.Open)
	}
	st.chain.StartFrom(c.Last, c.Complete, earlier, at)
	for _, handle := range c.Former {
		v.records.EndedBefore(handle, st.chain.Name())
	}
	own, before := st.sessions.Resume(session.Resumed{Last: c.Last, Open: c.Open, Settled: c.Settled}, prior)
	v.addWaiting(own, c.Waiting, at)
	if before != nil {
		v.addWaiting(before, c.Prior.Waiting, at)
	}
}

func (v *Verifier) addWaiting(s *session.Session, list []WaitingLeaf, at finding.Place) {
	for i := range list {
		if v.records.AddWaiting(s, list[i].Seq, &list[i].Leaf, at) {
			v.count++
		}
	}
}

// checkpoints returns for each stream that has a genuine seal where a later verification can go on.
func (v *Verifier) checkpoints() []Checkpoint {
	var list []Checkpoint
	for _, st := range v.sortedStreams() {
		if st.chain.Begun() {
			list = append(list, v.checkpoint(st))
		}
	}
	return list
}

func (v *Verifier) checkpoint(st *stream) Checkpoint {
	own, prior, complete := st.sessions.Current()
	c := Checkpoint{
		Last: st.chain.Tip(), Open: own.OpenSeal(), Settled: own.SettledIDs(), Complete: complete, Waiting: v.waiting(own), Identity: st.identity,
	}
	if prior != nil {
		c.Prior = &PriorSession{Open: prior.OpenSeal(), Settled: prior.SettledIDs(), Waiting: v.waiting(prior)}
	}
	for _, s := range st.sessions.All() {
		if s != own && s != prior {
			c.Former = append(c.Former, s.Handle())
		}
	}
	if st.from != nil {
		c.Former = append(c.Former, st.from.Former...)
	}
	return c
}

// waiting returns the leaves of a session's records that no seal has settled.
func (v *Verifier) waiting(s *session.Session) []WaitingLeaf {
	var list []WaitingLeaf
	for seq, leaf := range v.records.Waiting(s) {
		list = append(list, WaitingLeaf{seq, leaf})
	}
	return list
}

// checkpointFile is a file of checkpoints, in JSON.
type checkpointFile struct {
	Version int                `json:"logseal_checkpoint"`
	Streams []checkpointStream `json:"streams"`
}

type checkpointStream struct {
	Name     string `json:"name,omitempty"` // for people
	Identity string `json:"identity,omitempty"`
	Seal     string `json:"seal"` // the text that is signed
	Complete bool   `json:"complete"`
	sessionJSON
	Prior  *sessionJSON `json:"prior,omitempty"`
	Former []string     `json:"former,omitempty"`
}

type sessionJSON struct {
	Open    string        `json:"open,omitempty"`
	Settled string        `json:"settled,omitempty"`
	Waiting []waitingJSON `json:"waiting,omitempty"`
}

type waitingJSON struct {
	Seq  uint64 `json:"seq"`
	Leaf []byte `json:"leaf"`
}

const checkpointVersion = 1

// MarshalCheckpoints writes checkpoints as a file: docs/verify.md shows one.
func MarshalCheckpoints(list []Checkpoint) ([]byte, error) {
	file := checkpointFile{Version: checkpointVersion, Streams: []checkpointStream{}}
	for i := range list {
		c := &list[i]
		s := checkpointStream{Identity: c.Identity, Seal: c.Last.Text(), Complete: c.Complete, Former: c.Former, sessionJSON: marshalSession(c.Open, c.Settled, c.Waiting)}
		if c.Open != nil {
			s.Name = c.Open.Name
		}
		if p := c.Prior; p != nil {
			prior := marshalSession(p.Open, p.Settled, p.Waiting)
			s.Prior = &prior
		}
		file.Streams = append(file.Streams, s)
	}
	data, err := json.MarshalIndent(file, "", "  ")
	return append(data, '\n'), err
}

func marshalSession(open *seal.Seal, settled seal.Ranges, waiting []WaitingLeaf) sessionJSON {
	s := sessionJSON{Settled: settled.String()}
	if open != nil {
		s.Open = open.Text()
	}
	for i := range waiting {
		s.Waiting = append(s.Waiting, waitingJSON{waiting[i].Seq, waiting[i].Leaf[:]})
	}
	return s
}

// ParseCheckpoints reads what [MarshalCheckpoints] wrote.
func ParseCheckpoints(data []byte) ([]Checkpoint, error) {
	var file checkpointFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Version != checkpointVersion {
		return nil, fmt.Errorf("it is of version %d, and this program knows version %d", file.Version, checkpointVersion)
	}
	var list []Checkpoint
	for i := range file.Streams {
		s := &file.Streams[i]
		last, err := seal.ParseSeal(s.Seal)
		if err != nil {
			return nil, err
		}
		c := Checkpoint{Last: last, Complete: s.Complete, Former: s.Former, Identity: s.Identity}
		if c.Open, c.Settled, c.Waiting, err = s.parse(); err != nil {
			return nil, err
		}
		if s.Prior != nil {
			p := new(PriorSession)
			if p.Open, p.Settled, p.Waiting, err = s.Prior.parse(); err != nil {
				return nil, err
			}
			if p.Open == nil {
				return nil, errors.New("the session before has no open seal")
			}
			c.Prior = p
		}
		list = append(list, c)
	}
	return list, nil
}

func (s *sessionJSON) parse() (open *seal.Seal, settled seal.Ranges, waiting []WaitingLeaf, err error) {
	if s.Open != "" {
		if open, err = seal.ParseSeal(s.Open); err != nil {
			return nil, nil, nil, err
		}
		if open.Kind != seal.KindOpen {
			return nil, nil, nil, fmt.Errorf("seal %d is no open seal", open.Number)
		}
	}
	if s.Settled != "" {
		if settled, err = seal.ParseRanges(s.Settled, len(s.Settled)); err != nil {
			return nil, nil, nil, err
		}
	}
	for _, w := range s.Waiting {
		leaf := WaitingLeaf{Seq: w.Seq}
		if len(w.Leaf) != seal.HashSize {
			return nil, nil, nil, errors.New("a leaf is not a SHA-256 value")
		}
		copy(leaf.Leaf[:], w.Leaf)
		waiting = append(waiting, leaf)
	}
	return open, settled, waiting, nil
}
