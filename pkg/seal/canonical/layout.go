// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"encoding/binary"
	"math"

	"github.com/logseal/logseal/pkg/seal"
)

// This file is the canonical encoding (docs/stamp-format.md, section 3): its constants, what comes in which order, and where. Whoever
// writes one, of pdata or of what a strict reader found, does it with these functions, and whoever reads one too.

const (
	// recordTag makes a record's digest the RFC 6962 leaf hash of what follows it.
	recordTag = "\x00"
	sourceTag = "logseal/v1 source\x00"
)

// The type byte of a value. 8 is reserved for a salted commitment, which version 1 rejects.
const (
	typeEmpty byte = iota
	typeString
	typeBool
	typeInt
	typeDouble
	typeBytes
	typeArray
	typeMap
)

// canonicalNaN stands for every NaN: OTLP JSON does not carry their payloads.
const canonicalNaN = 0x7ff8000000000000

const (
	lengthSize = 4 // a u32: of a string, of bytes, or how many values or pairs follow
	typeSize   = 1
	u64Size    = 8

	// Where the parts of fixed length are in a record.
	sourceAt   = len(recordTag)
	timeAt     = sourceAt + seal.HashSize
	observedAt = timeAt + u64Size
	severityAt = observedAt + u64Size
	textsAt    = severityAt + 4 // severity text and event name

	idsSize = 16 + 8 + 4 + 4 // behind them: trace id, span id, flags, dropped attributes
)

// Head is what a record has before its body and attributes, but for texts. Times are nanoseconds since 1970; 0 is none. An absent id is zeros.
type Head struct {
	Time, ObservedTime uint64
	SeverityNumber     int32
	TraceID            [16]byte
	SpanID             [8]byte
	Flags              uint32
	DroppedAttributes  uint32
}

// appendHead appends a record up to its body.
func appendHead[T text](dst []byte, source *seal.Hash, h *Head, severityText, eventName T) []byte {
	dst = append(dst, recordTag...)
	dst = append(dst, source[:]...)
	dst = appendUint64(dst, h.Time)
	dst = appendUint64(dst, h.ObservedTime)
	dst = appendUint32(dst, uint32(h.SeverityNumber))
	dst = appendText(dst, severityText)
	dst = appendText(dst, eventName)
	dst = append(dst, h.TraceID[:]...)
	dst = append(dst, h.SpanID[:]...)
	dst = appendUint32(dst, h.Flags)
	return appendUint32(dst, h.DroppedAttributes)
	// body: a value
	// attributes: pairs
}

// appendEnd appends what ends a resource, and a scope: it begins with its pairs, a scope with its name and version before them.
func appendEnd[T text](dst []byte, droppedAttributes uint32, schemaURL T) []byte {
	return appendText(appendUint32(dst, droppedAttributes), schemaURL)
}

// bodyAt returns where the body of a record begins.
func bodyAt(b []byte) int {
	at := textsAt
	for range 2 {
		at += lengthSize + length(b[at:])
	}
	return at + idsSize
}

// StringPayload returns what a value holds, if it is a string.
func StringPayload(value []byte) ([]byte, bool) {
	if len(value) == 0 || value[0] != typeString {
		return nil, false
	}
	value = value[typeSize:]
	return value[lengthSize : lengthSize+length(value)], true
}

// keyOf returns the key of the pair that b begins with, and where its value begins.
func keyOf(b []byte) (key []byte, value int) {
	value = lengthSize + length(b)
	return b[lengthSize:value], value
}

// valueSize returns the length of the value that b begins with.
func valueSize(b []byte) int {
	switch b[0] {
	case typeBool:
		return typeSize + 1
	case typeInt, typeDouble:
		return typeSize + u64Size
	case typeString, typeBytes:
		return typeSize + lengthSize + length(b[typeSize:])
	case typeArray, typeMap:
		size := typeSize + lengthSize
		for range length(b[typeSize:]) {
			if b[0] == typeMap {
				size += lengthSize + length(b[size:])
			}
			size += valueSize(b[size:])
		}
		return size
	}
	return typeSize
}

// length reads a u32.
func length(b []byte) int { return int(binary.BigEndian.Uint32(b)) }

func appendUint32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }
func appendUint64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// text is a string of either kind, known to be valid UTF-8, or bytes.
type text interface{ string | []byte }

// appendText appends a length and what has it.
func appendText[T text](dst []byte, s T) []byte {
	return append(appendUint32(dst, uint32(len(s))), s...)
}

// AppendEmpty appends the value that is none.
func AppendEmpty(dst []byte) []byte { return append(dst, typeEmpty) }

// AppendString appends a string, which must be valid UTF-8, as a value.
func AppendString[T text](dst []byte, s T) []byte { return appendText(append(dst, typeString), s) }

// AppendBytes appends bytes as a value.
func AppendBytes(dst, v []byte) []byte { return appendText(append(dst, typeBytes), v) }

// AppendBool appends a boolean as a value.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, typeBool, 1)
	}
	return append(dst, typeBool, 0)
}

// AppendInt appends an integer as a value.
func AppendInt(dst []byte, v int64) []byte { return appendUint64(append(dst, typeInt), uint64(v)) }

// AppendDouble appends a floating-point number as a value.
func AppendDouble(dst []byte, v float64) []byte {
	bits := math.Float64bits(v)
	if math.IsNaN(v) {
		bits = canonicalNaN
	}
	return appendUint64(append(dst, typeDouble), bits)
}

// A Mark is where the length of what is being written goes, once that is known: how many bytes were appended since, or how many values.
type Mark int

// BeginString begins a value that is a string. What is appended until [Mark.End] is its text.
func BeginString(dst []byte) ([]byte, Mark) { return begin(append(dst, typeString)) }

// BeginBytes begins a value that is bytes.
func BeginBytes(dst []byte) ([]byte, Mark) { return begin(append(dst, typeBytes)) }

// BeginArray begins a value that is an array. What is appended until [Mark.EndCount] are its values.
func BeginArray(dst []byte) ([]byte, Mark) { return begin(append(dst, typeArray)) }

func begin(dst []byte) ([]byte, Mark) { return append(dst, 0, 0, 0, 0), Mark(len(dst)) }

// End writes how many bytes were appended.
func (m Mark) End(dst []byte) { m.EndCount(dst, len(dst)-int(m)-lengthSize) }

// EndCount writes how many values were appended.
func (m Mark) EndCount(dst []byte, n int) { binary.BigEndian.PutUint32(dst[m:], uint32(n)) }
