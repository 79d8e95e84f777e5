// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// faultyPath is a TCP relay that breaks what passes through it, at random.
type faultyPath struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu     sync.Mutex
	rng    *rand.Rand
	conns  map[net.Conn]struct{}
	calm   bool
	closed bool
	// swallow, when closed, makes the connections that exist swallow what is sent into them.
	swallow chan struct{}
}

func newFaultyPath(t *testing.T, target string, seed uint64) *faultyPath {
	f := &faultyPath{
		listener: listen(t, anyPort), target: target,
		rng: rand.New(rand.NewPCG(seed, 1)), conns: map[net.Conn]struct{}{},
		swallow: make(chan struct{}),
	}
	f.wg.Go(func() {
		for {
			conn, err := f.listener.Accept()
			if err != nil {
				return
			}
			f.wg.Go(func() { f.relay(conn) })
		}
	})
	t.Cleanup(f.close)
	return f
}

func (f *faultyPath) close() {
	f.listener.Close()
	f.mu.Lock()
	f.closed = true
	for conn := range f.conns {
		conn.Close()
	}
	f.mu.Unlock()
	f.wg.Wait()
}

// becalm ends the faults.
func (f *faultyPath) becalm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calm = true
	for conn := range f.conns {
		conn.Close()
	}
}

// track keeps conn, so that it can be closed from outside. It reports false when it is too late for that.
func (f *faultyPath) track(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		conn.Close()
		return false
	}
	f.conns[conn] = struct{}{}
	return true
}

func (f *faultyPath) forget(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	conn.Close()
	delete(f.conns, conn)
}

// draw returns what happens to a connection, and after how many bytes.
func (f *faultyPath) draw() (fault string, after int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	faults := []string{"none", "reset", "half-closed to the server", "half-closed to the client", "slow", "stalls"}
	fault, after = faults[f.rng.IntN(len(faults))], f.rng.Int64N(40_000)
	if f.calm {
		fault = "none"
	}
	return fault, after
}

func (f *faultyPath) relay(client net.Conn) {
	defer f.forget(client)
	if !f.track(client) {
		return
	}
	server, err := net.Dial("tcp", f.target)
	if err != nil {
		return
	}
	defer f.forget(server)
	if !f.track(server) {
		return
	}
	fault, after := f.draw()
	up, down := client, server
	switch fault {
	case "none":
		pipe(up, newSwallowWriter(down, f.swallow), -1, nil)
	case "reset":
		pipe(up, down, after, func() {
			_ = client.(*net.TCPConn).SetLinger(0)
			client.Close()
			server.Close()
		})
	case "half-closed to the server":
		pipe(up, down, after, func() { _ = server.(*net.TCPConn).CloseWrite() })
	case "half-closed to the client":
		pipe(up, down, after, func() { _ = client.(*net.TCPConn).CloseWrite() })
	case "slow":
		pipe(up, slowWriter{down}, after+20_000, func() { client.Close(); server.Close() })
	case "stalls":
		pipe(up, down, after, func() { time.Sleep(300 * time.Millisecond); client.Close(); server.Close() })
	}
}

// swallowWriter passes on what is written until the channel is closed, unless it was closed from the beginning.
type swallowWriter struct {
	net.Conn
	swallow chan struct{}
}

func newSwallowWriter(conn net.Conn, swallow chan struct{}) swallowWriter {
	select {
	case <-swallow:
		swallow = nil
	default:
	}
	return swallowWriter{conn, swallow}
}

func (w swallowWriter) Write(p []byte) (int, error) {
	select {
	case <-w.swallow:
		return len(p), nil
	default:
		return w.Conn.Write(p)
	}
}

type slowWriter struct{ net.Conn }

func (w slowWriter) Write(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return w.Conn.Write(p)
}

// pipe relays both ways. After a number of bytes from the client, then happens.
func pipe(client, server net.Conn, after int64, then func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		if after < 0 {
			_, _ = io.Copy(server, client)
		} else {
			_, _ = io.CopyN(server, client, after)
			then()
			_, _ = io.Copy(io.Discard, client)
		}
		server.Close()
	})
	wg.Go(func() {
		_, _ = io.Copy(client, server)
		client.Close()
	})
	wg.Wait()
}

