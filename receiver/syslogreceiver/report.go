// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	reportInterval = time.Minute
	maxPeers       = 1000 // that are told apart in an interval
	namedPeers     = 5    // in the line
)

// report writes one line an interval about what senders do that an operator should know: at once for the first, and then at the end
// of each interval in which there was more. It holds addresses and numbers, and nothing of what was sent.
type report struct {
	logger *zap.Logger

	mu      sync.Mutex
	peers   map[string]*conduct
	pending *time.Timer
	closed  bool
}

// conduct is what a peer has done since the last line.
type conduct struct {
	unparsed, unparsedBytes int
	parts, partBytes        int
	handshakes, broken      int
	full                    int    // connections above max_connections
	reason                  string // of the last handshake or connection that failed
}

func newReport(logger *zap.Logger) *report {
	return &report{logger: logger, peers: map[string]*conduct{}}
}

func (r *report) unparsed(peer string, size int) {
	r.note(peer, func(c *conduct) { c.unparsed++; c.unparsedBytes += size })
}

func (r *report) split(peer string, size int) {
	r.note(peer, func(c *conduct) { c.parts++; c.partBytes += size })
}

func (r *report) refused(peer string, err error) {
	r.note(peer, func(c *conduct) { c.handshakes++; c.reason = err.Error() })
}

func (r *report) full(peer string) { r.note(peer, func(c *conduct) { c.full++ }) }

func (r *report) broken(peer string, err error) {
	r.note(peer, func(c *conduct) { c.broken++; c.reason = err.Error() })
}

func (r *report) note(peer string, change func(*conduct)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	c := r.peers[peer]
	if c == nil {
		if len(r.peers) >= maxPeers {
			peer = "others"
		}
		if c = r.peers[peer]; c == nil {
			c = &conduct{}
			r.peers[peer] = c
		}
	}
	change(c)
	if r.pending == nil {
		r.write()
		r.pending = time.AfterFunc(reportInterval, r.interval)
	}
}

func (r *report) interval() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = nil
	if len(r.peers) > 0 && !r.closed {
		r.write()
		r.pending = time.AfterFunc(reportInterval, r.interval)
	}
}

func (r *report) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending != nil {
		r.pending.Stop()
	}
	if len(r.peers) > 0 && !r.closed {
		r.write()
	}
	r.closed = true
}

// write writes the line and begins anew.
func (r *report) write() {
	var sum conduct
	for _, c := range r.peers {
		sum.unparsed += c.unparsed
		sum.unparsedBytes += c.unparsedBytes
		sum.parts += c.parts
		sum.partBytes += c.partBytes
		sum.handshakes += c.handshakes
		sum.broken += c.broken
		sum.full += c.full
		if c.reason != "" {
			sum.reason = c.reason
		}
	}
	worst := slices.SortedFunc(maps.Keys(r.peers), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.peers[b].events(), r.peers[a].events()), cmp.Compare(a, b))
	})
	fields := []zap.Field{zap.Strings("peers", worst[:min(len(worst), namedPeers)]), zap.Int("peer_count", len(worst))}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"unparsed_records", sum.unparsed},
		{"unparsed_bytes", sum.unparsedBytes},
		{"split_records", sum.parts},
		{"split_bytes", sum.partBytes},
		{"failed_handshakes", sum.handshakes},
		{"broken_connections", sum.broken},
		{"connections_above_max", sum.full},
	} {
		if n.value > 0 {
			fields = append(fields, zap.Int(n.name, n.value))
		}
	}
	if sum.reason != "" {
		fields = append(fields, zap.String("last_error", sum.reason))
	}
	r.logger.Warn("syslog: not everything was as it should be; what does not parse has gone on as it came, what is too long in parts", fields...)
	clear(r.peers)
}

func (c *conduct) events() int { return c.unparsed + c.parts + c.handshakes + c.broken + c.full }
