// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var ruleAuthorization = newID("authorization")

var _ = register(ruleAuthorization, Rule{
	Pack:      Secrets,
	Names:     []Names{{Words: "authorization", Strength: Medium}, {Words: "authentication", Alone: true, Strength: Medium}},
	Detectors: []*Detector{{At: literals("bearer"), Find: detectBearer}},
	Gone: []Example{
		{"Authorization: Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"},
		{"sent Bearer q7Zp2mW9xT4vK8sB", "q7Zp2mW9xT4vK8sB"},
		{`{"headers":{"Authorization":["Bearer abc123def456ghi789"]}}`, "abc123def456ghi789"},
		{`Authorization: Digest username="bob", realm="x", response="6629fae49393a05397450978507c4ef1"`, "6629fae49393a05397450978507c4ef1"},
	},
	Stay:        []string{"Authorization: denied", "token_type=bearer expires_in=3600"},
	Takes:       "Authorization headers of every scheme, Bearer tokens anywhere",
	Placed:      "it stands behind the word Bearer",
	ValidatedBy: "scheme; the scheme stays",
	Misses:      "one-word credentials without digits",
	Source:      "RFC 9110, 11.6.2; RFC 6750",
})

// schemes of the Authorization header whose credentials are one word.
var schemes = set("basic bearer token negotiate ntlm apikey api-key api-token bot key ssws jwt oauth2 pat splunk genie-key nvidia flyv1 dpop " +
	"digest-token gitlab snyk")

// parameters are the schemes whose credentials are a list of parameters.
var parameters = set("digest oauth aws4-hmac-sha256 hawk signature hmac mac sharedkey sharedkeylite credential")

// authorization examines the value of an Authorization header whose name is S[start:end]. The scheme stays.
func (c *Context) authorization(start, end int) int {
	c.Charge(costOfList + 3*costOfValue)
	s := c.S
	i := end
	for i < len(s) && i-end < 8 && (s[i] == '\\' || ascii.Class[s[i]]&ascii.Quote != 0 || s[i] == ']') {
		i++
	}
	for ascii.At(s, i) == ' ' {
		i++
	}
	op := operator(s, i)
	switch {
	case op == 0 && i > end && quotedScheme(s, i):
		// proxy_set_header Authorization "Basic x"
	case ascii.At(s, i) == ',' && i > end && ascii.At(s, start-1) == ' ' && !quotedScheme(s, blanks(s, i+1)):
		return 0 // the last word of a text that another follows: "no column authentication_string","n":1
	case op == 0 && ascii.At(s, i) != ',':
		return 0
	default:
		i = ascii.Span(s, i+max(op, 1), ascii.Space)
	}
	var limit int
	inQuotes := ascii.Is(s, i, ascii.Quote) || ascii.At(s, i) == '\\' && ascii.Is(s, i+1, ascii.Quote)
	if ascii.At(s, i) == '[' {
		// A list of values: {"authorization":["Bearer x"]}
		i++
		inQuotes = ascii.Is(s, i, ascii.Quote)
	}
	if inQuotes {
		v, ok := c.quotedValue(i)
		if !ok {
			return 0
		}
		if k := ascii.Span(s, v.end, ascii.Quote); k > v.end && ascii.At(s, blanks(s, k)) == ':' && op == 0 {
			return 0 // the next name: {"action":"authentication","user":"bob"}
		}
		i, limit = v.start, v.end
	} else {
		// Inside the quotes of a command line, -H 'Authorization: ...', the closing quote ends it.
		limit = c.quoteOrEnd(i)
	}
	word := i
	word = credentialsEnd(s, word, limit)
	c.weigh(word - i)
	scheme := ascii.LowerString(s[i:min(word, i+24)])
	next := word
	for next < limit && s[next] == ' ' {
		next++
	}
	switch {
	case parameters[scheme] && next < limit:
		if !inQuotes {
			limit = lineEnd(s, next)
			c.look(limit - next)
		}
		if from, to := signatureIn(s, next, limit, scheme); to > from {
			c.Offer(ruleAuthorization, from, to)
			return to
		}
		c.Offer(ruleAuthorization, next, limit)
		return limit
	case schemes[scheme] && next < limit:
		if scheme == "token" && ascii.HasPrefixFold(s, next, "token=") && next+len("token=") < limit { // of Rails
			next += len("token=")
			for next < limit && (ascii.Class[s[next]]&ascii.Quote != 0 || s[next] == '\\') {
				next++
			}
			word = next + ascii.Span(s[next:limit], 0, ascii.Run)
			if word > next {
				c.Offer(ruleAuthorization, next, word)
				return word
			}
		}
		i = next
		word = credentialsEnd(s, next, limit)
	case inQuotes:
		word = limit
	case len(s[i:word]) < 8 || !Mixed(s[i:word]):
		// Prose: "Authorization: denied".
		return 0
	}
	if word <= i || placeholder(s[i:word]) {
		return 0
	}
	for word > i && (s[word-1] == ',' || s[word-1] == ';') {
		word--
	}
	c.Offer(ruleAuthorization, i, word)
	return word
}

