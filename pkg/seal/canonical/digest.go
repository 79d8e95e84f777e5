// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/sha256x2"
)

// MaxDepth is how deep values nest: a body or an attribute's value is at depth 1,
// and what an array or a map holds is one deeper than it.
const MaxDepth = 64

// What makes a record's digest undefined. A stamp normalises such a record;
// to a verifier it is malformed.
var (
	ErrDuplicateKey = errors.New("two attributes of one map have the same key")
	ErrInvalidUTF8  = errors.New("a string is not valid UTF-8")
	ErrTooDeep      = errors.New("values nest deeper than 64")
	ErrEntityRefs   = errors.New("the resource has entity references, which a digest does not cover")
)

// Hasher computes digests. It keeps its buffers from call to call, so that a
// digest costs no allocation; it is not safe for concurrent use. The zero value
// is ready.
type Hasher struct {
	buf   []byte
	batch sha256x2.Batch
	pairs []pair // a stack: the maps that are being encoded
	err   error  // the first of what is being encoded
	// recordSize is how long the record last encoded is in OTLP protobuf, if it has
	// no field that pdata does not show. Only a stamp cares.
	recordSize int
}

type pair struct {
	key   string
	value pcommon.Value
}

// Source returns the digest of where records come from. Of their resource: attributes
// but for those that the policy excludes, dropped count, and the schema URL of its
// ResourceLogs; of their instrumentation scope: name, version, attributes, dropped
// count, and the schema URL of its ScopeLogs.
func (h *Hasher) Source(rl plog.ResourceLogs, sl plog.ScopeLogs, policy *seal.Policy) (seal.Hash, error) {
	b, err := h.SourceEncoding(rl, sl, policy)
	if err != nil {
		return seal.Hash{}, err
	}
	return sha256.Sum256(b), nil
}

// SourceEncoding returns the bytes whose SHA-256 [Hasher.Source] is. They are valid until the next call of a method of h.
func (h *Hasher) SourceEncoding(rl plog.ResourceLogs, sl plog.ScopeLogs, policy *seal.Policy) ([]byte, error) {
	res := rl.Resource()
	if entity.ResourceEntityRefs(res).Len() > 0 {
		return nil, ErrEntityRefs
	}
	h.start()
	b := append(h.buf[:0], sourceTag...)
	b, _ = h.attributes(b, res.Attributes(), &policy.Resource, false, 0)
	b = appendEnd(b, res.DroppedAttributesCount(), h.valid(rl.SchemaUrl()))
	scope := sl.Scope()
	b = appendText(b, h.valid(scope.Name()))
	b = appendText(b, h.valid(scope.Version()))
	b, _ = h.attributes(b, scope.Attributes(), nil, false, 0)
	b = appendEnd(b, scope.DroppedAttributesCount(), h.valid(sl.SchemaUrl()))
	h.buf = b
	return b, h.err
}

// Record returns the digest of a log record under the digest of its source, leaving
// out what the policy excludes. It is the record's leaf hash in its block. The error
// says why the record has no digest: [ErrDuplicateKey], [ErrInvalidUTF8] or [ErrTooDeep].
func (h *Hasher) Record(source *seal.Hash, lr plog.LogRecord, policy *seal.Policy) (seal.Hash, error) {
	canonical, err := h.Canonical(source, lr, policy)
	if err != nil {
		return seal.Hash{}, err
	}
	return sha256.Sum256(canonical), nil
}

// Canonical returns the bytes whose SHA-256 is the record's digest. They are
// valid until the next call of a method of h.
func (h *Hasher) Canonical(source *seal.Hash, lr plog.LogRecord, policy *seal.Policy) ([]byte, error) {
	b, err := h.appendRecord(h.buf[:0], source, lr, policy)
	h.buf = b
	if err != nil {
		return nil, err
	}
	return b, nil
}

// appendRecord appends the canonical encoding of a record. With an error, what was appended is to be thrown away.
func (h *Hasher) appendRecord(b []byte, source *seal.Hash, lr plog.LogRecord, policy *seal.Policy) ([]byte, error) {
	h.start()
	head := Head{
		Time:              uint64(lr.Timestamp()),
		ObservedTime:      uint64(lr.ObservedTimestamp()),
		SeverityNumber:    int32(lr.SeverityNumber()),
		TraceID:           lr.TraceID(),
		SpanID:            lr.SpanID(),
		Flags:             uint32(lr.Flags()),
		DroppedAttributes: lr.DroppedAttributesCount(),
	}
	b = appendHead(b, source, &head, h.valid(lr.SeverityText()), h.valid(lr.EventName()))
	b, body := h.value(b, lr.Body(), 1)
	b, attributes := h.attributes(b, lr.Attributes(), &policy.Record, true, 0)
	if h.err == nil {
		h.recordSize = recordSize(lr, body, attributes)
	}
	return b, h.err
}

