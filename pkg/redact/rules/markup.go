// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Values that stand in another element or member than their name: XML, property lists, lists of names and values.

// element reports whether the name at start is that of an element: <password>, <v1:password>.
func element(s string, start int) bool {
	if ascii.At(s, start-1) == ':' {
		for start--; start > 0 && ascii.Class[s[start-1]]&ascii.Ident != 0; start-- {
		}
	}
	return ascii.At(s, start-1) == '<'
}

const (
	maxTag     = 256 // bytes of attributes
	maxNesting = 3   // elements around a value
)

// xmlValue returns the text of the element whose name ends at i.
func (c *Context) xmlValue(i int) (value, bool) {
	s := c.S
	c.Charge(costOfValue)
	for k := i; k < len(s) && k-i < maxTag && s[k] != '<'; k++ {
		if s[k] != '>' {
			continue
		}
		if s[k-1] == '/' || (ascii.At(s, k+1) == '@' || ascii.At(s, k+1) == ' ') && !strings.Contains(s[k:min(len(s), k+maxTag)], "</") {
			return value{}, false // an empty one, mongodb://<user>:<password>@host, or AUTH <password> called without
		}
		if q := k + 1; ascii.Is(s, q, ascii.Quote) || ascii.At(s, q) == '\\' && ascii.Is(s, q+1, ascii.Quote) {
			if from := max(0, i-maxNameBytes); ascii.Is(s, from+strings.LastIndexByte(s[from:i], '<')-1, ascii.Quote) || !strings.Contains(s[k:min(len(s), k+maxTag)], "</") {
				return value{}, false // "<secret>", or "PASS <password>", which the quotes end
			}
		}
		return c.textAt(k+1, maxNesting)
	}
	return value{}, false
}

// textAt returns the text at i, behind a tag, or within an element at i that only holds the value.
func (c *Context) textAt(i, nesting int) (value, bool) {
	s := c.S
	start := ascii.Span(s, i, ascii.Space)
	mark := "<"
	switch {
	case ascii.HasPrefixFold(s, start, "<![cdata["):
		start, mark = start+len("<![cdata["), "]]>"
	case ascii.At(s, start) == '<':
		end := start + 1
		for end < len(s) && end-start < maxNameBytes && (ascii.Class[s[end]]&ascii.Ident != 0 || s[end] == ':') {
			end++
		}
		name := s[start+1 : end]
		if nesting > 0 && valueElement(name) {
			for end < len(s) && end-start < maxTag && s[end] != '>' && s[end] != '<' {
				end++
			}
			if ascii.At(s, end) == '>' && s[end-1] != '/' {
				return c.textAt(end+1, nesting-1)
			}
		}
		return value{}, false
	}
	end := strings.Index(s[start:], mark)
	if end < 0 {
		end = len(s) - start
	}
	c.look(end)
	end += start
	for end > start && ascii.Class[s[end-1]]&ascii.Space != 0 {
		end--
	}
	return value{start, end, quoted}, end > start && ascii.HasAlnum(s[start:end])
}

// valueNames are what the member or element is called that holds the value of a name that is one itself. So are names that end in
// value.
var valueNames = newWords("val new old to from before after previous current default plain plaintext cleartext string text data secret s raw v")

func valueName(name string) bool {
	return len(name) <= maxNameBytes && (ascii.HasSuffixFold(name, len(name), "value") || in(valueNames, name))
}

// valueElement is valueName for an element, which may have a prefix.
func valueElement(name string) bool { return valueName(name[strings.IndexByte(name, ':')+1:]) }

