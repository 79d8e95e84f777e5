// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// jwks are keys in JSON, of which some members are secret: {"kty":"oct","k":"..."}.
var jwks = &Detector{At: literals(`kty"`, `kty\"`), Find: detectJWK}

const maxJWK = 4096 // bytes before and behind "kty"

// jwkMembers are the secret members of keys (RFC 7518, section 6), behind their quote.
var jwkMembers = []string{`"d`, `"k`, `"p`, `"q`, `"dp`, `"dq`, `"qi`}

// detectJWK examines the object whose member "kty" is at i.
func detectJWK(c *Context, _ ID, i int) int {
	s := c.S
	floor := c.untaken(i, maxJWK)
	start := strings.LastIndexByte(s[floor:i], '{')
	end := strings.IndexByte(s[i:min(len(s), i+maxJWK)], '}')
	if c.look(2 * (i - floor)); start < 0 || end < 0 || !c.Charge(costOfList) {
		return 0
	}
	start, end = floor+start, i+end
	c.look(2 * (end - start))
	for k := start; k < end; {
		if s[k] != '"' {
			k++
			continue
		}
		name := k
		for k++; k < end && s[k] != '"'; k++ {
		}
		member := strings.TrimSuffix(s[name:k], `\`)
		j := ascii.Span(s, k+1, ascii.Space)
		if ascii.At(s, j) != ':' {
			k++
			continue
		}
		j = ascii.Span(s, j+1, ascii.Space)
		v, ok := c.quotedValue(j)
		if !ok || v.end > end {
			k++
			continue
		}
		for _, m := range jwkMembers {
			if member == m && v.end-v.start >= minPrinted && c.span(v.start, ascii.Run) >= v.end {
				c.Offer(PrivateKey, v.start, v.end)
			}
		}
		k = ascii.Span(s, v.end, ascii.Quote)
		for k < end && (s[k] == '\\' || s[k] == '"') {
			k++
		}
	}
	return 0
}
