// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/container"
	"github.com/logseal/logseal/pkg/redact/internal/decode"
)

// outside is where a text that was decoded comes from.
type outside struct {
	context *Context
	view    *decode.Text
	start   int
}

// From says that the next text is what view shows of the text of outer, from start on, or that it stands for itself, if outer is nil.
func (c *Context) From(outer *Context, view *decode.Text, start int) {
	c.outside = outside{outer, view, start}
}

// containers returns what the text is put together from. It is found out when it is first asked for, for most texts never.
func (c *Context) containers() *container.Parts {
	if c.memo.parted {
		return c.parts
	}
	c.memo.parted = true
	if c.outside.context != nil {
		if outer := c.outside.context.containers(); outer.Len() > 0 {
			c.parts.Within(outer, c.outside.view, c.outside.start, len(c.S))
			c.lookAhead(outer.Len())
			return c.parts
		}
	}
	c.lookAhead(c.parts.Parse(c.S))
	return c.parts
}

// asksForLine reports whether what a detector finds may depend on where in its line, or text, the place is: numbers and tokens of vendors
// are found wherever they stand.
func asksForLine(d *Detector, rule ID) bool {
	switch d {
	case named:
		return true
	case jwks, crypt, azure, shortForms, digits:
		return false
	}
	return registered[rule].Pack == Secrets
}

// keepingPlaces is find, with the places kept at which it finds nothing, or what does not fit.
func keepingPlaces(find func(*Context, ID, int) int) func(*Context, ID, int) int {
	return func(c *Context, rule ID, i int) int {
		next := find(c, rule, i)
		if (next <= i || c.Cut > 0) && len(c.lines) < maxPlaces {
			c.lines = append(c.lines, i)
		}
		return next
	}
}

const maxPlaces = 256

// Texts calls visit for the texts in this one, such as strings of JSON, in which a detector that asks for its line has found nothing:
// by itself such a text has a start and an end.
func (c *Context) Texts(visit func(text *container.Part)) {
	if len(c.lines) == 0 || c.outside.context != nil {
		return
	}
	parts := c.containers()
	slices.Sort(c.lines)
	var last *container.Part
	for _, i := range c.lines {
		if p := parts.Text(i); p != nil && p != last {
			last = p
			visit(p)
		}
	}
}

// Fit returns the part of the match S[start:end] of the rule that may be replaced while the text keeps its form: it ends in the string, element or
// cell in which it starts, and cuts no escape. quote is what has to be put around what stands in its place. If nothing is left, ok is false.
func (c *Context) Fit(r ID, start, end int) (from, to int, quote string, ok bool) {
	s := c.S
	parts := c.containers()
	if parts.Len() > 0 {
		for q := parts.At(c.Place); q != nil && (start < q.Start || start >= q.End); q = parts.Around(q) {
			// A sentence is no name of what stands in another string. What a line says of the next one shows where it is decoded.
			if q.Kind == container.Line || q.Kind == container.Value && (strings.ContainsAny(s[c.Place:q.End], " \n\\+") || parts.Around(q) == nil && strings.IndexByte(":=)", s[q.End-1]) >= 0) {
				return 0, 0, "", false
			}
		}
		p := parts.At(start)
		for (p == nil || p.Kind == container.Group && p.Start < start) && start < end && (ascii.Class[s[start]]&(ascii.Quote|ascii.Space) != 0 || s[start] == '\\') {
			if q := parts.Ends(start); q != nil && q.Kind != container.Group && ascii.Class[s[start]]&ascii.Quote != 0 {
				return 0, 0, "", false // behind the end of a string
			}
			start++
			p = parts.At(start)
		}
		overLines := p != nil && p.Kind == container.Line && (inQuotes(s, start, end) || r == PrivateKey)
		for overLines && p != nil && p.Kind == container.Line {
			p = parts.Around(p) // it ends with what the lines are in
		}
		switch {
		case p == nil && ascii.Is(s, start-1, ascii.Quote) && parts.Ends(start-1) != nil:
			return 0, 0, "", false // what separates a string from the next
		case p == nil:
		case p.Kind == container.Word:
			return p.Start, p.End, p.Quote, true
		case p.Kind != container.Group:
			end = min(end, p.End)
		case p.Start == start:
			return start, max(end, p.End), p.Quote, true
		default:
			return 0, 0, "", false
		}
		if q := parts.Outermost(end-1, start); q != nil && q.End > end {
			if p == nil && !overLines || q.Kind == container.Group {
				end = q.Start
			}
		}
		start, end = aligned(s, start, end, p)
	} else {
		start, end = aligned(s, start, end, nil)
	}
	for _, delimiter := range []byte(",;") {
		if k := strings.IndexByte(s[start:max(start, end)], delimiter); k > 0 && !strings.ContainsAny(s[start:start+k], "\"'`") && c.delimited(start, delimiter) {
			end = start + k
		}
	}
	return start, end, "", start < end
}

