// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/base64"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Runs of token characters that have no form of their own: what the words around them, and their own looks, say of them.

// contextual examines a run that has no form of its own: it is redacted if it looks machine-made and the words before it are
// about credentials or name a vendor who hands out such tokens. Words such as commit or digest before it say that
// it is something else.
func (c *Context) contextual(start, end int) {
	s := c.S
	if inCiphertext(s, start) {
		return
	}
	for end > start && s[end-1] == '=' && end < len(s) && ascii.Class[s[end]]&ascii.Space == 0 {
		end--
	}
	v := s[start:min(end, start+maxJudged)]
	if len(v) < minFreeText {
		return
	}
	if c.pairedSecret(start, v) || mailchimpKey(v) {
		c.Offer(ruleVendorToken, start, end)
		return
	}
	c.look(len(v))
	if slash := strings.LastIndexByte(v, '/'); slash > 0 && len(v)-slash > minFreeText && linkWord(v[:slash]) && linkToken(v[slash+1:]) {
		c.Offer(ruleToken, start+slash+1, c.dottedEnd(end))
		return
	}
	if strings.Count(v, "/")*12 > len(v) || wordsOfQuery(v) || ascii.At(s, start-1) == '%' && wordsOfQuery(v[2:]) {
		return
	}
	anyEntropy := c.sink.On(ruleHighEntropy)
	uuid := isUUID(v)
	switch {
	case uuid && len(v) == uuidLen && !anyEntropy:
		// Identifiers, most of them.
		if said := c.announced(start, wordsOfUUID); said == right || said == vendorRight && c.operatorBefore(start) {
			c.Offer(ruleToken, start, end)
		}
		return
	}
	if isHash(v) && (ascii.ContainsFold(s[max(0, start-lookBack/2):start], "checksum/") || ascii.HasSuffixFold(s, start, auditMask)) {
		return // checksum/secret: ... of Helm's charts
	}
	f := shapeOf(v)
	dashed := f.dashes > 0
	if dashed && f.digits > 0 {
		if tail := secretTail(v); tail > 0 {
			c.Offer(ruleToken, start+tail, end)
			return
		}
	}
	random := f.tokenLike(len(v)) && (f.digits > 0 || !camelWords(v) && !headerName(v))
	word := f.upper+f.lowers+f.digits == len(v) && (f.digits > 0 && f.digits < len(v) || f.distinct >= 16 && (f.upper == 0 || !camelWords(v)))
	if !random && !word {
		return
	}
	c.Charge(costOfValue)
	said := c.announced(start, maxWordsBefore)
	called := said == right || said == before
	// One piece of letters and digits right behind a word is a credential in spite of regular looks.
	if said == right && word || dashed && said != elsewhere && f.upper+f.lowers > 0 && prefixed(v) && (called || !idPrefix(v) && !hashTail(v)) {
		c.Offer(ruleToken, start, c.dottedEnd(end))
		return
	}
	if !random {
		return
	}
	hex := f.hex+strings.Count(v, "-") == len(v)
	if slash := strings.IndexByte(v, '/'); slash >= 12 {
		hex = hexGroups(v[:slash])
	}
	if anyEntropy && !hex && entropy(v) >= 3.8 {
		c.Offer(ruleHighEntropy, start, end)
		return
	}
	grouped := f.dashes > 3 && len(v) < 40 || uuid
	varied := !hex && f.changes+f.caseChanges > 3
	secret := false
	switch said {
	case right:
		secret = true
	case before:
		secret = !grouped && (hex || varied)
	case vendorRight:
		secret = hex && !grouped || varied || grouped && c.operatorBefore(start)
	case vendorBefore:
		secret = !grouped && (varied || hex && len(v) >= 32 && c.operatorBefore(start))
	case keyRight:
		secret = !grouped && varied && !strings.HasSuffix(v, "=")
	default:
		secret = !grouped && varied && (!dashed || !hashTail(v) || prefixed(v)) && c.assigned(start, v, &f)
	}
	if secret && (hex || entropy(v) >= 3) && (called || !dashed || !idPrefix(v)) {
		c.Offer(ruleToken, start, c.dottedEnd(end))
	}
}

// maxJudged is how much of a long run is looked at to tell what it is.
const maxJudged = 4096

const (
	awsSecretLen = 40
	pairDistance = 32
)

