// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Names with values in text: key=value, JSON, YAML, XML, hashes, command lines, headers, source code. A trigger such as
// "pass" leads to the name around it; the name is judged; the value is found behind what separates the two.

// named finds values by the names that they are given to. Its triggers are derived from the names of the rules.
var named = &Detector{Find: detectName}

// valueMemo is what is known of names and values in the text: the end of the last name examined (a name with two triggers in it is
// examined once), the last bare value, and the end of the last value that was no secret.
type valueMemo struct{ identEnd, bareFrom, bareTo, rejected int }

const (
	maxNameBytes  = 64
	maxRejected   = 128  // the end of a longer value that was no token is not examined again
	maxValueBytes = 8192 // a quoted or bracketed value without an end is redacted this far
)

// detectName examines the name around the trigger at i, and its value.
func detectName(c *Context, _ ID, i int) int {
	s := c.S
	if i < c.memo.values.identEnd {
		return 0
	}
	start := i
	for start > c.taken && i-start < maxNameBytes && ascii.Class[s[start-1]]&(ascii.Ident|ascii.Latin) != 0 {
		start--
	}
	end := i
	for end < len(s) && end-i < maxNameBytes && ascii.Class[s[end]]&(ascii.Ident|ascii.Latin) != 0 {
		end++
	}
	for start < i && (s[start] == '.' || s[start] == '-' || !utf8.RuneStart(s[start])) {
		start++
	}
	for end > i && (s[end-1] == '.' || s[end-1] == '-') {
		end--
	}
	if dot := strings.IndexByte(s[i:end], '.'); dot > 0 && end-i > 40 {
		end = i + dot
	}
	c.memo.values.identEnd = end

	name := s[start:end]
	// "api key", "security code", "social security number": words of one name.
	for k := 0; k < 2 && ascii.At(s, end) == ' ' && ascii.Is(s, end+1, ascii.Alpha) && !c.separated(end); k++ {
		word := ascii.Span(s, end+1, ascii.Alpha)
		if !nameWord[ascii.LowerString(s[end+1:word])] {
			break
		}
		end = word
	}
	own := start
	if prev := previousWord(s, start); prev < start && (ascii.HasPrefixFold(name, 0, "key") || ascii.HasPrefixFold(name, 0, "pin")) {
		start = prev
	}
	c.memo.values.identEnd = end

	vd := c.names.Verdict(s[start:end])
	if vd.Strength == Nothing && start < own {
		start = own
		vd = c.names.Verdict(s[start:end])
	}
	if vd.Strength == Nothing {
		return 0
	}
	name = s[start:end]
	switch vd.Rule {
	case ruleAuthorization:
		return c.authorization(end)
	case ruleCookie:
		return c.cookies(start, end)
	}
	v, ok := c.findValue(start, end, vd)
	if !ok {
		if v, ok = c.valueBefore(start, end); ok && secretValue(s[v.start:v.end], vd, quoted) {
			c.Offer(vd.Rule, v.start, v.end)
		}
		return 0
	}
	if (vd.Rule == ruleSSN || vd.Rule == ruleCardCode) && v.ctx != quoted {
		// What follows the number is not part of it: ssn=536228726,2026-11-23.
		for k := v.start; k < v.end; k++ {
			if ascii.Class[s[k]]&ascii.Digit == 0 && (s[k] != '-' && s[k] != '.' || !ascii.Is(s, k+1, ascii.Digit)) {
				v.end = k
			}
		}
	}
	if v.end == c.memo.values.rejected && v.end-v.start > maxRejected && vd.Strength < Hard {
		return 0
	}
	if !secretValue(s[v.start:v.end], vd, v.ctx) || workingDirectory(name, s[v.start:v.end]) ||
		ascii.At(s, start-1) == '(' && ascii.At(s, v.end) == ')' && pamTypes[s[v.start:v.end]] {
		c.memo.values.rejected = v.end
		return 0
	}
	c.Offer(vd.Rule, v.start, v.end)
	return v.end
}

// workingDirectory reports whether v is the shell's working directory, as sudo logs it: PWD=/home/bob.
func workingDirectory(name, v string) bool {
	return (name == "PWD" || name == "OLDPWD") && v[0] == '/' && resourceName(v)
}

