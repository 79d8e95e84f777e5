// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

func verifyLogs(t testing.TB, all []plog.Logs, trust ...seal.Trust) *verifier.Report {
	for v := verifier.New(trust); ; {
		for i, ld := range all {
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

var schedules = flag.Int("schedules", 200, "how many random schedules the property tests run; more of them also mean more orders of every archive")

// orders is how many orders of an archive's lines are tried. The first is the one that they have.
func orders() uint64 { return uint64(max(3, *schedules/60)) }

// eachSchedule runs a test for each random schedule, several at a time.
func eachSchedule(t *testing.T, test func(t *testing.T, seed uint64)) { each(t, *schedules, test) }

// each runs a test for each of n seeds, several at a time.
func each(t *testing.T, n int, test func(t *testing.T, seed uint64)) {
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for seed := w; seed < n; seed += workers {
				test(t, uint64(seed))
			}
		})
	}
}

// TestPropertyNoFalseAlarm: whatever happens to a host that nobody attacks, and in whatever order its records and seals are
// delivered, nothing is wrong; and when its last session is closed and nothing was in doubt, every record is verified.
func TestPropertyNoFalseAlarm(t *testing.T) {
	eachSchedule(t, func(t *testing.T, seed uint64) {
		run, err := sealtest.Schedule(t.Context(), seed, 60, seed%4 == 3, seed%5 == 4)
		require.NoError(t, err, "seed %d", seed)
		for order, logs := range [][]plog.Logs{run.Received, run.Delivered(seed)} {
			report := verifyLogs(t, logs, run.Trust)
			for _, f := range report.Findings {
				allowed := false
				switch f.Code {
				case finding.Doubt, finding.Voided:
					allowed = true
				case finding.Unsealed:
					allowed = !run.Closed || run.RolledBack
				case finding.OpenEnd, finding.Orphan, finding.Absent:
					// The first seals of the last session may not have arrived when the schedule was cut off.
					allowed = !run.Closed || run.RolledBack
				case finding.StateRolledBack, finding.MissingSeal, finding.BadSeal, finding.Late:
					// Storage that falls back takes with it seals that were made and not sent; that they are missing is true.
					allowed = run.RolledBack
				}
				require.True(t, allowed, "false alarm: seed %d order %d: %s\n%v", seed, order, show(report), run.Log)
			}
		}
	})
}

// flat is the archive of a schedule, one record each.
type flat struct {
	records []plog.Logs
	ids     []string // empty for seals
	settled map[string]string
}

func flatten(t *testing.T, all []plog.Logs) *flat {
	f := &flat{settled: map[string]string{}}
	for _, ld := range all {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					one := plog.NewLogs()
					to := one.ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(to.Resource())
					scope := to.ScopeLogs().AppendEmpty()
					sl.Scope().CopyTo(scope.Scope())
					lr.CopyTo(scope.LogRecords().AppendEmpty())
					id := ""
					if value, ok := lr.Attributes().Get(seal.IDKey); ok {
						id = value.Str()
					} else {
						f.note(t, lr.Body().Str())
					}
					f.records, f.ids = append(f.records, one), append(f.ids, id)
				}
			}
		}
	}
	return f
}

// note remembers what each seq was settled as.
func (f *flat) note(t *testing.T, body string) {
	n, err := seal.ParseNote(body)
	require.NoError(t, err)
	handle, as := n.Seal.Handle, "sent"
	if n.Seal.Kind == seal.KindAdopt {
		handle = n.Seal.Adopts
	}
	if n.Seal.Doubt {
		as = "doubt"
	}
	for _, r := range n.Seal.Covered {
		for seq := r.First; seq <= r.Last; seq++ {
			f.settled[seal.ID{Handle: handle, Seq: seq}.String()] = as
		}
	}
}

func (f *flat) record(i int) plog.LogRecord {
	return f.records[i].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// copies returns the indexes of all records with an id.
func (f *flat) copies(id string) (list []int) {
	for i := range f.ids {
		if f.ids[i] == id {
			list = append(list, i)
		}
	}
	return list
}

// names reports whether a finding of one of the verdicts is about an id.
func names(report *verifier.Report, id string, of ...finding.Code) bool {
	want, _ := seal.ParseID(id)
	for _, f := range report.Findings {
		if !slices.Contains(of, f.Code) || f.ID == "" {
			continue
		}
		first, _ := seal.ParseID(f.ID)
		if first.Handle == want.Handle && first.Seq <= want.Seq && want.Seq < first.Seq+f.Count {
			return true
		}
	}
	return false
}

// TestPropertyEveryAttackIsNamed: into the archive of a schedule one change is made, and it is found and named, whatever else happened.
func TestPropertyEveryAttackIsNamed(t *testing.T) {
	eachSchedule(t, func(t *testing.T, seed uint64) {
		run, err := sealtest.Schedule(t.Context(), seed, 40, false, false)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(seed, 9))
		var candidates []int
		f := flatten(t, run.Received)
		for i, id := range f.ids {
			if f.settled[id] != "" {
				candidates = append(candidates, i)
			}
		}
		if len(candidates) < 2 {
			return
		}
		untouched := verifyLogs(t, run.Received, run.Trust).Verified
		for range 4 {
			attack(t, rng, flatten(t, run.Received), candidates, run, seed, untouched)
		}
	})
}

