// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Where values end.

// blockValue returns the lines of a block scalar of YAML, whose indicator is at i: those indented like the first one.
func blockValue(s string, i int) (value, bool) {
	j := i + 1
	for j < len(s) && j-i < 4 && (s[j] == '-' || s[j] == '+' || ascii.Class[s[j]]&ascii.Digit != 0) {
		j++
	}
	if ascii.At(s, j) == '\r' {
		j++
	}
	if ascii.At(s, j) != '\n' {
		return value{}, false
	}
	line := j + 1
	start := line
	for ascii.At(s, start) == ' ' {
		start++
	}
	indent := s[line:start]
	end := start
	for line < len(s) && indent != "" && strings.HasPrefix(s[line:], indent) && line-i < maxValueBytes {
		end = lineEnd(s[:min(len(s), line+maxValueBytes)], line)
		if line = end; ascii.At(s, line) == '\r' {
			line++
		}
		if line < len(s) {
			line++
		}
	}
	return value{start, end, quoted}, end > start
}

// quotedValue is quotedIn for the text.
func (c *Context) quotedValue(i int) (value, bool) {
	v, ok := quotedIn(c.S, i)
	c.Charge(2)
	c.look(v.end - v.start)
	return v, ok
}

// quotedIn returns what is between the quote at i and the next one of its kind and level of escaping. Without an end, the
// value goes on to the end of the line.
func quotedIn(s string, i int) (value, bool) {
	slashes := 0
	for ascii.At(s, i+slashes) == '\\' {
		slashes++
	}
	q := ascii.At(s, i+slashes)
	if ascii.Class[q]&ascii.Quote == 0 {
		return value{}, false
	}
	start := i + slashes + 1
	run := 0
	for j := start; j < len(s); j++ {
		switch {
		case s[j] == '\\':
			run++
			continue
		case s[j] == '\'' && q == '`' && run <= slashes && strings.IndexByte(s[start:j], ' ') < 0 && strings.IndexByte(" ,;.)\n\x00", ascii.At(s, j+1)) >= 0 && strings.IndexByte(s[j:min(len(s), j+maxNameBytes)], '`') < 0:
			return value{start, j, quoted}, j > start // `x', as GNU's programs quote
		case q == '\'' && s[j] == q && run == 0 && j > start && doubledQuote(s, j) > 0:
			j += doubledQuote(s, j)
		case s[j] == q && run <= slashes:
			return value{start, j - run, quoted}, j-run > start
		case s[j] == '\n' || j-start > maxValueBytes:
			return value{start, j, quoted}, j > start
		}
		run = 0
	}
	return value{start, len(s), quoted}, len(s) > start && ascii.HasAlnum(s[start:])
}

// doubledQuote returns how many bytes after the apostrophe at i belong to it if it stands for one in the quotes around it: two of them as in
// YAML and SQL, or as shells need it, closed, escaped and opened again. A closing one must follow in the line.
func doubledQuote(s string, i int) int {
	n := 0
	switch {
	case ascii.At(s, i+1) == '\'' && ascii.At(s, i+2) > ' ' && strings.IndexByte(",;:)]}\"\\'", s[i+2]) < 0:
		n = 1
	case ascii.At(s, i+1) == '\\' && ascii.At(s, i+2) == '\'' && ascii.At(s, i+3) == '\'':
		n = 3
	default:
		return 0
	}
	for k := i + n + 1; k < len(s) && k-i < maxNameBytes && s[k] != '\n'; k++ {
		if s[k] == '\'' {
			return n
		}
	}
	return 0
}

// bareEnd is unquotedEnd, with the answer for values inside the last one remembered: key=key=key= is looked through once.
func (c *Context) bareEnd(i int) int {
	if i <= c.memo.values.bareFrom || i >= c.memo.values.bareTo {
		c.memo.values.bareFrom, c.memo.values.bareTo = i, unquotedEnd(c.S, i)
		c.look(c.memo.values.bareTo - i)
	}
	return c.memo.values.bareTo
}