// delimited reports whether a value that starts at i, unquoted, is in a line of cells with the delimiter between, as far as can be told: one cell
// before it that is quoted or a word with a digit in it, or many cells and two words before it; and no cell that begins with one blank.
func (c *Context) delimited(i int, delimiter byte) bool {
	const cells, manyCells = 4, 6
	s := c.S
	floor := max(0, i-maxReference)
	from := floor + lineStart(s[floor:], i-floor)
	line := s[from:lineEnd(s[:min(len(s), i+maxReference)], i)]
	if c.look(len(line)); from == floor && floor > 0 {
		return false
	}
	cell := strings.LastIndexByte(s[from:i], delimiter) + 1
	n := strings.Count(line, string(delimiter)) + 1
	if n < cells || strings.Count(line, string(delimiter)+" ") > strings.Count(line, string(delimiter)+"  ") {
		return false
	}
	for _, quote := range "\"'`" {
		if strings.Count(line[cell:i-from], string(quote))%2 != 0 {
			return false
		}
	}
	words := 2
	if first := line[:strings.IndexByte(line, delimiter)]; strings.ContainsAny(first, "\"0123456789") {
		words = 1
	} else if n < manyCells {
		return false
	}
	for range words {
		word := 0
		for word < cell && (ascii.Class[line[word]]&(ascii.Alnum|ascii.Ident|ascii.Quote) != 0 || strings.IndexByte(":@/+", line[word]) >= 0) {
			word++
		}
		if word >= cell || line[word] != delimiter {
			return false
		}
		line, cell = line[word+1:], cell-word-1
	}
	return true
}

// inQuotes reports whether s[start:end] is all that stands between two quotes.
func inQuotes(s string, start, end int) bool {
	return ascii.Is(s, start-1, ascii.Quote) && ascii.At(s, end) == s[start-1]
}

// KeyTexts calls visit for the texts in S[from:to] that may be lines of a private key: its lines can come in strings of their own.
func (c *Context) KeyTexts(from, to int, visit func(start, end int)) {
	c.containers().Texts(from, to, func(start, end int) {
		text := c.S[start:end]
		if k := strings.IndexAny(text, "\\\r\n"); k > 0 {
			text = text[:k]
		}
		line := ascii.Span(text, 0, ascii.Run) == len(text) && (len(text) >= minKeyLine || Mixed(text) || strings.ContainsAny(text, "=+/") || len(text) >= minLastLine && ascii.Span(text, 0, ascii.Alpha) == len(text) && !camelWords(text))
		if colon := strings.IndexByte(text, ':'); line || strings.Contains(text, "--") || colon > 0 && keyHeaders[ascii.LowerString(text[:colon])] {
			visit(start, end)
		}
	})
}

// minLastLine is how many characters the last line of a key has for certain to look random, if all are letters.
const minLastLine = 12

// aligned moves the ends of s[start:end] off the middle of an escape.
func aligned(s string, start, end int, p *container.Part) (int, int) {
	low, high, slashes := 0, len(s), uint8(1)
	if p != nil {
		low, slashes = p.Start, p.Slashes
		if p.Kind != container.Group {
			high = p.End
		}
	}
	if p != nil || end < len(s) && ascii.Class[s[end]]&ascii.Quote != 0 {
		for end > start {
			n, k := insideEscape(s, low, end, slashes)
			if n == 0 {
				break
			}
			if s[end-n+k] == 'u' {
				if end-n+k+5 <= high { // else it is cut off, or none: \\u
					end += k + 5 - n
				}
				break
			}
			end -= n
		}
	}
	if p != nil {
		if n, k := insideEscape(s, low, start, slashes); n > 0 {
			if strings.IndexByte("nrtbf", s[start-n+k]) >= 0 {
				start += k + 1 - n
			} else {
				start -= n
			}
		}
	}
	if p != nil && p.Doubled() {
		if betweenQuotes(s, low, start) {
			start++
		}
		if betweenQuotes(s, low, end) {
			end--
		}
	}
	if n := insideLong(s, low, start); n > 0 {
		start += n
	}
	if n := insideLong(s, start, end); n > 0 && end+n <= high {
		// Of what stands in the place of the match nothing is left: the rest of the escape would stand for nothing.
		end += n
		if s[end-1] == ';' || strings.IndexByte("0123", s[end-2]) >= 0 {
			for end > start && s[end-1] != '%' && s[end-1] != '&' {
				end--
			}
			end--
		}
	}
	return start, end
}

// insideEscape returns how far behind the start of an escape with backslashes i is, or 0, and the length of its backslashes. Each of the
// slashes layers doubles those of the layer inside.
func insideEscape(s string, low, i int, slashes uint8) (n, k int) {
	at := i
	if slashes > 0 {
		for d := 1; d < 6 && i-d > low; d++ { // \u00e9
			if s[i-d] == 'u' && s[i-d-1] == '\\' {
				at = i - d
				break
			}
			if ascii.Class[s[i-d]]&ascii.HexDigit == 0 {
				break
			}
		}
	}
	run := 0
	for at-run > low && s[at-run-1] == '\\' {
		run++
	}
	for layer := range slashes {
		if run&1 != 0 {
			return 1<<layer + i - at, 1 << layer
		}
		run /= 2
	}
	return 0, 0
}

// betweenQuotes reports whether i is between the two quotes that stand for one in CSV.
func betweenQuotes(s string, low, i int) bool {
	n := 0
	for i-n > low && s[i-n-1] == '"' {
		n++
	}
	return n&1 != 0 && ascii.At(s, i) == '"'
}

// insideLong returns how much is left at i of an escape of a URL (%3D) or a character reference (&quot;) that starts before, or 0.
func insideLong(s string, low, i int) int {
	for d := 1; d < 3 && i-d >= low; d++ {
		if s[i-d] == '%' && ascii.Is(s, i-d+1, ascii.HexDigit) && ascii.Is(s, i-d+2, ascii.HexDigit) {
			return 3 - d
		}
	}
	for d := 1; d < maxReferenceLen && i-d >= low; d++ {
		switch b := s[i-d]; {
		case b == '&':
			if n := decode.EntityLen(s, i-d); n > d && s[i-d+n-1] == ';' {
				return n - d
			}
			return 0
		case ascii.Class[b]&ascii.Alnum == 0 && b != '#':
			return 0
		}
	}
	return 0
}

const maxReferenceLen = 10