// credentialsEnd returns the end of the word at i, limit at most. A closing tag, the next value of a query, and the backslashes before the quote that ends it, belong to what is
// around it.
func credentialsEnd(s string, i, limit int) int {
	start := i
	for i < limit && ascii.Class[s[i]]&ascii.Space == 0 && !writtenBreak(s, i) && (s[i] != '<' || ascii.At(s, i+1) != '/') && (s[i] != '&' || ascii.At(s, ascii.Span(s, i+1, ascii.Ident)) != '=') {
		i++
	}
	if ascii.Is(s, i, ascii.Quote) {
		i = start + len(strings.TrimRight(s[start:i], `\`))
	}
	return i
}

// quotedScheme reports whether the quote at i is followed by a scheme and what may be credentials.
func quotedScheme(s string, i int) bool {
	if !ascii.Is(s, i, ascii.Quote) {
		return false
	}
	end := ascii.Span(s[:min(len(s), i+24)], i+1, ascii.Alpha)
	from := blanks(s, end)
	word := ascii.Span(s, from, ascii.Run)
	return from > end && schemes[ascii.LowerString(s[i+1:end])] && (base64Text(s[from:word]) || tokenLike(s[from:word], minPlaceholder))
}

// signatureIn returns where in the parameters s[i:limit] the one is that proves who sends them, for the schemes of which nothing else is
// secret.
func signatureIn(s string, i, limit int, scheme string) (from, to int) {
	name := ""
	switch scheme {
	case "digest": // RFC 7616
		name = "response="
	case "aws4-hmac-sha256":
		name = "signature="
	default:
		return 0, 0
	}
	k := ascii.IndexFold(s[i:limit], name)
	if k < 0 || ascii.Is(s, i+k-1, ascii.Ident) {
		return 0, 0
	}
	from = i + k + len(name)
	for from < limit && (ascii.Class[s[from]]&ascii.Quote != 0 || s[from] == '\\') {
		from++
	}
	if to = ascii.Span(s, from, ascii.HexDigit); to-from < minSignature {
		return 0, 0
	}
	return from, to
}

const minSignature = 32 // hexadecimal digits, of MD5

func lineEnd(s string, i int) int {
	end := len(s)
	if k := strings.IndexByte(s[i:], '\n'); k >= 0 {
		end = i + k
	}
	if k := strings.IndexByte(s[i:end], '\r'); k >= 0 {
		end = i + k
	}
	return end
}

// detectBearer examines what follows the word Bearer outside of a header.
func detectBearer(c *Context, _ ID, i int) int {
	s := c.S
	end := i + len("bearer")
	if ascii.Is(s, i-1, ascii.Alnum) || ascii.At(s, i-1) == '_' || ascii.Is(s, end, ascii.Alnum) || ascii.At(s, end) == '_' {
		return 0
	}
	i = end
	if ascii.At(s, i) == ':' || ascii.At(s, i) == '=' {
		i++
	}
	for ascii.At(s, i) == ' ' || ascii.At(s, i) == '\\' || ascii.At(s, i) == '"' {
		i++
	}
	if i == end {
		return 0
	}
	v := c.bareEnd(i)
	c.weigh(v - i)
	if v-i < 8 || placeholder(s[i:v]) || isPair(s[i:v]) || !Mixed(s[i:v]) && !strange(s[i:v]) && !tokenLike(s[i:v], 16) {
		return 0
	}
	c.Offer(ruleAuthorization, i, v)
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

// quoteOrEnd returns the place of the first quote or line end from i on.
func (c *Context) quoteOrEnd(i int) int {
	if i < c.memo.quotes.from || i > c.memo.quotes.to {
		c.memo.quotes.from, c.memo.quotes.to = i, len(c.S)
		if k := strings.IndexAny(c.S[i:], "\r\n\"'`"); k >= 0 {
			c.memo.quotes.to = i + k
		}
		c.look(c.memo.quotes.to - i)
	}
	return c.memo.quotes.to
}

// quoteMemo is a stretch without quotes and line ends.
type quoteMemo struct{ from, to int }