// pairedSecret reports whether v is the secret that follows an AWS access key id, with or without words between.
func (c *Context) pairedSecret(start int, v string) bool {
	if len(v) != awsSecretLen || c.last.rule != ruleAWSKey {
		return false
	}
	end := c.last.end
	return end > 0 && start > end && start-end <= pairDistance && tokenLike(v, awsSecretLen) && changes(v) > 7
}

// mailchimpKey reports whether v is 32 hexadecimal digits and the name of a data centre: -us12.
func mailchimpKey(v string) bool {
	return len(v) > 35 && len(v) < 38 && v[32:35] == "-us" && ascii.Span(v[:32], 0, ascii.HexDigit) == 32 && ascii.Span(v, 35, ascii.Digit) == len(v) && Mixed(v[:32])
}

// dottedEnd returns the end of a token of which a part ends at i: parts as random follow behind dots.
func (c *Context) dottedEnd(i int) int {
	for ascii.At(c.S, i) == '.' || ascii.At(c.S, i) == '~' {
		end := c.span(i+1, ascii.Run)
		if part := c.S[i+1 : end]; len(part) < 4 || !Mixed(part) && caseChanges(part) < 3 {
			break
		}
		i = end
	}
	return i
}

// linkWords are what addresses sent by mail hold before the token that lets their reader in.
var linkWords = newWords("reset resets reset-password password-reset password_reset reset_password resetpassword passwordreset verify-email verify_email confirm-email " +
	"confirm_email activate activation invite invitation invitations magic-link magic_link magiclink unlock confirmation verification verify confirm unsubscribe " +
	"reset-link set-password setpassword signin-link login-link one-time-login")

// linkWord reports whether path ends in one of them.
func linkWord(path string) bool { return in(linkWords, path[strings.LastIndexByte(path, '/')+1:]) }

// linkToken reports whether v is random, and no identifier.
func linkToken(v string) bool {
	return tokenLike(v, minFreeText) && !isHash(v) && !isUUID(v) && !resourceName(v) && !compound(v) && changes(v) >= 4 && entropy(v) >= 3.3 && dashes(v)*6 <= len(v)
}

// wordsOfQuery reports whether v is words with plus signs between, as queries have for blanks.
func wordsOfQuery(v string) bool {
	if strings.IndexByte(v, '+') < 0 {
		return false
	}
	for word := range strings.SplitSeq(v, "+") {
		if ascii.Span(word, min(1, len(word)), ascii.LowerCase|ascii.Ident) != len(word) || strings.ContainsAny(word, "0123456789") || caseChanges(word) > 1 {
			return false
		}
	}
	return true
}

// inCiphertext reports whether i is within what SOPS has encrypted: ENC[AES256_GCM,data:…,iv:…,tag:…,type:str].
func inCiphertext(s string, i int) bool {
	if i < 4 || s[i-1] != ':' || s[i-2] != 'a' && s[i-2] != 'v' && s[i-2] != 'g' {
		return false
	}
	before := s[max(0, i-maxCiphertext):i]
	k := strings.LastIndex(before, "ENC[")
	return k >= 0 && strings.IndexByte(before[k:], ']') < 0
}

const maxCiphertext = 4096

// headerName reports whether v is capitalized words, some with dashes between, as names of headers and commands are: X-Shopify-Access-Token,
// ConvertTo-SecureString.
func headerName(v string) bool {
	for i := 0; ; {
		word := ascii.Span(v, i, ascii.UpperCase)
		if end := ascii.Span(v, word, ascii.LowerCase); word == i || end-word < 2 && end < len(v) && v[end] != '-' {
			return false
		} else if i = end; i == len(v) {
			return true
		}
		if v[i] == '-' {
			i++
		}
	}
}

// hexGroups reports whether s is hexadecimal digits, in one piece or with dashes between.
func hexGroups(s string) bool {
	for i := range len(s) {
		if ascii.Class[s[i]]&ascii.HexDigit == 0 && s[i] != '-' {
			return false
		}
	}
	return true
}

// changes counts how often letters and digits take turns: seldom in job_1795144423722_0020, often in tokens.
func changes(s string) (n int) {
	for i := 1; i < len(s); i++ {
		if (ascii.Class[s[i]]^ascii.Class[s[i-1]])&ascii.Digit != 0 {
			n++
		}
	}
	return n + caseChanges(s)
}

const uuidLen = 36

// isUUID reports whether s ends in a UUID.
func isUUID(s string) bool {
	if len(s) < uuidLen {
		return false
	}
	s = s[len(s)-uuidLen:]
	return s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && ascii.Span(s, 0, ascii.HexDigit) == 8 && ascii.Span(s, 24, ascii.HexDigit) == 36
}

