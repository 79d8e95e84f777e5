// SPDX-License-Identifier: Apache-2.0

package sealer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// crashScript is a host's day: every kind of write occurs in it.
func crashScript(ctx context.Context, h *sealtest.Host) error {
	stamp := func(n int) error { return h.Stamp(ctx, n) }
	seal := func() error { return h.Seal(ctx) }
	land := func(fates ...sealtest.Fate) error {
		for _, fate := range fates {
			h.Land(0, fate)
		}
		return nil
	}
	for _, step := range []func() error{
		func() error { return h.Start(ctx) },
		func() error { return stamp(5) },
		func() error { return stamp(20) },
		func() error { return land(sealtest.Taken, sealtest.Turned) },
		seal,
		func() error { return stamp(1100) },
		func() error { return stamp(3) },
		func() error { return stamp(4) },
		func() error { return land(sealtest.Taken) },
		func() error { return stamp(2) },
		seal,
		func() error { h.Crash(); return h.Start(ctx) },
		func() error { return stamp(7) },
		func() error { return land(sealtest.Taken) },
		seal,
		seal, // a heartbeat
		func() error { return stamp(7) },
		func() error { return land(sealtest.Taken) },
		func() error { return h.Stop(ctx) },
		func() error { return h.Start(ctx) },
		func() error { return stamp(2) },
		func() error { return land(sealtest.Taken) },
		func() error { return h.Stop(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// TestCrashBetweenAnyTwoWrites kills the host at each write of a script, done, torn
// or undone, and lets the script begin again on what is left. Whatever the SIEM
// received must verify, and nothing that was forwarded be left unsealed.
func TestCrashBetweenAnyTwoWrites(t *testing.T) {
	for _, c := range []struct{ applied, split bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		t.Run(fmt.Sprintf("done %v, split %v", c.applied, c.split), func(t *testing.T) {
			t.Parallel()
			applied := c.applied
			for at := 1; ; at++ {
				h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(uint64(at), 7)))
				require.NoError(t, err)
				if c.split {
					h.Disk.Split()
				}
				h.Disk.CrashAt(at, applied)
				err = crashScript(t.Context(), h)
				if !h.Disk.Crashed() && err == nil {
					require.Greater(t, at, 30, "the script has few writes")
					break
				}
				require.True(t, h.Disk.Crashed() || errors.Is(err, sealtest.ErrCrashed), "write %d: %v", at, err)
				h.Crash()
				require.NoError(t, crashScript(t.Context(), h), "write %d", at)
				report := audit(t, h.Trust, h.Received)
				for _, f := range report.Findings {
					require.Equal(t, finding.Doubt, f.Code, "write %d, done %v: %+v", at, applied, f)
				}
				require.Equal(t, report.Records, report.Verified+report.Duplicates, "write %d, done %v", at, applied)
			}
		})
	}
}

// TestCrashTwice: the second crash hits the start that follows the first.
func TestCrashTwice(t *testing.T) {
	for at := 1; at <= 60; at += 3 {
		for again := 1; again <= 6; again++ {
			t.Run(fmt.Sprintf("%d then %d", at, again), func(t *testing.T) {
				t.Parallel()
				h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(uint64(at), 8)))
				require.NoError(t, err)
				if at%4 < 2 {
					h.Disk.Split()
				}
				h.Disk.CrashAt(at, again%2 == 0)
				_ = crashScript(t.Context(), h) // crashes, or ends before that
				h.Crash()
				h.Disk.CrashAt(again, at%2 == 0)
				_ = crashScript(t.Context(), h)
				h.Crash()
				require.NoError(t, crashScript(t.Context(), h))
				report := audit(t, h.Trust, h.Received)
				for _, f := range report.Findings {
					require.Equal(t, finding.Doubt, f.Code, "%+v", f)
				}
			})
		}
	}
}

// TestLeavesLost: a loss of power takes the leaves that are kept apart, and what was forwarded and not sealed is said
// to be unsealed. It is neither declared void, as if it had never been sent, nor an alarm.
func TestLeavesLost(t *testing.T) {
	h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, err)
	empty := h.Disk.Split().Clone()
	require.NoError(t, h.Start(t.Context()))
	require.NoError(t, h.Stamp(t.Context(), 5))
	require.NoError(t, h.Stamp(t.Context(), 6)) // on its way while the first is sealed
	h.Land(0, sealtest.Taken)
	require.NoError(t, h.Seal(t.Context()))
	h.Land(0, sealtest.Taken)
	h.Crash()
	h.Disk = h.Disk.CloneLeaves(empty)
	h.Reboot()
	require.NoError(t, h.Start(t.Context()))
	require.EqualValues(t, 6, h.Sealer().Stats().Lost)
	require.NoError(t, h.Stop(t.Context()))
	report := audit(t, h.Trust, h.Received)
	require.EqualValues(t, 5, report.Verified)
	require.Len(t, report.Findings, 1)
	require.Equal(t, finding.Unsealed, report.Findings[0].Code)
	require.EqualValues(t, 6, report.Findings[0].Count)
}

// audit verifies what was received.
func audit(t *testing.T, trust seal.Trust, list []plog.Logs) *verifier.Report {
	t.Helper()
	for v := verifier.New([]seal.Trust{trust}); ; {
		for i, ld := range list {
			v.AddLogs(ld, finding.Place{File: "received", Line: i + 1})
		}
		report, err := v.Finish(time.Time{})
		require.NoError(t, err)
		next := v.Again()
		if next == nil {
			return report
		}
		v = next
	}
}
