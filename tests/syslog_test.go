// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
)

// syslogSite is an agent that takes syslog at port, and a SIEM behind it.
type syslogSite struct {
	*testbed.Site
	agent *testbed.Process
	port  int
}

// newSyslog starts one. options are entries of the receivers beside the shipped ones, as YAML in one line.
func newSyslog(t *testing.T, options func(*testbed.Site) string) *syslogSite {
	t.Helper()
	site := newSite(t)
	site.AgentToSIEM()
	ports, err := testbed.FreePorts(1)
	require.NoError(t, err)
	s := &syslogSite{Site: site, port: ports[0]}
	site.Agent.Env["LOGSEAL_RECEIVERS"] = "[syslog]"
	site.Agent.Env["LOGSEAL_SYSLOG_ENDPOINT"] = testbed.Loopback(s.port)
	if options != nil {
		site.Agent.Args = []string{"--config", "yaml:receivers: {" + options(site) + "}"}
	}
	start(t, site.SIEM)
	s.agent = start(t, site.Agent)
	return s
}

// await waits until as many records have arrived, and returns them by their bodies.
func (s *syslogSite) await(t *testing.T, count int) map[string]plog.LogRecord {
	t.Helper()
	got := map[string]plog.LogRecord{}
	n := 0
	archive := testbed.Archive{Path: s.ArchivePath()}
	err := testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		_, err := archive.Read(func(_ plog.ResourceLogs, lr plog.LogRecord) {
			if !seal.IsSeal(lr) {
				got[lr.Body().AsString()] = lr
				n++
			}
		})
		return n >= count, err
	})
	require.NoErrorf(t, err, "%d of %d records", n, count)
	require.Equal(t, count, n, "more than were sent")
	return got
}

