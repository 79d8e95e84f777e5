// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Operators between names and values, and what wraps values.

// operator returns the length of the operator at i: = : := ::= :::= ?= ??= .= ||= += => -> == != <> or 0.
func operator(s string, i int) int {
	j := i
	for j < len(s) && j-i < 3 && (s[j] == ':' || s[j] == '?' || s[j] == '.' || s[j] == '|' || s[j] == '+') {
		j++
	}
	switch {
	case ascii.At(s, j) == '=' && (j-i < 2 || s[i] == ':' || s[i] == '|' || s[i] == '?'):
		j++
		if ascii.At(s, j) == '>' || ascii.At(s, j) == '=' || ascii.At(s, j) == '~' {
			j++
		}
		return j - i
	case ascii.At(s, i) == ':' && (ascii.At(s, i+1) != ':' || ascii.At(s, i+2) == ' '):
		if ascii.At(s, i+1) == ':' {
			return 2
		}
		return 1
	case ascii.At(s, i) == '-' && ascii.At(s, i+1) == '>', ascii.At(s, i) == '!' && ascii.At(s, i+1) == '=', ascii.At(s, i) == '<' && ascii.At(s, i+1) == '>':
		return 2
	}
	return 0
}

// wordOperators are those of SQL that are words.
var wordOperators = []string{"like ", "ilike ", "rlike ", "regexp ", "in (", "in(", "not like ", "not in ("}

// wordOperator returns the place behind such an operator at i that a quote follows, or 0.
func wordOperator(s string, i int) int {
	for _, w := range wordOperators {
		if ascii.HasPrefixFold(s, i, w) {
			if k := blanks(s, i+len(w)); ascii.Is(s, k, ascii.Quote) || ascii.Is(s, k+1, ascii.Quote) {
				return k
			}
		}
	}
	return 0
}

// stringPrefixes are the letters in front of the quotes of a string, and not those of d'ordine, l'utilisateur.
const stringPrefixes = "bBnNrRuUeEfFLxXqQ"

const (
	maxWrappers  = 6
	maxTypeBytes = 48
)

// wrapperWords are functions and types that stand around a value and are not the place where it comes from. So are words that end in
// one of wrapperEndings.
var (
	wrapperWords = newWords("of some just optional string str text char varchar nvarchar bytes byte b n u r e value box zeroizing sensitive protected redacted " +
		"sha1 sha2 sha224 sha256 sha384 sha512 md5 password old_password crypt encrypt hash hashbytes hex unhex quote cast convert to_char digest " +
		"b64encode base64encode bcrypt concat trim lower upper literal const new ref ptr maybe ok unwrap masked cleartext plain plaintext unicode symbol atom chr character")
	wrapperEndings = []string{"secret", "secretstr", "secretstring", "securestring", "string", "secretbytes", "password", "passphrase", "token", "secretvalue"}
)

func wrapperWord(w string) bool {
	if len(w) > maxTypeBytes {
		return false
	}
	for k := len(w) - 1; k >= 0; k-- {
		if w[k] == '.' || w[k] == ':' {
			w = w[k+1:]
			break
		}
	}
	if in(wrapperWords, w) {
		return true
	}
	if strings.IndexByte(w, '_') >= 0 {
		return false // read_secret("db")
	}
	for _, e := range wrapperEndings {
		if ascii.HasSuffixFold(w, len(w), e) {
			return true
		}
	}
	return false
}

// templateTags are the tags of YAML whose value is the name of something (CloudFormation).
var templateTags = set("ref sub getatt importvalue join findinmap select include env file")

// markup are elements that are written around a value for its looks.
var markup = set("b i em strong code span tt kbd td th pre p br font a u mark samp var")

// unwrap returns where the value at i starts within what wraps it: Some("x"), (string) (len=3) "x", !!str x, **x**.
func (c *Context) unwrap(i int) int {
	s := c.S
	for range maxWrappers {
		j := i
		switch b := ascii.At(s, i); {
		case b == '*' && ascii.At(s, i+1) == '*' && ascii.Is(s, i+2, ascii.Space) && ascii.At(s, i-1) == ':':
			j = blanks(s, i+2) // **Password:** x
		case b == '*' && ascii.Is(s, i+1, ascii.Quote):
			j = i + 1
		case b == '<' && ascii.At(s, i+1) == '<' && ascii.Is(s, i+2, ascii.Quote):
			j = i + 2
		case b == '<':
			j = markupEnd(s, i)
		case b == '!' || b == '&':
			// Tags and anchors of YAML: !!str x, !vault x, &pw x
			k := i + 1
			if ascii.At(s, k) == '!' {
				k++
			}
			if end := c.span(k, ascii.Ident); end > k && end-k <= maxNameBytes && ascii.At(s, end) == ' ' && (k > i+1 || ascii.At(s, blanks(s, end)) != '=') && !templateTags[asciiWord(s[k:end])] && c.tags(i, k, blanks(s, end)) {
				j = blanks(s, end)
			}
		case b == '(':
			j = typeEnd(s, i)
		case b == '0' && ascii.At(s, i+1) == 'x':
			// What a debugger prints of a pointer: 0x55d0 "x"
			if k := ascii.Span(s, i+2, ascii.HexDigit); k > i+2 && ascii.At(s, k) == ' ' && ascii.Is(s, k+1, ascii.Quote) {
				j = k + 1
			}
		case ascii.HasPrefixFold(s, i, "optional<"): // of Swift's dump(): Optional<String>, and below it - some : "x"
			if k := strings.Index(s[i:min(len(s), i+maxTypeBytes)], "- some"); k > 0 {
				k = blanks(s, i+k+len("- some"))
				j = blanks(s, k+operator(s, k))
			}
		case ascii.Class[b]&ascii.Alpha != 0:
			if j = wrapperEnd(s, i); j == i && ascii.HasPrefixFold(s, i, "base64:") && ascii.Is(s, i+len("base64:"), ascii.Alnum) {
				j = i + len("base64:")
			}
		case b == '@' && ascii.Is(s, i+1, ascii.Quote):
			j = i + 1
		}
		if j == i {
			return i
		}
		i = j
	}
	return i
}

