// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bytes"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/original"
)

// nothing stands for a body that is empty: a collector takes no blank event.
const nothing = "-"

// eventChunk is from which length on events are compressed, in bytes: what is written is still in the processor's cache then.
const eventChunk = 32 << 10

// eventWriter writes records as events of an HTTP Event Collector: JSON objects, one after the other.
//
// The original is a string and not an object within the event: what is indexed as _raw are then its bytes, and no parser on the way orders
// members or rewrites numbers.
type eventWriter struct {
	config SplunkHECConfig
	format Format
	reader original.Reader
	events []byte       // not compressed
	zip    *gzip.Writer // into zipped; nil for no compression
	zipped bytes.Buffer

	// Of the resource whose records are being written.
	host, source, sourceType, index []byte
}

// newEventWriter returns a writer whose requests are compressed at a level of package gzip, or not at all at that of no compression.
func newEventWriter(cfg SplunkHECConfig, format Format, level int) (*eventWriter, error) {
	w := &eventWriter{config: cfg, format: format, reader: original.Reader{Quoted: true}}
	if level == gzip.NoCompression {
		return w, nil
	}
	var err error
	if w.zip, err = gzip.NewWriterLevel(&w.zipped, level); err != nil {
		return nil, err
	}
	w.zip.ModTime = time.Unix(0, 0) // this library's own is in 2042
	return w, nil
}

// body returns the body of a request with the events of all records, or of the first few within limit bytes before compression, but at least
// of one. It returns of how many, and whether these are all. An error is [original.ErrForm].
func (w *eventWriter) body(wire []byte, limit int) (body []byte, events int, all bool, err error) {
	w.events, all = w.events[:0], true
	w.zipped.Reset()
	if w.zip != nil {
		w.zip.Reset(&w.zipped)
	}
	size := 0 // of the events that are compressed
	err = w.reader.Read(wire, w.setResource, func(record *original.Record) bool {
		end := len(w.events)
		w.events = w.appendEvent(w.events, record)
		if size+len(w.events) > limit && events > 0 {
			w.events, all = w.events[:end], false
			return false
		}
		events++
		if w.zip != nil && len(w.events) >= eventChunk {
			_, _ = w.zip.Write(w.events) // a buffer takes everything
			size += len(w.events)
			w.events = w.events[:0]
		}
		return true
	})
	if err != nil {
		return nil, 0, false, err
	}
	// A copy: net/http may still read a body when it has an answer.
	if w.zip == nil {
		return bytes.Clone(w.events), events, all, nil
	}
	_, _ = w.zip.Write(w.events)
	_ = w.zip.Close()
	return bytes.Clone(w.zipped.Bytes()), events, all, nil
}

func (w *eventWriter) setResource(attributes original.Attributes) {
	w.host = w.config.Host.of(attributes, []byte(w.config.Host.Value))
	w.source = w.config.Source.of(attributes, []byte(w.config.Source.Value))
	w.sourceType = w.config.SourceType.of(attributes, []byte(w.config.SourceType.Value))
	w.index = w.config.Index.of(attributes, []byte(w.config.Index.Value))
}

func (w *eventWriter) appendEvent(dst []byte, record *original.Record) []byte {
	dst = append(dst, '{')
	nanos := record.Timestamp
	if nanos == 0 {
		nanos = record.ObservedTimestamp
	}
	if nanos != 0 {
		dst = appendEpoch(append(dst, `"time":`...), nanos)
		dst = append(dst, ',')
	}
	dst = appendMember(dst, `"host":`, w.config.Host.of(record.Attributes, w.host))
	dst = appendMember(dst, `"source":`, w.config.Source.of(record.Attributes, w.source))
	dst = appendMember(dst, `"sourcetype":`, w.config.SourceType.of(record.Attributes, w.sourceType))
	dst = appendMember(dst, `"index":`, w.config.Index.of(record.Attributes, w.index))
	dst = append(dst, `"event":`...)
	if w.format == FormatOriginal {
		dst = append(record.AppendOriginal(append(dst, '"')), '"')
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
	if id, ok := record.Attributes.Get(seal.IDKey); ok {
		if text, ok := id.Text(); ok {
			dst = appendMember(dst, `"logseal_id":`, text)
		}
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, "}}"...)
}

// of returns the value of the attribute, or the other one.
func (f EventField) of(attributes original.Attributes, otherwise []byte) []byte {
	if f.Attribute == "" {
		return otherwise
	}
	if value, ok := attributes.Get(f.Attribute); ok {
		if text := bytesOf(value); len(text) > 0 {
			return text
		}
	}
	return otherwise
}

// bytesOf returns any value as text.
func bytesOf(value original.Value) []byte {
	if text, ok := value.Text(); ok {
		return text
	}
	return []byte(value.AsString())
}

// namesItself reports whether the first record, or its resource, has the attribute.
func namesItself(wire []byte, attribute string) (named bool) {
	field := EventField{Attribute: attribute}
	var ofResource []byte
	_ = new(original.Reader).Read(wire, func(resource original.Attributes) {
		ofResource = field.of(resource, nil)
	}, func(record *original.Record) bool {
		named = len(field.of(record.Attributes, ofResource)) > 0
		return false
	})
	return named
}

// appendMember appends a member and a comma, where there is a value.
func appendMember(dst []byte, name string, value []byte) []byte {
	if len(value) == 0 {
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
func textOf(record *original.Record) []byte {
	if text := bytesOf(record.Body); len(text) > 0 {
		return text
	}
	return []byte(nothing)
}

// severities are the names of the numbers.
var severities = func() (names [plog.SeverityNumberFatal4 + 1][]byte) {
	for n := plog.SeverityNumberTrace; n <= plog.SeverityNumberFatal4; n++ {
		names[n] = []byte(n.String())
	}
	return names
}()

// severityOf returns what a record says of its severity.
func severityOf(record *original.Record) []byte {
	switch n := record.SeverityNumber; {
	case len(record.SeverityText) > 0:
		return record.SeverityText
	case n >= 0 && int(n) < len(severities):
		return severities[n]
	default:
		return []byte(n.String())
	}
}
