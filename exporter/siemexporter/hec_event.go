// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/original"
)

// nothing stands for a body that is empty: a collector takes no blank event.
const nothing = "-"

// eventWriter writes records as events of an HTTP Event Collector: JSON objects, one after the other.
//
// The original is a string and not an object within the event: what is indexed as _raw are then its bytes, and no parser on the way orders
// members or rewrites numbers.
type eventWriter struct {
	config   SplunkHECConfig
	format   Format
	original original.Writer
	line     []byte // of the record being written

	// Of the resource whose records are being written.
	host, source, sourceType, index string
}

func newEventWriter(cfg SplunkHECConfig, format Format) *eventWriter {
	return &eventWriter{config: cfg, format: format}
}

// appendEvents appends the events of all records, or of the first few within limit bytes, but at least of one. It returns of how many.
func (w *eventWriter) appendEvents(dst []byte, logs plog.Logs, limit int) (_ []byte, events int) {
	for _, resource := range logs.ResourceLogs().All() {
		attributes := resource.Resource().Attributes()
		w.host = w.config.Host.of(attributes, w.config.Host.Value)
		w.source = w.config.Source.of(attributes, w.config.Source.Value)
		w.sourceType = w.config.SourceType.of(attributes, w.config.SourceType.Value)
		w.index = w.config.Index.of(attributes, w.config.Index.Value)
		for _, scope := range resource.ScopeLogs().All() {
			w.original.SetSource(resource, scope)
			for _, record := range scope.LogRecords().All() {
				end := len(dst)
				dst = w.appendEvent(dst, record)
				if len(dst) > limit && events > 0 {
					return dst[:end], events
				}
				events++
			}
		}
	}
	return dst, events
}

func (w *eventWriter) appendEvent(dst []byte, record plog.LogRecord) []byte {
	dst = append(dst, '{')
	nanos := uint64(record.Timestamp())
	if nanos == 0 {
		nanos = uint64(record.ObservedTimestamp())
	}
	if nanos != 0 {
		dst = appendEpoch(append(dst, `"time":`...), nanos)
		dst = append(dst, ',')
	}
	attributes := record.Attributes()
	dst = appendMember(dst, `"host":`, w.config.Host.of(attributes, w.host))
	dst = appendMember(dst, `"source":`, w.config.Source.of(attributes, w.source))
	dst = appendMember(dst, `"sourcetype":`, w.config.SourceType.of(attributes, w.sourceType))
	dst = appendMember(dst, `"index":`, w.config.Index.of(attributes, w.index))
	dst = append(dst, `"event":`...)
	if w.format == FormatOriginal {
		w.line = w.original.Append(w.line[:0], record)
		dst = original.AppendString(dst, w.line)
	} else {
		dst = original.AppendString(dst, textOf(record))
	}
	// What is searched for and counted by. A value is text, the one kind that a collector does not round.
	dst = append(dst, `,"fields":{`...)
	if nanos != 0 {
		dst = append(dst, `"time_unix_nano":"`...)
		dst = append(strconv.AppendUint(dst, nanos, 10), `",`...)
	}
	dst = appendMember(dst, `"severity":`, severityOf(record))
	if id, ok := attributes.Get(seal.IDKey); ok && id.Type() == pcommon.ValueTypeStr {
		dst = appendMember(dst, `"logseal_id":`, id.Str())
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, "}}"...)
}

// of returns the value of the attribute, or the other one.
func (f EventField) of(attributes pcommon.Map, otherwise string) string {
	if f.Attribute == "" {
		return otherwise
	}
	if value, ok := attributes.Get(f.Attribute); ok {
		if text := value.AsString(); text != "" {
			return text
		}
	}
	return otherwise
}

// namesItself reports whether the first record, or its resource, has the attribute.
func namesItself(logs plog.Logs, attribute string) bool {
	if attribute == "" {
		return false
	}
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				field := EventField{Attribute: attribute}
				return field.of(record.Attributes(), field.of(resource.Resource().Attributes(), "")) != ""
			}
		}
	}
	return false
}

// appendMember appends a member and a comma, where there is a value.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return append(original.AppendString(append(dst, name...), value), ',')
}

// appendEpoch appends a time as Splunk reads one: seconds, and as many digits as it keeps.
func appendEpoch(dst []byte, nanos uint64) []byte {
	millis := nanos / 1_000_000
	dst = strconv.AppendUint(dst, millis/1000, 10)
	return append(dst, '.', byte('0'+millis/100%10), byte('0'+millis/10%10), byte('0'+millis%10))
}

// textOf returns the plain line of a record.
func textOf(record plog.LogRecord) string {
	if text := record.Body().AsString(); text != "" {
		return text
	}
	return nothing
}

// severityOf returns what a record says of its severity.
func severityOf(record plog.LogRecord) string {
	if text := record.SeverityText(); text != "" {
		return text
	}
	if record.SeverityNumber() == plog.SeverityNumberUnspecified {
		return ""
	}
	return record.SeverityNumber().String()
}
