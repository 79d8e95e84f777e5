// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/logseal/logseal/pkg/seal"
)

// Defaults of [Config], for zero values.
const (
	DefaultLateAfter   = 30 * time.Second
	DefaultSilentAfter = 3 * time.Minute
	DefaultMaxPending  = 1_000_000
	DefaultMaxStreams  = 100_000
)

// Config says what a [Watcher] trusts and how long it waits. The zero value trusts nobody, and waits for the defaults.
type Config struct {
	// Trust are the streams that are known. Streams may share a name, as in a trust file.
	Trust []seal.Trust

	// Roots are CAs: a stream that is not in Trust is trusted if a certificate below them vouches for its first seal
	// (docs/stamp-format.md, section 7.1). nil for none.
	Roots *x509.CertPool

	// Learn trusts a stream that nothing else vouches for from its first seal on, and remembers it: see [Watcher.Learned]. A later stream
	// that says the same name is a finding. Without Learn, every stream that nothing vouches for is one.
	Learn bool

	// Partial says that others see a part of the same streams. Then nothing is called missing, silent or inserted for not being here.
	Partial bool

	// BindIdentity makes it a finding when records or seals of a stream come from another client than its first ones, by
	// [Peer.Identity].
	BindIdentity bool

	// LateAfter is how long a record or a seal may come after what tells that it should be there.
	LateAfter time.Duration

	// SilentAfter is how long a stream may be without an authentic seal, or three of the heartbeats that it promises in its open
	// seal if that is longer.
	SilentAfter time.Duration

	// MaxPending bounds over all streams how many records wait for their seal. Beyond it the oldest of the stream that has most
	// of them are UNCHECKED.
	MaxPending int

	// MaxStreams bounds how many streams there are, with those that are trusted by their first seals.
	MaxStreams int
}

// withDefaults returns the configuration with the defaults filled in, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	for _, d := range []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{{"late_after", &c.LateAfter, DefaultLateAfter}, {"silent_after", &c.SilentAfter, DefaultSilentAfter}} {
		if *d.value < 0 {
			return c, fmt.Errorf("%s: %v is negative", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	switch {
	case c.MaxPending < 0:
		return c, errors.New("max_pending_records: it is negative")
	case c.MaxPending == 0:
		c.MaxPending = DefaultMaxPending
	case c.MaxPending < 1024:
		return c, fmt.Errorf("max_pending_records: %d is less than one block of records, 1024", c.MaxPending)
	}
	if c.MaxStreams <= 0 {
		c.MaxStreams = DefaultMaxStreams
	}
	return c, nil
}

// Peer is where logs came from, as far as the caller knows.
type Peer struct {
	Address  string // "10.1.2.3:41234"
	Identity string // of the client certificate; empty if there was none
}
