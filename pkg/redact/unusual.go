// SPDX-License-Identifier: Apache-2.0

package redact

// sawByte notes a byte that asks for a decoded view. After the first one there is nothing left to note.
func sawByte(flag uint8) detector {
	return func(c *scan, _ int) int {
		c.saw |= flag
		return 0
	}
}

// detectControl notes control characters: they are escaped, and ESC may start a sequence that splits a secret.
func detectControl(c *scan, i int) int {
	c.saw |= sawControl
	if c.s[i] == 0x1b || c.s[i] == '\b' || c.s[i] == 0 || c.s[i] == 0x7f {
		c.saw |= sawUnusual
	}
	return 0
}

// detectNonASCII notes bytes beyond ASCII. A text that is already noted for both reasons is not looked at closer.
func detectNonASCII(c *scan, i int) int {
	c.saw |= sawUnusual
	if c.saw&sawControl == 0 && needsEscape(c.s, i) > 0 {
		c.saw |= sawControl
	}
	return 0
}
