// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/seal/finding"
)

// maxJSONDepth bounds the nesting of JSON values that are skipped, and with seal.MaxDepth (values) the recursion of this
// package: a deeper line is malformed, whatever its size.
const maxJSONDepth = 512

// jsonScanner reads JSON text strictly, in one pass and without building a tree.
//
// It knows two kinds of fault. Broken syntax ends the whole frame: nothing after it can be trusted to mean what it seems to
// mean (fatal). Anything that is well-formed JSON but not what OTLP allows, or that two parsers would read differently,
// condemns only the record it is in (fault); the scanner steps over it and goes on.
type jsonScanner struct {
	data  []byte
	pos   int
	fatal finding.Reason // why the frame cannot be read, empty while it can
	fault finding.Reason // the first fault of the thing being read; whoever reads that thing takes and clears it
}

func (s *jsonScanner) die(reason finding.Reason) {
	if s.fatal == "" {
		s.fatal = reason
	}
}

func (s *jsonScanner) blame(reason finding.Reason) {
	if s.fault == "" {
		s.fault = reason
	}
}

// next skips white space and returns the byte there, 0 at the end.
func (s *jsonScanner) next() byte {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
		s.pos++
	}
	return 0
}

// open enters an object ('{') or array ('['). When the value is of another kind, it is blamed and stepped over.
func (s *jsonScanner) open(kind byte) bool {
	if s.next() == kind {
		s.pos++
		return true
	}
	s.blame(finding.WrongType)
	s.skip(0)
	return false
}

// member moves to the next member's value and returns its name as it is written, without undoing escapes: no
// name in OTLP needs any. It returns false at the end of the object, and when the frame is broken.
func (s *jsonScanner) member(first bool) ([]byte, bool) {
	if s.fatal != "" {
		return nil, false
	}
	c := s.next()
	if c == '}' {
		s.pos++
		return nil, false
	}
	if !first {
		if c != ',' {
			s.die(finding.BrokenJSON)
			return nil, false
		}
		s.pos++
		c = s.next()
	}
	if c != '"' {
		s.die(finding.BrokenJSON)
		return nil, false
	}
	name, _, ok := s.rawString()
	if !ok {
		return nil, false
	}
	if s.next() != ':' {
		s.die(finding.BrokenJSON)
		return nil, false
	}
	s.pos++
	return name, true
}

// element moves to the next element of an array. It returns false at its end, and when the frame is broken.
func (s *jsonScanner) element(first bool) bool {
	if s.fatal != "" {
		return false
	}
	c := s.next()
	if c == ']' {
		s.pos++
		return false
	}
	if first {
		return true
	}
	if c != ',' {
		s.die(finding.BrokenJSON)
		return false
	}
	s.pos++
	return true
}

// once reports a member's first appearance in its object, and blames and steps over any other.
func (s *jsonScanner) once(seen *uint32, bit uint32) bool {
	if *seen&bit == 0 {
		*seen |= bit
		return true
	}
	s.blame(finding.MemberRepeated)
	s.skip(0)
	return false
}

func (s *jsonScanner) unknown() {
	s.blame(finding.MemberUnknown)
	s.skip(0)
}

// cut reports whether the text, which is broken, is the beginning of what is not: whether it is at its end that it broke.
func (s *jsonScanner) cut() bool {
	rest := string(s.data[s.pos:])
	return s.fatal == finding.BrokenJSON && (strings.HasPrefix("true", rest) || strings.HasPrefix("false", rest) || strings.HasPrefix("null", rest))
}

// skip steps over one value of any kind, checking its grammar.
func (s *jsonScanner) skip(depth int) {
	if depth > maxJSONDepth {
		s.die(finding.TooDeep)
		return
	}
	switch c := s.next(); {
	case c == '"':
		s.rawString()
	case c == '{':
		s.pos++
		for first := true; ; first = false {
			if _, more := s.member(first); !more {
				return
			}
			s.skip(depth + 1)
			if s.fatal != "" {
				return
			}
		}
	case c == '[':
		s.pos++
		for first := true; s.element(first); first = false {
			s.skip(depth + 1)
			if s.fatal != "" {
				return
			}
		}
	case c == '-' || '0' <= c && c <= '9':
		s.number()
	case c == 't':
		s.word("true")
	case c == 'f':
		s.word("false")
	case c == 'n':
		s.word("null")
	default:
		s.die(finding.BrokenJSON)
	}
}

