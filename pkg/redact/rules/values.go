// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// value is where a value is, and how it was given.
type value struct {
	start, end int
	ctx        manner
}

// findValue finds the value of the name s[start:end].
func (c *Context) findValue(start, end int, vd Verdict) (value, bool) {
	c.Charge(costOfName)
	s := c.S
	if v, ok := expansion(s, start-2); ok {
		return v, v.end > v.start
	}
	i, nameQuoted := nameEnd(s, start, end)
	if v, ok := formData(s, start, i); ok {
		return v, ok
	}
	j := blanks(s, i)
	// No name of an element is followed by an equals sign, or by a colon and a space.
	if !nameQuoted && element(s, start) && ascii.At(s, j) != '=' && (ascii.At(s, j) != ':' || !ascii.Is(s, j+1, ascii.Space)) {
		if assigned := beforeBlanks(s, start-1); assigned > 0 && s[assigned-1] == '=' && !strings.Contains(s[i:min(len(s), i+maxReference)], "</") {
			return value{}, false // MASTER_PASSWORD = <secret>, as MySQL logs it
		}
		return c.xmlValue(i)
	}
	if !nameQuoted && ascii.At(s, start-1) == '>' && ascii.At(s, i) == '<' && ascii.At(s, i+1) == '/' {
		if v, ok := c.siblings(i); ok || vd.Strength < Hard {
			return v, ok
		}
		return c.cell(i)
	}
	dots := leaders(s, j)
	led := dots > j
	j = dots
	if ascii.At(s, j) == '(' {
		j = parenthetical(s, j)
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
	case led:
		return c.valueAt(j, colon)
	case ascii.At(s, i) == '|' && ascii.At(s, start-1) == '|':
		return c.valueAt(i+1, colon) // |password|x|
	case ascii.At(s, i) == '(' && ascii.Is(s, i+1, ascii.Quote) && vd.Strength == Hard && takesPassword(s[start:end]):
		return c.lastArgument(i + 1) // SET PASSWORD = PASSWORD('...'), changePassword("eve", "...")
	case ascii.At(s, j) == ',' && (nameQuoted || ascii.At(s, start-1) == '{' || ascii.At(s, start-1) == ':'):
		return c.pairedValue(start, i, j)
	case ascii.At(s, i) == ',' && ascii.At(s, start-1) == '(':
		if v, ok := c.unmarkedValue(start, i, i+1); ok {
			return v, ok // (password,x)
		}
		return c.memberValue(start, i)
	case nameQuoted && ascii.At(s, j) == ';':
		return c.serialized(j)
	case nameQuoted && j == i+1 && ascii.Is(s, j, ascii.Quote) && s[j] == s[i-1]:
		v, ok := c.quotedValue(j) // "HSET" "user:7" "password" "x"
		return v, ok && v.end-v.start >= minPrinted && Mixed(s[v.start:v.end])
	case nameQuoted:
		return c.memberValue(start, i)
	case ascii.At(s, start-1) == '-' && j == i+1 && (asks(s[start:end]) || s[i-1] == ']'):
		return value{}, false // what follows is not its value, nor in a usage: [--secret SECRET] [--key-file FILE]
	case ascii.At(s, start-1) == '-' && j == i+1 && ascii.At(s, j) != '-' && (ascii.At(s, start-2) == '-' || start < 2 || ascii.Is(s, start-2, ascii.Space)):
		if ascii.At(s, j) == '(' && ascii.Is(s, j+1, ascii.Alpha) {
			if end := c.span(j+1, ascii.Ident); (ascii.At(s, end) != ')' || !Mixed(s[j+1:end])) && !random(s, j+1) {
				return value{}, false // a command in the place of a value
			}
		}
		return c.valueAt(j, flag)
	case j > i && vd.Strength == Hard && ascii.HasPrefixFold(s, j, "/t reg_") && ascii.HasPrefixFold(s, ascii.Span(s, j+len("/t "), ascii.Ident), " /d "):
		return c.valueAt(ascii.Span(s, j+len("/t "), ascii.Ident)+len(" /d "), flag) // reg add KEY /v DefaultPassword /t REG_SZ /d x
	case j > i && vd.Strength == Hard && ascii.HasPrefixFold(s, j, "reg_") && ascii.Is(s, c.span(j, ascii.Ident), ascii.Space):
		return c.valueAt(blanks(s, c.span(j, ascii.Ident)), flag) // DefaultPassword    REG_SZ    x
	case j > i && in(directives, s[start:end]):
		return c.proseValue(start, i, j, vd)
	case ascii.At(s, j) == '{' || ascii.At(s, i) == '\n' || ascii.At(s, i) == '\r' || ascii.At(s, i) == ',':
		if v, ok := c.valueBelow(start, i); ok {
			return v, ok
		}
		return c.memberValue(start, i)
	case j > i:
		return c.proseValue(start, i, j, vd)
	}
	return c.labelled(start)
}

