// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/logseal/logseal/pkg/seal/watch"
)

// Config of a verify. Trust needs a file of trust lines or of CAs, or that streams are learned.
type Config struct {
	Trust TrustConfig `mapstructure:"trust"`

	// Storage is the storage extension that keeps the heads of all streams. Without it a restart knows nothing of before: what was
	// rolled back, replaced or fell silent meanwhile does not show.
	Storage *component.ID `mapstructure:"storage"`

	// LateAfter is how long what a seal names may come after it, and a seal after what it covers.
	LateAfter time.Duration `mapstructure:"late_after"`

	// SilentAfter is how long a stream may be without a seal: this, or three of the heartbeats that it has promised in a signed
	// seal, whichever is longer.
	SilentAfter time.Duration `mapstructure:"silent_after"`

	// MaxPendingRecords is how many records of all streams wait for their seal. Of more the oldest are unchecked.
	MaxPendingRecords int `mapstructure:"max_pending_records"`

	// BindIdentity makes it a finding when a stream comes with another client's certificate than at first.
	BindIdentity bool `mapstructure:"bind_identity"`

	// Partial is for one of several gateways that each see a part of the streams: nothing is missing for not being here.
	Partial bool `mapstructure:"partial"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// TrustConfig says which streams are known.
type TrustConfig struct {
	// File has a trust line for each stream, as `logseal enroll` prints them and `logseal verify --trust` reads them. It is
	// followed while the collector runs.
	File string `mapstructure:"file"`

	// CAFile has certificates of CAs, as PEM: a stream is trusted if a certificate below them vouches for it (`stamp: {endorse: …}`).
	// It is followed while the collector runs.
	CAFile string `mapstructure:"ca_file"`

	// CheckpointFile is a file as `logseal verify --checkpoint` writes it: streams that are trusted and that began before anybody watched are
	// watched from there on. Followed while the collector runs.
	CheckpointFile string `mapstructure:"checkpoint_file"`

	// Unknown is what becomes of a stream that neither vouches for: alert makes it a finding, learn trusts it from its first seal on.
	Unknown string `mapstructure:"unknown"`

	// LearnedFile gets the trust lines of what was learned, with when and from where. With alert nothing is.
	LearnedFile string `mapstructure:"learned_file"`

	// prevent unkeyed literal initialization
	_ struct{}
}

const (
	unknownAlert = "alert"
	unknownLearn = "learn"

	minWait    = time.Second
	maxWait    = 24 * time.Hour
	minPending = 1024 // one block of a seal
	maxPending = 100_000_000
)

func createDefaultConfig() component.Config {
	return &Config{
		Trust:     TrustConfig{Unknown: unknownAlert},
		LateAfter: watch.DefaultLateAfter, SilentAfter: watch.DefaultSilentAfter, MaxPendingRecords: watch.DefaultMaxPending,
	}
}

// Validate says what to write for everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch t := c.Trust; {
	case t.Unknown != unknownAlert && t.Unknown != unknownLearn:
		add("trust.unknown: %q: write alert (a stream that neither trust.file nor trust.ca_file vouches for is a finding) or learn (it is trusted from its first seal on)", t.Unknown)
	case t.Unknown == unknownAlert && t.File == "" && t.CAFile == "":
		add("trust.file is not set, so every stream would be a finding: name the file with the lines that `logseal enroll` prints, or in trust.ca_file that of the CA whose certificates vouch for streams, or write trust: {unknown: learn}")
	case t.Unknown == unknownLearn && c.Storage == nil:
		add("storage is not set: with trust.unknown: learn every restart would trust whatever comes then; write storage: encrypted_storage, and encrypted_storage under extensions")
	case t.CAFile != "" && c.Storage == nil:
		add("storage is not set: with trust.ca_file nothing else remembers which streams a certificate has vouched for, and after a restart they would be unknown; write storage: encrypted_storage, and encrypted_storage under extensions")
	case t.File != "" && t.File == t.LearnedFile:
		add("trust.learned_file is trust.file: what was learned would be taken for what you trust; give it a name of its own")
	case t.CAFile != "" && t.CAFile == t.LearnedFile:
		add("trust.learned_file is trust.ca_file, and would be written over it: give it a name of its own")
	case t.CheckpointFile != "" && t.File == "":
		add("trust.file is not set: a checkpoint says where to go on, and not whom to trust; write the lines of its streams into a file and name that")
	case t.CAFile != "" && t.CAFile == t.File:
		add("trust.ca_file is trust.file: write the certificates of the CAs (PEM) and the trust lines into files of their own")
	}
	for _, d := range []struct {
		name  string
		value time.Duration
		usual time.Duration
	}{{"late_after", c.LateAfter, watch.DefaultLateAfter}, {"silent_after", c.SilentAfter, watch.DefaultSilentAfter}} {
		if d.value < minWait || d.value > maxWait {
			add("%s: %s: write %s to %s; %s is the default", d.name, d.value, minWait, maxWait, d.usual)
		}
	}
	if c.MaxPendingRecords < minPending || c.MaxPendingRecords > maxPending {
		add("max_pending_records: %d: write %d to %d; %d is the default, and takes about 120 MB", c.MaxPendingRecords, minPending, maxPending, watch.DefaultMaxPending)
	}
	return errors.Join(errs...)
}

func (c *Config) engine() watch.Config {
	return watch.Config{
		Learn: c.Trust.Unknown == unknownLearn, Partial: c.Partial, BindIdentity: c.BindIdentity,
		LateAfter: c.LateAfter, SilentAfter: c.SilentAfter, MaxPending: c.MaxPendingRecords,
	}
}
