// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// HTTP headers and command-line flags that carry credentials.

// schemes of the Authorization header whose credentials are one word.
var schemes = set("basic bearer token negotiate ntlm apikey api-key api-token bot key ssws jwt oauth2 pat splunk genie-key nvidia flyv1 dpop " +
	"digest-token gitlab snyk")

// parameters are the schemes whose credentials are a list of parameters.
var parameters = set("digest oauth aws4-hmac-sha256 hawk signature hmac mac sharedkey sharedkeylite credential")

// authorization examines the value of an Authorization header whose name ends at end. The scheme stays.
func (c *scan) authorization(end int) int {
	s := c.s
	i := end
	for i < len(s) && i-end < 8 && (s[i] == '\\' || class[s[i]]&isQuote != 0 || s[i] == ']') {
		i++
	}
	for at(s, i) == ' ' {
		i++
	}
	op := operator(s, i)
	if op == 0 && at(s, i) != ',' {
		return 0
	}
	i = spanOf(s, i+max(op, 1), isSpace)
	var limit int
	inQuotes := is(s, i, isQuote) || at(s, i) == '\\' && is(s, i+1, isQuote)
	if at(s, i) == '[' {
		// A list of values: {"authorization":["Bearer x"]}
		i++
		inQuotes = is(s, i, isQuote)
	}
	if inQuotes {
		v, ok := quotedValue(s, i)
		if !ok {
			return 0
		}
		i, limit = v.start, v.end
	} else {
		// Inside the quotes of a command line, -H 'Authorization: ...', the closing quote ends it.
		limit = c.quoteOrEnd(i)
	}
	word := i
	for word < limit && class[s[word]]&isSpace == 0 {
		word++
	}
	scheme := asciiLower(s[i:min(word, i+24)])
	next := word
	for next < limit && s[next] == ' ' {
		next++
	}
	switch {
	case parameters[scheme] && next < limit:
		if !inQuotes {
			limit = lineEnd(s, next)
		}
		c.add(ruleAuthorization, next, limit)
		return limit
	case schemes[scheme] && next < limit:
		i = next
		word = next
		for word < limit && class[s[word]]&isSpace == 0 {
			word++
		}
	case inQuotes:
		word = limit
	case len(s[i:word]) < 8 || !mixed(s[i:word]):
		// Prose: "Authorization: denied".
		return 0
	}
	if word <= i || placeholder(s[i:word]) {
		return 0
	}
	for word > i && (s[word-1] == ',' || s[word-1] == ';') {
		word--
	}
	c.add(ruleAuthorization, i, word)
	return word
}

func lineEnd(s string, i int) int {
	if k := strings.IndexAny(s[i:], "\r\n"); k >= 0 {
		return i + k
	}
	return len(s)
}

// bearer examines what follows the word Bearer, which ends at end, outside of a header.
func (c *scan) bearer(end int) int {
	s := c.s
	i := end
	if at(s, i) == ':' || at(s, i) == '=' {
		i++
	}
	for at(s, i) == ' ' || at(s, i) == '\\' || at(s, i) == '"' {
		i++
	}
	if i == end {
		return 0
	}
	v := unquotedEnd(s, i)
	if v-i < 8 || placeholder(s[i:v]) || isPair(s[i:v]) || !mixed(s[i:v]) && !strange(s[i:v]) && !tokenLike(s[i:v], 16) {
		return 0
	}
	c.add(ruleAuthorization, i, v)
	return v
}

// strange reports whether s holds a byte beyond ASCII.
func strange(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return true
		}
	}
	return false
}

// detectCookie examines a Cookie header: every value of it, and of Set-Cookie the first.
func detectCookie(c *scan, i int) int {
	s := c.s
	if i < c.identEnd {
		return 0
	}
	start := i
	for start > c.taken && i-start < 32 && class[s[start-1]]&isIdent != 0 {
		start--
	}
	end := spanOf(s, i, isIdent)
	c.identEnd = end
	name := s[start:end]
	isSet := containsFold(name, "set")
	if len(name) > 32 || !(foldSuffix(name, len(name), "cookie") || foldSuffix(name, len(name), "cookies")) {
		return 0
	}
	v, ok := c.findValue(start, end, verdict{ruleCookie, medium})
	if !ok {
		return 0
	}
	if v.ctx == quoted {
		stop := v.end
		if k := strings.IndexByte(s[v.start:v.end], ';'); isSet && k >= 0 {
			stop = v.start + k
		}
		if eq := strings.IndexByte(s[v.start:stop], '='); eq > 0 && isSet {
			v.start += eq + 1
		}
		if len(s[v.start:stop]) < 4 || placeholder(s[v.start:stop]) {
			return 0
		}
		c.add(ruleCookie, v.start, stop)
		return stop
	}
	// name=value; name=value
	j := v.start
	last := 0
	for j < len(s) {
		eq := j
		for eq < len(s) && eq-j < 128 && s[eq] > ' ' && strings.IndexByte("=;,\"'<>(){}[]", s[eq]) < 0 {
			eq++
		}
		if eq == j || at(s, eq) != '=' {
			break
		}
		end := eq + 1
		for end < len(s) && s[end] > ' ' && strings.IndexByte(";\"'", s[end]) < 0 {
			end++
		}
		if end > eq+1 && !cookieAttribute[asciiLower(s[j:eq])] {
			c.add(ruleCookie, eq+1, end)
			last = end
		}
		if isSet && last > 0 || at(s, end) != ';' {
			break
		}
		j = end + 1
		for at(s, j) == ' ' {
			j++
		}
	}
	if last == 0 && v.ctx == tight && secretValue(s[v.start:v.end], verdict{ruleCookie, medium}, tight) && tokenLike(s[v.start:v.end], 12) {
		c.add(ruleCookie, v.start, v.end)
		return v.end
	}
	return last
}

