// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Names with values in text: key=value, JSON, YAML, XML, hashes, command lines, headers, source code. A trigger such as
// "pass" leads to the name around it; the name is judged; the value is found behind what separates the two.

// named finds values by the names that they are given to. Its triggers are derived from the names of the rules.
var named = &Detector{Find: detectName}

// valueMemo is what is known of names and values in the text: the end of the last name examined (a name with two triggers in it is
// examined once), the last bare value, and the end of the last value that was no secret.
type valueMemo struct {
	identEnd, bareFrom, bareTo, rejected int
	// other are the values of the name besides the one that was found first.
	other  [3]value
	others int
}

const (
	maxNameBytes  = 64
	shortName     = 8    // bytes of a name that count for nothing
	maxRejected   = 128  // the end of a longer value that was no token is not examined again
	maxValueBytes = 8192 // a quoted or bracketed value without an end is redacted this far
)

// detectName examines the name around the trigger at i, and its value.
func detectName(c *Context, _ ID, i int) int {
	s := c.S
	if i < c.memo.values.identEnd {
		c.Charge(-prefilter.CostOfCall) // the name has been charged for
		return 0
	}
	start, end := c.nameAround(i)
	for start < i && (s[start] == '.' || s[start] == '-' || !utf8.RuneStart(s[start])) {
		start++
	}
	for end > i && (s[end-1] == '.' || s[end-1] == '-') {
		end--
	}
	if dot := strings.IndexByte(s[i:end], '.'); dot > 0 && end-i > 40 {
		end = i + dot
	}
	c.memo.values.identEnd = end
	c.weigh(max(0, end-start-shortName))

	name := s[start:end]
	ownEnd := end
	// "api key", "security code", "social security number": words of one name.
	for k := 0; k < 2 && ascii.At(s, end) == ' ' && ascii.Is(s, end+1, ascii.Alpha) && !c.separated(end); k++ {
		word := c.span(end+1, ascii.Alpha)
		if !in(nameWord, s[end+1:word]) {
			break
		}
		end = word
	}
	own := start
	if first := ascii.Span(name, 0, ascii.Alpha|ascii.Latin); in(lateWord, name[:first]) {
		start = previousWord(s, start)
	}
	c.memo.values.identEnd = end

	vd := c.names.Verdict(s[start:end])
	if vd.Strength == Nothing && start < own {
		start = own
		vd = c.names.Verdict(s[start:end])
	}
	if vd.Rule != SensitiveKey {
		if from, to, ok := c.unusualName(start, end); ok {
			start, end, vd = from, to, Verdict{SensitiveKey, Hard}
			c.memo.values.identEnd = end
		}
	}
	if vd.Rule == ruleAPIKey && ascii.HasSuffixFold(s, end, "key") && strings.Contains(s[max(0, start-maxNameBytes/2):end], "wireless.") {
		vd = Verdict{rulePassword, Hard} // wireless.default_radio0.key of UCI, which is no name for a key elsewhere
	}
	if in(codeHeads, s[own:ownEnd]) {
		if k := codeTail(s, ownEnd); k > ownEnd {
			end, vd = k, Verdict{ruleOneTimeCode, Hard} // código de verificación
			c.memo.values.identEnd = end
		}
	}
	if vd.Strength == Nothing || inARN(s, start, end) || inTemplate(s, start) || ofChecksum(s, start) {
		return 0
	}
	name = s[start:end]
	hard := vd.Strength == Hard && (vd.Rule == rulePassword || vd.Rule == ruleSecret)
	if v, ok := c.deviceValue(own, ownEnd, hard && own == start && ownEnd == end); ok {
		c.Offer(rulePassword, v.start, v.end)
		return v.end
	}
	if end > ownEnd { // the last word of several
		word := end
		for word > ownEnd && s[word-1] != ' ' {
			word--
		}
		if v, ok := c.deviceValue(word, end, false); ok {
			c.Offer(rulePassword, v.start, v.end)
			return v.end
		}
	}
	if ascii.Is(s, end+1, ascii.Quote) && ascii.At(s, end) == ' ' && (ascii.HasPrefixFold(s, end+2, `auth" `) || ascii.HasPrefixFold(s, end+2, `private key" `)) {
		return detectLoginAttempt(c, rulePassword, start) // OpenVPN's management: password "Auth" "x"
	}
	switch vd.Rule {
	case ruleAuthorization:
		return c.authorization(start, end)
	case ruleCookie:
		return c.cookies(start, end)
	}
	if ascii.HasSuffixFold(s, end, "networkcredential") {
		for _, call := range []string{"(", "]::new("} {
			if ascii.HasPrefixFold(s, end, call) {
				return c.authCall(end + len(call))
			}
		}
	}
	if vd.Rule == ruleSecret {
		if taken, ok := c.secretCommand(start, end); ok {
			return taken
		}
	}
	if k := c.column(start, end, vd); k > 0 {
		return 0 // what else is in the rows comes before that
	}
	c.memo.values.others = 0
	v, ok := c.findValue(start, end, vd)
	if ok && vd.Rule == ruleSecret && vd.Strength == Medium {
		v = passwordOf(s, v)
	}
	if ok && vd.Rule == rulePassword && (vd.Strength == Hard || vd.Strength == Weak) {
		if k := phraseEnd(s, v.start); k > 0 && (v.ctx != quoted || k == v.end) {
			c.Offer(vd.Rule, v.start, k)
			return k
		}
	}
	if vd.Rule == rulePassword && !ok {
		// seed phrase legal winner thank ...: so many words are no sentence.
		if from := blanks(s, end); from > end && ascii.Is(s, from, ascii.LowerCase) {
			if k := phraseEnd(s, from); k > 0 && strings.Count(s[from:k], " ") >= walletWords-1 {
				c.Offer(vd.Rule, from, k)
				return k
			}
		}
	}
	if vd.Rule == rulePassword && ok && v.ctx == prose && ascii.HasSuffixFold(s, start, "one-time ") && oneTimeCode(s[v.start:v.end]) {
		c.Offer(ruleOneTimeCode, v.start, v.end)
		return v.end
	}
	if vd.Rule == rulePassword && (vd.Strength == Hard || vd.Strength == Likely && !ok) && (!ok || v.ctx == prose && !c.secretValue(v, vd, prose)) {
		c.Charge(costOfValue)
		if v, ok = c.printedValue(start, end); !ok {
			v, ok = followingValue(s, start, end)
		}
		if !ok {
			v, ok = c.actionValue(start, end)
		}
		if !ok {
			v, ok = c.quotedBefore(start)
		}
	}
	if vd.Strength >= Medium && (!ok || v.ctx == prose && !c.secretValue(v, vd, prose)) {
		if set, is := c.setValue(start, end); is {
			v, ok = set, is
		}
	}
	if !ok && vd.Rule == ruleOneTimeCode {
		if v, ok = codeBefore(s, start); ok {
			c.Offer(vd.Rule, v.start, v.end)
			return 0
		}
		if vd.Strength == Hard {
			v, ok = c.announcedCode(end)
		}
	}
	if !ok {
		if v, ok = c.valueBefore(start, end); ok && c.secretValue(v, vd, quoted) {
			c.Offer(vd.Rule, v.start, v.end)
		}
		return 0
	}
	c.Charge(costOfValue)
	if (vd.Rule == ruleSSN || vd.Rule == ruleCardCode) && v.ctx != quoted {
		// What follows the number is not part of it: ssn=536228726,2026-11-23.
		for k := v.start; k < v.end; k++ {
			if ascii.Class[s[k]]&ascii.Digit == 0 && (s[k] != '-' && s[k] != '.' || !ascii.Is(s, k+1, ascii.Digit)) {
				v.end = k
			}
		}
	}
	if vd.Rule == ruleOneTimeCode {
		for v.ctx != quoted && v.end-v.start > 4 && strings.IndexByte(".,!", s[v.end-1]) >= 0 {
			v.end--
		}
		v.end = groupedCode(s, v.start, v.end)
	}
	if v.end == c.memo.values.rejected && v.end-v.start > maxRejected && vd.Strength < Hard {
		return 0
	}
	if !c.secretValue(v, vd, v.ctx) || workingDirectory(name, s[v.start:v.end]) ||
		ascii.At(s, start-1) == '(' && ascii.At(s, v.end) == ')' && pamTypes[s[v.start:v.end]] {
		c.memo.values.rejected = v.end
		return 0
	}
	if v.ctx != quoted && v.ctx != tight && inProse(s, v) || metavariable(s, name, v) || quantity(s, v) || c.isOther(name, v) {
		return 0
	}
	if vd.Rule == rulePassword && (commented(s, start, v) || c.isLabel(start, v)) {
		return v.end // no name either
	}
	if v.ctx == flag && vd.Rule == ruleSecret && !Mixed(s[v.start:v.end]) && judge(s[v.start:v.end]).Strength == Hard {
		if w, _, ok := nextWord(s, v.end, min(len(s), v.end+maxDialogue)); ok && chosen(w.text) {
			v = value{w.start, w.end, quoted} // an option without a value: config set --secret dbPassword x
		}
	}
	c.Offer(vd.Rule, v.start, v.end)
	end = c.moreValues(v, vd)
	for _, v := range c.memo.values.other[:c.memo.values.others] {
		if c.secretValue(v, vd, quoted) {
			c.Offer(vd.Rule, v.start, v.end)
			end = max(end, v.end)
		}
	}
	return end
}

