// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// detectUserinfo examines the authority after "://": user:password@host. The password is redacted, or the user where it
// stands alone and looks like a token. The last at sign of the authority counts, as passwords may hold one.
func detectUserinfo(c *scan, i int) int {
	s := c.s
	start := i + 3
	at, end := -1, start
	for end < len(s) {
		b := s[end]
		if class[b]&(isSpace|isQuote) != 0 || b == '/' || b == '?' || b == '#' || b == '<' || b == '>' || b == '\\' || b < 0x20 {
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
	pass := strings.IndexByte(s[start:at], ':')
	if pass < 0 {
		if at-start >= 16 && mixed(s[start:at]) && tokenLike(s[start:at], 16) {
			c.add(ruleURLCredentials, start, at)
			return at + 1
		}
		// A bare user name: not an e-mail address either.
		return at + 1
	}
	pass += start + 1
	if pass < at && !variable(s[pass:at]) {
		c.add(ruleURLCredentials, pass, at)
	} else if pass == at && pass-1-start >= 12 && tokenLike(s[start:pass-1], 12) {
		c.add(ruleURLCredentials, start, pass-1) // token: as the user
	}
	return at + 1
}

// slashInPassword finds the at sign of user:pa/ss@host: the text before the slash must not be host:port, and what follows
// the at sign must look like a host.
func (c *scan) slashInPassword(start, end int) int {
	s := c.s
	colon := strings.IndexByte(s[start:end], ':')
	if colon <= 0 || spanOf(s, start+colon+1, isDigit) == end || strings.IndexByte(s[start:start+colon], '.') >= 0 {
		return -1
	}
	// What has been looked through for another address is not looked through again.
	k := max(end, c.noSign)
	for k < len(s) && k-end < 64 && s[k] != '@' && class[s[k]]&(isSpace|isQuote) == 0 && s[k] != '<' && s[k] != '>' && s[k] != '&' {
		k++
	}
	c.noSign = k
	if at(s, k) == '@' && k-end < 64 && (is(s, k+1, isAlnum) || at(s, k+1) == '[') {
		return k
	}
	return -1
}
