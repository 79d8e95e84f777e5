// SPDX-License-Identifier: Apache-2.0

// Package decode takes layers of encoding off a text, and tells where each byte of what comes out stood in it.
package decode

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Text is a text with layers of encoding taken off, and where its bytes came from.
type Text struct {
	text []byte
	segs []segment
}

// String returns the text, which is valid until the next call of Decode.
func (d *Text) String() string { return ascii.UnsafeString(d.text) }

// segment says that the text from text on was copied from the source at src on.
type segment struct{ text, src int }

// follow starts a segment if the next byte does not come from right behind the last one.
func (d *Text) follow(src int) {
	if last := d.segs[len(d.segs)-1]; last.src+len(d.text)-last.text != src {
		d.segs = append(d.segs, segment{len(d.text), src})
	}
}

// put adds a byte that stands for what is at src in the source.
func (d *Text) put(src int, b byte) {
	d.follow(src)
	d.text = append(d.text, b)
}

// Source returns where the byte of the text at i came from.
func (d *Text) Source(i int) int {
	k := sort.Search(len(d.segs), func(k int) bool { return d.segs[k].text > i }) - 1
	return d.segs[k].src + i - d.segs[k].text
}

// Part returns the next part of the text, from i on, with something that was decoded and at least reach bytes before and behind that. It
// begins and ends with a line, or else at a blank, if there is such a place within as many bytes again. ok is false if nothing was decoded
// from i on.
func (d *Text) Part(i, reach int) (start, end int, ok bool) {
	k := max(1, sort.Search(len(d.segs), func(k int) bool { return d.segs[k].text >= i }))
	if k >= len(d.segs) {
		return 0, 0, false
	}
	first := d.segs[k].text
	last := first
	for k++; k < len(d.segs) && d.segs[k].text-last < 4*reach; k++ {
		last = d.segs[k].text
	}
	s := d.String()
	if at := first - reach; at > 0 {
		start = max(0, at-reach)
		before := s[start:at]
		if k := strings.LastIndexByte(before, '\n'); k >= 0 {
			start += k + 1
		} else {
			start += strings.LastIndexByte(before, ' ') + 1
		}
	}
	if end = last + reach; end >= len(s) {
		return start, len(s), true
	}
	behind := s[end:min(len(s), end+reach)]
	if k := strings.IndexByte(behind, '\n'); k >= 0 {
		return start, end + k, true
	}
	if k := strings.IndexByte(behind, ' '); k >= 0 {
		return start, end + k, true
	}
	return start, end + len(behind), true
}

// Place returns where in the text the byte of the source at i is, or the next one that came out.
func (d *Text) Place(i int) int {
	k := sort.Search(len(d.segs), func(k int) bool { return d.segs[k].src > i }) - 1
	if k < 0 {
		return 0
	}
	end := len(d.text)
	if k+1 < len(d.segs) {
		end = d.segs[k+1].text
	}
	return min(d.segs[k].text+i-d.segs[k].src, end)
}

// PlaceOfEnd returns where in the text what came out of the source up to i ends: without what came out of an escape that i is in the middle of.
func (d *Text) PlaceOfEnd(i int) int {
	at := d.Place(i)
	for at > 0 && d.Source(at) > i {
		at--
	}
	return at
}

// Coding is a way to write characters with others.
type Coding uint8

const (
	Backslashes     Coding = iota // as in JSON and source code
	Percents                      // as in URLs
	Entities                      // as in HTML and XML
	ByteLists                     // bytes as a list of numbers
	Controls                      // control characters as other programs write them
	DoubledQuotes                 // as in CSV and SQL
	QuotedPrintable               // as in mail
	NumCodings
)

