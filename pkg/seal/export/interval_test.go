// SPDX-License-Identifier: Apache-2.0

package export_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/export"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// timeline is a host that logged for a while and was restarted in it, an interval in the middle of that, and a search that reaches further. Its records
// give their time, which is before that of their seal, and interval and search begin and end between records that were sealed together.
type timeline struct {
	*world
	from, until time.Time
	list        []sent // what the search found
}

func newTimeline(t *testing.T) *timeline {
	rng := rand.New(rand.NewPCG(7, 7))
	h, err := sealtest.NewHost("web-17", rng)
	require.NoError(t, err)
	h.Dated = true
	h.Policy, err = seal.NewPolicy([]string{seal.ClientKeys, seal.OriginalKey}, nil)
	require.NoError(t, err)
	w := &timeline{world: &world{trust: h.Trust, began: h.Now.Time}}
	for session := range 2 {
		require.NoError(t, h.Start(t.Context()))
		for stop := w.began.Add(time.Duration(session+1) * 6 * time.Minute); h.Now.Time.Before(stop); {
			for range 1 + rng.IntN(6) { // records of one seal are some seconds apart
				require.NoError(t, h.Stamp(t.Context(), 1+rng.IntN(3)))
				h.Land(0, sealtest.Taken)
				h.Advance(time.Duration(rng.IntN(120)) * time.Millisecond)
			}
			require.NoError(t, h.Seal(t.Context()))
			w.take(h)
			h.Advance(time.Duration(rng.IntN(50)) * time.Second)
		}
		require.NoError(t, h.Stop(t.Context()))
		w.take(h)
	}
	w.ended = h.Now.Time
	w.from, w.until = w.between(4*time.Minute), w.between(8*time.Minute)
	w.list = w.search(w.between(2*time.Minute), w.between(10*time.Minute))
	return w
}

// between is a time behind another that lies between two records which were sealed together.
func (w *timeline) between(after time.Duration) time.Time {
	for i := range w.sent[1:] {
		a, b := w.sent[i], w.sent[i+1]
		if a.id != "" && b.id != "" && a.at.Equal(b.at) && a.own.After(w.began.Add(after)) && b.own.After(a.own) {
			return b.own
		}
	}
	panic("there are none")
}

// search is what a store finds of an interval, and all seals.
func (w *timeline) search(from, until time.Time) (list []sent) {
	for _, s := range w.sent {
		if s.id == "" || !s.own.Before(from) && s.own.Before(until) {
			list = append(list, s)
		}
	}
	return list
}

// inside reports whether a record was sealed in the interval.
func (w *timeline) inside(s sent) bool {
	return s.id != "" && !s.at.Before(w.from) && !s.at.After(w.until)
}

func (w *timeline) verified(t *testing.T, store string, texts []string) *verifier.Report {
	t.Helper()
	report, err := w.verify(t, store, texts, given{w.from, w.until})
	require.NoError(t, err)
	return report
}