func (s *syslogSite) send(t *testing.T, stream string) {
	t.Helper()
	conn, err := net.Dial("tcp", testbed.Loopback(s.port))
	require.NoError(t, err)
	_, err = conn.Write([]byte(stream))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func octets(message string) string { return strconv.Itoa(len(message)) + " " + message }

// A connection may mix octet counting, with and without a trailing LF in the count, and lines; one line of 3 MiB stands among them.
func TestSyslogMixedFramingWithOneLineTooLong(t *testing.T) {
	s := newSyslog(t, nil)
	const total = 900
	line := func(i int) string {
		if i%2 == 0 {
			return fmt.Sprintf("<13>1 2026-11-28T10:00:00Z host app %d - - line %d", i, i)
		}
		return fmt.Sprintf("<13>Nov 28 10:00:00 host app[%d]: line %d", i, i)
	}
	long := "<13>Nov 28 10:00:00 host app[0]: " + strings.Repeat("many words ", 300_000)
	var stream strings.Builder
	for i := range total {
		switch i % 3 {
		case 0:
			stream.WriteString(octets(line(i)))
		case 1:
			stream.WriteString(octets(line(i) + "\n"))
		case 2:
			stream.WriteString(line(i) + "\n")
		}
		switch i {
		case 100:
			stream.WriteString(long + "\n")
		case 200:
			stream.WriteString(octets(long))
		}
	}
	s.send(t, stream.String())
	const parts = 2 * 4 // of 1 MiB
	got := s.await(t, total+parts)
	for i := range total {
		lr, ok := got[line(i)]
		require.True(t, ok, line(i))
		pid, _ := lr.Attributes().Get("proc_id")
		assert.Equal(t, strconv.Itoa(i), pid.Str())
		_, twice := lr.Attributes().Get("message")
		assert.False(t, twice, "the text is in the body")
		_, split := lr.Attributes().Get("logseal.syslog.part")
		assert.False(t, split)
	}
	awaitMetric(t, s.agent, "otelcol_receiver_syslog_split_records", parts)
	require.True(t, s.Agent.LogContains(`"peers": ["127.0.0.1"]`) && s.Agent.LogContains("split_bytes"), "the log names peer and bytes")
	require.False(t, s.Agent.LogContains("many words"), "and nothing of what was sent")
}

// Text that is no syslog at all arrives as it came, and is counted.
func TestSyslogWhatDoesNotParseArrives(t *testing.T) {
	s := newSyslog(t, nil)
	messages := []string{"only words", "<999>no priority", "12 monkeys", "<13>words behind a priority", "\tat java.lang.Thread.run(Thread.java:1)"}
	s.send(t, strings.Join(messages, "\n")+"\n")
	got := s.await(t, len(messages))
	for _, m := range messages {
		assert.Contains(t, got, m)
	}
	awaitMetric(t, s.agent, "otelcol_receiver_syslog_unparsed_records", float64(len(messages)))
	require.False(t, s.Agent.LogContains("monkeys"))
}

func TestSyslogFromLogger(t *testing.T) {
	logger := needs(t, "logger", "bsdutils")
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"tcp", []string{"--tcp"}},
		{"tcp, counted", []string{"--tcp", "--octet-count"}},
		{"tcp, rfc3164", []string{"--tcp", "--rfc3164"}},
		{"udp", []string{"--udp"}},
		{"udp, rfc3164", []string{"--udp", "--rfc3164"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSyslog(t, func(site *testbed.Site) string {
				if tt.args[0] == "--udp" {
					site.Agent.Env["LOGSEAL_RECEIVERS"] = "[syslog/udp]"
				}
				return "syslog/udp: {udp: {listen_address: '" + site.Agent.Env["LOGSEAL_SYSLOG_ENDPOINT"] + "'}}"
			})
			args := append([]string{"--server", "127.0.0.1", "--port", strconv.Itoa(s.port), "--tag", "mytag", "--priority", "auth.warning", "--id=77"}, tt.args...)
			for i := range 3 {
				out, err := exec.Command(logger, append(args, fmt.Sprintf("message %d", i))...).CombinedOutput()
				require.NoError(t, err, string(out))
			}
			for body, lr := range s.await(t, 3) {
				app, _ := lr.Attributes().Get("appname")
				pid, _ := lr.Attributes().Get("proc_id")
				assert.Equal(t, "mytag", app.Str(), body)
				assert.Equal(t, "77", pid.Str(), body)
				assert.Equal(t, "warning", lr.SeverityText())
				assert.NotZero(t, lr.Timestamp())
			}
		})
	}
}

// tlsOptions make the agent's receiver one for TLS with the site's certificates.
func tlsOptions(site *testbed.Site) string {
	return fmt.Sprintf("syslog: {tcp: {tls: {cert_file: %s, key_file: %s}}}", site.Agent.Env["LOGSEAL_CERT_FILE"], site.Agent.Env["LOGSEAL_KEY_FILE"])
}

// A sender that writes, never reads and closes must not lose its tail: a session ticket that it has not read turns its close into a
// reset, which discards what the receiver has not read yet.
func TestSyslogOverTLSFromSendersThatWriteAndClose(t *testing.T) {
	s := newSyslog(t, tlsOptions)
	// More than the sockets' buffers hold: what is in the sender's at its close is what a reset discards.
	const senders, each = 5, 600
	padding := strings.Repeat("x", 8<<10)
	for i := range senders {
		conn, err := tls.Dial("tcp", testbed.Loopback(s.port), &tls.Config{
			InsecureSkipVerify: true, MinVersion: tls.VersionTLS13,
			ClientSessionCache: tls.NewLRUClientSessionCache(1), // it asks for tickets, as OpenSSL does
		})
		require.NoError(t, err)
		var text strings.Builder
		for n := range each {
			fmt.Fprintf(&text, "<13>1 2026-11-28T10:00:00Z host app - - - sender %d line %d %s\n", i, n, padding)
		}
		_, err = conn.Write([]byte(text.String()))
		require.NoError(t, err)
		_ = conn.Close()
	}
	s.await(t, senders*each)
	require.False(t, s.Agent.LogContains("broken_connections"))

	// No ticket comes, even for one that asks and reads to the end.
	tickets := &ticketCounter{}
	conn, err := tls.Dial("tcp", testbed.Loopback(s.port), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, ClientSessionCache: tickets})
	require.NoError(t, err)
	require.NoError(t, conn.CloseWrite())
	_, err = io.ReadAll(conn)
	require.NoError(t, err)
	require.Zero(t, tickets.put)

	openssl := needs(t, "openssl", "openssl")
	const more = 500
	var text strings.Builder
	for n := range more {
		fmt.Fprintf(&text, "<13>1 2026-11-28T10:00:00Z host app - - - openssl line %d %s\n", n, padding)
	}
	cmd := exec.Command(openssl, "s_client", "-quiet", "-no_ign_eof", "-tls1_3", "-connect", testbed.Loopback(s.port))
	cmd.Stdin = strings.NewReader(text.String())
	_ = cmd.Run()
	s.await(t, senders*each+more)
}

