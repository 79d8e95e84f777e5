// SPDX-License-Identifier: Apache-2.0

// Package nesting measures how deep the values of an OTLP request are nested, without unmarshalling it.
//
// Unmarshalling recurses with the nesting, and nothing bounds that in the collector at v0.160: a request of 16 MB, nested
// 1.6 million deep, ends the process, and thirty of 4 MB at a time take 10 GB of stacks. [Check] recurses no deeper than
// its limit.
package nesting

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// MaxDepth is the limit for requests from others. Real log records nest a handful of levels; some thousand levels cost a
// few hundred kilobytes of stack.
const MaxDepth = 1000

var (
	// ErrTooDeep is returned for a request with a value that is nested deeper than the limit.
	ErrTooDeep = errors.New("a value in the request is nested too deep")
	// ErrMalformed is returned for what is no protobuf message, as far as it had to be read.
	ErrMalformed = errors.New("the request is not a well-formed protobuf message")
)

// message is the part of a message type that leads to values: which fields, by number, are messages, and of which type.
type message [7]*message

// The types of opentelemetry/proto/logs/v1 and common/v1. A value's depth is counted at anyValue.
var (
	anyValue    = message{}
	keyValue    = message{2: &anyValue}
	arrayValue  = message{1: &anyValue}
	keyValues   = message{1: &keyValue}
	resource    = message{1: &keyValue}
	scope       = message{3: &keyValue}
	logRecord   = message{5: &anyValue, 6: &keyValue}
	scopeLogs   = message{1: &scope, 2: &logRecord}
	resLogs     = message{1: &resource, 2: &scopeLogs}
	logsRequest = message{1: &resLogs}
)

func init() {
	anyValue[5], anyValue[6] = &arrayValue, &keyValues
}

// Check reads an ExportLogsServiceRequest and returns ErrTooDeep when a body or an attribute's value is nested deeper than
// limit, ErrMalformed when it cannot be read. A string is depth 1, a string in an array depth 2.
func Check(request []byte, limit int) error {
	return check(request, &logsRequest, limit)
}

// check reads a message of a type within which values may nest by levels more.
func check(b []byte, m *message, levels int) error {
	if m == &anyValue {
		if levels == 0 {
			return ErrTooDeep
		}
		levels--
	}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return ErrMalformed
		}
		b = b[n:]
		if int(number) >= len(m) || m[number] == nil || kind != protowire.BytesType {
			// ConsumeFieldValue would recurse into groups, which OTLP does not have.
			if kind == protowire.StartGroupType || kind == protowire.EndGroupType {
				return ErrMalformed
			}
			if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
				return ErrMalformed
			}
			b = b[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return ErrMalformed
		}
		if err := check(value, m[number], levels); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
