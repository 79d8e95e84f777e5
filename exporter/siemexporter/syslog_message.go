// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bytes"
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
	config  SyslogConfig
	format  Format
	reader  original.Reader
	message []byte // the one being written
	all     []byte

	// Of the resource whose records are being written.
	hostname, appName []byte
}

// frames returns the frames of all records, or of those before the first one whose message is longer than limit. It returns of how
// many, and how long that one is. An error is [original.ErrForm].
func (w *messageWriter) frames(wire []byte, limit int) (frames []byte, messages, tooLong int, err error) {
	w.all = w.all[:0]
	err = w.reader.Read(wire, w.setResource, func(record *original.Record) bool {
		w.message = w.appendMessage(w.message[:0], record)
		if len(w.message) > limit {
			tooLong = len(w.message)
			return false
		}
		w.all = strconv.AppendInt(w.all, int64(len(w.message)), 10)
		w.all = append(append(w.all, ' '), w.message...)
		messages++
		return true
	})
	if err != nil {
		return nil, 0, 0, err
	}
	return bytes.Clone(w.all), messages, tooLong, nil // as long as they are: they are kept until the receiver has confirmed them
}

func (w *messageWriter) setResource(attributes original.Attributes) {
	w.hostname = w.config.Hostname.of(attributes, []byte(w.config.Hostname.Value))
	w.appName = w.config.AppName.of(attributes, []byte(w.config.AppName.Value))
}

func (w *messageWriter) appendMessage(dst []byte, record *original.Record) []byte {
	dst = strconv.AppendInt(append(dst, '<'), int64(priority(record)), 10)
	dst = append(dst, ">1 "...)
	stamp := pcommon.Timestamp(record.Timestamp)
	if stamp == 0 {
		stamp = pcommon.Timestamp(record.ObservedTimestamp)
	}
	// A year has four digits in RFC 3339.
	if at := stamp.AsTime(); stamp != 0 && at.Year() <= 9999 && at.Year() >= 1 {
		dst = at.AppendFormat(dst, syslogTime)
	} else {
		dst = append(dst, '-')
	}
	dst = appendHeader(append(dst, ' '), w.config.Hostname.of(record.Attributes, w.hostname), maxHostname)
	dst = appendHeader(append(dst, ' '), w.config.AppName.of(record.Attributes, w.appName), maxAppName)
	dst = append(dst, " - "...) // no PROCID
	dst = append(append(dst, w.format...), ' ')

	data := len(dst)
	dst = append(append(dst, '['), structuredID...)
	empty := len(dst)
	if id, ok := record.Attributes.Get(seal.IDKey); ok {
		if text, ok := id.Text(); ok {
			dst = appendParam(dst, "id", text)
		}
	}
	if stamp != 0 {
		dst = append(dst, ` time_unix_nano="`...)
		dst = append(strconv.AppendUint(dst, uint64(stamp), 10), '"')
	}
	dst = appendParam(dst, "severity", severityOf(record))
	if len(dst) == empty {
		dst = append(dst[:data], '-')
	} else {
		dst = append(dst, ']')
	}
	dst = append(dst, ' ')
	if w.format == FormatOriginal {
		return record.AppendOriginal(dst)
	}
	return appendText(dst, textOf(record))
}

// priority is PRIVAL: the facility that a record of a syslog receiver came with, and the severity that OpenTelemetry's data model (appendix on
// severities) has for the number.
func priority(record *original.Record) int {
	facility := int64(facilityUser)
	if value, ok := record.Attributes.Get("facility"); ok {
		if n, ok := value.Int(); ok && n >= 0 && n < 24 {
			facility = n
		}
	}
	severity := 7 // debug
	switch n := record.SeverityNumber; {
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
func appendHeader(dst, text []byte, limit int) []byte {
	if len(text) == 0 {
		return append(dst, '-')
	}
	for text = text[:min(len(text), limit)]; len(text) > 0; {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		if r <= ' ' || r > '~' {
			r = '_'
		}
		dst = append(dst, byte(r))
	}
	return dst
}

// appendParam appends a parameter of structured data, where there is a value (section 6.3.3).
func appendParam(dst []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = append(append(dst, ' '), name...)
	dst = append(dst, `="`...)
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		value = value[size:]
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
func appendText(dst, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
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
func nameOf(wire []byte, behind int) (name string) {
	name = "a record"
	_ = new(original.Reader).Read(wire, func(original.Attributes) {}, func(record *original.Record) bool {
		if behind--; behind >= 0 {
			return true
		}
		id, ok := record.Attributes.Get(seal.IDKey)
		switch {
		case ok:
			name = id.AsString()
		case string(record.EventName) == seal.EventName:
			name = "a seal of " + pcommon.Timestamp(record.Timestamp).AsTime().Format(time.RFC3339Nano)
		default:
			name = "the record of " + pcommon.Timestamp(max(record.Timestamp, record.ObservedTimestamp)).AsTime().Format(time.RFC3339Nano)
		}
		return false
	})
	return name
}