// Without a restart: a renewed certificate is shown, and a sender whose authority was withdrawn is refused and its open connection ends.
func TestSyslogOverTLSFollowsItsCertificates(t *testing.T) {
	t.Parallel()
	root, clients, others := testpki.NewCA("root"), testpki.NewCA("clients"), testpki.NewCA("others")
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	show := func(leaf *testpki.Cert) {
		require.NoError(t, leaf.WriteKey(path("server.key")))
		require.NoError(t, leaf.WriteCert(path("server.crt")))
	}
	first, second := root.NewLeaf("first"), root.NewLeaf("second")
	show(first)
	require.NoError(t, clients.WriteCert(path("client-ca.crt")))
	s := newSyslog(t, func(*testbed.Site) string {
		return fmt.Sprintf("syslog: {tcp: {tls: {cert_file: %s, key_file: %s, client_ca_file: %s}}}", path("server.crt"), path("server.key"), path("client-ca.crt"))
	})
	// A sender of TLS 1.2 knows after the handshake whether it was admitted.
	connect := func(cert *testpki.Cert) (*tls.Conn, error) {
		return tls.Dial("tcp", testbed.Loopback(s.port), &tls.Config{
			InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert.TLS()},
		})
	}
	sender, other := clients.NewLeaf("sender"), others.NewLeaf("other")
	open, err := connect(sender)
	require.NoError(t, err)
	defer open.Close()
	require.Equal(t, "first", open.ConnectionState().PeerCertificates[0].Subject.CommonName)
	_, err = open.Write([]byte("<13>Nov 28 10:00:00 h app: from the first\n"))
	require.NoError(t, err)
	s.await(t, 1)
	_, err = connect(other)
	require.Error(t, err)

	show(second)
	require.NoError(t, others.WriteCert(path("client-ca.crt")))
	var admitted *tls.Conn
	require.NoError(t, testbed.Until(deadline(t, seconds), func() (bool, error) {
		admitted, err = connect(other)
		return err == nil, nil
	}))
	defer admitted.Close()
	require.Equal(t, "second", admitted.ConnectionState().PeerCertificates[0].Subject.CommonName)
	_, err = connect(sender)
	require.Error(t, err, "its authority was withdrawn")
	require.NoError(t, open.SetReadDeadline(time.Now().Add(seconds)))
	_, err = open.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection of a withdrawn sender ends")
	_, err = admitted.Write([]byte("<13>Nov 28 10:00:00 h app: from the second\n"))
	require.NoError(t, err)
	s.await(t, 2)
}

type ticketCounter struct{ put int }

func (*ticketCounter) Get(string) (*tls.ClientSessionState, bool) { return nil, false }

func (c *ticketCounter) Put(string, *tls.ClientSessionState) { c.put++ }