const maxBlanks = 128 // between a name and its operator, or that and the value: programs align what they print

// blanks returns the end of the spaces and tabs at i.
func blanks(s string, i int) int {
	j := i
	for j < len(s) && j-i < maxBlanks && (s[j] == ' ' || s[j] == '\t') {
		j++
	}
	return j
}

// beforeBlanks returns where the spaces before i begin.
func beforeBlanks(s string, i int) int {
	for i > 0 && s[i-1] == ' ' {
		i--
	}
	return i
}

// nameEnd returns the end of what belongs to the name s[start:end]: its quotes and brackets, what Markdown emphasizes it with, and
// what PHP says of a member ([password:protected]).
func nameEnd(s string, start, end int) (i int, nameQuoted bool) {
	i = end
	switch {
	case ascii.At(s, i) == '\\' && ascii.Is(s, i+1, ascii.Quote):
		i, nameQuoted = i+2, true
	case ascii.Is(s, i, ascii.Quote):
		i, nameQuoted = i+1, true
	}
	if nameQuoted && ascii.At(s, i) == '>' && ascii.At(s, i+1) == '>' {
		i += 2 // <<"password">> of Erlang
	}
	if open := ascii.At(s, start-1); ascii.At(s, i) == ':' && (open == '[' || nameQuoted) {
		k := i
		for k < len(s) && k-i < maxNameBytes && (ascii.Class[s[k]]&ascii.Ident != 0 || s[k] == ':' || s[k] == '\\' || nameQuoted && s[k] == '"') {
			k++
		}
		if ascii.At(s, k) == ']' && (ascii.HasSuffixFold(s, k, "protected") || ascii.HasSuffixFold(s, k, "private")) {
			i = k
		}
	}
	switch {
	case ascii.At(s, i) == ']':
		i++
		if ascii.Is(s, i, ascii.Quote) {
			i++
		}
	case ascii.At(s, i) == ')' && nameQuoted && operator(s, blanks(s, i+1)) > 0:
		i++ // getenv("DB_PASSWORD") = "x"
	case ascii.At(s, i) == ')' && ascii.At(s, start-1) == '(' && ascii.At(s, i+1) == '=':
		i++ // Key (password)=(...)
	case ascii.At(s, i) == '}' && ascii.At(s, start-1) == '$' && operator(s, blanks(s, i+1)) > 0:
		i++ // a macro of Zabbix: {$SNMP_COMMUNITY}=x
	case ascii.At(s, i) == ':' && ascii.Is(s, i+1, ascii.Digit) && !nameQuoted:
		// The tag of an attribute of RADIUS: Tunnel-Password:0 = "x"
		if k := ascii.Span(s, i+1, ascii.Digit); k-i < 4 && ascii.At(s, blanks(s, k)) != ':' && operator(s, blanks(s, k)) > 0 {
			i = k
		}
	case ascii.At(s, i) == '*' && ascii.At(s, start-1) == '*':
		for ascii.At(s, i) == '*' {
			i++
		}
	}
	return i, nameQuoted
}

// leaders returns the end of a row of dots at i, which lead to the value in a table and may have blanks between them, or i.
func leaders(s string, i int) int {
	j, dots := i, 0
	for ; ascii.At(s, j) == '.'; dots++ {
		if j++; ascii.At(s, j) == ' ' && ascii.At(s, j+1) == '.' {
			j++
		}
	}
	if dots < 3 {
		return i
	}
	return blanks(s, j)
}

const maxParenthetical = 24

// parenthetical returns the end of a remark in parentheses at i that an operator follows, or i.
func parenthetical(s string, i int) int {
	k := i + 1
	for k < len(s) && k-i < maxParenthetical && (ascii.Class[s[k]]&ascii.Alnum != 0 || s[k] == ' ' || s[k] == '-') {
		k++
	}
	if ascii.At(s, k) != ')' {
		return i
	}
	if j := blanks(s, k+1); operator(s, j) > 0 {
		return j
	}
	return i
}

