// SPDX-License-Identifier: Apache-2.0

package original

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// escapes is what is written for a byte of ASCII within a JSON string; "" for the byte itself.
type escapes [utf8.RuneSelf]string

// plainEscapes are those of a text in a JSON string, quotedEscapes those of a text in a JSON string in another one.
var plainEscapes, quotedEscapes = func() (plain, quoted escapes) {
	const digits = "0123456789abcdef"
	for c := range byte(' ') {
		plain[c] = `\u00` + digits[c>>4:c>>4+1] + digits[c&15:c&15+1]
	}
	plain['"'], plain['\\'], plain['\n'], plain['\r'], plain['\t'] = `\"`, `\\`, `\n`, `\r`, `\t`
	for c, text := range plain {
		quoted[c] = quoteOnce(text)
	}
	return plain, quoted
}()

// quoteOnce returns what stands of a text of JSON within a JSON string.
func quoteOnce(text string) string { return quoter.Replace(text) }

var quoter = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

// AppendString appends a text as a JSON string, in UTF-8, with U+FFFD for each byte that is none.
func AppendString[T string | []byte](dst []byte, text T) []byte {
	return append(appendText(append(dst, '"'), text, &plainEscapes), '"')
}

// appendText appends what stands between the quotation marks.
func appendText[T string | []byte](dst []byte, text T, e *escapes) []byte {
	from := 0 // what stands before it is written
	for i := 0; ; {
		i += plain(text[i:])
		if i >= len(text) {
			return append(dst, text[from:]...)
		}
		c := text[i]
		if c < utf8.RuneSelf {
			if e[c] != "" {
				dst = append(append(dst, text[from:i]...), e[c]...)
				from = i + 1
			}
			i++
			continue
		}
		r, size := decodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(append(dst, text[from:i]...), "\uFFFD"...)
			from = i + 1
		}
		i += size
	}
}

// plain returns how many bytes at the beginning of a text are surely written as they are, eight at a time.
func plain[T string | []byte](text T) (n int) {
	const (
		ones = 0x0101010101010101
		high = 0x80 * ones
	)
	for ; len(text)-n >= 8; n += 8 {
		b := text[n : n+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		// The high bit of a byte is set where that is above ASCII, below a space, a quotation mark or a backslash; behind the first such byte
		// it may be set of others.
		if found := (x | (x - ' '*ones) | ((x ^ '"'*ones) - ones) | ((x ^ '\\'*ones) - ones)) & high; found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	return n
}

func decodeRune[T string | []byte](text T) (rune, int) {
	return utf8.DecodeRuneInString(string(text[:min(len(text), utf8.UTFMax)])) // a conversion of so few bytes is no allocation
}
