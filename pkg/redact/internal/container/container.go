// SPDX-License-Identifier: Apache-2.0

// Package container finds out what a text is put together from: the strings of JSON and of what is written alike, the elements and
// attributes of XML, quoted values of logfmt and CSV, the values of a query; and what those contain in turn.
package container

import (
	"slices"
	"sort"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/decode"
)

// Kind is what a part is.
type Kind uint8

const (
	Value Kind = iota // the content of a string, an attribute, an element: a text by itself
	Name              // likewise, but a string that names a value
	Word              // a number, true, null
	Group             // an object, a list, an element with its tags
	Line              // a line, where line feeds are written as rsyslog does: #012
)

// Part is a stretch of a text: s[Start:End].
type Part struct {
	Start, End int
	Kind       Kind
	// Slashes is how many layers of backslashes the content is written with.
	Slashes uint8
	// Quote is what a string that is put in the place of a word or a group is quoted with.
	Quote  string
	coding decode.Coding
	coded  bool
	layer  int // of texts in texts
	parent int
}

const (
	maxParts  = 4096
	maxDepth  = 64 // of objects in objects, and elements in elements
	maxLayers = 3  // of texts in texts
)

// Parts are those of a text, by where they start; one that contains others comes before them.
type Parts struct {
	all   []Part
	views [maxLayers]decode.Text
	fuel  int // bytes that may still be looked at without a result
}

// Parse takes a text apart. What does not follow the rules of a form has no parts. It returns how many bytes it has looked at in vain, or
// again.
func (p *Parts) Parse(s string) int {
	fuel := 2*len(s) + 1024
	p.all, p.fuel = p.all[:0], fuel
	p.parse(s, 0, quotes{`"`, "'"})
	p.link()
	return fuel - p.fuel
}

// Within makes p the parts of n bytes from start on of a text that was decoded from one with the parts of outer.
func (p *Parts) Within(outer *Parts, view *decode.Text, start, n int) {
	p.all = p.all[:0]
	for _, q := range outer.all {
		end := view.Place(q.End)
		if q.Kind == Value || q.Kind == Name {
			end = view.PlaceOfEnd(q.End) // a quote that ends a string may have been decoded with what is before it
		}
		q.Start, q.End = max(0, view.Place(q.Start)-start), min(n, end-start)
		if q.Start < n && q.End > 0 && q.Kind != Line {
			p.all = append(p.all, q)
		}
	}
	p.link()
}

// Len returns the number of parts.
func (p *Parts) Len() int { return len(p.all) }