const rsyslogSender = `
global(workDirectory="%[1]s" defaultNetstreamDriverCAFile="%[2]s")
module(load="imfile")
input(type="imfile" file="%[1]s/input.log" tag="mytag:" ruleset="forward")
ruleset(name="forward") { action(type="omfwd" target="127.0.0.1" port="%[3]d" protocol="tcp" %[4]s action.resumeRetryCount="-1") }
`

func TestSyslogFromRsyslog(t *testing.T) {
	rsyslogd := needs(t, "/usr/sbin/rsyslogd", "rsyslog")
	const total = 3000
	for _, tt := range []struct {
		name, action string
		tls          bool
	}{
		{"lines", `template="RSYSLOG_TraditionalForwardFormat"`, false},
		{"counted, RFC 5424", `template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted"`, false},
		{"over TLS", `template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted" streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="anon"`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var options func(*testbed.Site) string
			if tt.tls {
				options = tlsOptions
				if drivers, _ := filepath.Glob("/usr/lib*/*/rsyslog/lmnsd_ossl.so"); len(drivers) == 0 {
					needs(t, "lmnsd_ossl.so", "rsyslog-openssl")
				}
			}
			s := newSyslog(t, options)
			dir := t.TempDir()
			config := filepath.Join(dir, "rsyslog.conf")
			require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, rsyslogSender, dir, s.PKI.CAFile(), s.port, tt.action), 0o600))
			var input strings.Builder
			for i := range total {
				fmt.Fprintf(&input, "line %d\n", i)
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "input.log"), []byte(input.String()), 0o600))
			daemon(t, nil, rsyslogd, "-n", "-f", config, "-i", filepath.Join(dir, "pid"))
			for body, lr := range s.await(t, total) {
				app, _ := lr.Attributes().Get("appname")
				assert.Equal(t, "mytag", app.Str(), body)
			}
		})
	}
}

// A sender whose certificate is refused for a while, since its authority is not known: with TLS 1.2 rsyslog keeps what it has. With TLS 1.3 it does not know that it
// is refused before it has written, which findings/rsyslog-loses-what-tls13-refuses.sh shows of it; how much that costs is logged.
func TestSyslogFromRsyslogThatIsRefused(t *testing.T) {
	rsyslogd := needs(t, "/usr/sbin/rsyslogd", "rsyslog")
	if drivers, _ := filepath.Glob("/usr/lib*/*/rsyslog/lmnsd_ossl.so"); len(drivers) == 0 {
		needs(t, "lmnsd_ossl.so", "rsyslog-openssl")
	}
	const total, last = 100, "the last line"
	for _, version := range []string{"1.2", "1.3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := func(name string) string { return filepath.Join(dir, name) }
			ours, others := testpki.NewCA("ours"), testpki.NewCA("others")
			cert, key := ours.NewLeaf("sender").WriteFiles(t, dir, "sender")
			require.NoError(t, others.WriteCert(path("client-ca.crt")))
			s := newSyslog(t, func(site *testbed.Site) string {
				return fmt.Sprintf(`syslog: {tcp: {tls: {cert_file: %s, key_file: %s, client_ca_file: %s, max_version: "%s"}}}`,
					site.Agent.Env["LOGSEAL_CERT_FILE"], site.Agent.Env["LOGSEAL_KEY_FILE"], path("client-ca.crt"), version)
			})
			action := fmt.Sprintf(`template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted" streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="anon"
				streamDriver.certFile="%s" streamDriver.keyFile="%s" action.resumeInterval="1" queue.type="LinkedList" queue.filename="q"`, cert, key)
			require.NoError(t, os.WriteFile(path("rsyslog.conf"), fmt.Appendf(nil, rsyslogSender, dir, s.PKI.CAFile(), s.port, action), 0o600))
			appendFile(t, path("input.log"), "")
			daemon(t, nil, rsyslogd, "-n", "-f", path("rsyslog.conf"), "-i", path("pid"))
			written := 0
			require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
				if written < total { // a line at a time: how TLS 1.3 loses them depends on the writes
					appendFile(t, path("input.log"), fmt.Sprintf("line %d\n", written))
					written++
				}
				return written == total && s.Agent.LogContains("unknown authority"), nil
			}), "nobody was refused")
			require.NoError(t, ours.WriteCert(path("client-ca.crt")))
			// From here on it is admitted. What it takes in now comes behind all that it still has.
			arrived, n := map[string]bool{}, 0
			archive := testbed.Archive{Path: s.ArchivePath()}
			require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
				appendFile(t, path("input.log"), last+"\n")
				_, err := archive.Read(func(_ plog.ResourceLogs, lr plog.LogRecord) {
					if _, text, line := strings.Cut(lr.Body().AsString(), " - - - "); line && !seal.IsSeal(lr) {
						arrived[text] = true
						if text != last {
							n++
						}
					}
				})
				return arrived[last] && (version == "1.3" || len(arrived) == total+1), err
			}), "%d of %d lines", len(arrived)-1, total)
			t.Logf("over TLS %s %d of %d lines have arrived, as %d records", version, len(arrived)-1, total, n)
		})
	}
}

