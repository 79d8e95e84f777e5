// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// A round makes one or more seals with four writes, of which each can be the last
// before a crash:
//
//  1. the chain after the round goes into the key file's free slot;
//  2. the seals, and the state after them, go into the store, as one transaction;
//  3. the key file's other slot, with the keys that signed, is overwritten;
//  4. the seals are sent.
//
// Leaves that a seal covers go with 2, or after 3 if they are not in the store.
//
// A crash before 2 leaves the chain as it was: the store's state says which slot
// counts. After 2 the seals are there to be sent at the next start. Nothing is
// sent while a key that signed it is on the disk.
type round struct {
	drafts []*seal.Seal // complete but for their place in the chain and in time
	first  bool         // of the session
	state  state        // after the round, but for what only its seals tell
	dead   []uint64     // chunks that are not needed after it

	stage stage
	after *keychain.Chain // from stageSigned on, as what follows
	seals []storedSeal
	ops   []*Op
}

// stage is how far a round has come, by the last of the writes above that is done.
type stage int

const (
	stageDrafted stage = iota
	stageSigned        // and the chain after it is in the key file: its seals are stored as they are, whatever it takes
	stageStored
)

// take moves what is settled out of the Sealer, into a round that seals it.
// s.sealing is held.
func (s *Sealer) take() *round {
	s.mu.Lock()
	batches, void := s.settled, s.void
	slices.SortFunc(batches, func(a, b *Batch) int { return cmp.Compare(a.first, b.first) })
	gone := slices.Clone(void)
	for _, b := range batches {
		s.releaseChunk(b.chunk)
		gone = gone.Add(b.seqs())
	}
	for _, r := range gone {
		s.open = s.open.Remove(r)
	}
	r := &round{dead: s.dead}
	r.state = state{nonce: s.nonce, seqEnd: s.nextSeq, open: slices.Clone(s.open), chunk: s.nextChunk}
	r.state.chunks = slices.Sorted(maps.Keys(s.chunks))
	s.unsealed -= s.settledLen
	s.settled, s.settledLen, s.void, s.dead = nil, 0, nil, nil
	// Whatever the store does not know of yet, the round settles.
	s.newSent, s.newVoid = nil, nil
	s.lastRound = s.cfg.Clock().Uptime
	s.mu.Unlock()

	// The trees are hashed outside the lock.
	cover := coverer{template: seal.Seal{Kind: seal.KindBlock}, limit: s.cfg.MaxRecords}
	for _, b := range batches {
		cover.add(b.first, *b.leaves)
		leafBuffers.Put(b.leaves)
		b.leaves = nil
	}
	r.drafts = spreadVoid(cover.finish(), void, seal.Seal{Kind: seal.KindHeartbeat})
	return r
}

// releaseChunk notes that one batch of a chunk is settled. s.mu is held.
func (s *Sealer) releaseChunk(n uint64) {
	if s.chunks[n]--; s.chunks[n] == 0 {
		delete(s.chunks, n)
		s.dead = append(s.dead, n)
	}
}

// coverer makes the seals that cover leaves given in seq order: copies of template,
// each over limit leaves, the last over what is left.
type coverer struct {
	template seal.Seal
	limit    int
	seals    []*seal.Seal
	leaves   int // under the last seal
	group    []seal.Hash
}

func (c *coverer) add(first uint64, leaves []seal.Hash) {
	for len(leaves) > 0 {
		if c.leaves == c.limit || len(c.seals) == 0 {
			c.closeGroup()
			s := c.template
			c.seals, c.leaves = append(c.seals, &s), 0
		}
		s := c.seals[len(c.seals)-1]
		n := min(len(leaves), c.limit-c.leaves)
		s.Covered = s.Covered.Add(seal.Range{First: first, Last: first + uint64(n) - 1})
		if !s.Doubt {
			s.Prefixes = slices.Grow(s.Prefixes, 2*n)
			for i := range leaves[:n] {
				s.Prefixes = append(s.Prefixes, leaves[i][0], leaves[i][1])
			}
		}
		c.addGroups(leaves[:n])
		c.leaves += n
		first, leaves = first+uint64(n), leaves[n:]
	}
}

// addGroups adds leaves to the group that was begun and to those that follow it.
func (c *coverer) addGroups(leaves []seal.Hash) {
	s := c.seals[len(c.seals)-1]
	if len(c.group) > 0 {
		n := min(s.GroupSize()-len(c.group), len(leaves))
		c.group = append(c.group, leaves[:n]...)
		leaves = leaves[n:]
		if len(c.group) == s.GroupSize() {
			c.closeGroup()
		}
	}
	whole := len(leaves) / s.GroupSize() * s.GroupSize()
	s.Groups = seal.AppendGroups(s.Groups, leaves[:whole], s.GroupSize())
	c.group = append(c.group, leaves[whole:]...)
}

