// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// Long runs of token characters: vendors' tokens, base64, tokens beside a vendor's name.

const (
	minRun      = 20
	maxDecoded  = 1 << 16
	minBase64   = 24
	lookBack    = 64
	minFreeText = 20
)

// longRun notes that there are nothing but token characters in the step of the search at i and in the half step before. A run
// of minRun characters has such a place, wherever it starts.
func (c *scan) longRun(i int) {
	if c.lastRun == 0 {
		// It starts after the first half of the step before, or the search would have been here then.
		c.firstRun = max(0, i-stepBytes-filterWidth+1)
	}
	c.lastRun = i + stepBytes
}

// findRuns examines every run of at least minRun token characters. It looks at the byte where a run that starts here would
// have to be at minRun: if that is none, no run starts here, and most bytes are never looked at.
func (c *scan) findRuns(depth int) {
	s := c.s
	known := c.spans
	for i := c.firstRun; i < c.lastRun && i+minRun <= len(s) && c.w.work >= 0; {
		j := i + minRun - 1
		for j >= i && class[s[j]]&isRun != 0 {
			j--
		}
		if j >= i {
			i = j + 1
			continue
		}
		end := spanOf(s, i+minRun, isRun)
		for len(known) > 0 && known[0].end <= i {
			known = known[1:]
		}
		// What is masked already need not be known for a token as well.
		if len(known) == 0 || known[0].start > i || known[0].end < end || c.w.e.rules[known[0].rule].action < c.w.e.severest {
			c.examineRun(i, end, depth)
		}
		i = end + 1
	}
}

// examineRun examines the run s[start:end], whole and the parts that equals signs and slashes make of it.
func (c *scan) examineRun(start, end, depth int) {
	s := c.s
	// A token may hold dots: go back to where the word with this run in it starts.
	word := start
	for word > 0 && start-word < lookBack && (class[s[word-1]]&isIdent != 0 || s[word-1] == '~') {
		word--
	}
	if word < start && c.vendorToken(word, true) {
		return
	}
	if start >= 8 && s[start-1] == ':' && c.botToken(start, end) {
		return
	}
	part := start
	for k := start; k <= end; k++ {
		if k < end && s[k] != '=' && s[k] != '/' && s[k] != '+' {
			continue
		}
		if k-part >= 14 && c.vendorToken(part, false) {
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
	if depth > 0 && end-start >= minBase64 && c.base64(start, end, depth) {
		return
	}
	c.contextual(start, end)
}

// base64 decodes the run and scans what comes out, if that is text. The whole run is redacted: a part of it could not
// be taken out without breaking the encoding.
func (c *scan) base64(start, end, depth int) bool {
	s := c.s[start:end]
	var seen uint16
	for i := range min(len(s), 64) {
		seen |= class[s[i]]
	}
	if seen&isUpper == 0 || seen&isLower == 0 {
		return false
	}
	level := maxViewDepth - depth
	buf := &c.w.base64[level]
	var ok bool
	*buf, ok = decodeBase64((*buf)[:0], s)
	if !ok {
		return false
	}
	c.w.work -= workOfBase64
	sub := &c.w.scans[level+1]
	sub.run(c.w, view(*buf), depth-1)
	if len(sub.spans) == 0 {
		return false
	}
	c.addText(sub.spans[0].rule, start, end, string(append([]byte(nil), sub.spans[0].text...)))
	return true
}

// base64Value maps both alphabets of RFC 4648 to six bits; 0xff is none of them.
var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	const std = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range len(std) {
		t[std[i]] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}()

// decodeBase64 appends what s stands for to dst. It gives up when that is not text, which it mostly knows after a few
// bytes.
func decodeBase64(dst []byte, s string) ([]byte, bool) {
	s = strings.TrimRight(s, "=")
	bits, n := uint32(0), 0
	odd, zeros := 0, 0
	for i := 0; i < len(s) && len(dst) < maxDecoded; i++ {
		v := base64Value[s[i]]
		if v == 0xff {
			return dst, false
		}
		bits, n = bits<<6|uint32(v), n+6
		if n < 8 {
			continue
		}
		n -= 8
		b := byte(bits >> n)
		if b == 0 && len(dst) > zeros {
			zeros++ // UTF-16, as PowerShell takes its commands
			continue
		}
		if b < 0x20 && b != '\n' && b != '\r' && b != '\t' || b >= 0x7f {
			if odd++; odd*16 > len(dst)+8 {
				return dst, false
			}
		}
		dst = append(dst, b)
	}
	return dst, true
}

// botToken examines a Telegram bot token: the bot's number, a colon, 35 characters that start with A.
func (c *scan) botToken(start, end int) bool {
	s := c.s
	digits := start - 1
	for digits > 0 && class[s[digits-1]]&isDigit != 0 && start-digits < 20 {
		digits--
	}
	if n := start - 1 - digits; n < 5 || n > 16 || is(s, digits-1, isAlpha) && !foldSuffix(s, digits, "bot") {
		return false
	}
	if s[start] != 'A' || end-start < 34 || end-start > 36 || !mixed(s[start:end]) {
		return false
	}
	c.add(ruleVendorToken, digits, end)
	return true
}
