// SPDX-License-Identifier: Apache-2.0

package redact

import "unsafe"

// Byte classes. One table lookup answers what a chain of comparisons would.
const (
	isDigit    uint16 = 1 << iota
	isLower           // a-z
	isUpper           // A-Z
	isHexDigit        // 0-9 a-f A-F
	isCoded           // what a decoded view may show differently
	isUnsafe          // what may start a character that is escaped
	isNumSep          // what people put between groups of digits
	isIdent           // letters, digits, _ - . : what a key name is made of
	isRun             // letters, digits, _ - + / = : what tokens and base64 are made of
	isSpace           // space, tab, CR, LF
	isQuote           // " ' `
)

const (
	isAlpha = isLower | isUpper
	isAlnum = isDigit | isAlpha
)

var class = func() (t [256]uint16) {
	for c := range 256 {
		b := byte(c)
		switch {
		case b >= '0' && b <= '9':
			t[c] |= isDigit | isHexDigit | isIdent | isRun
		case b >= 'a' && b <= 'z':
			t[c] |= isLower | isIdent | isRun
		case b >= 'A' && b <= 'Z':
			t[c] |= isUpper | isIdent | isRun
		}
		if b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' {
			t[c] |= isHexDigit
		}
	}
	for _, b := range []byte("_-.") {
		t[b] |= isIdent
	}
	for c := range 256 {
		if b := byte(c); b >= 0x80 || b == '%' || b == '&' || b == '+' || b == '\\' || b == 0x1b || b == 0 || b == '\b' || b == 0x7f {
			t[c] |= isCoded
		}
		if b := byte(c); b < 0x20 && b != '\t' || b >= 0x7f && b < 0xa0 || b == 0xc2 || b == 0xe2 {
			t[c] |= isUnsafe
		}
	}
	for _, b := range []byte(" -./()_+") {
		t[b] |= isNumSep
	}
	for _, b := range []byte("_-+/=") {
		t[b] |= isRun
	}
	for _, b := range []byte(" \t\r\n") {
		t[b] |= isSpace
	}
	for _, b := range []byte("\"'`") {
		t[b] |= isQuote
	}
	return t
}()

// is reports whether s[i] exists and is in one of the classes.
func is(s string, i int, mask uint16) bool {
	return i >= 0 && i < len(s) && class[s[i]]&mask != 0
}

// at returns s[i], or 0 outside of s.
func at(s string, i int) byte {
	if i < 0 || i >= len(s) {
		return 0
	}
	return s[i]
}

// spanOf returns the end of the run of bytes in the classes that starts at i.
func spanOf(s string, i int, mask uint16) int {
	for i < len(s) && class[s[i]]&mask != 0 {
		i++
	}
	return i
}

// lower folds an ASCII letter.
func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// foldPrefix reports whether s[i:] starts with lit, which is lower case, ignoring ASCII case.
func foldPrefix(s string, i int, lit string) bool {
	if i < 0 || len(s)-i < len(lit) {
		return false
	}
	for k := range len(lit) {
		if lower(s[i+k]) != lit[k] {
			return false
		}
	}
	return true
}

// foldSuffix reports whether s[:end] ends with lit, which is lower case, ignoring ASCII case.
func foldSuffix(s string, end int, lit string) bool {
	return foldPrefix(s, end-len(lit), lit)
}

// foldEqual reports whether s is lit, which is lower case, ignoring ASCII case.
func foldEqual(s, lit string) bool {
	return len(s) == len(lit) && foldPrefix(s, 0, lit)
}

// view shows b as a string without copying it. The caller keeps b unchanged for as long as the string is in use.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}
