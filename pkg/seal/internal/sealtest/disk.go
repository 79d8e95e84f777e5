// SPDX-License-Identifier: Apache-2.0

// Package sealtest runs sealers through random schedules of everything that can
// happen to a host, and keeps what a SIEM would have received. Tests of the sealer
// and of the verifier use it.
package sealtest

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/logseal/logseal/pkg/seal/sealer"
)

// Errors that a Disk returns.
var (
	ErrCrashed = errors.New("sealtest: the host has crashed")
	ErrFails   = errors.New("sealtest: the write fails")
)

// Disk is the storage and the key file of a host, in memory. A write is a
// transaction on the storage, or a write or a sync of the key file.
type Disk struct {
	mu      sync.Mutex
	store   map[string][]byte
	leaves  map[string][]byte // if not nil, kept apart from store
	deleted map[string][]byte // of leaves: a restart finds them again
	key     []byte
	writes  int
	crashAt int // number of the write at which the host crashes; 0 is never
	failAt  int // likewise, but only that write fails
	applied bool
	crashed bool
}

// NewDisk returns a disk with the key file of a new stream.
func NewDisk(stream sealer.NewStream) (*Disk, error) {
	d := &Disk{store: map[string][]byte{}}
	return d, sealer.InitKeyFile(d, stream)
}

// Split makes the disk keep leaves apart, in something that is no more than a sealer asks for:
// what it was told to delete is there again after a restart.
func (d *Disk) Split() *Disk {
	d.leaves, d.deleted = map[string][]byte{}, map[string][]byte{}
	return d
}

// Leaves returns where leaves are kept, nil if that is the disk itself.
func (d *Disk) Leaves() sealer.Leaves {
	if d.leaves == nil {
		return nil
	}
	return leaves{d}
}

type leaves struct{ *Disk }

func leafKey(number uint64) string { return strconv.FormatUint(number, 10) }

// Append implements sealer.Leaves.
func (l leaves) Append(_ context.Context, number uint64, chunk []byte) error {
	return l.batch(l.leaves, []*sealer.Op{{Kind: sealer.OpSet, Key: leafKey(number), Value: chunk}})
}

// Load implements sealer.Leaves.
func (l leaves) Load(_ context.Context, number uint64) ([]byte, error) {
	op := &sealer.Op{Kind: sealer.OpGet, Key: leafKey(number)}
	err := l.batch(l.leaves, []*sealer.Op{op})
	return op.Value, err
}

// Drop implements sealer.Leaves.
func (l leaves) Drop(_ context.Context, numbers ...uint64) error {
	ops := make([]*sealer.Op, len(numbers))
	for i, n := range numbers {
		ops[i] = &sealer.Op{Kind: sealer.OpDelete, Key: leafKey(n)}
	}
	return l.batch(l.leaves, ops)
}

func (l leaves) Forget(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	do, err := l.step()
	if do {
		clear(l.leaves)
		clear(l.deleted)
	}
	return err
}

// Clone returns a copy of what is on the disk, of a host that runs.
func (d *Disk) Clone() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &Disk{store: copyOf(d.store), key: slices.Clone(d.key)}
	if d.leaves != nil {
		c.Split()
		maps.Copy(c.leaves, copyOf(d.deleted))
		maps.Copy(c.leaves, copyOf(d.leaves))
	}
	return c
}

func copyOf(m map[string][]byte) map[string][]byte {
	c := make(map[string][]byte, len(m))
	for key, value := range m {
		c[key] = slices.Clone(value)
	}
	return c
}

// afterCrash returns the disk as the next start finds it. A crash that was to come
// later still comes.
func (d *Disk) afterCrash() *Disk {
	c := d.Clone()
	if d.crashAt > d.writes {
		c.writes, c.crashAt, c.applied = d.writes, d.crashAt, d.applied
	}
	return c
}

// CloneStore returns the disk with the storage of an older copy, as a power loss
// leaves it when storage does not fsync and the key file does. CloneLeaves is the same
// with leaves that are kept apart.
func (d *Disk) CloneStore(older *Disk) *Disk {
	c, old := d.Clone(), older.Clone()
	c.store = old.store
	return c
}

// CloneLeaves is described at CloneStore.
func (d *Disk) CloneLeaves(older *Disk) *Disk {
	c, old := d.Clone(), older.Clone()
	c.leaves = old.leaves
	return c
}

// WipeStore loses the storage and keeps the key file.
func (d *Disk) WipeStore() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.store)
}

// Contains reports whether secret is anywhere on the disk.
func (d *Disk) Contains(secret []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range []map[string][]byte{d.store, d.leaves} {
		for _, value := range m {
			if contains(value, secret) {
				return true
			}
		}
	}
	return contains(d.key, secret)
}

func contains(b, sub []byte) bool {
	for i := 0; i+len(sub) <= len(b); i++ {
		if string(b[i:i+len(sub)]) == string(sub) {
			return true
		}
	}
	return false
}

// CrashAt makes the host crash at the n-th write from now, from 1 on. That write
// is done if applied is set; a write of the key file that is not is torn.
func (d *Disk) CrashAt(n int, applied bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crashAt, d.applied = d.writes+n, applied
}

// FailAt makes the n-th write from now fail, and no other. It is done if applied
// is set: an error does not say that nothing happened.
func (d *Disk) FailAt(n int, applied bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failAt, d.applied = d.writes+n, applied
}

// Writes returns how many writes there were.
func (d *Disk) Writes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.writes
}

// Crashed reports whether the host has crashed, and Crash makes it.
func (d *Disk) Crashed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.crashed
}

// Crash makes every later write fail.
func (d *Disk) Crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crashed = true
}

// step counts a write, and says whether to do it and what to answer.
func (d *Disk) step() (do bool, err error) {
	if d.crashed {
		return false, ErrCrashed
	}
	d.writes++
	switch d.writes {
	case d.crashAt:
		d.crashed = true
		return d.applied, ErrCrashed
	case d.failAt:
		return d.applied, ErrFails
	}
	return true, nil
}

// Batch implements seal.Store.
func (d *Disk) Batch(_ context.Context, ops ...*sealer.Op) error { return d.batch(d.store, ops) }

func (d *Disk) batch(on map[string][]byte, ops []*sealer.Op) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	do, err := true, error(nil)
	if d.crashed {
		return ErrCrashed
	}
	if slices.ContainsFunc(ops, func(op *sealer.Op) bool { return op.Kind != sealer.OpGet }) {
		do, err = d.step()
	}
	if !do {
		return err
	}
	for _, op := range ops {
		switch op.Kind {
		case sealer.OpGet:
			op.Value = slices.Clone(on[op.Key])
		case sealer.OpSet:
			on[op.Key] = append([]byte{}, op.Value...)
		case sealer.OpDelete:
			if value, found := on[op.Key]; found && d.leaves != nil {
				d.deleted[op.Key] = value
			}
			delete(on, op.Key)
		}
	}
	return err
}

// ReadAt implements seal.File.
func (d *Disk) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off >= int64(len(d.key)) {
		return 0, io.EOF
	}
	n := copy(p, d.key[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements seal.File.
func (d *Disk) WriteAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed {
		return 0, ErrCrashed
	}
	do, err := d.step()
	if !do {
		p = p[:len(p)/3] // torn
	}
	if end := int(off) + len(p); end > len(d.key) {
		d.key = append(d.key, make([]byte, end-len(d.key))...)
	}
	copy(d.key[off:], p)
	return len(p), err
}

// Sync implements seal.File.
func (d *Disk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := d.step()
	return err
}

// Close implements seal.File.
func (d *Disk) Close() error { return nil }
