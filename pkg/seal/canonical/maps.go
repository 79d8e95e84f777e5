// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"bytes"
	"slices"
)

// Maps writes maps as a reader meets their pairs: in any order, and of each pair the key and the value in either order, or left out. It
// sorts each map when that ends. The zero value is ready; maps nest.
type Maps struct {
	pairs []span // of the maps being written, the innermost last
	tmp   []byte
}

// span is one pair: key, then value.
type span struct{ start, value, end int }

// Map is a map that is being written.
type Map struct {
	count Mark
	first int // in Maps.pairs
}

// Pair is a pair that is being written.
type Pair struct{ start, key, keyEnd, value, valueEnd int }

// AppendEmptyMap appends the pairs of a map without any.
func AppendEmptyMap(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// AppendMapType appends what makes the pairs that follow a value.
func AppendMapType(dst []byte) []byte { return append(dst, typeMap) }

// Reset forgets maps that were not ended.
func (m *Maps) Reset() { m.pairs = m.pairs[:0] }

// Begin begins the pairs of a map.
func (m *Maps) Begin(dst []byte) ([]byte, Map) {
	dst, count := begin(dst)
	return dst, Map{count, len(m.pairs)}
}

// BeginPair begins a pair of the innermost map.
func BeginPair(dst []byte) Pair { return Pair{start: len(dst)} }

// BeginKey begins the pair's key: what is appended until [Pair.EndKey].
func (p *Pair) BeginKey(dst []byte) []byte {
	p.key = len(dst)
	dst, _ = begin(dst)
	return dst
}

// EndKey ends the pair's key.
func (p *Pair) EndKey(dst []byte) {
	Mark(p.key).End(dst)
	p.keyEnd = len(dst)
}

// BeginValue begins the pair's value: what is appended until [Pair.EndValue].
func (p *Pair) BeginValue(dst []byte) { p.value = len(dst) }

// EndValue ends the pair's value.
func (p *Pair) EndValue(dst []byte) { p.valueEnd = len(dst) }

// EndPair ends a pair, and returns its key and value, which lie in dst. No key is the empty key, no value the empty value.
func (m *Maps) EndPair(dst []byte, p Pair) (with, key, value []byte) {
	switch {
	case p.keyEnd == 0:
		p.key, p.keyEnd = p.start, p.start+lengthSize
		dst = slices.Insert(dst, p.start, 0, 0, 0, 0)
	case p.valueEnd != 0 && p.value < p.key:
		m.tmp = append(m.tmp[:0], dst[p.value:p.valueEnd]...)
		n := copy(dst[p.start:], dst[p.key:p.keyEnd])
		copy(dst[p.start+n:], m.tmp)
		p.keyEnd = p.start + n
	}
	if p.valueEnd == 0 {
		dst = AppendEmpty(dst)
	}
	m.pairs = append(m.pairs, span{p.start, p.keyEnd, len(dst)})
	return dst, dst[p.start+lengthSize : p.keyEnd], dst[p.keyEnd:]
}

// DropPair takes back the pair that was ended last.
func (m *Maps) DropPair(dst []byte) []byte {
	last := len(m.pairs) - 1
	dst = dst[:m.pairs[last].start]
	m.pairs = m.pairs[:last]
	return dst
}

// End ends the innermost map: it sorts the pairs by key. The error is [ErrDuplicateKey].
func (m *Maps) End(dst []byte, of Map) ([]byte, error) {
	pairs := m.pairs[of.first:]
	m.pairs = m.pairs[:of.first]
	of.count.EndCount(dst, len(pairs))
	key := func(p span) []byte { return dst[p.start+lengthSize : p.value] }
	sorted := true
	for i := 1; i < len(pairs) && sorted; i++ {
		sorted = bytes.Compare(key(pairs[i-1]), key(pairs[i])) < 0
	}
	if sorted {
		return dst, nil
	}
	slices.SortFunc(pairs, func(a, b span) int { return bytes.Compare(key(a), key(b)) })
	for i := 1; i < len(pairs); i++ {
		if bytes.Equal(key(pairs[i-1]), key(pairs[i])) {
			return dst, ErrDuplicateKey
		}
	}
	body := int(of.count) + lengthSize
	m.tmp = append(m.tmp[:0], dst[body:]...)
	dst = dst[:body]
	for _, p := range pairs {
		dst = append(dst, m.tmp[p.start-body:p.end-body]...)
	}
	return dst, nil
}
