// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/base64"
	"math/bits"
	"strings"
)

// Credentials that are recognised by their own form: JWTs, private keys, webhooks, card tracks, Azure and Telegram
// secrets. Tokens with a vendor's prefix are in vendors.go.

const (
	maxJWTHeader = 4096
	minHookPath  = 20
	minZapPath   = 10 // an account's number and a short name
)

// detectJWT examines a JWT or JWE: base64url parts separated by dots, the first of which decodes to JSON with "alg".
func detectJWT(c *scan, i int) int {
	s := c.s
	if s[i:i+3] != "eyJ" || is(s, i-1, isAlnum) || at(s, i-1) == '_' || at(s, i-1) == '.' {
		return 0
	}
	header := base64urlEnd(s, i)
	if at(s, header) != '.' || header-i > maxJWTHeader {
		return 0
	}
	// The header names an algorithm; if it does not, header and payload are both JSON objects.
	if !strings.HasPrefix(s[header+1:], "eyJ") && !jwtHeader(s[i:header]) {
		return 0
	}
	end := header
	parts := 1
	for parts < 5 && at(s, end) == '.' {
		next := base64urlEnd(s, end+1)
		if parts == 1 && next-end < 4 && at(s, next) != '.' {
			return 0
		}
		end = next
		parts++
	}
	c.add(ruleJWT, i, end)
	return end
}

func base64urlEnd(s string, i int) int {
	for i < len(s) && (class[s[i]]&isAlnum != 0 || s[i] == '-' || s[i] == '_') {
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
		if strings.Contains(view(dst[:m]), `"alg"`) || strings.Contains(view(dst[:m]), `"enc"`) {
			return true
		}
	}
	return false
}

// detectPEM examines the start of a private key. The key ends with its END line; without one it ends with the text.
func detectPEM(c *scan, i int) int {
	s := c.s
	switch {
	case foldPrefix(s, i, "age-secret-key-1"):
		end := spanOf(s, i+len("age-secret-key-1"), isAlnum)
		if end-i < 50 {
			return 0
		}
		c.add(rulePrivateKey, i, end)
		return end
	case foldPrefix(s, i, "putty-user-key-file"):
		end := len(s)
		if k := strings.Index(s[i:], "Private-MAC:"); k >= 0 {
			end = i + k
		}
		c.add(rulePrivateKey, i, end)
		return end
	}
	c.w.work -= 2 * workOfValue
	label := s[i:min(len(s), i+48)]
	if k := strings.IndexAny(label, "\r\n\\"); k >= 0 {
		label = label[:k]
	}
	if !containsFold(label, "private key") {
		return 0
	}
	end := len(s)
	if k := indexFold(s[i+10:], "-end "); k >= 0 {
		end = i + 10 + k + len("-end ")
		// The END line: its label, then dashes.
		for end < len(s) && (class[s[end]]&isAlnum != 0 || s[end] == ' ') {
			end++
		}
		for at(s, end) == '-' {
			end++
		}
	}
	c.add(rulePrivateKey, i, end)
	return end
}

// indexFold returns the first index of lit, lower case, in s, ignoring case, or -1.
func indexFold(s, lit string) int {
	for i := 0; i+len(lit) <= len(s); i++ {
		k := strings.IndexByte(s[i:], lit[0])
		if k < 0 {
			return -1
		}
		i += k
		if foldPrefix(s, i, lit) {
			return i
		}
	}
	return -1
}

// containsFold reports whether s holds lit, lower case, ignoring case. s is short.
func containsFold(s, lit string) bool {
	for i := 0; i+len(lit) <= len(s); i++ {
		if foldPrefix(s, i, lit) {
			return true
		}
	}
	return false
}

const zapHost = "hooks.zapier.com/hooks/catch/"

// hookHosts are what leads to the path of an address that is itself the credential.
var hookHosts = []string{
	"hooks.slack.com/", zapHost, "hooks.airtable.com/", "hooks.chime.aws/", "webhook.office.com/", "webhook.site/",
	"webhook/", "webhooks/", "webhookb2/", "api.telegram.org/bot",
}

