// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Lines of libpq's password file, host:port:database:user:password: behind the file's name, or where a line is nothing else.

var pgpassLines = &Detector{At: literals("pgpass", ":*:*:", ":5432:", ":5433:", ":6432:"), Find: detectPgpass}

const (
	maxPgpassFields = 5
	maxPgpass       = 512 // bytes of a line, and from the file's name to the last line
)

// detectPgpass examines the lines behind the file's name, or the one in which a port stands.
func detectPgpass(c *Context, _ ID, i int) int {
	s := c.S
	if !ascii.HasPrefixFold(s, i, "pgpass") {
		start := i
		for start > c.taken && i-start < maxNameBytes && s[start-1] > ' ' && ascii.Class[s[start-1]]&ascii.Quote == 0 {
			start--
		}
		v, ok := pgpassPassword(s, start)
		c.Charge(costOfValue)
		c.look(2 * (v.end - start))
		alone := (start == 0 || s[start-1] == '\n') && (v.end == len(s) || s[v.end] == '\n' || s[v.end] == '\r')
		if text := s[v.start:v.end]; !ok || !alone || !Mixed(text) && !strings.Contains(s[start:v.start], "*:") {
			return 0
		}
		c.Offer(rulePassword, v.start, v.end)
		return v.end
	}
	end := min(len(s), i+maxPgpass)
	taken := 0
	k := max(c.memo.pgpass, c.span(i, ascii.Alpha))
	c.memo.pgpass = max(c.memo.pgpass, end)
	for k < end {
		if ascii.Class[s[k]]&(ascii.Space|ascii.Quote) == 0 && s[k] != '=' && s[k] != '<' && s[k] != '>' {
			k = skipWord(s[:end], k)
			continue
		}
		k++
		v, ok := pgpassPassword(s, k)
		c.look(v.end - k)
		if ok {
			c.Offer(rulePassword, v.start, v.end)
			taken, k = v.end, v.end
		}
	}
	return taken
}

// skipWord returns the end of the word at i.
func skipWord(s string, i int) int {
	for i < len(s) && ascii.Class[s[i]]&(ascii.Space|ascii.Quote) == 0 && s[i] != '=' && s[i] != '<' && s[i] != '>' {
		i++
	}
	return i
}

// pgpassPassword returns the last of the five fields at i. A colon or backslash in a field has a backslash before it; the port is a
// number or a star.
func pgpassPassword(s string, i int) (value, bool) {
	field, start := 1, i
	k := i
	for ; k < len(s) && k-i < maxPgpass && s[k] > ' ' && (ascii.Class[s[k]]&ascii.Quote == 0 || field == maxPgpassFields); k++ {
		switch {
		case s[k] == '\\' && (ascii.At(s, k+1) == ':' || ascii.At(s, k+1) == '\\'):
			k++
		case s[k] == ':' && field < maxPgpassFields:
			text := s[start:k]
			if text == "" || field == 2 && text != "*" && (len(text) > 5 || ascii.Span(text, 0, ascii.Digit) < len(text)) {
				return value{start, k, quoted}, false
			}
			field, start = field+1, k+1
		}
	}
	for k > start && ascii.Class[s[k-1]]&ascii.Quote != 0 {
		k--
	}
	text := s[start:k]
	return value{start, k, quoted}, field == maxPgpassFields && text != "" && !placeholder(text)
}
