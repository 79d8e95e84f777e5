// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

const (
	// defaultMaxContentLength is what Splunk Cloud asks senders to keep to, in bytes before compression.
	defaultMaxContentLength = 1_000_000
	// defaultAckTimeout: an indexer to which little is sent holds that back for two minutes before it stores it
	// (github.com/splunk/kafka-connect-splunk/issues/122).
	defaultAckTimeout = 5 * time.Minute
	// hecConsumers is how many requests may wait for their acknowledgement, each in one of the queue's consumers.
	hecConsumers = 100
	// hecBatch is from which size on requests are sent, in bytes of protobuf: an acknowledgement takes seconds, whatever it is for. In an original
	// resource and names stand with every record, so that the JSON is three to seven times as long: it stays below defaultMaxContentLength as a
	// rule. What does not is cut, and costs twice as much.
	hecBatch = 125_000
	// hecFlush bounds how long a request waits for others.
	hecFlush = time.Second
	// originalSourceType is what docs/siem.md has a stanza of props.conf for.
	originalSourceType = "logseal:original"
)

// SplunkHECConfig are the keys of `protocol: splunk_hec` beside those of the HTTP client.
type SplunkHECConfig struct {
	// Token is the collector's, without the word Splunk.
	Token configopaque.String `mapstructure:"token"`

	// Host, Source, SourceType and Index are an event's, and the token's own where they are empty.
	Host       EventField `mapstructure:"host"`
	Source     EventField `mapstructure:"source"`
	SourceType EventField `mapstructure:"sourcetype"`
	Index      EventField `mapstructure:"index"`

	// MaxContentLength bounds a request with more than one record, in bytes before compression. It is called so in Splunk's limits.conf.
	MaxContentLength int `mapstructure:"max_content_length"`

	// AckTimeout is how long an indexer may take to acknowledge what it took, before that is sent again.
	AckTimeout time.Duration `mapstructure:"ack_timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// EventField says what stands in a field beside a record.
type EventField struct {
	// Attribute is one of the record, or else of its resource.
	Attribute string `mapstructure:"attribute"`
	// Value is for records without the attribute.
	Value string `mapstructure:"value"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Unmarshal implements confmap.Unmarshaler: who writes a value alone means it for every record, whatever the default's attribute.
func (f *EventField) Unmarshal(conf *confmap.Conf) error {
	type plainField EventField
	var written plainField
	if err := conf.Unmarshal(&written); err != nil {
		return err
	}
	*f = EventField(written)
	return nil
}

// unmarshalFields decodes a configuration, but for one in which an [EventField] of a section is written as a value alone: the decoder's word for that,
// "expected a map", names no remedy.
func unmarshalFields(conf *confmap.Conf, into any, section string, fields ...string) error {
	var errs []error
	for _, field := range fields {
		switch value := conf.Get(section + confmap.KeyDelimiter + field).(type) {
		case nil, map[string]any:
		default:
			errs = append(errs, fmt.Errorf("%[1]s.%[2]s is no value alone, since an attribute may name it; write `%[1]s: {%[2]s: {value: %[3]v}}`, or `{attribute: …}`", section, field, value))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return conf.Unmarshal(into)
}

func defaultHEC() SplunkHECConfig {
	return SplunkHECConfig{
		Host:             EventField{Attribute: "host.name"},
		Source:           EventField{Attribute: "log.file.path"},
		SourceType:       EventField{Value: originalSourceType},
		MaxContentLength: defaultMaxContentLength,
		AckTimeout:       defaultAckTimeout,
	}
}

// setHECDefaults sets the queue up for a server that answers late.
func (c *Config) setHECDefaults() {
	queue := c.QueueConfig.Get()
	queue.NumConsumers = hecConsumers
	batch := queue.Batch.Get()
	batch.MinSize, batch.FlushTimeout = hecBatch, hecFlush
}

// adoptHEC settles what depends on other keys.
func (c *Config) adoptHEC(conf *confmap.Conf) {
	if c.format == FormatText && !conf.IsSet("splunk_hec::sourcetype") {
		c.hec.SourceType = EventField{} // the token's
	}
	if queue := c.QueueConfig.Get(); queue != nil && !conf.IsSet("sending_queue::batch::min_size") {
		if batch := queue.Batch.Get(); batch != nil && batch.Sizer != exporterhelper.RequestSizerTypeBytes {
			batch.MinSize = 0 // which is in bytes
		}
	}
}

// hecLevel is the level of gzip: the fastest, unless another one is configured.
func hecLevel(configured configcompression.Level) int {
	if configured == 0 {
		return gzip.BestSpeed
	}
	return int(configured)
}

func (c *Config) validateHEC() error {
	var errs []error
	switch token := string(c.hec.Token); {
	case token == "":
		errs = append(errs, errors.New("splunk_hec.token is not set; write the token of the HTTP Event Collector, `splunk_hec: {token: ${env:SPLUNK_HEC_TOKEN}}`"))
	case strings.HasPrefix(token, "Splunk "):
		errs = append(errs, errors.New("splunk_hec.token begins with the word Splunk, which is added; write the token alone"))
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		errs = append(errs, errors.New("splunk_hec.token has a space, a line break or another character that no token has; write it alone, and a file that holds it without a line break"))
	}
	if c.http.Auth.HasValue() {
		errs = append(errs, errors.New("auth would take the place of splunk_hec.token, which Splunk asks for; remove auth"))
	}
	for _, header := range c.http.Headers {
		if strings.EqualFold(header.Name, "Authorization") || http.CanonicalHeaderKey(header.Name) == channelHeader {
			errs = append(errs, fmt.Errorf("headers: %s is set by this exporter; remove it", header.Name))
		}
	}
	if compression := c.http.Compression; compression != configcompression.TypeGzip && compression.IsCompressed() {
		errs = append(errs, fmt.Errorf("compression: %s is none that Splunk understands; remove it (gzip is the default), or write `compression: none`", compression))
	}
	if c.hec.MaxContentLength <= 0 {
		errs = append(errs, fmt.Errorf("splunk_hec.max_content_length: %d leaves no room; remove it (%d is the default)", c.hec.MaxContentLength, defaultMaxContentLength))
	}
	if c.hec.AckTimeout <= 0 {
		errs = append(errs, fmt.Errorf("splunk_hec.ack_timeout: %s would send again what is about to be acknowledged; remove it (%s is the default)", c.hec.AckTimeout, defaultAckTimeout))
	}
	return errors.Join(errs...)
}
