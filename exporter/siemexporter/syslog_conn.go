// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/logseal/logseal/pkg/tlspin"
)

const (
	// syslogChunk is written at a time: each has the timeout, so that a slow receiver is not taken for one that stands still.
	syslogChunk = 64 << 10
	// farewell bounds the wait for a receiver's end of a connection.
	farewell = 2 * time.Second
	// maxPoll is how often at least the system is asked what was acknowledged.
	maxPoll = 20 * time.Millisecond
)

// errSpeaks is how a connection ends on which something is said.
var errSpeaks = errors.New("the server answers, which no syslog receiver does: something else listens there")

// syslogConn is a connection to a receiver.
type syslogConn struct {
	owner     *syslogClient
	tls       *tls.Conn
	tcp       *countingConn
	made      time.Time
	patience  time.Duration // for what makes no progress
	probation time.Duration // see syslogProbation
	proven    atomic.Bool

	done  chan struct{} // closed when the connection has ended
	ended error         // why; to be read when done is closed
}

// countingConn counts what is written into it, and knows whether it has ended.
type countingConn struct {
	*net.TCPConn
	written atomic.Int64
	ended   atomic.Bool
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if err != nil {
		c.ended.Store(true)
	}
	return n, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// listen waits for the end of the connection: a receiver says nothing else. It reads the session tickets that a server sends unasked, too.
func (s *syslogConn) listen() {
	defer close(s.done)
	defer s.tcp.Close()
	var said [1]byte
	n, err := s.tls.Read(said[:])
	if n > 0 {
		err = errSpeaks
	}
	s.ended = err
	switch {
	case tlspin.Reason(err) == tlspin.ReasonClientCert:
		s.owner.watch.refused(err)
	case !s.proven.Load() && time.Since(s.made) < s.probation && !errors.Is(err, errSpeaks):
		s.owner.watch.hungUp(err)
	}
}

// over reports whether the connection has ended.
func (s *syslogConn) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// why returns the end of the connection as a refusal.
func (s *syslogConn) why() *refusal {
	if errors.Is(s.ended, errSpeaks) {
		return &refusal{cause: "not_syslog", message: s.ended.Error()}
	}
	return &refusal{cause: causeConnection, message: clip("the receiver has ended the connection: " + s.ended.Error())}
}

// write writes frames whole, and returns how many bytes have gone into the connection with the last of them.
func (s *syslogConn) write(frames []byte) (end int64, err error) {
	for len(frames) > 0 {
		chunk := frames[:min(len(frames), syslogChunk)]
		frames = frames[len(chunk):]
		err := s.tls.SetWriteDeadline(time.Now().Add(s.patience))
		if err == nil {
			_, err = s.tls.Write(chunk)
		}
		if err == nil {
			continue
		}
		// A part of a frame may have gone out: nothing may follow it.
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			s.abort()
			return 0, &refusal{cause: causeDeadline, message: "the receiver takes nothing more"}
		}
		s.abort()
		return 0, s.why()
	}
	return s.tcp.written.Load(), nil
}

// settle waits until the other side's system has acknowledged the bytes up to end, and the connection has lasted for its probation.
func (s *syslogConn) settle(end int64) error {
	best, moved := int64(-1), time.Now()
	for pause := time.Millisecond / 4; ; pause = min(2*pause, maxPoll) {
		written := s.tcp.written.Load() // first: what is written meanwhile counts as not acknowledged
		waiting, err := unacked(s.tcp.TCPConn)
		now := time.Now()
		acked := written - int64(waiting)
		if acked > best {
			best, moved = acked, now
		}
		lasted := now.Sub(s.made)
		switch {
		case s.over():
			return s.why()
		case err != nil:
			s.abort()
			return s.why()
		case acked >= end && lasted >= s.probation:
			if !s.proven.Swap(true) {
				s.owner.watch.heard()
			}
			return nil
		case acked < end && now.Sub(moved) > s.patience:
			s.abort()
			return &refusal{cause: causeDeadline, message: "the receiver's system acknowledges nothing more"}
		}
		if acked >= end {
			pause = max(pause, s.probation-lasted)
		}
		select {
		case <-s.done:
		case <-time.After(pause):
		}
	}
}

// abort ends the connection as it is, and waits for its end.
func (s *syslogConn) abort() {
	s.tcp.Close()
	<-s.done
}

// finish ends the connection in order and reports whether the receiver has read everything: our close_notify goes behind it, and the receiver
// answers with its own. The end of the TCP connection would not do. A receiver that crashes ends it too, and so may anybody on the way.
func (s *syslogConn) finish() bool {
	if s.over() {
		return false
	}
	_ = s.tls.SetWriteDeadline(time.Now().Add(farewell))
	if s.tls.CloseWrite() != nil {
		s.abort()
		return false
	}
	_ = s.tcp.CloseWrite() // for receivers that go by it; one that was quicker has ended the connection
	select {
	case <-s.done:
	case <-time.After(farewell):
		s.abort()
	}
	return errors.Is(s.ended, io.EOF) && !s.tcp.ended.Load()
}
