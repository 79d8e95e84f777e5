// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// tailBytes is how much of what was sent is kept in memory until the receiver has confirmed it, and repeated after a break: more than a system
// holds that has acknowledged bytes which its program has not read (Linux's tcp_rmem has 6 MiB at most, unless somebody raises it).
const tailBytes = 8 << 20

// syslogClient sends over syslog (RFC 5424) and TLS (RFC 5425). No answer exists. What counts as sent is what the receiver's system has
// acknowledged on a connection that lasted; what its program may not have read of that is kept, and repeated after a break. The one
// confirmation is the receiver's end of a connection that we have closed in order.
type syslogClient struct {
	link     *syslogLink
	endpoint string
	tls      *tls.Config
	own      time.Time // when our certificate expires; zero without one
	watch    *handshakeWatch
	config   *Config
	limit    int // bytes of a message
	stop     <-chan struct{}
	logger   *zap.Logger
	writers  sync.Pool // of *messageWriter
}

// syslogLink is what lasts of one receiver while its clients come and go: the connection, and what it may still lose.
type syslogLink struct {
	mu   sync.Mutex
	conn *syslogConn // nil when there is none
	tail tail
}

// tail is what was sent and not confirmed.
type tail struct {
	sent    []sent
	bytes   int
	records atomic.Int64 // which a metric reads without mu: that is held as long as a connection is made or written to
}

// sent are the frames of one request.
type sent struct {
	frames  []byte
	records int
}

func (t *tail) add(s sent) {
	t.sent = append(t.sent, s)
	t.bytes += len(s.frames)
	t.records.Add(int64(s.records))
	for t.bytes > tailBytes && len(t.sent) > 1 {
		t.bytes -= len(t.sent[0].frames)
		t.records.Add(-int64(t.sent[0].records))
		t.sent[0] = sent{}
		t.sent = t.sent[1:]
	}
}

func (t *tail) clear() {
	t.sent, t.bytes = nil, 0
	t.records.Store(0)
}

func (d *dialer) dialSyslog(ctx context.Context, t *target) (client, error) {
	config, err := loadTLS(ctx, *d.config.tls(), t.policy)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(t.endpoint)
	if err != nil {
		return nil, err
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	own := ownExpiry(config)
	t.watch.noteRequests(config)
	c := &syslogClient{
		link: &t.link, endpoint: t.endpoint, tls: config, own: own, watch: t.watch, config: d.config, limit: t.maxMessageBytes,
		stop: d.stop, logger: d.settings.Logger,
	}
	c.writers.New = func() any { return &messageWriter{config: d.config.syslog, format: d.config.format} }
	return c, nil
}

func (c *syslogClient) export(ctx context.Context, wire []byte) (answer, error) {
	if len(wire) == 0 {
		return answer{}, c.send(ctx, sent{}) // a probe: a connection that lasts
	}
	frames, messages, err := c.frames(wire)
	if err != nil {
		return answer{}, err
	}
	return answer{}, c.send(ctx, sent{frames, messages})
}

// frames returns the frames of all records of a request, and how many these are.
func (c *syslogClient) frames(wire []byte) (frames []byte, messages int, err error) {
	w := c.writers.Get().(*messageWriter)
	defer c.writers.Put(w)
	err = inForm(wire, func(wire []byte) error {
		tooLong := 0
		if frames, messages, tooLong, err = w.frames(wire, c.limit); err != nil || tooLong == 0 {
			return err
		}
		return &refusal{verdict: tooLarge, record: messages + 1, message: fmt.Sprintf(
			"%s makes a syslog message of %d bytes, and syslog.max_message_bytes is %d: raise it, on the receiver first", nameOf(wire, messages), tooLong, c.limit)}
	})
	return frames, messages, err
}

// send returns when the receiver's system has acknowledged everything. Until then it is the queue's.
func (c *syslogClient) send(ctx context.Context, s sent) error {
	conn, end, err := c.write(ctx, s.frames)
	if err == nil {
		err = conn.settle(end)
	}
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if err == nil && conn.over() {
		err = conn.why() // it broke just now, and nobody else knows of this request
	}
	if err != nil {
		if conn != nil {
			conn.abort()
		}
		return err
	}
	if len(s.frames) > 0 {
		c.link.tail.add(s)
	}
	return nil
}

// write writes the frames, and returns how many bytes have gone into the connection with the last of them.
func (c *syslogClient) write(ctx context.Context, frames []byte) (*syslogConn, int64, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if err := c.connect(ctx); err != nil {
		return nil, 0, err
	}
	end, err := c.link.conn.write(frames)
	return c.link.conn, end, err
}

// connect makes sure that there is a connection of this client, and that what an earlier one may have lost goes ahead of everything else. mu is
// held.
func (c *syslogClient) connect(ctx context.Context) error {
	if conn := c.link.conn; conn != nil {
		if conn.owner == c && !conn.over() {
			return nil
		}
		c.link.finish()
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	for _, s := range c.link.tail.sent {
		if _, err := conn.write(s.frames); err != nil {
			conn.abort()
			return err
		}
	}
	c.link.conn = conn
	return nil
}

// finish ends the connection in order, if there is one, and reports whether nothing that was sent is in doubt any more. mu is held.
func (l *syslogLink) finish() bool {
	if l.conn != nil && l.conn.finish() {
		l.tail.clear()
	}
	l.conn = nil
	return len(l.tail.sent) == 0
}

// close ends the connection. When the exporter stops and the receiver has not confirmed everything, what is left is sent once more.
func (c *syslogClient) close() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.link.conn != nil && c.link.conn.owner != c {
		return nil // the next client has taken over
	}
	if c.link.finish() {
		return nil
	}
	select {
	case <-c.stop:
	default:
		return nil // the next client repeats it
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.config.timeout())
	defer cancel()
	if err := c.connect(ctx); err == nil && c.link.conn.settle(c.link.conn.tcp.written.Load()) == nil && c.link.finish() {
		return nil
	}
	c.link.finish()
	c.logger.Warn("The receiver has not confirmed to have read what was sent last, as it does by closing its end of the connection. Its system has acknowledged it; nothing more can be known",
		zap.String("endpoint", c.endpoint), zap.Int64("records", c.link.tail.records.Load()))
	return nil
}

func (c *syslogClient) dial(ctx context.Context) (*syslogConn, error) {
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", c.endpoint)
	if err != nil {
		return nil, &refusal{cause: causeConnection, message: clip(err.Error())}
	}
	conn := &syslogConn{
		owner: c, tcp: &countingConn{TCPConn: raw.(*net.TCPConn)}, patience: c.config.timeout(), probation: c.config.syslog.probation,
		done: make(chan struct{}),
	}
	conn.tls = tls.Client(conn.tcp, c.tls)
	if err := conn.tls.HandshakeContext(ctx); err != nil {
		raw.Close()
		c.watch.refused(err)
		cause := causeConnection
		if errors.Is(err, context.DeadlineExceeded) {
			cause = causeDeadline
		}
		return nil, &refusal{cause: cause, message: clip(err.Error())}
	}
	state := conn.tls.ConnectionState()
	c.watch.passed(&state, c.own)
	conn.made = time.Now()
	go conn.listen()
	return conn, nil
}