// pairedValue finds the value of a name that a comma at j separates from it: setProperty("name", "value"), ["name","value"],
// {password,"value"}. The name starts at start and ends at i.
func (c *Context) pairedValue(start, i, j int) (value, bool) {
	s := c.S
	if v, ok := c.namedValue(i); ok {
		if first, ok := c.memberValue(start, i); ok && first.start == v.start {
			return first, ok // with those that follow: "oldValue":"x","newValue":"y"
		}
		c.memo.values.others = 0
		return v, ok
	}
	if strings.HasPrefix(s[start:], "PASS\"") { // {"command":"PASS","command_data":"x"} of sensors
		for _, data := range []string{`,"command_data":"`, `,"arg":"`, `,"args":"`, `,"argument":"`, `,"parameter":"`} {
			if ascii.HasPrefixFold(s, i, data) {
				return c.quotedValue(i + len(data) - 1)
			}
		}
	}
	k := c.unwrap(ascii.Span(s, j+1, ascii.Space))
	if !ascii.Is(s, k, ascii.Quote) && (ascii.At(s, k) != '\\' || !ascii.Is(s, k+1, ascii.Quote)) {
		return c.memberValue(start, i)
	}
	v, ok := c.quotedValue(k)
	if t := s[v.start:v.end]; ok && (t == ":=" || t == "==" || t == "=" || t == "+=") {
		// A row of FreeRADIUS's tables: ('eve','Cleartext-Password',':=','x')
		if comma := ascii.Span(s, v.end, ascii.Quote); ascii.At(s, comma) == ',' {
			v, ok = c.quotedValue(ascii.Span(s, comma+1, ascii.Space))
		}
	}
	// In {"method":"set_password","params":...} the name was a value, and what follows is the next name.
	if next := ascii.Span(s, v.end, ascii.Quote|ascii.Space); ok && (ascii.At(s, next) == ':' || ascii.At(s, next) == '=' || ascii.At(s, next) == '\\' && ascii.Is(s, next+1, ascii.Quote) && ascii.At(s, next+2) == ':') {
		return c.memberValue(start, i)
	}
	return v, ok
}

// serialized finds the value of a name that PHP has serialized: s:8:"password";s:12:"...". The semicolon is at j.
func (c *Context) serialized(j int) (value, bool) {
	s := c.S
	k := j + 1
	if ascii.At(s, k) != 's' || ascii.At(s, k+1) != ':' {
		return value{}, false
	}
	if k = ascii.Span(s, k+2, ascii.Digit); ascii.At(s, k) != ':' {
		return value{}, false
	}
	return c.quotedValue(k + 1)
}

