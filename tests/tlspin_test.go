// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

// stockAgent is an agent that sends with a stock exporter, by the configuration of docs/tls-pin.md.
type stockAgent struct {
	testbed.Collector
	site *testbed.Site
	pins string // of that page's configuration, as a file on top of the agent's
	page string
}

// newStockAgent returns one for the site's SIEM, which takes OTLP over HTTP too.
func newStockAgent(t *testing.T, kind string) *stockAgent {
	t.Helper()
	site := newSite(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "tls-pin.md"))
	require.NoError(t, err)
	a := &stockAgent{site: site, pins: filepath.Join(site.Dir, "pins.yaml"), page: fence.FindStringSubmatch(string(page))[1]}
	addr := site.SIEM.Env["LOGSEAL_LISTEN"]
	if kind == "otlp_http" {
		ports, err := testbed.FreePorts(1)
		require.NoError(t, err)
		addr = testbed.Loopback(ports[0])
		for _, server := range []*testbed.Collector{&site.SIEM, &site.Impostor} {
			server.Args = append(server.Args, "--config", fmt.Sprintf(
				"yaml:receivers: {otlp: {protocols: {http: {endpoint: %q, tls: {cert_file: %q, key_file: %q, client_ca_file: %q, min_version: \"1.3\"}}}}}",
				addr, server.Env["LOGSEAL_SERVER_CERT_FILE"], server.Env["LOGSEAL_SERVER_KEY_FILE"], site.PKI.CAFile()))
		}
	}
	client := fmt.Sprintf(`tls: {ca_file: %q, cert_file: %q, key_file: %q}, middlewares: [{id: tls_pin}]`,
		site.PKI.CAFile(), site.Agent.Env["LOGSEAL_CERT_FILE"], site.Agent.Env["LOGSEAL_KEY_FILE"])
	again := "sending_queue: {storage: encrypted_storage}, retry_on_failure: {enabled: true, initial_interval: 100ms, max_interval: 500ms, max_elapsed_time: 0s}"
	exporter := map[string]string{
		"otlp_grpc":      fmt.Sprintf("endpoint: %q, retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}", addr),
		"otlp_http":      fmt.Sprintf("endpoint: %q, %s, %s", "https://"+addr, client, again),
		"load_balancing": fmt.Sprintf("protocol: {otlp: {%s}}, resolver: {static: {hostnames: [%q]}}, %s", client, addr, again),
	}[kind]
	a.Collector = site.Agent
	a.Args = []string{"--config", a.pins, "--config", fmt.Sprintf("yaml:{exporters: {%s: {%s}}, service: {pipelines: {logs: {exporters: [%s]}}}}", kind, exporter, kind)}
	logFile := a.logFile()
	site.SetInclude(logFile)
	a.write(t, a.right())
	return a
}

func (a *stockAgent) logFile() string { return filepath.Join(a.site.Dir, "app.log") }

// right are the SIEM's pin and its backup.
func (a *stockAgent) right() []string {
	return strings.Split(strings.Trim(a.site.Gateway.Env["LOGSEAL_SIEM_PINS"], "[]"), ", ")
}

// write writes the page's configuration with these pins, and with what comes on top.
func (a *stockAgent) write(t *testing.T, pins []string, more ...string) {
	t.Helper()
	text := a.page
	for _, pin := range pins {
		text = strings.Replace(text, "sha256/BASE64=", pin, 1)
	}
	text = strings.Replace(text, "  tls_pin:\n", "  tls_pin:\n"+strings.Join(more, ""), 1)
	require.NotContains(t, text, "sha256/BASE64=")
	require.NoError(t, os.WriteFile(a.pins, []byte(text), 0o600))
}

func wrongPins() []string {
	return []string{"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha256/AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="}
}

const refusedHandshakes, reportedHandshakes = "otelcol_extension_tls_pin_refused_handshakes", "otelcol_extension_tls_pin_reported_handshakes"

