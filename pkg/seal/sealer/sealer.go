// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// Config says what a [Sealer] works with. Keys and Store are required.
type Config struct {
	Keys  *KeyFile // closed by the Sealer
	Store Store
	// Leaves keeps the leaves that no seal covers yet, as [LeafLog] does; Store if nil.
	Leaves Leaves
	Clock  Clock // SystemClock() if nil

	// Policy leaves attributes out of the digests. See [NewPolicy].
	Policy seal.Policy
	// Carry puts each record's original beside it, in the attribute [seal.OriginalKey], which Policy must leave out.
	Carry bool
	// Software is the program and its version in the open seal: "logseal/0.1.0".
	Software string
	// SealResource is the resource that seals are sent under.
	SealResource map[string]string

	Interval  time.Duration // between seals while records flow; 1 s if 0
	Heartbeat time.Duration // between seals when idle; 60 s if 0
	// MaxRecords is how many records one seal covers at most, and how many make a
	// seal before Interval has passed; MaxBlock if 0, which is also the most.
	MaxRecords int
	// MaxUnsealed is how many records may wait for their seal, those included that
	// the next consumer has not returned yet; beyond it Stamp refuses. 262,144 if 0,
	// which takes 8 MiB.
	MaxUnsealed int

	random io.Reader // tests and vectors need to know the keys
}

const (
	defaultInterval    = time.Second
	defaultHeartbeat   = 60 * time.Second
	defaultMaxUnsealed = 1 << 18
	// minRound is the shortest time between two rounds of sealing: each costs two
	// writes that wait for the disk. At high rates a round makes several seals.
	minRound = 100 * time.Millisecond
	// maxUnsent is how many seals may wait to be sent. A consumer that refuses seals
	// refuses records too, so there are few to cover.
	maxUnsent = 4096
)

// Sealer stamps the records of one stream and makes its seals. Its methods are
// safe for concurrent use.
type Sealer struct {
	cfg      Config
	trust    seal.Trust
	streamID string
	nonce    [16]byte
	handle   string

	ready chan struct{} // Due may have moved closer

	// sealing serialises rounds; it is taken before mu.
	sealing sync.Mutex
	chain   *keychain.Chain
	slot    int    // of the key file, that holds chain
	round   *round // begun and not finished
	state   state  // as it is stored
	unsent  []storedSeal
	sent    []uint64 // seals that the store still has
	ended   bool     // by Close

	openNumber uint64 // of this session's open seal

	mu         sync.Mutex
	opened     bool // the open seal was sent
	closed     bool
	failed     error // why the round that was begun could not be finished
	nextSeq    uint64
	nextChunk  uint64
	committing bool
	waiting    []*Batch       // to be stored with the next commit
	inFlight   int            // batches admitted and not settled
	idle       chan struct{}  // if not nil, closed when inFlight reaches 0
	unsealed   int            // records admitted and in no round yet
	open       seal.Ranges    // seqs given out and in no round yet
	settled    []*Batch       // forwarded, to be covered by the next round
	settledLen int            // their records
	void       seal.Ranges    // not forwarded, to be declared void by the next round
	newSent    seal.Ranges    // settled since the last commit, which the store does not know
	newVoid    seal.Ranges    // likewise
	chunks     map[uint64]int // chunks that are needed, and how many of their batches are in no round yet
	dead       []uint64       // chunks that are not
	oldest     time.Duration  // uptime at which the first of settled was settled
	lastRound  time.Duration  // uptime
	retryAt    time.Duration  // uptime before which nothing is tried again
	stats      Stats
}

// Stats are counters since the Sealer was opened, and its present state.
type Stats struct {
	Records uint64 // stamped
	Seals   uint64 // made
	Refused uint64 // records that Stamp refused
	Voided  uint64 // records that were stamped and not forwarded
	Adopted uint64 // records of the session before, sealed at start as sent
	Doubted uint64 // records of the session before, sealed at start as in doubt
	Lost    uint64 // records of the session before, whose leaves are gone: they stay unsealed

	InFlight int           // batches that are stamped and not settled
	Waiting  int           // records that are settled and not sealed
	Oldest   time.Duration // how long the first of these has been waiting
	Unsent   int           // seals that are made and not sent
}

// storedSeal is a seal that is stored and not sent.
type storedSeal struct {
	number uint64
	time   time.Time
	note   string
}