// hookPath are the characters of such a path.
var hookPath = func() (t [256]bool) {
	for b := range 256 {
		t[b] = class[b]&(isIdent|isRun) != 0 || strings.IndexByte("@%?&:~", byte(b)) >= 0
	}
	return t
}()

// detectWebhook examines an address that is itself the credential: the path is redacted.
func detectWebhook(c *scan, i int) int {
	s := c.s
	if i < c.plainPath {
		return 0
	}
	start, shortest := 0, minHookPath
	for _, p := range hookHosts {
		if foldPrefix(s, i, p) {
			start = i + len(p)
			if p == zapHost {
				shortest = minZapPath
			}
			break
		}
	}
	if start == 0 {
		return 0
	}
	end := start
	for end < len(s) && hookPath[s[end]] {
		end++
	}
	if !mixed(s[start:end]) {
		c.plainPath = end
		return 0
	}
	if end-start < shortest {
		return 0
	}
	c.add(ruleWebhook, start, end)
	return end
}

// detectTrack examines the data of a magnetic stripe: %B number ^ name ^ ... ? and ; number = ... ?
func detectTrack(c *scan, i int) int {
	s := c.s
	start := i + 1
	if s[i] == '%' {
		start = i + 2
	}
	end := spanOf(s, start, isDigit)
	if end-start < 12 || end-start > maxPAN {
		return 0
	}
	var buf [maxPAN]byte
	if !validPAN(buf[:copy(buf[:], s[start:end])]) {
		return 0
	}
	switch at(s, end) {
	case '^':
		k := strings.IndexByte(s[end+1:min(len(s), end+40)], '^')
		if k < 0 {
			return 0
		}
		end += k + 2
	case '=', 'D':
		end++
	default:
		return 0
	}
	end = spanOf(s, end, isDigit|isAlpha)
	if at(s, end) == '?' {
		end++
	}
	c.add(ruleTrack, i, end)
	return end
}

// detectAzureSecret examines a client secret of Microsoft Entra ID: three characters, a digit, Q~, then 31 to 34 more.
func detectAzureSecret(c *scan, i int) int {
	s := c.s
	if s[i] != 'Q' || i < 4 || !is(s, i-1, isDigit) {
		return 0
	}
	ok := func(b byte) bool { return class[b]&isAlnum != 0 || b == '_' || b == '~' || b == '.' || b == '-' }
	for k := i - 4; k < i-1; k++ {
		if !ok(s[k]) {
			return 0
		}
	}
	end := i + 2
	for end < len(s) && end-i < 40 && ok(s[end]) {
		end++
	}
	if end-i < 33 || end-i >= 40 || !mixed(s[i+2:end]) || repeats(s[i+2:end]) {
		return 0
	}
	c.add(ruleVendorToken, i-4, end)
	return end
}

// mixed reports whether s holds both letters and digits.
func mixed(s string) bool {
	var seen uint16
	for i := range len(s) {
		seen |= class[s[i]]
	}
	return seen&isDigit != 0 && seen&isAlpha != 0
}

const minPlaceholder = 8

// repeats reports whether s is a placeholder: at most three different characters, or a run of one over half of it.
func repeats(s string) bool {
	if len(s) < minPlaceholder {
		return false
	}
	var seen [4]uint64
	run, longest := 0, 0
	for i := range len(s) {
		seen[s[i]>>6] |= 1 << (s[i] & 63)
		if i > 0 && s[i] != s[i-1] {
			longest = max(longest, run)
			run = 0
		}
		run++
	}
	return ones(&seen) <= 3 || max(longest, run)*2 > len(s)
}

// ones returns how many bits are set.
func ones(seen *[4]uint64) (n int) {
	for _, x := range seen {
		n += bits.OnesCount64(x)
	}
	return n
}