// moodySink answers at random. Records whose body ends in 7 it never takes, and it says so.
func moodySink(seed uint64) (s *sink, becalm func()) {
	s = newSink()
	rng := rand.New(rand.NewPCG(seed, 2))
	calm := false
	s.respond(func(logs plog.Logs) (plogotlp.ExportResponse, error) {
		ok := plogotlp.NewExportResponse()
		all := bodies(logs)
		if !calm {
			switch rng.IntN(12) {
			case 0:
				return ok, status.Error(codes.Unavailable, "busy")
			case 1:
				return ok, status.Error(codes.Unauthenticated, "token")
			case 2: // it takes the records, and forgets to say so
				for _, body := range all {
					if !neverTaken(body) {
						s.taken[body]++
					}
				}
				return ok, status.Error(codes.Internal, "broke after the work was done")
			case 3:
				if len(all) > 2 {
					return ok, status.Error(codes.ResourceExhausted, "too much")
				}
			}
		}
		for _, body := range all {
			if neverTaken(body) {
				return ok, status.Error(codes.InvalidArgument, "never")
			}
		}
		return ok, nil
	})
	return s, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		calm = true
	}
}

func neverTaken(body string) bool { return strings.HasSuffix(body, "7") }

// TestConservation: sent = received + dead letters, whatever happens on the way and to either side. It runs for some
// seconds; LOGSEAL_FAULTS_FOR=3m makes it run for three minutes.
func TestConservation(t *testing.T) {
	duration := 4 * time.Second
	if text := os.Getenv("LOGSEAL_FAULTS_FOR"); text != "" {
		var err error
		duration, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	eachAnswering(t, func(t *testing.T, protocol Protocol) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 3))
		p := newPKI()
		s, becalm := moodySink(seed)
		serverAddr, stopServer := s.serve(t, protocol, anyPort, serverTLS(p.leaf))
		path := newFaultyPath(t, serverAddr, seed)

		cfg := testConfig(t, protocol, path.listener.Addr().String(), p.ca, p.leaf)
		cfg.DeadLetter.Directory = t.TempDir()
		cfg.tls().ReloadInterval = time.Second
		cfg.QueueConfig.Get().Sizer = exporterhelper.RequestSizerTypeRequests
		cfg.QueueConfig.Get().QueueSize = 50 // full now and then: the producer waits
		setTimeout(cfg, time.Second)
		tel := newTestTelemetry(t)
		storage, set := newHost(t, t.TempDir()), tel.settings()
		exp, stopExporter := startExporterIn(t, cfg, storage, set)

		var sent []string
		restarts := 0
		for deadline := time.Now().Add(duration); time.Now().Before(deadline); {
			logs, bodies := records(strconv.Itoa(len(sent)), 1+rng.IntN(30))
			if consume(exp, logs) {
				sent = append(sent, bodies...)
			}
			switch rng.IntN(60) {
			case 0: // the server is restarted
				stopServer()
				time.Sleep(time.Duration(rng.IntN(100)) * time.Millisecond)
				_, stopServer = s.serve(t, protocol, serverAddr, serverTLS(p.leaf))
			case 1: // we are
				stopExporter()
				restarts++
				exp, stopExporter = startExporterIn(t, cfg, storage, set)
			case 2:
				time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
			}
		}
		path.becalm()
		becalm()

		want := map[string]bool{}
		for _, body := range sent {
			want[body] = true
		}
		require.Eventually(t, func() bool {
			taken := s.snapshot()
			for body := range want {
				if !neverTaken(body) && taken[body] == 0 {
					return false
				}
			}
			return true
		}, 2*time.Minute, 200*time.Millisecond)
		require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_queue_size") == 0 }, 2*time.Minute, 50*time.Millisecond)
		stopExporter()

		taken, buried, duplicates := s.snapshot(), map[string]bool{}, 0
		for _, letter := range readDeadLetters(t, cfg) {
			for _, body := range letter.bodies(t) {
				assert.True(t, neverTaken(body), "%s is in the dead letters", body)
				buried[body] = true
			}
		}
		for body, times := range taken {
			assert.True(t, want[body], "%s was never sent", body)
			duplicates += times - 1
		}
		for body := range want {
			assert.True(t, taken[body] > 0 != buried[body], "%s: taken %d times, dead letter %v", body, taken[body], buried[body])
		}
		retries := tel.sum(t, "otelcol_exporter_siem_retries")
		t.Logf("%d records sent, %d taken, %d dead letters, %d duplicates, %v retries, %d restarts",
			len(sent), len(taken), len(buried), duplicates, retries, restarts)
		if retries == 0 && restarts == 0 {
			assert.Zero(t, duplicates)
		}
	})
}

// consume offers logs for a while, as a receiver with a retry does, and reports whether they were accepted.
func consume(exp exporter.Logs, logs plog.Logs) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	return exp.ConsumeLogs(ctx, logs) == nil
}