// pamTypes are what PAM does for a service: pam_unix(gdm-password:session), pam_unix(passwd:chauthtok).
var pamTypes = set("auth account session chauthtok setcred")

var nameWord = set("code key token number secret password phrase keys tokens security value id")

// separated reports whether a separator follows at i, after spaces.
func (c *Context) separated(i int) bool {
	i = ascii.Span(c.S, i, ascii.Space)
	return ascii.At(c.S, i) == '=' || ascii.At(c.S, i) == ':'
}

// previousWord returns the start of the word before start, if one space is between, or start.
func previousWord(s string, start int) int {
	if ascii.At(s, start-1) != ' ' {
		return start
	}
	i := start - 1
	for i > 0 && start-i < 20 && ascii.Class[s[i-1]]&ascii.Alpha != 0 {
		i--
	}
	if i == start-1 {
		return start
	}
	return i
}

// value is where a value is, and how it was given.
type value struct {
	start, end int
	ctx        manner
}

// findValue finds the value of the name s[start:end].
func (c *Context) findValue(start, end int, vd Verdict) (value, bool) {
	c.Charge(costOfValue)
	s := c.S
	i := end
	nameQuoted := false
	if ascii.At(s, i) == '\\' && ascii.Is(s, i+1, ascii.Quote) {
		i, nameQuoted = i+2, true
	} else if ascii.Is(s, i, ascii.Quote) {
		i, nameQuoted = i+1, true
	}
	if ascii.At(s, i) == ']' {
		i++
		if ascii.Is(s, i, ascii.Quote) {
			i++
		}
	}
	j := i
	for j < len(s) && j-i < 16 && (s[j] == ' ' || s[j] == '\t') {
		j++
	}
	// No name of an element is followed by an equals sign, or by a colon and a space.
	if ascii.At(s, start-1) == '<' && !nameQuoted && ascii.At(s, j) != '=' && (ascii.At(s, j) != ':' || !ascii.Is(s, j+1, ascii.Space)) {
		if v, ok := xmlValue(s, i); ok {
			return v, ok
		}
	}
	op := operator(s, j)
	if op == 0 && j == i+1 && ascii.Is(s, j, ascii.Digit) {
		// Unseal Key 2: ...
		if k := ascii.Span(s, j, ascii.Digit); k-j < 3 && ascii.At(s, k) == ':' && ascii.At(s, k+1) == ' ' {
			j, op = k, 1
		}
	}
	switch {
	case op > 0:
		return c.valueAfter(j, j+op, j > i, vd)
	case ascii.At(s, i) == '(' && ascii.Is(s, i+1, ascii.Quote) && ascii.EqualFold(s[start:end], "password"):
		return quotedValue(s, i+1) // SET PASSWORD = PASSWORD('...')
	case ascii.At(s, j) == ',' && nameQuoted:
		// setProperty("name", "value"), and in a list of pairs: ["name","value"]
		if k := ascii.Span(s, j+1, ascii.Space); ascii.Is(s, k, ascii.Quote) || ascii.At(s, k) == '\\' && ascii.Is(s, k+1, ascii.Quote) {
			if v, ok := c.namedValue(i); ok {
				return v, ok
			}
			v, ok := quotedValue(s, k)
			// In {"method":"set_password","params":...} the name was a value, and what follows is the next name.
			if next := ascii.Span(s, v.end, ascii.Quote|ascii.Space); ok && (ascii.At(s, next) == ':' || ascii.At(s, next) == '\\' && ascii.Is(s, next+1, ascii.Quote) && ascii.At(s, next+2) == ':') {
				return value{}, false
			}
			return v, ok
		}
		return c.namedValue(i)
	case nameQuoted:
		return c.namedValue(i)
	case ascii.At(s, start-1) == '-' && j == i+1 && ascii.At(s, j) != '-' && (ascii.At(s, start-2) == '-' || start < 2 || ascii.Is(s, start-2, ascii.Space)):
		return c.valueAt(j, flag)
	case ascii.HasPrefixFold(s, j, "is ") || ascii.HasPrefixFold(s, j, "was "):
		k := strings.IndexByte(s[j:], ' ') + j + 1
		if v, ok := c.valueAt(k, tight); ok {
			v.ctx = prose
			return v, ok
		}
	case vd.Rule == ruleCardCode && j > i && ascii.Is(s, j, ascii.Digit):
		// Written for people: cvv 737. What digits there must be, secretValue knows.
		return c.valueAt(j, prose)
	case j == i+1 && ascii.Is(s, j, ascii.Alpha):
		// A declaration with a type: var apiToken string = "..."
		k := j
		for k < len(s) && k-j < 16 && (ascii.Class[s[k]]&ascii.Alnum != 0 || s[k] == '*' || s[k] == '&') {
			k++
		}
		if k > j && ascii.At(s, k) == ' ' {
			if op := operator(s, k+1); op > 0 && ascii.At(s, k+1) != ':' || op == 2 {
				if q := ascii.Span(s, k+1+op, ascii.Space); ascii.Is(s, q, ascii.Quote) {
					return quotedValue(s, q)
				}
			}
		}
	case ascii.At(s, i) == '\n' || ascii.At(s, i) == '\r' || ascii.At(s, i) == ',':
		return c.namedValue(i)
	case j > i:
		// Written for people: token - "...", API key | ..., key "..."
		k := j
		if s[k-1] == ' ' && (ascii.At(s, k) == '-' || ascii.At(s, k) == '|') {
			k = ascii.Span(s, k+1, ascii.Space)
		}
		if ascii.Is(s, k, ascii.Quote) || k > j && ascii.At(s, j) == '|' {
			v, ok := c.valueAt(k, colon)
			v.ctx = colon
			return v, ok
		}
	}
	return value{}, false
}

