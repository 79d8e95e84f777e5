// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"time"

	"github.com/logseal/logseal/pkg/seal/finding"
)

// State is what has become of a finding.
type State string

// The states of a finding.
const (
	Opened   State = "opened"   // it is new
	Updated  State = "updated"  // there is more of the same; at most once a minute
	Resolved State = "resolved" // what was missing has come, or who was silent is back
)

// Event is a change of a finding. All events of one finding have the same UID; an Opened comes first, and nothing after a Resolved
// but a new Opened, should the same happen again.
type Event struct {
	UID   string // 32 hex digits; the same, as a rule, when a watcher finds it again that has forgotten it
	State State
	Time  time.Time // when the watcher found out: the caller's clock

	// Finding is what is the case: code, reason, stream, the first ids, sentence and verdict. Its Count is that of all records or
	// seals so far that are concerned, and, when Resolved, what it was.
	Finding finding.Finding

	StreamID string // 16 hex digits; empty where no stream is concerned
	Host     string // host.name of the stream's resource, as its records say
	Peer     Peer   // where the last thing that the finding is on came from; zero for what did not come

	FirstSeen time.Time // when it was found first: the caller's clock
	LastSeen  time.Time // when there was more of the same last
	EventTime time.Time // the host's clock: of the stream's last seal when it happened; zero if there is none

	// Evidence are the ids and seals that the finding is on, at most [MaxEvidence] of them, the first ones.
	Evidence []Evidence
}

// MaxEvidence bounds [Event.Evidence].
const MaxEvidence = 16

// Evidence is a run of records, or of seals.
type Evidence struct {
	FirstID, LastID string        // of records; equal for one
	Seals           finding.Seals // of seals
	Count           uint64

	handle      string // of records: what the ids are made of
	first, last uint64
}

// Verdict is the finding's class.
func (e *Event) Verdict() finding.Verdict { return e.Finding.Verdict() }