func attack(t *testing.T, rng *rand.Rand, f *flat, candidates []int, run *sealtest.Run, seed, untouched uint64) {
	i := candidates[rng.IntN(len(candidates))]
	id := f.ids[i]
	parsed, err := seal.ParseID(id)
	require.NoError(t, err)
	kind := rng.IntN(8)
	var check func(*verifier.Report) bool
	switch kind {
	case 0: // alter every copy
		for _, c := range f.copies(id) {
			f.record(c).Body().SetStr("altered")
		}
		check = func(r *verifier.Report) bool { return names(r, id, finding.Altered, finding.Unresolved) }
	case 1: // delete every copy
		for _, c := range f.copies(id) {
			f.records[c] = plog.NewLogs()
		}
		check = func(r *verifier.Report) bool { return names(r, id, finding.Missing, finding.Doubt) }
	case 2: // insert at the end of a session
		forged := plog.NewLogs()
		f.records[i].CopyTo(forged)
		f.records = append(f.records, forged)
		fake := seal.ID{Handle: parsed.Handle, Seq: 1<<40 + rng.Uint64N(1<<50)}.String()
		f.record(len(f.records)-1).Attributes().PutStr(seal.IDKey, fake)
		check = func(r *verifier.Report) bool { return names(r, fake, finding.Inserted, finding.Unsealed) }
	case 3: // another record with the same id
		forged := plog.NewLogs()
		f.records[i].CopyTo(forged)
		f.records = append(f.records, forged)
		f.record(len(f.records) - 1).Body().SetStr("forged")
		check = func(r *verifier.Report) bool { return names(r, id, finding.Conflict) }
	case 4: // two change places
		j := candidates[rng.IntN(len(candidates))]
		other := f.ids[j]
		if other == id || f.record(i).Body().Str() == f.record(j).Body().Str() {
			return
		}
		for _, c := range f.copies(id) {
			f.record(c).Attributes().PutStr(seal.IDKey, other)
		}
		for _, c := range f.copies(other) {
			f.record(c).Attributes().PutStr(seal.IDKey, id)
		}
		check = func(r *verifier.Report) bool {
			return names(r, id, finding.Altered, finding.Unresolved) && names(r, other, finding.Altered, finding.Unresolved)
		}
	case 5: // replayed into a session that is not there
		for _, c := range f.copies(id) {
			f.record(c).Attributes().PutStr(seal.IDKey, "aaaaaaaa-7")
		}
		check = func(r *verifier.Report) bool {
			return names(r, id, finding.Missing, finding.Doubt) && names(r, "aaaaaaaa-7", finding.Orphan)
		}
	case 6: // the stamp is taken off
		for _, c := range f.copies(id) {
			f.record(c).Attributes().Remove(seal.IDKey)
		}
		check = func(r *verifier.Report) bool {
			return names(r, id, finding.Missing, finding.Doubt) && slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Code == finding.Unstamped })
		}
	case 7: // moved under another resource
		for _, c := range f.copies(id) {
			f.records[c].ResourceLogs().At(0).Resource().Attributes().PutStr("host.name", "other")
		}
		check = func(r *verifier.Report) bool { return names(r, id, finding.Altered, finding.Unresolved) }
	}
	if rng.IntN(2) == 0 {
		rng.Shuffle(len(f.records), func(a, b int) { f.records[a], f.records[b] = f.records[b], f.records[a] })
	}
	report := verifyLogs(t, f.records, run.Trust)
	require.True(t, check(report), "seed %d, attack %d on %s, settled as %s, was not found: %s", seed, kind, id, f.settled[id], show(report))
	if kind != 2 && f.settled[id] != "doubt" {
		require.Equal(t, finding.Tampered, report.Verdict, "seed %d, attack %d on %s: %s", seed, kind, id, show(report))
	}
	// And nothing else is touched: what is not in the group of the record is verified all the same.
	lost := uint64(2 * len(f.copies(id)) * seal.GroupSize)
	require.GreaterOrEqual(t, report.Verified+lost, untouched, "seed %d, attack %d on %s: %s", seed, kind, id, show(report))
}

// TestPropertyFlippedBytes: whatever byte of an archive is changed, the archive is right only if every record in it is still what it was.
func TestPropertyFlippedBytes(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal().send(4).kill()
	h.start().send(3).stop()
	data := []byte(strings.Join(h.archive.list, "\n") + "\n")
	read := func(t *testing.T, data []byte) (map[string]string, *verifier.Report) {
		records := map[string]string{}
		v := verifier.New([]seal.Trust{h.trust})
		err := archive.Read(t.Context(), []string{archive.Stdin}, archive.Options{Stdin: bytes.NewReader(data)}, func(o *verifier.Observed) error {
			if o.HasID {
				records[o.ID.String()] = string(o.Canonical)
			}
			v.Add(o)
			return nil
		})
		require.NoError(t, err)
		report, err := v.Finish(time.Time{})
		require.NoError(t, err)
		return records, report
	}
	want, report := read(t, data)
	require.Equal(t, finding.OK, report.Verdict)
	var harmless atomic.Int64
	t.Run("flipped", func(t *testing.T) {
		each(t, 5**schedules, func(t *testing.T, seed uint64) {
			rng := rand.New(rand.NewPCG(seed, 7))
			flipped := bytes.Clone(data)
			for range 1 + rng.IntN(2) {
				at := rng.IntN(len(flipped))
				if rng.IntN(2) == 0 {
					flipped[at] = byte(rng.IntN(256))
				} else {
					flipped[at] ^= 1 << rng.IntN(8)
				}
			}
			got, report := read(t, flipped)
			if report.Verdict == finding.OK {
				require.Equal(t, want, got)
				harmless.Add(1)
			}
		})
	})
	t.Logf("%d changes were harmless: around seals, or of nothing", harmless.Load())
}
