// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
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

	"github.com/logseal/logseal/internal/hectest"
	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
)

// siemPage returns the first configuration under a heading of docs/siem.md, with the site's pins in it.
func siemPage(t *testing.T, site *testbed.Site, heading string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "siem.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	require.True(t, found, heading)
	block := fence.FindStringSubmatch(section)
	require.NotNil(t, block, heading)
	config := block[1]
	for _, pin := range strings.Split(strings.Trim(site.Gateway.Env["LOGSEAL_SIEM_PINS"], "[]"), ", ") {
		config = strings.Replace(config, "sha256/BASE64=", pin, 1)
	}
	path := filepath.Join(t.TempDir(), "siem.yaml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	return path
}

// received are the lines that a SIEM was given.
type received struct {
	mu    sync.Mutex
	lines []string
}

func (r *received) put(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, text)
}

// lose empties it and returns what was in it.
func (r *received) lose() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost := r.lines
	r.lines = nil
	return lost
}

func (r *received) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

// await waits until each of the lines has arrived as the body of an original.
func (r *received) await(t *testing.T, want string) {
	t.Helper()
	require.Eventually(t, func() bool {
		got := map[string]bool{}
		for _, text := range r.all() {
			if logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs([]byte(text)); assert.NoError(t, err) {
				got[logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()] = true
			}
		}
		for line := range strings.Lines(want) {
			if !got[strings.TrimSuffix(line, "\n")] {
				return false
			}
		}
		return true
	}, 90*time.Second, 100*time.Millisecond)
}

// verifyExport runs `logseal verify` on an export that has to be complete up to then, and returns its output and status.
func verifyExport(t *testing.T, agent testbed.Collector, export []string, until time.Time) (string, int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "export.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(export, "\n")+"\n"), 0o600))
	return run(t, nil, logseal, "verify", "--trust", agent.TrustFile(), "--until", until.UTC().Format(time.RFC3339), file)
}

// requireProof: what the SIEM gives back verifies, once its last records are sealed, and not when one of its characters is another.
func requireProof(t *testing.T, agent testbed.Collector, got *received) {
	t.Helper()
	var output string
	var status int
	until := time.Now()
	for ctx := deadline(t, time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if output, status = verifyExport(t, agent, got.all(), until); status == 0 {
			break
		}
		require.NoError(t, ctx.Err(), output)
	}
	export := got.all()
	longest := 0
	for i, text := range export {
		if strings.Contains(text, seal.EventName) {
			longest = max(longest, len(text))
			continue
		}
		if strings.Contains(text, "line 7 ") {
			export = slices.Clone(export)
			export[i] = strings.Replace(text, "line 7 ", "line 8 ", 1)
		}
	}
	t.Logf("%d records and seals; the longest seal has %d bytes", len(export), longest)
	output, status = verifyExport(t, agent, export, until)
	assert.Equal(t, 1, status, output)
	assert.Contains(t, output, "ALTERED")
}

// TestSplunk: an agent with the page's configuration, before an indexer that crashes with what it has taken and not acknowledged.
func TestSplunk(t *testing.T) {
	site := newSite(t)
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	var got received
	splunk := &hectest.Server{
		Token: "00000000-0000-0000-0000-000000000000", Acknowledge: true, Indexes: []string{"security"},
		Take: func(events []hectest.Event) {
			for _, event := range events {
				got.put(event.Raw())
			}
		},
	}
	cert, err := tls.LoadX509KeyPair(site.SIEM.Env["LOGSEAL_SERVER_CERT_FILE"], site.SIEM.Env["LOGSEAL_SERVER_KEY_FILE"])
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: splunk, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { server.Close(); <-done })

	agent := site.Agent
	agent.Args = []string{"--config", siemPage(t, site, "Splunk"), "--config", "yaml:exporters::siem::endpoint: https://" + listener.Addr().String()}
	splunk.Hold(true)
	first := lines("line ", 0, 300)
	appendFile(t, logFile, first)
	process := start(t, agent)
	got.await(t, first)
	splunk.Restart()
	require.NotEmpty(t, got.lose())
	require.NoError(t, process.Stop(time.Minute))

	splunk.Hold(false)
	second := lines("line ", 300, 500)
	appendFile(t, logFile, second)
	start(t, agent)
	got.await(t, first+second)
	requireProof(t, agent, &got)
}