// operator returns the length of the operator at i: = : := ::= :::= ?= .= ||= += => -> == or 0.
func operator(s string, i int) int {
	j := i
	for j < len(s) && j-i < 3 && (s[j] == ':' || s[j] == '?' || s[j] == '.' || s[j] == '|' || s[j] == '+') {
		j++
	}
	switch {
	case ascii.At(s, j) == '=' && (j-i < 2 || s[i] == ':' || s[i] == '|'):
		j++
		if ascii.At(s, j) == '>' || ascii.At(s, j) == '=' {
			j++
		}
		return j - i
	case ascii.At(s, i) == ':' && (ascii.At(s, i+1) != ':' || ascii.At(s, i+2) == ' '):
		if ascii.At(s, i+1) == ':' {
			return 2
		}
		return 1
	case ascii.At(s, i) == '-' && ascii.At(s, i+1) == '>':
		return 2
	}
	return 0
}

// valueAfter finds the value after the operator s[op:after].
func (c *Context) valueAfter(op, after int, spaceBefore bool, vd Verdict) (value, bool) {
	s := c.S
	j := ascii.Span(s, after, ascii.Space)
	if j-after > 40 {
		return value{}, false
	}
	if s[op] == ':' && (ascii.At(s, j) == '|' || ascii.At(s, j) == '>') {
		if v, ok := blockValue(s, j); ok {
			return v, ok
		}
	}
	ctx := tight
	switch {
	case s[op] == ':' && after-op == 1 && j > after:
		ctx = colon
	case j > after:
		ctx = spaced
		if nl := strings.IndexByte(s[after:j], '\n'); nl >= 0 {
			return value{}, false
		}
	}
	// String prefixes: b"...", r'...', @"...".
	if ascii.Is(s, j+1, ascii.Quote) && (ascii.Is(s, j, ascii.Alpha) || ascii.At(s, j) == '@') {
		j++
	}
	switch ascii.At(s, j) {
	case '[', '{':
		if vd.Strength == Hard && vd.Rule != ruleSSN && vd.Rule != ruleCardCode && ctx != colon || vd.Rule == rulePassword {
			if MarkerLen(s, j) > 0 {
				break
			}
			end := bracketEnd(s, j)
			if ascii.Is(s, end, ascii.Alnum) {
				end = unquotedEnd(s, end)
			}
			return value{j, end, quoted}, true
		}
	}
	v, ok := c.valueAt(j, ctx)
	if !ok {
		return v, ok
	}
	if ctx == colon && v.ctx != quoted {
		// name: type = "value"
		if k := ascii.Span(s, v.end, ascii.Space); ascii.At(s, k) == '=' && k > v.end {
			if q := ascii.Span(s, k+1, ascii.Space); ascii.Is(s, q, ascii.Quote) {
				return quotedValue(s, q)
			}
		}
	}
	// In a list of name=value pairs, an empty value is followed by the next pair.
	if v.ctx == spaced && !spaceBefore && isPair(s[v.start:v.end]) {
		return value{}, false
	}
	return v, true
}

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
		end = lineEnd(s, line)
		if line = end; ascii.At(s, line) == '\r' {
			line++
		}
		if line < len(s) {
			line++
		}
	}
	return value{start, end, quoted}, end > start
}