// inARN reports whether s[start:end] says what the name of a resource of AWS names: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db.
func inARN(s string, start, end int) bool {
	return ascii.At(s, start-1) == ':' && ascii.At(s, end) == ':' && strings.Contains(s[max(0, start-64):start], "arn:aws")
}

// ofChecksum reports whether the name at start says of what something is the checksum: checksum/secret of Helm's charts.
func ofChecksum(s string, start int) bool {
	return ascii.At(s, start-1) == '/' && (ascii.HasSuffixFold(s, start, "checksum/") || ascii.HasSuffixFold(s, start, "hash/"))
}

// inTemplate reports whether the name at start is a part of a reference of CloudFormation: {{resolve:secretsmanager:db:SecretString:password}}.
func inTemplate(s string, start int) bool {
	if ascii.At(s, start-1) != ':' {
		return false
	}
	before := s[max(0, start-maxReference):start]
	k := strings.LastIndex(before, "{{resolve:")
	return k >= 0 && strings.IndexByte(before[k:], '}') < 0
}

// metavariable reports whether v says in a usage what stands there: --password=PASSWORD, --password string.
func metavariable(s, name string, v value) bool {
	text := s[v.start:v.end]
	switch v.ctx {
	case flag:
		if asciiWord(text) == "string" || asciiWord(text) == "value" || asciiWord(text) == "text" {
			return true
		}
	case tight:
	default:
		return false
	}
	return ascii.At(s, v.start-2-len(name)) == '-' && strings.ToUpper(text) == text && ascii.HasSuffixFold(name, len(name), strings.ToLower(text))
}

