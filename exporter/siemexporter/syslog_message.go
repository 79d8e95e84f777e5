// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"strconv"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/original"
)

const (
	// syslogTime has all digits that RFC 5424 allows (section 6.2.3).
	syslogTime = "2006-01-02T15:04:05.000000Z"
	// structuredID is under the enterprise number that RFC 5612 keeps for examples: the project has none.
	structuredID = "logseal@32473"
	// facilityUser is the facility of records that name none.
	facilityUser = 1

	maxHostname = 255
	maxAppName  = 48
)

// messageWriter writes records as syslog messages (RFC 5424), each with its length before it (RFC 5425, section 4.3).
type messageWriter struct {
	config   SyslogConfig
	format   Format
	original original.Writer
	message  []byte // the one being written

	// Of the resource whose records are being written.
	hostname, appName string
}

// appendFrames appends the frames of all records, or of those before the first one whose message is longer than limit. It returns of how
// many, and how long that one is.
func (w *messageWriter) appendFrames(dst []byte, logs plog.Logs, limit int) (_ []byte, messages, tooLong int) {
	for _, resource := range logs.ResourceLogs().All() {
		attributes := resource.Resource().Attributes()
		w.hostname = w.config.Hostname.of(attributes, w.config.Hostname.Value)
		w.appName = w.config.AppName.of(attributes, w.config.AppName.Value)
		for _, scope := range resource.ScopeLogs().All() {
			w.original.SetSource(resource, scope)
			for _, record := range scope.LogRecords().All() {
				w.message = w.appendMessage(w.message[:0], record)
				if len(w.message) > limit {
					return dst, messages, len(w.message)
				}
				dst = strconv.AppendInt(dst, int64(len(w.message)), 10)
				dst = append(append(dst, ' '), w.message...)
				messages++
			}
		}
	}
	return dst, messages, 0
}

func (w *messageWriter) appendMessage(dst []byte, record plog.LogRecord) []byte {
	attributes := record.Attributes()
	dst = strconv.AppendInt(append(dst, '<'), int64(priority(record)), 10)
	dst = append(dst, ">1 "...)
	stamp := record.Timestamp()
	if stamp == 0 {
		stamp = record.ObservedTimestamp()
	}
	// A year has four digits in RFC 3339.
	if at := stamp.AsTime(); stamp != 0 && at.Year() <= 9999 && at.Year() >= 1 {
		dst = at.AppendFormat(dst, syslogTime)
	} else {
		dst = append(dst, '-')
	}
	dst = appendHeader(append(dst, ' '), w.config.Hostname.of(attributes, w.hostname), maxHostname)
	dst = appendHeader(append(dst, ' '), w.config.AppName.of(attributes, w.appName), maxAppName)
	dst = append(dst, " - "...) // no PROCID
	dst = append(append(dst, w.format...), ' ')

	data := len(dst)
	dst = append(append(dst, '['), structuredID...)
	empty := len(dst)
	if id, ok := attributes.Get(seal.IDKey); ok && id.Type() == pcommon.ValueTypeStr {
		dst = appendParam(dst, "id", id.Str())
	}
	if stamp != 0 {
		dst = appendParam(dst, "time_unix_nano", strconv.FormatUint(uint64(stamp), 10))
	}
	dst = appendParam(dst, "severity", severityOf(record))
	if len(dst) == empty {
		dst = append(dst[:data], '-')
	} else {
		dst = append(dst, ']')
	}
	dst = append(dst, ' ')
	if w.format == FormatOriginal {
		return w.original.Append(dst, record)
	}
	return appendText(dst, textOf(record))
}

// priority is PRIVAL: the facility that a record of a syslog receiver came with, and the severity that OpenTelemetry's data model (appendix on
// severities) has for the number.
func priority(record plog.LogRecord) int {
	facility := int64(facilityUser)
	if value, ok := record.Attributes().Get("facility"); ok && value.Type() == pcommon.ValueTypeInt && value.Int() >= 0 && value.Int() < 24 {
		facility = value.Int()
	}
	severity := 7 // debug
	switch n := record.SeverityNumber(); {
	case n >= plog.SeverityNumberFatal:
		severity = 0
	case n >= plog.SeverityNumberError3:
		severity = 1
	case n >= plog.SeverityNumberError2:
		severity = 2
	case n >= plog.SeverityNumberError:
		severity = 3
	case n >= plog.SeverityNumberWarn:
		severity = 4
	case n >= plog.SeverityNumberInfo2, n <= plog.SeverityNumberUnspecified:
		severity = 5 // as logger has it for what says nothing
	case n >= plog.SeverityNumberInfo:
		severity = 6
	}
	return int(facility)*8 + severity
}

// appendHeader appends a field of the header: visible ASCII, or "-" for nothing.
func appendHeader(dst []byte, text string, limit int) []byte {
	if text == "" {
		return append(dst, '-')
	}
	for _, r := range text[:min(len(text), limit)] {
		if r <= ' ' || r > '~' {
			r = '_'
		}
		dst = append(dst, byte(r))
	}
	return dst
}

// appendParam appends a parameter of structured data, where there is a value (section 6.3.3).
func appendParam(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(dst, ' '), name...)
	dst = append(dst, `="`...)
	for _, r := range value {
		switch {
		case r == '"' || r == '\\' || r == ']':
			dst = append(dst, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			dst = append(dst, ' ')
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// appendText appends a plain line. Line breaks and other control characters are written as JSON has them: a receiver that cuts at line
// breaks, against the RFC, would take what follows one for a message of its own, which whoever writes a log could so forge.
func appendText(dst []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r < ' ' && r != '\t' || r == 0x7f:
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// nameOf says which record a message was made of, so that it can be found: the first behind so many.
func nameOf(logs plog.Logs, behind int) string {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if behind--; behind >= 0 {
					continue
				}
				if id, ok := record.Attributes().Get(seal.IDKey); ok {
					return id.AsString()
				}
				if record.EventName() == seal.EventName {
					return "a seal of " + record.Timestamp().AsTime().Format(time.RFC3339Nano)
				}
				return "the record of " + max(record.Timestamp(), record.ObservedTimestamp()).AsTime().Format(time.RFC3339Nano)
			}
		}
	}
	return "a record"
}
