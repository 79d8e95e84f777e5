// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// claimHandle opens a session under the handle of another stream's, and returns what its further seals are made with.
func (h *host) claimHandle(of *seal.Seal) (*forge.Forger, seal.Seal) {
	forger := h.thief()
	open := seal.Seal{
		StreamID: h.trust.StreamID(), Kind: seal.KindOpen, Handle: of.Handle, Nonce: [16]byte{7}, Time: of.Time, BootID: of.BootID,
		Name: h.name, Key: h.trust.Key, Software: "test/1", Interval: time.Second, Heartbeat: time.Minute,
	}
	h.archive.addNote(h.t, forger.Seal(open, nil))
	return forger, open
}

// sharedHandle returns the archive of two streams whose sessions have one handle. Its last two lines are the block and the close seal of the second one.
func sharedHandle(t *testing.T) (one, two *host, a *lines) {
	t.Helper()
	a = &lines{}
	one = newHostInto(t, "web-17", a).start().send(20).stop()
	first := a.note(t, 0).Seal
	two = newHostInto(t, "db-3", a)
	forger, base := two.claimHandle(first)
	var leaves []seal.Hash
	begin := len(a.list)
	ld := two.batch(30)
	for i, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		lr.Attributes().PutStr(seal.IDKey, seal.ID{Handle: first.Handle, Seq: uint64(i)}.String())
	}
	a.add(t, ld)
	for i := begin; i < len(a.list); i++ {
		leaves = append(leaves, a.leaf(t, i))
	}
	block := base
	block.Kind = seal.KindBlock
	a.addNote(t, forger.Seal(cover(block, seal.Ranges{{First: 0, Last: 29}}, leaves), nil))
	end := base
	end.Kind, end.End = seal.KindClose, 30
	a.addNote(t, forger.Seal(end, nil))
	return one, two, a
}

// TestSharedHandleResumes: what waits for its seal when a checkpoint is made is still there when the next verification goes on from that.
func TestSharedHandleResumes(t *testing.T) {
	one, two, a := sharedHandle(t)
	trust := []seal.Trust{one.trust, two.trust}
	part := func(list []string) [][]byte { return [][]byte{[]byte(strings.Join(list, "\n") + "\n")} }
	cut := len(a.list) - 2
	first := verifyFrom(t, trust, nil, part(a.list[:cut]))
	require.EqualValues(t, 20, first.Verified, show(first))
	second := verifyFrom(t, trust, checkpointOf(t, first), part(a.list[cut:]))
	expect(t, second, verdicts{finding.BrokenChain: 1}) // the open seal, as in the whole
	require.EqualValues(t, 30, second.Verified, show(second))
	require.EqualValues(t, 30, second.Records, "a record that waits is in both sessions' checkpoints, and one record")
	require.Zero(t, second.Duplicates)
}

// TestSharedHandle: two sessions happen to have one handle. Nobody can wait for that to happen, so the second stream here claims the first one's
// handle, which is BROKEN_CHAIN for its seals and changes nothing for its records.
func TestSharedHandle(t *testing.T) {
	one, two, a := sharedHandle(t)
	first := a.note(t, 0).Seal

	for seed := range uint64(40) {
		b := a.shuffled(seed)
		report := b.verify(t, one.trust, two.trust)
		expect(t, report, verdicts{finding.BrokenChain: 1})
		require.EqualValues(t, 50, report.Verified, "seed %d: %s", seed, show(report))

		// A record of either is still missed, and one that is of neither is found.
		missing := b.clone()
		missing.remove(missing.find(t, fmt.Sprintf(`"line %d of db-3"`, seed%30)))
		report = missing.verify(t, one.trust, two.trust)
		require.True(t, names(report, fmt.Sprintf("%s-%d", first.Handle, seed%30), finding.Missing), show(report))
		forged := b.clone()
		i := forged.find(t, `"line 3 of web-17"`)
		forged.list = append(forged.list, strings.Replace(forged.list[i], "line 3 of", "lime 3 of", 1))
		report = forged.verify(t, one.trust, two.trust)
		require.EqualValues(t, 50, report.Verified)
		require.True(t, names(report, fmt.Sprintf("%s-3", first.Handle), finding.Conflict), show(report))
	}
}

// TestSharedHandleCountsOnce: a record that verifies in two sessions is one verified record, and so it is where one of the seals is late.
func TestSharedHandleCountsOnce(t *testing.T) {
	for name, late := range map[string]bool{"in both": false, "late in one": true} {
		t.Run(name, func(t *testing.T) {
			a := &lines{}
			one := newHostInto(t, "web-17", a).start().send(20).stop()
			two := newHostInto(t, "db-3", a)
			forger, base := two.claimHandle(a.note(t, 0).Seal)
			leaves := make([]seal.Hash, 20)
			for i := range leaves {
				leaves[i] = a.leaf(t, a.record(t, i))
			}
			block, beat, end := base, base, base
			block.Kind, beat.Kind, end.Kind, end.End = seal.KindBlock, seal.KindHeartbeat, seal.KindClose, 20
			want := verdicts{finding.BrokenChain: 1}
			if late {
				forger.Seal(beat, nil) // is missing
				want[finding.MissingSeal], want[finding.Late] = 1, 20
			}
			a.addNote(t, forger.Seal(cover(block, seal.Ranges{{First: 0, Last: 19}}, leaves), nil))
			for late && forger.Number() <= seal.AnchorEvery {
				a.addNote(t, forger.Seal(beat, nil))
			}
			a.addNote(t, forger.Seal(end, nil))
			for seed := range uint64(10) {
				report := a.shuffled(seed).verify(t, one.trust, two.trust)
				expect(t, report, want)
				require.EqualValues(t, 20, report.Records)
				require.EqualValues(t, 20, report.Verified, "seed %d: %s", seed, show(report))
			}
		})
	}
}

