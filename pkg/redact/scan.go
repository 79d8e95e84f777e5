// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// span is a match: s[start:end] of the text that was scanned.
type span struct {
	start, end int
	rule       ruleID
	// text is what matched, decoded where the text was encoded. It may be a view of a buffer of the worker's, valid
	// until the next text is scanned.
	text string
}

// Things seen by the prefilter that ask for a decoded view of the text, or for characters to be escaped. Once one of the first
// three is seen its triggers are no longer looked for.
const (
	sawPercent uint8 = 1 << iota
	sawBackslash
	sawSpecial // a byte that is no printable ASCII: whether the next two are there is known
	sawEntity  // a character reference
	sawUnusual // a byte that a view would fold: beyond ASCII, or an ANSI sequence
	sawControl // characters that are escaped in the output

	sawNotes = sawPercent | sawBackslash | sawSpecial
)

// scan is one pass over one text.
type scan struct {
	w     *worker
	s     string
	spans []span
	saw   uint8
	// resume is where detectors go on; what they consumed is not offered again.
	resume int
	// taken is the end of the last match: what lies before it belongs to no other.
	taken int
	// identEnd is the end of the last key name examined: a name with two triggers in it is examined once.
	identEnd int
	// curl and client are where the last name of an HTTP client, and of a client that takes -p, stand; -1 is nowhere.
	curl, client int
	// bareFrom and bareTo are the last bare value, rejected the end of the last value that was no secret, and quoteFrom and
	// quoteTo a stretch without quotes and line ends: what is known of the text is not found out again.
	bareFrom, bareTo, rejected int
	quoteFrom, quoteTo         int
	// plainPath is up to where the path of an address is no credential, noSign up to where there is no at sign after an address.
	plainPath, noSign int
	customHits        []bool
	// firstRun is where the first long run of token characters starts, at the earliest, and lastRun a place in the last one.
	firstRun, lastRun int
	// kept are redaction markers and pseudonyms of ours in the text. They are left as they are.
	kept []span
}

func (c *scan) reset(w *worker, s string) {
	c.w, c.s = w, s
	c.spans, c.kept = c.spans[:0], c.kept[:0]
	c.saw, c.resume, c.taken, c.identEnd, c.curl, c.client = 0, 0, 0, 0, -1, -1
	c.bareFrom, c.bareTo, c.rejected, c.quoteFrom, c.quoteTo = 0, 0, -1, 0, -1
	c.firstRun, c.lastRun, c.plainPath, c.noSign = 0, 0, 0, 0
	clear(c.customHits)
}

// add records that s[start:end] is a match of the rule.
func (c *scan) add(r ruleID, start, end int) {
	c.addText(r, start, end, "")
}

// addText is add with the decoded form of the match, where that differs from the text; it names the value when
// allow-lists are compared and pseudonyms made.
func (c *scan) addText(r ruleID, start, end int, text string) {
	rule := &c.w.e.rules[r]
	if rule.action == actionOff || start >= end {
		return
	}
	if n := markerLen(c.s, start); n == end-start && c.w.e.isOurs(c.s[start:end]) {
		return
	}
	if text == "" {
		text = c.s[start:end]
	}
	for _, glob := range rule.allow {
		if globMatch(glob, text) {
			if !c.w.again {
				c.w.counts.suppressed[r]++
			}
			return
		}
	}
	c.w.work -= workOfMatch
	c.spans = append(c.spans, span{start, end, r, text})
	c.taken = max(c.taken, end)
}

// run finds all matches in s, looking through depth layers of encoding. The result is in c.spans: in order, not
// overlapping.
func (c *scan) run(w *worker, s string, depth int) {
	c.reset(w, s)
	if depth == 0 {
		c.saw = sawNotes // nobody will decode it any further
	}
	e := w.e
	// The triggers of these begin with the byte before them, which the start of the text does not have.
	if len(s) >= minIBAN && class[s[0]]&isAlpha != 0 && class[s[1]]&isAlpha != 0 && class[s[2]]&isAlpha == 0 && e.rules[ruleIBAN].action != actionOff {
		c.resume = max(c.resume, detectIBAN(c, 0))
	}
	if len(s) >= minNumberDigits && s[0] == '0' && class[s[1]]&isDigit != 0 && e.rules[rulePhone].action != actionOff {
		c.resume = max(c.resume, detectSpread(c, 0))
	}
	e.filter.run(c)
	if e.runs && c.lastRun > 0 {
		c.findRuns(depth)
	}
	for i, hit := range c.customHits {
		if hit || e.custom[i].scanAll {
			c.runCustom(i)
		}
	}
	if depth > 0 && c.saw&(sawPercent|sawBackslash|sawEntity|sawUnusual) != 0 {
		c.views(depth)
	}
	c.resolve()
	if c.echoes() {
		c.resolve()
	}
}

