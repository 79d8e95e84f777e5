// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Values that libraries write apart from the statement that they are bound to: MyBatis, Hibernate, Spring, Doctrine, SQLAlchemy, Django,
// Entity Framework, Ecto, Sequelize, TypeORM, Prisma, Knex, datasource-proxy.

var boundValues = &Detector{
	At:   literals("parameter", "params:", "binding", `bind":[`, "[generated in ", "[cached since ", "; args=(", "y ok "),
	Find: detectBound,
}

// detectBound examines a list of values. One is a secret if the statement, where that is in the same text, gives its place to a telling
// name; without a statement if it looks like a password.
func detectBound(c *Context, _ ID, i int) int {
	s := c.S
	open := c.listOfValues(i)
	if open < 0 {
		return 0
	}
	line := lineEnd(s[:min(len(s), open+maxStatement)], open)
	c.Charge(costOfList)
	c.look(2 * (line - open))
	if ascii.HasPrefixFold(s, i, "binding p") || ascii.HasPrefixFold(s, i, "parameter v") {
		return c.boundValue(open, line)
	}
	i, end := open, line
	for i+1 < end && (s[i+1] == '(' || s[i+1] == '[') {
		i++ // [(x,y)]
	}
	var params statementParams
	if from := max(0, i-maxStatement); !params.read(c, from, i) {
		params.read(c, i, min(len(s), i+maxStatement))
	}
	for n, k := 0, i+1; k < end && n < maxColumns; n++ {
		k = ascii.Span(s[:end], k, ascii.Space)
		name, v := c.boundItem(k, end)
		v.end = min(v.end, end) // the list may be cut off within quotes
		if v.end <= max(k, v.start) {
			break
		}
		text := s[v.start:v.end]
		vd, known := params.of(n, name)
		switch {
		case known && vd.Strength > Nothing && secretValue(text, vd, quoted) && !placeholder(text), params.n == 0 && boundPassword(text):
			if vd.Strength == Nothing {
				vd.Rule = rulePassword
			}
			c.Offer(vd.Rule, v.start, v.end)
		}
		depth := 0
		for k = v.end; k < end && (s[k] != ',' || depth > 0); k++ { // (Size = 64), (String)
			switch s[k] {
			case '(':
				depth++
			case ')', ']', '}':
				if depth--; depth < 0 {
					return 0
				}
			}
		}
		k++
	}
	return 0
}

// listOfValues returns where the list begins that the words at i lead to, or -1: its bracket, or the blank before it.
func (c *Context) listOfValues(i int) int {
	s := c.S
	window := s[i:min(len(s), i+maxIntroduction)]
	at := func(k int, brackets string) int {
		if k < len(s) && strings.IndexByte(brackets, s[k]) >= 0 {
			return k
		}
		return -1
	}
	after := func(word string) int { return i + len(word) }
	switch {
	case ascii.HasPrefixFold(s, i, "parameters: "):
		if ascii.HasSuffixFold(s, i, "=> ") {
			return after("parameters:")
		}
		if ascii.HasPrefixFold(s, after("parameters: "), "array{") {
			return after("parameters: array")
		}
		return at(after("parameters: "), "[(")
	case ascii.HasPrefixFold(s, i, "parameters="):
		return at(after("parameters="), "[")
	case ascii.HasPrefixFold(s, i, "params:"):
		return at(blanks(s, after("params:")), "[")
	case ascii.HasPrefixFold(s, i, "bindings: ["):
		return after("bindings: ")
	case ascii.HasPrefixFold(s, i, `bind":[`):
		return after(`bind":`)
	case ascii.HasPrefixFold(s, i, "binding parameter "):
		if k := strings.LastIndex(window, "- ["); k >= 0 {
			return i + k + len("- ")
		}
	case ascii.HasPrefixFold(s, i, "parameter value ["):
		return after("parameter value ")
	case ascii.HasPrefixFold(s, i, "; args="):
		return after("; args=")
	case ascii.HasPrefixFold(s, i, "["): // [generated in 0.00018s] ('bob', 'x')
		if k := strings.Index(window, "] ("); k >= 0 {
			return i + k + len("] ")
		}
	case ascii.HasPrefixFold(s, i, "y ok ") && ascii.HasSuffixFold(s, i, "quer"):
		// QUERY OK db=1.1ms UPDATE users SET password = $1 WHERE id = $2 ["x", 7]
		end := lineEnd(s[:min(len(s), i+maxStatement)], i)
		c.look(2 * (end - i))
		if k := strings.LastIndexByte(s[i:end], '['); k > 0 {
			return i + k
		}
	}
	return -1
}

const maxIntroduction = 64 // bytes from the words that lead to a list to its bracket

// boundValue examines the one value in brackets at i, in a line that ends at end: binding parameter (2:VARCHAR) <- [x].
func (c *Context) boundValue(i, end int) int {
	if to := strings.IndexByte(c.S[i:end], ']'); to > 0 && boundPassword(c.S[i+1:i+to]) {
		c.Offer(rulePassword, i+1, i+to)
	}
	return 0
}

// boundPassword reports whether v, of which nothing is known, is made like a password, and not like a pattern, a version or an identifier.
func boundPassword(v string) bool {
	if !passwordLike(v) || strings.IndexByte("%*", v[0]) >= 0 || strings.IndexByte("%*", v[len(v)-1]) >= 0 {
		return false
	}
	f := shapeOf(v)
	return strings.ContainsAny(v, "!#$%&?^~@") || strings.IndexByte(v, '+') < 0 && f.changes+f.caseChanges <= maxTurns
}