// TestAttackTakeOverAHandle: the owner of another trusted stream makes a session with the handle of one that is to be rewritten, and lets it
// cover or void the same ids. That one's own findings stand all the same.
func TestAttackTakeOverAHandle(t *testing.T) {
	for _, how := range []string{"void", "cover"} {
		t.Run(how, func(t *testing.T) {
			a := &lines{}
			one := newHostInto(t, "web-17", a).start().send(20).stop()
			first := a.note(t, 0).Seal
			a.replace(t, a.record(t, 5), "line 5 of", "lime 5 of")
			two := newHostInto(t, "db-3", a)
			forger, base := two.claimHandle(first)
			next := base
			if how == "void" {
				next.Kind, next.Void = seal.KindHeartbeat, seal.Ranges{{First: 0, Last: 99}}
			} else {
				var leaves []seal.Hash
				for i := range 20 {
					leaves = append(leaves, a.leaf(t, a.find(t, fmt.Sprintf(`"%s-%d"`, first.Handle, i))))
				}
				next.Kind = seal.KindBlock
				next = cover(next, seal.Ranges{{First: 0, Last: 19}}, leaves)
			}
			a.addNote(t, forger.Seal(next, nil))
			base.Kind, base.End = seal.KindClose, 20
			a.addNote(t, forger.Seal(base, nil))
			for seed := range uint64(30) {
				b := a.shuffled(seed)
				report := b.verify(t, one.trust, two.trust)
				require.Equal(t, finding.Tampered, report.Verdict)
				ofOne := 0
				for _, f := range report.Findings {
					if f.Stream == "web-17" && (f.Code == finding.Altered || f.Code == finding.Missing || f.Code == finding.Unresolved) {
						ofOne++
					}
				}
				require.NotZero(t, ofOne, "seed %d: %s", seed, show(report))
			}
		})
	}
}

// TestSecondPass: records that come again when their leaves are long gone are told apart all the same, in a second pass.
func TestSecondPass(t *testing.T) {
	a := newAccessLogs(t, 270_000)
	a.proto = true
	var archived bytes.Buffer
	_, err := archived.ReadFrom(a)
	require.NoError(t, err)
	message := archived.Bytes() // the first has 100 records
	early := message[:4+binary.BigEndian.Uint32(message)]
	require.Contains(t, string(early), "logseal.id")
	path := filepath.Join(t.TempDir(), "archive")
	verify := func(extra ...[]byte) *verifier.Report {
		data := slices.Concat(append([][]byte{archived.Bytes()}, extra...)...)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		report, err := archive.Verify(t.Context(), []string{path}, verifier.New([]seal.Trust{a.host.Trust}), time.Time{}, archive.Options{})
		require.NoError(t, err)
		return report
	}
	report := verify(early, bytes.Replace(early, []byte("GET"), []byte("PUT"), 1))
	expect(t, report, verdicts{finding.Conflict: 1})
	require.EqualValues(t, 199, report.Duplicates)
	require.EqualValues(t, 270_000, report.Verified)

	both := append(slices.Clone(archived.Bytes()), early...)
	_, err = archive.Verify(t.Context(), []string{archive.Stdin}, verifier.New([]seal.Trust{a.host.Trust}), time.Time{}, archive.Options{Stdin: bytes.NewReader(both)})
	require.ErrorIs(t, err, archive.ErrReadTwice)
}

// TestAddLogsAgrees: what pdata reads and what the archive reader reads is judged alike.
func TestAddLogsAgrees(t *testing.T) {
	h := newHost(t, "web-17")
	h.policy, _ = seal.NewPolicy([]string{"k8s.*"}, nil)
	h.start().send(20).seal().send(20).stop()
	a := h.archive
	a.replace(t, a.record(t, 5), "line", "lime")
	a.replace(t, a.record(t, 6), `"k8s.pod"`, `"k8s.node"`)
	a.replace(t, a.record(t, 30), `-30"`, `-030"`)
	var all []plog.Logs
	for _, line := range a.list {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(t, err)
		all = append(all, ld)
	}
	want := verdicts{finding.Altered: 1, finding.Unresolved: 15 + 15, finding.Malformed: 1, finding.Missing: 1}
	expect(t, a.verify(t, h.trust), want)
	expect(t, verifyLogs(t, all, h.trust), want)
}
