// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// doubledQuotes shows each pair of quotes as one: inside of a quoted field of CSV, or a string of SQL, a quote is written twice. A
// pair that is a field of its own is an empty one, and stays.
func (d *Text) doubledQuotes(s string) {
	for i := 0; i < len(s); {
		plain := i
		for i < len(s) && (ascii.Class[s[i]]&ascii.Quote == 0 || ascii.At(s, i+1) != s[i] || emptyField(s, i)) {
			i++
		}
		d.follow(plain)
		d.text = append(d.text, s[plain:i]...)
		if i < len(s) {
			d.put(i, s[i])
			i += 2
		}
	}
	d.follow(len(s))
}

// emptyField reports whether the pair of quotes at i is all that stands between two separators.
func emptyField(s string, i int) bool {
	return separates(s, i-1) && separates(s, i+2)
}

func separates(s string, i int) bool {
	return i < 0 || i >= len(s) || strings.IndexByte(",;\t\r\n", s[i]) >= 0
}

// maxMixed is the length of texts in which every such escape is shown. In longer ones there are values that happen to begin like one:
// TOKEN=3Dq1... There one counts if all equals signs near it are escapes, as they are in a mail.
const (
	maxMixed    = 4 << 10
	nearbySigns = 256
)

// quotedPrintable shows what is written as =3D (RFC 2045, 6.7), and joins the lines that end in an equals sign.
func (d *Text) quotedPrintable(s string) {
	signs := equalsSigns{last: -nearbySigns - 1}
	for i := 0; i < len(s); {
		plain := i
		if k := strings.IndexByte(s[i:], '='); k >= 0 {
			i += k
		} else {
			i = len(s)
		}
		d.follow(plain)
		d.text = append(d.text, s[plain:i]...)
		if i == len(s) {
			break
		}
		n, r := QuotedPrintableAt(s, i)
		if n > 0 && len(s) > maxMixed && signs.besides(s, i) {
			n = 0
		}
		switch {
		case n == 0:
			signs.last = i
			d.put(i, '=')
			n = 1
		case r >= 0:
			d.emit(i, r, true)
		}
		i += n
	}
	d.follow(len(s))
}

// equalsSigns are those that are no escapes: where the last one stands, and up to where there is no other.
type equalsSigns struct{ last, none int }

// besides reports whether one of them stands near the escape at i.
func (e *equalsSigns) besides(s string, i int) bool {
	if i-e.last <= nearbySigns {
		return true
	}
	end := min(len(s), i+nearbySigns)
	for e.none = max(e.none, i+1); e.none < end; e.none++ {
		if s[e.none] == '=' {
			n, _ := QuotedPrintableAt(s, e.none)
			if n == 0 {
				return true
			}
			e.none += n - 1
		}
	}
	return false
}

// QuotedPrintableAt reads an escape of quoted-printable text at s[i], an equals sign. It returns its length, or 0, and the byte that it
// stands for, or -1 for a line that goes on. Its digits are upper case, which tells it from most other things.
func QuotedPrintableAt(s string, i int) (n int, r rune) {
	switch next := ascii.At(s, i+1); {
	case (next == '\n' || next == '\r') && padding(s, i):
		return 0, 0 // the end of base64
	case next == '\n':
		return 2, -1
	case next == '\r' && ascii.At(s, i+2) == '\n':
		return 3, -1
	case ascii.Class[next]&(ascii.Digit|ascii.UpperCase) != 0 && ascii.Is(s, i+2, ascii.Digit|ascii.UpperCase):
		if r := hexAt(s, i+1, 2); r >= 0 {
			return 3, r
		}
	}
	return 0, 0
}

// padding reports whether the equals sign at i, at the end of a line, fills up base64 before it rather than says that the line goes on, as it
// does in full lines. Of a short word that is only known if the next line does not look like the rest of a word.
func padding(s string, i int) bool {
	const shortest, certain, full = 7, 23, 72
	if ascii.At(s, i-1) == '=' {
		return true
	}
	k := i
	var seen uint16
	for k > 0 && i-k <= full && s[k-1] != '=' && ascii.Class[s[k-1]]&ascii.Run != 0 {
		k--
		seen |= ascii.Class[s[k]]
	}
	n := i - k
	return n < full && n%4 == 3 && (n >= certain || n >= shortest && seen&ascii.LowerCase != 0 && seen&ascii.UpperCase != 0 && beginsAnew(s, i+1))
}

// beginsAnew reports whether the line behind the line break at i is empty, or begins with a name and a colon or an equals sign, with the number
// of a reply, or with the mark of a side in a dialogue.
func beginsAnew(s string, i int) bool {
	const longest, replyDigits = 64, 3
	if s[i] == '\r' {
		i++
	}
	i++
	s = s[:min(len(s), i+longest)]
	if i >= len(s) || s[i] == '\r' || s[i] == '\n' {
		return true
	}
	end := ascii.Span(s, i, ascii.Ident)
	switch b := ascii.At(s, end); {
	case end == i:
		return (b == '<' || b == '>' || b == '*' || b == '+') && ascii.Is(s, end+1, ascii.Space)
	case b == ':':
		return ascii.Is(s, i, ascii.Alpha) && ascii.Is(s, end+1, ascii.Space)
	case b == '=':
		return ascii.Is(s, i, ascii.Alpha)
	}
	digits := ascii.Span(s, i, ascii.Digit)
	return digits-i == replyDigits && (ascii.At(s, digits) == ' ' || ascii.At(s, digits) == '-')
}
