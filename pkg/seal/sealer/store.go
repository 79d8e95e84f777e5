// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/logseal/logseal/pkg/seal"
)

// OpKind is what an operation on a [Store] does.
type OpKind int

// The kinds of operations.
const (
	OpGet    OpKind = iota // reads Key into Value, nil if it is not there
	OpSet                  // writes Value to Key
	OpDelete               // removes Key, if it is there
)

// Op is one operation on a [Store].
type Op struct {
	Kind  OpKind
	Key   string
	Value []byte
}

// Store keeps what a stream must not forget: where it stands, seals that are not sent
// yet, and, unless [Config.Leaves] does, leaves that no seal covers yet. It holds no secret.
//
// Batch executes all operations or, on error, may have executed all or none: as
// one transaction, seen by every later Batch. It is called concurrently, and must not
// keep Value of an OpSet after it returns. The shape is that of the collector's
// storage.Client.
type Store interface {
	Batch(ctx context.Context, ops ...*Op) error
}

// Keys in the store start with the stream's id, so that a stream which was
// enrolled anew never takes another's state for its own.

func (s *Sealer) stateKey() string { return s.streamID + "/state" }

func (s *Sealer) sealKey(n uint64) string { return s.streamID + "/seal/" + strconv.FormatUint(n, 10) }

// state is what the store says about a stream as of its last seal.
type state struct {
	next   uint64      // number of the next seal
	unsent seal.Ranges // seals that are stored and not known to be sent

	// Of the session:
	nonce  [16]byte
	closed bool        // a close seal was made
	seqEnd uint64      // seqs below were given out
	open   seal.Ranges // of these, the ones that no seal has settled
	chunk  uint64      // chunks of leaves from here on were written later
	chunks []uint64    // chunks before that, which are still needed
}

const stateVersion = 1

func (st *state) marshal() []byte {
	b := []byte{stateVersion}
	b = binary.AppendUvarint(b, st.next)
	b = appendRanges(b, st.unsent)
	b = append(b, st.nonce[:]...)
	b = append(b, 0)
	if st.closed {
		b[len(b)-1] = 1
	}
	b = binary.AppendUvarint(b, st.seqEnd)
	b = appendRanges(b, st.open)
	b = binary.AppendUvarint(b, st.chunk)
	b = binary.AppendUvarint(b, uint64(len(st.chunks)))
	for _, n := range st.chunks {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

var errState = errors.New("the stored state is not readable: storage is damaged, or of another version. Without it (move the file away) the stream goes on from its key file, and its next seal says so")

func unmarshalState(b []byte) (*state, error) {
	r := varReader{b: b}
	if r.byte() != stateVersion {
		return nil, errState
	}
	st := &state{next: r.uvarint(), unsent: r.ranges()}
	copy(st.nonce[:], r.bytes(len(st.nonce)))
	st.closed = r.byte() == 1
	st.seqEnd = r.uvarint()
	st.open = r.ranges()
	st.chunk = r.uvarint()
	for range r.count() {
		st.chunks = append(st.chunks, r.uvarint())
	}
	if r.failed || len(r.b) > 0 {
		return nil, errState
	}
	return st, nil
}

// chunk is what one commit adds to the store: the leaves of the batches that were
// stamped together, and what became of earlier ones since the last commit.
type chunk struct {
	first      uint64 // seq of the first leaf; the others follow it
	leaves     []seal.Hash
	sent, void seal.Ranges
}

// appendChunkHeader appends all of a chunk but its leaves, which follow.
func appendChunkHeader(b []byte, nonce *[16]byte, sent, void seal.Ranges, first uint64, leaves int) []byte {
	b = append(b, nonce[:]...)
	b = appendRanges(b, sent)
	b = appendRanges(b, void)
	b = binary.AppendUvarint(b, first)
	return binary.AppendUvarint(b, uint64(leaves))
}

// unmarshalChunk returns nil for a chunk of another session, which can be left
// over where a commit failed and was done all the same.
func unmarshalChunk(b []byte, nonce *[16]byte) (*chunk, error) {
	r := varReader{b: b}
	if string(r.bytes(len(nonce))) != string(nonce[:]) {
		return nil, nil
	}
	c := &chunk{sent: r.ranges(), void: r.ranges(), first: r.uvarint()}
	n := r.uvarint()
	if r.failed || n != uint64(len(r.b))/seal.HashSize || len(r.b)%seal.HashSize != 0 {
		return nil, errState
	}
	c.leaves = make([]seal.Hash, n)
	for i := range c.leaves {
		copy(c.leaves[i][:], r.bytes(seal.HashSize))
	}
	return c, nil
}

func appendRanges(b []byte, rs seal.Ranges) []byte {
	b = binary.AppendUvarint(b, uint64(len(rs)))
	for _, r := range rs {
		b = binary.AppendUvarint(b, r.First)
		b = binary.AppendUvarint(b, r.Last-r.First)
	}
	return b
}

// varReader takes fields off what the store holds. After the first error it
// yields zeros.
type varReader struct {
	b      []byte
	failed bool
}

func (r *varReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count returns a number of items that follow, each of at least one byte.
func (r *varReader) count() uint64 {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.failed, r.b = true, nil
		return 0
	}
	return n
}

func (r *varReader) bytes(n int) []byte {
	if n > len(r.b) {
		r.failed, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *varReader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *varReader) ranges() seal.Ranges {
	var rs seal.Ranges
	for range r.count() {
		first := r.uvarint()
		rs = append(rs, seal.Range{First: first, Last: first + r.uvarint()})
	}
	return rs
}