// maxTurns is how often letters of both cases and digits take turns in passwords that people choose: more seldom than in identifiers.
const maxTurns = 5

// boundItem returns the value at k of a list that ends at end, and the name that it has there: 'x', "1":"x", @p1='x', x(String).
func (c *Context) boundItem(k, end int) (name string, v value) {
	s := c.S[:end]
	for range 2 {
		if ascii.Is(s, k, ascii.Quote) {
			q, ok := quotedIn(s, k)
			if !ok {
				return name, value{k, k + 2, quoted} // an empty one
			}
			if ascii.At(s, q.end+1) != ':' || name != "" {
				return name, q
			}
			name, k = s[q.start:q.end], ascii.Span(s, q.end+2, ascii.Space) // a member
			continue
		}
		stop := k
		for stop < len(s) && strings.IndexByte(",()]}=", s[stop]) < 0 {
			stop++
		}
		if ascii.At(s, stop) == '=' && s[k] == '@' {
			name, k = s[k:stop], stop+1
			continue
		}
		for stop < len(s) && strings.IndexByte(",()]}", s[stop]) < 0 {
			stop++
		}
		return name, value{k, max(stop, k), quoted}
	}
	return name, value{k, k, quoted}
}

// statementParams is what a statement says of its parameters: the names that they are given to, in their order, and how each is written.
type statementParams struct {
	names [maxColumns]Verdict
	marks [maxColumns]string
	n     int
}

// of returns what is known of the parameter with this place in the list, from 0 on, or with this name.
func (p *statementParams) of(place int, name string) (Verdict, bool) {
	for k, m := range p.marks[:p.n] {
		if m == name && name != "" || len(m) > 1 && m[0] == '$' && m[1:] == decimal(place+1) {
			return p.names[k], true
		}
	}
	if place >= p.n {
		return Verdict{}, false
	}
	return p.names[place], true
}

// decimal is a small number in digits.
func decimal(n int) string {
	const digits = "0123456789"
	if n < 10 {
		return digits[n : n+1]
	}
	return decimal(n/10) + digits[n%10:n%10+1]
}

// verbs begin the statements that have parameters.
var verbs = []string{"insert ", "update ", "select ", "delete ", "merge ", "replace "}

// read reads the last statement in S[from:to], and reports whether there is one with parameters.
func (p *statementParams) read(c *Context, from, to int) bool {
	s := c.S[:to]
	c.look(4 * (to - from))
	k := -1
	for i := to - 1; i >= from && k < 0; i-- {
		for _, w := range verbs {
			if ascii.ToLower(s[i]) == w[0] && ascii.HasPrefixFold(s, i, w) && !ascii.Is(s, i-1, ascii.Ident) {
				k = i
				break
			}
		}
	}
	if k < 0 {
		return false
	}
	var columns [maxColumns]Verdict
	n := 0
	if ascii.ToLower(s[k]) == 'i' || ascii.ToLower(s[k]) == 'r' {
		if open := strings.IndexByte(s[k:], '('); open >= 0 && open < maxHead {
			for k += open + 1; k < to && n < maxColumns && s[k] != ')'; {
				for k < to && s[k] != ')' && ascii.Class[s[k]]&(ascii.Ident|ascii.Latin) == 0 {
					k++
				}
				end := ascii.Span(s, k, ascii.Ident|ascii.Latin)
				if end > k {
					columns[n] = c.names.Verdict(s[k:min(end, k+maxNameBytes)])
					n++
				}
				k = end
			}
			k++
		}
	}
	column, depth := 0, 0
	for ; k < to && p.n < maxColumns; k++ {
		switch b := s[k]; {
		case b == '(':
			if depth++; depth == 1 {
				column = 0
			}
		case b == ')':
			depth--
		case b == ',' && depth == 1:
			column++
		case b == '\'':
			if v, ok := quotedIn(s, k); ok {
				k = v.end
			}
		case b == '?', b == '%' && ascii.At(s, k+1) == 's', (b == '$' || b == ':' || b == '@') && ascii.Is(s, k+1, ascii.Alnum) && !ascii.Is(s, k-1, ascii.Alnum) && ascii.At(s, k-1) != ':':
			end := ascii.Span(s, k+1, ascii.Alnum)
			p.marks[p.n] = s[k:end]
			switch {
			case n > 0 && depth > 0 && column < n:
				p.names[p.n] = columns[column]
			default:
				p.names[p.n] = c.names.Verdict(comparedName(s, k))
			}
			p.n++
			k = end - 1
		}
	}
	return p.n > 0
}

// comparedName returns the name before the operator that stands before the parameter at i: "password" = ?
func comparedName(s string, i int) string {
	k := i
	for k > 0 && strings.IndexByte(" =<>!(", s[k-1]) >= 0 {
		k--
	}
	if k == i {
		return ""
	}
	for k > 0 && ascii.Class[s[k-1]]&ascii.Quote != 0 || ascii.At(s, k-1) == ']' || ascii.At(s, k-1) == '\\' {
		k--
	}
	end := k
	for k > 0 && end-k < maxNameBytes && ascii.Class[s[k-1]]&(ascii.Ident|ascii.Latin) != 0 {
		k--
	}
	return s[k:end]
}
