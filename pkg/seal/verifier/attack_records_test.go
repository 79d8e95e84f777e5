// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Attacks on records: their content, their number, their order, their ids.

// TestAttackNeighboursEdited: a dull record is deleted, and its neighbours are edited until their short digests match. Short digests only
// locate; nothing of the group counts as verified.
func TestAttackNeighboursEdited(t *testing.T) {
	h := newHost(t, "web-17").start().send(48).seal().stop()
	a := h.archive.clone()
	victim := a.record(t, 20)
	id := a.id(t, victim)
	n := a.note(t, a.sealNumber(t, 1)).Seal
	edited := 21
	i := a.record(t, edited)
	for try := 0; ; try++ {
		b := &lines{list: []string{strings.Replace(a.list[i], fmt.Sprintf("line %d of web-17", edited), fmt.Sprintf("forged %d", try), 1)}}
		leaf := b.leafFast(t, 0)
		if leaf[0] == n.Prefixes[2*edited] && leaf[1] == n.Prefixes[2*edited+1] {
			a.list[i] = b.list[0]
			break
		}
	}
	t.Run("nothing is deleted", func(t *testing.T) {
		report := a.verify(t, h.trust)
		expect(t, report, verdicts{finding.Unresolved: 16})
		require.EqualValues(t, 32, report.Verified, "the other groups stand")
	})
	t.Run("beside the genuine one", func(t *testing.T) {
		b := a.clone()
		b.list = append(b.list, h.archive.list[i])
		report := b.verify(t, h.trust)
		found := expect(t, report, verdicts{finding.Conflict: 1})
		require.Equal(t, i+1, found[finding.Conflict][0].Place.Line)
		require.EqualValues(t, 48, report.Verified)
	})
	a.remove(victim)
	report := a.verify(t, h.trust)
	found := expect(t, report, verdicts{finding.Missing: 1, finding.Unresolved: 15})
	require.Equal(t, id, found[finding.Missing][0].ID)
	require.EqualValues(t, 32, report.Verified, "the other groups stand")
}

// TestAttackAlter alters each record of an archive in turn: it is named, and only its group loses its verdict.
func TestAttackAlter(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal().send(37).seal().send(3).stop()
	for n := range 60 {
		a := h.archive.clone()
		i := a.record(t, n)
		a.replace(t, i, "line", "lime")
		report := a.verify(t, h.trust)
		named := false
		for _, f := range report.Findings {
			switch f.Code {
			case finding.Altered:
				require.Equal(t, a.id(t, i), f.ID)
				require.Equal(t, i+1, f.Place.Line)
				named = true
			case finding.Unresolved: // all of the group, if two bytes happen to agree
			default:
				require.Fail(t, "unexpected", show(report))
			}
		}
		require.True(t, named || report.Findings[0].Count > 1, show(report))
		require.GreaterOrEqual(t, report.Verified, uint64(60-16))
	}
}

// TestAttackDelete deletes each record in turn.
func TestAttackDelete(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal().send(37).seal().send(3).stop()
	for n := range 60 {
		a := h.archive.clone()
		i := a.record(t, n)
		id := a.id(t, i)
		a.remove(i)
		report := a.verify(t, h.trust)
		missing := expectSome(t, report, finding.Missing)
		require.Len(t, missing, 1)
		require.Equal(t, id, missing[0].ID)
		require.EqualValues(t, 1, missing[0].Count)
		require.GreaterOrEqual(t, report.Verified, uint64(60-16))
	}
}

// TestAttackIdenticalNeighbours: one of two records that say the same is deleted.
func TestAttackIdenticalNeighbours(t *testing.T) {
	h := newHost(t, "web-17").start()
	ld := h.batch(2)
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).CopyTo(records.At(1))
	h.sendLogs(ld).stop()
	require.Equal(t, finding.OK, h.archive.verify(t, h.trust).Verdict)
	for n := range 2 {
		a := h.archive.clone()
		a.remove(1 + n)
		found := expect(t, a.verify(t, h.trust), verdicts{finding.Missing: 1, finding.Unresolved: 1})
		require.True(t, strings.HasSuffix(found[finding.Missing][0].ID, fmt.Sprint("-", n)))
	}
}

