// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
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
	refresh func() // reads what is to be read, when it is set

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
	if r.refresh != nil {
		r.refresh()
	}
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

// siemBlock returns the text of a fence under a heading of docs/siem.md.
func siemBlock(t *testing.T, heading, language string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "siem.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	require.True(t, found, heading)
	_, block, found := strings.Cut(section, "```"+language+"\n")
	require.True(t, found, heading)
	block, _, _ = strings.Cut(block, "```")
	return block
}

// syslogReceiver is a program that the page has a configuration for, and how it is started with it.
type syslogReceiver struct {
	heading string
	start   func(t *testing.T, dir, config string) *exec.Cmd
}

func syslogReceivers() map[string]syslogReceiver {
	return map[string]syslogReceiver{
		"rsyslog": {"rsyslog", func(t *testing.T, dir, config string) *exec.Cmd {
			return exec.Command(needs(t, "rsyslogd", "rsyslog-openssl"), "-n", "-f", config, "-i", filepath.Join(dir, "pid"))
		}},
		"syslog-ng": {"syslog-ng", func(t *testing.T, dir, config string) *exec.Cmd { return syslogNG(t, dir, config) }},
	}
}

// TestSyslogReceivers: an agent with the page's configuration, before real receivers with theirs, which are killed in between. Their
// files are archives.
func TestSyslogReceivers(t *testing.T) {
	for name, receiver := range syslogReceivers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			dir := t.TempDir()
			ports, err := testbed.FreePorts(1)
			require.NoError(t, err)
			file := filepath.Join(dir, "logseal.jsonl")
			folder := map[string]string{"rsyslog": "/etc/rsyslog.d/", "syslog-ng": "/etc/syslog-ng/"}[name]
			config := filepath.Join(dir, "receiver.conf")
			require.NoError(t, os.WriteFile(config, []byte(strings.NewReplacer(
				folder+"ca.crt", site.PKI.CAFile(), folder+"tls.crt", site.SIEM.Env["LOGSEAL_SERVER_CERT_FILE"],
				folder+"tls.key", site.SIEM.Env["LOGSEAL_SERVER_KEY_FILE"], "/var/log/logseal.jsonl", file, "6514", strconv.Itoa(ports[0]),
			).Replace(siemBlock(t, receiver.heading, name))), 0o600))
			var said strings.Builder
			run := func() (kill func()) {
				cmd := receiver.start(t, dir, config)
				cmd.Stdout, cmd.Stderr = &said, &said
				cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
				require.NoError(t, cmd.Start())
				return sync.OnceFunc(func() {
					_ = cmd.Process.Kill()
					_ = cmd.Wait()
				})
			}
			kill := run()
			t.Cleanup(func() {
				kill()
				if t.Failed() {
					t.Log(said.String())
				}
			})

			logFile := filepath.Join(site.Dir, "app.log")
			site.SetInclude(logFile)
			agent := site.Agent
			agent.Args = []string{"--config", siemPage(t, site, "rsyslog"), "--config", "yaml:exporters::siem::endpoint: " + testbed.Loopback(ports[0])}
			var got received
			look := func() {
				content, err := os.ReadFile(file)
				if err != nil && !os.IsNotExist(err) {
					require.NoError(t, err)
				}
				got.lose()
				// A receiver that was killed in the middle of a line has written a part of it; the whole comes again.
				for line := range strings.Lines(string(content)) {
					if text, whole := strings.CutSuffix(line, "\n"); whole && strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
						got.put(text)
					}
				}
			}
			got.refresh = look
			first := lines("line ", 0, 300)
			appendFile(t, logFile, first)
			start(t, agent)
			got.await(t, first)
			kill()
			second := lines("line ", 300, 500)
			appendFile(t, logFile, second)
			kill = run()
			got.await(t, first+second)
			requireProof(t, agent, &got)
		})
	}
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
