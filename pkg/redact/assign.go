// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// Names with values in text: key=value, JSON, YAML, XML, hashes, command lines, headers, source code. A trigger such as
// "pass" leads to the name around it; the name is judged; the value is found behind what separates the two.

const (
	maxNameBytes  = 64
	maxRejected   = 128  // the end of a longer value that was no token is not examined again
	maxValueBytes = 8192 // a quoted or bracketed value without an end is redacted this far
)

// detectName examines the name around the trigger at i, and its value.
func detectName(c *scan, i int) int {
	s := c.s
	if i < c.identEnd {
		return 0
	}
	start := i
	for start > c.taken && i-start < maxNameBytes && class[s[start-1]]&isIdent != 0 {
		start--
	}
	end := i
	for end < len(s) && end-i < maxNameBytes && class[s[end]]&isIdent != 0 {
		end++
	}
	for start < i && (s[start] == '.' || s[start] == '-') {
		start++
	}
	for end > i && (s[end-1] == '.' || s[end-1] == '-') {
		end--
	}
	if dot := strings.IndexByte(s[i:end], '.'); dot > 0 && end-i > 40 {
		end = i + dot
	}
	c.identEnd = end

	name := s[start:end]
	if foldEqual(name, "bearer") {
		return c.bearer(end)
	}
	// "api key", "security code", "social security number": words of one name.
	for k := 0; k < 2 && at(s, end) == ' ' && is(s, end+1, isAlpha) && !c.separated(end); k++ {
		word := spanOf(s, end+1, isAlpha)
		if !nameWord[asciiLower(s[end+1:word])] {
			break
		}
		end = word
	}
	if prev := previousWord(s, start); prev < start && (foldPrefix(name, 0, "key") || foldPrefix(name, 0, "pin")) {
		start = prev
	}
	name = s[start:end]
	c.identEnd = end

	vd := c.w.names.verdict(name)
	if vd.strength == nothing {
		return 0
	}
	if vd.rule == ruleAuthorization {
		return c.authorization(end)
	}
	v, ok := c.findValue(start, end, vd)
	if !ok {
		if v, ok = c.valueBefore(start, end); ok && secretValue(s[v.start:v.end], vd, quoted) {
			c.add(vd.rule, v.start, v.end)
		}
		return 0
	}
	if (vd.rule == ruleSSN || vd.rule == ruleCardCode) && v.ctx != quoted {
		// What follows the number is not part of it: ssn=536228726,2026-11-23.
		for k := v.start; k < v.end; k++ {
			if class[s[k]]&isDigit == 0 && (s[k] != '-' && s[k] != '.' || !is(s, k+1, isDigit)) {
				v.end = k
			}
		}
	}
	if vd.rule == ruleCookie || v.end == c.rejected && v.end-v.start > maxRejected && vd.strength < hard {
		return 0
	}
	if !secretValue(s[v.start:v.end], vd, v.ctx) || workingDirectory(name, s[v.start:v.end]) ||
		at(s, start-1) == '(' && at(s, v.end) == ')' && pamTypes[s[v.start:v.end]] {
		c.rejected = v.end
		return 0
	}
	c.add(vd.rule, v.start, v.end)
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
func (c *scan) separated(i int) bool {
	i = spanOf(c.s, i, isSpace)
	return at(c.s, i) == '=' || at(c.s, i) == ':'
}

// previousWord returns the start of the word before start, if one space is between, or start.
func previousWord(s string, start int) int {
	if at(s, start-1) != ' ' {
		return start
	}
	i := start - 1
	for i > 0 && start-i < 20 && class[s[i-1]]&isAlpha != 0 {
		i--
	}
	if i == start-1 {
		return start
	}
	return i
}

// detectIdentified examines the password in SQL: IDENTIFIED BY '...', IDENTIFIED WITH plugin AS '...'.
func detectIdentified(c *scan, i int) int {
	s := c.s
	quote := strings.IndexAny(s[i:min(len(s), i+96)], "'\"")
	if quote < 0 || !foldSuffix(s, i+quote, " by ") && !foldSuffix(s, i+quote, " as ") && !foldSuffix(s, i+quote, " by password ") {
		return 0
	}
	v, ok := quotedValue(s, i+quote)
	if !ok || placeholder(s[v.start:v.end]) {
		return 0
	}
	c.add(rulePassword, v.start, v.end)
	return v.end
}

// value is where a value is, and how it was given.
type value struct {
	start, end int
	ctx        manner
}

// findValue finds the value of the name s[start:end].
func (c *scan) findValue(start, end int, vd verdict) (value, bool) {
	c.w.work -= workOfValue
	s := c.s
	i := end
	nameQuoted := false
	if at(s, i) == '\\' && is(s, i+1, isQuote) {
		i, nameQuoted = i+2, true
	} else if is(s, i, isQuote) {
		i, nameQuoted = i+1, true
	}
	if at(s, i) == ']' {
		i++
		if is(s, i, isQuote) {
			i++
		}
	}
	j := i
	for j < len(s) && j-i < 16 && (s[j] == ' ' || s[j] == '\t') {
		j++
	}
	// No name of an element is followed by an equals sign, or by a colon and a space.
	if at(s, start-1) == '<' && !nameQuoted && at(s, j) != '=' && (at(s, j) != ':' || !is(s, j+1, isSpace)) {
		if v, ok := xmlValue(s, i); ok {
			return v, ok
		}
	}
	op := operator(s, j)
	if op == 0 && j == i+1 && is(s, j, isDigit) {
		// Unseal Key 2: ...
		if k := spanOf(s, j, isDigit); k-j < 3 && at(s, k) == ':' && at(s, k+1) == ' ' {
			j, op = k, 1
		}
	}
	switch {
	case op > 0:
		return c.valueAfter(j, j+op, j > i, vd)
	case at(s, i) == '(' && is(s, i+1, isQuote) && foldEqual(s[start:end], "password"):
		return quotedValue(s, i+1) // SET PASSWORD = PASSWORD('...')
	case at(s, j) == ',' && nameQuoted:
		// setProperty("name", "value"), and in a list of pairs: ["name","value"]
		if k := spanOf(s, j+1, isSpace); is(s, k, isQuote) || at(s, k) == '\\' && is(s, k+1, isQuote) {
			if v, ok := c.namedValue(i); ok {
				return v, ok
			}
			v, ok := quotedValue(s, k)
			// In {"method":"set_password","params":...} the name was a value, and what follows is the next name.
			if next := spanOf(s, v.end, isQuote|isSpace); ok && (at(s, next) == ':' || at(s, next) == '\\' && is(s, next+1, isQuote) && at(s, next+2) == ':') {
				return value{}, false
			}
			return v, ok
		}
		return c.namedValue(i)
	case nameQuoted:
		return c.namedValue(i)
	case at(s, start-1) == '-' && j == i+1 && at(s, j) != '-' && (at(s, start-2) == '-' || start < 2 || is(s, start-2, isSpace)):
		return c.valueAt(j, flag)
	case foldPrefix(s, j, "is ") || foldPrefix(s, j, "was "):
		k := strings.IndexByte(s[j:], ' ') + j + 1
		if v, ok := c.valueAt(k, tight); ok {
			v.ctx = prose
			return v, ok
		}
	case vd.rule == ruleCardCode && j > i && is(s, j, isDigit):
		// Written for people: cvv 737. What digits there must be, secretValue knows.
		return c.valueAt(j, prose)
	case j == i+1 && is(s, j, isAlpha):
		// A declaration with a type: var apiToken string = "..."
		k := j
		for k < len(s) && k-j < 16 && (class[s[k]]&isAlnum != 0 || s[k] == '*' || s[k] == '&') {
			k++
		}
		if k > j && at(s, k) == ' ' {
			if op := operator(s, k+1); op > 0 && at(s, k+1) != ':' || op == 2 {
				if q := spanOf(s, k+1+op, isSpace); is(s, q, isQuote) {
					return quotedValue(s, q)
				}
			}
		}
	case at(s, i) == '\n' || at(s, i) == '\r' || at(s, i) == ',':
		return c.namedValue(i)
	case j > i:
		// Written for people: token - "...", API key | ..., key "..."
		k := j
		if s[k-1] == ' ' && (at(s, k) == '-' || at(s, k) == '|') {
			k = spanOf(s, k+1, isSpace)
		}
		if is(s, k, isQuote) || k > j && at(s, j) == '|' {
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
	case at(s, j) == '=' && (j-i < 2 || s[i] == ':' || s[i] == '|'):
		j++
		if at(s, j) == '>' || at(s, j) == '=' {
			j++
		}
		return j - i
	case at(s, i) == ':' && (at(s, i+1) != ':' || at(s, i+2) == ' '):
		if at(s, i+1) == ':' {
			return 2
		}
		return 1
	case at(s, i) == '-' && at(s, i+1) == '>':
		return 2
	}
	return 0
}

// valueAfter finds the value after the operator s[op:after].
func (c *scan) valueAfter(op, after int, spaceBefore bool, vd verdict) (value, bool) {
	s := c.s
	j := spanOf(s, after, isSpace)
	if j-after > 40 {
		return value{}, false
	}
	if s[op] == ':' && (at(s, j) == '|' || at(s, j) == '>') {
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
	if is(s, j+1, isQuote) && (is(s, j, isAlpha) || at(s, j) == '@') {
		j++
	}
	switch at(s, j) {
	case '[', '{':
		if vd.strength == hard && vd.rule != ruleSSN && vd.rule != ruleCardCode && ctx != colon || vd.rule == rulePassword {
			if markerLen(s, j) > 0 {
				break
			}
			end := bracketEnd(s, j)
			if is(s, end, isAlnum) {
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
		if k := spanOf(s, v.end, isSpace); at(s, k) == '=' && k > v.end {
			if q := spanOf(s, k+1, isSpace); is(s, q, isQuote) {
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
	for j < len(s) && j-i < 4 && (s[j] == '-' || s[j] == '+' || class[s[j]]&isDigit != 0) {
		j++
	}
	if at(s, j) == '\r' {
		j++
	}
	if at(s, j) != '\n' {
		return value{}, false
	}
	line := j + 1
	start := line
	for at(s, start) == ' ' {
		start++
	}
	indent := s[line:start]
	end := start
	for line < len(s) && indent != "" && strings.HasPrefix(s[line:], indent) && line-i < maxValueBytes {
		end = lineEnd(s, line)
		if line = end; at(s, line) == '\r' {
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
	i := spanOf(v, 0, isIdent)
	return i > 0 && i+1 < len(v) && v[i] == '=' && v[i+1] != '='
}

func (c *scan) valueAt(i int, ctx manner) (value, bool) {
	s := c.s
	if is(s, i, isQuote) || at(s, i) == '\\' && (is(s, i+1, isQuote) || at(s, i+1) == '\\') {
		return quotedValue(s, i)
	}
	end := c.bareEnd(i)
	return value{i, end, ctx}, end > i
}

// quotedValue returns what is between the quote at i and the next one of its kind and level of escaping. Without an end, the
// value goes on to the end of the line.
func quotedValue(s string, i int) (value, bool) {
	slashes := 0
	for at(s, i+slashes) == '\\' {
		slashes++
	}
	q := at(s, i+slashes)
	if class[q]&isQuote == 0 {
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
func (c *scan) bareEnd(i int) int {
	if i <= c.bareFrom || i >= c.bareTo {
		c.bareFrom, c.bareTo = i, unquotedEnd(c.s, i)
	}
	return c.bareTo
}

// unquotedEnd returns the end of the bare value at i: it stops at a space, a quote or an angle bracket, at a bracket it did
// not open, and at a comma, semicolon or ampersand that separates it from something else.
func unquotedEnd(s string, i int) int {
	if n := markerLen(s, i); n > 0 && (i+n == len(s) || class[s[i+n]]&isAlnum == 0 && s[i+n] < 0x80) {
		return i + n
	}
	open := 0
	j := i
	for ; j < len(s); j++ {
		b := s[j]
		switch {
		case class[b]&isAlnum != 0 || b >= 0x80:
			continue
		case class[b]&isSpace != 0 || class[b]&isQuote != 0 || b == '<' || b == '>' || b < 0x20:
			return j
		case b == '(' || b == '[' || b == '{':
			open++
		case b == ')' || b == ']' || b == '}':
			if open == 0 {
				return j
			}
			open--
		case b == '\\' && (strings.IndexByte("nrt\"'", at(s, j+1)) >= 0):
			return j
		case b == ',' || b == ';' || b == '&':
			if j+1 == len(s) || class[s[j+1]]&(isSpace|isQuote) != 0 || b == '&' && s[j+1] == '&' {
				return j
			}
			k := spanOf(s, j+1, isIdent)
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
		start := spanOf(s, k+1, isSpace)
		mark := "<"
		if foldPrefix(s, start, "<![cdata[") {
			start, mark = start+len("<![cdata["), "]]>"
		}
		end := strings.Index(s[start:], mark)
		if end < 0 {
			end = len(s) - start
		}
		end += start
		for end > start && class[s[end-1]]&isSpace != 0 {
			end--
		}
		return value{start, end, quoted}, end > start
	}
	return value{}, false
}

// valueBefore finds the value where it stands before its name, which is itself one: {"value":"...","key":"password"}. The name is
// s[start:end].
func (c *scan) valueBefore(start, end int) (value, bool) {
	c.w.work -= workOfValue
	s := c.s
	if !is(s, end, isQuote) && at(s, end) != '\\' {
		return value{}, false
	}
	open := start
	for open > 0 && (class[s[open-1]]&(isQuote|isSpace) != 0 || s[open-1] == '\\') {
		open--
	}
	if open == start || at(s, open-1) != ':' && at(s, open-1) != '=' {
		return value{}, false
	}
	// What holds the name is called key, name or field: in "error":"password" it is no name.
	word := open - 1
	for word > 0 && (class[s[word-1]]&(isQuote|isSpace) != 0 || s[word-1] == '\\') {
		word--
	}
	if !foldSuffix(s, word, "key") && !foldSuffix(s, word, "name") && !foldSuffix(s, word, "field") {
		return value{}, false
	}
	floor := max(c.taken, start-maxBefore)
	for k := start - 1; k > floor && strings.IndexByte("{}<>\n", s[k]) < 0; k-- {
		if lower(s[k]) != 'v' || !foldPrefix(s, k, "value") {
			continue
		}
		j := k + len("value")
		for at(s, j) == '\\' || is(s, j, isQuote|isSpace) {
			j++
		}
		if op := operator(s, j); op > 0 {
			v, ok := quotedValue(s, spanOf(s, j+op, isSpace))
			return v, ok && v.end < open
		}
		return value{}, false
	}
	return value{}, false
}

const maxBefore = 256

// namedValue finds the value where a name is itself one: name: X_TOKEN, value: ... (Kubernetes, XML attributes, HCL). The
// name ends at i.
func (c *scan) namedValue(i int) (value, bool) {
	s := c.s
	j := i
	for j < len(s) && j-i < 80 && (class[s[j]]&isSpace != 0 || s[j] == ',') {
		j++
	}
	if j == i {
		return value{}, false
	}
	for at(s, j) == '\\' {
		j++
	}
	if is(s, j, isQuote) {
		j++
	}
	end := spanOf(s, j, isIdent)
	if end == j || end-j > 32 || !foldSuffix(s, end, "value") {
		return value{}, false
	}
	for at(s, end) == '\\' {
		end++
	}
	if is(s, end, isQuote) {
		end++
	}
	end = spanOf(s, end, isSpace)
	op := operator(s, end)
	if op == 0 {
		return value{}, false
	}
	return c.valueAt(spanOf(s, end+op, isSpace), quoted)
}
