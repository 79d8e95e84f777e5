// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// schemaWords are the members of an object that says what values look like and holds none, in JSON Schema, OpenAPI and Elasticsearch.
var schemaWords = newWords("type format minlength maxlength pattern title description nullable required readonly writeonly deprecated minimum maximum items " +
	"properties additionalproperties minitems maxitems name in scheme bearerformat trim unique select label comment sensitive no_log allownull validate errormessage isstring help hint hidden optional writeonly xml minlen maxlen min max index ignore_above fields keyword norms analyzer doc_values store")

// isSchema reports whether the object at i is a schema: {"type":"string","minLength":8}.
func (c *Context) isSchema(i int) bool {
	end := bracketEnd(c.S, i)
	c.look(end - i)
	for k := i; k < end; k++ {
		if ascii.Class[c.S[k]]&ascii.Quote == 0 && c.S[k] != '\\' {
			continue
		}
		v, ok := quotedIn(c.S[:end], k)
		if k = v.end; !ok {
			return false
		}
		for ascii.At(c.S, k) == '\\' {
			k++ // to the quote
		}
		colon := ascii.Span(c.S, k+1, ascii.Space)
		if ascii.At(c.S, colon) != ':' || in(schemaWords, c.S[v.start:v.end]) {
			continue
		}
		// An example may be a mask.
		if v, ok = quotedIn(c.S[:end], ascii.Span(c.S, colon+1, ascii.Space)); !ok || !mask(c.S[v.start:v.end]) {
			return false
		}
	}
	return true
}

// schemaTells are the members of which a schema in flow style, or a reference to where the value is kept, has one: what else is in it may be
// called as anything is.
var schemaTells = newWords("type format required minlength maxlength $ref bearerformat islength isstrongpassword notempty " +
	"secretkeyref configmapkeyref valuefrom from_secret secretref")

// flowSchema reports whether the object at i, as YAML and JavaScript write it without quotes around its names, is a schema: {type: string, format: password}.
func (c *Context) flowSchema(i int) bool {
	end := bracketEnd(c.S, i)
	c.look(end - i)
	s, tells := c.S[:end], false
	for k := ascii.Span(s, i+1, ascii.Space); k < end-1; {
		name := k
		for k < end && (ascii.Class[s[k]]&ascii.Ident != 0 || s[k] == '$') {
			k++
		}
		word := s[name:k]
		if k = blanks(s, k); word == "" || ascii.At(s, k) != ':' {
			return false
		}
		from := ascii.Span(s, k+1, ascii.Space)
		if k = memberEnd(s, from); k == from {
			return false
		}
		switch v := strings.Trim(strings.TrimSpace(s[from:k]), "\"'`"); {
		case in(schemaTells, word):
			tells = true
		case !in(schemaWords, word) && !placeholder(v) && !in(templateValues, v):
			return false // an example may be a mask, a default nothing
		}
		if ascii.At(s, k) == ',' {
			k++
		}
		if k = ascii.Span(s, k, ascii.Space); ascii.At(s, k) == '}' {
			break
		}
	}
	return tells
}

// memberEnd returns where the value at i of a member ends: at the comma or the bracket behind it.
func memberEnd(s string, i int) int {
	depth := 0
	for k := i; k < len(s); k++ {
		switch b := s[k]; {
		case b == '{' || b == '[' || b == '(':
			depth++
		case (b == '}' || b == ']' || b == ')') && depth > 0:
			depth--
		case depth == 0 && (b == ',' || b == '}'):
			return k
		case (b == '"' || b == '\'' || b == '`') && ascii.Class[s[k-1]]&ascii.Alnum == 0:
			if end := strings.IndexByte(s[k+1:], b); end >= 0 {
				k += end + 1
			}
		}
	}
	return len(s)
}

// flowMapping reports whether the object at i begins with a member as flow style writes it whose name says that a value or a schema is given: {value: x}.
func (c *Context) flowMapping(i int) bool {
	k := ascii.Span(c.S, i+1, ascii.Space)
	for k < len(c.S) && k-i < maxNameBytes && (ascii.Class[c.S[k]]&ascii.Ident != 0 || c.S[k] == '$') {
		k++
	}
	word := strings.TrimSpace(c.S[i+1 : k])
	return ascii.At(c.S, k) == ':' && ascii.Is(c.S, k+1, ascii.Space) && (valueName(word) || in(schemaWords, word) || in(schemaTells, word))
}
