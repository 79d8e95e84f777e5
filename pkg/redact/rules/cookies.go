// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var ruleCookie = newID("cookie")

var _ = register(ruleCookie, Rule{
	Pack:  Secrets,
	Names: []Names{{Words: "cookie cookies", Strength: Medium}, {Endings: "cookie cookies", Strength: Medium}},
	Gone: []Example{
		{"Cookie: sid=31d4d96e407aad42", "31d4d96e407aad42"},
		{"Set-Cookie: sid=31d4d96e407aad42; Path=/; HttpOnly", "31d4d96e407aad42"},
		{`{"set-cookie":["theme=dark; Path=/","sid=31d4d96e407aad42; Path=/; HttpOnly"]}`, "31d4d96e407aad42"},
		{"map[Set-Cookie:[theme=dark; Path=/ sid=31d4d96e407aad42; Path=/]]", "31d4d96e407aad42"},
	},
	Stay:        []string{"cookie: expired", "cookies enabled"},
	Takes:       "values in Cookie and Set-Cookie, also where they are a list; names stay",
	ValidatedBy: "the header's name",
	OverMatches: "harmless cookies, too",
	Source:      "RFC 6265",
})

// cookies examines a Cookie header, whose name is S[start:end]: every value of it, and of Set-Cookie the first.
func (c *Context) cookies(start, end int) int {
	s := c.S
	c.Charge(costOfList / 2)
	isSet := ascii.ContainsFold(s[start:end], "set")
	if open := listStart(s, start, end); open > 0 {
		return c.cookieList(open)
	}
	if ascii.At(s, start-1) == '<' && ascii.At(s, end) == ' ' {
		// <Cookie sid=31d4d96e407aad42 for example.com/> of Python
		if eq := c.span(end+1, ascii.Ident); eq > end+1 && ascii.At(s, eq) == '=' {
			stop := valueEnd(s, eq+1)
			c.Offer(ruleCookie, eq+1, stop)
			return stop
		}
	}
	v, ok := c.findValue(start, end, Verdict{ruleCookie, Medium})
	if !ok {
		return 0
	}
	if v.ctx == quoted {
		if !isSet {
			if last, whole := c.cookiePairs(v.start, v.end, false); last > 0 && whole {
				return last // and else all of it goes
			}
		}
		stop := v.end
		if k := strings.IndexByte(s[v.start:v.end], ';'); isSet && k >= 0 {
			stop = v.start + k
		}
		if eq := strings.IndexByte(s[v.start:stop], '='); eq > 0 && isSet {
			v.start += eq + 1
		}
		if len(s[v.start:stop]) < 4 || placeholder(s[v.start:stop]) {
			return 0
		}
		c.Offer(ruleCookie, v.start, stop)
		return stop
	}
	last, _ := c.cookiePairs(v.start, len(s), isSet)
	if last == 0 && v.ctx == tight && c.secretValue(v, Verdict{ruleCookie, Medium}, tight) && tokenLike(s[v.start:v.end], 12) {
		c.Offer(ruleCookie, v.start, v.end)
		return v.end
	}
	return last
}

// cookiePairs offers the values of name=value; name=value at i, up to limit, and returns the end of the last one, or 0, and whether they go
// on to the limit. Of Set-Cookie only the first one is a cookie.
func (c *Context) cookiePairs(i, limit int, isSet bool) (last int, whole bool) {
	s := c.S[:limit]
	for j := i; j < len(s); {
		eq := j
		for eq < len(s) && eq-j < 128 && s[eq] > ' ' && strings.IndexByte("=;,\"'<>(){}[]", s[eq]) < 0 {
			eq++
		}
		if eq == j || ascii.At(s, eq) != '=' || ascii.At(s, eq+1) == '=' {
			break
		}
		end := eq + 1
		for end < len(s) && s[end] > ' ' && strings.IndexByte(";\"'", s[end]) < 0 {
			end++
		}
		if end > eq+1 && !cookieAttribute[ascii.LowerString(s[j:eq])] {
			c.Offer(ruleCookie, eq+1, end)
			last = end
		}
		if isSet && last > 0 || ascii.At(s, end) != ';' {
			return last, end == limit
		}
		c.look(end - j)
		for j = end + 1; ascii.At(s, j) == ' '; j++ {
		}
	}
	return last, false
}

var cookieAttribute = set("path domain expires max-age samesite version priority")

// listStart returns where the list or object starts that is the value of the name s[start:end], or 0: "set-cookie":[...], Set-Cookie=[...],
// set-cookie -> List(...), "cookies":{...}.
func listStart(s string, start, end int) int {
	i, _ := nameEnd(s, start, end)
	i = blanks(s, i)
	switch op := operator(s, i); {
	case op > 0:
		i += op
	case ascii.At(s, i) == '-' && ascii.At(s, i+1) == '>':
		i += 2
	default:
		return 0
	}
	i = ascii.Span(s, i, ascii.Space)
	word := ascii.Span(s, i, ascii.Alpha)
	switch b := ascii.At(s, word); {
	case b == '(' && word > i, (b == '[' || b == '{') && word == i && MarkerLen(s, i) == 0:
		return word
	}
	return 0
}

const maxCookieList = 4096 // bytes

// cookieList examines the list or object at open: of every name=value in it that is no attribute of a cookie the value, and of every
// member of an object the value if it looks like one of a session.
func (c *Context) cookieList(open int) int {
	s := c.S
	last := 0
	depth := 1
	i := open + 1
	defer func() { c.look(2 * (i - open)) }()
	for i < len(s) && i-open < maxCookieList && depth > 0 {
		switch s[i] {
		case '[', '(', '{':
			depth++
			i++
			continue
		case ']', ')', '}':
			depth--
			i++
			continue
		}
		name := i
		for i < len(s) && strings.IndexByte(" \t\r\n=:;,\"'`\\[](){}", s[i]) < 0 {
			i++
		}
		if i == name {
			i++
			continue
		}
		end, op := i, i
		for ascii.Is(s, op, ascii.Quote) || ascii.At(s, op) == '\\' {
			op++
		}
		member := ascii.At(s, op) == ':'
		if !member && (ascii.At(s, i) != '=' || cookieAttribute[ascii.LowerString(s[name:end])]) {
			i = max(i, ascii.Span(s, i, ascii.Space))
			if ascii.At(s, i) == '=' {
				i = valueEnd(s, i+1)
			} else if v := s[name:end]; Mixed(v) && strings.IndexByte(v, '.') < 0 && tokenLike(v, minToken) {
				c.Offer(ruleCookie, name, end) // cookie=[31d4d96e407aad42]
				last = end
			}
			continue
		}
		start := op + 1
		for ascii.Is(s, start, ascii.Quote|ascii.Space) || ascii.At(s, start) == '\\' {
			start++
		}
		i = max(start, valueEnd(s, start))
		if v := s[start:i]; i > start && (!member && len(v) >= minCookie || len(v) >= minEncoded && Mixed(v)) && !placeholder(v) && !isPair(v) {
			c.Offer(ruleCookie, start, i)
			last = i
		}
		if member && isPair(s[start:i]) {
			i = start // "value":"name=value; ..."
		}
	}
	return last
}

const (
	minCookie  = 2
	minEncoded = 8
	minToken   = 12
)

// valueEnd returns the end of a cookie's value that starts at i.
func valueEnd(s string, i int) int {
	for i < len(s) && s[i] > ' ' && strings.IndexByte(";,\"'`\\])}", s[i]) < 0 {
		i++
	}
	return i
}