// Decode takes one layer off s: what is written in this coding, and with Backslashes, Percents and Entities terminal sequences and
// folding, too.
func (d *Text) Decode(s string, how Coding) {
	d.text, d.segs = d.text[:0], append(d.segs[:0], segment{})
	switch how {
	case Controls:
		d.controls(s)
		return
	case ByteLists:
		d.byteLists(s)
		return
	case DoubledQuotes:
		d.doubledQuotes(s)
		return
	case QuotedPrintable:
		d.quotedPrintable(s)
		return
	}
	arguments := unknown
	for i := 0; i < len(s); {
		plain := i
		for i < len(s) && ascii.Class[s[i]]&ascii.Coded == 0 {
			i++
		}
		if i > plain {
			d.follow(plain)
			d.text = append(d.text, s[plain:i]...)
		}
		if i == len(s) {
			break
		}
		b := s[i]
		switch {
		case b == '%' && how == Percents:
			if n, r, raw := percentEscape(s, i); n > 0 {
				d.emit(i, r, raw)
				i += n
				continue
			}
		case b == '+' && how == Percents:
			b = ' ' // as forms encode it
		case b == '\\' && how == Backslashes:
			if n, r, raw := backslashEscape(s, i); n > 0 {
				d.emit(i, r, raw)
				i += n
				continue
			}
		case b == '&' && how == Entities:
			if n, r := entity(s, i); n > 0 {
				d.emit(i, r, false)
				i += n
				continue
			}
		case b == 0x1b:
			i += ansiLen(s, i)
			continue
		case b == 0 && separatesArguments(s, &arguments):
			b = ' '
		case b == 0 || b == '\b' || b == 0x7f:
			i++
			continue
		case b >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1 && b >= 0xa0:
				d.put(i, b)
			case r == utf8.RuneError && n == 1, r < 0xa0:
				n = c1Len(s, i, n)
			default:
				d.fold(i, r, s[i:i+n])
			}
			i += n
			continue
		}
		d.put(i, b)
		i++
	}
	d.follow(len(s))
}

// Whether a text is the arguments of a program with NUL behind each, as in /proc/PID/cmdline.
const (
	unknown uint8 = iota
	yes
	no
)

// separatesArguments reports whether NUL separates words in s: an option comes behind one, and not every second byte is NUL, as in UTF-16.
// Elsewhere it stands for nothing. The answer is kept in known.
func separatesArguments(s string, known *uint8) bool {
	if *known == unknown {
		*known = no
		if strings.Contains(s, "\x00-") && !strings.Contains(s, "\x00-\x00") {
			*known = yes
		}
	}
	return *known == yes
}

// emit adds what an escape at off stands for: a character, or a raw byte.
func (d *Text) emit(off int, r rune, raw bool) {
	if raw && (r < utf8.RuneSelf || r > 0xa0 || len(d.text) > 0 && d.text[len(d.text)-1] >= utf8.RuneSelf) {
		d.put(off, byte(r))
		return
	}
	var buf [utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], r)
	d.fold(off, r, ascii.UnsafeString(buf[:n]))
}

// fold adds the character r, written as text, in the form that detectors know.
func (d *Text) fold(off int, r rune, text string) {
	switch {
	case r < utf8.RuneSelf:
	case invisible(r):
		return
	case r == 0xa0 || r == 0x1680 || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000:
		r = ' '
	case r >= 0x2010 && r <= 0x2015 || r == 0x2043 || r == 0x2212 || r == 0xfe58 || r == 0xfe63:
		r = '-'
	case r == 0x2502 || r == 0x2503 || r == 0x2551 || r == 0xff5c:
		r = '|' // the columns of a table
	case r == 0x2024 || r == 0x3002 || r == 0xff61 || r == 0xb7:
		r = '.'
	case r >= 0xff01 && r <= 0xff5e:
		r -= 0xff01 - '!'
	default:
		if v, ok := digitValue(r); ok {
			r = '0' + v
		}
	}
	if r < utf8.RuneSelf {
		d.put(off, byte(r))
		return
	}
	for k := range len(text) {
		d.put(off, text[k])
	}
}

// invisible reports whether a character is not seen, and so can split a secret without showing.
func invisible(r rune) bool {
	switch {
	case r >= 0x80 && r < 0xa0: // C1 controls
		return true
	case r == 0xad || r == 0x34f || r == 0x61c || r == 0x180e || r == 0xfeff:
		return true
	case r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r >= 0xfe00 && r <= 0xfe0f:
		return true
	case r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

// digitValue returns the value of a decimal digit of any script: they come in runs of ten.
func digitValue(r rune) (rune, bool) {
	if !unicode.IsDigit(r) {
		return 0, false
	}
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10, true
		}
	}
	return 0, false
}

// hexAt reads n hexadecimal digits at i, or returns -1.
func hexAt(s string, i, n int) rune {
	if len(s)-i < n {
		return -1
	}
	v := rune(0)
	for k := range n {
		h := ascii.HexValue(s[i+k])
		if h < 0 {
			return -1
		}
		v = v<<4 | rune(h)
	}
	return v
}

// percentEscape reads %XX or %uXXXX at i. It returns its length, or 0, and the byte or character it stands for.
func percentEscape(s string, i int) (n int, r rune, raw bool) {
	if ascii.ToLower(ascii.At(s, i+1)) == 'u' {
		if r := hexAt(s, i+2, 4); r >= 0 {
			return 6, r, false
		}
		return 0, 0, false
	}
	if r := hexAt(s, i+1, 2); r >= 0 && !windowsVariable(s, i) {
		return 3, r, true
	}
	return 0, 0, false
}

