// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

// victoriaLogs is a store that runs.
type victoriaLogs struct{ *testbed.Store }

// startVictoriaLogs starts the program that LOGSEAL_VICTORIALOGS names, as `make store` and .ci/run build it.
func startVictoriaLogs(t *testing.T, site *testbed.Site) victoriaLogs {
	t.Helper()
	program := os.Getenv("LOGSEAL_VICTORIALOGS")
	if program == "" {
		t.Skip("LOGSEAL_VICTORIALOGS does not name VictoriaLogs: make test-store builds it and runs this")
	}
	store, err := site.StartStore(deadline(t, time.Minute), program)
	require.NoError(t, err)
	t.Cleanup(func() {
		store.Close()
		if log, err := os.ReadFile(store.LogFile); t.Failed() && err == nil {
			t.Logf("the store's log:\n%s", log)
		}
	})
	return victoriaLogs{store}
}

func (v victoriaLogs) await(t *testing.T, what string, cond func(context.Context) bool) {
	t.Helper()
	ctx := deadline(t, time.Minute)
	require.NoError(t, testbed.Until(ctx, func() (bool, error) { return cond(ctx), nil }), what)
}

func (v victoriaLogs) query(t *testing.T, search string) string {
	t.Helper()
	out, err := v.Query(deadline(t, time.Minute), search)
	require.NoError(t, err)
	return out
}

func (v victoriaLogs) flush(t *testing.T) {
	t.Helper()
	require.NoError(t, v.Flush(deadline(t, time.Minute)))
}

// storeReport is what logseal verify says of a store's answers.
type storeReport struct {
	Verdict  string
	Verified int
	Findings []struct {
		Code, Reason, ID string
		Count            int
	}
}

func (r *storeReport) byReason() map[string]int {
	findings := map[string]int{}
	for _, f := range r.Findings {
		findings[f.Code+" "+f.Reason] += f.Count
	}
	return findings
}

// verifyStore verifies answers under the trust line of an agent of that name; with until, of an interval that ends then.
func verifyStore(t *testing.T, site *testbed.Site, name, until string, answers ...string) (report storeReport) {
	t.Helper()
	args := []string{"verify", "--format", "json", "--from", "victorialogs", "--trust", filepath.Join(site.Dir, "state", name, "stamp.trust")}
	if until != "" {
		args = append(args, "--from-time", "2020-01-01T00:00:00Z", "--until", until)
	}
	dir := t.TempDir()
	for i, answer := range answers {
		path := filepath.Join(dir, fmt.Sprintf("%d.json", i))
		require.NoError(t, os.WriteFile(path, []byte(answer), 0o600))
		args = append(args, path)
	}
	out, status := run(t, nil, logseal, args...)
	require.NoError(t, json.Unmarshal([]byte(out), &report), out)
	require.Equal(t, map[string]int{"ok": 0, "tampered": 1, "incomplete": 3}[report.Verdict], status)
	return report
}

