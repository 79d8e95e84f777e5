// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

// victoriaLogs is a store that runs: behind TLS, with a certificate of the site's authority.
type victoriaLogs struct {
	url    string
	pin    string
	client *http.Client
}

// startVictoriaLogs starts the program that LOGSEAL_VICTORIALOGS names, as `make test-store` and .ci/run build it.
func startVictoriaLogs(t *testing.T, site *testbed.Site) *victoriaLogs {
	t.Helper()
	program := os.Getenv("LOGSEAL_VICTORIALOGS")
	if program == "" {
		t.Skip("LOGSEAL_VICTORIALOGS does not name VictoriaLogs: make test-store builds it and runs this")
	}
	id, err := site.PKI.Issue("store")
	require.NoError(t, err)
	ports, err := testbed.FreePorts(1)
	require.NoError(t, err)
	address := testbed.Loopback(ports[0])
	cmd := exec.Command(program, "-storageDataPath="+t.TempDir(), "-httpListenAddr="+address, "-retentionPeriod=100y", "-futureRetention=100y",
		"-tls", "-tlsCertFile="+id.CertFile, "-tlsKeyFile="+id.KeyFile, "-tlsMinVersion=TLS13", "-delete.enable")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the store's log:\n%s", log.String())
		}
	})
	ca, err := os.ReadFile(site.PKI.CAFile())
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	v := &victoriaLogs{url: "https://" + address, pin: id.Pin, client: &http.Client{Transport: transport}}
	v.await(t, "health", func(ctx context.Context) bool {
		_, err := v.post(ctx, "/health", nil)
		return err == nil
	})
	return v
}

func (v *victoriaLogs) await(t *testing.T, what string, cond func(context.Context) bool) {
	t.Helper()
	ctx := deadline(t, time.Minute)
	require.NoError(t, testbed.Until(ctx, func() (bool, error) { return cond(ctx), nil }), what)
}

func (v *victoriaLogs) post(ctx context.Context, path string, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := v.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	return string(body), err
}

// query is what the search gives back, as it comes.
func (v *victoriaLogs) query(t *testing.T, search string) string {
	t.Helper()
	out, err := v.post(deadline(t, time.Minute), "/select/logsql/query", url.Values{"query": {search}})
	require.NoError(t, err)
	return out
}

// flush makes what was taken visible to searches; merge brings it into one part.
func (v *victoriaLogs) flush(t *testing.T) { v.internal(t, "flush") }
func (v *victoriaLogs) merge(t *testing.T) { v.internal(t, "merge") }

func (v *victoriaLogs) internal(t *testing.T, what string) {
	t.Helper()
	_, err := v.post(deadline(t, time.Minute), "/internal/force_"+what, nil)
	require.NoError(t, err)
}

// toStore makes the site's agent send to the store, under a stream of its own.
func toStore(site *testbed.Site, v *victoriaLogs, name string, carry bool) testbed.Collector {
	agent := site.Agent
	agent.Name = name
	agent.Env = map[string]string{}
	for key, value := range site.Agent.Env {
		agent.Env[key] = value
	}
	agent.Env["LOGSEAL_STATE_DIR"] = filepath.Join(site.Dir, "state", name)
	agent.Env["LOGSEAL_STREAM_NAME"], agent.Env["LOGSEAL_HOST_NAME"] = name, name
	agent.Env["LOGSEAL_SIEM_ENDPOINT"] = v.url + "/insert/opentelemetry"
	agent.Env["LOGSEAL_SIEM_PINS"] = "[" + v.pin + ", " + strings.Trim(strings.Split(site.Agent.Env["LOGSEAL_SIEM_PINS"], ",")[1], " ]") + "]"
	agent.Args = []string{"--config", fmt.Sprintf("yaml:{processors: {stamp: {carry: %t}}, exporters: {siem: {protocol: otlp_http}}}", carry)}
	return agent
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
		args := []string{"verify", "--format", "json", "--from", "victorialogs", "--trust", filepath.Join(site.Dir, "state", name, "stamp.trust")}
		dir := t.TempDir()
		for i, answer := range answers {
			path := filepath.Join(dir, fmt.Sprintf("%d.json", i))
			require.NoError(t, os.WriteFile(path, []byte(answer), 0o600))
			args = append(args, path)
		}
		out, status := run(t, nil, logseal, args...)
		var report struct {
			Verdict  string
			Findings []struct {
				Code, Reason, ID string
				Count            int
			}
		}
		require.NoError(t, json.Unmarshal([]byte(out), &report), out)
		require.Equal(t, map[string]int{"ok": 0, "tampered": 1, "incomplete": 3}[report.Verdict], status)
		findings = map[string]int{}
		for _, f := range report.Findings {
			findings[f.Code+" "+f.Reason] += f.Count
		}
		return report.Verdict, findings
	}
	for name, carry := range map[string]bool{"carries": true, "plain": false} {
		agent := start(t, toStore(site, store, name, carry))
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

	store.merge(t)
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

	_, err := store.post(deadline(t, time.Minute), "/delete/run_task", url.Values{"filter": {`host.name:=carries _msg:=123.123`}})
	require.NoError(t, err)
	store.await(t, "a record is deleted in the store", func(context.Context) bool { return !strings.Contains(of("carries"), `"_msg":"123.123"`) })
	verdict, findings = verify("carries", of("carries"))
	require.Equal(t, "tampered", verdict)
	require.Equal(t, 1, findings["MISSING record_missing"], findings)
	require.Zero(t, findings["ALTERED digest_differs"])
}