var cookieAttribute = set("path domain expires max-age samesite version")

// detectCurl notes an HTTP client that takes -u.
func detectCurl(c *scan, i int) int {
	c.curl = i
	return 0
}

// detectClient notes a client that takes -p or -a, and examines -w of ldapsearch.
func detectClient(c *scan, i int) int {
	s := c.s
	c.client = i
	if foldPrefix(s, i, "ldap") {
		command := s[i:min(len(s), i+maxCommand)]
		if w := strings.Index(command, " -w "); w >= 0 && w < lineEnd(command, 0) {
			return c.flagValue(i + w + len(" -w "))
		}
	}
	return 0
}

// quoteOrEnd returns the place of the first quote or line end from i on.
func (c *scan) quoteOrEnd(i int) int {
	if i < c.quoteFrom || i > c.quoteTo {
		c.quoteFrom, c.quoteTo = i, len(c.s)
		if k := strings.IndexAny(c.s[i:], "\r\n\"'`"); k >= 0 {
			c.quoteTo = i + k
		}
	}
	return c.quoteTo
}

// detectUserFlag examines -u user:password and --user user:password of curl: the password is redacted, and the user
// where it is the only one of the two.
func detectUserFlag(c *scan, i int) int {
	s := c.s
	if c.curl < 0 {
		return 0
	}
	j := i
	for at(s, j) == ' ' || at(s, j) == '-' {
		j++
	}
	word := spanOf(s, j, isIdent)
	if at(s, i) != '-' && word-j != 1 && !foldPrefix(s, j, "user") {
		if at(s, i) == ' ' && word-j > 1 && !is(s, i-1, isAlnum) {
			word = j + 1 // -uuser:password
		} else {
			return 0
		}
	}
	j = word
	if at(s, j) == '=' {
		j++
	}
	j = spanOf(s, j, isSpace)
	start := j
	end := shellWordEnd(s, j)
	k := strings.IndexByte(s[start:end], ':')
	if k < 0 {
		return 0
	}
	k += start
	pass, passEnd := k+1, end
	for pass < passEnd && class[s[pass]]&isQuote != 0 {
		pass++
	}
	for passEnd > pass && class[s[passEnd-1]]&isQuote != 0 {
		passEnd--
	}
	user := strings.Trim(s[start:k], "\"'`")
	switch {
	case pass == passEnd && user != "" && !placeholder(user) && len(user) >= 8 && mixed(user):
		u := start + strings.Index(s[start:k], user)
		c.add(rulePassword, u, u+len(user))
	case pass < passEnd && !placeholder(s[pass:passEnd]) && at(s, pass) != '$' && at(s, pass) != '<':
		c.add(rulePassword, pass, passEnd)
	default:
		return 0
	}
	return end
}

// shellWordEnd returns the end of the shell word at i, with its quotes.
func shellWordEnd(s string, i int) int {
	var q byte
	for ; i < len(s); i++ {
		switch {
		case q != 0:
			if s[i] == q {
				q = 0
			} else if s[i] == '\n' {
				return i
			}
		case class[s[i]]&isQuote != 0:
			q = s[i]
		case class[s[i]]&isSpace != 0:
			return i
		}
	}
	return i
}

// Clients that take a password in -p, joined to it or not, and in -a.
var passwordClients = []string{
	"mysql", "mariadb", "sshpass", "mongo", "docker login", "podman login", "redis-cli", "ldapsearch", "sqlcmd",
}

const maxCommand = 96 // bytes from a client's name to its password

// detectPasswordFlag examines -p password and -ppassword of clients that take one.
func detectPasswordFlag(c *scan, i int) int {
	s := c.s
	if c.client < 0 || i-c.client > maxCommand || strings.ContainsAny(s[c.client:i], "\n|;") || s[i+2] == 'P' ||
		(lower(s[i+2]) == 'a') != foldPrefix(s, c.client, "redis-cli") {
		return 0
	}
	j := i + 3
	if at(s, j) == ' ' {
		j++
	}
	return c.flagValue(j)
}

// flagValue examines the password of a flag: the shell word at j.
func (c *scan) flagValue(j int) int {
	s := c.s
	end := shellWordEnd(s, j)
	for j < end && class[s[j]]&isQuote != 0 {
		j++
	}
	e := end
	for e > j && class[s[e-1]]&isQuote != 0 {
		e--
	}
	if e == j || s[j] == '-' || placeholder(s[j:e]) {
		return 0
	}
	c.add(rulePassword, j, e)
	return end
}
