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
		{Extra: 32, At: literals("jdbc:oracle:"), Find: detectOracleDSN},
		atSigns,
	},
	Gone: []Example{
		{"eve:hunter2@tcp(db:3306)/shop", "hunter2"},
		{"jdbc:oracle:thin:eve/hunter2@db:1521:x", "hunter2"},
		{"redis://:hunter2@db:6379/0", "hunter2"},
		{"https://bob:p@ss1x@host/path", "p@ss1x"},
		{"postgres://bob:hun/ter2x@db.example/x", "ter2x"},
		{"open bob:hunter2x@(db:3306)/d", "hunter2x"},
		{"proxy bob:hunter2x@10.0.0.1:3128 refused", "hunter2x"},
	},
	Stay:        []string{"spark://CoarseGrainedScheduler@10.10.34.11:48069", "https://example.com:8443/a@b", "see http://h:8080 and mail bob@x", "nginx:1.25@sha256:5c1a8a7e3f9a79b7", "12:30:45@node1:99"},
	Takes:       "passwords in URLs and DSNs, with or without a scheme (`user:x@tcp(db:3306)/d`, `user:x@proxy:3128`, `connect user/x@db`); a token in the place of the user",
	ValidatedBy: "up to the last `@` of the authority; behind a blank, quote, `/` or `<` in a password a host must follow",
	Misses:      "a `/` in a password of a URL with a dotted user name",
	Source:      "RFC 3986, 3.2.1",
})