// TestAttackSwap: two records change their ids. Where lines stand means nothing, but what stands under an id does.
func TestAttackSwap(t *testing.T) {
	h := newHost(t, "web-17").start().send(40).stop()
	a := h.archive.clone()
	i, j := a.record(t, 3), a.record(t, 30)
	one, two := a.id(t, i), a.id(t, j)
	a.replace(t, i, one+`"`, two+`"`)
	a.replace(t, j, two+`"`, one+`"`)
	report := a.verify(t, h.trust)
	found := expectSome(t, report, finding.Altered)
	require.Equal(t, []string{one, two}, []string{found[0].ID, found[1].ID})

	swapped := h.archive.clone()
	swapped.list[i], swapped.list[j] = swapped.list[j], swapped.list[i]
	require.Equal(t, finding.OK, swapped.verify(t, h.trust).Verdict)
}

// TestAttackPermute is no attack: parallel consumers interleave, files come in any order, exporters send twice.
func TestAttackPermute(t *testing.T) {
	a := &lines{}
	one, two := newHostInto(t, "web-17", a).start(), newHostInto(t, "db-3", a).start()
	for range 10 {
		one.send(7).send(30)
		two.send(3)
		one.seal()
		two.send(11).seal()
	}
	one.kill().start().send(5).stop()
	two.stop()
	for seed := range uint64(30) {
		b := a.clone()
		rng := rand.New(rand.NewPCG(seed, 1))
		duplicates := 0
		for i := range b.list {
			if rng.IntN(10) == 0 {
				if !b.isSeal(i) {
					duplicates++
				}
				b.list = append(b.list, b.list[i])
			}
		}
		rng.Shuffle(len(b.list), func(i, j int) { b.list[i], b.list[j] = b.list[j], b.list[i] })
		report := b.verify(t, one.trust, two.trust)
		require.Equal(t, finding.OK, report.Verdict, show(report))
		require.EqualValues(t, 10*51+5, report.Verified)
		require.EqualValues(t, duplicates, report.Duplicates)
	}
}

// TestAttackConflict: another record under an id that is taken, before or after the genuine one, before or after the seal.
func TestAttackConflict(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).stop()
	for _, at := range []int{0, 1, 10, len(h.archive.list)} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			a := h.archive.clone()
			i := a.record(t, 4)
			id := a.id(t, i)
			forged := strings.Replace(a.list[i], "line 4", "LINE 4", 1)
			a.list = slices.Insert(a.list, at, forged)
			report := a.verify(t, h.trust)
			found := expect(t, report, verdicts{finding.Conflict: 1})
			require.EqualValues(t, 20, report.Verified, "the genuine one is verified")
			require.Equal(t, id, found[finding.Conflict][0].ID)
			require.Equal(t, at+1, found[finding.Conflict][0].Place.Line, "the finding is on the forged one")
			require.Contains(t, found[finding.Conflict][0].Message(), fmt.Sprintf("archive.json:%d", a.record(t, 4)+1))
		})
	}
	t.Run("many", func(t *testing.T) {
		a := h.archive.clone()
		i := a.record(t, 4)
		for n := range 1000 {
			a.list = slices.Insert(a.list, 1, strings.Replace(h.archive.list[i], "line 4", fmt.Sprint("forged ", n), 1))
		}
		report := a.verify(t, h.trust)
		expect(t, report, verdicts{finding.Conflict: 1000})
		require.EqualValues(t, 20, report.Verified, "the genuine one, which comes last, is verified")
	})
	t.Run("and the genuine one is gone", func(t *testing.T) {
		a := h.archive.clone()
		i := a.record(t, 4)
		a.list = append(a.list, strings.Replace(a.list[i], "line 4", "forged a", 1), strings.Replace(a.list[i], "line 4", "forged b", 1))
		a.remove(i)
		report := a.verify(t, h.trust)
		expectSome(t, report, finding.Conflict)
		require.EqualValues(t, 4, report.Verified)
	})
}

