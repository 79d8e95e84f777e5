// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	xrequest "go.opentelemetry.io/collector/pdata/xpdata/request"
	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of fields, as in opentelemetry/proto/logs/v1/logs.proto, and in pdata/internal of exporterhelper's queue.
const (
	storedContext = 2 // of a stored request
	storedLogs    = 3

	resourceLogs = 1  // of an ExportLogsServiceRequest
	scopeLogs    = 2  // of ResourceLogs
	logRecords   = 2  // of ScopeLogs
	timeUnixNano = 1  // of LogRecord
	observedTime = 11 // of LogRecord
)

// formatOfStored begins every stored request: field 1 is 1. Logs alone begin with another field.
var formatOfStored = []byte{0x0d, 1, 0, 0, 0}

var errNoRequest = errors.New("it is no request, or damaged")

// logsOf returns the part of a stored request that is an ExportLogsServiceRequest, without a copy.
func logsOf(stored []byte) ([]byte, error) {
	if !bytes.HasPrefix(stored, formatOfStored) {
		return stored, nil
	}
	return lastOf(stored, storedLogs)
}

// contextOf returns the context that a request was stored with: the client's metadata and address, and the span.
func contextOf(stored []byte) context.Context {
	if !bytes.HasPrefix(stored, formatOfStored) {
		return context.Background()
	}
	encoded, err := lastOf(stored, storedContext)
	if err != nil || len(encoded) == 0 {
		return context.Background()
	}
	alone := protowire.AppendTag(bytes.Clone(formatOfStored), storedContext, protowire.BytesType)
	ctx, _, err := xrequest.UnmarshalLogs(protowire.AppendBytes(alone, encoded))
	if err != nil {
		return context.Background()
	}
	return ctx
}

// lastOf returns the last field of that number: in protobuf, it is the one that holds.
func lastOf(message []byte, number protowire.Number) (last []byte, err error) {
	err = eachField(message, func(n protowire.Number, kind protowire.Type, value []byte) {
		if n == number && kind == protowire.BytesType {
			last = value
		}
	})
	return last, err
}

// summary is what is to be known of a request without decoding its records.
type summary struct {
	records int
	// observed is when the first record was observed, or else when it was made; the zero time when it says neither.
	observed time.Time
}

// summarize walks an ExportLogsServiceRequest down to its records. What is in them is not looked at, but for the first one's
// times.
func summarize(wire []byte) (s summary, err error) {
	var errs [2]error
	err = eachMessage(wire, resourceLogs, func(resource []byte) {
		errs[0] = errors.Join(errs[0], eachMessage(resource, scopeLogs, func(scope []byte) {
			errs[1] = errors.Join(errs[1], eachMessage(scope, logRecords, func(record []byte) {
				if s.records++; s.records == 1 {
					s.observed = observedAt(record)
				}
			}))
		}))
	})
	return s, errors.Join(err, errs[0], errs[1])
}

// observedAt reads a record's times.
func observedAt(record []byte) time.Time {
	var made, observed uint64
	_ = eachField(record, func(number protowire.Number, kind protowire.Type, value []byte) {
		switch {
		case kind != protowire.Fixed64Type:
		case number == timeUnixNano:
			made = binary.LittleEndian.Uint64(value)
		case number == observedTime:
			observed = binary.LittleEndian.Uint64(value)
		}
	})
	if observed == 0 {
		observed = made
	}
	if observed == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(observed)).UTC()
}

// eachMessage calls f with each message that stands under a number.
func eachMessage(message []byte, number protowire.Number, f func([]byte)) error {
	return eachField(message, func(n protowire.Number, kind protowire.Type, value []byte) {
		if n == number && kind == protowire.BytesType {
			f(value)
		}
	})
}

// eachField calls f with each field of a message: its content where it has a length, and its encoding otherwise.
func eachField(message []byte, f func(number protowire.Number, kind protowire.Type, value []byte)) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errNoRequest
		}
		message = message[n:]
		value, n := message, 0
		if kind == protowire.BytesType {
			value, n = protowire.ConsumeBytes(message)
		} else if n = protowire.ConsumeFieldValue(number, kind, message); n >= 0 {
			value = message[:n]
		}
		if n < 0 {
			return errNoRequest
		}
		f(number, kind, value)
		message = message[n:]
	}
	return nil
}