// unquotedEnd returns the end of the bare value at i: it stops at a space, a quote or an angle bracket, at a bracket it did
// not open, and at a comma, semicolon or ampersand that separates it from something else.
func unquotedEnd(s string, i int) int {
	if n := MarkerLen(s, i); n > 0 && (i+n == len(s) || ascii.Class[s[i+n]]&ascii.Alnum == 0 && s[i+n] < 0x80) {
		return i + n
	}
	open := 0
	j := i
	for ; j < len(s); j++ {
		b := s[j]
		switch {
		case ascii.Class[b]&ascii.Alnum != 0 || b >= 0x80:
			continue
		case ascii.Class[b]&ascii.Space != 0 || ascii.Class[b]&ascii.Quote != 0 || b == '<' || b == '>' || b < 0x20:
			return j
		case b == '(' || b == '[' || b == '{':
			open++
		case b == ')' || b == ']' || b == '}':
			if open == 0 {
				return j
			}
			open--
		case b == '\\' && (strings.IndexByte("nrt\"'", ascii.At(s, j+1)) >= 0):
			return j
		case b == '#' && escapedControl(s, j) || b == '^' && ascii.Is(s, j+1, ascii.UpperCase) && !ascii.Is(s, j+2, ascii.Alnum):
			return j
		case strings.IndexByte("|^~!#/:.", b) >= 0 && pairAt(s, j+1):
			return j
		case b == '|' && (j+1 == len(s) || s[j+1] == '|' || ascii.Class[s[j+1]]&ascii.Space != 0):
			return j
		case b == ',' || b == ';' || b == '&':
			if j+1 == len(s) || ascii.Class[s[j+1]]&(ascii.Space|ascii.Quote) != 0 || b == '&' && s[j+1] == '&' {
				return j
			}
			k := ascii.Span(s, j+1, ascii.Ident)
			if k > j+1 && k < len(s) && (s[k] == '=' || s[k] == ':') {
				return j
			}
			if s[j+1] == '}' || s[j+1] == ')' || s[j+1] == ']' {
				return j
			}
		}
	}
	return j
}

// bracketEnd returns the end of the bracketed value at i.
func bracketEnd(s string, i int) int {
	depth := 0
	for j := i; j < len(s); j++ {
		switch s[j] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				if s[j] == '}' && ascii.At(s, j+1) == '}' && bracedRest(s, i, j) > 0 {
					return bracedRest(s, i, j)
				}
				return j + 1
			}
		}
		if j-i > maxValueBytes {
			return j
		}
	}
	return len(s)
}

// bracedRest returns the end of a value of ODBC in braces that starts at i, in which a brace is written twice at j: PWD={a;b}}c};. It
// returns 0 if the value holds what other brackets hold, and the second brace is that of something around it.
func bracedRest(s string, i, j int) int {
	if strings.ContainsAny(s[i+1:j], "\"':,{") {
		return 0
	}
	for k := j + 2; k < len(s) && k-j < maxNameBytes; k++ {
		switch {
		case s[k] == '}' && ascii.At(s, k+1) == '}':
			k++
		case s[k] == '}':
			return k + 1
		case s[k] == ';' || ascii.Class[s[k]]&(ascii.Quote|ascii.Space) != 0:
			return 0
		}
	}
	return 0
}

// escapedControl reports whether a control character stands at i as other programs escape it: #012.
func escapedControl(s string, i int) bool {
	return ascii.At(s, i+1) == '0' && (ascii.At(s, i+2) == '0' || ascii.At(s, i+2) == '1' || ascii.At(s, i+2) == '3') &&
		ascii.At(s, i+3) >= '0' && ascii.At(s, i+3) <= '7'
}

// pairAt reports whether another name with a value begins at i: name=x, name="x", name:x.
func pairAt(s string, i int) bool {
	end := ascii.Span(s, i, ascii.Ident)
	if end-i < 2 || end-i > maxNameBytes || !ascii.Is(s, i, ascii.Alpha) || ascii.At(s, end) != '=' && (ascii.At(s, end) != ':' || ascii.At(s, i-1) == ':') {
		return false
	}
	return ascii.Is(s, end+1, ascii.Alnum|ascii.Quote) || end+1 == len(s) && ascii.At(s, end) == ':'
}