// Batch is a batch of records that was stamped.
type Batch struct {
	s      *Sealer
	size   int // records
	first  uint64
	chunk  uint64
	leaves *[]seal.Hash // until they are sealed

	wake    chan bool // told to lead the next commit, or that it is done
	err     error
	settled bool // guarded by s.mu
}

// ErrClosed is returned by the methods of a Sealer that was closed.
var ErrClosed = errors.New("the sealer is closed")

// ErrBusy is wrapped by errors of [Sealer.Stamp] that say that too much waits for a seal.
var ErrBusy = errors.New("too many records wait for their seal")

var (
	hashers     = sync.Pool{New: func() any { return new(canonical.Hasher) }}
	leafBuffers = sync.Pool{New: func() any { return new([]seal.Hash) }}
)

// Trust returns the stream's trust line.
func (s *Sealer) Trust() seal.Trust { return s.trust }

// Ready receives after [Sealer.Due] may have moved closer.
func (s *Sealer) Ready() <-chan struct{} { return s.ready }

// Stats returns the counters.
func (s *Sealer) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.InFlight, st.Waiting = s.inFlight, s.settledLen
	if st.Waiting > 0 {
		st.Oldest = s.cfg.Clock().Uptime - s.oldest
	}
	return st
}

// Stamp normalises the records of ld, gives each an id, and stores their leaf
// hashes; it also puts originals beside them if that is asked for. Only then may ld be forwarded, unchanged; then [Batch.Settle] must be
// called. After an error ld must not be forwarded; every error is worth a retry:
// the open seal is not sent yet (see [Sealer.Seal]), storage or the key file cannot
// be written, or too much waits for its seal ([ErrBusy]).
func (s *Sealer) Stamp(ctx context.Context, ld plog.Logs) (*Batch, error) {
	b := &Batch{s: s, size: ld.LogRecordCount()}
	if b.size == 0 {
		b.settled = true
		return b, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.admit(b.size); err != nil {
		return nil, err
	}
	b.leaves = leafBuffers.Get().(*[]seal.Hash)
	*b.leaves = slices.Grow((*b.leaves)[:0], b.size)[:b.size]
	takeOffOriginals(ld)
	h := hashers.Get().(*canonical.Hasher)
	err := h.Leaves(ld, &s.cfg.Policy, *b.leaves)
	h.Reset()
	hashers.Put(h)
	if err != nil {
		s.withdraw(b.size)
		return nil, err
	}
	if err := s.commit(ctx, b); err != nil {
		s.mu.Lock()
		s.landed()
		s.mu.Unlock()
		return nil, err
	}
	s.putIDs(ld, b.first)
	if s.cfg.Carry {
		carry(ld)
	}
	return b, nil
}

// admit makes room for n records or refuses them.
func (s *Sealer) admit(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch {
	case s.closed:
		err = ErrClosed
	case s.failed != nil:
		err = fmt.Errorf("nothing is stamped until seals can be stored again: %w", s.failed)
	case !s.opened:
		// Otherwise an archive could end with records of a session that no seal in
		// it knows, and nobody could tell them from forged ones.
		err = errors.New("the session's open seal could not be sent yet")
	case s.unsealed > 0 && s.unsealed+n > s.cfg.MaxUnsealed:
		err = fmt.Errorf("%w: %d", ErrBusy, s.unsealed)
	}
	if err != nil {
		s.stats.Refused += uint64(n)
		return err
	}
	s.unsealed += n
	s.inFlight++
	return nil
}

// landed notes that an admitted batch is settled or given up. s.mu is held.
func (s *Sealer) landed() {
	s.inFlight--
	if s.inFlight == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// withdraw takes back the admission of a batch of n records that has no seqs yet.
func (s *Sealer) withdraw(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsealed -= n
	s.stats.Refused += uint64(n)
	s.landed()
}

// putIDs gives the records of ld their ids, from first on, in the place of any
// that came in.
func (s *Sealer) putIDs(ld plog.Logs, first uint64) {
	// One string for all ids of a batch, and parts of it for each.
	n := ld.LogRecordCount()
	var b strings.Builder
	b.Grow(n * (seal.HandleSize + 1 + digits(first+uint64(n))))
	var number [20]byte
	for i := range n {
		b.WriteString(s.handle)
		b.WriteByte('-')
		b.Write(strconv.AppendUint(number[:0], first+uint64(i), 10))
	}
	ids, seq := b.String(), first
	for r := range ld.ResourceLogs().Len() {
		rl := ld.ResourceLogs().At(r)
		for c := range rl.ScopeLogs().Len() {
			records := rl.ScopeLogs().At(c).LogRecords()
			for n := range records.Len() {
				size := seal.HandleSize + 1 + digits(seq)
				records.At(n).Attributes().PutStr(seal.IDKey, ids[:size])
				ids = ids[size:]
				seq++
			}
		}
	}
}

func digits(n uint64) int {
	d := 1
	for ; n >= 10; n /= 10 {
		d++
	}
	return d
}

// commit gives the batch its seqs and stores its leaves. Batches that come while
// another commit is under way are stored together by the next.
func (s *Sealer) commit(ctx context.Context, b *Batch) error {
	s.mu.Lock()
	s.waiting = append(s.waiting, b)
	if s.committing {
		b.wake = make(chan bool, 1)
		s.mu.Unlock()
		if lead := <-b.wake; !lead {
			return b.err
		}
		s.mu.Lock()
	}
	s.committing = true
	group := s.waiting
	s.waiting = nil
	first, number := s.nextSeq, s.nextChunk
	for _, other := range group {
		other.first, other.chunk = s.nextSeq, number
		s.nextSeq += uint64(other.size)
	}
	s.open = s.open.Add(seal.Range{First: first, Last: s.nextSeq - 1})
	sent, void := s.newSent, s.newVoid
	s.newSent, s.newVoid = nil, nil
	s.mu.Unlock()

	// Others wait for this commit, so it does not end with the leader's context.
	err := s.storeChunk(context.WithoutCancel(ctx), number, first, group, sent, void)

	s.mu.Lock()
	if err != nil {
		// It may have been stored all the same, so its seqs are used up. Its number
		// is not: what is there will be overwritten, or is of seqs that are settled.
		s.newSent, s.newVoid = s.newSent.Union(sent), s.newVoid.Union(void)
	} else {
		s.nextChunk++
		s.chunks[number] = len(group)
	}
	for _, other := range group {
		n := uint64(other.size)
		if other.err = err; err != nil {
			s.stats.Refused += n
			s.addVoid(seal.Range{First: other.first, Last: other.first + n - 1})
		} else {
			s.stats.Records += n
		}
		if other != b {
			other.wake <- false
		}
	}
	if s.committing = len(s.waiting) > 0; s.committing {
		s.waiting[0].wake <- true
	}
	s.mu.Unlock()
	return err
}

var chunkBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (s *Sealer) storeChunk(ctx context.Context, number, first uint64, group []*Batch, sent, void seal.Ranges) error {
	buf := chunkBuffers.Get().(*[]byte)
	defer chunkBuffers.Put(buf)
	leaves := 0
	for _, b := range group {
		leaves += b.size
	}
	value := appendChunkHeader((*buf)[:0], &s.nonce, sent, void, first, leaves)
	for _, b := range group {
		for i := range *b.leaves {
			value = append(value, (*b.leaves)[i][:]...)
		}
	}
	*buf = value
	return s.leaves().Append(ctx, number, value)
}

// Settle says what became of the batch: whether the next consumer took it. It
// must be called once; further calls do nothing. A refused batch's numbers are
// declared void; a retry of its records is stamped anew.
func (b *Batch) Settle(forwarded bool) {
	s := b.s
	s.mu.Lock()
	if b.settled {
		s.mu.Unlock()
		return
	}
	b.settled = true
	r := b.seqs()
	before := s.settledLen
	if forwarded {
		if s.settledLen == 0 {
			s.oldest = s.cfg.Clock().Uptime
		}
		s.settled = append(s.settled, b)
		s.settledLen += b.size
		s.newSent = s.newSent.Add(r)
	} else {
		s.addVoid(r)
		s.stats.Voided += r.Len()
		s.newVoid = s.newVoid.Add(r)
		s.releaseChunk(b.chunk)
	}
	s.landed()
	wake := (before == 0 && s.settledLen > 0) || (before < s.cfg.MaxRecords && s.settledLen >= s.cfg.MaxRecords)
	s.mu.Unlock()
	if wake {
		s.signal()
	}
}

// seqs returns the numbers of a batch that was stored.
func (b *Batch) seqs() seal.Range {
	return seal.Range{First: b.first, Last: b.first + uint64(b.size) - 1}
}

// addVoid notes seqs that were given out and not forwarded. s.mu is held.
func (s *Sealer) addVoid(r seal.Range) {
	s.void = s.void.Add(r)
	s.unsealed -= int(r.Len())
}
