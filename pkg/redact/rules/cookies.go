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
	},
	Stay:        []string{"cookie: expired", "cookies enabled"},
	Takes:       "values in Cookie and Set-Cookie; names stay",
	ValidatedBy: "the header's name",
	OverMatches: "harmless cookies, too",
	Source:      "RFC 6265",
})

// cookies examines a Cookie header, whose name is S[start:end]: every value of it, and of Set-Cookie the first.
func (c *Context) cookies(start, end int) int {
	s := c.S
	c.Charge(costOfList)
	isSet := ascii.ContainsFold(s[start:end], "set")
	v, ok := c.findValue(start, end, Verdict{ruleCookie, Medium})
	if !ok {
		return 0
	}
	if v.ctx == quoted {
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
	// name=value; name=value
	j := v.start
	last := 0
	for j < len(s) {
		eq := j
		for eq < len(s) && eq-j < 128 && s[eq] > ' ' && strings.IndexByte("=;,\"'<>(){}[]", s[eq]) < 0 {
			eq++
		}
		if eq == j || ascii.At(s, eq) != '=' {
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
			break
		}
		j = end + 1
		for ascii.At(s, j) == ' ' {
			j++
		}
	}
	if last == 0 && v.ctx == tight && secretValue(s[v.start:v.end], Verdict{ruleCookie, Medium}, tight) && tokenLike(s[v.start:v.end], 12) {
		c.Offer(ruleCookie, v.start, v.end)
		return v.end
	}
	return last
}

var cookieAttribute = set("path domain expires max-age samesite version")
