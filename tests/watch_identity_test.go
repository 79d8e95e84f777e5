// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/clientid"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// TestStreamIsBoundToItsClient: with bind_identity what comes of a stream through another client's certificate is a finding, over a restart of
// the gateway and a renewal of the certificate, which are none. A host whose certificate has a new name is one until it has a stream of its own with it.
func TestStreamIsBoundToItsClient(t *testing.T) {
	t.Parallel()
	p := newStraightPath(t)
	hosts := filepath.Join(p.site.Dir, "hosts.trust")
	enroll := func(keyFile string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(keyFile), 0o700))
		line, status := run(t, os.Environ(), logseal, "enroll", "--name", "web-17", "--out", keyFile)
		require.Zero(t, status, line)
		appendFile(t, hosts, line)
	}
	enroll(filepath.Join(p.site.Agent.Env["LOGSEAL_STATE_DIR"], "stamp.key"))
	p.site.Gateway.Env["LOGSEAL_TRUST_FILE"], p.site.Gateway.Env["LOGSEAL_UNKNOWN_STREAMS"] = hosts, "alert"
	p.site.Gateway.Args = []string{"--config", "yaml:connectors::verify::bind_identity: true"}
	start(t, p.site.SIEM)
	gateway, agent := start(t, p.site.Gateway), start(t, p.site.Agent)
	more := func() {
		t.Helper()
		judged, err := gateway.Metric(t.Context(), "otelcol_connector_verify_lag_records")
		require.NoError(t, err)
		p.write(100)
		p.judged(gateway, int(judged)+100)
		p.arrived()
	}
	more()
	require.NoError(t, gateway.Stop(time.Minute))
	gateway = start(t, p.site.Gateway)
	more()

	// The same name, another key, while records flow.
	serials := p.serials()
	require.Len(t, serials, 1)
	_, err := p.site.PKI.IssueAs("agent", "agent")
	require.NoError(t, err)
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		p.write(1)
		return len(p.serials()) > len(serials), nil
	}))
	more()
	p.only(p.alarms)

	// Another host of the same authority has the whole, and sends it once more in its own name.
	mallory, err := p.site.PKI.Issue("mallory")
	require.NoError(t, err)
	client, err := p.site.NewClient(mallory.CertFile, mallory.KeyFile, p.site.Gateway.Env["LOGSEAL_LISTEN"])
	require.NoError(t, err)
	t.Cleanup(client.Close)
	seals := plog.NewLogs()
	p.requests(func(logs plog.Logs) {
		require.NoError(t, resend(t, client, logs))
		logs.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool { return !seal.IsSeal(rl.ScopeLogs().At(0).LogRecords().At(0)) })
		logs.ResourceLogs().MoveAndAppendTo(seals.ResourceLogs())
	})
	alarm := p.await(p.alarms, finding.IdentityMismatch, watch.Opened)
	assert.Equal(t, "mallory", alarm.Client)
	awaitMetric(t, gateway, found, float64(p.written), labelled(finding.IdentityMismatch)) // each record is counted
	records := p.found(gateway, finding.IdentityMismatch)
	// Seals alone are enough.
	require.NoError(t, resend(t, client, seals))
	awaitMetric(t, gateway, found, float64(records+1), labelled(finding.IdentityMismatch))
	more()
	p.only(p.alarms, finding.IdentityMismatch)

	// The host's certificate gets another name. That is a finding, and what its records say is verified all the same.
	_, err = p.site.PKI.IssueAs("agent", "web-17.example.com")
	require.NoError(t, err)
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		p.write(1)
		err := p.alarms.Read()
		return p.clients(finding.IdentityMismatch)["web-17.example.com"], err
	}))
	more()
	// With a stream of its own it is in order again.
	require.NoError(t, agent.Stop(time.Minute))
	second := filepath.Join(p.site.Agent.Env["LOGSEAL_STATE_DIR"], "second.key")
	enroll(second)
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) { return gateway.LogContains(`"streams": 2`), nil }))
	p.arrived()
	p.site.Agent.Args = []string{"--config", "yaml:processors::stamp::key_file: " + second}
	start(t, p.site.Agent)
	more()
	p.only(p.alarms, finding.IdentityMismatch)
	opened := slices.DeleteFunc(slices.Clone(p.alarms.List), func(alarm testbed.Alarm) bool { return alarm.State != watch.Opened })
	assert.Len(t, opened, 2, "one of each client, and both of the first stream")
}

// requests hands each request of the host in the SIEM's archive to f, as it came to the SIEM.
func (p *watchedPath) requests(f func(plog.Logs)) {
	p.Helper()
	files, err := p.archive.Files()
	require.NoError(p, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(p, err)
		for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) { // what follows is being written
			logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
			require.NoError(p, err)
			logs.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
				host, _ := rl.Resource().Attributes().Get("host.name")
				return host.AsString() != "web-17"
			})
			if logs.LogRecordCount() > 0 {
				f(logs)
			}
		}
	}
}

// serials are those of the certificates with which the host's records have come.
func (p *watchedPath) serials() map[string]bool {
	p.Helper()
	serials := map[string]bool{}
	p.requests(func(logs plog.Logs) {
		for _, rl := range logs.ResourceLogs().All() {
			serial, _ := rl.Resource().Attributes().Get(clientid.AttributeSerial)
			serials[serial.AsString()] = true
		}
	})
	return serials
}

// clients are those whom the alarms of a code name.
func (p *watchedPath) clients(code finding.Code) map[string]bool {
	clients := map[string]bool{}
	for _, alarm := range p.alarms.List {
		if alarm.Code == code {
			clients[alarm.Client] = true
		}
	}
	return clients
}

func resend(t *testing.T, client *testbed.Client, logs plog.Logs) error {
	t.Helper()
	request, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return client.Export(t.Context(), testbed.Message(request, false))
}
