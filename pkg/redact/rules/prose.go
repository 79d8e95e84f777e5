// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Values behind a name and some words, without an operator: in sentences, tables and directives.

// proseWords are the words between a name and its value in sentences; those that lead to it are in leadingWords.
var (
	proseWords   = newWords("is was has been set changed reset updated now being currently from to will be for user new equals equal lautet ist es est è er är jest as defined configured given")
	leadingWords = newWords("is was to from now be equals lautet ist es est è er är jest as")
)

const (
	keyOf256Bits  = 44 // characters of base64
	maxProseWords = 7
	maxProseBytes = 64
)

// proseValue finds the value of a name in a sentence or a table: the password is x, password set to 'x', SET PASSWORD FOR u = 'x',
// password | x. The name is s[start:i], and j is behind the blanks.
func (c *Context) proseValue(start, i, j int, vd Verdict) (value, bool) {
	s := c.S
	c.Charge(costOfValue)
	if k := wordOperator(s, j); k > 0 {
		return c.valueAt(k, tight)
	}
	if v, ok := c.directive(start, i, j, vd); ok {
		return v, ok
	}
	if v, ok := c.unmarkedValue(start, i, j); ok {
		return v, ok
	}
	if v, ok := c.labelled(start); ok {
		return v, ok
	}
	if vd.Rule == ruleSecret && vd.Strength == Medium && ascii.Is(s, j, ascii.Alpha) {
		// credentials bob:x
		if whole := (value{j, c.bareEnd(j), prose}); passwordOf(s, whole) != whole {
			v := passwordOf(s, whole)
			v.ctx = quoted
			return v, true
		}
	}
	if k := ascii.Span(s, j, ascii.UpperCase|ascii.Digit|ascii.Ident); vd.Rule == ruleOneTimeCode && vd.Strength == Hard && groupsOfCapitals(s[j:k]) {
		return value{j, k, quoted}, true // invite code A7F3-K9Q2
	}
	if (vd.Rule == ruleCardCode || vd.Rule == ruleOneTimeCode) && ascii.Is(s, j, ascii.Digit) {
		// Written for people: cvv 737. What digits there must be, secretValue knows.
		return c.valueAt(j, prose)
	}
	if k := c.span(j, ascii.Run); vd.Rule == ruleAPIKey && k-j == keyOf256Bits && s[k-1] == '=' && tokenLike(s[j:k], keyOf256Bits) {
		return value{j, k, quoted}, true // wg set wg0 peer x preshared-key y
	}
	if open := ascii.At(s, j); open == '[' || open == '<' {
		// Password [x] accepted
		end := j + 1
		for end < len(s) && end-j < maxNameBytes && s[end] > ' ' && ascii.Class[s[end]]&ascii.Quote == 0 && s[end] != open && s[end] != open+2 {
			end++
		}
		if ascii.At(s, end) == open+2 && Mixed(s[j+1:end]) && ascii.At(s, end+1) != '=' {
			return value{j + 1, end, prose}, true
		}
		return value{}, false
	}
	if ascii.Is(s, j, ascii.Alpha) && j == i+1 {
		// A declaration with a type: var apiToken string = "..."
		k := j
		for k < len(s) && k-j < 16 && (ascii.Class[s[k]]&ascii.Alnum != 0 || s[k] == '*' || s[k] == '&') {
			k++
		}
		if k > j && ascii.At(s, k) == ' ' {
			if op := operator(s, k+1); op > 0 && ascii.At(s, k+1) != ':' || op == 2 {
				if q := ascii.Span(s, k+1+op, ascii.Space); ascii.Is(s, q, ascii.Quote) {
					return c.quotedValue(q)
				}
			}
		}
	}
	if ascii.Is(s, j, ascii.Alpha) {
		return c.sentence(j)
	}
	// token - "...", API key | ..., key "...", (:password . "...")
	k := j
	if s[k-1] == ' ' && strings.IndexByte("-|.", ascii.At(s, k)) >= 0 {
		k = ascii.Span(s, k+1, ascii.Space)
	}
	if k = c.unwrap(k); ascii.At(s, j) == '|' && inActions(s, start) {
		return value{}, false // {{ .Values.password | quote }}
	}
	if ascii.Is(s, k, ascii.Quote) || k > j && ascii.At(s, j) == '|' {
		v, ok := c.valueAt(k, colon)
		v.ctx = colon
		return v, ok
	}
	return value{}, false
}

// inActions reports whether i is within {{ and }}.
func inActions(s string, i int) bool {
	if !strings.Contains(s[i:min(len(s), i+maxReference)], "}}") {
		return false
	}
	before := s[max(0, i-maxReference):i]
	open := strings.LastIndex(before, "{{")
	return open > strings.LastIndex(before, "}}") && !strings.ContainsAny(before[open:], "\"'")
}

// directives are names that blanks alone separate from their values, in the configuration of Redis, OpenLDAP, keepalived, Net-SNMP.
var directives = newWords("reset-admin-password bindpw rootpw requirepass masterauth auth_pass auth-pass rcon_password rocommunity rwcommunity trapcommunity wpa_passphrase psk primaryauth tlspskvalue bind_pw bind-pw password-encrypt")

