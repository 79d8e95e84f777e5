// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// minByteList is the shortest list, in numbers, that is taken for bytes.
const minByteList = 6

// IsByteList reports whether a list of numbers that may be bytes stands at s[i].
func IsByteList(s string, i int) bool { return byteList(s, i, nil) > 0 }

// byteList reads a list of at least minByteList numbers from -128 (as Java has bytes) to 255 at s[i], between commas or spaces, and
// returns where it ends: at its bracket, or with the text, which may have been cut off. It returns 0 if it is something else. put,
// unless nil, is given the place of each number and its byte.
func byteList(s string, i int, put func(at int, b byte)) (end int) {
	if ascii.At(s, i) != '[' {
		return 0
	}
	i++
	for n := 0; ; n++ {
		i = ascii.Span(s, i, ascii.Space)
		if i == len(s) || s[i] == ']' {
			if n >= minByteList {
				return i
			}
			return 0
		}
		start, value, limit := i, 0, 255
		if s[i] == '-' {
			i, limit = i+1, 128
		}
		digits := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' && i-digits < 3 {
			value = 10*value + int(s[i]-'0')
			i++
		}
		if i == digits || value > limit {
			return 0
		}
		if put != nil {
			if digits > start {
				value = -value
			}
			put(start, byte(value))
		}
		separator := ascii.Span(s, i, ascii.Space)
		if ascii.At(s, separator) == ',' {
			separator++
		}
		if separator == i && i < len(s) && s[i] != ']' {
			return 0
		}
		i = separator
	}
}

// byteLists shows the lists of numbers in s as what they spell.
func (d *Text) byteLists(s string) {
	for i := 0; i < len(s); {
		plain := i
		if open := strings.IndexByte(s[i:], '['); open >= 0 {
			i += open + 1
		} else {
			i = len(s)
		}
		d.follow(plain)
		d.text = append(d.text, s[plain:i]...)
		if end := byteList(s, i-1, nil); end > 0 {
			byteList(s, i-1, d.put)
			i = end
		}
	}
	d.follow(len(s))
}
