// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/hex"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// word is a word of a command: text is S[start:end], or what that stands for in hexadecimal.
type word struct {
	start, end int
	text       string
	coded      bool
}

// nextWord reads the word of a command that starts at or behind i: bare, in quotes, in a list, or in a field of the audit daemon. It
// returns where the next one starts, and false at the end of the command.
func nextWord(s string, i, limit int) (w word, next int, ok bool) {
	for i < limit && (s[i] == ' ' || s[i] == '\t' || s[i] == ',' || s[i] == '\\' && ascii.At(s, i+1) == '\n' ||
		(s[i] == '\n' || s[i] == '\r') && insideList(s, i) || s[i] == '[' && ascii.Is(s, i+1, ascii.Quote)) {
		if s[i] == '\\' {
			i++
		}
		i++
	}
	if ascii.Is(s, i, ascii.Quote) {
		// "Path":"zip","Args":["-P","x"]
		if k := ascii.Span(s, i+1, ascii.Alpha); k > i+1 && ascii.Is(s, k, ascii.Quote) && ascii.At(s, k+1) == ':' {
			if open := blanks(s, k+2); ascii.At(s, open) == '[' {
				return nextWord(s, ascii.Span(s, open+1, ascii.Space), limit)
			}
		}
	}
	if i >= limit || s[i] == '\n' || s[i] == '\r' || s[i] == ';' || s[i] == '|' || s[i] == '&' || s[i] == ']' || s[i] == ')' || s[i] == '}' {
		return w, i, false
	}
	field := false
	if s[i] == 'a' && ascii.Is(s, i+1, ascii.Digit) {
		if k := ascii.Span(s, i+1, ascii.Digit); ascii.At(s, k) == '=' {
			i, field = k+1, true
		}
	}
	if ascii.Is(s, i, ascii.Quote) {
		end := i + 1
		for end < len(s) && s[end] != s[i] && end-i < maxCommand {
			end++
		}
		if b := ascii.At(s, end+1); end < len(s) && (end == i+1 || b == ' ' || b == ',' || b == ']' || b == ')' || b == '}' || b == '\n' || b == 0 || b == ';' || b == '|' || b == s[i] || b == '\r') {
			return word{start: i + 1, end: end, text: s[i+1 : end]}, end + 1, true
		}
		if b := ascii.At(s, i+1); b == ' ' || b == ',' || b == '}' || b == ']' || b == 0 {
			return w, i, false // the end of what the command is quoted in
		}
	}
	end := i
	var q byte
	for end < len(s) {
		b := s[end]
		if q != 0 {
			if b == q {
				q = 0
			} else if b == '\n' {
				break
			}
			end++
			continue
		}
		if ascii.Class[b]&ascii.Space != 0 || endsCommand(s, i, end) {
			break
		}
		if ascii.Class[b]&ascii.Quote != 0 {
			if closes := ascii.At(s, end+1); end > i && (closes == ' ' || closes == 0 || closes == ',' || closes == '}' || closes == ']' || closes == ')' || closes == '\n') {
				break
			}
			if strings.IndexByte(s[end+1:min(len(s), end+maxCommand)], b) >= 0 {
				q = b
			}
		}
		end++
	}
	text := s[i:end]
	if field {
		if b, err := hex.DecodeString(text); err == nil {
			return word{i, end, string(b), true}, end, true
		}
	}
	for len(text) > 1 && strings.IndexByte(",;)]}", text[len(text)-1]) >= 0 && strings.IndexByte(text, '[') < 0 {
		text = text[:len(text)-1]
	}
	next = end
	if ascii.Is(s, end, ascii.Quote) {
		next = end // the command ends here
	}
	return word{start: i, end: i + len(text), text: text}, next, end > i
}

// endsCommand reports whether a line break is written at i, behind a word that starts at from or later: \n that is no part of a path of
// Windows, and has no backslash before it.
func endsCommand(s string, from, i int) bool {
	if !writtenBreak(s, i) || i == from {
		return i == from && writtenBreak(s, i)
	}
	return strings.IndexByte(":.%\\", s[i-1]) < 0 && s[from] != '\\'
}