// siblings finds the value in an element that follows the one whose text is the name: <name>x</name><value>y</value>. The
// name's end tag is at i.
func (c *Context) siblings(i int) (value, bool) {
	s := c.S
	k := strings.IndexByte(s[i:min(len(s), i+maxTag)], '>')
	for range maxNesting {
		if k < 0 {
			break
		}
		open := ascii.Span(s, i+k+1, ascii.Space)
		if ascii.At(s, open) != '<' {
			break
		}
		end := open + 1
		for end < len(s) && end-open < maxNameBytes && (ascii.Class[s[end]]&ascii.Ident != 0 || s[end] == ':') {
			end++
		}
		name := s[open+1 : end]
		if name == "" {
			break
		}
		if valueElement(name) {
			return c.xmlValue(end)
		}
		// Another member: on behind its end.
		closing := strings.Index(s[end:min(len(s), end+maxTag)], "</")
		if closing < 0 {
			break
		}
		i = end + closing
		k = strings.IndexByte(s[i:min(len(s), i+maxTag)], '>')
	}
	return value{}, false
}

// cell finds the value that follows in a page or a table the element whose text is the name: <b>Password</b>: x, <td>Password</td><td>x</td>.
// The name's end tag is at i.
func (c *Context) cell(i int) (value, bool) {
	s := c.S
	k := strings.IndexByte(s[i:min(len(s), i+maxNameBytes)], '>')
	if k < 0 {
		return value{}, false
	}
	k = ascii.Span(s, i+k+1, ascii.Space)
	if ascii.At(s, k) == ':' {
		v, ok := c.valueAt(ascii.Span(s, k+1, ascii.Space), colon)
		return v, ok && !inProse(s, v)
	}
	if ascii.At(s, k) != '<' || ascii.At(s, k+1) == '/' {
		return value{}, false
	}
	end := c.span(k+1, ascii.Alnum)
	if !cells[asciiWord(s[k+1:end])] {
		return value{}, false
	}
	for end < len(s) && end-k < maxTag && s[end] != '>' {
		end++
	}
	if ascii.At(s, end) != '>' {
		return value{}, false
	}
	v, ok := c.textAt(end+1, 0)
	if !ok {
		v, ok = c.valueAt(end+1, quoted) // <td><code>x</code></td>
		v.ctx = quoted
	}
	t := s[v.start:v.end]
	return v, ok && strings.IndexByte(t, ' ') < 0 && len(t) >= 4 && (Mixed(t) || caseChanges(t) > 2 || strings.ContainsAny(t, "!#$%&*+?@^~"))
}

// cells are the elements in which a value stands behind its name.
var cells = set("td dd span code b strong em i tt pre samp div p li a")

// holders are what the member is called whose value is a name. So are those that end in one.
var holders = []string{"key", "name", "field", "id", "attribute", "attr", "option", "parameter", "variable", "property", "column", "setting", "header"}

// held returns what is called so before start, the name's first letter: "name" in {"name":"password"}; ok tells whether it is a holder.
func held(s string, start int) (holder string, ok bool) {
	i := pathStart(s, start)
	for i > 0 && (ascii.Class[s[i-1]]&(ascii.Quote|ascii.Space) != 0 || s[i-1] == '\\') {
		i--
	}
	if ascii.At(s, i-1) != ':' && ascii.At(s, i-1) != '=' {
		return "", false
	}
	for i--; i > 0 && (ascii.Class[s[i-1]]&(ascii.Quote|ascii.Space) != 0 || s[i-1] == '\\'); i-- {
	}
	word := i
	for word > 0 && i-word < maxNameBytes && ascii.Class[s[word-1]]&ascii.Ident != 0 {
		word--
	}
	holder = s[word:i]
	return holder, HoldsName(holder) || holder == "path" && patchPath(s, pathStart(s, start))
}

// patchPath reports whether the path at i is one in a JSON patch (RFC 6902), which says by "op" what is to be done.
func patchPath(s string, i int) bool {
	around := s[max(0, i-maxNameBytes):min(len(s), i+2*maxNameBytes)]
	return s[i] == '/' && (strings.Contains(around, `"op"`) || strings.Contains(around, `\"op\"`))
}