// link sorts the parts and finds out which contain which.
func (p *Parts) link() {
	slices.SortStableFunc(p.all, func(a, b Part) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	open := -1
	for k := range p.all {
		for open >= 0 && p.all[open].End < p.all[k].End {
			open = p.all[open].parent
		}
		p.all[k].parent = open
		open = k
	}
}

// At returns the innermost part that i is in, or nil.
func (p *Parts) At(i int) *Part {
	if k := p.at(i); k >= 0 {
		return &p.all[k]
	}
	return nil
}

func (p *Parts) at(i int) int {
	lo, hi := 0, len(p.all)
	for lo < hi {
		if mid := (lo + hi) / 2; p.all[mid].Start <= i {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	k := lo - 1
	for k >= 0 && p.all[k].End <= i {
		k = p.all[k].parent
	}
	return k
}

// Around returns the part that contains q, or nil.
func (p *Parts) Around(q *Part) *Part {
	if q.parent < 0 {
		return nil
	}
	return &p.all[q.parent]
}

// Ends returns the part of which i is the end, the innermost one, or nil.
func (p *Parts) Ends(i int) *Part {
	if q := p.At(i - 1); q != nil && q.End == i {
		return q
	}
	return nil
}

// Outermost returns the outermost part that i is in and start is not, or nil.
func (p *Parts) Outermost(i, start int) (out *Part) {
	for q := p.At(i); q != nil && q.Start > start; q = p.Around(q) {
		out = q
	}
	return out
}

// Text returns the value that i is in, and that is none in another text, or nil. An element with others in it is no text.
func (p *Parts) Text(i int) *Part {
	for k := p.at(i); k >= 0; k = p.all[k].parent {
		if q := &p.all[k]; q.Kind == Value && q.layer == 0 {
			if k+1 < len(p.all) && p.all[k+1].Start < q.End && p.all[k+1].layer == 0 {
				return nil
			}
			return q
		}
	}
	return nil
}

// Doubled reports whether quotes in the content are written twice.
func (q *Part) Doubled() bool { return q.coded && q.coding == decode.DoubledQuotes }

// Open shows the content of a part of s, decoded into view where that is not written as it is, which it reports.
func (q *Part) Open(s string, view *decode.Text) (content string, decoded bool) {
	content = s[q.Start:q.End]
	if !q.coded {
		return content, false
	}
	view.Decode(content, q.coding)
	return view.String(), true
}

// Written returns a quote in the content of a part of s as it is written there.
func (q *Part) Written(s, quote string) string {
	if quote == "" {
		return ""
	}
	return quotes{double: quote}.within(q, ascii.At(s, q.Start-1)).double
}

// Texts calls visit for the values that lie in s[from:to] and contain no others.
func (p *Parts) Texts(from, to int, visit func(start, end int)) {
	first := sort.Search(len(p.all), func(k int) bool { return p.all[k].Start >= from })
	for k := first; k < len(p.all) && p.all[k].Start < to; k++ {
		if q := &p.all[k]; q.Kind == Value && q.End > q.Start && q.End <= to && (k+1 == len(p.all) || p.all[k+1].Start >= q.End) {
			visit(q.Start, q.End)
		}
	}
}

// quotes are the double and the single quote as they are written in the innermost text.
type quotes struct{ double, single string }

var percentDouble, percentSingle = strings.NewReplacer(`\`, "%5C", `"`, "%22"), strings.NewReplacer(`\`, "%5C", "'", "%27")

// within returns what the quotes become in a part whose quote, if it has one, is enclosing.
func (q quotes) within(part *Part, enclosing byte) quotes {
	switch {
	case part.Slashes > 0:
		escape := func(s string) string {
			s = strings.ReplaceAll(s, `\`, `\\`)
			return strings.ReplaceAll(s, string(enclosing), `\`+string(enclosing))
		}
		return quotes{escape(q.double), escape(q.single)}
	case part.coding == decode.Entities:
		return quotes{strings.ReplaceAll(strings.ReplaceAll(q.double, "&", "&amp;"), `"`, "&quot;"), strings.ReplaceAll(strings.ReplaceAll(q.single, "&", "&amp;"), "'", "&apos;")}
	case part.coding == decode.DoubledQuotes:
		return quotes{strings.ReplaceAll(q.double, `"`, `""`), q.single}
	case part.coding == decode.Percents:
		return quotes{percentDouble.Replace(q.double), percentSingle.Replace(q.single)}
	}
	return q
}

// parse looks for containers in s, whose quotes are given.
func (p *Parts) parse(s string, layer int, quote quotes) {
	first := len(p.all)
	for i := 0; i < len(s) && p.fuel > 0 && len(p.all) < maxParts; {
		k := strings.IndexAny(s[i:], "{[<\"&")
		if k < 0 {
			break
		}
		i += k
		n, end := len(p.all), 0
		switch s[i] {
		case '{', '[':
			end = p.json(s, i, quote)
		case '<':
			end = p.xml(s, i)
		case '"':
			end = p.quoted(s, i)
		case '&':
			end = p.query(s, i, first)
		}
		if end == 0 {
			p.all = p.all[:n]
			i++
			continue
		}
		i = end
	}
	last := len(p.all)
	p.lines(s, p.all[first:last])
	if layer == maxLayers-1 {
		return
	}
	for k := first; k < last && p.fuel > 0; k++ {
		leaf := k+1 == last || p.all[k+1].Start >= p.all[k].End // and not an element with others in it
		if p.all[k].Kind == Value && leaf {
			p.nested(s, k, layer, quote)
		}
	}
}

// lines adds the lines of a text whose line feeds are written as #012. One that stands in a container ends no line: the container is read as a
// whole, and what it holds may have lines of its own.
func (p *Parts) lines(s string, containers []Part) {
	start := 0
	for i := 0; len(p.all) < maxParts; {
		k := strings.Index(s[i:], lineFeed)
		if k < 0 {
			break
		}
		i += k
		for len(containers) > 0 && containers[0].End <= i {
			containers = containers[1:]
		}
		if len(containers) == 0 || containers[0].Start > i {
			p.add(Part{Start: start, End: i, Kind: Line})
			start = i + len(lineFeed)
		}
		i += len(lineFeed)
	}
	if start > 0 {
		p.add(Part{Start: start, End: len(s), Kind: Line})
	}
}

const lineFeed = "#012" // as rsyslog writes it

// nested looks for containers in the content of a part.
func (p *Parts) nested(s string, k, layer int, quote quotes) {
	part := p.all[k]
	if !strings.ContainsAny(s[part.Start:part.End], "{[<=,&%#") {
		return
	}
	p.fuel -= part.End - part.Start
	first := len(p.all)
	view := &p.views[layer]
	content, decoded := part.Open(s, view)
	p.parse(content, layer+1, quote.within(&part, ascii.At(s, part.Start-1)))
	for m := first; m < len(p.all); m++ {
		q := &p.all[m]
		if decoded {
			q.Start, q.End = view.Source(q.Start), view.Source(q.End)
		}
		q.Start, q.End, q.Slashes = q.Start+part.Start, q.End+part.Start, q.Slashes+part.Slashes
		q.layer++
	}
}

func (p *Parts) add(part Part) { p.all = append(p.all, part) }

func (p *Parts) failed(from, at int) int {
	p.fuel -= at - from + 1
	return 0
}

// stringEnd returns where the string ends whose quote is before i, or -1.
func stringEnd(s string, i int, quote byte) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i
		case '\n':
			return -1
		}
	}
	return -1
}

// str adds the content of the string at i, with its prefix of Python, and returns the end of the string, or 0.
func (p *Parts) str(s string, i int, kind Kind) int {
	if ascii.Is(s, i, ascii.Alpha) {
		i++
	}
	end := stringEnd(s, i+1, s[i])
	if end < 0 {
		return 0
	}
	p.add(Part{Start: i + 1, End: end, Kind: kind, Slashes: 1, coding: decode.Backslashes, coded: strings.IndexByte(s[i+1:end], '\\') >= 0})
	return end + 1
}

// json takes apart what is written like an object or a list of JSON at i: also as Python, Ruby and JavaScript show them. It returns the
// end, or 0.
func (p *Parts) json(s string, from int, in quotes) int {
	const (
		first   = iota // a key or a value, or the end
		after          // a comma, or the end
		between        // a colon
		value
	)
	var open [maxDepth]int
	depth, state, strs, quote := 0, value, 0, in.double
	for i := from; ; {
		i = ascii.Span(s, i, ascii.Space)
		if i >= len(s) || len(p.all) > maxParts {
			return p.failed(from, i)
		}
		b := s[i]
		object := depth > 0 && s[p.all[open[depth-1]].Start] == '{'
		switch {
		case (b == '}' && object || b == ']' && depth > 0 && !object) && (state == first || state == after):
			depth--
			i++
			p.all[open[depth]].End = i
			state = after
			if depth == 0 {
				if strs == 0 {
					return p.failed(from, i)
				}
				return i
			}
		case state == after:
			if b != ',' {
				return p.failed(from, i)
			}
			i++
			state = first
		case state == between:
			switch {
			case b == ':':
				i++
			case b == '=' && ascii.At(s, i+1) == '>':
				i += 2
			default:
				return p.failed(from, i)
			}
			state = value
		case b == '"' || b == '\'' || (b == 'b' || b == 'u') && ascii.Is(s, i+1, ascii.Quote) && s[i+1] != '`':
			if strs++; strs == 1 && b == '\'' {
				quote = in.single
				for k := range depth {
					p.all[open[k]].Quote = quote
				}
			}
			kind, next := Value, after
			if state == first && object {
				kind, next = Name, between
			}
			if i = p.str(s, i, kind); i == 0 {
				return p.failed(from, len(s))
			}
			state = next
		case state == first && object || b != '{' && b != '[':
			end := i
			for end < len(s) && (ascii.Class[s[end]]&ascii.Alnum != 0 || strings.IndexByte("_.+-$", s[end]) >= 0) {
				end++
			}
			if end == i {
				return p.failed(from, i)
			}
			if state == first && object {
				state = between
			} else {
				p.add(Part{Start: i, End: end, Kind: Word, Quote: quote})
				state = after
			}
			i = end
		case depth == maxDepth:
			return p.failed(from, i)
		default:
			open[depth] = len(p.all)
			depth++
			p.add(Part{Start: i, Kind: Group, Quote: quote})
			i++
			state = first
		}
	}
}

// xml takes the element at i apart, and returns its end, or 0.
func (p *Parts) xml(s string, from int) int {
	type element struct{ name, nameEnd, group, content int }
	var open [maxDepth]element
	depth := 0
	skip := func(i int, mark string) int {
		if k := strings.Index(s[i:], mark); k >= 0 {
			return i + k + len(mark)
		}
		return 0
	}
	for i := from; ; {
		if i >= len(s) || len(p.all) > maxParts {
			return p.failed(from, i)
		}
		rest := s[i:]
		switch {
		case s[i] != '<':
			k := strings.IndexByte(rest, '<')
			if k < 0 {
				return p.failed(from, len(s))
			}
			i += k
		case depth > 0 && strings.HasPrefix(rest, "<![CDATA["):
			end := skip(i, "]]>")
			if end == 0 {
				return p.failed(from, len(s))
			}
			p.add(Part{Start: i, End: end, Kind: Group})
			p.add(Part{Start: i + len("<![CDATA["), End: end - len("]]>"), Kind: Value})
			i = end
		case strings.HasPrefix(rest, "<!--"):
			if i = skip(i, "-->"); i == 0 {
				return p.failed(from, len(s))
			}
		case strings.HasPrefix(rest, "<?"):
			if i = skip(i, "?>"); i == 0 {
				return p.failed(from, len(s))
			}
		case strings.HasPrefix(rest, "</"):
			if depth == 0 {
				return p.failed(from, i)
			}
			depth--
			e := open[depth]
			name := s[e.name:e.nameEnd]
			end := i + len("</") + len(name)
			if !strings.HasPrefix(rest[len("</"):], name) {
				return p.failed(from, i)
			}
			if end = ascii.Span(s, end, ascii.Space); ascii.At(s, end) != '>' {
				return p.failed(from, i)
			}
			p.all[e.content].End, p.all[e.group].End = i, end+1
			if i = end + 1; depth == 0 {
				return i
			}
		case depth == maxDepth || !ascii.Is(s, i+1, ascii.Alpha) && ascii.At(s, i+1) != '_':
			return p.failed(from, i)
		default:
			e := element{name: i + 1, group: len(p.all)}
			e.nameEnd = nameEnd(s, i+1)
			p.add(Part{Start: i, Kind: Group})
			end := p.attributes(s, e.nameEnd)
			switch {
			case end == 0:
				return p.failed(from, i)
			case s[end-2] == '/':
				p.all[e.group].End = end
				if i = end; depth == 0 {
					return i
				}
				continue
			}
			e.content = len(p.all)
			p.add(Part{Start: end, Kind: Value, coding: decode.Entities, coded: true})
			open[depth] = e
			depth++
			i = end
		}
	}
}

func nameEnd(s string, i int) int {
	for i < len(s) && (ascii.Class[s[i]]&ascii.Ident != 0 || s[i] == ':') {
		i++
	}
	return i
}

// attributes adds the values of the attributes at i, and returns the end of the tag, or 0.
func (p *Parts) attributes(s string, i int) int {
	for {
		blank := i
		i = ascii.Span(s, i, ascii.Space)
		switch {
		case ascii.At(s, i) == '>':
			return i + 1
		case ascii.At(s, i) == '/' && ascii.At(s, i+1) == '>':
			return i + 2
		}
		end := nameEnd(s, i)
		if end == i || i == blank {
			return 0
		}
		if i = ascii.Span(s, end, ascii.Space); ascii.At(s, i) != '=' {
			return 0
		}
		if i = ascii.Span(s, i+1, ascii.Space); ascii.At(s, i) != '"' && ascii.At(s, i) != '\'' {
			return 0
		}
		k := strings.IndexByte(s[i+1:], s[i])
		if k < 0 || strings.IndexByte(s[i+1:i+1+k], '<') >= 0 {
			return 0
		}
		p.add(Part{Start: i + 1, End: i + 1 + k, Kind: Value, coding: decode.Entities, coded: true})
		i += k + 2
	}
}

// quoted takes the value that is in the quotes at i, of logfmt (name="..."), CSV (,"...",) and YAML (name: "..."), and returns the end,
// or 0.
func (p *Parts) quoted(s string, i int) int {
	before := ascii.At(s, i-1)
	switch {
	case before == '=' && ascii.Is(s, i-2, ascii.Ident):
		if end := stringEnd(s, i+1, '"'); end > 0 && (end+1 == len(s) || strings.IndexByte(" \n\r\t,;)}]|", s[end+1]) >= 0) {
			return p.str(s, i, Value)
		}
	case before == 0 || strings.IndexByte(",;\t\n", before) >= 0:
		end, doubled := i+1, false
		for ; ; end++ {
			k := strings.IndexByte(s[end:], '"')
			if k < 0 {
				return p.failed(i, len(s))
			}
			if end += k; ascii.At(s, end+1) != '"' {
				break
			}
			doubled = true
			end++
		}
		next := ascii.At(s, end+1)
		if before != 0 && next != 0 && next != before && next != '\n' && before != '\n' || strings.IndexByte(",;\t\n\x00", next) < 0 || before == 0 && next == 0 && i == 0 && !doubled {
			return p.failed(i, end)
		}
		p.add(Part{Start: i + 1, End: end, Kind: Value, coding: decode.DoubledQuotes, coded: doubled})
		return end + 1
	case before == ' ' && ascii.At(s, i-2) == ':' && ascii.Is(s, i-3, ascii.Ident|ascii.Quote):
		if end := stringEnd(s, i+1, '"'); end > 0 && (end+1 == len(s) || s[end+1] == '\n' || s[end+1] == '\r' || strings.HasPrefix(s[end+1:], `\n`)) {
			return p.str(s, i, Value)
		}
	}
	return 0
}

// query takes the values apart of a query in which the ampersand at i stands, and returns the end, or 0.
func (p *Parts) query(s string, i, first int) int {
	name := ascii.Span(s, i+1, ascii.Ident)
	if name == i+1 || ascii.At(s, name) != '=' || strings.HasPrefix(s[i:], "&amp;") {
		return 0
	}
	start := i
	for start > 0 && s[start-1] > ' ' && strings.IndexByte("\"'`<>?({,;", s[start-1]) < 0 {
		start--
	}
	if len(p.all) > first && p.all[len(p.all)-1].End > start {
		return 0
	}
	end := i
	for end < len(s) && s[end] > ' ' && strings.IndexByte("\"'`<>)},;", s[end]) < 0 {
		end++
	}
	eq := strings.IndexByte(s[start:i], '=')
	if eq < 0 || ascii.Span(s, start, ascii.Ident) != start+eq {
		return p.failed(start, end)
	}
	value := start + eq + 1
	for k := value; k <= end; k++ {
		next := k
		if k < end {
			if s[k] != '&' {
				continue
			}
			if next = ascii.Span(s, k+1, ascii.Ident); next == k+1 || ascii.At(s, next) != '=' {
				continue
			}
		}
		p.add(Part{Start: value, End: k, Kind: Value, coding: decode.Percents, coded: strings.ContainsAny(s[value:k], "%+")})
		value = next + 1
	}
	return end
}
