// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// Runs of token characters that have no form of their own: what the words around them, and their own looks, say of them.

// contextual examines a run that has no form of its own: it is redacted if it looks machine-made and the words before it are
// about credentials or name a vendor who hands out such tokens. Words such as commit or digest before it say that
// it is something else.
func (c *scan) contextual(start, end int) {
	s := c.s
	for end > start && s[end-1] == '=' && end < len(s) && class[s[end]]&isSpace == 0 {
		end--
	}
	v := s[start:end]
	if c.pairedSecret(start, v) || mailchimpKey(v) {
		c.add(ruleVendorToken, start, end)
		return
	}
	if strings.Count(v, "/")*12 > len(v) {
		return
	}
	if tail := secretTail(v); tail > 0 {
		c.add(ruleToken, start+tail, end)
		return
	}
	said := c.announced(start)
	if said != right && said != before && idPrefix(v) {
		return
	}
	if said == right && randomWord(v) || said != elsewhere && prefixed(v) {
		c.add(ruleToken, start, c.dottedEnd(end))
		return
	}
	if !tokenLike(v, minFreeText) {
		return
	}
	hex := hexGroups(v)
	if slash := strings.IndexByte(v, '/'); slash >= 12 {
		hex = hexGroups(v[:slash])
	}
	if !hex && entropy(v) < 3 {
		return
	}
	if c.w.e.rules[ruleHighEntropy].action != actionOff && !hex && entropy(v) >= 3.8 {
		c.add(ruleHighEntropy, start, end)
		return
	}
	grouped := dashes(v) > 3 && len(v) < 40 || isUUID(v)
	var secret bool
	switch said {
	case right:
		secret = true
	case before:
		secret = !grouped && (hex || changes(v) >= 4)
	case vendorRight:
		secret = hex && !grouped || !hex && changes(v) >= 4 || grouped && c.operatorBefore(start)
	case vendorBefore:
		secret = !grouped && (!hex && changes(v) >= 4 || hex && len(v) >= 32 && c.operatorBefore(start))
	case keyRight:
		secret = !hex && !grouped && changes(v) >= 4 && !strings.HasSuffix(v, "=")
	default:
		secret = !hex && !grouped && changes(v) >= 4 && c.assigned(start, v)
	}
	if secret {
		c.add(ruleToken, start, c.dottedEnd(end))
	}
}

const (
	awsSecretLen = 40
	pairDistance = 32
)

// pairedSecret reports whether v is the secret that follows an AWS access key id, with or without words between.
func (c *scan) pairedSecret(start int, v string) bool {
	if len(v) != awsSecretLen || len(c.spans) == 0 {
		return false
	}
	last := c.spans[len(c.spans)-1]
	return last.rule == ruleAWSKey && start > last.end && start-last.end <= pairDistance && tokenLike(v, awsSecretLen) && changes(v) > 7
}

// mailchimpKey reports whether v is 32 hexadecimal digits and the name of a data centre: -us12.
func mailchimpKey(v string) bool {
	return len(v) > 35 && len(v) < 38 && v[32:35] == "-us" && spanOf(v[:32], 0, isHexDigit) == 32 && spanOf(v, 35, isDigit) == len(v) && mixed(v[:32])
}

// dottedEnd returns the end of a token of which a part ends at i: parts as random follow behind dots.
func (c *scan) dottedEnd(i int) int {
	for at(c.s, i) == '.' || at(c.s, i) == '~' {
		end := spanOf(c.s, i+1, isRun)
		if part := c.s[i+1 : end]; len(part) < 4 || !mixed(part) && caseChanges(part) < 3 {
			break
		}
		i = end
	}
	return i
}

// hexGroups reports whether s is hexadecimal digits, in one piece or with dashes between.
func hexGroups(s string) bool {
	for i := range len(s) {
		if class[s[i]]&isHexDigit == 0 && s[i] != '-' {
			return false
		}
	}
	return true
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
	vendorWords    = 4 // a vendor's name further away has to do with something else
	otherWords     = 2 // what is told that far away is no reason to take a token for something else
	rightBefore    = 5 // bytes between a word and what it stands right before: `key": "`
)

