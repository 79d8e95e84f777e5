// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Control characters as other programs write them, with no backslash: rsyslog's #012, less' and cat's ^M and <U+000A>, <0x0a> of
// hexadecimal viewers, _x000A_ of spreadsheets. What they are glued to is a word of its own.

// WrittenControl reads such a control character at i. It returns its length, or 0, and the character.
func WrittenControl(s string, i int) (n int, r rune) {
	switch s[i] {
	case '#':
		if len(s)-i < 4 {
			return 0, 0
		}
		for k := i + 1; k < i+4; k++ {
			if s[k] < '0' || s[k] > '7' {
				return 0, 0
			}
			r = r<<3 | rune(s[k]-'0')
		}
		n = 4
	case '^':
		switch b := ascii.At(s, i+1); {
		case b == 'J' || b == 'M' || b == 'I' || b == '@', b == '[' && strings.IndexByte("[]()", ascii.At(s, i+2)) >= 0: // ^[ begins an expression, too
			return 2, rune(b ^ 0x40)
		}
		return 0, 0
	case '_':
		if ascii.At(s, i+1) != 'x' || ascii.At(s, i+6) != '_' {
			return 0, 0
		}
		n, r = 7, hexAt(s, i+2, 4)
	case '<':
		switch {
		case ascii.HasPrefixFold(s, i, "<0x") && ascii.At(s, i+5) == '>':
			n, r = 6, hexAt(s, i+3, 2)
		case ascii.HasPrefixFold(s, i, "<u+") && ascii.At(s, i+7) == '>':
			n, r = 8, hexAt(s, i+3, 4)
		default:
			return 0, 0
		}
	}
	if r < 0 || r >= 0x20 && r != 0x7f && (r != 0x20 || s[i] == '#') {
		return 0, 0
	}
	return n, r
}

// controls shows the control characters of s as what they are, in the forms that WrittenControl reads.
func (d *Text) controls(s string) {
	d.text, d.segs = d.text[:0], append(d.segs[:0], segment{})
	for i := 0; i < len(s); {
		plain := i
		for i < len(s) {
			k := strings.IndexAny(s[i:], "#^_<")
			if k < 0 {
				i = len(s)
				break
			}
			if i += k; s[i] != '_' || ascii.At(s, i+1) == 'x' {
				break
			}
			i++
		}
		if i > plain {
			d.follow(plain)
			d.text = append(d.text, s[plain:i]...)
		}
		if i == len(s) {
			break
		}
		if n, r := WrittenControl(s, i); n > 0 {
			d.put(i, byte(r))
			i += n
			continue
		}
		d.put(i, s[i])
		i++
	}
	d.follow(len(s))
}
