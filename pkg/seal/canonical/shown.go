// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"

	"github.com/logseal/logseal/pkg/seal"
)

// Part is where in a record a value stands.
type Part int

// The parts of a record that stores show.
const (
	Body Part = iota
	Attribute
	ResourceAttribute
	SeverityNumber
	SeverityText
	EventName
	TraceID
	SpanID
)

// A Shown is a value of a record as text, as stores that keep texts only write it.
type Shown struct {
	Part Part
	Name string // of an attribute; of what stands in a map, the names on the way to it, with dots between; empty for the body itself
	Text string
	List bool // there is no one text of it: Text has all that is in it, to compare by. It is an array, or a map whose name is longer than MaxMapName
}

// MaxMapName is how many bytes the name of a map has at most, the names on the way to it included, of which each value is shown. Each has it in its own
// name, and so a map of a long name would take its length times its values.
const MaxMapName = 256

// Shown calls yield with every value of the record that is there: attributes of the record and its resource, maps by what is in them, and the body.
func (r *Record) Shown(yield func(Shown)) {
	b := r.Canonical
	if n := int32(binary.BigEndian.Uint32(b[severityAt:])); n != 0 {
		yield(Shown{Part: SeverityNumber, Text: strconv.Itoa(int(n))})
	}
	at := textsAt
	for _, part := range []Part{SeverityText, EventName} {
		text := string(b[at+lengthSize : at+lengthSize+length(b[at:])])
		at += lengthSize + len(text)
		if text != "" {
			yield(Shown{Part: part, Text: text})
		}
	}
	if id := b[at : at+16]; [16]byte(id) != [16]byte{} {
		yield(Shown{Part: TraceID, Text: hex.EncodeToString(id)})
	}
	if id := b[at+16 : at+16+8]; [8]byte(id) != [8]byte{} {
		yield(Shown{Part: SpanID, Text: hex.EncodeToString(id)})
	}
	showValue(b[at+idsSize:], Body, "", yield)
	showPairs(b[r.Attributes:], Attribute, "", yield)
	showPairs(r.Source.Encoding[len(sourceTag):], ResourceAttribute, "", yield)
}

func showPairs(b []byte, part Part, in string, yield func(Shown)) {
	pairs := length(b)
	b = b[lengthSize:]
	for range pairs {
		key, value := keyOf(b)
		name := string(key)
		if in != "" {
			name = in + "." + name
		}
		showValue(b[value:], part, name, yield)
		b = b[value+valueSize(b[value:]):]
	}
}

// showValue shows the value that b begins with.
func showValue(b []byte, part Part, name string, yield func(Shown)) {
	kind, payload := b[0], b[typeSize:]
	text := func() []byte { return payload[lengthSize : lengthSize+length(payload)] }
	s := Shown{Part: part, Name: name}
	switch kind {
	case typeEmpty:
		return
	case typeString:
		s.Text = string(text())
	case typeBytes:
		s.Text = base64.StdEncoding.EncodeToString(text())
	case typeBool:
		s.Text = strconv.FormatBool(payload[0] != 0)
	case typeInt:
		s.Text = strconv.FormatInt(int64(binary.BigEndian.Uint64(payload)), 10)
	case typeDouble:
		s.Text = strconv.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64(payload)), 'f', -1, 64)
	case typeArray:
		s.List, s.Text = true, listText(payload)
	case typeMap:
		if len(name) <= MaxMapName {
			showPairs(payload, part, name, yield)
			return
		}
		s.List, s.Text = true, string(b[:valueSize(b)])
	}
	yield(s)
}

// listText returns the names and texts of what is in an array. Lengths tell them apart: quotes would be quoted at every level of arrays in arrays, and
// that doubles the text each time.
func listText(b []byte) string {
	elements := length(b)
	b = b[lengthSize:]
	var text []byte
	for range elements {
		text = append(text, '[')
		showValue(b, Body, "", func(s Shown) { text = appendSized(appendSized(text, s.Name), s.Text) })
		text = append(text, ']')
		b = b[valueSize(b):]
	}
	return string(text)
}

func appendSized(b []byte, text string) []byte {
	return append(append(strconv.AppendInt(b, int64(len(text)), 10), ':'), text...)
}

// Carried returns the original that stands beside the record in the attribute [seal.OriginalKey], in base64.
func (r *Record) Carried() (text string, ok bool) {
	b := r.Canonical[r.Attributes:]
	pairs := length(b)
	b = b[lengthSize:]
	for range pairs {
		key, value := keyOf(b)
		if string(key) == seal.OriginalKey {
			payload, ok := StringPayload(b[value:])
			return string(payload), ok
		}
		b = b[value+valueSize(b[value:]):]
	}
	return "", false
}