func dashes(s string) int { return strings.Count(s, "-") + strings.Count(s, "_") }

// announcement says what the words in front of a value, on its line, tell of it.
type announcement uint8

const (
	nowhere      announcement = iota
	elsewhere                 // a word such as commit says that it is something else
	keyRight                  // "key" stands right before it, and nothing tells what key it is
	vendorBefore              // a vendor of credentials is named near it
	before                    // a word such as token stands before it
	vendorRight               // the vendor's name stands right before it
	right                     // the word stands right before it
)

const (
	maxWordsBefore = 8
	wordsOfUUID    = 2 // the word right before it, and what "key" is about
	vendorWords    = 4 // a vendor's name further away has to do with something else
	otherWords     = 2 // what is told that far away is no reason to take a token for something else
	rightBefore    = 5 // bytes between a word and what it stands right before: `key": "`
)

// madeWords are what may stand between what a value is and the value.
var madeWords = set("created generated issued is minted")

// announced looks for the words in front of i, so many at most. The nearest word that says anything decides.
func (c *Context) announced(i, maxWords int) announcement {
	s := c.S
	floor := max(0, i-lookBack)
	j := i
	key := false // the word right before is "key": the one before that says what key it is
	made := -1   // the word that says that it has been made: API key created: ...
	said := nowhere
	for words := range maxWords {
		for j > floor && ascii.Class[s[j-1]]&ascii.Alpha == 0 {
			if s[j-1] == '\n' || s[j-1] == ']' || ascii.Class[s[j-1]]&ascii.Digit != 0 && i-j > 24 {
				return said
			}
			j--
		}
		end := j
		for j > floor && ascii.Class[s[j-1]]&ascii.Alpha != 0 {
			j--
			// The next word of a camel-cased name.
			if j > floor && ascii.Class[s[j]]&ascii.UpperCase != 0 && ascii.Class[s[j-1]]&ascii.LowerCase != 0 {
				break
			}
		}
		if end == j {
			break
		}
		if writtenBreak(s, j-1) { // the n of \n is no letter of the word, and what stands before is another line
			if j++; j == end {
				return said
			}
			floor = j
		}
		var buf [24]byte
		if end-j > len(buf) {
			if key {
				break
			}
			continue
		}
		capitals := 0
		for k := j; k < end; k++ {
			buf[k-j] = ascii.ToLower(s[k])
			if ascii.Class[s[k]]&ascii.UpperCase != 0 {
				capitals++
			}
		}
		if capitals > 1 && capitals < end-j && (end-j < 5 || c.span(j, ascii.UpperCase) != j+capitals) {
			continue // no word, but a piece of something random; APIKey is one
		}
		w := ascii.UnsafeString(buf[:end-j])
		adjacent := (words == 0 || words-1 == made) && i-end <= rightBefore
		if adjacent && madeWords[w] {
			i, made = j, words
			continue
		}
		kind := contextWords[w]
		switch {
		case key:
			if keyQualifierSet[w] || kind == vendorWord || kind == credentialWord {
				return right
			}
			if kind == otherWord || notSecretKeySet[w] {
				return elsewhere
			}
			return said
		case kind == credentialWord:
			if adjacent {
				return right
			}
			return before
		case kind == keyWord && adjacent:
			if capitals == end-j {
				return right // acme ACCESS 1a2b...
			}
			key, said = true, keyRight
		case kind == vendorWord && adjacent:
			return vendorRight
		case kind == vendorWord && words < vendorWords:
			said = vendorBefore // and perhaps a word before the name tells more
		case kind == otherWord && words < otherWords:
			return max(said, elsewhere)
		case kind == otherWord:
			return said
		}
	}
	return said
}

// operatorBefore reports whether the value at i is given to a name.
func (c *Context) operatorBefore(i int) bool {
	s := c.S
	for i > 0 && (ascii.Class[s[i-1]]&(ascii.Quote|ascii.Space) != 0 || s[i-1] == '\\') {
		i--
	}
	return ascii.At(s, i-1) == '=' || ascii.At(s, i-1) == ':' || ascii.At(s, i-1) == '>' && ascii.At(s, i-2) == '='
}