// tags reports whether the tag or anchor at i, the name of which is at k, belongs to a value at v and is none itself, as it is in
// password=!hunter2 login failed.
func (c *Context) tags(i, k, v int) bool {
	s := c.S
	switch b := ascii.At(s, v); {
	case k > i+1 || ascii.Is(s, v, ascii.Quote) || b == '\\' || b == '|' || b == '>':
		return true
	case b == 0 || b == '\n' || b == '\r' || !ascii.Is(s, i-1, ascii.Space) || b == '-' && ascii.At(s, v+1) == '-':
		return false
	}
	return !Mixed(s[k:c.span(k, ascii.Ident)]) || strings.IndexByte("\n\r\\\"'`,}#\x00", ascii.At(s, blanks(s, c.bareEnd(v)))) >= 0
}

// markupEnd returns the end of a tag at i that is written for its looks, and of the blanks behind it, or i.
func markupEnd(s string, i int) int {
	k := i + 1
	if ascii.At(s, k) == '/' {
		k++
	}
	end := ascii.Span(s, k, ascii.Alpha)
	if end == k || end-k > 8 || !markup[ascii.LowerString(s[k:end])] {
		return i
	}
	for end < len(s) && end-i < 96 && s[end] != '>' && s[end] != '<' {
		end++
	}
	if ascii.At(s, end) != '>' {
		return i
	}
	return blanks(s, end+1)
}

// typeEnd returns the end of a type in parentheses at i, as in (string) (len=12) "x" and (*string)(0xc000012345)("x"), or i.
func typeEnd(s string, i int) int {
	if ascii.Is(s, i+1, ascii.Quote) {
		return i + 1
	}
	k := i + 1
	for k < len(s) && k-i < maxTypeBytes && (ascii.Class[s[k]]&ascii.Ident != 0 || s[k] == '*' || s[k] == '=' || s[k] == ' ') {
		k++
	}
	if ascii.At(s, k) != ')' || k == i+1 {
		return i
	}
	if next := blanks(s, k+1); ascii.Is(s, next, ascii.Quote) || ascii.At(s, next) == '(' {
		return next
	}
	return i
}

// wrapperEnd returns where the value starts within the word at i: string(12) "x", string 'x', Secret(x), Some("x"), N'x', or i.
func wrapperEnd(s string, i int) int {
	end := i
	for end < len(s) && end-i <= maxTypeBytes && (ascii.Class[s[end]]&ascii.Ident != 0 || s[end] == ':' && ascii.At(s, end+1) == ':' || s[end] == ':' && ascii.At(s, end-1) == ':') {
		end++
	}
	if end-i == 1 && ascii.Is(s, end, ascii.Quote) && strings.IndexByte(stringPrefixes, s[i]) >= 0 {
		return end // b"...", r'...', N'...'
	}
	if b := ascii.At(s, end); b != '(' && b != '[' && b != ' ' || !wrapperWord(s[i:end]) {
		return i
	}
	switch b := ascii.At(s, end); {
	case b == '(' || b == '[':
		k := ascii.Span(s[:min(len(s), end+maxBlanks)], end+1, ascii.Space)
		if digits := ascii.Span(s, k, ascii.Digit); digits > k && digits-k < 6 && ascii.At(s, digits) == ')' {
			if k = blanks(s, digits+1); ascii.Is(s, k, ascii.Quote) {
				return k // string(12) "x"
			}
			return i
		}
		if ascii.At(s, k) == b+1 || ascii.At(s, k) == b+2 {
			return i
		}
		return k
	case b == ' ' && (ascii.Is(s, end+1, ascii.Quote) || ascii.EqualFold(s[i:end], "new") && ascii.Is(s, end+1, ascii.Alpha)):
		return end + 1
	}
	return i
}

// typed reports whether a value with its type in front is at i: string(12) "x".
func typed(s string, i int) bool {
	end := ascii.Span(s, i, ascii.Alpha)
	return end > i && ascii.At(s, end) == '(' && ascii.Is(s, end+1, ascii.Digit)
}

// scheme returns the end of the name of an encoding at i, as in {noop}x and {SSHA}x, or i.
func scheme(s string, i int) int {
	k := i + 1
	for k < len(s) && k-i < 24 && (ascii.Class[s[k]]&ascii.Alnum != 0 || s[k] == '-' || s[k] == '_') {
		k++
	}
	if k > i+1 && ascii.At(s, k) == '}' && (ascii.Is(s, k+1, ascii.Alnum) || ascii.At(s, k+1) == '$') {
		return k + 1
	}
	return i
}