// valueAfter finds the value after the operator s[op:after].
func (c *Context) valueAfter(op, after int, spaceBefore bool, vd Verdict) (value, bool) {
	s := c.S
	j := ascii.Span(s, after, ascii.Space)
	if j-after > maxBlanks {
		return value{}, false
	}
	if s[op] == ':' && (ascii.At(s, j) == '|' || ascii.At(s, j) == '>') {
		if v, ok := blockValue(s, j); ok {
			return v, ok
		}
	}
	q := j
	if ascii.At(s, q) == '\\' {
		q++
	}
	if s[op] == ':' && j > after && ascii.Is(s, q, ascii.Quote) && ascii.Class[ascii.At(s, op-1)]&ascii.Quote == 0 && strings.IndexByte(" ;)", ascii.At(s, q+1)) >= 0 && c.opened(op, s[q]) {
		return value{}, false // read -p "Password: " pw
	}
	ctx := tight
	switch {
	case s[op] == ':' && after-op == 1 && j > after:
		ctx = colon
	case j > after:
		ctx = spaced
		if nl := strings.IndexByte(s[after:j], '\n'); nl >= 0 && !typed(s, j) {
			return value{}, false
		}
	}
	if ctx == colon && ascii.Is(s, j, ascii.Quote) && !ascii.Is(s, j+1, ascii.Alnum) && closesPrompt(s, op, s[j]) {
		return value{}, false
	}
	if ascii.At(s, j) == '(' && ascii.At(s, op-1) == ')' {
		// Key (password)=(x) already exists.
		if k := strings.IndexByte(s[j:min(len(s), j+maxValueBytes)], ')'); k > 1 {
			c.look(k)
			return value{j + 1, j + k, quoted}, true
		}
	}
	if ascii.At(s, j) == '{' {
		j = scheme(s, j)
	}
	switch ascii.At(s, j) {
	case '[', '{':
		if MarkerLen(s, j) > 0 {
			break
		}
		if ascii.At(s, j+2) == '@' && ascii.Is(s, j+1, ascii.UpperCase) && ascii.Is(s, j+3, ascii.HexDigit) {
			return value{}, false // the address of an array of Java's: [C@1b2c3d
		}
		if vd.Strength == Hard && vd.Rule != ruleSSN && vd.Rule != ruleCardCode && ctx != colon || vd.Rule == rulePassword {
			if k := ascii.Span(s, j+1, ascii.Space); ascii.Is(s, k, ascii.Quote) || ascii.At(s, k) == '\\' && ascii.Is(s, k+1, ascii.Quote) {
				if s[j] == '{' && (ascii.HasPrefixFold(s, k+1, "type\"") || ascii.HasPrefixFold(s, k+1, `"type\"`)) {
					if c.isSchema(j) {
						return value{}, false
					}
					if v, ok := c.memberValue(-1, j); ok && (vd.Rule != rulePassword || vd.Strength != Hard) { // of a password all is taken
						return v, ok
					}
				}
				if v, ok := c.quotedValue(k); ok && saysSomething(s[v.start:v.end]) {
					return value{}, false // {"password":["must not be blank"]}
				}
			}
			if s[j] == '{' && s[op] == ':' && c.flowMapping(j) {
				if c.flowSchema(j) {
					return value{}, false
				}
				if v, ok := c.memberValue(-1, j); ok {
					return v, ok
				}
			}
			if end, k := c.bareEnd(j), strings.IndexByte(s[j:min(len(s), j+maxValueBytes)], s[j]+2); k < 0 || j+k < end && random(s, j+1) && s[end-1] != s[j]+2 {
				return value{j, end, quoted}, true // [x, and no end of it
			}
			end := bracketEnd(s, j)
			if ascii.Is(s, end, ascii.Alnum) {
				end = c.bareEnd(end)
			}
			c.look(end - j)
			return value{j, end, quoted}, true
		}
		if k := ascii.Span(s, j+1, ascii.Space); s[j] == '[' && vd.Strength == Medium && ascii.Is(s, k, ascii.Quote) {
			return c.quotedValue(k) // 'csrfmiddlewaretoken': ['x']
		}
		if v, ok := c.memberValue(-1, j); ok {
			return v, ok
		}
		if end := numbersEnd(s, j); vd.Rule == ruleAPIKey && vd.Strength == Medium && end > 0 {
			return value{j, end, quoted}, true // network_key: [1, 3, 5, 7, …]
		}
	}
	if ctx == colon && s[op-1] >= 'a' && emptyMember(s, op, j) {
		return value{}, false
	}
	v, ok := c.valueAt(j, ctx)
	if !ok || (s[op] == '!' || s[op] == '<') && v.ctx != quoted && c.span(v.start, ascii.Alpha) >= v.start+len(strings.TrimRight(s[v.start:v.end], ":;)")) { // if password != confirm
		return v, false
	}
	if ctx == colon && v.ctx != quoted {
		// name: type = "value"
		if k := ascii.Span(s, v.end, ascii.Space); ascii.At(s, k) == '=' && k > v.end {
			if q := ascii.Span(s, k+1, ascii.Space); ascii.Is(s, q, ascii.Quote) {
				return c.quotedValue(q)
			}
		}
	}
	// In a list of name=value pairs, an empty value is followed by the next pair.
	if v.ctx == spaced && !spaceBefore && (isPair(s[v.start:v.end]) || s[v.start] == '-' && ascii.At(s, v.start+1) == '-') {
		return value{}, false
	}
	return v, true
}

// numbersEnd returns the end of the list at i of so many numbers as the bytes of a key, or 0.
func numbersEnd(s string, i int) int {
	n, k := 0, i+1
	for ascii.At(s, i) == '[' && k < len(s) && k-i < maxObject {
		end := ascii.Span(s, k, ascii.Alnum) // 17, 0x11
		if end == k || !ascii.Is(s, k, ascii.Digit) || end-k > len("0x11") {
			return 0
		}
		if n++; ascii.At(s, end) == ']' {
			if n < minKeyBytes {
				return 0
			}
			return end + 1
		}
		if ascii.At(s, end) != ',' {
			return 0
		}
		k = ascii.Span(s, end+1, ascii.Space)
	}
	return 0
}

const minKeyBytes = 16