// windowsVariable reports whether a reference to a variable is at i: %DB_PASSWORD%. One without an underscore may be an escape.
func windowsVariable(s string, i int) bool {
	if ascii.At(s, i+3) < 'A' {
		return false
	}
	k := i + 1
	for k < len(s) && (ascii.Class[s[k]]&(ascii.UpperCase|ascii.Digit) != 0 || s[k] == '_') {
		k++
	}
	return ascii.At(s, k) == '%' && strings.IndexByte(s[i:k], '_') > 0
}

// backslashEscape reads an escape of JSON, C or Go at i. It returns its length, or 0, and the byte or character it stands
// for.
func backslashEscape(s string, i int) (n int, r rune, raw bool) {
	switch b := ascii.At(s, i+1); b {
	case '"', '\'', '\\', '/', '`':
		return 2, rune(b), true
	case 'n':
		return 2, '\n', true
	case 'r':
		return 2, '\r', true
	case 't':
		return 2, '\t', true
	case 'x':
		if r := hexAt(s, i+2, 2); r >= 0 {
			return 4, r, true
		}
	case 'e':
		return 2, 0x1b, true
	case 'u':
		if at := i + 3; ascii.At(s, i+2) == '{' { // of Rust, Ruby and Swift
			for k := at; k-at <= 6 && k < len(s); k++ {
				if s[k] == '}' && k > at {
					return k + 1 - i, hexAt(s, at, k-at), false
				}
			}
			return 0, 0, false
		}
		r := hexAt(s, i+2, 4)
		if r < 0 {
			return 0, 0, false
		}
		if r >= 0xd800 && r < 0xdc00 && ascii.At(s, i+6) == '\\' && ascii.At(s, i+7) == 'u' {
			if low := hexAt(s, i+8, 4); low >= 0xdc00 && low < 0xe000 {
				return 12, (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, false
			}
		}
		return 6, r, false
	case '0', '1', '2', '3':
		if b == '0' && !ascii.Is(s, i+2, ascii.Digit) {
			return 2, 0, true
		}
		if ascii.At(s, i+2) >= '0' && ascii.At(s, i+2) <= '7' && ascii.At(s, i+3) >= '0' && ascii.At(s, i+3) <= '7' {
			return 4, rune(b-'0')<<6 | rune(s[i+2]-'0')<<3 | rune(s[i+3]-'0'), true
		}
		// A line's end as strace writes it, in as few digits as will do; in a path of Windows such a number may stand by itself.
		switch crlf := `\15\12`; {
		case strings.HasPrefix(s[i:], crlf) && !ascii.Is(s, i+len(crlf), ascii.Digit), strings.HasPrefix(s[i:], `\15\012`):
			return len(`\15`), '\r', true
		case strings.HasPrefix(s[i:], `\12`) && !ascii.Is(s, i+len(`\12`), ascii.Digit) &&
			(strings.HasSuffix(s[:i], `\15`) || strings.IndexByte("\"'\\", ascii.At(s, i+len(`\12`))) >= 0):
			return len(`\12`), '\n', true
		}
	}
	return 0, 0, false
}

// ansiLen returns the length of the terminal escape sequence at i (ECMA-48).
func ansiLen(s string, i int) int {
	if end := sequenceEnd(s, i+2, ascii.At(s, i+1)); end > 0 {
		return end - i
	}
	return 1
}

// c1Len returns the length of the sequence that the C1 control at i introduces, which has n bytes, or n.
func c1Len(s string, i, n int) int {
	if end := sequenceEnd(s, i+n, s[i+n-1]-0x40); end > 0 {
		return end - i
	}
	return n
}

// sequenceEnd returns the end of the control sequence or string whose parameters start at i, or 0. kind is the letter behind the
// escape that introduces it.
func sequenceEnd(s string, i int, kind byte) int {
	switch kind {
	case '[':
		for j := i; j < len(s) && j-i < 62; j++ {
			if s[j] >= 0x40 && s[j] <= 0x7e {
				return j + 1
			}
		}
	case ']', 'P', '_', '^':
		for j := i; j < len(s) && j-i < 254; j++ {
			if s[j] == 0x07 {
				return j + 1
			}
			if s[j] == 0x1b && ascii.At(s, j+1) == '\\' {
				return j + 2
			}
		}
	}
	return 0
}
