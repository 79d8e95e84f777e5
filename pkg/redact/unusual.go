// SPDX-License-Identifier: Apache-2.0

package redact

import "unicode/utf8"

// sawByte notes a byte that asks for a decoded view. After the first one there is nothing left to note.
func sawByte(flag uint8) detector {
	return func(c *scan, _ int) int {
		c.saw |= flag
		return 0
	}
}

// detectSpecial looks through the text from the first byte on that is no printable ASCII, for what a view would fold and for what
// has to be escaped. Escapes count as work: what consists of them is not text, and gets several times as long.
func detectSpecial(c *scan, i int) int {
	s := c.s
	c.saw |= sawSpecial
	escapes := 0
	for i < len(s) {
		b := s[i]
		n, escape := character(s, i)
		if escape {
			escapes++
		}
		if b >= utf8.RuneSelf || b == 0x1b || b == '\b' || b == 0 || b == 0x7f {
			c.saw |= sawUnusual
		}
		i += n
	}
	if escapes > 0 {
		c.saw |= sawControl
		c.w.work -= escapes / escapesOfWork
	}
	return 0
}