const (
	minEcho     = 8
	maxEchoes   = 16
	maxEchoText = 1 << 16
)

// echoes finds further places where the text of a match stands, without what told that it is a secret: "password=x, login with x".
// It reports whether there are any. The work is bounded: in long texts, and in texts with many matches, it is left.
func (c *scan) echoes() bool {
	n := len(c.spans)
	if n == 0 || n > maxEchoes || len(c.s) > maxEchoText {
		return false
	}
	for k := range n {
		sp := c.spans[k]
		v := c.s[sp.start:sp.end]
		if len(v) < minEcho || !mixed(v) {
			continue
		}
		for i := 0; ; {
			at := strings.Index(c.s[i:], v)
			if at < 0 {
				break
			}
			if i += at; i != sp.start {
				c.spans = append(c.spans, span{i, i + len(v), sp.rule, sp.text})
			}
			i += len(v)
		}
	}
	return len(c.spans) > n
}

// resolve drops matches inside our own markers, and joins those that overlap: the union is redacted, by the more
// severe action and, of equals, the longer match.
func (c *scan) resolve() {
	if len(c.spans) == 0 {
		return
	}
	if len(c.kept) > 0 {
		c.spans = slices.DeleteFunc(c.spans, c.onlyKept)
	}
	if len(c.spans) < 2 {
		return
	}
	slices.SortFunc(c.spans, func(a, b span) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	rules := c.w.e.rules
	out := c.spans[:1]
	for _, sp := range c.spans[1:] {
		last := &out[len(out)-1]
		if sp.start >= last.end {
			out = append(out, sp)
			continue
		}
		a, b := rules[last.rule].action, rules[sp.rule].action
		if b > a || b == a && sp.end-sp.start > last.end-last.start {
			last.rule, last.text = sp.rule, sp.text
		}
		if sp.end > last.end {
			last.end = sp.end
			last.text = c.s[last.start:last.end]
		}
	}
	c.spans = out
}

// onlyKept reports whether a span holds nothing but markers of ours and punctuation.
func (c *scan) onlyKept(sp span) bool {
	touched := false
	i := sp.start
	for _, k := range c.kept {
		if k.end <= sp.start || k.start >= sp.end {
			continue
		}
		touched = true
		if hasAlnum(c.s[i:max(i, k.start)]) {
			return false
		}
		i = k.end
	}
	return touched && !hasAlnum(c.s[min(i, sp.end):sp.end])
}

// hasAlnum reports whether s holds a letter, a digit or a byte beyond ASCII.
func hasAlnum(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || class[s[i]]&isAlnum != 0 {
			return true
		}
	}
	return false
}

