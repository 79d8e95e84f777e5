// SPDX-License-Identifier: Apache-2.0

package sealtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// Run is what a schedule left behind.
type Run struct {
	*Host
	Closed     bool // the last session was closed in order
	RolledBack bool // storage fell behind the key file
	Log        []string
}

// Schedule runs a host through steps random events, seed after seed the same:
// batches of random sizes that overlap, are taken, refused or doubled; seals that
// are refused; writes that fail; crashes at any write; restarts, reboots, clock
// steps; and, if rollback is set, power losses that throw the storage back, or the leaves. It
// ends with a session that is closed in order, unless cut is set.
func Schedule(ctx context.Context, seed uint64, steps int, rollback, cut bool) (*Run, error) {
	rng := rand.New(rand.NewPCG(seed, 4))
	h, err := NewHost(fmt.Sprintf("host-%d", seed), rng)
	if err != nil {
		return nil, err
	}
	if seed%2 == 1 {
		h.Disk.Split()
	}
	r := &Run{Host: h}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	older := h.Disk.Clone()
	for range steps {
		if h.Disk.Crashed() {
			r.note("crashed")
			h.Crash()
			if err := r.start(ctx); err != nil {
				return nil, err
			}
		}
		if err := r.step(ctx); err != nil {
			return nil, err
		}
		if !rollback || h.Disk.Crashed() {
			continue
		}
		switch rng.IntN(40) {
		case 0:
			r.note("snapshot")
			older = h.Disk.Clone()
		case 1:
			r.note("power loss")
			h.Crash()
			if disk := h.Disk; disk.Leaves() != nil && rng.IntN(2) == 0 {
				h.Disk = disk.CloneLeaves(older)
			} else {
				h.Disk = disk.CloneStore(older)
			}
			h.Reboot()
			r.RolledBack = true
			if err := r.start(ctx); err != nil {
				return nil, err
			}
			older = h.Disk.Clone()
		}
	}
	return r, r.end(ctx, cut)
}

// end brings the schedule to its end.
func (r *Run) end(ctx context.Context, cut bool) error {
	if r.Disk.Crashed() {
		r.Crash()
		if err := r.start(ctx); err != nil {
			return err
		}
	}
	r.Disk.CrashAt(0, false)
	r.Disk.FailAt(0, false)
	if cut {
		r.note("cut")
		r.Crash()
		return nil
	}
	for r.Flying() > 0 {
		r.Land(0, Taken)
	}
	r.RefuseSeals = false
	// A write that failed before is done again by the first, sent seals by the second.
	for range 2 {
		if err := r.Seal(ctx); err != nil {
			return err
		}
	}
	r.Closed = true
	return r.Stop(ctx)
}

// start starts the sealer, however often the host crashes at it.
func (r *Run) start(ctx context.Context) error {
	if r.rng.IntN(3) == 0 {
		r.Disk.CrashAt(1+r.rng.IntN(5), r.rng.IntN(2) == 0)
	}
	for {
		err := r.Start(ctx)
		r.note("start: %v", err)
		switch {
		case err == nil:
			if !r.Disk.Crashed() {
				return nil
			}
			// It crashed after its last write.
		case !errors.Is(err, ErrCrashed) && !r.Disk.Crashed():
			return fmt.Errorf("seed schedule: %w", err)
		}
		r.Crash()
	}
}

// step lets one thing happen.
func (r *Run) step(ctx context.Context) error {
	rng := r.rng
	switch n := rng.IntN(100); {
	case n < 35:
		size := 1 + rng.IntN(40)
		if rng.IntN(20) == 0 {
			size = 1 + rng.IntN(2500)
		}
		err := r.Stamp(ctx, size)
		r.note("stamp %d: %v", size, err)
	case n < 65 && r.Flying() > 0:
		fate := Taken
		if rng.IntN(4) == 0 {
			fate = Fate(rng.IntN(4))
		}
		r.note("land %d", fate)
		r.Land(rng.IntN(r.Flying()), fate)
	case n < 85:
		err := r.Seal(ctx)
		r.note("seal: %v", err)
	case n < 88:
		r.RefuseSeals = !r.RefuseSeals
		r.note("refuse seals: %v", r.RefuseSeals)
	case n < 90:
		r.Disk.FailAt(1+rng.IntN(4), rng.IntN(2) == 0)
		r.note("a write will fail")
	case n < 93:
		r.Disk.CrashAt(1+rng.IntN(6), rng.IntN(2) == 0)
		r.note("a write will crash")
	case n < 95:
		r.Now.Time = r.Now.Time.Add(time.Duration(rng.IntN(7200)-3600) * time.Second)
		r.note("clock step")
	case n < 97:
		r.note("kill")
		r.Crash()
		if rng.IntN(2) == 0 {
			r.Reboot()
		}
		return r.start(ctx)
	case n < 99:
		err := r.Stop(ctx)
		r.note("stop: %v", err)
		if r.Disk.Crashed() {
			return nil
		}
		// After an orderly end, or one that could not write: what is left is on the disk.
		r.Disk = r.Disk.Clone()
		return r.start(ctx)
	}
	return nil
}

func (r *Run) note(format string, args ...any) {
	r.Log = append(r.Log, fmt.Sprintf(format, args...))
}

// Delivered returns what the SIEM received, in an order shuffled by seed: seals
// after or before their records, batches interleaved.
func (r *Run) Delivered(seed uint64) []plog.Logs {
	list := append(append([]plog.Logs(nil), r.Received...), r.Refused...)
	rng := rand.New(rand.NewPCG(seed, 5))
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}