// closeGroup adds the root of the group that was begun, if one was.
func (c *coverer) closeGroup() {
	if len(c.group) > 0 {
		s := c.seals[len(c.seals)-1]
		s.Groups = append(s.Groups, seal.Root(c.group))
		c.group = c.group[:0]
	}
}

func (c *coverer) finish() []*seal.Seal {
	c.closeGroup()
	return c.seals
}

// spreadVoid gives each seal as many ranges of void as it may have, and adds
// copies of extra for the rest.
func spreadVoid(seals []*seal.Seal, void seal.Ranges, extra seal.Seal) []*seal.Seal {
	for i := 0; len(void) > 0; i++ {
		if i == len(seals) {
			s := extra
			seals = append(seals, &s)
		}
		n := min(seal.MaxVoidRanges, len(void))
		seals[i].Void, void = void[:n:n], void[n:]
	}
	return seals
}

// prepare completes and signs the round's seals, and puts the chain after them
// into the key file's free slot. s.sealing is held.
func (s *Sealer) prepare(r *round) error {
	now := s.cfg.Clock()
	last := s.chain
	chains := make([]*keychain.Chain, len(r.drafts))
	texts := make([]string, len(r.drafts))
	for i := range r.drafts {
		d := r.drafts[i]
		d.StreamID, d.Handle, d.Nonce = s.streamID, s.handle, s.nonce
		d.Time, d.Uptime, d.BootID = now.Time.UTC(), now.Uptime.Truncate(time.Millisecond), now.BootID
		text, after, err := last.Next(d, s.cfg.random)
		if err != nil {
			return err
		}
		chains[i], texts[i], last = last, text, after
	}
	if err := s.cfg.Keys.write(1-s.slot, last); err != nil {
		return fmt.Errorf("the key file cannot be written: %w", err)
	}
	// From here on the keys of this round are overwritten as they are used.
	r.stage, r.after = stageSigned, last
	for i, c := range chains {
		note := c.Sign(texts[i], r.drafts[i].Origin())
		r.seals = append(r.seals, storedSeal{c.Number, now.Time, string(note)})
		r.ops = append(r.ops, &Op{Kind: OpSet, Key: s.sealKey(c.Number), Value: note})
	}
	if s.cfg.Leaves == nil {
		r.ops = append(r.ops, s.deleteChunks(r.dead)...)
	}
	r.state.next = last.Number
	r.ops = append(r.ops, s.markSent(&r.state, r.seals)...)
	return nil
}

// markSent returns the operations that store st with the seals that are not sent
// yet, those of added included, and remove the ones that are.
func (s *Sealer) markSent(st *state, added []storedSeal) []*Op {
	st.unsent = nil
	for _, list := range [][]storedSeal{s.unsent, added} {
		for _, stored := range list {
			st.unsent = st.unsent.Add(seal.Range{First: stored.number, Last: stored.number})
		}
	}
	var ops []*Op
	for _, n := range s.sent {
		ops = append(ops, &Op{Kind: OpDelete, Key: s.sealKey(n)})
	}
	s.sent = nil
	return append(ops, &Op{Kind: OpSet, Key: s.stateKey(), Value: st.marshal()})
}

// finish does the writes of the round that was begun. A write that fails is done
// again by the next call: whether it took effect is not known. Once the seals
// are signed they are stored as they are, whatever it takes. s.sealing is held.
func (s *Sealer) finish(ctx context.Context) error {
	r := s.round
	if r == nil {
		return nil
	}
	if r.stage == stageDrafted {
		if err := s.prepare(r); err != nil {
			return err
		}
	}
	if r.stage == stageSigned {
		if err := s.cfg.Store.Batch(ctx, r.ops...); err != nil {
			return fmt.Errorf("storage cannot be written: %w", err)
		}
		r.stage = stageStored
	}
	if err := s.cfg.Keys.erase(s.slot); err != nil {
		return fmt.Errorf("the key file cannot be written: %w", err)
	}
	if err := s.dropLeaves(ctx, r); err != nil {
		return fmt.Errorf("sealed leaves cannot be removed: %w", err)
	}
	s.slot, s.chain, s.round, s.state = 1-s.slot, r.after, nil, r.state
	s.unsent = append(s.unsent, r.seals...)
	s.mu.Lock()
	s.stats.Seals += uint64(len(r.seals))
	s.stats.Unsent = len(s.unsent)
	s.mu.Unlock()
	return nil
}

// dropLeaves removes what no start needs after the round, where prepare has not.
func (s *Sealer) dropLeaves(ctx context.Context, r *round) error {
	switch {
	case s.cfg.Leaves == nil:
		return nil
	case r.first:
		return s.cfg.Leaves.Forget(ctx)
	case len(r.dead) > 0:
		return s.cfg.Leaves.Drop(ctx, r.dead...)
	}
	return nil
}

// firstUnsent returns the number of the first seal that was not sent.
func (s *Sealer) firstUnsent() uint64 {
	if len(s.unsent) > 0 {
		return s.unsent[0].number
	}
	return s.chain.Number
}
