// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Values that PostgreSQL logs of a statement's parameters, and commands that auditd logs of sudo.

var statementParameters = &Detector{At: literals(": $1 = '", "r_cmd "), Find: detectParameters}

// detectParameters examines DETAIL: parameters: $1 = 'bob', $2 = 'x'. A value is a secret if the statement, where that is in the same text,
// gives its number to a telling name, and else if it looks like a password.
func detectParameters(c *Context, _ ID, i int) int {
	s := c.S
	if s[i] != ':' {
		if !ascii.HasSuffixFold(s, i, "type=use") {
			return 0
		}
		return c.auditedCommand(i)
	}
	if !ascii.HasSuffixFold(s, i, "parameters") {
		return 0
	}
	c.Charge(costOfList)
	taken := 0
	end := lineEnd(s[:min(len(s), i+maxStatement)], i)
	c.look(2 * (end - i))
	for k := i; k < end; {
		at := strings.IndexByte(s[k:end], '$')
		if at < 0 {
			break
		}
		number := k + at
		k = ascii.Span(s, number+1, ascii.Digit)
		if k == number+1 || !strings.HasPrefix(s[k:], " = '") {
			continue
		}
		v, ok := c.quotedValue(k + len(" = "))
		if !ok {
			break
		}
		vd, known := c.parameterOf(s[number:k], i)
		if !known {
			vd = Verdict{rulePassword, Nothing}
		}
		if t := s[v.start:v.end]; known && secretValue(t, vd, quoted) || !known && passwordLike(t) {
			c.Offer(vd.Rule, v.start, v.end)
			taken = v.end
		}
		k = v.end
	}
	return taken
}

// parameterOf returns what the name says to which the statement before i, or its end, gives the parameter: password = $2.
func (c *Context) parameterOf(parameter string, i int) (Verdict, bool) {
	from := max(0, i-maxStatement)
	before := c.S[from:i]
	c.look(len(before))
	for k := 0; ; {
		at := strings.Index(before[k:], parameter)
		if at < 0 {
			return Verdict{}, false
		}
		at += k
		k = at + len(parameter)
		op := at
		for op > 0 && (before[op-1] == ' ' || before[op-1] == '=') {
			op--
		}
		if op == at || strings.IndexByte(before[op:at], '=') < 0 || ascii.Is(before, k, ascii.Digit) {
			continue
		}
		name := op
		for name > 0 && op-name < maxNameBytes && ascii.Class[before[name-1]]&ascii.Ident != 0 {
			name--
		}
		return judge(before[name:op]), name < op
	}
}

// passwordLike reports whether v, of which nothing else is known, is made like passwords that people choose by the rules: both cases and
// digits, or a sign that is in no identifier, and no words, times, addresses, paths or numbers of documents.
func passwordLike(v string) bool {
	if len(v) < minPrinted || len(v) > maxNameBytes || !Mixed(v) || isURL(v) || isTime(v) || resourceName(v) || strings.ContainsAny(v, " /\\,;:()[]{}<>\"|") {
		return false
	}
	f := shapeOf(v)
	signs := strings.ContainsAny(v, "!#$%&*+?^~")
	if at := strings.IndexByte(v, '@'); at >= 0 {
		signs = signs || strings.IndexByte(v[at:], '.') < 0
		if !signs {
			return false // an address
		}
	}
	return signs || f.upper > 0 && f.lowers > 2 && f.digits > 0 && len(v) >= minPlaceholder && !numbered(v)
}

// numbered reports whether v is a word or words with a number behind: Room12A is none, Berlin2 is.
func numbered(v string) bool {
	t := strings.TrimRight(v, "0123456789")
	return len(t) < len(v) && ascii.Span(t, 1, ascii.LowerCase) == len(t)
}

// auditedCommand hands on the command that auditd has written in hexadecimal, cmd=6D79…, behind the type of its record at i.
func (c *Context) auditedCommand(i int) int {
	s := c.S
	k := strings.Index(s[i:min(len(s), i+maxStatement)], " cmd=")
	if k < 0 {
		return 0
	}
	c.look(k)
	from := i + k + len(" cmd=")
	if end := c.span(from, ascii.HexDigit); end-from >= 8 {
		c.sink.Hex(from, end)
	}
	return 0
}