// An impostor with a certificate of the right authority gets nothing from a stock exporter; the SIEM gets all of it when it is back.
func TestStockExportersWithPins(t *testing.T) {
	for _, kind := range []string{"otlp_grpc", "otlp_http", "load_balancing"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a := newStockAgent(t, kind)
			impostor := start(t, a.site.Impostor)
			agent := start(t, a.Collector)
			tally := testbed.Tally{Prefix: kind + " line "}
			appendFile(t, a.logFile(), lines(tally.Prefix, 0, 200))
			awaitMetric(t, agent, refusedHandshakes, 2)
			awaitMetric(t, impostor, "otelcol_receiver_otlp_refused_handshakes", 1)
			fake := testbed.Archive{Path: a.site.Impostor.Env["LOGSEAL_ARCHIVE"]}
			n, err := fake.Read(tally.Add)
			require.NoError(t, err)
			assert.Zero(t, n, "records with the impostor")
			accepted, err := impostor.Metric(deadline(t, time.Minute), "otelcol_receiver_accepted_log_records")
			require.NoError(t, err)
			assert.Zero(t, accepted)
			awaitStatus(t, agent, "StatusRecoverableError", "no certificate of the server's verified chain carries a pinned key")
			impostor.Kill()

			start(t, a.site.SIEM)
			archive := testbed.Archive{Path: a.site.ArchivePath()}
			awaitLines(t, &archive, &tally, 200, 2*time.Minute)
			awaitStatus(t, agent, "StatusOK", "")
			require.NoError(t, agent.Stop(time.Minute))
			appendFile(t, a.logFile(), lines(tally.Prefix, 200, 300))
			start(t, a.Collector)
			awaitLines(t, &archive, &tally, 300, 2*time.Minute)
		})
	}
}

// awaitStatus returns when health_check knows the extension by this status and error.
func awaitStatus(t *testing.T, p *testbed.Process, status, text string) {
	t.Helper()
	var last string
	err := testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		response, err := http.Get("http://" + testbed.Loopback(p.HealthPort) + "/?verbose")
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		var all struct {
			Components struct {
				Extensions struct {
					Components map[string]struct{ Status, Error string }
				}
			}
		}
		if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
			return false, err
		}
		extension := all.Components.Extensions.Components["extension:tls_pin"]
		last = extension.Status + " " + extension.Error
		return extension.Status == status && strings.Contains(extension.Error, text), nil
	})
	require.NoError(t, err, "the last status: %s", last)
}

// The way of docs/tls-pin.md: pins that are wrong are reported, corrected by what was reported, and enforced, with a SIGHUP each; no connection
// of the configuration before is used on.
func TestPinsAreRolledOut(t *testing.T) {
	t.Parallel()
	a := newStockAgent(t, "otlp_grpc")
	start(t, a.site.SIEM)
	archive := testbed.Archive{Path: a.site.ArchivePath()}
	tally := testbed.Tally{Prefix: "roll-out line "}
	written := 0
	more := func() {
		appendFile(t, a.logFile(), lines(tally.Prefix, written, written+50))
		written += 50
	}
	a.write(t, wrongPins(), "    mode: report\n")
	agent := start(t, a.Collector)
	more()
	awaitLines(t, &archive, &tally, written, 2*time.Minute)
	awaitMetric(t, agent, reportedHandshakes, 1)
	assert.True(t, a.LogContains("would refuse this server"))
	assert.True(t, a.LogContains(`"pin_of_its_key": "`+a.right()[0]+`"`))

	a.write(t, wrongPins())
	require.NoError(t, agent.Signal(syscall.SIGHUP))
	ctx := deadline(t, 2*time.Minute)
	require.NoError(t, testbed.Until(ctx, func() (bool, error) {
		value, err := agent.Metric(ctx, refusedHandshakes)
		return err == nil && value >= 1, nil // nobody answers while the configuration is changed
	}))
	before := tally.Seen()
	more()
	refused, err := agent.Metric(ctx, refusedHandshakes)
	require.NoError(t, err)
	awaitMetric(t, agent, refusedHandshakes, refused+2)
	_, err = archive.Read(tally.Add)
	require.NoError(t, err)
	assert.Equal(t, before, tally.Seen(), "lines after the pins were enforced")

	a.write(t, a.right())
	require.NoError(t, agent.Signal(syscall.SIGHUP))
	awaitLines(t, &archive, &tally, written, 2*time.Minute)
	for _, metric := range []string{reportedHandshakes, refusedHandshakes} {
		value, err := agent.Metric(deadline(t, time.Minute), metric)
		require.NoError(t, err)
		assert.Zero(t, value, metric)
	}
}