func (s *jsonScanner) word(w string) bool {
	if len(s.data)-s.pos >= len(w) && string(s.data[s.pos:s.pos+len(w)]) == w {
		s.pos += len(w)
		return true
	}
	s.die(finding.BrokenJSON)
	return false
}

// number reads the text of a JSON number, by the grammar of RFC 8259.
func (s *jsonScanner) number() []byte {
	start := s.pos
	digits := func() bool {
		from := s.pos
		for s.pos < len(s.data) && s.data[s.pos]-'0' <= 9 {
			s.pos++
		}
		return s.pos > from
	}
	at := func(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }
	if at('-') {
		s.pos++
	}
	ok := true
	if at('0') {
		s.pos++
	} else {
		ok = digits()
	}
	if ok && at('.') {
		s.pos++
		ok = digits()
	}
	if ok && (at('e') || at('E')) {
		s.pos++
		if at('+') || at('-') {
			s.pos++
		}
		ok = digits()
	}
	if !ok {
		s.die(finding.BrokenJSON)
		return nil
	}
	return s.data[start:s.pos]
}

// Bits of what rawString saw in a string.
const (
	sawEscape = 1 << iota
	sawNonASCII
	sawControl
)

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special returns a word with the high bit set in every byte of w that is a quote, a backslash, a control character or not
// ASCII. Bytes after the first such byte may be marked without cause (the subtraction borrows), which the caller allows for.
func special(w uint64) uint64 {
	quote := w ^ (lows * '"')
	slash := w ^ (lows * '\\')
	return ((quote-lows)&^quote | (slash-lows)&^slash | (w-lows*' ')&^w | w) & highs
}

// rawString reads a string and returns what is between its quotes, with escapes not undone, and what it holds.
func (s *jsonScanner) rawString() (raw []byte, saw int, ok bool) {
	data := s.data
	i := s.pos + 1
	start := i
	for {
		for i+8 <= len(data) {
			m := special(binary.LittleEndian.Uint64(data[i:]))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(data) {
			s.pos = len(data)
			s.die(finding.BrokenJSON)
			return nil, saw, false
		}
		switch c := data[i]; {
		case c == '"':
			s.pos = i + 1
			return data[start:i], saw, true
		case c == '\\':
			saw |= sawEscape
			i++ // whatever is escaped is not the end
		case c >= utf8.RuneSelf:
			saw |= sawNonASCII
		case c < ' ':
			saw |= sawControl
		}
		i++
	}
}

// text reads a string value and appends its meaning to dst. Text that is not valid Unicode is blamed.
func (s *jsonScanner) text(dst []byte) []byte {
	if s.next() != '"' {
		s.blame(finding.WrongType)
		s.skip(0)
		return dst
	}
	raw, saw, ok := s.rawString()
	if !ok || saw == 0 {
		return append(dst, raw...)
	}
	if saw&sawControl != 0 {
		s.blame(finding.ControlCharacter)
		return dst
	}
	if saw&sawNonASCII != 0 && !utf8.Valid(raw) {
		s.blame(finding.InvalidUTF8)
		return dst
	}
	if saw&sawEscape == 0 {
		return append(dst, raw...)
	}
	for {
		plain := bytes.IndexByte(raw, '\\')
		if plain < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:plain]...)
		raw = raw[plain:]
		c := raw[1] // rawString has seen a byte after every backslash
		switch c {
		case '"', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, n := unescapeRune(raw)
			if n == 0 {
				s.blame(finding.BadEscape)
				return dst
			}
			dst = utf8.AppendRune(dst, r)
			raw = raw[n:]
			continue
		default:
			s.blame(finding.BadEscape)
			return dst
		}
		dst = append(dst, c)
		raw = raw[2:]
	}
}

// unescapeRune undoes \uXXXX, or a surrogate pair of two, at the start of raw. n is 0 when that is not a Unicode character.
func unescapeRune(raw []byte) (r rune, n int) {
	r, ok := hex4(raw)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := hex4(raw[6:])
	if !ok {
		return 0, 0
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, 0 // a pair never encodes U+FFFD: it is below the range of pairs
	}
	return r, 12
}

