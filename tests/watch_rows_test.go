// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// row is one of the gateways of a second row, with somebody before it who sees which hosts come to it.
type row struct {
	testbed.Collector
	*testbed.Process
	alarms *testbed.Alarms
	middle *testbed.Middle
	addr   string

	mu    sync.Mutex
	hosts map[string]bool
	probe bool // what comes goes no further
	alter bool // one record, and no more
}

func (r *row) pass(logs plog.Logs) []plog.Logs {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rl := range logs.ResourceLogs().All() {
		host, _ := rl.Resource().Attributes().Get("host.name")
		r.hosts[host.AsString()] = true
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if r.alter && strings.Contains(lr.Body().AsString(), "GET") {
					r.alter = false
					lr.Body().SetStr(strings.Replace(lr.Body().AsString(), "GET", "PUT", 1))
				}
			}
		}
	}
	if r.probe {
		return nil
	}
	return []plog.Logs{logs}
}

// seen returns the hosts that have come, and forgets them.
func (r *row) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	hosts := slices.Sorted(maps.Keys(r.hosts))
	r.hosts, r.probe = map[string]bool{}, false
	return hosts
}

// firstRow is the configuration that the page gives for the gateways in front of others.
func firstRow(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "watch.md"))
	require.NoError(t, err)
	for _, m := range fence.FindAllSubmatch(page, -1) {
		if strings.Contains(string(m[1]), "load_balancing") {
			return string(m[1])
		}
	}
	t.Fatal("docs/watch.md has no configuration with load_balancing")
	return ""
}

// TestGatewaysBehindABalancer: behind load_balancing, configured as the page says, each host's stream comes to one gateway, which verifies it
// whole. When a gateway is taken out of the set its hosts' streams are UNCHECKED at the other, and no alarm; when it is back it verifies them
// again. `logseal verify` over what all have passed on is the whole.
func TestGatewaysBehindABalancer(t *testing.T) {
	t.Parallel()
	p := newStraightPath(t)
	rows := []*row{p.newRow("gateway", p.site.Gateway), p.newRow("gateway2", p.secondGateway())}
	front, set := p.newFront(rows)
	siem := start(t, p.site.SIEM)
	for _, r := range rows {
		r.Process = start(t, r.Collector)
	}
	balancer := start(t, front)

	hosts := p.probe(front, rows)
	agents := make([]testbed.Collector, len(rows))
	for i := range rows {
		agents[i] = secondAgent(t, p.site, hosts[i])
		agents[i].Env["LOGSEAL_HEARTBEAT"] = "1s"
		agents[i].Env["LOGSEAL_SIEM_ENDPOINT"] = front.Env["LOGSEAL_LISTEN"]
		agents[i].Args = []string{"--config", hastyRetries, "--config", "yaml:processors::stamp::seal::interval: 100ms"}
		start(t, agents[i])
	}
	written := 0
	write := func(n int) {
		for _, host := range hosts {
			appendFile(t, filepath.Join(p.site.Dir, host+".log.txt"), lines("GET "+host+" ", written, written+n))
		}
		written += n
	}
	verify := func(r *row) {
		t.Helper()
		judged, err := r.Metric(t.Context(), "otelcol_connector_verify_lag_records")
		require.NoError(t, err)
		require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
			write(5)
			now, err := r.Metric(t.Context(), "otelcol_connector_verify_lag_records")
			return now >= judged+100, err
		}), "%s verifies nothing", r.Name)
	}
	for i, r := range rows {
		verify(r)
		p.noAlarmBut(r.alarms)
		assert.Equal(t, hosts[i:i+1], r.seen())
	}
	attack := func(nth int) {
		rows[1].mu.Lock()
		rows[1].alter = true
		rows[1].mu.Unlock()
		write(50)
		awaitMetric(t, rows[1].Process, found, float64(nth), labelled(finding.Altered))
	}
	attack(1)

	// One of them is taken away.
	set(rows[:1], balancer)
	require.NoError(t, rows[1].Stop(time.Minute))
	write(50)
	unchecked := func() bool {
		for _, alarm := range rows[0].alarms.List {
			if alarm.Code == finding.Unchecked && alarm.State == watch.Opened {
				return true
			}
		}
		return false
	}
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) { write(5); return unchecked(), rows[0].alarms.Read() }))
	assert.Equal(t, slices.Sorted(slices.Values(hosts)), rows[0].seen())
	verify(rows[0]) // its own host's

	// And is back.
	rows[1].Process = start(t, rows[1].Collector)
	set(rows, balancer)
	verify(rows[1])
	rows[0].seen()
	verify(rows[0])
	assert.NotContains(t, rows[0].seen(), hosts[1])
	attack(1)
	for _, r := range rows {
		p.noAlarmBut(r.alarms, finding.Altered)
	}
	p.noAlarmBut(p.site.SIEM.Alarms(), finding.Altered)
	awaitMetric(t, siem, found, 2, labelled(finding.Altered))

	trust, err := p.site.FindingsTrust()
	require.NoError(t, err)
	for _, agent := range agents {
		own, err := agent.Trust()
		require.NoError(t, err)
		trust = append(trust, own...)
	}
	further, err := os.ReadFile(filepath.Join(rows[1].Env["LOGSEAL_STATE_DIR"], "findings.trust"))
	require.NoError(t, err)
	line, err := seal.ParseTrustLine(strings.TrimSpace(string(further)))
	require.NoError(t, err)
	trust = append(trust, line)
	report := p.complete(trust, hosts...)
	altered := uint64(0)
	for _, f := range report.Findings {
		switch f.Code {
		case finding.Altered:
			altered += f.Count
		case finding.Unresolved: // the others of their groups
		default:
			assert.NotEqual(t, finding.Tampered, f.Verdict(), "%s: %s", f.Code, f.Message())
		}
	}
	assert.Equal(t, uint64(2), altered)
	for _, host := range hosts {
		i := slices.IndexFunc(report.Streams, func(of verifier.StreamReport) bool { return of.Name == host })
		require.GreaterOrEqual(t, i, 0)
		assert.GreaterOrEqual(t, report.Streams[i].Records, uint64(written))
	}
}