// TestInterval: an export that reaches further than its interval is right, however the margin cuts what was sealed together; and whatever is deleted that was
// sealed in the interval is found.
func TestInterval(t *testing.T) {
	w := newTimeline(t)
	list := w.list
	sealed := 0
	for _, s := range list {
		if w.inside(s) {
			sealed++
		}
	}
	require.Greater(t, sealed, 50)
	for name, f := range forms {
		t.Run(name, func(t *testing.T) {
			report, err := w.verify(t, f.store, f.write(list), given{})
			require.NoError(t, err)
			require.Equal(t, finding.Tampered, report.Verdict, "without an interval all must be there")

			report = w.verified(t, f.store, f.write(list))
			require.Equal(t, finding.OK, report.Verdict, found(report))
			require.Empty(t, found(report))
			require.GreaterOrEqual(t, report.Verified, uint64(sealed))
			of := report.Streams[0]
			require.Equal(t, report.Records, report.Verified+of.Unjudged)
			require.EqualValues(t, len(w.search(time.Time{}, w.ended))-len(list), of.Elsewhere)
			require.LessOrEqual(t, of.Unjudged, uint64(2*(seal.GroupSize-1)))
			require.NotZero(t, of.Unjudged)
		})
	}
	f := forms["victorialogs"]
	for i, s := range list {
		if i%4 != 0 && (s.id != "" || i%2 != 0) {
			continue
		}
		report := w.verified(t, f.store, f.write(slices.Delete(slices.Clone(list), i, i+1)))
		switch {
		case s.id == "" && s.at.Equal(w.ended):
			require.Equal(t, finding.OK, report.Verdict, "the last seal of all is behind the interval")
		case s.id == "" || w.inside(s) && !s.at.Before(w.from.Add(time.Minute)):
			require.Equal(t, finding.Tampered, report.Verdict, "%s: %v", s.id, found(report))
		case w.inside(s): // or the search began too late
			require.Equal(t, finding.Incomplete, report.Verdict, "%s: %v", s.id, found(report))
			require.EqualValues(t, 1, found(report)["NOT_EXPORTED first_minute"])
		default:
			require.NotEqual(t, finding.Tampered, report.Verdict, "%s: %v", s.id, found(report))
		}
		if s.id != "" && i%8 == 0 {
			altered := slices.Clone(list)
			altered[i].original = strings.Replace(s.original, `"body":{"stringValue":"`, `"body":{"stringValue":"not `, 1)
			require.Equal(t, finding.Tampered, w.verified(t, f.store, f.write(altered)).Verdict, "altered, wherever it is")
		}
	}
}

// TestIntervalWithoutMargin: a search of the interval alone lacks records that were sealed in its beginning, and has some that were sealed behind its end: that
// is incomplete, and nothing is taken for tampering.
func TestIntervalWithoutMargin(t *testing.T) {
	w := newTimeline(t)
	f := forms["victorialogs"]
	report := w.verified(t, f.store, f.write(w.search(w.from, w.until)))
	require.Equal(t, finding.Incomplete, report.Verdict)
	require.NotZero(t, found(report)["NOT_EXPORTED first_minute"])
	require.NotZero(t, found(report)["UNCHECKABLE group_not_rebuilt"])
	require.Len(t, found(report), 2)
}

// TestIntervalEnd: the end of an interval is known where there is a seal behind it. Who deletes the last seals, and what they cover, is found.
func TestIntervalEnd(t *testing.T) {
	w := newTimeline(t)
	f := forms["victorialogs"]
	all := w.list
	for cut := range all {
		if all[cut].id != "" || all[cut].at.Before(w.from) {
			continue
		}
		last := all[cut].at
		var list []sent
		for i, s := range all {
			if s.id == "" && i <= cut || s.id != "" && !s.at.After(last) {
				list = append(list, s)
			}
		}
		report := w.verified(t, f.store, f.write(list))
		if last.Before(w.until) {
			require.Equal(t, finding.Incomplete, report.Verdict, "%s: %v", last, found(report))
			require.EqualValues(t, 1, found(report)["NOT_EXPORTED ends_before"])
		} else {
			require.Equal(t, finding.OK, report.Verdict, "%s: %v", last, found(report))
		}
	}
}

// TestIntervalForged: whoever may write to the store puts a record in the place of one that was sealed outside the interval, where it cannot be checked, with
// the short digest that its seal has, and a time in the interval: it is not passed over. With a time outside, it is not judged, and counted.
func TestIntervalForged(t *testing.T) {
	w := newTimeline(t)
	f := forms["victorialogs"]
	list := w.list
	at := slices.IndexFunc(list, func(s sent) bool { return s.id != "" }) // others of its group are not here
	prefix := w.shortDigest(t, list[at].id)
	for _, c := range []struct {
		own  time.Time
		want finding.Verdict
	}{{w.until.Add(-1), finding.Incomplete}, {w.until, finding.OK}} {
		forged := slices.Clone(list)
		forged[at].original = forge(t, list[at].id, c.own, prefix)
		report := w.verified(t, f.store, f.write(forged))
		require.Equal(t, c.want, report.Verdict, "%s: %v", c.own, found(report))
		if c.want == finding.Incomplete {
			require.Equal(t, map[string]uint64{"UNCHECKABLE group_not_rebuilt": 1}, found(report))
		}
	}
}

