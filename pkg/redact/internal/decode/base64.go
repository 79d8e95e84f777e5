// SPDX-License-Identifier: Apache-2.0

package decode

import "strings"

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

// Base64 appends what s stands for to dst. It gives up when that is not text, which it mostly knows after a few
// bytes.
func Base64(dst []byte, s string) ([]byte, bool) {
	s = strings.TrimRight(s, "=")
	bits, n := uint32(0), 0
	odd, zeros := 0, 0
	for i := 0; i < len(s) && len(dst) < maxDecoded; i++ {
		v := base64Value[s[i]]
		if v == 0xff {
			return dst, false
		}
		bits, n = bits<<6|uint32(v), n+6
		if n < 8 {
			continue
		}
		n -= 8
		b := byte(bits >> n)
		if b == 0 && len(dst) > zeros {
			zeros++ // UTF-16, as PowerShell takes its commands
			continue
		}
		if b < 0x20 && b != '\n' && b != '\r' && b != '\t' || b >= 0x7f {
			if odd++; odd*16 > len(dst)+8 {
				return dst, false
			}
		}
		dst = append(dst, b)
	}
	return dst, true
}

// maxDecoded is how much of a base64 text is decoded, in bytes.
const maxDecoded = 1 << 16