// TestAttackReplay: a genuine record appears again in another session, or in another stream.
func TestAttackReplay(t *testing.T) {
	a := &lines{}
	one := newHostInto(t, "web-17", a).start().send(20).stop()
	one.start().send(20).stop()
	two := newHostInto(t, "db-3", a).start().send(20).stop()
	for _, target := range []int{20, 40} {
		b := a.clone()
		source := b.find(t, `"line 3 of web-17"`)
		var id string
		if target == 20 {
			id = b.id(t, b.find(t, `"line 25 of web-17"`))
		} else {
			id = b.id(t, b.find(t, `"line 5 of db-3"`))
		}
		replayed := strings.Replace(b.list[source], b.id(t, source)+`"`, id+`"`, 1)
		t.Run(fmt.Sprint("beside ", target), func(t *testing.T) {
			c := b.clone()
			c.list = append(c.list, replayed)
			expect(t, c.verify(t, one.trust, two.trust), verdicts{finding.Conflict: 1})
		})
		t.Run(fmt.Sprint("past the end ", target), func(t *testing.T) {
			c := b.clone()
			handle, _, _ := strings.Cut(id, "-")
			c.list = append(c.list, strings.Replace(replayed, id+`"`, handle+`-20"`, 1))
			expect(t, c.verify(t, one.trust, two.trust), verdicts{finding.Inserted: 1})
		})
	}
	t.Run("in the place of another", func(t *testing.T) {
		b := a.clone()
		victim, source := b.find(t, `"line 25 of web-17"`), b.find(t, `"line 3 of web-17"`)
		id := b.id(t, victim)
		b.list[victim] = strings.Replace(b.list[source], b.id(t, source)+`"`, id+`"`, 1)
		report := b.verify(t, one.trust, two.trust)
		require.Equal(t, finding.Tampered, report.Verdict)
		require.True(t, names(report, id, finding.Altered, finding.Unresolved))
	})
}

// TestAttackHideAGap: a record is deleted, and the ids after it are edited so that none is missing.
func TestAttackHideAGap(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).stop()
	a := h.archive.clone()
	handle, _, _ := strings.Cut(a.id(t, a.record(t, 0)), "-")
	a.remove(a.record(t, 5))
	for n := 6; n < 20; n++ {
		i := a.record(t, n)
		a.replace(t, i, fmt.Sprintf(`%s-%d"`, handle, n), fmt.Sprintf(`%s-%d"`, handle, n-1))
	}
	report := a.verify(t, h.trust)
	require.Equal(t, finding.Tampered, report.Verdict)
	require.Zero(t, report.Verified)
	require.True(t, names(report, handle+"-19", finding.Missing))
	for n := 5; n < 19; n++ {
		require.True(t, names(report, fmt.Sprintf("%s-%d", handle, n), finding.Altered, finding.Unresolved))
	}
}

// TestAttackLossIsNotTampering: what is lost after the host had sent it is missing, and nothing else is said.
func TestAttackLossIsNotTampering(t *testing.T) {
	h := newHost(t, "web-17").start().send(64).seal().send(64).stop()
	a := h.archive.clone()
	handle, _, _ := strings.Cut(a.id(t, a.record(t, 0)), "-")
	for n := 32; n < 96; n++ {
		a.remove(a.record(t, n))
	}
	found := expect(t, a.verify(t, h.trust), verdicts{finding.Missing: 64})
	require.Len(t, found[finding.Missing], 1, "one run is one finding")
	require.Equal(t, handle+"-32", found[finding.Missing][0].ID)
	require.Equal(t, handle+"-95", found[finding.Missing][0].LastID)
}

// TestAttackRefusal is no attack: batches that are refused get new ids, and those of the first try are void. That one of them had arrived
// after all is nothing wrong; but whoever wants to add records has only these ids, so it is not right either.
func TestAttackRefusal(t *testing.T) {
	h := newHost(t, "web-17").start().send(10)
	for range 5 {
		ld := h.batch(10)
		b, err := h.sealer.Stamp(t.Context(), ld)
		require.NoError(t, err)
		b.Settle(false)
		h.archive.add(t, ld) // it had arrived after all
		h.sendLogs(ld).seal()
	}
	h.stop()
	report := h.archive.verify(t, h.trust)
	expect(t, report, verdicts{finding.Voided: 50})
	require.Equal(t, finding.Incomplete, report.Verdict, show(report))
	require.EqualValues(t, 60, report.Verified)
	require.EqualValues(t, 50, report.Streams[0].Voids)
	require.EqualValues(t, 50, report.Streams[0].Voided)
	reversed := h.archive.clone()
	slices.Reverse(reversed.list)
	report = reversed.verify(t, h.trust)
	expect(t, report, verdicts{finding.Voided: 50})
	require.EqualValues(t, 50, report.Streams[0].Voided)
}