// shortDigest returns the two bytes that the seal has of a record's leaf.
func (w *timeline) shortDigest(t *testing.T, id string) []byte {
	of, err := seal.ParseID(id)
	require.NoError(t, err)
	for _, s := range w.sent {
		if s.id != "" {
			continue
		}
		n, err := seal.ParseNote(s.body)
		require.NoError(t, err)
		i := 0
		for _, r := range n.Seal.Covered {
			for seq := r.First; seq <= r.Last; seq++ {
				if n.Seal.Handle == of.Handle && seq == of.Seq {
					return n.Seal.Prefixes[2*i : 2*i+2]
				}
				i++
			}
		}
	}
	panic("no seal covers it")
}

// forge makes a record of no host whose leaf begins as it should.
func forge(t *testing.T, id string, own time.Time, prefix []byte) string {
	policy, err := seal.NewPolicy([]string{seal.ClientKeys, seal.OriginalKey}, nil)
	require.NoError(t, err)
	var d archive.Decoder
	for try := 0; ; try++ {
		text := fmt.Sprintf(`{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"forged %d"},`+
			`"attributes":[{"key":"logseal.id","value":{"stringValue":"%s"}}]}]}]}]}`, own.UnixNano(), try, id)
		records := d.Decode([]byte(text))
		if leaf := records[0].Digest(&policy); bytes.HasPrefix(leaf[:], prefix) {
			return text
		}
	}
}

// TestIntervalUnsealed: a record that no seal covers is not passed over in the interval; what came behind it, and is not sealed yet, is.
func TestIntervalUnsealed(t *testing.T) {
	w := newTimeline(t)
	f := forms["victorialogs"]
	id := ""
	for _, s := range w.sent {
		if s.id != "" {
			id = s.id // the last, whose seal is beyond the search
		}
	}
	for own, want := range map[time.Time]finding.Verdict{w.until.Add(time.Minute): finding.OK, w.until.Add(-time.Second): finding.Incomplete, time.Unix(0, 0): finding.Incomplete} {
		var list []sent // the seals up to a minute behind the interval
		for _, s := range w.list {
			if s.at.Before(w.until.Add(time.Minute)) {
				list = append(list, s)
			}
		}
		text := forge(t, id, own, nil)
		report := w.verified(t, f.store, f.write(append(list, sent{id: id, original: text})))
		require.Equal(t, want, report.Verdict, found(report))
	}
}

// TestIntervalPages: a page that is missing of an interval is incomplete, whichever it is.
func TestIntervalPages(t *testing.T) {
	w := newTimeline(t)
	f := forms["elastic, pages of _search"]
	texts := f.write(w.list)
	require.Equal(t, finding.OK, w.verified(t, f.store, texts).Verdict)
	for i := range texts {
		report := w.verified(t, f.store, slices.Delete(slices.Clone(texts), i, i+1))
		require.Equal(t, finding.Incomplete, report.Verdict, found(report))
	}
}

