// SPDX-License-Identifier: Apache-2.0

// Package ascii classifies bytes and compares text, ignoring the case of ASCII letters, without allocations.
package ascii

import (
	"strings"
	"unsafe"
)

// Classes of bytes. One table lookup answers what a chain of comparisons would.
const (
	Digit     uint16 = 1 << iota
	LowerCase        // a-z
	UpperCase        // A-Z
	HexDigit         // 0-9 a-f A-F
	Coded            // what a decoded view may show differently
	Unsafe           // what may start a character that is escaped
	NumSep           // what people put between groups of digits
	Ident            // letters, digits, _ - . : what a key name is made of
	Run              // letters, digits, _ - + / = : what tokens and base64 are made of
	Space            // space, tab, CR, LF
	Quote            // " ' `
	Latin            // what Latin letters beyond ASCII, such as ñ, are made of in UTF-8
)

const (
	Alpha = LowerCase | UpperCase
	Alnum = Digit | Alpha
)

// Class holds the classes of every byte.
var Class = func() (t [256]uint16) {
	for c := range 256 {
		b := byte(c)
		switch {
		case b >= '0' && b <= '9':
			t[c] |= Digit | HexDigit | Ident | Run
		case b >= 'a' && b <= 'z':
			t[c] |= LowerCase | Ident | Run
		case b >= 'A' && b <= 'Z':
			t[c] |= UpperCase | Ident | Run
		}
		if b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' {
			t[c] |= HexDigit
		}
	}
	for b := 0x80; b < 0xc0; b++ {
		t[b] |= Latin
	}
	for _, b := range []byte{0xc3, 0xc4, 0xc5, 0xc6, 0xe1} {
		t[b] |= Latin
	}
	for _, b := range []byte("_-.") {
		t[b] |= Ident
	}
	for c := range 256 {
		if b := byte(c); b >= 0x80 || b == '%' || b == '&' || b == '+' || b == '\\' || b == 0x1b || b == 0 || b == '\b' || b == 0x7f {
			t[c] |= Coded
		}
		if b := byte(c); b < 0x20 && b != '\t' || b >= 0x7f && b < 0xa0 || b == 0xc2 || b == 0xe2 {
			t[c] |= Unsafe
		}
	}
	for _, b := range []byte(" -./()_+") {
		t[b] |= NumSep
	}
	for _, b := range []byte("_-+/=") {
		t[b] |= Run
	}
	for _, b := range []byte(" \t\r\n") {
		t[b] |= Space
	}
	for _, b := range []byte("\"'`") {
		t[b] |= Quote
	}
	return t
}()

// Is reports whether s[i] exists and is in one of the classes.
func Is(s string, i int, mask uint16) bool {
	return i >= 0 && i < len(s) && Class[s[i]]&mask != 0
}

// At returns s[i], or 0 outside of s.
func At(s string, i int) byte {
	if i < 0 || i >= len(s) {
		return 0
	}
	return s[i]
}

// Span returns the end of the run of bytes in the classes that starts at i.
func Span(s string, i int, mask uint16) int {
	for i < len(s) && Class[s[i]]&mask != 0 {
		i++
	}
	return i
}

// HexValue returns the value of a hexadecimal digit, or -1.
func HexValue(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case ToLower(b) >= 'a' && ToLower(b) <= 'f':
		return int(ToLower(b)-'a') + 10
	}
	return -1
}

// ToLower folds an ASCII letter.
func ToLower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// HasPrefixFold reports whether s[i:] starts with lit, which is lower case, ignoring ASCII case.
func HasPrefixFold(s string, i int, lit string) bool {
	if i < 0 || len(s)-i < len(lit) {
		return false
	}
	for k := range len(lit) {
		if ToLower(s[i+k]) != lit[k] {
			return false
		}
	}
	return true
}

// HasSuffixFold reports whether s[:end] ends with lit, which is lower case, ignoring ASCII case.
func HasSuffixFold(s string, end int, lit string) bool {
	return HasPrefixFold(s, end-len(lit), lit)
}

// EqualFold reports whether s is lit, which is lower case, ignoring ASCII case.
func EqualFold(s, lit string) bool {
	return len(s) == len(lit) && HasPrefixFold(s, 0, lit)
}

// UnsafeString shows b as a string without copying it. The caller keeps b unchanged for as long as the string is in use.
func UnsafeString(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// LowerString is strings.ToLower for a map lookup without an allocation for what is lower case already.
func LowerString(s string) string {
	for i := range len(s) {
		if Class[s[i]]&UpperCase != 0 {
			return strings.ToLower(s)
		}
	}
	return s
}

// IndexFold returns the first index of lit, lower case, in s, ignoring case, or -1.
func IndexFold(s, lit string) int {
	first := lit[0]
	letter := Class[first]&Alpha != 0
	for i := 0; i+len(lit) <= len(s); i++ {
		if !letter {
			k := strings.IndexByte(s[i:], first)
			if k < 0 {
				return -1
			}
			i += k
		}
		if ToLower(s[i]) == first && HasPrefixFold(s, i, lit) {
			return i
		}
	}
	return -1
}

// ContainsFold reports whether s holds lit, lower case, ignoring case.
func ContainsFold(s, lit string) bool { return IndexFold(s, lit) >= 0 }

// HasAlnum reports whether s holds a letter, a digit or a byte beyond ASCII.
func HasAlnum(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || Class[s[i]]&Alnum != 0 {
			return true
		}
	}
	return false
}

// Glob reports whether s matches the pattern, which is lower case and may hold * and ?.
func Glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == ToLower(s[i])):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
