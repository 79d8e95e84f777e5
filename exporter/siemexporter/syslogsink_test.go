// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// receiverOf is a syslog receiver for tests (RFC 5425). It ends a connection with a reset when take refuses a message.
type receiverOf struct {
	take func(message string) error

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// serve listens on addr, over TLS as cfg says, in the clear when cfg is nil. stop ends every connection.
func (r *receiverOf) serve(t testing.TB, addr string, cfg *tls.Config) (string, func()) {
	t.Helper()
	listener := listen(t, addr)
	r.mu.Lock()
	r.conns = map[net.Conn]bool{}
	r.mu.Unlock()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns[conn] = true
			r.mu.Unlock()
			serving.Go(func() {
				r.read(conn, cfg)
				r.mu.Lock()
				delete(r.conns, conn)
				r.mu.Unlock()
			})
		}
	})
	stop := sync.OnceFunc(func() {
		listener.Close()
		r.mu.Lock()
		for conn := range r.conns {
			conn.Close()
		}
		r.mu.Unlock()
		serving.Wait()
	})
	t.Cleanup(stop)
	return listener.Addr().String(), stop
}

func (r *receiverOf) read(conn net.Conn, cfg *tls.Config) {
	defer conn.Close()
	stream := conn
	if cfg != nil {
		server := tls.Server(conn, cfg)
		defer server.Close()
		stream = server
	}
	frames := bufio.NewReaderSize(stream, 1<<16)
	for {
		message, err := readFrame(frames)
		if err == nil {
			err = r.take(message)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			}
			return
		}
	}
}

// readFrame reads MSG-LEN SP SYSLOG-MSG.
func readFrame(frames *bufio.Reader) (string, error) {
	length, err := frames.ReadString(' ')
	if err != nil {
		if length != "" && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
	if err != nil || n <= 0 || length[0] == '0' {
		return "", fmt.Errorf("the length is %q", length)
	}
	message := make([]byte, n)
	if _, err := io.ReadFull(frames, message); err != nil {
		return "", io.ErrUnexpectedEOF
	}
	return string(message), nil
}

// msgOf returns MSG, what stands behind the header and the structured data.
func msgOf(message string) string {
	parts := strings.SplitN(message, " ", 7)
	if len(parts) < 7 {
		return ""
	}
	rest := parts[6]
	if strings.HasPrefix(rest, "-") {
		return rest[2:]
	}
	for i := 1; i < len(rest); i++ { // up to the bracket that no backslash stands before
		switch rest[i] {
		case '\\':
			i++
		case ']':
			return rest[i+2:]
		}
	}
	return ""
}

// receiver returns a receiver that hands originals to the sink.
func (s *sink) receiver() *receiverOf {
	return &receiverOf{take: func(message string) error {
		logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs([]byte(msgOf(message)))
		if err == nil {
			_, err = s.Export(context.Background(), plogotlp.NewExportRequestFromLogs(logs))
		}
		return err
	}}
}
