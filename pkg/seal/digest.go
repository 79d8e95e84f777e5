// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
)

// MaxDepth is how deep values nest: a body or an attribute's value is at depth 1,
// and what an array or a map holds is one deeper than it.
const MaxDepth = 64

// What makes a record's digest undefined. A stamp normalises such a record
// ; to a verifier it is malformed.
var (
	ErrDuplicateKey = errors.New("two attributes of one map have the same key")
	ErrInvalidUTF8  = errors.New("a string is not valid UTF-8")
	ErrTooDeep      = errors.New("values nest deeper than 64")
	ErrEntityRefs   = errors.New("the resource has entity references, which a digest does not cover")
)

const (
	recordTag   = "logseal/v1 record\x00"
	resourceTag = "logseal/v1 resource\x00"
	scopeTag    = "logseal/v1 scope\x00"
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

// Hasher computes digests. It keeps its buffers from call to call, so that a
// digest costs no allocation; it is not safe for concurrent use. The zero value
// is ready.
type Hasher struct {
	buf   []byte
	pairs []pair // a stack: the maps that are being encoded
	// recordSize is how long the record last encoded is in OTLP protobuf, if it has
	// no field that pdata does not show. Only a stamp cares.
	recordSize int
}

type pair struct {
	key   string
	value pcommon.Value
}

// Resource returns the digest of a resource: attributes but for those that the
// policy excludes, dropped count, and the schema URL of its ResourceLogs.
func (h *Hasher) Resource(rl plog.ResourceLogs, policy *Policy) (Hash, error) {
	res := rl.Resource()
	if entity.ResourceEntityRefs(res).Len() > 0 {
		return Hash{}, ErrEntityRefs
	}
	h.start(resourceTag)
	if _, err := h.attributes(res.Attributes(), &policy.resource, false, 0); err != nil {
		return Hash{}, err
	}
	h.uint32(res.DroppedAttributesCount())
	if err := h.string(rl.SchemaUrl()); err != nil {
		return Hash{}, err
	}
	return sha256.Sum256(h.buf), nil
}

// Scope returns the digest of an instrumentation scope: name, version, attributes,
// dropped count, and the schema URL of its ScopeLogs.
func (h *Hasher) Scope(sl plog.ScopeLogs) (Hash, error) {
	scope := sl.Scope()
	h.start(scopeTag)
	if err := h.string(scope.Name()); err != nil {
		return Hash{}, err
	}
	if err := h.string(scope.Version()); err != nil {
		return Hash{}, err
	}
	if _, err := h.attributes(scope.Attributes(), nil, false, 0); err != nil {
		return Hash{}, err
	}
	h.uint32(scope.DroppedAttributesCount())
	if err := h.string(sl.SchemaUrl()); err != nil {
		return Hash{}, err
	}
	return sha256.Sum256(h.buf), nil
}

// Record returns the digest of a log record under the digests of its resource and
// scope, leaving out what the policy excludes. The error says why the record has
// no digest: [ErrDuplicateKey], [ErrInvalidUTF8] or [ErrTooDeep].
func (h *Hasher) Record(resource, scope *Hash, lr plog.LogRecord, policy *Policy) (Hash, error) {
	canonical, err := h.Canonical(resource, scope, lr, policy)
	if err != nil {
		return Hash{}, err
	}
	return sha256.Sum256(canonical), nil
}

// Canonical returns the bytes whose SHA-256 is the record's digest. They are
// valid until the next call of a method of h.
func (h *Hasher) Canonical(resource, scope *Hash, lr plog.LogRecord, policy *Policy) ([]byte, error) {
	h.start(recordTag)
	h.buf = append(h.buf, resource[:]...)
	h.buf = append(h.buf, scope[:]...)
	h.uint64(uint64(lr.Timestamp()))
	h.uint64(uint64(lr.ObservedTimestamp()))
	h.uint32(uint32(lr.SeverityNumber()))
	if err := h.string(lr.SeverityText()); err != nil {
		return nil, err
	}
	if err := h.string(lr.EventName()); err != nil {
		return nil, err
	}
	trace, span := lr.TraceID(), lr.SpanID()
	h.buf = append(h.buf, trace[:]...)
	h.buf = append(h.buf, span[:]...)
	h.uint32(uint32(lr.Flags()))
	h.uint32(lr.DroppedAttributesCount())
	body, err := h.value(lr.Body(), 1)
	if err != nil {
		return nil, err
	}
	attributes, err := h.attributes(lr.Attributes(), &policy.record, true, 0)
	if err != nil {
		return nil, err
	}
	h.recordSize = recordSize(lr, body, attributes)
	return h.buf, nil
}

// release forgets the records that were hashed, so that a pooled Hasher keeps
// only its own memory alive.
func (h *Hasher) release() {
	clear(h.pairs[:cap(h.pairs)])
	if cap(h.buf) > 1<<20 {
		h.buf = nil
	}
}

func (h *Hasher) start(tag string) {
	h.buf = append(h.buf[:0], tag...)
	h.pairs = h.pairs[:0]
}

func (h *Hasher) uint32(v uint32) { h.buf = binary.BigEndian.AppendUint32(h.buf, v) }
func (h *Hasher) uint64(v uint64) { h.buf = binary.BigEndian.AppendUint64(h.buf, v) }

func (h *Hasher) string(s string) error {
	if !utf8.ValidString(s) {
		return ErrInvalidUTF8
	}
	h.uint32(uint32(len(s)))
	h.buf = append(h.buf, s...)
	return nil
}

// attributes encodes a map of values at depth+1, sorted by key, without what is
// excluded and, of a record's own attributes, without the id. It returns the size
// of the whole map in OTLP protobuf.
func (h *Hasher) attributes(m pcommon.Map, leaveOut *excluded, ofRecord bool, depth int) (size int, err error) {
	base := len(h.pairs)
	for key, value := range m.All() {
		h.pairs = append(h.pairs, pair{key, value})
	}
	sortPairs(h.pairs[base:])
	end := len(h.pairs)
	countAt, count := len(h.buf), uint32(0)
	h.uint32(0)
	for i := base; i < end; i++ {
		// By index: a nested map may move h.pairs.
		p := h.pairs[i]
		if i > base && h.pairs[i-1].key == p.key {
			return 0, ErrDuplicateKey
		}
		start := len(h.buf)
		if err := h.string(p.key); err != nil {
			return 0, err
		}
		n, err := h.value(p.value, depth+1)
		if err != nil {
			return 0, err
		}
		n = fieldSize(n)
		if p.key != "" {
			n += fieldSize(len(p.key))
		}
		size += fieldSize(n)
		// What is left out must still be readable in one way only.
		if (ofRecord && p.key == IDKey) || (leaveOut != nil && leaveOut.has(p.key)) {
			h.buf = h.buf[:start]
			continue
		}
		count++
	}
	binary.BigEndian.PutUint32(h.buf[countAt:], count)
	h.pairs = h.pairs[:base]
	return size, nil
}

// value encodes a value. It returns the value's size in OTLP protobuf.
func (h *Hasher) value(v pcommon.Value, depth int) (size int, err error) {
	if depth > MaxDepth {
		return 0, ErrTooDeep
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		h.buf = append(h.buf, typeString)
		return fieldSize(len(v.Str())), h.string(v.Str())
	case pcommon.ValueTypeBool:
		h.buf = append(h.buf, typeBool, 0)
		if v.Bool() {
			h.buf[len(h.buf)-1] = 1
		}
		return 2, nil
	case pcommon.ValueTypeInt:
		h.buf = append(h.buf, typeInt)
		h.uint64(uint64(v.Int()))
		return 1 + varintSize(uint64(v.Int())), nil
	case pcommon.ValueTypeDouble:
		h.buf = append(h.buf, typeDouble)
		bits := math.Float64bits(v.Double())
		if math.IsNaN(v.Double()) {
			bits = canonicalNaN
		}
		h.uint64(bits)
		return 9, nil
	case pcommon.ValueTypeBytes:
		h.buf = append(h.buf, typeBytes)
		b := v.Bytes()
		h.uint32(uint32(b.Len()))
		for _, c := range b.All() {
			h.buf = append(h.buf, c)
		}
		return fieldSize(b.Len()), nil
	case pcommon.ValueTypeSlice:
		h.buf = append(h.buf, typeArray)
		s := v.Slice()
		h.uint32(uint32(s.Len()))
		for i := range s.Len() {
			n, err := h.value(s.At(i), depth+1)
			if err != nil {
				return 0, err
			}
			size += fieldSize(n)
		}
		return fieldSize(size), nil
	case pcommon.ValueTypeMap:
		h.buf = append(h.buf, typeMap)
		size, err = h.attributes(v.Map(), nil, false, depth)
		return fieldSize(size), err
	}
	h.buf = append(h.buf, typeEmpty)
	return 0, nil
}

// sortPairs sorts by key bytes. Most maps are small, where insertion beats a
// general sort.
func sortPairs(pairs []pair) {
	if len(pairs) > 24 {
		slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.key, b.key) })
		return
	}
	for i := 1; i < len(pairs); i++ {
		for j := i; j > 0 && pairs[j].key < pairs[j-1].key; j-- {
			pairs[j], pairs[j-1] = pairs[j-1], pairs[j]
		}
	}
}
