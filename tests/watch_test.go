// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/distributions"
	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// watchedPath is an agent, a gateway and a SIEM, and where a test wants it a man in the middle of the first two.
type watchedPath struct {
	*stream
	middle *testbed.Middle
	alarms *testbed.Alarms // of the gateway

	mu      sync.Mutex
	altered string    // the id of the record that was altered
	at      time.Time // when
}

func newStraightPath(t *testing.T) *watchedPath {
	t.Helper()
	site := newSite(t)
	p := &watchedPath{
		stream: &stream{
			T: t, site: site, logFile: filepath.Join(site.Dir, "app.log"),
			archive: testbed.Archive{Path: site.ArchivePath()}, tally: testbed.Tally{Prefix: "sealed line "},
		},
		alarms: site.Gateway.Alarms(),
	}
	site.SetInclude(p.logFile)
	site.Agent.Env["LOGSEAL_HOST_NAME"] = "web-17"
	return p
}

// newPath is one with a man in the middle.
func newPath(t *testing.T) *watchedPath {
	t.Helper()
	p := newStraightPath(t)
	var err error
	p.middle, err = p.site.NewMiddle(&p.site.Agent, &p.site.Gateway)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.middle.Close()) })
	return p
}

// alterOne has the man in the middle change a byte of the next record that comes.
func (p *watchedPath) alterOne() {
	p.middle.Do(func(logs plog.Logs) []plog.Logs {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					id, stamped := lr.Attributes().Get(seal.IDKey)
					if stamped && p.altered == "" {
						lr.Body().SetStr(strings.Replace(lr.Body().AsString(), "GET", "PUT", 1))
						p.altered, p.at = id.AsString(), time.Now()
					}
				}
			}
		}
		return []plog.Logs{logs}
	})
}

// wasAltered returns which record was, and when.
func (p *watchedPath) wasAltered() (id string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.altered, p.at
}

func (p *watchedPath) await(alarms *testbed.Alarms, code finding.Code, state watch.State) testbed.Alarm {
	p.Helper()
	var alarm testbed.Alarm
	err := testbed.Until(deadline(p.T, time.Minute), func() (found bool, err error) {
		if err := alarms.Read(); err != nil {
			return false, err
		}
		alarm, found = alarms.Find(code, state)
		return found, nil
	})
	require.NoErrorf(p, err, "no %s was %s", code, state)
	return alarm
}

// judged waits until a process has judged so many records.
func (p *watchedPath) judged(by *testbed.Process, n int) {
	p.Helper()
	awaitMetric(p.T, by, "otelcol_connector_verify_lag_records", float64(n))
}

// only requires that alarms are of these codes.
func (p *watchedPath) only(alarms *testbed.Alarms, codes ...finding.Code) {
	p.Helper()
	require.NoError(p, alarms.Read())
	for _, alarm := range alarms.List {
		assert.Contains(p, codes, alarm.Code, alarm.Message)
	}
}

