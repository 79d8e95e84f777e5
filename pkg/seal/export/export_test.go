// SPDX-License-Identifier: Apache-2.0

package export_test

import (
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
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// TestForms: what every store gives back of originals verifies as a whole; an edit, and what was taken out, is found and named.
func TestForms(t *testing.T) {
	w := newWorld(t)
	edited := slices.IndexFunc(w.sent, func(s sent) bool { return s.body == "line 133" })
	stores := map[string]bool{}
	for name, f := range forms {
		stores[f.store] = true
		t.Run(name, func(t *testing.T) {
			report, err := w.verify(t, f.store, f.write(w.sent), given{})
			require.NoError(t, err)
			require.Empty(t, found(report))
			require.Equal(t, finding.OK, report.Verdict)
			require.EqualValues(t, 20*minutes, report.Verified)

			altered := slices.Clone(w.sent)
			altered[edited].original = strings.Replace(altered[edited].original, "line 133", "line 134", 1)
			altered[edited].body = "line 134"
			report, err = w.verify(t, f.store, f.write(altered), given{})
			require.NoError(t, err)
			require.Equal(t, finding.Tampered, report.Verdict)
			require.Equal(t, map[string]uint64{"ALTERED digest_differs": 1, "UNRESOLVED group_differs": uint64(len(group(w, edited)) - 1)}, found(report))
			for _, f := range report.Findings {
				if f.Code == finding.Altered {
					require.Equal(t, w.sent[edited].id, f.ID)
					require.NotZero(t, f.Place.Line)
				}
			}

			report, err = w.verify(t, f.store, f.write(slices.Delete(slices.Clone(w.sent), edited, edited+1)), given{})
			require.NoError(t, err)
			require.Equal(t, finding.Tampered, report.Verdict)
			require.EqualValues(t, 1, found(report)["MISSING record_missing"])
		})
	}
	for _, name := range export.Stores() {
		require.True(t, stores[name], "no form of %s is tried", name)
	}
}

// group returns the ids that are sealed together with a record: the host seals 20 at a time, in groups of 16.
func group(w *world, i int) []string {
	var ids []string
	var seq, own int
	_, err := fmt.Sscanf(w.sent[i].id[9:], "%d", &own)
	if err != nil {
		panic(err)
	}
	for _, s := range w.sent {
		if s.id == "" {
			continue
		}
		if _, err := fmt.Sscanf(s.id[9:], "%d", &seq); err != nil {
			panic(err)
		}
		if seq/20 == own/20 && (seq%20)/16 == (own%20)/16 {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// flat are forms in which stores keep fields of a record and no original: its body and its id.
var flat = map[string]form{
	"splunk": {"splunk", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string { return object("result", object("_raw", quote(s.body), "logseal.id", quote(s.id))) }))}
	}},
	"elastic": {"elastic", func(list []sent) []string {
		return []string{object("hits", object("hits", rows(each(list, func(s sent) string {
			return object("_source", object("body", object("text", quote(s.body)), "attributes", object("logseal", object("id", quote(s.id)))))
		}))))}
	}},
	"loki": {"loki", func(list []sent) []string {
		return []string{object("data", object("result", rows(each(list, func(s sent) string {
			return object("stream", object("service_name", `"web"`, "logseal_id", quote(s.id)), "values", rows([]string{rows([]string{`"1"`, quote(s.body)})}))
		}))))}
	}},
	"victorialogs": {"victorialogs", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			return object("_msg", quote(s.body), "logseal.id", quote(s.id), "event_name", map[bool]string{true: `"logseal.seal"`, false: `""`}[s.id == ""])
		}))}
	}},
}

