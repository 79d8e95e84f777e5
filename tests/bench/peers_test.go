// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
)

func TestParsePeakRSS(t *testing.T) {
	got, err := parsePeakRSS([]byte("Name:\trsyslogd\nVmPeak:\t  999999 kB\nVmHWM:\t    9012 kB\nVmRSS:\t    8000 kB\n"))
	require.NoError(t, err)
	assert.EqualValues(t, 9012<<10, got)

	_, err = parsePeakRSS([]byte("Name:\tzombie\nState:\tZ (zombie)\n"))
	assert.Error(t, err)
}

// An exited process's rusage would show our own memory.
func TestPeakRSSIsTheProcessesOwn(t *testing.T) {
	ours := make([]byte, 256<<20)
	for i := 0; i < len(ours); i += 4096 {
		ours[i] = 1
	}
	d, err := command{dir: t.TempDir(), path: "/bin/cat", args: []string{"/dev/zero"}}.start()
	require.NoError(t, err)
	t.Cleanup(d.kill)
	rss, err := d.peakRSS()
	require.NoError(t, err)
	assert.Less(t, rss, int64(len(ours)))
	assert.Positive(t, ours[0])
}

func TestConfigsAreFilledIn(t *testing.T) {
	site := &testbed.Site{Dir: t.TempDir()}
	for _, config := range []string{rsyslogConfig, syslogNGForward, syslogNGSeal} {
		path, err := writeConfig(site, config, "/in/put.log", &net.TCPAddr{Port: 6514})
		require.NoError(t, err)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.NotRegexp(t, "@[A-Z]+@", string(text))
		assert.Contains(t, string(text), `"/in/put.log"`)
	}
}

func TestLineSinkCountsLines(t *testing.T) {
	dir, client := newTLS(t)
	s, err := newLineSink(dir)
	require.NoError(t, err)
	defer s.Close()

	conn, err := tls.Dial("tcp", s.Addr().String(), client)
	require.NoError(t, err)
	defer conn.Close()
	for _, part := range []string{"one\ntw", "o\n", "three"} {
		_, err := conn.Write([]byte(part))
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close())
	awaitLines(t, s, 2)
	assert.Positive(t, s.bytes())
}

func TestFrameSinkCountsMessages(t *testing.T) {
	dir, client := newTLS(t)
	s, err := newFrameSink(dir)
	require.NoError(t, err)
	defer s.Close()

	conn, err := tls.Dial("tcp", s.Addr().String(), client)
	require.NoError(t, err)
	defer conn.Close()
	for _, part := range []string{"3 one5 t", "hree4 four", "9 torn"} {
		_, err := conn.Write([]byte(part))
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close())
	awaitLines(t, s, 3)
}

// TestEventsAreCountedWithoutParsing: nothing that stands in an event is taken for another one, or for a seal.
func TestEventsAreCountedWithoutParsing(t *testing.T) {
	texts := []string{"a line", `,"event":"`, `\",\"event\":\"`, string(sealMark), `\` + string(sealMark), "{" + string(sealMark) + "}"}
	var body []byte
	for i, text := range texts {
		original, err := json.Marshal(text) // a log line within an original
		require.NoError(t, err)
		line := fmt.Sprintf(`{"body":{"stringValue":%s},"eventName":"another"}`, original)
		if i == 0 {
			line = "{" + string(sealMark) + "}" // a seal
		}
		event, err := json.Marshal(line)
		require.NoError(t, err)
		body = fmt.Appendf(body, `{"time":1,"host":"event","event":%s,"fields":{}}`, event)
	}
	assert.EqualValues(t, len(texts)-1, eventsIn(body))
}

func TestLineSinkWantsACertificate(t *testing.T) {
	dir, client := newTLS(t)
	s, err := newLineSink(dir)
	require.NoError(t, err)
	defer s.Close()

	client.Certificates = nil
	conn, err := tls.Dial("tcp", s.Addr().String(), client)
	require.NoError(t, err) // in TLS 1.3 the refusal comes with the first read
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	require.ErrorContains(t, err, "certificate required")
}

func TestOTLPSinkCountsRecordsAndNoSeals(t *testing.T) {
	dir, client := newTLS(t)
	s, err := newOTLPSink(dir, nil)
	require.NoError(t, err)
	defer s.Close()

	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("a line")
	records.AppendEmpty().Body().SetStr("another")
	note := records.AppendEmpty()
	note.SetEventName(seal.EventName)
	note.Body().SetStr("a seal")

	conn, err := grpc.NewClient(s.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(client)))
	require.NoError(t, err)
	defer conn.Close()
	_, err = plogotlp.NewGRPCClient(conn).Export(t.Context(), plogotlp.NewExportRequestFromLogs(logs))
	require.NoError(t, err)
	n, err := s.lines()
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
}

func TestFileSinkFollowsTheFile(t *testing.T) {
	s := &fileSink{path: filepath.Join(t.TempDir(), "sealed.log")}
	for _, step := range []struct {
		add   string
		lines int64
	}{{"", 0}, {"one\ntw", 1}, {"o\nthree\n", 3}, {"", 3}} {
		if step.add != "" {
			f, err := os.OpenFile(s.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			require.NoError(t, err)
			_, err = f.WriteString(step.add)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
		n, err := s.lines()
		require.NoError(t, err)
		assert.Equal(t, step.lines, n)
	}
	assert.EqualValues(t, len("one\ntwo\nthree\n"), s.bytes())
}

// newTLS makes what a sink finds in its folder, and a client that it lets in.
func newTLS(t *testing.T) (dir string, client *tls.Config) {
	t.Helper()
	dir = t.TempDir()
	ca := testpki.NewCA("bench")
	server := ca.NewLeaf("siem")
	require.NoError(t, ca.WriteCert(filepath.Join(dir, "ca.crt")))
	require.NoError(t, server.WriteCert(filepath.Join(dir, "siem.crt")))
	require.NoError(t, server.WriteKey(filepath.Join(dir, "siem.key")))
	return dir, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{ca.NewLeaf("agent").TLS()}}
}

func awaitLines(t *testing.T, s sink, want int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, testbed.Until(ctx, func() (bool, error) {
		n, err := s.lines()
		return n >= want, err
	}))
}
