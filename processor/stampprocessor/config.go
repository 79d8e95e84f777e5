// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/logseal/logseal/pkg/seal"
)

// Config of a stamp. KeyFile and Storage are required.
type Config struct {
	// Name of the stream in trust files and alerts. By default the host's name, and the processor's behind a slash if it
	// has one: stamp/audit on web-17 is web-17/audit. A key file keeps the name that it was made with.
	Name string `mapstructure:"name"`

	// KeyFile holds the private keys. It is overwritten in place as seals are made, and must never be backed up or
	// copied. A first start makes it; `logseal enroll` does so beforehand.
	KeyFile string `mapstructure:"key_file"`

	// TrustLineFile gets the stream's trust line, if it does not have it yet.
	TrustLineFile string `mapstructure:"trust_line_file"`

	// Storage is the storage extension that keeps what is not sealed and not sent yet.
	Storage *component.ID `mapstructure:"storage"`

	// Endorse is the certificate that vouches for a new stream, so that who trusts its CA needs no trust line. The stream's first
	// seal carries what it says; a stream that has begun stays as it is.
	Endorse EndorseConfig `mapstructure:"endorse"`

	// PostQuantum makes a new stream's first seal and its anchors carry ML-DSA-44 signatures too. A stream that has begun stays as it is.
	PostQuantum bool `mapstructure:"post_quantum"`

	// Carry puts each record's original beside it: the record as it is sealed, as OTLP JSON in base64, in the attribute logseal.original. With it
	// a record can be proven from a store that rewrites what it keeps.
	Carry bool `mapstructure:"carry"`

	Seal    SealConfig    `mapstructure:"seal"`
	Exclude ExcludeConfig `mapstructure:"exclude"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// EndorseConfig names the PEM files of a certificate chain for client authentication and of its key.
type EndorseConfig struct {
	CertFile string `mapstructure:"cert_file"`
	KeyFile  string `mapstructure:"key_file"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func (c *EndorseConfig) enabled() bool { return c.CertFile != "" }

// SealConfig says when seals are made and what they are sent as.
type SealConfig struct {
	// Interval is how long a record waits for its seal while records flow.
	Interval time.Duration `mapstructure:"interval"`
	// MaxRecords is how many records one seal covers at most.
	MaxRecords int `mapstructure:"max_records"`
	// Heartbeat is how long an idle stream may stay without a seal.
	Heartbeat time.Duration `mapstructure:"heartbeat"`
	// ResourceAttributes names attributes of the collector's own resource (service::telemetry::resource) that seals
	// carry beside service.name and host.name, so that they are routed with the logs they cover.
	ResourceAttributes []string `mapstructure:"resource_attributes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ExcludeConfig names what a later hop may change: an attribute's exact name, or a prefix and ".*". Seals say so.
// logseal.client.* is always among them.
type ExcludeConfig struct {
	ResourceAttributes []string `mapstructure:"resource_attributes"`
	Attributes         []string `mapstructure:"attributes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

const (
	defaultInterval  = time.Second
	defaultHeartbeat = time.Minute
	// A round of sealing waits for the disk twice.
	minInterval = 100 * time.Millisecond
)

func createDefaultConfig() component.Config {
	return &Config{
		PostQuantum: true,
		Seal:        SealConfig{Interval: defaultInterval, MaxRecords: seal.MaxBlock, Heartbeat: defaultHeartbeat},
	}
}

// Validate says what to write for everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.KeyFile == "" {
		add("key_file is not set: write where this stream keeps its keys, for example key_file: /var/lib/logseal/stamp.key")
	}
	if c.Storage == nil {
		add("storage is not set: without it a crash would leave records unsealed; write storage: encrypted_storage, and encrypted_storage under extensions")
	}
	if c.Name != "" {
		if err := seal.CheckName(c.Name); err != nil {
			add("name: %w", err)
		}
	}
	switch e := c.Endorse; {
	case e.CertFile == "" && e.KeyFile != "":
		add("endorse.cert_file is not set: write the file with the certificate of endorse.key_file, or take both out")
	case e.CertFile != "" && e.KeyFile == "":
		add("endorse.key_file is not set: write the file with the key of endorse.cert_file, or take both out")
	}
	if s := c.Seal; s.Interval < minInterval || s.Interval%time.Millisecond != 0 {
		add("seal.interval: %s: write whole milliseconds, at least %s; 1s is the default", s.Interval, minInterval)
	} else if s.Heartbeat < s.Interval || s.Heartbeat%time.Millisecond != 0 {
		add("seal.heartbeat: %s: write whole milliseconds, not less than seal.interval (%s); 1m is the default", s.Heartbeat, s.Interval)
	}
	if c.Seal.MaxRecords < 1 || c.Seal.MaxRecords > seal.MaxBlock {
		add("seal.max_records: %d: write 1 to %d; %[2]d is the default", c.Seal.MaxRecords, seal.MaxBlock)
	}
	if _, err := c.policy(); err != nil {
		add("exclude: %w", err)
	}
	return errors.Join(errs...)
}

func (c *Config) policy() (seal.Policy, error) {
	attributes := withClient(c.Exclude.Attributes)
	if c.Carry && !slices.Contains(attributes, seal.OriginalKey) {
		attributes = append(slices.Clip(attributes), seal.OriginalKey)
	}
	return seal.NewPolicy(attributes, withClient(c.Exclude.ResourceAttributes))
}

// withClient adds what a receiver writes and removes, wherever the records come by: a gateway puts there who was
// authenticated, and the host that stamps them cannot know it.
func withClient(names []string) []string {
	if slices.Contains(names, seal.ClientKeys) {
		return names
	}
	return append(slices.Clone(names), seal.ClientKeys)
}
