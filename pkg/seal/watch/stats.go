// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Stats is what metrics are made of. Counters run from when the watcher was made.
type Stats struct {
	Records    uint64 // that came, seals not counted
	Verified   uint64 // exactly what was sealed
	Duplicates uint64 // came again, the same
	Seals      uint64 // authentic, each once

	Found map[finding.Code]uint64 // records and seals that findings are on, by code
	Open  map[finding.Code]int    // findings that are open now

	Pending   int    // records that wait for their seal
	Expected  int    // records that were sealed and have not come
	Unchecked uint64 // records that fell out of memory, or were not looked at

	// Lag is how long records waited for their verdict: sum and number of those that have one.
	LagSum   time.Duration
	LagCount uint64

	Streams []StreamStats
}

// StreamStats is the part of one stream. There may be several of one name: StreamID tells them apart.
type StreamStats struct {
	Name     string
	StreamID string
	LastSeal time.Time // when its last authentic seal came: the caller's clock; zero if none has
	SealTime time.Time // what that says: the host's clock
	Closed   bool      // its last seal closes its session: it has nothing to say
	Silent   bool
	Pending  int // records of it that wait for their seal
}

// Learned is a stream that was trusted on first use.
type Learned struct {
	Trust seal.Trust // its String is a trust line, as "logseal verify --trust" reads them
	When  time.Time  // the caller's clock
	From  Peer
}