// urlMemo is up to where the path of an address is no credential, up to where there is no at sign after an address, and the last at sign
// before which there is no colon in its word, with where that starts.
type urlMemo struct{ plainPath, noSign, sign, word int }

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
		if ascii.At(s, end) == '\\' && ascii.Is(s, end+1, ascii.Alpha) && strings.IndexByte("nrt", s[end+1]) < 0 && c.span(start, ascii.Alnum|ascii.Ident) == end {
			end++ // smb://CORP\bob:password@host
		}
	}
	c.look(end - start)
	if at < 0 && end < len(s) {
		if s[end] == '/' || s[end] == '#' || s[end] == '?' {
			at = c.slashInPassword(start, end)
		} else {
			at = unusualPassword(s, start, end)
		}
	}
	if at < 0 {
		return 0
	}
	c.Charge(costOfValue)
	c.weigh(at - start)
	pass := strings.IndexByte(s[start:at], ':')
	if pass < 0 {
		if at-start >= 16 && Mixed(s[start:at]) && tokenLike(s[start:at], 16) {
			c.Offer(ruleURLCredentials, start, at)
			return at + 1
		}
		if scheme := previousScheme(s, i); tokenSchemes[scheme] && at > start {
			c.Offer(ruleURLCredentials, start, at)
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

// tokenSchemes are those of addresses with a secret in the place of a user.
var tokenSchemes = set("trojan trojan-go hysteria2 hy2 anytls ss vless")

// previousScheme returns the scheme before the colon at i.
func previousScheme(s string, i int) string {
	from := i
	for from > 0 && i-from < 16 && (ascii.Class[s[from-1]]&ascii.Alnum != 0 || s[from-1] == '-') {
		from--
	}
	return asciiWord(s[from:i])
}

// slashInPassword finds the at sign of user:pa/ss@host: the text before the slash must not be host:port, and what follows
// the at sign must look like a host.
func (c *Context) slashInPassword(start, end int) int {
	s := c.S
	colon := strings.IndexByte(s[start:end], ':')
	if colon < 0 || s[start] == '[' || colon == 0 && end == start+1 || ascii.Span(s, start+colon+1, ascii.Digit) == end && (end > start+colon+1 || s[end] == '/') || strings.IndexByte(s[start:start+colon], '.') >= 0 {
		return -1
	}
	// What has been looked through for another address is not looked through again.
	k := max(end, c.memo.url.noSign)
	for k < len(s) && k-end < 64 && (s[k] != '@' || strings.IndexByte("!$%*^&@", ascii.At(s, k+1)) >= 0) && ascii.Class[s[k]]&(ascii.Space|ascii.Quote) == 0 && s[k] != '<' && s[k] != '>' && s[k] != '&' {
		k++
	}
	c.memo.url.noSign = k
	if ascii.At(s, k) == '@' && k-end < 64 && (ascii.Is(s, k+1, ascii.Alnum) || ascii.At(s, k+1) == '[') {
		return k
	}
	return -1
}

const (
	maxUnusual  = 48 // bytes of a password from the first unusual one on
	maxUnquoted = 2  // blanks in it
)

// unusualPassword finds the at sign of user:pa'ss@host, where the password holds what ends addresses in text: a blank, a quote, an angle
// bracket, a backslash. The first of these is at end. What stands before it must be no host and port, and a host must follow.
func unusualPassword(s string, start, end int) int {
	colon := strings.IndexByte(s[start:end], ':')
	if colon < 0 || strings.IndexByte(s[start:start+colon], '.') >= 0 {
		return -1
	}
	pass := start + colon + 1
	if end > pass && ascii.Span(s, pass, ascii.Digit) == end && (s[end] == ' ' || !ascii.Is(s, end+1, ascii.Alnum)) {
		return -1
	}
	spaces := 0
	for k := end; k < len(s) && k-end < maxUnusual; k++ {
		switch b := s[k]; {
		case b == '@' && strings.IndexByte("!$%*^&@", ascii.At(s, k+1)) >= 0:
		case b == '@':
			host := ascii.Span(s, k+1, ascii.Ident)
			if (host == k+1 || !ascii.Is(s, k+1, ascii.Alnum) || host < len(s) && strings.IndexByte(":/?,'\")> ", s[host]) < 0) && ascii.At(s, k+1) != '[' {
				return -1
			}
			if spaces > 0 && !Mixed(s[pass:k]) {
				return -1
			}
			return k
		case b == ' ':
			if spaces++; spaces > maxUnquoted {
				return -1
			}
		case b < ' ' || b == ':' && ascii.At(s, k+1) == '/' || b == '\\' && strings.IndexByte("nru", ascii.At(s, k+1)) >= 0 && !random(s, k+2):
			return -1
		case ascii.Class[b]&ascii.Quote != 0 && !ascii.Is(s, k+1, ascii.Alnum|ascii.Quote) && strings.IndexByte("@!#$%^*_-+=.<", ascii.At(s, k+1)) < 0:
			return -1 // the quote that ends it all
		}
	}
	return -1
}

// credentialsBefore offers the password before the at sign at i of what is no URL: user:password@tcp(host)/database as drivers of Go take it,
// user:password@/database, user:password@host:port, user/password@database of Oracle. It returns where that ends, or 0.
func (c *Context) credentialsBefore(i int) int {
	s := c.S
	// In a word with several at signs, what stands before one is looked through once.
	word, known, m := i, 0, &c.memo.url
	floor := max(c.taken, i-maxNameBytes*2)
	for word > floor && ascii.Class[s[word-1]]&ascii.Space == 0 {
		if word--; word == m.sign {
			word, known = max(floor, m.word), word
			break
		}
	}
	c.look(i - max(word, known))
	next := ascii.At(s, i+1)
	if next == '/' && ascii.At(s, i+2) == '/' && ascii.Is(s, i+3, ascii.Alnum) { // user/password@//host:1521/database
		user := ascii.Span(s, word, ascii.Alnum)
		if ascii.At(s, user) == '/' && user > word && user+1 < i && Mixed(s[user+1:i]) && !strings.ContainsAny(s[user+1:i], "/:") {
			return c.offerLogin(user+1, i)
		}
	}
	if next == '/' || ascii.Is(s, i+1, ascii.Alnum) {
		if slash := strings.IndexByte(s[word:i], '/'); slash >= 0 {
			if from := oracleLogin(s, word, word+slash, i); from > 0 {
				return c.offerLogin(from, i)
			}
		}
	}
	colon, user := -1, 0
	for k := max(word, known); k < i; k++ {
		if s[k] == ':' && ascii.Is(s, k-1, ascii.Ident) && k > word {
			for colon, user = k, k; user > word && ascii.Class[s[user-1]]&ascii.Ident != 0; {
				user--
			}
			break
		}
	}
	if colon < 0 {
		m.word, m.sign = word, i
	}
	if colon < 0 || colon+1 == i {
		return 0
	}
	end := c.span(i+1, ascii.Ident|ascii.Run)
	password := s[colon+1 : i]
	strong := len(password) >= 6 && Mixed(password) && ascii.Is(s, user, ascii.Alpha) && strings.IndexByte(password, '/') < 0
	switch {
	case ascii.At(s, end) == '(' && end-i < 24:
		if end == i+1 && (!ascii.Is(s, i+2, ascii.Alnum) && ascii.At(s, i+2) != '[' && ascii.At(s, i+2) != '/' || strings.IndexByte(s[i:min(len(s), i+maxNameBytes)], ':') < 0) {
			return 0 // no address in the parentheses
		}
	case next == '/' && ascii.Is(s, i+2, ascii.Alnum):
		if !strong {
			return 0
		}
	case ascii.At(s, user-1) == '/' && ascii.At(s, user-2) == '/' && ascii.Is(s, i+1, ascii.Alnum):
	case ascii.At(s, user-1) == '/' && strong && ascii.HasSuffixFold(s, previousWordEnd(s, word), ".py"):
		// A tool of Impacket: secretsdump.py corp/eve:x@host
	case ascii.Is(s, i+1, ascii.Alnum) && !ascii.HasPrefixFold(s, i+1, "sha"):
		host := c.span(i+1, ascii.Ident)
		port := ascii.Span(s, host+1, ascii.Digit)
		if ascii.At(s, host) != ':' || port-host < 3 || port-host > 6 || ascii.Is(s, port, ascii.Alnum) || !strong {
			return 0
		}
	default:
		return 0
	}
	return c.offerLogin(colon+1, i)
}

// previousWordEnd returns the end of the word before i, between which and i there are blanks.
func previousWordEnd(s string, i int) int {
	for i > 0 && (s[i-1] == ' ' || ascii.Class[s[i-1]]&ascii.Quote != 0) {
		i--
	}
	return i
}

// offerLogin offers the password s[from:at].
func (c *Context) offerLogin(from, at int) int {
	if variable(c.S[from:at]) {
		return 0
	}
	c.Offer(ruleURLCredentials, from, at)
	return at + 1
}

// oracleLogin returns where the password of user/password@database starts, if what stands before the word tells that it is one, or 0.
func oracleLogin(s string, word, slash, at int) int {
	user := slash
	for user > word && ascii.Class[s[user-1]]&ascii.Ident != 0 {
		user--
	}
	before := user
	for before > 0 && (ascii.Class[s[before-1]]&ascii.Quote != 0 || s[before-1] == '(' || s[before-1] == ' ' || s[before-1] == '=') && user-before < 4 {
		before--
	}
	if user == slash || before == user || !ascii.Is(s, user, ascii.Alpha) {
		return 0
	}
	for _, w := range []string{"connect", "conn", "userid", "logon", "target", "catalog", "auxiliary"} {
		if ascii.HasSuffixFold(s, before, w) && at > slash+1 && (w == "userid" || Mixed(s[slash+1:at])) {
			return slash + 1
		}
	}
	name := before
	for name > 0 && before-name < maxNameBytes && ascii.Class[s[name-1]]&ascii.Ident != 0 {
		name--
	}
	if cl := clientNamed(s[name:before]); cl == oracleClient() && cl != nil && Mixed(s[slash+1:at]) {
		return slash + 1
	}
	return 0
}

// detectOracleDSN examines jdbc:oracle:thin:user/password@host.
func detectOracleDSN(c *Context, _ ID, i int) int {
	s := c.S
	end := i
	for end < len(s) && end-i < maxNameBytes*4 && ascii.Class[s[end]]&ascii.Space == 0 {
		end++
	}
	slash := strings.IndexByte(s[i:end], '/')
	at := strings.LastIndexByte(s[i:end], '@')
	if slash < 0 || at < slash+2 {
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
