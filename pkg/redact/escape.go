// SPDX-License-Identifier: Apache-2.0

package redact

import "unicode/utf8"

// needsEscape returns the length of the character at i if it can forge record boundaries, drive a terminal or reorder
// what is shown: C0 without tab, DEL, C1, line and paragraph separators, bidirectional overrides. Otherwise 0.
func needsEscape(s string, i int) int {
	b := s[i]
	switch {
	case b < 0x20:
		if b == '\t' {
			return 0
		}
		return 1
	case b < 0x7f:
		return 0
	case b == 0x7f:
		return 1
	case b < 0xa0:
		// A byte that is part of no UTF-8 sequence: some terminals take it as C1.
		for k := i - 1; k >= 0 && k > i-utf8.UTFMax; k-- {
			if _, n := utf8.DecodeRuneInString(s[k:]); n > i-k {
				return 0
			}
		}
		return 1
	case b == 0xc2:
		if n := at(s, i+1); n >= 0x80 && n <= 0x9f {
			return 2
		}
	case b == 0xe2:
		switch n := at(s, i+2); at(s, i+1) {
		case 0x80: // U+2028 to U+202E
			if n >= 0xa8 && n <= 0xae {
				return 3
			}
		case 0x81: // U+2066 to U+2069
			if n >= 0xa6 && n <= 0xa9 {
				return 3
			}
		}
	}
	return 0
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends s to dst with such characters written as escapes, as in \n, \x1b and \u202e.
func appendEscaped(dst []byte, s string) []byte {
	done := 0
	for i := 0; i < len(s); {
		if class[s[i]]&isUnsafe == 0 {
			i++
			continue
		}
		n := needsEscape(s, i)
		if n == 0 {
			i++
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
