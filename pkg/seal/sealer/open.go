// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/logseal/logseal/pkg/seal"
)

// Open starts a session: it reads where the stream stands, makes the open seal, and
// adopts what the session before stamped and did not seal. The first call of
// [Sealer.Seal] sends these seals; nothing is stamped before it did, so make it
// before records come. If the store takes no writes, as on a full disk, the session
// begins all the same and Seal tries again: whoever could make room, such as the
// exporter behind, would otherwise not start either.
// Open takes over cfg.Keys, and closes it on error.
func Open(ctx context.Context, cfg Config) (*Sealer, error) {
	s, err := open(ctx, cfg)
	if err != nil && cfg.Keys != nil {
		cfg.Keys.Close()
	}
	return s, err
}

func open(ctx context.Context, cfg Config) (*Sealer, error) {
	if cfg.Keys == nil || cfg.Store == nil {
		return nil, errors.New("a sealer needs a key file and a store")
	}
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	s := &Sealer{
		cfg: cfg, trust: cfg.Keys.Trust(), ready: make(chan struct{}, 1), chunks: map[uint64]int{},
	}
	s.streamID = s.trust.StreamID()
	st, err := s.loadState(ctx)
	if err != nil {
		return nil, err
	}
	rolledBack, err := s.chooseSlot(st.next)
	if err != nil {
		return nil, err
	}
	if err := s.loadUnsent(ctx, st.unsent); err != nil {
		return nil, err
	}
	chunks, end, lost, err := s.loadChunks(ctx, st)
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(cfg.random, s.nonce[:]); err != nil {
		return nil, err
	}
	s.handle = seal.NewHandle(&s.trust.Key, &s.nonce)
	s.nextChunk = end
	s.lastRound = cfg.Clock().Uptime
	s.round = &round{first: true, state: state{nonce: s.nonce, chunk: end}, dead: st.chunks}
	for n := st.chunk; n < end; n++ {
		s.round.dead = append(s.round.dead, n)
	}
	s.round.drafts = []*seal.Seal{{
		Kind: seal.KindOpen, Name: s.trust.Name, Key: s.trust.Key, Software: cfg.Software,
		Interval: cfg.Interval, Heartbeat: cfg.Heartbeat, Exclude: cfg.Policy.Names(), ExcludeResource: cfg.Policy.ResourceNames(),
	}}
	if s.chain.Number == 0 {
		s.round.drafts[0].Endorsement = cfg.Keys.endorsement
	}
	if rolledBack {
		s.round.drafts[0].RolledBack, s.round.drafts[0].RollbackTo = true, st.next
	} else {
		s.adopt(st, chunks, lost)
	}
	s.openNumber = s.chain.Number
	if err := s.finish(ctx); err != nil {
		if s.round.stage != stageSigned {
			return nil, err
		}
		s.failed = err
	}
	return s, nil
}

func (cfg *Config) setDefaults() error {
	if cfg.Clock == nil {
		cfg.Clock = SystemClock()
	}
	if cfg.random == nil {
		cfg.random = rand.Reader
	}
	if cfg.Software == "" {
		cfg.Software = "logseal"
	}
	if cfg.Interval == 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = defaultHeartbeat
	}
	if cfg.MaxRecords == 0 {
		cfg.MaxRecords = seal.MaxBlock
	}
	if cfg.MaxRecords < 1 || cfg.MaxRecords > seal.MaxBlock {
		return fmt.Errorf("%d records a seal: 1 to %d are possible", cfg.MaxRecords, seal.MaxBlock)
	}
	if cfg.Carry && !cfg.Policy.Record.Has(seal.OriginalKey) {
		return errors.New("originals are put beside records, and the policy does not leave them out of the digests")
	}
	if cfg.MaxUnsealed == 0 {
		cfg.MaxUnsealed = defaultMaxUnsealed
	}
	for name, d := range map[string]time.Duration{"interval": cfg.Interval, "heartbeat": cfg.Heartbeat} {
		if d < time.Millisecond || d > seal.MaxDuration || d%time.Millisecond != 0 {
			return fmt.Errorf("%s %v: whole milliseconds are wanted, at least one", name, d)
		}
	}
	return seal.CheckSoftware(cfg.Software)
}

// get reads values from a store.
func get(ctx context.Context, from Store, keys ...string) ([][]byte, error) {
	ops := make([]*Op, len(keys))
	for i, key := range keys {
		ops[i] = &Op{Kind: OpGet, Key: key}
	}
	if err := from.Batch(ctx, ops...); err != nil {
		return nil, fmt.Errorf("storage cannot be read: %w", err)
	}
	values := make([][]byte, len(keys))
	for i, op := range ops {
		values[i] = op.Value
	}
	return values, nil
}

// loadState returns the stored state, or that of a stream that has made no seal.
func (s *Sealer) loadState(ctx context.Context) (*state, error) {
	values, err := get(ctx, s.cfg.Store, s.stateKey())
	if err != nil {
		return nil, err
	}
	if values[0] == nil {
		return &state{closed: true}, nil
	}
	return unmarshalState(values[0])
}