func TestSyslogFromSyslogNG(t *testing.T) {
	const total = 3000
	for _, destination := range []string{`syslog("127.0.0.1" port(%d) transport("tcp"))`, `network("127.0.0.1" port(%d) transport("tcp"))`} {
		t.Run(destination, func(t *testing.T) {
			s := newSyslog(t, nil)
			dir := t.TempDir()
			config := filepath.Join(dir, "syslog-ng.conf")
			require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `@version: 3.35
source s { file("%[1]s/input.log" flags(no-parse) program-override("mytag")); };
destination d { %[2]s; };
log { source(s); destination(d); flags(flow-control); };
`, dir, fmt.Sprintf(destination, s.port)), 0o600))
			var input strings.Builder
			for i := range total {
				fmt.Fprintf(&input, "line %d\n", i)
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "input.log"), []byte(input.String()), 0o600))
			cmd := syslogNG(t, dir, config)
			daemon(t, cmd.Env, cmd.Path, cmd.Args[1:]...)
			for body, lr := range s.await(t, total) {
				app, _ := lr.Attributes().Get("appname")
				assert.Equal(t, "mytag", app.Str(), body)
			}
		})
	}
}

// syslogNG returns the command of a syslog-ng. Debian has either rsyslog or syslog-ng; LOGSEAL_SYSLOG_NG names a folder into which its packages
// were unpacked, as .ci/run does and `go run ./tests/bench -h` says.
func syslogNG(t *testing.T, dir, config string) *exec.Cmd {
	t.Helper()
	folder := os.Getenv("LOGSEAL_SYSLOG_NG")
	if folder == "" {
		t.Skip("LOGSEAL_SYSLOG_NG does not name a folder with syslog-ng unpacked")
	}
	libraries := []string{filepath.Join(folder, "usr/lib/syslog-ng")}
	for _, pattern := range []string{"lib/*-linux-gnu", "usr/lib/*-linux-gnu"} {
		found, _ := filepath.Glob(filepath.Join(folder, pattern))
		libraries = append(libraries, found...)
	}
	modules, _ := filepath.Glob(filepath.Join(folder, "usr/lib/syslog-ng/[0-9]*"))
	require.NotEmpty(t, modules, folder)
	cmd := exec.Command(filepath.Join(folder, "usr/sbin/syslog-ng"), "-F", "--no-caps", "-f", config, "-R", filepath.Join(dir, "persist"),
		"-c", filepath.Join(dir, "ctl"), "-p", filepath.Join(dir, "pid"), "--module-path", modules[0])
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	return cmd
}

// daemon runs a program until the test ends, and shows what it said if the test fails.
func daemon(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	var said strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
}
