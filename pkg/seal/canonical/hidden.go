// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"math/bits"

	"go.opentelemetry.io/collector/pdata/plog"
)

// OTLP has fields that pdata carries from decoder to encoder and shows nobody:
// references of keys and values into a string table, which logs do not have. A
// digest cannot cover what cannot be seen, and a verifier takes such a record for
// malformed; so a client who sent one could raise an alarm at will. A record that
// is longer in protobuf than all that pdata shows of it has such fields.

// hidesFields reports whether the record that h encoded last has hidden fields.
func (h *Hasher) hidesFields(lr plog.LogRecord) bool {
	var m plog.ProtoMarshaler
	return m.LogRecordSize(lr) != h.recordSize
}

// recordSize returns the size of a record in OTLP protobuf, as pdata writes it,
// given those of its body and its attributes.
func recordSize(lr plog.LogRecord, body, attributes int) int {
	n := fieldSize(body) + attributes
	if lr.Timestamp() != 0 {
		n += 9
	}
	if lr.ObservedTimestamp() != 0 {
		n += 9
	}
	if lr.SeverityNumber() != 0 {
		n += 1 + varintSize(uint64(lr.SeverityNumber()))
	}
	if s := lr.SeverityText(); s != "" {
		n += fieldSize(len(s))
	}
	if s := lr.EventName(); s != "" {
		n += fieldSize(len(s))
	}
	if c := lr.DroppedAttributesCount(); c != 0 {
		n += 1 + varintSize(uint64(c))
	}
	if lr.Flags() != 0 {
		n += 5
	}
	// pdata writes the ids even when they are empty.
	n += 2
	if !lr.TraceID().IsEmpty() {
		n += 16
	}
	n += 2
	if !lr.SpanID().IsEmpty() {
		n += 8
	}
	return n
}

// fieldSize is the size of a length-delimited field of n bytes, with a tag of one byte.
func fieldSize(n int) int { return 1 + varintSize(uint64(n)) + n }

func varintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