// announced looks for the words in front of i. The nearest word that says anything decides.
func (c *scan) announced(i int) announcement {
	s := c.s
	floor := max(0, i-lookBack)
	j := i
	key := false // the word right before is "key": the one before that says what key it is
	said := nowhere
	for words := range maxWordsBefore {
		for j > floor && class[s[j-1]]&isAlpha == 0 {
			if s[j-1] == '\n' || s[j-1] == ']' || class[s[j-1]]&isDigit != 0 && i-j > 24 {
				return said
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
			break
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
			buf[k-j] = lower(s[k])
			if class[s[k]]&isUpper != 0 {
				capitals++
			}
		}
		if capitals > 1 && capitals < end-j && (end-j < 5 || spanOf(s, j, isUpper) != j+capitals) {
			continue // no word, but a piece of something random; APIKey is one
		}
		w := view(buf[:end-j])
		adjacent := words == 0 && i-end <= rightBefore
		switch {
		case key:
			if keyQualifiers[w] || vendorNames[w] || credentialContext[w] {
				return right
			}
			if notSecretKeys[w] || otherContext[w] {
				return elsewhere
			}
			return said
		case credentialContext[w]:
			if adjacent {
				return right
			}
			return before
		case adjacent && keyContext[w]:
			if capitals == end-j {
				return right // acme ACCESS 1a2b...
			}
			key, said = true, keyRight
		case vendorNames[w]:
			if adjacent {
				return vendorRight
			}
			if words < vendorWords {
				said = vendorBefore // and perhaps a word before the name tells more
			}
		case otherContext[w] && words < otherWords:
			return max(said, elsewhere)
		case otherContext[w]:
			return said
		}
	}
	return said
}

// operatorBefore reports whether the value at i is given to a name.
func (c *scan) operatorBefore(i int) bool {
	s := c.s
	for i > 0 && (class[s[i-1]]&(isQuote|isSpace) != 0 || s[i-1] == '\\') {
		i--
	}
	return at(s, i-1) == '=' || at(s, i-1) == ':' || at(s, i-1) == '>' && at(s, i-2) == '='
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
	case upper == 0 && len(v) < 24, upper > 0 && lowers > 0 && (upper < 3 || lowers < 3), lowers == 0 && (len(v) < 24 || isULID(v)):
		return false
	}
	j := i
	for is(s, j-1, isQuote) || at(s, j-1) == '\\' {
		j--
	}
	for j > 0 && i-j < 6 && s[j-1] == ' ' {
		j--
	}
	if !c.operatorBefore(i) {
		return false
	}
	for j > 0 && i-j < 12 && class[s[j-1]]&isAlnum == 0 && s[j-1] != '\n' {
		j--
	}
	name := j
	for name > 0 && j-name < maxNameBytes && class[s[name-1]]&isIdent != 0 {
		name--
	}
	if name == j || at(s, name-1) == '&' || at(s, name-1) == '?' {
		return false // parameters of URLs are full of identifiers
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

// isULID reports whether s is an identifier that starts with its time: 26 characters of Crockford's base 32.
func isULID(s string) bool {
	return len(s) == 26 && s[0] == '0' && !strings.ContainsAny(s, "ILOU")
}

// idPrefix reports whether v is an identifier with a prefix that says what it identifies: cus_9s6XKzkNRiz8i3, chatcmpl-...
func idPrefix(v string) bool {
	word := spanOf(v, 0, isAlpha)
	end := spanOf(v, word, isDigit)
	if word == 0 || end > 16 || at(v, end) != '_' && at(v, end) != '-' {
		return false
	}
	w := asciiLower(v[:word])
	return idPrefixes[w] || otherContext[w]
}

// secretTail returns where the credential starts in a run that names it itself, acme-secret-key-1a2b..., or 0.
func secretTail(v string) int {
	if len(v) > maxNamed {
		return 0
	}
	for i := 3; i+minTail <= len(v); i++ {
		if v[i] != '-' && v[i] != '_' {
			continue
		}
		word := i
		for word > 0 && class[v[word-1]]&isAlpha != 0 {
			word--
			if word > 0 && class[v[word]]&isUpper != 0 && class[v[word-1]]&isLower != 0 {
				break
			}
		}
		if i-word < 3 || i-word > 16 {
			continue
		}
		w := asciiLower(v[word:i])
		if !credentialContext[w] && !keyContext[w] || w == "keys" {
			continue
		}
		tail := v[i+1:]
		if dashes(tail) > 0 && !isUUID(tail) && !(len(tail) >= minGroups && evenGroups(tail)) {
			continue
		}
		if mixed(tail) && spanOf(tail, 0, isAlnum|isIdent) == len(tail) && entropy(tail) >= 2.5 {
			return i + 1
		}
	}
	return 0
}

const (
	minTail   = 16
	maxNamed  = 256 // a run that names its credential is no longer
	minGroups = 24
)

// evenGroups reports whether s is groups of four or more letters and digits with dashes between, most with a digit.
func evenGroups(s string) bool {
	groups, digits := 0, 0
	for i := 0; i < len(s); {
		end := spanOf(s, i, isAlnum)
		if end-i < 4 || end < len(s) && s[end] != '-' {
			return false
		}
		groups++
		if spanOf(s, i, isAlpha) < end {
			digits++
		}
		i = end + 1
	}
	return digits*4 >= groups*3
}

// randomWord reports whether v, which a word right before it calls a credential, is one in spite of its regular looks: one piece
// of letters and digits, and no word.
func randomWord(v string) bool {
	if len(v) < minFreeText || spanOf(v, 0, isAlnum) < len(v) {
		return false
	}
	return mixed(v) || distinct(v) >= 16 && !camelWords(v)
}

// distinct counts the different bytes of s.
func distinct(s string) (n int) {
	var seen [256]bool
	for i := range len(s) {
		if !seen[s[i]] {
			seen[s[i]] = true
			n++
		}
	}
	return n
}

// prefixed reports whether v has the form that vendors give to tokens, though its prefix is not in the list: one to three short
// words, then characters as random as can be, or not quite as random after a word such as live or sk.
func prefixed(v string) bool {
	body, words, letters := 0, 0, 0
	marked, test := false, false
	for words < 4 {
		end := spanOf(v, body, isLower)
		if end == body {
			end = spanOf(v, body, isUpper)
		}
		word := v[body:end]
		end = spanOf(v, end, isDigit)
		if len(word) == 0 || end-body > 10 || at(v, end) != '_' && at(v, end) != '-' {
			break
		}
		letters = max(letters, len(word))
		w := asciiLower(word)
		marked, test = marked || tokenMarks[w], test || tokenStages[w]
		body = end + 1
		words++
	}
	t := v[body:]
	if words == 0 || words > 3 || len(t) < 16 || isDate(t) {
		return false
	}
	var upper, lowers, digits, other int
	for i := range len(t) {
		switch cl := class[t[i]]; {
		case cl&isUpper != 0:
			upper++
		case cl&isLower != 0:
			lowers++
		case cl&isDigit != 0:
			digits++
		case t[i] == '_' || t[i] == '-':
			other++
		default:
			return false
		}
	}
	switch {
	case marked && other == 0 && caseChanges(t) > 4 && entropy(t) >= 3:
		return true
	case digits < 2 || other*10 > len(t) || upper+lowers == 0 || entropy(t) < 3:
		return false
	case marked || test && !hexGroups(t):
		return digits*5 >= len(t) || changes(t) > 3
	case letters < 3 || changes(t)*3 < len(t) || hexGroups(t) || entropy(t) < 3.5:
		return false
	case upper > 2 && lowers > 2:
		return len(t) >= 20
	}
	return len(t) >= 24 && other == 0 && digits > 3 && !isULID(t)
}

// isDate reports whether s starts with a date of this century, in one piece.
func isDate(s string) bool {
	return len(s) >= 8 && s[:2] == "20" && spanOf(s[:8], 0, isDigit) == 8
}

var (
	// keyContext are the words that say it only right before the value.
	keyContext = set("key keys access private license licence")
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