// assigned reports whether v, which starts at i, is the value of a name that does not say what it is, and so random that it
// is hardly anything else than a credential: letters of both cases and digits, or of one case and long.
func (c *Context) assigned(i int, v string, f *shape) bool {
	s := c.S
	letters := f.upper + f.lowers
	if letters+f.digits+f.dashes+strings.Count(v, "=") != len(v) {
		return false
	}
	switch {
	case f.digits < 2 || (f.changes+f.caseChanges)*3 < len(v) || entropy(v) < 3.5 || f.dashes > 2:
		return false
	case f.upper == 0 && len(v) < 24, f.upper > 0 && f.lowers > 0 && (f.upper < 3 || f.lowers < 3), f.lowers == 0 && (len(v) < 24 || isULID(v)):
		return false
	}
	j := i
	if !c.operatorBefore(i) {
		return false
	}
	for j > 0 && i-j < 12 && ascii.Class[s[j-1]]&ascii.Alnum == 0 && s[j-1] != '\n' {
		j--
	}
	name := j
	for name > 0 && j-name < maxNameBytes && ascii.Class[s[name-1]]&ascii.Ident != 0 {
		name--
	}
	if j-name == 1 && (s[name] == 'x' || s[name] == 'y' || s[name] == 'n') || isProse(v) {
		return false // a public key in JSON; words in base64
	}
	if name == j || ascii.At(s, name-1) == '&' || ascii.At(s, name-1) == '?' {
		return false // parameters of URLs are full of identifiers
	}
	var buf [maxName]byte
	var seg [maxSegments]string
	n := segments(s[name:j], &buf, &seg)
	for _, w := range seg[:n] {
		if otherContext[trimDigits(w)] || properties[trimDigits(w)] || notSecretKeySet[w] {
			return false
		}
	}
	return n > 0
}

// isProse reports whether v is base64 of words: printable, with blanks between.
func isProse(v string) bool {
	var in, buf [128]byte
	if len(v)%4 != 0 || len(v) > len(in) {
		return false
	}
	n, err := base64.StdEncoding.Decode(buf[:], in[:copy(in[:], v)])
	words := 1
	for _, b := range buf[:n] {
		if b == ' ' {
			words++
		} else if b < ' ' || b >= 0x7f {
			return false
		}
	}
	return err == nil && words > 2 && words*12 > n
}

// isULID reports whether s is an identifier that starts with its time: 26 characters of Crockford's base 32.
func isULID(s string) bool {
	return len(s) == 26 && s[0] == '0' && !strings.ContainsAny(s, "ILOU")
}

// idPrefix reports whether v is an identifier with a prefix that says what it identifies: cus_9s6XKzkNRiz8i3, chatcmpl-...
func idPrefix(v string) bool {
	word := ascii.Span(v, 0, ascii.Alpha)
	end := ascii.Span(v, word, ascii.Digit)
	if word == 0 || end > 16 || ascii.At(v, end) != '_' && ascii.At(v, end) != '-' {
		return false
	}
	w := ascii.LowerString(v[:word])
	return idPrefixes[w] || otherContext[w]
}

// secretTail returns where the credential starts in a run that names it itself, acme-secret-key-1a2b..., or 0.
func secretTail(v string) int {
	tries := 0
	for i := 3; i+minTail <= len(v) && tries < maxNames; i++ {
		if v[i] != '-' && v[i] != '_' {
			continue
		}
		word := i
		for word > 0 && ascii.Class[v[word-1]]&ascii.Alpha != 0 {
			word--
			if word > 0 && ascii.Class[v[word]]&ascii.UpperCase != 0 && ascii.Class[v[word-1]]&ascii.LowerCase != 0 {
				break
			}
		}
		if i-word < 3 || i-word > 16 {
			continue
		}
		if kind := contextWords[ascii.LowerString(v[word:i])]; kind != credentialWord && kind != keyWord {
			continue
		}
		tries++
		tail := v[i+1:]
		if dashes(tail) > 0 && !isUUID(tail) && !(len(tail) >= minGroups && evenGroups(tail)) {
			continue
		}
		if contextWords[asciiWord(v[word:i])] == keyWord && isHash(tail) {
			continue // the key of a cache
		}
		if Mixed(tail) && ascii.Span(tail, 0, ascii.Alnum|ascii.Ident) == len(tail) && entropy(tail) >= 2.5 {
			return i + 1
		}
	}
	return 0
}

// hashTail reports whether a hash stands behind the last separator of v.
func hashTail(v string) bool { return isHash(v[strings.LastIndexAny(v, "-_")+1:]) }

const (
	minTail   = 16
	maxNames  = 4 // words in one run that may name what comes after
	minGroups = 24
)

