// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"context"
	"fmt"
	"strconv"
)

// Leaves keeps the leaves that no seal covers yet, in numbered chunks, one for each commit. They are written with every batch and
// read after a crash only. A chunk that was appended survives the process; one that was dropped may be there again after a
// restart. Its methods are called concurrently, and keep nothing that they are given.
type Leaves interface {
	// Append stores a chunk, in the place of what an append that failed may have left under its number.
	Append(ctx context.Context, number uint64, chunk []byte) error
	// Load returns a chunk, nil if it is not there.
	Load(ctx context.Context, number uint64) ([]byte, error)
	// Drop removes chunks that no start will need.
	Drop(ctx context.Context, numbers ...uint64) error
	// Forget removes all of them, those of other streams too: a session has begun, and appends nothing before that.
	Forget(ctx context.Context) error
}

// leaves returns where chunks are. Those in the store go with the seals over them: [Sealer.deleteChunks].
func (s *Sealer) leaves() interface {
	Append(ctx context.Context, number uint64, chunk []byte) error
	Load(ctx context.Context, number uint64) ([]byte, error)
} {
	if s.cfg.Leaves != nil {
		return s.cfg.Leaves
	}
	return storedLeaves{s}
}

// storedLeaves are in the store, beside the state.
type storedLeaves struct{ s *Sealer }

func (l storedLeaves) Append(ctx context.Context, number uint64, chunk []byte) error {
	return l.s.cfg.Store.Batch(ctx, &Op{Kind: OpSet, Key: l.s.chunkKey(number), Value: chunk})
}

func (l storedLeaves) Load(ctx context.Context, number uint64) ([]byte, error) {
	op := &Op{Kind: OpGet, Key: l.s.chunkKey(number)}
	if err := l.s.cfg.Store.Batch(ctx, op); err != nil {
		return nil, fmt.Errorf("storage cannot be read: %w", err)
	}
	return op.Value, nil
}

func (s *Sealer) deleteChunks(numbers []uint64) []*Op {
	ops := make([]*Op, len(numbers))
	for i, n := range numbers {
		ops[i] = &Op{Kind: OpDelete, Key: s.chunkKey(n)}
	}
	return ops
}

func (s *Sealer) chunkKey(n uint64) string {
	return chunkPrefix(s.streamID) + strconv.FormatUint(n, 10)
}

func chunkPrefix(streamID string) string { return streamID + "/leaves/" }