// TestIntervalFromSeal: a stream that is verified from a seal on which is inside the interval is not verified as far as is asked.
func TestIntervalFromSeal(t *testing.T) {
	w := newTimeline(t)
	f := forms["victorialogs"]
	for _, c := range []struct {
		at   time.Time
		want finding.Verdict
	}{{w.from.Add(-time.Minute), finding.OK}, {w.from.Add(2 * time.Minute), finding.Incomplete}} {
		var seals []*seal.Seal // up to then
		list := slices.DeleteFunc(slices.Clone(w.list), func(s sent) bool {
			if s.id != "" || !s.at.Before(c.at) {
				return false
			}
			n, err := seal.ParseNote(s.body)
			require.NoError(t, err)
			seals = append(seals, n.Seal)
			return true
		})
		v := verifier.New([]seal.Trust{w.trust})
		require.NoError(t, v.From([]verifier.Checkpoint{verifier.NewCheckpoint(seals)}, finding.Place{File: "seals", Line: 1}))
		name := filepath.Join(t.TempDir(), "day.json")
		require.NoError(t, os.WriteFile(name, []byte(f.write(list)[0]), 0o600))
		report, err := export.Verify(t.Context(), f.store, []string{name}, v, w.from, w.until, archive.Options{})
		require.NoError(t, err)
		require.Equal(t, c.want, report.Verdict, found(report))
		if c.want == finding.Incomplete {
			require.EqualValues(t, 1, found(report)["NOT_EXPORTED begins_behind"], found(report))
		}
	}
}

// TestBorder: of two exports whose intervals touch, each with a margin, at least one has a deletion, wherever it was sealed.
func TestBorder(t *testing.T) {
	w := newTimeline(t)
	f := forms["victorialogs"]
	border := w.between(6 * time.Minute)
	clean := func(list []sent, from, until time.Time) bool {
		report, err := w.verify(t, f.store, f.write(list), given{from, until})
		require.NoError(t, err)
		return report.Verdict == finding.OK
	}
	require.True(t, clean(w.sent, w.from, border) && clean(w.sent, border, w.until))
	for i, s := range w.sent {
		if i%6 == 0 && w.inside(s) {
			list := slices.Delete(slices.Clone(w.sent), i, i+1)
			require.False(t, clean(list, w.from, border) && clean(list, border, w.until), s.id)
		}
	}
}

// TestIntervalFromSealEarlierSession: a search that reaches back behind the seal from which a stream is verified finds records of sessions that nothing here tells
// of. They are not judged where their own time is outside the interval, and are of no known session where it is inside.
func TestIntervalFromSealEarlierSession(t *testing.T) {
	w := newTimeline(t)
	w.from, w.until = w.between(8*time.Minute), w.between(10*time.Minute)
	var seals []*seal.Seal
	list := slices.DeleteFunc(w.search(w.between(3*time.Minute), w.until.Add(time.Minute)), func(s sent) bool {
		if s.id != "" || !s.at.Before(w.from.Add(-time.Minute)) {
			return false
		}
		n, err := seal.ParseNote(s.body)
		require.NoError(t, err)
		seals = append(seals, n.Seal)
		return true
	})
	handle := ""
	for _, s := range seals {
		if s.Kind == seal.KindOpen {
			handle = s.Handle
		}
	}
	require.NotEqual(t, seals[0].Handle, handle)
	earlier := slices.IndexFunc(list, func(s sent) bool { return s.id != "" && !strings.HasPrefix(s.id, handle) })
	require.GreaterOrEqual(t, earlier, 0)
	f := forms["victorialogs"]
	for own, want := range map[time.Time]finding.Verdict{list[earlier].own: finding.OK, w.from.Add(time.Second): finding.Tampered} {
		given := slices.Clone(list)
		given[earlier].original = forge(t, list[earlier].id, own, nil)
		v := verifier.New([]seal.Trust{w.trust})
		require.NoError(t, v.From([]verifier.Checkpoint{verifier.NewCheckpoint(seals)}, finding.Place{File: "seals", Line: 1}))
		name := filepath.Join(t.TempDir(), "day.json")
		require.NoError(t, os.WriteFile(name, []byte(f.write(given)[0]), 0o600))
		report, err := export.Verify(t.Context(), f.store, []string{name}, v, w.from, w.until, archive.Options{})
		require.NoError(t, err)
		require.Equal(t, want, report.Verdict, "%s: %v", own, found(report))
		require.NotZero(t, report.Unjudged)
		require.Equal(t, want == finding.Tampered, found(report)["ORPHAN session_unknown"] == 1)
	}
}