// TestFlattened: where a store keeps no original, all seals come back, every record is UNCHECKABLE, and nothing is said to be altered or missing.
func TestFlattened(t *testing.T) {
	w := newWorld(t)
	for name, f := range flat {
		t.Run(name, func(t *testing.T) {
			list := slices.Clone(w.sent)
			for i := range list {
				if list[i].id == "" {
					continue
				}
				list[i].body += " " // whatever a store does
			}
			texts := f.write(list)
			if name != "victorialogs" { // an empty id is none
				texts[0] = strings.NewReplacer(`,"logseal.id":""`, "", `,"logseal_id":""`, "", `"attributes":{"logseal":{"id":""}}`, `"a":1`).Replace(texts[0])
			} else {
				texts[0] = strings.ReplaceAll(texts[0], `"logseal.id":"",`, "")
			}
			report, err := w.verify(t, f.store, texts, given{})
			require.NoError(t, err)
			require.Equal(t, map[string]uint64{"UNCHECKABLE not_rebuilt": 20 * minutes}, found(report))
			require.Equal(t, finding.Incomplete, report.Verdict)
			require.Contains(t, report.Findings[0].Message(), "cannot be rebuilt from what the store gave back: ")
			require.NotContains(t, report.Findings[0].Message(), "{")
		})
	}
}

// TestCutOriginal: a line that a store has cut off is UNCHECKABLE, with all that were sealed with it.
func TestCutOriginal(t *testing.T) {
	w := newWorld(t)
	i := slices.IndexFunc(w.sent, func(s sent) bool { return s.body == "line 133" })
	for cut := 20; cut < len(w.sent[i].original); cut += 61 {
		row := object("_msg", quote(w.sent[i].original[:cut]), "logseal.id", quote(w.sent[i].id))
		texts := forms["victorialogs"].write(slices.Delete(slices.Clone(w.sent), i, i+1))
		report, err := w.verify(t, "victorialogs", append(texts, row), given{})
		require.NoError(t, err)
		require.Equal(t, map[string]uint64{"UNCHECKABLE original_cut": 1, "UNCHECKABLE group_not_rebuilt": uint64(len(group(w, i)) - 1)}, found(report), cut)
	}
}

// TestMissingPage: answers that say how many records there are make what is missing from them incomplete, and not missing.
func TestMissingPage(t *testing.T) {
	w := newWorld(t)
	for name, n := range map[string]int{"elastic, pages of _search": 4, "splunk, results in pages": 3} {
		f := forms[name]
		for lost := range n {
			t.Run(fmt.Sprintf("%s, without page %d", name, lost), func(t *testing.T) {
				texts := f.write(w.sent)
				report, err := w.verify(t, f.store, slices.Delete(texts, lost, lost+1), given{})
				require.NoError(t, err)
				if lost == n-1 && f.store == "splunk" { // nothing says that there is more
					require.NotContains(t, found(report), "MISSING record_missing")
					return
				}
				require.Equal(t, finding.Incomplete, report.Verdict, found(report))
			})
		}
	}
	texts := forms["elastic, pages of _search"].write(w.sent)
	texts[1] = texts[0] // fetched again and again, and the second page never
	texts = append(texts, texts[0])
	report, err := w.verify(t, "elastic", texts, given{})
	require.NoError(t, err)
	require.Equal(t, finding.Incomplete, report.Verdict, found(report))
	for relation, want := range map[string]finding.Verdict{"eq": finding.Tampered, "gte": finding.Incomplete} { // it has found these, or more than these
		texts := forms["elastic, pages of _search"].write(slices.Delete(slices.Clone(w.sent), 110, 120))
		for i := range texts {
			texts[i] = strings.Replace(texts[i], `"relation":"eq"`, `"relation":"`+relation+`"`, 1)
		}
		report, err := w.verify(t, "elastic", texts, given{})
		require.NoError(t, err)
		require.Equal(t, want, report.Verdict, "%s: %v", relation, found(report))
	}
	for _, says := range []string{`"timed_out":true`, `"is_partial":true`} {
		texts := forms["elastic, pages of _search"].write(slices.Delete(slices.Clone(w.sent), 110, 120))
		texts[0] = strings.Replace(texts[0], `"timed_out":false`, says, 1)
		report, err := w.verify(t, "elastic", texts, given{})
		require.NoError(t, err)
		require.Equal(t, finding.Incomplete, report.Verdict, found(report))
		require.EqualValues(t, 10, found(report)["NOT_EXPORTED page_missing"]+found(report)["NOT_EXPORTED seal_page_missing"])
	}
}

