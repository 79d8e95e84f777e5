// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// base64Value maps both alphabets of RFC 4648 to six bits; 0xff is none of them.
var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	const std = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range len(std) {
		t[std[i]] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}()

// charset is how a text is written in bytes.
type charset uint8

const (
	noText charset = iota
	utf8Text
	utf16LittleEndian // as PowerShell takes its commands
	utf16BigEndian
)

// base64Sample is how many bytes mostly tell whether base64 stands for text.
const base64Sample = 24

// Base64 appends the text that s stands for to dst, as UTF-8 and without its NULs. s may be wrapped in lines. It gives up when that
// is no text, which it mostly knows after a few bytes.
func Base64(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	bits, n := uint32(0), 0
	for i := range len(s) {
		v := base64Value[s[i]]
		if v == 0xff {
			if s[i] == '=' || ascii.Class[s[i]]&ascii.Space != 0 {
				continue
			}
			return dst, false
		}
		bits, n = bits<<6|uint32(v), n+6
		if n < 8 {
			continue
		}
		n -= 8
		dst = append(dst, byte(bits>>n))
		if len(dst)-start == base64Sample && charsetOf(dst[start:]) == noText {
			return dst, false
		}
	}
	raw := dst[start:]
	switch charsetOf(raw) {
	case utf8Text:
		kept := raw[:0]
		for _, b := range raw {
			if b != 0 {
				kept = append(kept, b)
			}
		}
		return dst[:start+len(kept)], true
	case utf16LittleEndian:
		return appendUTF16(dst, start, 0, 1), true
	case utf16BigEndian:
		return appendUTF16(dst, start, 1, 0), true
	}
	return dst, false
}

// charsetOf tells how b is written if it is text. Some bytes that are none are let pass, and NULs between words.
func charsetOf(b []byte) charset {
	if len(b) >= 2 {
		switch {
		case b[0] == 0xff && b[1] == 0xfe:
			return utf16LittleEndian
		case b[0] == 0xfe && b[1] == 0xff:
			return utf16BigEndian
		}
	}
	var zeros [2]int
	odd := 0
	for i := 0; i < len(b) && odd*16 <= len(b)+8; {
		switch c := b[i]; {
		case c == 0:
			zeros[i&1]++
		case c < 0x20 && c != '\n' && c != '\r' && c != '\t', c == 0x7f:
			odd++
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && utf8.FullRune(b[i:]) {
				odd++
			}
			i += n
			continue
		}
		i++
	}
	switch all := zeros[0] + zeros[1]; {
	case odd*16 > len(b)+8:
		return noText
	case all*3 <= len(b):
		return utf8Text
	case zeros[1] > 4*zeros[0]:
		return utf16LittleEndian
	case zeros[0] > 4*zeros[1]:
		return utf16BigEndian
	case all*2 <= len(b)+1:
		return utf8Text
	}
	return noText
}

// appendUTF16 puts UTF-8 in the place of the UTF-16 in dst from start on. low and high are where the bytes of a unit stand.
func appendUTF16(dst []byte, start, low, high int) []byte {
	end := len(dst)
	for i := start; i+1 < end; i += 2 {
		r := rune(dst[i+low]) | rune(dst[i+high])<<8
		if utf16.IsSurrogate(r) && i+3 < end {
			if pair := utf16.DecodeRune(r, rune(dst[i+2+low])|rune(dst[i+2+high])<<8); pair != utf8.RuneError {
				r, i = pair, i+2
			}
		}
		if r != 0 && r != 0xfeff {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst[:start], dst[end:]...)
}

// minWrapped is the shortest line that is taken for one of several.
const minWrapped = 40

// WrappedEnd returns the end of the base64 that starts with the line s[start:end] and goes on in the next ones: lines as long as the
// first, and a last one that may be shorter.
func WrappedEnd(s string, start, end int) int {
	width := end - start
	if width < minWrapped {
		return end
	}
	for {
		next := end
		if ascii.At(s, next) == '\r' {
			next++
		}
		if ascii.At(s, next) != '\n' {
			return end
		}
		for next++; ascii.At(s, next) == ' ' || ascii.At(s, next) == '\t'; next++ {
		}
		stop := next
		for stop < len(s) && stop-next <= width && base64Value[s[stop]] != 0xff {
			stop++
		}
		for ascii.At(s, stop) == '=' {
			stop++
		}
		if n := stop - next; n == 0 || n > width || stop < len(s) && ascii.Class[s[stop]]&(ascii.Space|ascii.Quote) == 0 && n < width {
			return end
		}
		if end = stop; stop-next < width {
			return end
		}
	}
}