// isPair reports whether v is itself name=value.
func isPair(v string) bool {
	i := ascii.Span(v, 0, ascii.Ident)
	return i > 0 && i+1 < len(v) && v[i] == '=' && v[i+1] != '='
}

func (c *Context) valueAt(i int, ctx manner) (value, bool) {
	s := c.S
	if ascii.Is(s, i, ascii.Quote) || ascii.At(s, i) == '\\' && (ascii.Is(s, i+1, ascii.Quote) || ascii.At(s, i+1) == '\\') {
		return quotedValue(s, i)
	}
	end := c.bareEnd(i)
	return value{i, end, ctx}, end > i
}

// quotedValue returns what is between the quote at i and the next one of its kind and level of escaping. Without an end, the
// value goes on to the end of the line.
func quotedValue(s string, i int) (value, bool) {
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
		case s[j] == q && run <= slashes:
			return value{start, j - run, quoted}, j-run > start
		case s[j] == '\n' || j-start > maxValueBytes:
			return value{start, j, quoted}, j > start
		}
		run = 0
	}
	return value{start, len(s), quoted}, len(s) > start
}

// bareEnd is unquotedEnd, with the answer for values inside the last one remembered: key=key=key= is looked through once.
func (c *Context) bareEnd(i int) int {
	if i <= c.memo.values.bareFrom || i >= c.memo.values.bareTo {
		c.memo.values.bareFrom, c.memo.values.bareTo = i, unquotedEnd(c.S, i)
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
				return j + 1
			}
		}
		if j-i > maxValueBytes {
			return j
		}
	}
	return len(s)
}

// xmlValue returns the text of the element whose name ends at i.
func xmlValue(s string, i int) (value, bool) {
	for k := i; k < len(s) && k-i < 128 && s[k] != '<'; k++ {
		if s[k] != '>' {
			continue
		}
		if s[k-1] == '/' {
			return value{}, false
		}
		start := ascii.Span(s, k+1, ascii.Space)
		mark := "<"
		if ascii.HasPrefixFold(s, start, "<![cdata[") {
			start, mark = start+len("<![cdata["), "]]>"
		}
		end := strings.Index(s[start:], mark)
		if end < 0 {
			end = len(s) - start
		}
		end += start
		for end > start && ascii.Class[s[end-1]]&ascii.Space != 0 {
			end--
		}
		return value{start, end, quoted}, end > start
	}
	return value{}, false
}

// valueBefore finds the value where it stands before its name, which is itself one: {"value":"...","key":"password"}. The name is
// s[start:end].
func (c *Context) valueBefore(start, end int) (value, bool) {
	c.Charge(costOfValue)
	s := c.S
	if !ascii.Is(s, end, ascii.Quote) && ascii.At(s, end) != '\\' {
		return value{}, false
	}
	open := start
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
	if !ascii.HasSuffixFold(s, word, "key") && !ascii.HasSuffixFold(s, word, "name") && !ascii.HasSuffixFold(s, word, "field") {
		return value{}, false
	}
	floor := max(c.taken, start-maxBefore)
	for k := start - 1; k > floor && strings.IndexByte("{}<>\n", s[k]) < 0; k-- {
		if ascii.ToLower(s[k]) != 'v' || !ascii.HasPrefixFold(s, k, "value") {
			continue
		}
		j := k + len("value")
		for ascii.At(s, j) == '\\' || ascii.Is(s, j, ascii.Quote|ascii.Space) {
			j++
		}
		if op := operator(s, j); op > 0 {
			v, ok := quotedValue(s, ascii.Span(s, j+op, ascii.Space))
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
	end := ascii.Span(s, j, ascii.Ident)
	if end == j || end-j > 32 || !ascii.HasSuffixFold(s, end, "value") {
		return value{}, false
	}
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
	return c.valueAt(ascii.Span(s, end+op, ascii.Space), quoted)
}