// TestFindingsReachWhoTheyAreFor: with everything as it ships, a byte altered between agent and gateway is found by the gateway and by the
// SIEM behind it, and the finding reaches the SIEM, sealed, and a webhook. It prints how long that took.
func TestFindingsReachWhoTheyAreFor(t *testing.T) {
	t.Parallel()
	p := newPath(t)
	posted := make(chan []byte, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && bytes.Contains(body, []byte(ocsf.EventName)) {
			posted <- body
		}
	}))
	t.Cleanup(hook.Close)
	overlay := filepath.Join(p.site.Dir, "webhook.yaml")
	require.NoError(t, os.WriteFile(overlay, distributions.GatewayWebhook, 0o600))
	p.site.Gateway.Args = []string{"--config", overlay}
	p.site.Gateway.Env["LOGSEAL_WEBHOOK_URL"] = hook.URL

	start(t, p.site.SIEM)
	gateway := start(t, p.site.Gateway)
	start(t, p.site.Agent)
	p.write(100)
	p.judged(gateway, 100)
	p.only(p.alarms)

	p.alterOne()
	p.write(100)
	alarm := p.await(p.alarms, finding.Altered, watch.Opened)
	id, at := p.wasAltered()
	t.Logf("from the alteration to the finding: %s at the gateway, with seals every second", alarm.At.Sub(at).Round(10*time.Millisecond))
	assert.Equal(t, []string{id}, alarm.IDs)
	assert.Equal(t, "web-17", alarm.Stream)
	behind := p.await(p.site.SIEM.Alarms(), finding.Altered, watch.Opened)
	t.Logf("and %s at the SIEM", behind.At.Sub(at).Round(10*time.Millisecond))
	assert.Equal(t, []string{id}, behind.IDs)

	select {
	case body := <-posted:
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(body)
		require.NoError(t, err)
		info, _ := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Map().Get("finding_info")
		uid, _ := info.Map().Get("uid")
		assert.Equal(t, alarm.UID, uid.Str())
	case <-deadline(t, time.Minute).Done():
		t.Error("nothing was posted to the webhook")
	}

	// In the SIEM's archive the finding is a record of the gateway's own stream, which verifies.
	p.arrived()
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		files, err := p.archive.Files()
		if err != nil {
			return false, err
		}
		trust, err := p.site.Trust()
		if err != nil {
			return false, err
		}
		report, err := testbed.Verify(t.Context(), trust, time.Time{}, files...)
		if err != nil {
			return false, err
		}
		for _, of := range report.Streams {
			if of.Name == "gateway/findings" && of.Verified > 0 && of.Verified == of.Records {
				return true, nil
			}
		}
		return false, nil
	}))
	p.only(p.alarms, finding.Altered, finding.Unresolved)
}

// TestGatewayKilledWhileWatching: a finding that a gateway had made when it was killed is not lost, and a gateway that is killed again
// and again raises no false alarm. What it did not see is UNCHECKED there, and the SIEM behind it verifies all of it.
func TestGatewayKilledWhileWatching(t *testing.T) {
	p := newPath(t)
	siem := start(t, p.site.SIEM)
	gateway := start(t, p.site.Gateway)
	start(t, p.site.Agent)
	p.write(100)
	p.judged(gateway, 100)

	p.alterOne()
	p.write(100)
	// It says so in its own log before anybody has taken it.
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) { return gateway.LogContains(`"code": "ALTERED"`), nil }))
	gateway.Kill()
	gateway = start(t, p.site.Gateway)
	alarm := p.await(p.alarms, finding.Altered, watch.Opened)
	id, _ := p.wasAltered()
	assert.Equal(t, []string{id}, alarm.IDs)

	for range 4 {
		p.write(200)
		gateway.Kill()
		p.write(200)
		gateway = start(t, p.site.Gateway)
		p.write(200)
		p.arrived()
	}
	p.judged(siem, p.written-16) // but for the group of the one that was altered
	p.only(p.alarms, finding.Altered, finding.Unchecked)
	behind := p.site.SIEM.Alarms()
	p.await(behind, finding.Altered, watch.Opened)
	p.only(behind, finding.Altered)
	for _, again := range p.alarms.List {
		if again.Code == finding.Altered {
			assert.Equal(t, alarm.UID, again.UID, "found again, it is the same finding")
		}
	}
}

// TestGatewayTrustsAFleet: with LOGSEAL_TRUST_CA_FILE a gateway as it ships verifies an agent that it has no trust line of, by the
// certificate that the agent shows it too, and knows it again after a restart. What is altered is found.
func TestGatewayTrustsAFleet(t *testing.T) {
	t.Parallel()
	p := newPath(t)
	overlay := filepath.Join(p.site.Dir, "endorse.yaml")
	require.NoError(t, os.WriteFile(overlay, []byte(
		"processors: {stamp: {endorse: {cert_file: \"${env:LOGSEAL_CERT_FILE}\", key_file: \"${env:LOGSEAL_KEY_FILE}\"}}}\n"), 0o600))
	p.site.Agent.Args = []string{"--config", overlay}
	p.site.Gateway.Env["LOGSEAL_UNKNOWN_STREAMS"] = "alert"
	p.site.Gateway.Env["LOGSEAL_TRUST_CA_FILE"] = p.site.PKI.CAFile()
	start(t, p.site.SIEM)
	gateway := start(t, p.site.Gateway)
	start(t, p.site.Agent)
	p.write(100)
	p.judged(gateway, 100)
	require.NoError(t, gateway.Stop(time.Minute))
	gateway = start(t, p.site.Gateway)
	p.write(100)
	p.judged(gateway, 100)
	p.only(p.alarms)

	p.alterOne()
	p.write(100)
	alarm := p.await(p.alarms, finding.Altered, watch.Opened)
	id, _ := p.wasAltered()
	assert.Equal(t, []string{id}, alarm.IDs)
}

