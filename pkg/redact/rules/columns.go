// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Names at the head of a column: a text of several lines, the first of which names what the fields of the others are.

const (
	maxFields = 64  // of a line
	maxHead   = 512 // bytes of the first line before the name, and behind it
)

// column offers the fields below the name s[start:end] if it heads a column of CSV, or of a table as psql and mysql print them. It
// returns the end of the last one, or 0.
func (c *Context) column(start, end int, vd Verdict) int {
	s := c.S
	if ascii.Is(s, end, ascii.Quote) {
		end++
	}
	if ascii.Is(s, start-1, ascii.Quote) {
		start--
	}
	for end-start < maxNameBytes && ascii.At(s, end) == ' ' {
		end++
	}
	for end-start < maxNameBytes && ascii.At(s, start-1) == ' ' {
		start--
	}
	before, sep := ascii.At(s, start-1), ascii.At(s, end)
	if !separates(sep) {
		if sep != '\r' && sep != '\n' {
			return 0
		}
		sep = before
	}
	if !separates(sep) || before != sep && before != '\n' && before != 0 || !c.Charge(costOfList) {
		return 0
	}
	to := end
	for to < len(s) && to-end < maxHead && s[to] != '\n' {
		to++
	}
	if ascii.At(s, to) != '\n' {
		return 0
	}
	from := start
	for from > 0 && start-from < maxHead && s[from-1] != '\n' {
		from--
	}
	for i := from; i < to; i++ {
		if b := s[i]; b != sep && ascii.Class[b]&(ascii.Ident|ascii.Quote) == 0 && b != ' ' && b != '\r' {
			return 0
		}
	}
	fields := strings.Count(s[from:to], string(sep)) + 1
	index := strings.Count(s[from:start], string(sep))
	if fields < 2 || fields > maxFields {
		return 0
	}
	taken, budget := 0, *c.Budget
	for line := to + 1; line < len(s) && c.Charge(costOfValue); {
		end := lineEnd(s, line)
		c.look(2 * (end - line))
		if strings.Trim(s[line:end], "-+=|: ") != "" { // no rule between rows
			v, n := field(s[:end], line, sep, index)
			if n != fields {
				break
			}
			if text := s[v.start:v.end]; c.secretValue(v, vd, quoted) && !placeholder(text) {
				c.Offer(vd.Rule, v.start, v.end)
				taken = v.end
			}
		}
		for line = end; line < len(s) && (s[line] == '\r' || s[line] == '\n'); line++ {
		}
	}
	c.Ahead += budget - *c.Budget
	return taken
}

// separates reports whether b stands between the columns of tables.
func separates(b byte) bool { return b == ',' || b == ';' || b == '\t' || b == '|' }

// field returns the field of that index in the line that starts at i and ends with s, and how many fields the line has.
func field(s string, i int, sep byte, index int) (v value, n int) {
	for {
		start, end := i, i
		if ascii.At(s, i) == '"' {
			start++
			for end = start; end < len(s) && (s[end] != '"' || ascii.At(s, end+1) == '"'); end++ {
				if s[end] == '"' {
					end++ // two of them stand for one
				}
			}
			i = min(end+1, len(s))
		} else {
			for end < len(s) && s[end] != sep {
				end++
			}
			i = end
		}
		if n == index {
			v = value{start, end, quoted}
			for v.ctx == quoted && v.start < v.end && s[v.start] == ' ' {
				v.start++
			}
			for v.start < v.end && (s[v.end-1] == ' ' || s[v.end-1] == '\r') {
				v.end--
			}
		}
		n++
		if ascii.At(s, i) != sep {
			return v, n
		}
		i++
	}
}