// TestAttackBlockSizes: blocks of many sizes from 1 to 1,025 verify, of all where groups begin and end, and a record deleted from any of them is missed.
func TestAttackBlockSizes(t *testing.T) {
	h := newHost(t, "web-17").start()
	all := h.received()
	total := 0
	for n := 1; n <= 1025; n++ {
		if atGroup := (n+1)%16 < 3 && n/16%8 == 0; n > 49 && n < 1007 && !atGroup {
			continue
		}
		h.send(n).seal()
		total += n
	}
	h.stop()
	report := verifyLogs(t, *all, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, total, report.Verified)

	for _, batch := range []int{0, 16, 1024} {
		less := slices.Clone(*all)
		at := -1
		for i, ld := range less {
			if ld.LogRecordCount() == batch+1 && ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).EventName() != seal.EventName {
				at = i
			}
		}
		cut := plog.NewLogs()
		less[at].CopyTo(cut)
		n := 0
		cut.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().RemoveIf(func(plog.LogRecord) bool { n++; return n == batch/2+1 })
		less[at] = cut
		report := verifyLogs(t, less, h.trust)
		missing := expectSome(t, report, finding.Missing)
		require.EqualValues(t, 1, missing[0].Count)
	}
}

// TestAttackDrownTheReport: thousands of things that are wrong do not hide the one that is worse.
func TestAttackDrownTheReport(t *testing.T) {
	h := newHost(t, "web-17").start().send(40).stop()
	a := h.archive.clone()
	i := a.record(t, 3)
	id := a.id(t, i)
	a.replace(t, i, "line", "lime")
	handle, _, _ := strings.Cut(id, "-")
	for n := range 15_000 { // no two of them follow each other
		a.list = append(a.list, strings.Replace(h.archive.list[i], id+`"`, fmt.Sprintf(`%s-%d"`, handle, 1000+2*n), 1))
	}
	report := a.verify(t, h.trust)
	require.True(t, names(report, id, finding.Altered, finding.Unresolved))
	require.Len(t, expectSome(t, report, finding.Inserted), 2000)
	require.EqualValues(t, 13_000, report.Omitted)
	require.Less(t, len(report.Findings), 3000)
}

// TestAttackExcluded: attributes that are added downstream alter a record, unless the stream says beforehand that they do not count; and
// then nothing but those.
func TestAttackExcluded(t *testing.T) {
	var err error
	h := newHost(t, "web-17")
	h.policy, err = seal.NewPolicy([]string{"gateway", "k8s.*"}, nil)
	require.NoError(t, err)
	h.start().send(20).seal().send(20).stop()
	add := func(a *lines, i int, key string) {
		a.replace(t, i, `"attributes":[{"key":"k8s.pod"`, `"attributes":[{"key":"`+key+`","value":{"stringValue":"x"}},{"key":"k8s.pod"`)
	}
	a := h.archive.clone()
	for n := range 40 {
		add(a, a.record(t, n), []string{"gateway", "k8s.node", "k8s.namespace"}[n%3])
	}
	report := a.verify(t, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.Equal(t, []string{"gateway", "k8s.*"}, report.Streams[0].Excluded)
	reversed := a.clone() // records before the seal that says what does not count
	slices.Reverse(reversed.list)
	require.Equal(t, finding.OK, reversed.verify(t, h.trust).Verdict)

	for _, key := range []string{"gateway2", "gateway.x", "k8s", "k8sx", "log.k8s.pod", "logseal.ids"} {
		b := h.archive.clone()
		i := b.record(t, 3)
		add(b, i, key)
		report := b.verify(t, h.trust)
		require.True(t, names(report, b.id(t, i), finding.Altered, finding.Unresolved), "%s: %s", key, show(report))
	}
	b := h.archive.clone() // nested
	i := b.record(t, 3)
	b.replace(t, i, `"body":{"stringValue":"line 3 of web-17"}`, `"body":{"kvlistValue":{"values":[{"key":"gateway","value":{"stringValue":"x"}}]}}`)
	require.True(t, names(b.verify(t, h.trust), b.id(t, i), finding.Altered, finding.Unresolved))

	t.Run("and the open seal is gone", func(t *testing.T) {
		h.start().send(5).stop()
		c := h.archive.clone()
		open := c.find(t, `\nseal 4\n`)
		c.remove(open)
		require.NotEqual(t, finding.OK, c.verify(t, h.trust).Verdict)
	})
}