// isOther reports whether v is a variable of the same name, as in password: $password of GraphQL, the file that systemd loads a credential
// from, or in a catalogue of translations what the name is called: password.confirm=Passwort wiederholen.
func (c *Context) isOther(name string, v value) bool {
	text := c.S[v.start:v.end]
	switch {
	case v.ctx == quoted:
		return false
	case text[0] == '$':
		return ascii.EqualFold(text[1:], name)
	case ascii.HasSuffixFold(name, len(name), "credential") && (ascii.HasPrefixFold(name, 0, "load") || ascii.HasPrefixFold(name, 0, "import")):
		k := strings.Index(text, ":/")
		return k > 0 && resourceName(text[k+1:])
	case text[0] == '/':
		return ascii.HasSuffixFold(c.S, v.start-1-len(name), "credential=") && resourceName(text) // the same, where the credential is called password
	}
	next := v.end + 1
	return v.ctx == tight && strings.IndexByte(name, '.') > 0 && ascii.At(c.S, v.end) == ' ' && ascii.Is(c.S, next, ascii.Alpha) && !pairAt(c.S, next) &&
		ascii.Span(text, 0, ascii.Alpha) == len(text) && (judge(text).Strength == Hard || judge(c.S[next:ascii.Span(c.S, next, ascii.Alpha)]).Strength == Hard)
}

// workingDirectory reports whether v is the shell's working directory, as sudo logs it: PWD=/home/bob, pwd=C:\work.
func workingDirectory(name, v string) bool {
	return (ascii.EqualFold(name, "pwd") || ascii.EqualFold(name, "oldpwd")) && (v[0] == '/' || len(v) > 2 && v[1] == ':' && v[2] == '\\')
}

// pamTypes are what PAM does for a service: pam_unix(gdm-password:session), pam_unix(passwd:chauthtok).
var pamTypes = set("auth account session chauthtok setcred")

// nameAround returns where the name is in which i lies.
func (c *Context) nameAround(i int) (start, end int) {
	s := c.S
	start, end = i, i
	if s[i] >= utf8.RuneSelf {
		// A name in other letters than Latin ones.
		for start > c.taken && i-start < maxNameBytes {
			r, size := utf8.DecodeLastRuneInString(s[:start])
			if !nameRune(r) {
				break
			}
			start -= size
		}
		for end < len(s) && end-i < maxNameBytes {
			r, size := utf8.DecodeRuneInString(s[end:])
			if !nameRune(r) {
				break
			}
			end += size
		}
		return start, end
	}
	for start > c.taken && i-start < maxNameBytes && ascii.Class[s[start-1]]&(ascii.Ident|ascii.Latin) != 0 {
		start--
	}
	for end < len(s) && end-i < maxNameBytes && ascii.Class[s[end]]&(ascii.Ident|ascii.Latin) != 0 {
		end++
	}
	return start, end
}

// nameRune reports whether r may be a part of a name.
func nameRune(r rune) bool {
	return r != utf8.RuneError && (r < utf8.RuneSelf && ascii.Class[r]&ascii.Ident != 0 || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)))
}

// lateWord are the words that lead to a name of which they are not the first one.
var lateWord = newWords("key keys pin passe khẩu code codes sandi answer community otp string phrase código codigo codice")

var nameWord = newWords("code key token number secret password phrase keys tokens security value id content")

// separated reports whether a separator follows at i, after spaces.
func (c *Context) separated(i int) bool {
	i = ascii.Span(c.S, i, ascii.Space)
	return ascii.At(c.S, i) == '=' || ascii.At(c.S, i) == ':'
}

// previousWord returns the start of the word before start, if one space is between, or start.
func previousWord(s string, start int) int {
	if ascii.At(s, start-1) != ' ' {
		return start
	}
	i := start - 1
	for i > 0 && start-i < 20 && ascii.Class[s[i-1]]&ascii.Alpha != 0 {
		i--
	}
	if i == start-1 {
		return start
	}
	return i
}