// A batch of records to digest together ends at so many records or bytes, so that their encodings stay in the processor's nearest cache.
const (
	MaxBatch      = 16
	maxBatchBytes = 16 << 10
)

// Add puts a record into the batch whose digests [Hasher.Digests] computes together, which costs half of what each alone does. It reports whether the batch
// is full then: at most [MaxBatch] records are in one. With an error, which is that of [Hasher.Record], the batch is as before.
func (h *Hasher) Add(source *seal.Hash, lr plog.LogRecord, policy *seal.Policy) (full bool, err error) {
	b, err := h.appendRecord(h.batch.Buffer(), source, lr, policy)
	if err != nil {
		return false, err
	}
	return h.addEncoded(b), nil
}

func (h *Hasher) addEncoded(with []byte) (full bool) {
	h.batch.Add(with)
	return h.batch.Len() >= MaxBatch || h.batch.Size() >= maxBatchBytes
}

// Digests writes the digests of the records of the batch into dst, in their order, and begins a new batch. It returns how many there are.
func (h *Hasher) Digests(dst []seal.Hash) int {
	n := h.batch.Len()
	sha256x2.Sum(&h.batch, dst)
	return n
}

// Reset forgets the records that were hashed, so that a pooled Hasher keeps
// only its own memory alive.
func (h *Hasher) Reset() {
	clear(h.pairs[:cap(h.pairs)])
	if cap(h.buf) > 1<<20 {
		h.buf = nil
	}
	if h.batch.Reset(); cap(h.batch.Buffer()) > 1<<20 {
		h.batch = sha256x2.Batch{}
	}
}

func (h *Hasher) start() { h.pairs, h.err = h.pairs[:0], nil }

func (h *Hasher) fail(err error) {
	if h.err == nil {
		h.err = err
	}
}

// valid returns s, and fails if that is not valid UTF-8.
func (h *Hasher) valid(s string) string {
	if s != "" && !utf8.ValidString(s) { // most severity texts and event names are empty
		h.fail(ErrInvalidUTF8)
	}
	return s
}

// attributes appends a map of values at depth+1, sorted by key, without what is
// excluded and, of a record's own attributes, without the id. It also returns the
// size of the whole map in OTLP protobuf.
func (h *Hasher) attributes(b []byte, m pcommon.Map, leaveOut *seal.NameSet, ofRecord bool, depth int) (with []byte, size int) {
	base := len(h.pairs)
	for key, value := range m.All() {
		h.pairs = append(h.pairs, pair{key, value})
	}
	sortPairs(h.pairs[base:])
	end := len(h.pairs)
	b, mark := begin(b)
	count := 0
	for i := base; i < end; i++ {
		// By index: a nested map may move h.pairs.
		p := h.pairs[i]
		if i > base && h.pairs[i-1].key == p.key {
			h.fail(ErrDuplicateKey)
		}
		start := len(b)
		b = appendText(b, h.valid(p.key))
		var n int
		b, n = h.value(b, p.value, depth+1)
		n = fieldSize(n)
		if p.key != "" {
			n += fieldSize(len(p.key))
		}
		size += fieldSize(n)
		// What is left out must still be readable in one way only.
		if (ofRecord && p.key == seal.IDKey) || (leaveOut != nil && leaveOut.Has(p.key)) {
			b = b[:start]
			continue
		}
		count++
	}
	mark.EndCount(b, count)
	h.pairs = h.pairs[:base]
	return b, size
}

// value appends a value. It also returns the value's size in OTLP protobuf.
func (h *Hasher) value(b []byte, v pcommon.Value, depth int) (with []byte, size int) {
	if depth > MaxDepth {
		h.fail(ErrTooDeep)
		return b, 0
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		s := v.Str()
		return AppendString(b, h.valid(s)), fieldSize(len(s))
	case pcommon.ValueTypeBool:
		return AppendBool(b, v.Bool()), 2
	case pcommon.ValueTypeInt:
		return AppendInt(b, v.Int()), 1 + varintSize(uint64(v.Int()))
	case pcommon.ValueTypeDouble:
		return AppendDouble(b, v.Double()), 9
	case pcommon.ValueTypeBytes:
		data := v.Bytes()
		b, mark := BeginBytes(b)
		for _, c := range data.All() {
			b = append(b, c)
		}
		mark.End(b)
		return b, fieldSize(data.Len())
	case pcommon.ValueTypeSlice:
		s := v.Slice()
		b, mark := BeginArray(b)
		for i := range s.Len() {
			var n int
			b, n = h.value(b, s.At(i), depth+1)
			size += fieldSize(n)
		}
		mark.EndCount(b, s.Len())
		return b, fieldSize(size)
	case pcommon.ValueTypeMap:
		b, size = h.attributes(AppendMapType(b), v.Map(), nil, false, depth)
		return b, fieldSize(size)
	}
	return AppendEmpty(b), 0
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
