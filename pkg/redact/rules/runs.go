// SPDX-License-Identifier: Apache-2.0

package rules

import "github.com/logseal/logseal/pkg/redact/internal/ascii"

// Long runs of token characters: vendors' tokens, base64, tokens beside a vendor's name.

const (
	lookBack    = 64
	minBase64   = 24
	minFreeText = 20
)

// ExamineRun examines the run s[start:end], whole and the parts that equals signs and slashes make of it.
func (c *Context) ExamineRun(start, end int) {
	s := c.S
	c.Charge(costOfValue)
	c.look(end - start)
	// A token may hold dots: go back to where the word with this run in it starts.
	word := start
	for word > 0 && start-word < lookBack && (ascii.Class[s[word-1]]&ascii.Ident != 0 || s[word-1] == '~' || s[word-1] == '$') {
		word--
	}
	if word < start && c.vendorToken(word, true) {
		return
	}
	if start >= 8 && s[start-1] == ':' && c.botToken(start, end) {
		return
	}
	if c.vendorToken(start, false) || c.keyWithoutBegin(start, end) {
		return
	}
	part, whole := start, start
	for k := start; k <= end; k++ {
		if k < end && s[k] != '=' && s[k] != '/' && s[k] != '+' {
			continue
		}
		if part > whole && k-part >= 14 && c.vendorToken(part, false) {
			return
		}
		if k < end && s[k] == '=' && k-part > 0 && k+1 < end && s[k+1] != '=' {
			start = k + 1 // name=value: what follows can be decoded on its own
		}
		part = k + 1
	}
	if end-start < minFreeText {
		return
	}
	if (end-start)%2 == 0 && hexText(s[start:end]) {
		c.sink.Hex(start, end)
	}
	// No text begins with a slash in base64, but for the marks of UTF-16.
	path := s[start] == '/' && s[start+1] != '/' && s[start+1] != 'v'
	if end-start >= minBase64 && !path && c.sink.Base64(start, end) {
		return
	}
	c.contextual(start, end)
}

// botToken examines a Telegram bot token: the bot's number, a colon, 35 characters that start with A.
func (c *Context) botToken(start, end int) bool {
	s := c.S
	digits := start - 1
	for digits > 0 && ascii.Class[s[digits-1]]&ascii.Digit != 0 && start-digits < 20 {
		digits--
	}
	if n := start - 1 - digits; n < 5 || n > 16 || ascii.Is(s, digits-1, ascii.Alpha) && !ascii.HasSuffixFold(s, digits, "bot") {
		return false
	}
	if s[start] != 'A' || end-start < 34 || end-start > 36 || !Mixed(s[start:end]) {
		return false
	}
	c.Offer(ruleVendorToken, digits, end)
	return true
}

// hexText reports whether v, of even length, is hexadecimal digits that spell a text, which those of a hash or an identifier hardly ever do.
func hexText(v string) bool {
	for i := 0; i < len(v); i += 2 {
		if first := v[i]; first < '2' || first > '7' || ascii.Class[v[i+1]]&ascii.HexDigit == 0 {
			return false
		}
	}
	return true
}