// chooseSlot finds where the chain stands, given the number of the seal that the
// store would make next, and overwrites the other slot. It reports whether the
// store is behind the key file.
//
// A store that is behind both slots gets the older one: the keys of a round are
// overwritten before its seals are sent, so with both there nothing of that round
// was sent, and numbering its seals again forks nothing.
func (s *Sealer) chooseSlot(next uint64) (rolledBack bool, err error) {
	slots := s.cfg.Keys.slots
	s.slot = -1
	for i, c := range slots {
		if c != nil && c.Number == next {
			s.slot = i
		}
	}
	if s.slot < 0 {
		rolledBack = true
		for i, c := range slots {
			if c != nil && (s.slot < 0 || c.Number < slots[s.slot].Number) {
				s.slot = i
			}
		}
		if slots[s.slot].Number < next {
			return false, fmt.Errorf("the key file is of seal %d and storage of seal %d: the key file was restored from a copy, and its keys are used up. Enroll again, and trust the new line beside the old", slots[s.slot].Number, next)
		}
	}
	s.chain = slots[s.slot]
	if other := slots[1-s.slot]; other != nil {
		other.Erase()
		if err := s.cfg.Keys.erase(1 - s.slot); err != nil {
			return false, fmt.Errorf("the key file cannot be written: %w", err)
		}
	}
	return rolledBack, nil
}

// loadUnsent takes the seals that have to be sent again, byte for byte.
func (s *Sealer) loadUnsent(ctx context.Context, unsent seal.Ranges) error {
	var keys []string
	for _, r := range unsent {
		for n := r.First; n <= r.Last; n++ {
			keys = append(keys, s.sealKey(n))
		}
	}
	values, err := get(ctx, s.cfg.Store, keys...)
	if err != nil {
		return err
	}
	for _, value := range values {
		note, err := seal.ParseNote(string(value))
		if err != nil {
			return fmt.Errorf("%w: a seal that was to be sent: %w", errState, err)
		}
		s.unsent = append(s.unsent, storedSeal{note.Seal.Number, note.Seal.Time, string(value)})
	}
	return nil
}

// loadChunks returns the chunks of leaves of the session before, the number
// after the last that is stored, and whether chunks are gone that were needed: leaves
// that are kept elsewhere than the store may be behind it after a loss of power.
func (s *Sealer) loadChunks(ctx context.Context, st *state) (chunks []*chunk, end uint64, lost bool, err error) {
	load := func(n uint64) (found bool, err error) {
		data, err := s.leaves().Load(ctx, n)
		if err != nil || data == nil {
			return false, err
		}
		c, err := unmarshalChunk(data, &st.nonce)
		if c != nil {
			chunks = append(chunks, c)
		}
		return true, err
	}
	for _, n := range st.chunks {
		found, err := load(n)
		if err != nil {
			return nil, 0, false, err
		}
		lost = lost || !found
	}
	for end = st.chunk; ; end++ {
		found, err := load(end)
		if err != nil || !found {
			return chunks, end, lost, err
		}
	}
}

// adopt adds to the round the seals that settle what the session before left open:
// as sent, where the store knows that the next consumer had it; as doubt, where it
// does not; and as void, where a seq was given out and no leaf stored, so that
// nothing can have been forwarded. If stored leaves were lost, that does not follow, and
// these seqs are left open.
func (s *Sealer) adopt(st *state, chunks []*chunk, lost bool) {
	if st.closed {
		return
	}
	open, end := st.open, st.seqEnd
	var markedSent, markedVoid seal.Ranges
	for _, c := range chunks {
		if last := c.first + uint64(len(c.leaves)); last > end {
			open = open.Add(seal.Range{First: end, Last: last - 1})
			end = last
		}
		markedSent = markedSent.Union(c.sent)
		markedVoid = markedVoid.Union(c.void)
	}
	adopts := seal.NewHandle(&s.trust.Key, &st.nonce)
	sent := coverer{template: seal.Seal{Kind: seal.KindAdopt, Adopts: adopts}, limit: seal.MaxBlock}
	doubt := coverer{template: seal.Seal{Kind: seal.KindAdopt, Adopts: adopts, Doubt: true}, limit: seal.MaxDoubtBlock}
	var kept seal.Ranges
	for _, c := range chunks {
		for i := range c.leaves {
			seq := c.first + uint64(i)
			switch {
			case !open.Contains(seq) || markedVoid.Contains(seq):
				continue
			case markedSent.Contains(seq):
				sent.add(seq, c.leaves[i:i+1])
				s.stats.Adopted++
			default:
				doubt.add(seq, c.leaves[i:i+1])
				s.stats.Doubted++
			}
			kept = kept.Add(seal.Range{First: seq, Last: seq})
		}
	}
	void := open
	for _, r := range kept {
		void = void.Remove(r)
	}
	if lost {
		s.stats.Lost, void = void.Len(), nil
	}
	s.stats.Voided += void.Len()
	seals := append(sent.finish(), doubt.finish()...)
	seals = spreadVoid(seals, void, seal.Seal{Kind: seal.KindAdopt, Adopts: adopts})
	s.round.drafts = append(s.round.drafts, seals...)
}
