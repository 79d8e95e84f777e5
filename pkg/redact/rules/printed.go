// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Passwords that servers make at their first start and print: a sentence about a password, a colon, the password.

const (
	maxAnnouncement = 112 // bytes from the name to the colon
	maxToPrinted    = 8   // line breaks and blanks from there to the value
	minPrinted      = 6
)

var (
	// announcing are the words of which a sentence has one that ends with the password.
	announcing = set("for generated following provided user superuser created new initial session is proceed")
	// reporting are those of sentences about what happened to one.
	reporting = set("failed invalid incorrect wrong error denied authentication expired rejected mismatch policy attempts attempt missing unknown bad not")
)

// printedValue finds the value of a name in a sentence that ends in a colon, or in one that "New value:" follows: Password for the elastic
// user (reset with x): ..., A temporary password is generated for root@localhost: ... The name ends at i.
func (c *Context) printedValue(start, i int) (value, bool) {
	s := c.S
	limit := min(len(s), i+maxAnnouncement)
	fits := false
	k := i
	for k < limit && s[k] != ':' {
		b := s[k]
		switch {
		case ascii.Class[b]&ascii.Alpha != 0:
			end := ascii.Span(s[:limit], k, ascii.Ident)
			w := asciiWord(s[k:end])
			if reporting[w] {
				return value{}, false
			}
			fits = fits || announcing[w]
			k = end
			continue
		case b == '\n' && strings.HasPrefix(s[k+1:], "New value"):
		case b < ' ' || strings.IndexByte("=,;{}<>|?", b) >= 0:
			return value{}, false
		}
		k++
	}
	if k >= limit || !fits || previousReports(s, start) {
		return value{}, false
	}
	from := ascii.Span(s[:min(len(s), k+1+maxToPrinted)], k+1, ascii.Space)
	if from == k+1 {
		return value{}, false
	}
	end := from
	for end < len(s) && ascii.Class[s[end]]&ascii.Space == 0 && end-from <= maxNameBytes {
		end++
	}
	for end > from && ascii.Class[s[end-1]]&ascii.Quote != 0 {
		end--
	}
	if ascii.Is(s, from, ascii.Quote) {
		from++
	}
	rest := blanks(s, end)
	if from >= end || rest < len(s) && s[rest] != '\n' && s[rest] != '\r' && ascii.Class[s[rest]]&ascii.Quote == 0 {
		return value{}, false // something follows in its line
	}
	v := s[from:end]
	if len(v) < minPrinted || !Mixed(v) && !(caseChanges(v) > 2 && strings.ContainsAny(v, "!#$%&*+?@^(")) || isURL(v) || isTime(v) || resourceName(v) {
		return value{}, false
	}
	return value{from, end, quoted}, true
}

// previousReports reports whether the word before the name says that something was wrong with the value.
func previousReports(s string, start int) bool {
	word := previousWord(s, start)
	return word < start && reporting[asciiWord(strings.TrimSpace(s[word:start]))]
}

// quotedBefore finds a quoted value that stands before its name: the "x" account with "y" password, SELECT 'y' AS password. The name
// starts at start.
func (c *Context) quotedBefore(start int) (value, bool) {
	s := c.S
	renamed := ascii.HasSuffixFold(s, start, " as ")
	if renamed {
		start -= len("as ")
	}
	if ascii.At(s, start-1) != ' ' || !ascii.Is(s, start-2, ascii.Quote) {
		return value{}, false
	}
	end := start - 2
	open := strings.LastIndexByte(s[max(c.taken, end-maxNameBytes, 0):end], s[end])
	if open < 0 {
		return value{}, false
	}
	from := max(c.taken, end-maxNameBytes, 0) + open + 1
	if v := s[from:end]; !renamed && !ascii.HasSuffixFold(s, from-1, "with ") || len(v) < minPrinted || !Mixed(v) {
		return value{}, false
	}
	return value{from, end, quoted}, true
}

// randomPasswords finds those of a list of users, as cloud-init prints it: Set the following 'random' passwords, then user:password lines.
var randomPasswords = &Detector{At: literals("random' passwords"), Find: func(c *Context, _ ID, i int) int {
	s := c.S
	end := lineEnd(s, i)
	for end < len(s) && end-i < maxCommand {
		start := ascii.Span(s, end, ascii.Space)
		colon := ascii.Span(s, start, ascii.Ident)
		end = lineEnd(s, start)
		if ascii.At(s, colon) != ':' || colon == start || strings.IndexByte(s[colon:end], ' ') >= 0 {
			break
		}
		c.Offer(rulePassword, colon+1, end)
	}
	return 0
}}