// pathStart returns the start of the path whose last part is the name at start, if a quote stands before it: "/prod/db/password".
func pathStart(s string, start int) int {
	i := start
	for i > 0 && start-i < maxNameBytes && (ascii.Class[s[i-1]]&ascii.Ident != 0 || s[i-1] == '/') {
		i--
	}
	if i < start && s[start-1] == '/' && ascii.Is(s, i-1, ascii.Quote) {
		return i
	}
	return start
}

const (
	maxMembers = 12
	maxObject  = 384
)

// memberValue finds the value of a name that is itself one, in the members behind it, which start at i:
// {"name":"password","type":"string","value":"x"}. start is the name's first letter, or -1 if it is a name of the object.
func (c *Context) memberValue(start, i int) (value, bool) {
	s := c.S
	c.Charge(costOfValue)
	holder := ""
	if start >= 0 {
		var ok bool
		if holder, ok = held(s, start); !ok && ascii.At(s, blanks(s, i)) != '{' {
			return c.namedValue(i)
		}
	}
	depth, n := 0, 0
	var first value
	found := false
	for k := i; k < len(s) && k-i < maxObject && n < maxMembers; {
		switch b := s[k]; {
		case b == '{' || b == '[':
			if depth++; depth > 2 {
				return first, found
			}
			k++
		case b == '}' || b == ']' || b == '<' || b == ')':
			if depth--; depth < 0 || b == '<' {
				return first, found
			}
			k++
		case b == '>' && !found:
			if !ascii.HasSuffixFold(holder, len(holder), "key") && !ascii.HasSuffixFold(holder, len(holder), "name") || s[k-1] == '/' || s[k-1] == '-' {
				return value{}, false
			}
			v, ok := c.textAt(k+1, maxNesting)
			return v, ok && ascii.At(s, ascii.Span(s, v.end, ascii.Space)) == '<'
		case ascii.Class[b]&ascii.Alpha != 0:
			end := c.span(k, ascii.Ident)
			name := s[k:end]
			j := end
			for j < len(s) && (s[j] == '\\' || ascii.Class[s[j]]&ascii.Quote != 0) {
				j++
			}
			op := operator(s, blanks(s, j))
			if op == 0 {
				k = end
				continue
			}
			if strings.EqualFold(holder, name) {
				return first, found // the next object
			}
			n++
			c.Charge(costOfName)
			k = ascii.Span(s, blanks(s, j)+op, ascii.Space)
			isQuoted := ascii.Is(s, k, ascii.Quote) || ascii.At(s, k) == '\\'
			switch {
			case ascii.At(s, k) == '[' && valueName(strings.TrimRight(name, "sS")) && ascii.Is(s, ascii.Span(s, k+1, ascii.Space), ascii.Quote):
				for k = ascii.Span(s, k+1, ascii.Space); ascii.Is(s, k, ascii.Quote) && k-i < maxObject; {
					v, ok := c.quotedValue(k)
					if !ok {
						break
					}
					first, found = c.anotherValue(v, first, found)
					if k = ascii.Span(s, v.end+1, ascii.Space); ascii.At(s, k) == ',' {
						k = ascii.Span(s, k+1, ascii.Space)
					}
				}
				depth++ // of the list, whose end is next
			case valueName(name) && ascii.At(s, k) != '{' && ascii.At(s, k) != '[':
				v, ok := c.valueAt(k, quoted)
				if ok {
					first, found = c.anotherValue(v, first, found)
				}
				k = max(k+1, v.end)
			case isQuoted:
				v, _ := c.quotedValue(k)
				k = max(k+1, v.end)
			}
		default:
			k++
		}
	}
	return first, found
}

// anotherValue takes v as the first value if none was found yet, and else remembers it as another one. It returns the first, and whether
// there is one.
func (c *Context) anotherValue(v, first value, found bool) (value, bool) {
	m := &c.memo.values
	switch {
	case variable(c.S[v.start:v.end]):
	case !found:
		return v, true
	case m.others < len(m.other):
		m.other[m.others] = v
		m.others++
	}
	return first, found
}