// directive finds the value of a name in a configuration without operators: requirepass x, or a line that is password x. The name is
// s[start:i], and j is behind the blanks.
func (c *Context) directive(start, i, j int, vd Verdict) (value, bool) {
	s := c.S
	login := vd.Strength == Hard && loginBefore(s, start)
	known := login || in(directives, s[start:i])
	if !known && (vd.Strength < Hard || !startsLine(s, start) && strings.IndexByte(s[start:i], '_') < 0 && !camelDirective(s, start, i) && !userBefore(s, start) && !ascii.HasSuffixFold(s, start, "d-i passwd/") && !ascii.HasSuffixFold(s, start, "d-i ")) {
		return value{}, false
	}
	for range 2 { // rootpw --iscrypted x, d-i passwd/root-password password x
		if word := ascii.Span(s, j, ascii.Ident); ascii.At(s, word) == ' ' && (ascii.HasPrefixFold(s, j, "--") || ascii.HasPrefixFold(s, j, "password ") && strings.IndexByte(s[max(0, start-1):i], '/') >= 0) {
			j = blanks(s, word)
		}
	}
	if known && ascii.EqualFold(s[start:i], "auth-pass") { // sentinel auth-pass NAME x
		if end := c.span(j, ascii.Ident); ascii.At(s, end) == ' ' && ascii.Is(s, end+1, ascii.Alnum) {
			j = end + 1
		}
	}
	v, ok := c.valueAt(j, tight)
	if !ok || !known && !c.restOfLine(v) {
		return value{}, false
	}
	if v.ctx != quoted && !ascii.Is(s, v.start, ascii.Alnum) && s[v.start] != '{' && (s[v.start] != '$' || strings.Count(s[v.start:v.end], "$") < 3) || known && placeholder(s[v.start:v.end]) {
		return value{}, false
	}
	if word := s[v.start:v.end]; known && v.ctx != quoted && (starts[asciiWord(word)] || !login && inProse(s, v)) {
		return value{}, false
	}
	return v, true
}

// camelDirective reports whether the name is one as programs have in their configuration, several words with capitals: AuthLDAPBindPassword.
func camelDirective(s string, start, end int) bool {
	verb := asciiWord(s[start:ascii.Span(s[:end], start+1, ascii.LowerCase)])
	return ascii.Is(s, start, ascii.UpperCase) && caseChanges(s[start:end]) >= 3 && ascii.Is(s, start-1, ascii.Space) && !takesPassword(s[start:end]) && !otherVerbs[verb]
}

// otherVerbs begin the names of functions that do something about a password.
var otherVerbs = set("get reset forgot create generate invalid missing read load store save delete remove expire send request on is has")

// userWords are what stands before the name of a user in configuration.
var userWords = set("user username account login-user userid")

// userBefore reports whether a user stands before the name at start: user bob password x.
func userBefore(s string, start int) bool {
	user := previousField(s, start)
	word := previousField(s, user)
	return word < user && userWords[asciiWord(strings.TrimLeft(strings.TrimSpace(s[word:user]), "{(+-"))]
}

// loginBefore reports whether a user stands before the name at start, as in a file netrc: login bob password x.
func loginBefore(s string, start int) bool {
	user := previousField(s, start)
	login := previousField(s, user)
	return login < user && strings.TrimSpace(s[login:user]) == "login"
}

// previousField returns the start of the word before i, whatever it is made of, or i.
func previousField(s string, i int) int {
	j := i
	for j > 0 && i-j < maxNameBytes && s[j-1] == ' ' {
		j--
	}
	if j == i {
		return i
	}
	for j > 0 && i-j < maxNameBytes && s[j-1] > ' ' {
		j--
	}
	return j
}

// restOfLine reports whether nothing follows the value in its line, and it looks like one.
func (c *Context) restOfLine(v value) bool {
	s := c.S
	end := v.end
	for end < len(s) && (ascii.Class[s[end]]&ascii.Quote != 0 || s[end] == ';' || s[end] == ' ' || s[end] == '\r') {
		end++
	}
	if end < len(s) && s[end] != '\n' {
		return false
	}
	text := s[v.start:v.end]
	return len(text) >= 6 && Mixed(text) && !algorithm(text) && !resourceName(text) && !isTime(text)
}

// sentence finds the value behind the words at j.
func (c *Context) sentence(j int) (value, bool) {
	s := c.S
	about := false
	for n, k := 0, j; n < maxProseWords && k-j < maxProseBytes; n++ {
		end := k
		for end < len(s) && s[end] > ' ' && s[end] != '=' && (s[end] != ':' || !ascii.Is(s, end+1, ascii.Space)) {
			end++
		}
		word := s[k:end]
		next := blanks(s, end)
		known := len(word) < 12 && in(proseWords, word)
		about = about || ascii.EqualFold(word, "for") || ascii.EqualFold(word, "of") && ascii.HasPrefixFold(s, next, "user ")
		switch {
		case ascii.At(s, next) == '=' && about:
			return c.valueAt(ascii.Span(s, next+1, ascii.Space), tight) // SET PASSWORD FOR bob = 'x'
		case known && in(leadingWords, word):
			if ascii.At(s, next) == ':' {
				next = blanks(s, next+1)
			}
			follows := next
			for follows < len(s) && ascii.Class[s[follows]]&ascii.Alpha != 0 {
				follows++
			}
			if in(proseWords, s[next:min(follows, next+12)]) {
				break // has been set to
			}
			v, ok := c.valueAt(next, tight)
			if ok && v.ctx != quoted {
				v.ctx = prose
			}
			return v, ok
		case !known && !about:
			return value{}, false
		}
		k = next
		if k == len(s) || ascii.Class[s[k]]&(ascii.Alnum|ascii.Quote) == 0 {
			break
		}
	}
	return value{}, false
}
