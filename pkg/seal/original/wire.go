// SPDX-License-Identifier: Apache-2.0

package original

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of opentelemetry/proto/collector/logs/v1, logs/v1, common/v1 and resource/v1 that an original is made of.
const (
	requestResourceLogs = 1

	resourceLogsResource  = 1
	resourceLogsScopeLogs = 2
	resourceLogsSchemaURL = 3

	resourceAttributes = 1
	resourceDropped    = 2

	scopeLogsScope     = 1
	scopeLogsRecords   = 2
	scopeLogsSchemaURL = 3

	scopeName       = 1
	scopeVersion    = 2
	scopeAttributes = 3
	scopeDropped    = 4

	recordTime           = 1
	recordSeverityNumber = 2
	recordSeverityText   = 3
	recordBody           = 5
	recordAttributes     = 6
	recordDropped        = 7
	recordFlags          = 8
	recordTraceID        = 9
	recordSpanID         = 10
	recordObservedTime   = 11
	recordEventName      = 12

	pairKey   = 1
	pairValue = 2

	valueString = 1
	valueBool   = 2
	valueInt    = 3
	valueDouble = 4
	valueArray  = 5
	valueMap    = 6
	valueBytes  = 7

	listValues = 1 // of ArrayValue and of KeyValueList
)

// fields goes through the fields of an encoded message.
type fields struct {
	rest []byte // what has not been read
	bad  bool   // what comes next is no field, or none of a kind that pdata writes

	number int
	kind   protowire.Type
	value  []byte // of protowire.BytesType
	n      uint64 // of the other types
}

// next reads a field, and reports whether there was one.
func (f *fields) next() bool {
	b := f.rest
	if len(b) == 0 {
		return false
	}
	tag, size := varint(b)
	if size <= 0 || tag>>3 == 0 || tag>>3 > uint64(protowire.MaxValidNumber) {
		return f.fail()
	}
	b = b[size:]
	f.number, f.kind = int(tag>>3), protowire.Type(tag&7)
	switch f.kind {
	case protowire.BytesType:
		length, size := varint(b)
		if size <= 0 || length > uint64(len(b)-size) {
			return f.fail()
		}
		end := size + int(length)
		f.value, f.rest = b[size:end], b[end:]
	case protowire.VarintType:
		n, size := varint(b)
		if size <= 0 {
			return f.fail()
		}
		f.n, f.rest = n, b[size:]
	case protowire.Fixed64Type:
		if len(b) < 8 {
			return f.fail()
		}
		f.n, f.rest = binary.LittleEndian.Uint64(b), b[8:]
	case protowire.Fixed32Type:
		if len(b) < 4 {
			return f.fail()
		}
		f.n, f.rest = uint64(binary.LittleEndian.Uint32(b)), b[4:]
	default:
		return f.fail()
	}
	return true
}

func (f *fields) fail() bool {
	f.bad = true
	return false
}

// varint reads a number, and returns of how many bytes it is, which is not positive where there is none. Most have one byte or two.
func varint(b []byte) (n uint64, size int) {
	if len(b) > 1 {
		if b[0] < 0x80 {
			return uint64(b[0]), 1
		}
		if b[1] < 0x80 {
			return uint64(b[0]&0x7f) | uint64(b[1])<<7, 2
		}
	}
	return protowire.ConsumeVarint(b)
}

// once notes fields of which a message has one at most.
type once uint32

// again reports whether the field has been there before, or is not of its kind.
func (o *once) again(f *fields, kind protowire.Type) bool {
	bit := once(1) << f.number
	was := *o&bit != 0
	*o |= bit
	return was || f.kind != kind
}