// TestAnyPageMissing: whichever pages are missing, of whatever hosts sent that crashed and went on, it is never taken for tampering.
func TestAnyPageMissing(t *testing.T) {
	const perPage = 12
	for seed := range uint64(6) {
		run, err := sealtest.Schedule(t.Context(), seed, 20, false, seed%3 == 0)
		require.NoError(t, err)
		w := &world{trust: run.Trust}
		w.take(run.Host)
		f := forms["splunk, results in pages"]
		answers := pages(each(w.sent, func(s sent) string { return object("_raw", quote(s.original)) }), len(w.sent)/perPage+1, func(first int, r []string) string {
			return object("preview", "false", "init_offset", fmt.Sprint(first), "messages", "[]", "results", rows(r))
		})
		whole, err := w.verify(t, f.store, answers, given{})
		require.NoError(t, err)
		require.NotEqual(t, finding.Tampered, whole.Verdict, "seed %d: %v", seed, found(whole))
		rng := rand.New(rand.NewPCG(seed, 6))
		for range 3 {
			some := slices.Clone(answers[:len(answers)-1])
			for range 1 + rng.IntN(max(1, len(some)/2)) {
				if i := rng.IntN(len(some)); len(some) > 1 {
					some = slices.Delete(some, i, i+1)
				}
			}
			some = append(some, answers[len(answers)-1]) // which says how many stand before it
			report, err := w.verify(t, f.store, some, given{})
			require.NoError(t, err)
			require.Equal(t, finding.Incomplete, report.Verdict, "seed %d: %v", seed, found(report))
		}
	}
}

// TestPageOfSeals: where a seal is missing, the session's open seal here, all that follows from that is NOT_EXPORTED if a page is, and tampering if none is.
func TestPageOfSeals(t *testing.T) {
	h, err := sealtest.NewHostOf(sealer.NewStream{Name: "web-17", PostQuantum: true}, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	h.Policy, err = seal.NewPolicy([]string{"n"}, nil)
	require.NoError(t, err)
	w := &world{trust: h.Trust}
	const perSession = 70
	for range 2 {
		require.NoError(t, h.Start(t.Context()))
		for range perSession {
			require.NoError(t, h.Stamp(t.Context(), 2))
			h.Land(0, sealtest.Taken)
			require.NoError(t, h.Seal(t.Context()))
			w.take(h)
			h.Advance(time.Minute)
		}
		require.NoError(t, h.Stop(t.Context()))
	}
	w.take(h)
	open := slices.IndexFunc(w.sent, func(s sent) bool {
		return s.id == "" && strings.Contains(s.body, fmt.Sprintf("\nseal %d\n", perSession+2))
	})
	require.Positive(t, open)
	list := slices.Delete(slices.Clone(w.sent), open, open+1)
	verify := func(first int) map[string]uint64 {
		name := filepath.Join(t.TempDir(), "page.json")
		answer := object("preview", "false", "init_offset", fmt.Sprint(first), "results", rows(each(list, func(s sent) string { return object("_raw", quote(s.original)) })))
		require.NoError(t, os.WriteFile(name, []byte(answer), 0o600))
		v := verifier.New([]seal.Trust{w.trust})
		v.RequirePostQuantum()
		report, err := export.Verify(t.Context(), "splunk", []string{name}, v, time.Time{}, h.Now.Time.Add(time.Hour), archive.Options{})
		require.NoError(t, err)
		require.Equal(t, first > 0, report.Verdict == finding.Incomplete)
		return found(report)
	}
	whole, lacking := verify(0), verify(1)
	for said, instead := range map[string]string{
		"MISSING_SEAL seal_gap":          "NOT_EXPORTED seal_page_missing",
		"LATE anchor_alone":              "NOT_EXPORTED late_page_missing",
		"NOT_POST_QUANTUM ed25519_alone": "NOT_EXPORTED anchor_page_missing",
		"UNRESOLVED policy_unknown":      "NOT_EXPORTED policy_page_missing",
		"NOT_EXPORTED ends_before":       "NOT_EXPORTED ends_before",
	} {
		require.NotZero(t, whole[said], said)
		require.Equal(t, whole[said], lacking[instead], instead)
	}
	require.Len(t, lacking, len(whole))
}

// TestNoAnswer: what is no answer of a search is an error that says so, with the line.
func TestNoAnswer(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ store, text, says string }{
		{"elastic", `{"error":{"type":"security_exception"},"status":401}`, "line 1: no answer of a search as --from elastic reads it"},
		{"elastic", "\n\n<html>", `line 3: no JSON: '<'`},
		{"elastic", `[1]`, "an object is expected"},
		{"loki", `{"status":"error","errorType":"bad_data"}`, "did the search fail?"},
		{"splunk", `{"messages":[{"type":"FATAL","text":"Unknown sid."}]}`, "no answer"},
		{"otlp", `{"records":[]}`, "resourceLogs"},
		{"victorialogs", `missing _time filter`, "no JSON"},
		{"victorialogs", `{}`, "no answer"},
		{"elastic", `{"hits":[]}`, "no answer"},
		{"splunk", "{}\n{\"messages\":[],\"fields\":{}}\n{}", "line 1: no answer of a search as --from splunk reads it, which has lines with \"result\", or \"results\": output_mode=json: is it another store's, or did the search fail? (and 2 more like it)"},
	} {
		report, err := w.verify(t, tt.store, []string{tt.text}, given{})
		require.ErrorContains(t, err, tt.says)
		require.ErrorContains(t, err, "page-0000.json: ")
		require.NotNil(t, report)
	}
	_, err := w.verify(t, "graylog", nil, given{})
	require.ErrorContains(t, err, "splunk, elastic, loki, victorialogs, otlp")
	for _, empty := range []struct{ store, text string }{
		{"elastic", `{"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}`},
		{"splunk", `{"results":[]}`},
		{"loki", `{"status":"success","data":{"result":[]}}`},
		{"victorialogs", ""},
		{"otlp", `{"resourceLogs":[]}`},
	} {
		_, err := w.verify(t, empty.store, []string{empty.text}, given{})
		require.NoError(t, err, empty.store)
	}
}