func hex4(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range raw[2:6] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// integer reads a whole number, written as a number or (as 64-bit integers are in OTLP/JSON) as a decimal string, in the one
// way a writer would write it: no plus sign, no leading zero, no fraction or exponent.
func (s *jsonScanner) integer(limit int) (magnitude uint64, negative bool) {
	var raw []byte
	switch c := s.next(); {
	case c == '"':
		raw, _, _ = s.rawString()
	case c == '-' || '0' <= c && c <= '9':
		raw = s.number()
	default:
		s.blame(finding.WrongType)
		s.skip(0)
		return 0, false
	}
	if s.fatal != "" {
		return 0, false
	}
	digits := raw
	if len(digits) > 0 && digits[0] == '-' {
		negative = true
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' || len(digits) > limit {
		s.blame(finding.BadNumber)
		return 0, false
	}
	for _, c := range digits {
		if c -= '0'; c > 9 {
			s.blame(finding.BadNumber)
			return 0, false
		}
		// At most 20 digits come here; the only overflow is in the last one.
		hi, lo := bits.Mul64(magnitude, 10)
		sum, carry := bits.Add64(lo, uint64(c), 0)
		if hi != 0 || carry != 0 {
			s.blame(finding.NumberOutOfRange)
			return 0, false
		}
		magnitude = sum
	}
	if negative && magnitude == 0 {
		s.blame(finding.BadNumber)
	}
	return magnitude, negative
}

func (s *jsonScanner) uint64() uint64 {
	v, negative := s.integer(20)
	if negative {
		s.blame(finding.NumberOutOfRange)
	}
	return v
}

func (s *jsonScanner) uint32() uint32 {
	v := s.uint64()
	if v > 1<<32-1 {
		s.blame(finding.NumberOutOfRange)
	}
	return uint32(v)
}

func (s *jsonScanner) int64() int64 {
	v, negative := s.integer(19)
	switch {
	case negative && v <= 1<<63:
		return -int64(v)
	case !negative && v < 1<<63:
		return int64(v)
	}
	s.blame(finding.NumberOutOfRange)
	return 0
}

// enum reads the number of an enum. It is no string: readers take one for a name, and that of none for 0.
func (s *jsonScanner) enum() int32 {
	if s.next() == '"' {
		s.blame(finding.WrongType)
		s.skip(0)
		return 0
	}
	v := s.int64()
	if int64(int32(v)) != v {
		s.blame(finding.NumberOutOfRange)
	}
	return int32(v)
}

func (s *jsonScanner) bool() bool {
	switch s.next() {
	case 't':
		return s.word("true")
	case 'f':
		s.word("false")
		return false
	}
	s.blame(finding.WrongType)
	s.skip(0)
	return false
}

// float64 reads a number, or one of the three words that JSON has no number for.
func (s *jsonScanner) float64() float64 {
	var raw []byte
	switch c := s.next(); {
	case c == '"':
		raw, _, _ = s.rawString()
		switch string(raw) {
		case "NaN", "Infinity", "-Infinity":
		default:
			s.blame(finding.BadNumber)
			return 0
		}
	case c == '-' || '0' <= c && c <= '9':
		raw = s.number()
	default:
		s.blame(finding.WrongType)
		s.skip(0)
		return 0
	}
	if s.fatal != "" {
		return 0
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		s.blame(finding.NumberOutOfRange)
	}
	return v
}

// hexID reads a trace or span id, in hexadecimal, into dst. An empty string is an absent id, and so are all zeros.
func (s *jsonScanner) hexID(dst []byte) {
	if s.next() != '"' {
		s.blame(finding.WrongType)
		s.skip(0)
		return
	}
	raw, _, ok := s.rawString()
	if !ok || len(raw) == 0 {
		return
	}
	if len(raw) != 2*len(dst) {
		s.blame(finding.BadTraceID)
		return
	}
	for i := range dst {
		hi, lo := unhex[raw[2*i]], unhex[raw[2*i+1]]
		if hi|lo > 15 {
			s.blame(finding.BadTraceID)
			return
		}
		dst[i] = hi<<4 | lo
	}
}

// unhex is the value of each hexadecimal digit, 255 for any other byte.
var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()