// probe returns for each gateway a host whose records come to it.
func (p *watchedPath) probe(front testbed.Collector, rows []*row) []string {
	p.Helper()
	client, err := p.site.NewClient(p.site.Agent.Env["LOGSEAL_CERT_FILE"], p.site.Agent.Env["LOGSEAL_KEY_FILE"], front.Env["LOGSEAL_LISTEN"])
	require.NoError(p, err)
	p.Cleanup(client.Close)
	logs := plog.NewLogs()
	const many = 64
	for i := range many {
		rl := logs.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("host.name", fmt.Sprintf("web-%d", i))
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("whither?")
	}
	require.NoError(p, resend(p.T, client, logs))
	require.NoError(p, testbed.Until(deadline(p.T, time.Minute), func() (bool, error) {
		n := 0
		for _, r := range rows {
			r.mu.Lock()
			n += len(r.hosts)
			r.mu.Unlock()
		}
		return n == many, nil
	}))
	hosts := make([]string, len(rows))
	for i, r := range rows {
		seen := r.seen()
		require.NotEmpty(p, seen, "all of %d hosts come to one gateway", many)
		hosts[i] = seen[0]
	}
	return hosts
}

// newRow puts somebody before a gateway that sees a part only, behind others that have looked at the clients' certificates.
func (p *watchedPath) newRow(name string, gateway testbed.Collector) *row {
	p.Helper()
	r := &row{Collector: gateway, hosts: map[string]bool{}, probe: true}
	r.Env["LOGSEAL_VERIFY_PARTIAL"], r.Env["LOGSEAL_LATE_AFTER"] = "true", "5s"
	r.Args = []string{"--config", "yaml:receivers::otlp::client_identity::enabled: false"}
	r.alarms = r.Collector.Alarms()
	sender := testbed.Collector{Env: maps.Clone(gateway.Env)} // any of the authority
	sender.Env["LOGSEAL_SIEM_ENDPOINT"] = gateway.Env["LOGSEAL_LISTEN"]
	var err error
	r.middle, err = p.site.NewMiddle(&sender, &r.Collector)
	require.NoError(p, err, name)
	p.Cleanup(func() { assert.NoError(p, r.middle.Close()) })
	r.middle.Do(r.pass)
	r.addr = sender.Env["LOGSEAL_SIEM_ENDPOINT"]
	return r
}

var dnsResolver = regexp.MustCompile(`dns: \{.*?\}`)

// newFront returns the balancer, and what changes the set of gateways behind it.
func (p *watchedPath) newFront(rows []*row) (front testbed.Collector, set func([]*row, *testbed.Process)) {
	p.Helper()
	ports, err := testbed.FreePorts(3)
	require.NoError(p, err)
	front = testbed.Collector{
		Name: "front", Binary: collector, Dir: p.site.Dir, HealthPort: ports[0], MetricsPort: ports[1], Env: map[string]string{"LOGSEAL_LISTEN": testbed.Loopback(ports[2])},
	}
	gateway := p.site.Gateway.Env
	text := strings.NewReplacer(
		"/var/lib/logseal/front", filepath.Join(p.site.Dir, "state", "front"), "0.0.0.0:4317", front.Env["LOGSEAL_LISTEN"],
		"/etc/logseal/tls/server.crt", gateway["LOGSEAL_SERVER_CERT_FILE"], "/etc/logseal/tls/server.key", gateway["LOGSEAL_SERVER_KEY_FILE"],
		"/etc/logseal/tls/client-ca.crt", p.site.PKI.CAFile(), "/etc/logseal/tls/ca.crt", p.site.PKI.CAFile(),
		"/etc/logseal/tls/tls.crt", gateway["LOGSEAL_CERT_FILE"], "/etc/logseal/tls/tls.key", gateway["LOGSEAL_KEY_FILE"], "gateways.example.com", "localhost",
		"127.0.0.1:13133", testbed.Loopback(front.HealthPort),
	).Replace(firstRow(p.T))
	// The set comes from a file here, and not from DNS. Ports are ours, too, as others run beside this.
	members := filepath.Join(p.site.Dir, "members.yaml")
	write := func(rows []*row) {
		addrs := make([]string, len(rows))
		for i, r := range rows {
			addrs[i] = r.addr
		}
		require.NoError(p, os.WriteFile(members, fmt.Appendf(nil, "{hostnames: [%s]}\n", strings.Join(addrs, ", ")), 0o600))
	}
	write(rows)
	require.Regexp(p, dnsResolver, text)
	front.Config = []byte(dnsResolver.ReplaceAllLiteralString(text, "static: ${file:"+members+"}"))
	front.Args = []string{"--config", "yaml:service::telemetry::metrics::level: none"}
	set = func(rows []*row, balancer *testbed.Process) {
		p.Helper()
		write(rows)
		ready := func() int {
			log, err := os.ReadFile(front.LogFile())
			require.NoError(p, err)
			return bytes.Count(log, []byte("Everything is ready"))
		}
		began := ready()
		require.NoError(p, balancer.Signal(syscall.SIGHUP))
		require.NoError(p, testbed.Until(deadline(p.T, time.Minute), func() (bool, error) { return ready() > began, nil }))
	}
	return front, set
}