// TestStoreRoundTrip: records go into VictoriaLogs over TLS with pins, come back through its query API, and are proven: before its
// merges rewrite their decimals and after. What is deleted in it or edited in its answer is found.
func TestStoreRoundTrip(t *testing.T) {
	const total = 300
	site := newSite(t)
	store := startVictoriaLogs(t, site)
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	var text strings.Builder
	for i := range total {
		fmt.Fprintf(&text, "%d.%d0\n", i, i)
	}
	require.NoError(t, os.WriteFile(logFile, []byte(text.String()), 0o600))

	verify := func(name string, answers ...string) (verdict string, findings map[string]int) {
		t.Helper()
		report := verifyStore(t, site, name, "", answers...)
		return report.Verdict, report.byReason()
	}
	for name, carry := range map[string]bool{"carries": true, "plain": false} {
		agent := start(t, store.Takes(site.Agent, name, carry))
		store.await(t, name+": all lines are in the store", func(context.Context) bool {
			store.flush(t)
			return strings.Count(store.query(t, `host.name:=`+name+` logseal.id:*`), "\n") >= total
		})
		require.NoError(t, agent.Stop(30*time.Second)) // and with it all is sealed
		store.await(t, name+": the last seal is in the store", func(context.Context) bool {
			store.flush(t)
			return strings.Contains(store.query(t, `host.name:=`+name+` event_name:=logseal.seal`), `\nkind close\n`)
		})
	}
	of := func(name string) string { return store.query(t, "host.name:="+name) }

	verdict, findings := verify("carries", of("carries"))
	require.Equal(t, "ok", verdict, findings)
	verdict, findings = verify("carries", store.query(t, `host.name:=carries logseal.id:*`), store.query(t, `host.name:=carries event_name:=logseal.seal`))
	require.Equal(t, "ok", verdict, findings)
	verdict, findings = verify("plain", of("plain"))
	require.Equal(t, "incomplete", verdict, findings)
	require.Equal(t, map[string]int{"UNCHECKABLE not_rebuilt": total}, findings)

	require.NoError(t, store.Merge(deadline(t, time.Minute)))
	store.await(t, "a merge rewrites decimals", func(context.Context) bool { return strings.Contains(of("carries"), `"_msg":"123.123"`) })
	answer := of("carries")
	verdict, findings = verify("carries", answer)
	require.Equal(t, "ok", verdict, findings)
	verdict, findings = verify("plain", of("plain"))
	require.Equal(t, map[string]int{"UNCHECKABLE not_rebuilt": total}, findings, verdict)

	edit := func(old, by string) string {
		t.Helper()
		require.Contains(t, answer, old)
		return strings.Replace(answer, old, by, 1)
	}
	verdict, findings = verify("carries", edit(`"_msg":"123.123"`, `"_msg":"123.124"`))
	require.Equal(t, "tampered", verdict)
	require.Equal(t, map[string]int{"ALTERED shown_differs": 1}, findings)

	require.NoError(t, store.Delete(deadline(t, time.Minute), `host.name:=carries _msg:=123.123`))
	verdict, findings = verify("carries", of("carries"))
	require.Equal(t, "tampered", verdict)
	require.Equal(t, 1, findings["MISSING record_missing"], findings)
	require.Zero(t, findings["ALTERED digest_differs"])
}

// TestStoreInterval: an interval that ends while the host goes on is right with what a search of it and a little more gives back, and with all seals. What is
// deleted in the store is found where it was sealed in the interval.
func TestStoreInterval(t *testing.T) {
	const half = 200
	site := newSite(t)
	store := startVictoriaLogs(t, site)
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	write := func(from int) {
		t.Helper()
		f, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		for i := range half {
			_, err := fmt.Fprintf(f, "order %d was paid\n", from+i)
			require.NoError(t, err)
		}
		require.NoError(t, f.Close())
	}
	sealed := func(n int) {
		t.Helper()
		store.await(t, fmt.Sprintf("%d records and their seals are in the store", n), func(context.Context) bool {
			store.flush(t)
			report := verifyStore(t, site, "interval", "", store.query(t, "*"))
			return report.Verified >= n
		})
	}
	agent := start(t, store.Takes(site.Agent, "interval", true))
	write(0)
	sealed(half)
	until := time.Now()
	write(half)
	sealed(2 * half)
	require.NoError(t, agent.Stop(30*time.Second))
	store.await(t, "the last seal is in the store", func(context.Context) bool {
		store.flush(t)
		return strings.Contains(store.query(t, `event_name:=logseal.seal`), `\nkind close\n`)
	})

	interval := func() storeReport {
		t.Helper()
		return verifyStore(t, site, "interval", until.UTC().Format(time.RFC3339Nano),
			store.query(t, fmt.Sprintf(`logseal.id:* _time:<%s`, until.Add(time.Second).UTC().Format(time.RFC3339Nano))), store.query(t, `event_name:=logseal.seal`))
	}
	report := interval()
	require.Equal(t, "ok", report.Verdict, report.Findings)
	require.GreaterOrEqual(t, report.Verified, half)

	for _, c := range []struct {
		line    int
		verdict string
	}{{2*half - 1, "ok"}, {half / 2, "tampered"}} {
		require.NoError(t, store.Delete(deadline(t, time.Minute), fmt.Sprintf(`_msg:="order %d was paid"`, c.line)))
		report := interval()
		require.Equal(t, c.verdict, report.Verdict, report.Findings)
		require.Equal(t, c.verdict == "tampered", report.byReason()["MISSING record_missing"] == 1, report.Findings)
	}
}
