// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Values that no operator joins to their names: in tables and tuples, behind a command that sets something, in the next line of an
// interactive session, in a field whose label is the name.

// settingWords are commands and directives that a name and a value follow.
var settingWords = set("env setenv put set fastcgi_param uwsgi_param scgi_param proxy_set_header add_header putenv")

// unmarkedValue finds the value of the name s[start:i] behind the blanks before j: password<tab>x, (password x), password (x), ENV API_KEY x,
// kv put app/db/password x.
func (c *Context) unmarkedValue(start, i, j int) (value, bool) {
	s := c.S
	bare := func(from int) (value, bool) {
		if ascii.Is(s, from, ascii.Quote) {
			return c.quotedValue(from)
		}
		v := value{from, c.bareEnd(from), quoted}
		text := s[v.start:v.end]
		return v, len(text) >= minPrinted && Mixed(text) && !algorithm(text) && !isTime(text) && !isURL(text) && !resourceName(text) && !structured(text) && !isPair(text) && !hexNumber(text)
	}
	switch {
	case s[i] == '\t' && j == i+1:
		if v, ok := bare(j); ok && (v.end == len(s) || s[v.end] == '\t' || s[v.end] == '\n' || s[v.end] == '\r') {
			return v, ok
		}
	case ascii.At(s, start-1) == '(':
		if v, ok := bare(j); ok && ascii.At(s, v.end) == ')' {
			return v, ok
		}
	}
	if ascii.At(s, j) == '(' {
		v, ok := bare(j + 1)
		return v, ok && ascii.At(s, v.end) == ')' && passwordLike(s[v.start:v.end])
	}
	word := start
	for word > 0 && start-word < maxNameBytes && s[word-1] > ' ' {
		word--
	}
	if command := previousField(s, word); command < word {
		w := strings.TrimSpace(s[command:word])
		request := s[word] == '/' && w == "PUT" // of HTTP
		if settingWords[asciiWord(w)] && !request {
			return bare(j)
		}
	}
	return value{}, false
}

// valueBelow finds the value in the line below the name s[start:i] where a person has asked a program for it: $password of R, print password
// of gdb, password of Python.
func (c *Context) valueBelow(start, i int) (value, bool) {
	s := c.S
	if ascii.At(s, i) != '\n' {
		return value{}, false
	}
	k := ascii.Span(s[:min(len(s), i+3)], i, ascii.Space)
	from := k
	switch {
	case ascii.HasPrefixFold(s, k, "[1] "): // of R
		k += len("[1] ")
	case ascii.At(s, k) == '$' && ascii.Is(s, k+1, ascii.Digit): // of gdb
		if k = ascii.Span(s, k+1, ascii.Digit); !ascii.HasPrefixFold(s, k, " = ") {
			return value{}, false
		}
		k += len(" = ")
	}
	if ascii.At(s, from) == ' ' || from > i+1 {
		// Pydantic's errors: the field, and below it what is wrong with its value.
		line := lineEnd(s[:min(len(s), k+maxHead)], k)
		c.look(2 * (line - k))
		if at := strings.Index(s[k:line], "input_value="); at >= 0 {
			return c.valueAt(k+at+len("input_value="), quoted)
		}
		return value{}, false
	}
	if k = c.unwrap(k); !ascii.Is(s, k, ascii.Quote) || k == from && !ascii.HasSuffixFold(s, start, "> ") {
		return value{}, false
	}
	return c.quotedValue(k)
}

// labelled finds the value of a field where another field, which ends at start, says that it is called so: cs1Label=Password cs1=x (ArcSight's
// Common Event Format).
func (c *Context) labelled(start int) (value, bool) {
	s := c.S
	equals := start
	for equals > 0 && start-equals < maxNameBytes && (ascii.Class[s[equals-1]]&ascii.Ident != 0 || s[equals-1] == ' ') {
		equals--
	}
	if equals--; ascii.At(s, equals) != '=' || !ascii.HasSuffixFold(s, equals, "label") {
		return value{}, false
	}
	field := equals - len("label")
	for field > 0 && equals-field < maxNameBytes && ascii.Class[s[field-1]]&ascii.Alnum != 0 {
		field--
	}
	name := s[field : equals-len("label")]
	if name == "" {
		return value{}, false
	}
	c.Charge(costOfList)
	from, to := max(0, field-maxLabelled), min(len(s), start+maxLabelled)
	c.look(to - from)
	for k := from; k < to; {
		at := strings.Index(s[k:to], name+"=")
		if at < 0 {
			break
		}
		k += at + len(name) + 1
		if ascii.Is(s, k-len(name)-2, ascii.Ident) {
			continue
		}
		// Up to the next field; blanks may be a part of it.
		end := k
		for next := k; next < to; {
			next = c.bareEnd(next)
			end = next
			if next = blanks(s, next); next == end || next >= len(s) || pairAt(s, next) {
				break
			}
		}
		return value{k, end, quoted}, end > k
	}
	return value{}, false
}

const maxLabelled = 512

// passwordOf narrows v, what is given to a name such as credentials, to the password if it is a user and one: bob:x.
func passwordOf(s string, v value) value {
	text := s[v.start:v.end]
	k := strings.IndexByte(text, ':')
	if k < 1 || ascii.Span(text, 0, ascii.Ident) != k || !passwordLike(text[k+1:]) {
		return v
	}
	v.start += k + 1
	return v
}

// closesPrompt reports whether the quote behind a colon at i ends what a program writes on a terminal, and begins no value: read(4, "Enter
// password: ", 64). Only words stand between the quotes.
func closesPrompt(s string, i int, quote byte) bool {
	k := i
	for k > 0 && i-k < maxNameBytes && (ascii.Class[s[k-1]]&ascii.Alnum != 0 || s[k-1] == ' ') {
		k--
	}
	return ascii.At(s, k-1) == quote && (k == 1 || strings.IndexByte("( ,=[{", s[k-2]) >= 0)
}