// secondGateway is another one, which sends to the same SIEM.
func (p *watchedPath) secondGateway() testbed.Collector {
	p.Helper()
	ports, err := testbed.FreePorts(3)
	require.NoError(p, err)
	second := p.site.Gateway
	second.Name, second.HealthPort, second.MetricsPort = "gateway2", ports[0], ports[1]
	second.Env = maps.Clone(second.Env)
	second.Env["LOGSEAL_LISTEN"] = testbed.Loopback(ports[2])
	second.Env["LOGSEAL_STATE_DIR"] += "2"
	second.Env["LOGSEAL_FINDINGS_NAME"] = "gateway2/findings"
	return second
}

// TestTwoGateways: a stream that moves from one gateway to another is no alarm at either, with partial: true, and `logseal verify` over what
// both have passed on is the whole.
func TestTwoGateways(t *testing.T) {
	p := newPath(t)
	first := p.site.Gateway
	second := p.secondGateway()
	toSecond := p.site.Agent
	toSecond.Env = map[string]string{
		"LOGSEAL_SIEM_ENDPOINT": second.Env["LOGSEAL_LISTEN"], "LOGSEAL_CERT_FILE": p.site.Agent.Env["LOGSEAL_CERT_FILE"],
		"LOGSEAL_KEY_FILE": p.site.Agent.Env["LOGSEAL_KEY_FILE"],
	}
	other, err := p.site.NewMiddle(&toSecond, &second)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, other.Close()) })
	for _, c := range []*testbed.Collector{&first, &second} {
		c.Env["LOGSEAL_VERIFY_PARTIAL"] = "true"
		c.Env["LOGSEAL_LATE_AFTER"], c.Env["LOGSEAL_SILENT_AFTER"] = "1s", "2s"
	}
	p.site.Agent.Env["LOGSEAL_HEARTBEAT"] = "1s"
	start(t, p.site.SIEM)
	one := start(t, first)
	start(t, second)
	start(t, p.site.Agent)
	p.write(500)
	p.judged(one, 500)

	moved := make(chan struct{}, 1000)
	p.middle.Do(func(logs plog.Logs) []plog.Logs {
		if err := other.Send(t.Context(), logs); err != nil {
			return []plog.Logs{logs}
		}
		select {
		case moved <- struct{}{}:
		default:
		}
		return nil
	})
	p.write(500)
	p.arrived()
	// Long enough for what would be late, or silent, at either.
	for range 5 {
		select {
		case <-moved:
		case <-deadline(t, time.Minute).Done():
			t.Fatal("nothing comes to the second gateway")
		}
	}
	report := p.verifiedByAll(second)
	assert.Equal(t, uint64(1000), report)
	p.only(first.Alarms(), finding.Unchecked)
	p.only(second.Alarms(), finding.Unchecked)
}

// verifiedByAll returns how many records of the agent's stream verify in the archive, where nothing is found.
func (p *watchedPath) verifiedByAll(further testbed.Collector) uint64 {
	p.Helper()
	trust := p.trust()
	b, err := os.ReadFile(filepath.Join(further.Env["LOGSEAL_STATE_DIR"], "findings.trust"))
	require.NoError(p, err)
	t, err := seal.ParseTrustLine(strings.TrimSpace(string(b)))
	require.NoError(p, err)
	report, err := p.archive.AwaitSealed(deadline(p.T, time.Minute), append(trust, t), p.wrote)
	require.NoError(p, err)
	i := slices.IndexFunc(report.Streams, func(s verifier.StreamReport) bool { return s.Name == "web-17" })
	require.GreaterOrEqual(p, i, 0, fmt.Sprint(report.Streams))
	return report.Streams[i].Verified
}
