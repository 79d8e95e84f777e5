// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"math/bits"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Character returns the length of the character at i, and whether it is to be escaped because it can forge record boundaries,
// drive a terminal or reorder what is shown: C0 without tab, DEL, C1, line and paragraph separators, bidirectional overrides. A
// byte that is part of no UTF-8 sequence is a character; some terminals take it as C1.
func Character(s string, i int) (n int, escape bool) {
	b := s[i]
	if b < utf8.RuneSelf {
		return 1, ascii.Class[b]&ascii.Unsafe != 0
	}
	// Most are told without decoding: what follows the first byte does, but for four first bytes whose second has a range of its own.
	switch next, third := ascii.At(s, i+1), ascii.At(s, i+2); {
	case b < 0xc2: // no first byte
		return 1, b < 0xa0
	case b >= 0xc2 && b < 0xe0 && next&0xc0 == 0x80:
		return 2, b == 0xc2 && next < 0xa0
	case b > 0xe0 && b < 0xf0 && b != 0xed && next&0xc0 == 0x80 && third&0xc0 == 0x80:
		return 3, b == 0xe2 && (next == 0x80 && third >= 0xa8 && third <= 0xae || next == 0x81 && third >= 0xa6 && third <= 0xa9)
	}
	_, n = utf8.DecodeRuneInString(s[i:])
	return n, n == 1 && b < 0xa0
}

// Printable returns the end of the printable ASCII at i: what is looked through eight bytes at a time, as most of a text is.
func Printable(s string, i int) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(s); i += 8 {
		w := s[i : i+8]
		x := uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 | uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
		low := x &^ high
		// The high bits say which bytes are below a space, DEL or above, or beyond ASCII. No addition carries into the next byte.
		if odd := (^(low + (0x80-' ')*each) | (low + each) | x) & high; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	return i
}

const hexDigits = "0123456789abcdef"

// AppendEscaped appends s to dst with such characters written as escapes, as in \n, \x1b and \u202e.
func AppendEscaped(dst []byte, s string) []byte {
	done := 0
	for i := 0; ; {
		if i = Printable(s, i); i == len(s) {
			break
		}
		n, escape := Character(s, i)
		if !escape {
			i += n
			continue
		}
		dst = append(dst, s[done:i]...)
		switch {
		case s[i] == '\n':
			dst = append(dst, '\\', 'n')
		case s[i] == '\r':
			dst = append(dst, '\\', 'r')
		case n == 1:
			dst = append(dst, '\\', 'x', hexDigits[s[i]>>4], hexDigits[s[i]&15])
		default:
			r, _ := utf8.DecodeRuneInString(s[i:])
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
		i += n
		done = i
	}
	return append(dst, s[done:]...)
}
