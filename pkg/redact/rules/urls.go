// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var ruleURLCredentials = newID("url_credentials")

var _ = register(ruleURLCredentials, Rule{
	Pack: Secrets,
	Detectors: []*Detector{
		{At: literals("://"), Find: detectUserinfo},
		{At: literals("@tcp(", "@unix("), Find: detectDriverDSN},
		{At: literals("jdbc:oracle:"), Find: detectOracleDSN},
	},
	Gone: []Example{
		{"eve:hunter2@tcp(db:3306)/shop", "hunter2"},
		{"jdbc:oracle:thin:eve/hunter2@db:1521:x", "hunter2"},
		{"redis://:hunter2@db:6379/0", "hunter2"},
		{"https://bob:p@ss1x@host/path", "p@ss1x"},
		{"postgres://bob:hun/ter2x@db.example/x", "ter2x"},
	},
	Stay:        []string{"spark://CoarseGrainedScheduler@10.10.34.11:48069", "https://example.com:8443/a@b"},
	Takes:       "passwords in URLs and DSNs; a token in the place of the user",
	ValidatedBy: "up to the last `@` of the authority",
	Misses:      "a `/` in a password of a URL with a dotted user name",
	Source:      "RFC 3986, 3.2.1",
})

// urlMemo is up to where the path of an address is no credential, and up to where there is no at sign after an address.
type urlMemo struct{ plainPath, noSign int }

// detectUserinfo examines the authority after "://": user:password@host. The password is redacted, or the user where it
// stands alone and looks like a token. The last at sign of the authority counts, as passwords may hold one.
func detectUserinfo(c *Context, _ ID, i int) int {
	s := c.S
	start := i + 3
	at, end := -1, start
	for end < len(s) {
		b := s[end]
		if ascii.Class[b]&(ascii.Space|ascii.Quote) != 0 || b == '/' || b == '?' || b == '#' || b == '<' || b == '>' || b == '\\' || b < 0x20 {
			break
		}
		if b == '@' {
			at = end
		}
		end++
	}
	if at < 0 && end < len(s) && (s[end] == '/' || s[end] == '#' || s[end] == '?') {
		at = c.slashInPassword(start, end)
	}
	if at < 0 {
		return 0
	}
	c.Charge(costOfValue)
	pass := strings.IndexByte(s[start:at], ':')
	if pass < 0 {
		if at-start >= 16 && Mixed(s[start:at]) && tokenLike(s[start:at], 16) {
			c.Offer(ruleURLCredentials, start, at)
			return at + 1
		}
		// A bare user name: not an e-mail address either.
		return at + 1
	}
	pass += start + 1
	if pass < at && !variable(s[pass:at]) {
		c.Offer(ruleURLCredentials, pass, at)
	} else if pass == at && pass-1-start >= 12 && tokenLike(s[start:pass-1], 12) {
		c.Offer(ruleURLCredentials, start, pass-1) // token: as the user
	}
	return at + 1
}

// slashInPassword finds the at sign of user:pa/ss@host: the text before the slash must not be host:port, and what follows
// the at sign must look like a host.
func (c *Context) slashInPassword(start, end int) int {
	s := c.S
	colon := strings.IndexByte(s[start:end], ':')
	if colon <= 0 || ascii.Span(s, start+colon+1, ascii.Digit) == end || strings.IndexByte(s[start:start+colon], '.') >= 0 {
		return -1
	}
	// What has been looked through for another address is not looked through again.
	k := max(end, c.memo.url.noSign)
	for k < len(s) && k-end < 64 && s[k] != '@' && ascii.Class[s[k]]&(ascii.Space|ascii.Quote) == 0 && s[k] != '<' && s[k] != '>' && s[k] != '&' {
		k++
	}
	c.memo.url.noSign = k
	if ascii.At(s, k) == '@' && k-end < 64 && (ascii.Is(s, k+1, ascii.Alnum) || ascii.At(s, k+1) == '[') {
		return k
	}
	return -1
}

// detectDriverDSN examines user:password@tcp(host)/database, as drivers of Go take it. The at sign is at i.
func detectDriverDSN(c *Context, _ ID, i int) int {
	s := c.S
	start := i
	for start > c.taken && i-start < maxNameBytes*2 && ascii.Class[s[start-1]]&(ascii.Space|ascii.Quote) == 0 && s[start-1] != '=' && s[start-1] != '/' {
		start--
	}
	if k := strings.IndexByte(s[start:i], ':'); k > 0 && start+k+1 < i && !variable(s[start+k+1:i]) {
		c.Offer(ruleURLCredentials, start+k+1, i)
	}
	return i + 1
}

// detectOracleDSN examines jdbc:oracle:thin:user/password@host.
func detectOracleDSN(c *Context, _ ID, i int) int {
	s := c.S
	end := min(len(s), i+maxNameBytes*4)
	slash := strings.IndexByte(s[i:end], '/')
	at := strings.IndexByte(s[i:end], '@')
	if slash < 0 || at < slash+2 || strings.ContainsAny(s[i:i+at], " \n") {
		return 0
	}
	from, to := i+slash+1, i+at
	if ascii.Is(s, from, ascii.Quote) && to-from > 2 {
		from, to = from+1, to-1
	}
	if !variable(s[from:to]) {
		c.Offer(ruleURLCredentials, from, to)
	}
	return to
}