// globMatch reports whether s matches the pattern, which is lower case and may hold * and ?.
func globMatch(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == lower(s[i])):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// triggers lists what the prefilter looks for. A text without any of them, and without a long run of token characters, is
// clean.
func triggers(on func(...ruleID) bool) []trigger {
	digit := func(b byte) bool { return b >= '0' && b <= '9' }
	one := func(set string) func(byte) bool { return func(b byte) bool { return strings.IndexByte(set, b) >= 0 } }
	control := func(b byte) bool { return b < 0x20 && b != '\t' || b == 0x7f }
	boundary := func(b byte) bool { return class[b]&isAlnum == 0 }
	letter := func(b byte) bool { return class[b]&isAlpha != 0 }
	var t []trigger
	sets := func(d detector, accept ...func(byte) bool) {
		tr := trigger{detect: d}
		for _, f := range accept {
			var set [256]bool
			for b := range 256 {
				set[b] = f(byte(b))
			}
			tr.sets = append(tr.sets, &set)
		}
		t = append(t, tr)
	}
	add := func(d detector, lits ...string) {
		for _, l := range lits {
			t = append(t, trigger{lit: l, detect: d})
		}
	}
	note := func(flag uint8, d detector, accept ...func(byte) bool) {
		sets(d, accept...)
		t[len(t)-1].note, t[len(t)-1].linear = flag, true
	}
	note(sawPercent, sawByte(sawPercent), one("%"), func(b byte) bool { return lower(b) == 'u' || class[b]&isHexDigit != 0 })
	note(sawBackslash, sawByte(sawBackslash), one("\\"))
	note(sawSpecial, detectSpecial, func(b byte) bool { return control(b) || b >= utf8.RuneSelf })
	note(sawEntity, sawByte(sawEntity), one("&"), one("#aql"), one("0123456789xXmut")) // &#64; &#x40; &amp; &quot; &lt;
	add(detectMarker, "[redacted:", "[ps:")
	t[len(t)-1].linear, t[len(t)-2].linear = true, true
	if on(rulePAN, ruleSSN, rulePhone) {
		sets(detectDigits, digit, digit, digit, digit)
		t[len(t)-1].digits, t[len(t)-1].linear = true, true
		sets(detectSpread, digit, one(" -"), digit, one(" -"))
		t[len(t)-1].linear = true
	}
	if on(rulePhone) {
		sets(afterBoundary(detectSpread), boundary, one("0"), one("123456789"), one("0123456789 -./"))
		sets(detectPlus, one("+"), one("123456789("), one("0123456789 ()-."))
		sets(detectParen, one("("), one("0123456789+"), digit)
		add(detectPhoneWord, "phone", "tel", "cell", "call", "fax", "contact", "whatsapp", "sms", "dial", "msisdn", "handy", "mobil",
			"number", "reach", "text me")
	}
	if on(ruleIBAN) {
		sets(afterBoundary(detectIBAN), boundary, letter, letter, digit)
	}
	if on(ruleIPv4) {
		sets(detectIPv4, digit)
	}
	if on(ruleIPv6, ruleMAC) {
		sets(detectColon, one(":"))
	}
	if on(ruleEmail) {
		add(detectAt, "@")
	}
	if on(ruleTrack) {
		sets(detectTrack, one("%"), one("bB"), digit, digit)
		sets(detectTrack, one(";"), digit, digit, digit)
	}
	if on(ruleURLCredentials, ruleEmail) {
		add(detectUserinfo, "://")
	}
	if on(rulePassword, ruleSecret, ruleToken, ruleAPIKey, ruleAuthorization, ruleSensitiveKey, ruleCardCode, ruleSSN, ruleSignedURL) {
		add(detectName, nameTriggers...)
	}
	if on(ruleCookie) {
		add(detectCookie, "cookie")
	}
	if on(rulePassword) {
		add(detectPasswordFlag, " -p", " -a ")
		add(detectIdentified, "identified ")
		sets(detectCrypt, one("$"), one("1256aypks"), one("$abyprk2"))
		add(detectCurl, "curl", "wget")
		add(detectClient, passwordClients...)
		add(detectUserFlag, " -u", "--user", "--proxy-user")
	}
	if on(rulePrivateKey) {
		add(detectPEM, "-----begin", "---- begin", "age-secret-key-1", "putty-user-key-file")
	}
	if on(ruleJWT) {
		add(detectJWT, "eyj")
	}
	if on(ruleWebhook) {
		add(detectWebhook, "hooks.", "webhook", "api.telegram.org/bot")
	}
	if on(ruleVendorToken) {
		sets(afterBoundary(detectAzureSecret), digit, one("Q"), one("~"))
	}
	return t
}

// nameTriggers are parts of the names that are judged; see judge.
var nameTriggers = []string{
	"pass", "pwd", "secret", "token", "key", "auth", "cred", "pswd", "kennwort", "geheim", "senha", "contrase", "motdepasse", "sessid",
	"sessionid", "connect.sid", "cvv", "cvc", "cvn", "cav2", "ssn", "security", "verification", "social", "pin", "signature",
	"sig=", "contribsys", "bearer", "wachtwoord",
}