// emptyMember reports whether the next member of a structure is at j, as Go prints them, and the one before the colon at op has no value:
// {User:eve Password: Host:db}.
func emptyMember(s string, op, j int) bool {
	name := op
	for name > 0 && ascii.Class[s[name-1]]&ascii.Ident != 0 {
		name--
	}
	if !ascii.Is(s, name, ascii.UpperCase) || !ascii.Is(s, j, ascii.UpperCase) || !pairAt(s, j) || ascii.At(s, name-1) != ' ' {
		return false
	}
	before := s[max(0, name-maxReference):name]
	open := strings.LastIndexByte(before, '{')
	if open < 0 {
		return false
	}
	members := 0
	for field := range strings.FieldsSeq(before[open+1:]) {
		if k := strings.IndexByte(field, ':'); k < 1 || strings.ContainsAny(field, `}"'`) {
			return false // YAML, JSON or text: {User: eve, Password: Winter:2024}
		}
		members++
	}
	return members > 0
}

// opened reports whether a quote of that kind stands before the words, of the same line, that end at i.
func (c *Context) opened(i int, quote byte) bool {
	from := max(0, i-maxNameBytes)
	k := strings.LastIndexByte(c.S[from:i], quote)
	c.look(i - from)
	return k >= 0 && strings.IndexByte(c.S[from+k:i], '\n') < 0 && ascii.Is(c.S, from+k+1, ascii.Alnum) && (strings.IndexByte(" (\n\x00", ascii.At(c.S, from+k-1)) >= 0 || ascii.At(c.S, from+k-1) == '\\' && ascii.At(c.S, from+k-2) == ' ')
}

// isPair reports whether v is itself name=value.
func isPair(v string) bool {
	i := ascii.Span(v, 0, ascii.Ident)
	return i > 0 && i+1 < len(v) && v[i] == '=' && v[i+1] != '='
}

// valueAt finds the value at i, within what wraps it.
func (c *Context) valueAt(i int, ctx manner) (value, bool) {
	s := c.S
	from := i
	i = c.unwrap(i)
	k := i
	if ascii.Is(s, k, ascii.Quote) {
		k++
	}
	if v, ok := expansion(s, k); ok {
		return v, v.end > v.start
	}
	if ascii.Is(s, i, ascii.Quote) || ascii.At(s, i) == '\\' && (ascii.Is(s, i+1, ascii.Quote) || ascii.At(s, i+1) == '\\') {
		v, ok := c.quotedValue(i)
		if ascii.Is(s, i, ascii.Quote) && ascii.At(s, v.end) == s[i] && ascii.Is(s, v.end+1, ascii.Alnum) && strings.IndexByte(s[v.start:v.end], ' ') < 0 && i-from < 2 {
			// A password that begins with a quote, or one that a shell puts together: 'x'y
			if end := c.bareEnd(v.end + 1); Mixed(s[i:min(end, i+maxNameBytes)]) && !pairAt(s, v.end+1) {
				return value{from, end, tight}, true
			}
		}
		return v, ok
	}
	if n := reference(s, i); n > 0 {
		return value{}, false
	}
	end := c.bareEnd(i)
	if i > from && (s[i-1] == '(' || s[i-1] == '[') && end < len(s) && (s[end] == ')' || s[end] == ']') && ascii.Is(s, end+1, ascii.Alnum) {
		i, end = from, c.bareEnd(from) // no wrapper: x[y]z
	}
	return value{i, end, ctx}, end > i
}

// moreValues offers the values that follow v for the same name: "old" -> "new", 'x' to 'y', IN ('x','y').
func (c *Context) moreValues(v value, vd Verdict) int {
	s := c.S
	end := v.end
	for range maxMoreValues {
		i := end
		for i < len(s) && (ascii.Class[s[i]]&ascii.Quote != 0 || s[i] == '\\') {
			i++
		}
		j := blanks(s, i)
		switch {
		case ascii.HasPrefixFold(s, j, "-> "), ascii.HasPrefixFold(s, j, "=> "), ascii.HasPrefixFold(s, j, "to "):
			j += len("to ")
		case ascii.HasPrefixFold(s, j, "replace "):
			j += len("replace ")
		case vd.Rule == ruleOneTimeCode && nextCode(s, v, i) > 0:
			j = nextCode(s, v, i)
		case ascii.At(s, j) == ',' && i > end && v.ctx == quoted && ascii.Is(s, j+1, ascii.Quote) && ascii.At(s, v.start-2) == '(':
			j++
		default:
			return end
		}
		next, ok := c.valueAt(blanks(s, j), v.ctx)
		if !ok || !c.secretValue(next, vd, next.ctx) {
			return end
		}
		c.Offer(vd.Rule, next.start, next.end)
		end = next.end
	}
	return end
}

const maxMoreValues = 8
