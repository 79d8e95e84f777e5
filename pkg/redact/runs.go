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
	odd := 0
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

// contextual examines a run that has no form of its own: it is redacted if it looks machine-made and the words before it are
// about credentials or name a vendor who hands out such tokens. Words such as commit or digest before it say that
// it is something else.
func (c *scan) contextual(start, end int) {
	s := c.s
	for end > start && s[end-1] == '=' && end < len(s) && class[s[end]]&isSpace == 0 {
		end--
	}
	v := s[start:end]
	anyEntropy := c.w.e.rules[ruleHighEntropy].action != actionOff
	if len(v) < minFreeText || strings.Count(v, "/")*12 > len(v) || isUUID(v) && !anyEntropy {
		return
	}
	form := formOf(v)
	if !form.tokenLike(len(v)) {
		return
	}
	hex := form.hex == len(v)
	if !hex && form.dashes > 3 && len(v) < 40 || !hex && form.changes+form.caseChanges < 4 && !anyEntropy {
		return
	}
	if !hex {
		bits := entropy(v)
		if bits < 3 {
			return
		}
		if anyEntropy && bits >= 3.8 {
			c.add(ruleHighEntropy, start, end)
			return
		}
		if form.changes+form.caseChanges < 4 {
			return
		}
	}
	if isUUID(v) {
		return
	}
	if c.credentialBefore(start) || !hex && c.assigned(start, v) {
		c.add(ruleToken, start, end)
	}
}

// changes counts how often letters and digits take turns: seldom in job_1795144423722_0020, often in tokens.
func changes(s string) (n int) {
	for i := 1; i < len(s); i++ {
		if (class[s[i]]^class[s[i-1]])&isDigit != 0 {
			n++
		}
	}
	return n + caseChanges(s)
}

// isUUID reports whether s ends in a UUID.
func isUUID(s string) bool {
	if len(s) < 36 {
		return false
	}
	s = s[len(s)-36:]
	return s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && spanOf(s, 0, isHexDigit) == 8 && spanOf(s, 24, isHexDigit) == 36
}

func dashes(s string) int { return strings.Count(s, "-") + strings.Count(s, "_") }

// credentialBefore reports whether the words in front of i, on its line, announce a credential. The nearest word that says
// anything decides.
func (c *scan) credentialBefore(i int) bool {
	s := c.s
	floor := max(0, i-lookBack)
	j := i
	words := 0
	for j > floor && words < 8 {
		for j > floor && class[s[j-1]]&isAlpha == 0 {
			if s[j-1] == '\n' || s[j-1] == ']' || class[s[j-1]]&isDigit != 0 && i-j > 24 {
				return false
			}
			j--
		}
		end := j
		for j > floor && class[s[j-1]]&isAlpha != 0 {
			j--
			// The next word of a camel-cased name.
			if j > floor && class[s[j]]&isUpper != 0 && class[s[j-1]]&isLower != 0 {
				break
			}
		}
		if end == j {
			return false
		}
		words++
		var buf [24]byte
		if end-j > len(buf) {
			continue
		}
		for k := j; k < end; k++ {
			buf[k-j] = lower(s[k])
		}
		w := view(buf[:end-j])
		switch contextWords[w] {
		case credentialWord:
			return true
		case otherWord:
			return false
		}
	}
	return false
}

// assigned reports whether v, which starts at i, is the value of a name that does not say what it is, and so random that it
// is hardly anything else than a credential: letters of both cases and digits, or of one case and long.
func (c *scan) assigned(i int, v string) bool {
	s := c.s
	var upper, lowers, digits int
	for k := range len(v) {
		switch cl := class[v[k]]; {
		case cl&isUpper != 0:
			upper++
		case cl&isLower != 0:
			lowers++
		case cl&isDigit != 0:
			digits++
		case v[k] != '_' && v[k] != '-' && v[k] != '=':
			return false
		}
	}
	switch {
	case digits < 2 || changes(v)*3 < len(v) || entropy(v) < 3.5 || dashes(v) > 2:
		return false
	case upper == 0 && len(v) < 24, upper > 0 && lowers > 0 && (upper < 3 || lowers < 3), lowers == 0:
		return false
	}
	j := i
	for is(s, j-1, isQuote) || at(s, j-1) == '\\' {
		j--
	}
	for j > 0 && i-j < 6 && s[j-1] == ' ' {
		j--
	}
	if p := at(s, j-1); p != '=' && p != ':' {
		return false
	}
	for j > 0 && i-j < 12 && class[s[j-1]]&isAlnum == 0 && s[j-1] != '\n' {
		j--
	}
	name := j
	for name > 0 && j-name < maxNameBytes && class[s[name-1]]&isIdent != 0 {
		name--
	}
	if name == j {
		return false
	}
	var buf [maxName]byte
	var seg [maxSegments]string
	n := segments(s[name:j], &buf, &seg)
	for _, w := range seg[:n] {
		if otherContext[trimDigits(w)] || properties[trimDigits(w)] || notSecretKeys[w] {
			return false
		}
	}
	return n > 0
}

const (
	credentialWord uint8 = iota + 1
	otherWord
)

// contextWords are the words of the two sets, and the vendors' names.
var contextWords = func() map[string]uint8 {
	m := map[string]uint8{}
	for w := range otherContext {
		m[w] = otherWord
	}
	for _, words := range []map[string]bool{vendorNames, credentialContext} {
		for w := range words {
			m[w] = credentialWord
		}
	}
	return m
}()

var (
	credentialContext = set("token apikey secret password passwd credential credentials creds bearer apitoken accesstoken authtoken secretkey accesskey " +
		"authkey privatekey pat jwt passphrase pwd")
	otherContext = set("commit sha md md5 hash digest checksum etag revision rev build image layer blob tree object id uuid guid request req trace " +
		"span correlation transaction txn session instance node pod container block fingerprint serial version path file url href " +
		"http https class thread method function module package info debug warn error warning notice integrity cursor offset " +
		"attempt job task application app volume snapshot host nonce salt public certificate cert agent")
)