// TestNoAnswerAmongOthers: what is no answer ends the reading of nothing behind it; and a record is one in whatever order its members stand.
func TestNoAnswerAmongOthers(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ form, line string }{
		{"splunk, jobs/export", `{"messages":[],"fields":{}}`},
		{"splunk, results in pages", `{"messages":[{"type":"WARN","text":"x"}]}`},
		{"elastic, a hit a line", `{"took":1,"hits":[]}`},
		{"elastic, pages of _search", `{"error":{"type":"x"},"status":500}`},
		{"loki, logcli", `{"status":"error"}`},
		{"victorialogs", `{}`},
		{"otlp, pages", `{"next":"x"}`},
	} {
		f := forms[tt.form]
		for _, whole := range []bool{true, false} {
			texts := f.write(w.sent)
			if texts[0] = tt.line + "\n" + texts[0]; !whole {
				texts[0] = "[" + tt.line + "," + strings.Join(strings.Split(strings.TrimSpace(texts[0]), "\n")[1:], ",") + "]"
			}
			report, err := w.verify(t, f.store, texts, given{})
			require.ErrorContains(t, err, "page-0000.json: line 1: no answer of a search", tt.form)
			require.Empty(t, found(report), tt.form)
			require.EqualValues(t, 20*minutes, report.Verified, tt.form)
		}
	}
	for _, line := range []string{`{"id":"a","user":"bob"}`, `{"user":"bob","id":"a"}`, `{"hits":[],"user":"bob"}`, `{"hits":"5","user":"bob"}`, `{"status":200,"path":"/"}`} {
		texts := forms["elastic, a hit a line"].write(w.sent)
		report, err := w.verify(t, "elastic", append(texts, line), given{})
		require.NoError(t, err, line)
		require.Equal(t, map[string]uint64{"UNSTAMPED no_id": 1}, found(report), line)
	}
}
