// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// sample is what one host sent, or what became of it on the way, and what the offline verifier finds in that. It is made once and delivered in many ways.
type sample struct {
	trust   seal.Trust
	closed  bool // its last session ended in order
	begins  bool // its first seal comes first
	prompt  bool // nobody touched it, and nothing comes long after its seal
	what    string
	chunks  []sent // in the order in which the host sent them
	report  *verifier.Report
	claims  claims
	records uint64
}

// sent is what a host sent at a time after its start.
type sent struct {
	at   time.Duration
	logs plog.Logs
}

// host's histories of a block of schedules, each as it was sent, and in some ways in which it was attacked.
const (
	histories = 12
	attacked  = 4
)

// samplesOf makes the samples of a block of schedules: of each history the one that nobody touched, then those that somebody did.
func samplesOf(t testing.TB, block uint64) [][]*sample {
	list := make([][]*sample, 0, histories)
	for i := range uint64(histories) {
		seed := block*histories + i
		history := shortHistory
		switch i {
		case 5:
			history = longHistory
		case 9:
			history = restoredHistory
		}
		host, closed, log := history(t, seed)
		sent := append(slices.Clone(host.Received), host.Refused...)
		rng := rand.New(rand.NewPCG(seed, 20))
		add := func(list records, what string) *sample {
			s := &sample{trust: host.Trust, closed: closed, what: fmt.Sprintf("%s of %d: %s\n%v", host.Trust.Name, seed, what, log), chunks: pack(rng, list)}
			all := make([]plog.Logs, len(s.chunks))
			for i := range s.chunks {
				all[i] = s.chunks[i].logs
			}
			s.report = offline(t, all, host.Trust)
			s.claims = claimsOf(s.report)
			if len(list) > 0 {
				note, err := seal.ParseNote(record(list[0]).Body().AsString())
				s.begins = err == nil && note.Seal.Number == 0 && note.Begins(&host.Trust)
			}
			s.records = s.report.Records
			return s
		}
		variants := []*sample{add(flatten(sent), "nothing")}
		variants[0].prompt = len(host.Refused) == 0
		for range attacked {
			list, what := flatten(sent), ""
			for range 1 + rng.IntN(2) {
				if len(list) == 0 {
					break
				}
				var done string
				list, done = attack(rng, list)
				what += done + ", "
			}
			variants = append(variants, add(list, what))
		}
		list = append(list, variants)
	}
	return list
}

// attack does something to records or seals of a stream.
func attack(rng *rand.Rand, list records) (records, string) {
	i := rng.IntN(len(list))
	if rng.IntN(3) == 0 { // to a seal
		for j := range list {
			if k := (i + j) % len(list); idOf(list[k]) == "" {
				i = k
				break
			}
		}
	}
	list, what := attacks[rng.IntN(len(attacks))](rng, list, i)
	return list, fmt.Sprintf("%s at %d", what, i)
}

// shortHistory is a host's history of few seals in which all may happen that can.
func shortHistory(t testing.TB, seed uint64) (host *sealtest.Host, closed bool, log []string) {
	run, err := sealtest.Schedule(t.Context(), seed, 4+int(seed%17), seed%4 == 3, seed%5 == 4)
	require.NoError(t, err, "seed %d", seed)
	return run.Host, run.Closed, run.Log
}

// longHistory is one of so many seals that there are anchors. The host stops and crashes now and then.
func longHistory(t testing.TB, seed uint64) (host *sealtest.Host, closed bool, log []string) {
	rng := rand.New(rand.NewPCG(seed, 6))
	h, err := sealtest.NewHost(fmt.Sprintf("host-%d", seed), rng)
	require.NoError(t, err)
	require.NoError(t, h.Start(t.Context()))
	for range 66 + rng.IntN(30) + 64*max(0, rng.IntN(4)-2) {
		require.NoError(t, h.Stamp(t.Context(), 1+rng.IntN(3)))
		if rng.IntN(8) > 0 {
			h.Land(0, sealtest.Taken)
		}
		require.NoError(t, h.Seal(t.Context()))
		switch rng.IntN(40) {
		case 0:
			h.Crash()
			log = append(log, "crash")
			require.NoError(t, h.Start(t.Context()))
		case 1:
			landAll(h)
			require.NoError(t, h.Stop(t.Context()))
			log = append(log, "stop")
			require.NoError(t, h.Start(t.Context()))
		}
	}
	landAll(h)
	require.NoError(t, h.Stop(t.Context()))
	return h, true, log
}

