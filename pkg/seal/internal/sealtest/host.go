// SPDX-License-Identifier: Apache-2.0

package sealtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/sealer"
)

// errRefused is what the SIEM answers when it does not take a batch.
var errRefused = errors.New("sealtest: refused")

// Host is a host that logs, its sealer, and the SIEM behind it.
type Host struct {
	Disk  *Disk
	Trust seal.Trust
	// Received is what reached the SIEM, in order: records and seals.
	Received []plog.Logs
	// Refused are batches that the SIEM kept and yet answered with an error.
	Refused []plog.Logs
	// Policy is what the host excludes from the next start on.
	Policy seal.Policy
	// Now is what the host's clocks show.
	Now sealer.Reading
	// Dated says that records give the time at which they were made. Others give none.
	Dated bool

	rng         *rand.Rand
	sealer      *sealer.Sealer
	flying      []flight
	landed      []plog.Logs // since the last seal
	doubtful    []plog.Logs
	serial      int
	RefuseSeals bool
}

// flight is a batch on its way.
type flight struct {
	batch *sealer.Batch
	logs  plog.Logs
}

// NewHost returns a host with a new stream.
func NewHost(name string, rng *rand.Rand) (*Host, error) {
	return NewHostOf(sealer.NewStream{Name: name}, rng)
}

// NewHostOf is NewHost for a stream that is more than its name.
func NewHostOf(stream sealer.NewStream, rng *rand.Rand) (*Host, error) {
	disk, err := NewDisk(stream)
	if err != nil {
		return nil, err
	}
	keys, err := sealer.LoadKeyFile(disk)
	if err != nil {
		return nil, err
	}
	h := &Host{Disk: disk, Trust: keys.Trust(), rng: rng}
	h.Now = sealer.Reading{Time: time.Unix(1_800_000_000, 0), Uptime: time.Hour, BootID: [16]byte{1}}
	return h, nil
}

// Start starts the sealer, and sends its first seals if the SIEM takes them.
func (h *Host) Start(ctx context.Context) error {
	keys, err := sealer.LoadKeyFile(h.Disk)
	if err != nil {
		return err
	}
	h.sealer, err = sealer.Open(ctx, sealer.Config{
		Keys: keys, Store: h.Disk, Leaves: h.Disk.Leaves(), Clock: func() sealer.Reading { return h.Now }, Policy: h.Policy, Software: "sealtest/1",
	})
	if err != nil {
		return err
	}
	if err := h.sealer.Seal(ctx, h.Emit); err != nil && !errors.Is(err, errRefused) {
		return err
	}
	return nil
}

// Sealer returns the sealer that runs.
func (h *Host) Sealer() *sealer.Sealer { return h.sealer }

// Stamp stamps a batch of n new records and leaves it on its way.
func (h *Host) Stamp(ctx context.Context, n int) error {
	ld := h.records(n)
	batch, err := h.sealer.Stamp(ctx, ld)
	if err == nil {
		h.flying = append(h.flying, flight{batch, ld})
	}
	return err
}

// Flying returns how many batches are on their way.
func (h *Host) Flying() int { return len(h.flying) }

// Fate is what becomes of a batch on its way.
type Fate int

// The fates of a batch.
const (
	Taken       Fate = iota // received, and the consumer said so
	Duplicated              // received twice
	Turned                  // not received, and the consumer said so
	TakenTurned             // received, and the consumer said it was not
)

// Land ends the way of the i-th batch.
func (h *Host) Land(i int, fate Fate) {
	f := h.flying[i]
	h.flying = append(h.flying[:i], h.flying[i+1:]...)
	switch fate {
	case Duplicated:
		h.Received = append(h.Received, f.logs)
		fallthrough
	case Taken:
		h.Received = append(h.Received, f.logs)
	case TakenTurned:
		h.Refused = append(h.Refused, f.logs)
	}
	h.landed = append(h.landed, f.logs)
	f.batch.Settle(fate == Taken || fate == Duplicated)
}

// Emit receives seals.
func (h *Host) Emit(_ context.Context, ld plog.Logs) error {
	if h.RefuseSeals || h.Disk.Crashed() {
		return errRefused
	}
	h.Received = append(h.Received, ld)
	return nil
}

// Seal moves the clock on until the sealer has something to do, and lets it.
func (h *Host) Seal(ctx context.Context) error {
	h.Advance(h.sealer.Due())
	err := h.sealer.Seal(ctx, h.Emit)
	if err == nil && h.sealer.Stats().Waiting == 0 {
		h.landed = nil
	}
	return err
}

// Advance moves the clocks on.
func (h *Host) Advance(d time.Duration) {
	h.Now.Time, h.Now.Uptime = h.Now.Time.Add(d), h.Now.Uptime+d
}

// Stop ends the session in order, with batches on their way unless all landed.
func (h *Host) Stop(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	if len(h.flying) > 0 {
		cancel() // nobody will land them while Close waits
	}
	defer cancel()
	err := h.sealer.Close(ctx, h.Emit)
	if err == nil {
		h.landed = nil
	}
	h.lose()
	return err
}

// Crash ends the session where it stands, as kill -9 does. Batches on their way
// arrive or not.
func (h *Host) Crash() {
	h.Disk.Crash()
	h.lose()
	h.Disk = h.Disk.afterCrash()
}

// Reboot gives the host another boot.
func (h *Host) Reboot() {
	h.Now.BootID[0]++
	h.Now.Uptime = time.Second
}

// lose lets the batches on their way arrive or not, without anybody being told.
func (h *Host) lose() {
	for _, f := range h.flying {
		if h.rng.IntN(2) == 0 {
			h.Received = append(h.Received, f.logs)
			h.doubtful = append(h.doubtful, f.logs)
		}
	}
	// Nor does the store know of batches that landed since its last write.
	h.doubtful = append(h.doubtful, h.landed...)
	h.flying, h.landed = nil, nil
}

// records makes records of which some are alike.
func (h *Host) records(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "h")
	sl := rl.ScopeLogs().AppendEmpty()
	for range n {
		lr := sl.LogRecords().AppendEmpty()
		if h.Dated {
			lr.SetTimestamp(pcommon.NewTimestampFromTime(h.Now.Time))
		}
		if h.rng.IntN(4) == 0 {
			lr.Body().SetStr("the same again")
			continue
		}
		h.serial++
		lr.Body().SetStr(fmt.Sprintf("line %d", h.serial))
		lr.Attributes().PutInt("n", int64(h.serial))
	}
	return ld
}

// Doubtful returns the ids of received records whose absence a verifier must take
// for possible: those the host does not know to have arrived, or refused.
func (h *Host) Doubtful() map[string]bool {
	ids := map[string]bool{}
	for _, list := range [][]plog.Logs{h.Refused, h.doubtful} {
		for _, ld := range list {
			for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
				id, _ := lr.Attributes().Get(seal.IDKey)
				ids[id.Str()] = true
			}
		}
	}
	return ids
}
