// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/base64"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var ruleJWT = newID("jwt")

var _ = register(ruleJWT, Rule{
	Pack:      Secrets,
	Detectors: []*Detector{{Extra: 2, At: literals("eyj"), Find: detectJWT}},
	Gone: []Example{
		{"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "eyJzdWIiOiJhIn0"},
		{"t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlYnl0ZXM x", "c2lnbmF0dXJlYnl0ZXM"},
	},
	Stay:        []string{"eyJ", "eyJhIjoxfQ.notjson.x"},
	Takes:       "JWS, unsigned JWT, JWE",
	ValidatedBy: "the header decodes and names an algorithm, or header and payload are both JSON objects",
	Source:      "RFC 7515, 7516, 7519",
})

const maxJWTHeader = 4096

// detectJWT examines a JWT or JWE: base64url parts separated by dots, the first of which decodes to JSON with "alg".
func detectJWT(c *Context, _ ID, i int) int {
	s := c.S
	if s[i:i+3] != "eyJ" || ascii.Is(s, i-1, ascii.Alnum) || ascii.At(s, i-1) == '_' || ascii.At(s, i-1) == '.' {
		return 0
	}
	header := base64urlEnd(s[:min(len(s), i+maxJWTHeader+1)], i)
	c.weigh(header - i)
	if ascii.At(s, header) != '.' {
		return 0
	}
	// The header names an algorithm; if it does not, header and payload are both JSON objects.
	if !strings.HasPrefix(s[header+1:], "eyJ") && !jwtHeader(s[i:header]) {
		return 0
	}
	end := header
	parts := 1
	for parts < 5 && ascii.At(s, end) == '.' {
		next := base64urlEnd(s, end+1)
		c.look(next - end)
		if parts == 1 && next-end < 4 && ascii.At(s, next) != '.' {
			return 0
		}
		end = next
		parts++
	}
	c.Offer(ruleJWT, i, end)
	return end
}

func base64urlEnd(s string, i int) int {
	for i < len(s) && (ascii.Class[s[i]]&ascii.Alnum != 0 || s[i] == '-' || s[i] == '_') {
		i++
	}
	return i
}

// jwtHeader reports whether s decodes to a JSON object that names an algorithm.
func jwtHeader(s string) bool {
	var src, dst [512]byte
	for len(s) > 0 {
		n := copy(src[:], s)
		s = s[n:]
		m, err := base64.RawURLEncoding.Decode(dst[:], src[:n])
		if err != nil && m == 0 {
			return false
		}
		if strings.Contains(ascii.UnsafeString(dst[:m]), `"alg"`) || strings.Contains(ascii.UnsafeString(dst[:m]), `"enc"`) {
			return true
		}
	}
	return false
}