// What cannot be pinned does not start, and the other commands say so before.
func TestPinsThatHoldNobodyDoNotStart(t *testing.T) {
	client := func(change string) string {
		return "yaml:{exporters: {otlp_grpc: {" + change + "}}}"
	}
	for name, tt := range map[string]struct {
		change    string
		want      string
		startOnly bool
	}{
		"in the clear":     {client("tls: {insecure: true}"), "exporters::otlp_grpc::tls::insecure: would send in the clear", false},
		"not verified":     {client("tls: {insecure_skip_verify: true}"), "exporters::otlp_grpc::tls::insecure_skip_verify: would accept certificates that nobody verified", false},
		"an http endpoint": {client(`endpoint: "http://127.0.0.1:1"`), `exporters::otlp_grpc::endpoint: "http://127.0.0.1:1" would be spoken to in the clear`, false},
		"not the last":     {client("middlewares: [{id: tls_pin}, {id: nesting_limit}]"), "exporters::otlp_grpc::middlewares: tls_pin reaches the connections only from the end", false},
		"named by nobody":  {client("middlewares: []"), "extensions::tls_pin: no client names it", false},
		"not started":      {"yaml:{service: {extensions: [health_check, encrypted_storage]}}", `failed to resolve middleware "tls_pin": middleware not found`, true},
		"two sections": {
			`yaml:{exporters: {otlp_grpc/b: {endpoint: "127.0.0.1:1", middlewares: [{id: tls_pin}]}}, service: {pipelines: {logs: {exporters: [otlp_grpc, otlp_grpc/b]}}}}`,
			"exporters::otlp_grpc::tls and exporters::otlp_grpc/b::tls differ", true,
		},
		"kafka": {
			`yaml:{exporters: {kafka: {middlewares: [{id: tls_pin}]}}, service: {pipelines: {logs: {exporters: [kafka]}}}}`, "has invalid keys: middlewares", true,
		},
		"siem has its own": {
			`yaml:{exporters: {siem: {protocol: otlp_http, endpoint: "https://127.0.0.1:1", middlewares: [{id: tls_pin}]}}, service: {pipelines: {logs: {exporters: [siem]}}}}`,
			"exporters::siem::middlewares: siem has pins of its own", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newStockAgent(t, "otlp_grpc")
			a.Args = append(a.Args, "--config", tt.change)
			p, err := a.Start(deadline(t, 90*time.Second))
			if err == nil {
				p.Kill()
			}
			require.ErrorContains(t, err, tt.want)
			if tt.startOnly {
				return
			}
			out, status := a.check(t)
			assert.Equal(t, 1, status, out)
			assert.Contains(t, out, "WRONG "+tt.want)
		})
	}
	t.Run("right", func(t *testing.T) {
		out, status := newStockAgent(t, "otlp_grpc").check(t)
		assert.Zero(t, status, out)
	})
}

// check runs `logseal check` on the agent's configuration.
func (a *stockAgent) check(t *testing.T) (output string, status int) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "agent.yaml")
	require.NoError(t, os.WriteFile(config, a.Config, 0o600))
	env := []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range a.Env {
		env = append(env, name+"="+value)
	}
	return run(t, env, logseal, append([]string{"check", "--no-network", "--config", config}, a.Args...)...)
}