// valueBefore finds the value where it stands before its name, which is itself one: {"value":"...","key":"password"}. The name is
// s[start:end].
func (c *Context) valueBefore(start, end int) (value, bool) {
	s := c.S
	if !ascii.Is(s, end, ascii.Quote) && ascii.At(s, end) != '\\' {
		return value{}, false
	}
	open := pathStart(s, start)
	start = open
	for open > 0 && (ascii.Class[s[open-1]]&(ascii.Quote|ascii.Space) != 0 || s[open-1] == '\\') {
		open--
	}
	if open == start || ascii.At(s, open-1) != ':' && ascii.At(s, open-1) != '=' {
		return value{}, false
	}
	// What holds the name is called key, name or field: in "error":"password" it is no name.
	word := open - 1
	for word > 0 && (ascii.Class[s[word-1]]&(ascii.Quote|ascii.Space) != 0 || s[word-1] == '\\') {
		word--
	}
	patch := ascii.HasSuffixFold(s, word, "path") && patchPath(s, start)
	if !patch && !ascii.HasSuffixFold(s, word, "key") && !ascii.HasSuffixFold(s, word, "name") && !ascii.HasSuffixFold(s, word, "field") {
		return value{}, false
	}
	c.Charge(costOfList)
	floor := max(c.taken, start-maxBefore)
	for k := start - 1; k > floor && strings.IndexByte("{}<>\n", s[k]) < 0 && !writtenBreak(s, k); k-- {
		if ascii.ToLower(s[k]) != 'v' || !ascii.HasPrefixFold(s, k, "value") {
			continue
		}
		j := k + len("value")
		for ascii.At(s, j) == '\\' || ascii.Is(s, j, ascii.Quote|ascii.Space) {
			j++
		}
		if op := operator(s, j); op > 0 {
			v, ok := c.quotedValue(ascii.Span(s, j+op, ascii.Space))
			return v, ok && v.end < open
		}
		return value{}, false
	}
	return value{}, false
}

const maxBefore = 256

// namedValue finds the value where a name is itself one: name: X_TOKEN, value: ... (Kubernetes, XML attributes, HCL). The
// name ends at i.
func (c *Context) namedValue(i int) (value, bool) {
	s := c.S
	j := i
	for j < len(s) && j-i < 80 && (ascii.Class[s[j]]&ascii.Space != 0 || s[j] == ',') {
		j++
	}
	if j == i {
		return value{}, false
	}
	for ascii.At(s, j) == '\\' {
		j++
	}
	if ascii.Is(s, j, ascii.Quote) {
		j++
	}
	end := c.span(j, ascii.Ident)
	if end == j || end-j > 32 || !ascii.HasSuffixFold(s, end, "value") {
		return value{}, false
	}
	c.Charge(costOfList)
	for ascii.At(s, end) == '\\' {
		end++
	}
	if ascii.Is(s, end, ascii.Quote) {
		end++
	}
	end = ascii.Span(s, end, ascii.Space)
	op := operator(s, end)
	if op == 0 {
		return value{}, false
	}
	k := ascii.Span(s, end+op, ascii.Space)
	if ascii.At(s, k) == '{' || ascii.At(s, k) == '[' {
		return value{}, false
	}
	return c.valueAt(k, quoted)
}

// HoldsName reports whether a member of this name may hold the name of a value that is another member: key, name, field.
func HoldsName(name string) bool {
	if len(name) > maxNameBytes {
		return false
	}
	for _, h := range holders {
		if ascii.HasSuffixFold(name, len(name), h) {
			return true
		}
	}
	return name == "k" || name == "n" // of tracing and metrics
}

// plainValueNames are what such a value is called besides value.
var plainValueNames = newWords("val v new old before after previous current")

// HoldsValue reports whether a member of this name may hold the value.
func HoldsValue(name string) bool {
	return len(name) <= maxNameBytes && (ascii.HasSuffixFold(name, len(name), "value") || in(plainValueNames, name))
}