// evenGroups reports whether s is groups of four or more letters and digits with dashes between, most with a digit.
func evenGroups(s string) bool {
	groups, digits := 0, 0
	for i := 0; i < len(s); {
		end := ascii.Span(s, i, ascii.Alnum)
		if end-i < 4 || end < len(s) && s[end] != '-' {
			return false
		}
		groups++
		if ascii.Span(s, i, ascii.Alpha) < end {
			digits++
		}
		i = end + 1
	}
	return digits*4 >= groups*3
}

// prefixed reports whether v has the form that vendors give to tokens, though its prefix is not in the list: one to three short
// words, then characters as random as can be, or not quite as random after a word such as live or sk.
func prefixed(v string) bool {
	body, words, longest := 0, 0, 0
	marked, test := false, false
	for words < 4 {
		end := ascii.Span(v, body, ascii.LowerCase)
		if end == body {
			end = ascii.Span(v, body, ascii.UpperCase)
		}
		word := v[body:end]
		end = ascii.Span(v, end, ascii.Digit)
		if len(word) == 0 || end-body > 10 || ascii.At(v, end) != '_' && ascii.At(v, end) != '-' {
			break
		}
		longest = max(longest, len(word))
		w := ascii.LowerString(word)
		marked, test = marked || tokenMarks[w], test || tokenStages[w]
		body = end + 1
		words++
	}
	t := v[body:]
	if words == 0 || words > 3 || len(t) < 16 || isDate(t) {
		return false
	}
	f := shapeOf(t)
	letters := f.upper + f.lowers
	if letters+f.digits+f.dashes != len(t) {
		return false
	}
	turns := f.changes + f.caseChanges
	switch {
	case marked && f.dashes == 0 && f.caseChanges > 4 && entropy(t) >= 3:
		return true
	case f.digits < 2 || f.dashes*10 > len(t) || letters == 0 || entropy(t) < 3:
		return false
	case marked || test && !hexGroups(t):
		return f.digits*5 >= len(t) || turns > 3
	case longest < 3 || turns*3 < len(t) || hexGroups(t) || entropy(t) < 3.5:
		return false
	case f.upper > 2 && f.lowers > 2:
		return len(t) >= 20
	}
	return len(t) >= 24 && f.dashes == 0 && f.digits > 3 && !isULID(t)
}

// isDate reports whether s starts with a date of this century, in one piece.
func isDate(s string) bool {
	return len(s) >= 8 && s[:2] == "20" && ascii.Span(s[:8], 0, ascii.Digit) == 8
}

const (
	credentialWord uint8 = iota + 1
	vendorWord
	keyWord
	otherWord
)

// contextWords are the words of the sets, and the vendors' names. Where two have a word, the first one counts.
var contextWords = func() map[string]uint8 {
	m := map[string]uint8{}
	for kind, words := range []map[string]bool{otherContext, keyContext, vendorNames, credentialContext} {
		for w := range words {
			m[w] = otherWord - uint8(kind)
		}
	}
	return m
}()

var (
	// keyContext are the words that say it only right before the value.
	keyContext = set("key access private license licence")
	// tokenMarks are the words in the prefixes of tokens.
	tokenMarks  = set("live sk pk ak rk key token tok pat secret")
	tokenStages = set("test prod sandbox api oauth bot")
	// idPrefixes are the words in the prefixes of identifiers, besides otherContext.
	idPrefixes = set("cus ch evt pi re in sub si price prod acct card ba pm src seti req msg run thread asst chatcmpl cmpl resp batch file call toolu step " +
		"usr org team prj dpl dep env iss txn tx ord inv job task wf act att conv room chan grp evt ses sess cart cmt doc page blk pr ic")
	credentialContext = set("token apikey secret password passwd credential credentials creds bearer apitoken accesstoken authtoken secretkey accesskey " +
		"authkey privatekey pat jwt passphrase pwd")
	otherContext = set("commit sha md md5 hash digest checksum etag revision rev build image layer blob tree object id uuid guid request req trace " +
		"span correlation transaction txn session instance node pod container block fingerprint serial version path file url href " +
		"http https class thread method function module package info debug warn error warning notice integrity cursor offset " +
		"attempt job task application app volume snapshot host nonce salt public certificate cert agent h root parent event message " +
		"video playlist channel customer order user team project workspace org organization group cluster zone ray lease boot machine " +
		"invocation invoice payment charge intent subscription product shipment tracking receipt peer cid ulid")
)