// restoredHistory is one of a host whose disk, keys and all, is set back to an older snapshot: it makes seals anew that it has made.
func restoredHistory(t testing.TB, seed uint64) (host *sealtest.Host, closed bool, log []string) {
	rng := rand.New(rand.NewPCG(seed, 7))
	h, err := sealtest.NewHost(fmt.Sprintf("host-%d", seed), rng)
	require.NoError(t, err)
	require.NoError(t, h.Start(t.Context()))
	work := func() {
		require.NoError(t, h.Stamp(t.Context(), 1+rng.IntN(20)))
		if rng.IntN(8) > 0 {
			h.Land(0, sealtest.Taken)
		}
		require.NoError(t, h.Seal(t.Context()))
	}
	before, after, then := rng.IntN(10), rng.IntN(10), rng.IntN(10)
	for range before {
		work()
	}
	snapshot := h.Disk.Clone()
	for range after {
		work()
	}
	h.Crash()
	h.Disk = snapshot
	if rng.IntN(2) == 0 {
		h.Reboot()
	}
	log = append(log, fmt.Sprintf("restored after %d and %d seals, %d more", before, after, then))
	require.NoError(t, h.Start(t.Context()))
	for range then {
		work()
	}
	landAll(h)
	require.NoError(t, h.Stop(t.Context()))
	return h, true, log
}

func landAll(h *sealtest.Host) {
	for h.Flying() > 0 {
		h.Land(0, sealtest.Taken)
	}
}

// pack puts up to a dozen records or seals that follow each other into one request. It is sent when the last of the seals was made, or just before the next.
func pack(rng *rand.Rand, list records) (chunks []sent) {
	var (
		at   time.Duration
		last *seal.Seal
	)
	for len(list) > 0 {
		n := min(len(list), 1+rng.IntN(12))
		chunk := plog.NewLogs()
		var scope plog.ScopeLogs
		for i, ld := range list[:n] {
			rl := ld.ResourceLogs().At(0)
			if isSeal := idOf(ld) == ""; i == 0 || isSeal || idOf(list[i-1]) == "" { // what is stamped is of one source
				to := chunk.ResourceLogs().AppendEmpty()
				rl.Resource().CopyTo(to.Resource())
				scope = to.ScopeLogs().AppendEmpty()
				rl.ScopeLogs().At(0).Scope().CopyTo(scope.Scope())
			}
			record(ld).CopyTo(scope.LogRecords().AppendEmpty())
			note, err := seal.ParseNote(record(ld).Body().AsString())
			if err != nil {
				continue
			}
			if next := note.Seal; last == nil || next.Number > last.Number {
				if last != nil && next.BootID == last.BootID {
					at += max(0, next.Uptime-last.Uptime)
				}
				last = next
			}
		}
		chunks, list = append(chunks, sent{at, chunk}), list[n:]
	}
	for i, late := len(chunks)-2, false; i >= 0; i-- {
		if chunks[i].at < chunks[i+1].at {
			late = rng.IntN(2) == 0
		}
		if late && !hasSeal(chunks[i].logs) {
			chunks[i].at = chunks[i+1].at
		} else {
			late = false
		}
	}
	return chunks
}

func hasSeal(ld plog.Logs) bool {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if seal.IsSeal(lr) {
					return true
				}
			}
		}
	}
	return false
}
