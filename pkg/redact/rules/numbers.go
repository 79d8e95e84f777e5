// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Numbers: card numbers, social security numbers, telephone numbers. They are told apart by how their digits are
// grouped, so a number is first taken apart into groups of digits.

// digits finds whatever consists of digits: cards, social security numbers, telephone numbers.
var digits = &Detector{Free: true, Find: detectNumber, At: []Trigger{
	sets(prefilter.Digits, prefilter.Digits, prefilter.Digits, prefilter.Digits),
	sets(prefilter.Digits, prefilter.Bytes(" -"), prefilter.Digits, prefilter.Bytes(" -")),
}}

// detectNumber examines the number around i.
func detectNumber(c *Context, rule ID, i int) int {
	if ascii.Is(c.S, i+1, ascii.Digit) {
		return detectDigits(c, rule, i)
	}
	return detectSpread(c, rule, i)
}

// onlyDigits is the canonical form of numbers.
func onlyDigits(b byte) (byte, bool) { return b, ascii.Class[b]&ascii.Digit != 0 }

// folded is the canonical form of what may be written in either case.
func folded(b byte) (byte, bool) { return ascii.ToLower(b), true }

const (
	maxGroups      = 256
	spareGroups    = maxPAN + 1 // of a longer number, groups so near the end are parsed again with what follows
	maxNumberBytes = 64
	maxSep         = 3
)

// group is a run of digits, and the separator after it, if another group follows.
type group struct {
	start, end int
	sepEnd     int    // the next group starts here; == end for the last group
	sep        uint32 // the bytes of the separator
}

func (g *group) size() int { return g.end - g.start }

// number is a sequence of groups of digits, separated by up to three of the characters that people put between them.
type number struct {
	n int
	g [maxGroups]group
}

func isSep(b byte) bool { return ascii.Class[b]&ascii.NumSep != 0 }

// parse takes the number apart whose first digit is at i.
func (n *number) parse(s string, i int) {
	k := 0
	for ; ; k++ {
		g := &n.g[k]
		end := i
		for end < len(s) && ascii.Class[s[end]]&ascii.Digit != 0 {
			end++
		}
		g.start, g.end, g.sepEnd, g.sep = i, end, end, 0
		next, sep := end, uint32(0)
		for next < len(s) && next-end <= maxSep && isSep(s[next]) {
			sep = sep<<8 | uint32(s[next])
			next++
		}
		if k == maxGroups-1 || end-i > maxNumberBytes || next == end || next-end > maxSep || !ascii.Is(s, next, ascii.Digit) {
			break
		}
		g.sepEnd, g.sep = next, sep
		i = next
	}
	n.n = k + 1
}

// digits copies the digits of the number from group g on to buf, as many as there is room for, and returns how many those are.
func (n *number) digits(s string, g int, buf []byte) (d int) {
	for ; g < n.n && d < len(buf); g++ {
		d += copy(buf[d:], s[n.g[g].start:n.g[g].end])
	}
	return d
}

func (n *number) end() int { return n.g[n.n-1].end }

// numberStart walks back from a digit to the first digit of its number, not past floor.
func numberStart(s string, i, floor int) int {
	floor = max(floor, i-maxNumberBytes)
	start := i
	for start > floor && ascii.Is(s, start-1, ascii.Digit) {
		start--
	}
	for {
		j := start
		for j > floor && start-j < 3 && isSep(s[j-1]) {
			j--
		}
		if j == start || j <= floor || !ascii.Is(s, j-1, ascii.Digit) {
			return start
		}
		for j > floor && ascii.Is(s, j-1, ascii.Digit) {
			j--
		}
		start = j
	}
}

// detectDigits examines the number that the digit at i is part of. The whole number is consumed.
func detectDigits(c *Context, _ ID, i int) int {
	s := c.S
	end := i + 4
	for end < len(s) && ascii.Class[s[end]]&ascii.Digit != 0 {
		end++
	}
	// A few digits alone, such as a year or a size, are the most frequent case by far.
	if end-i < prefilter.MinNumberDigits && !(end+1 < len(s) && ascii.Class[s[end]]&ascii.NumSep != 0 && ascii.Class[s[end+1]]&(ascii.Digit|ascii.NumSep) != 0) &&
		!(i > 1 && ascii.Class[s[i-1]]&ascii.NumSep != 0 && ascii.Class[s[i-2]]&(ascii.Digit|ascii.NumSep) != 0) {
		return end
	}
	return detectSpread(c, 0, i)
}

// detectSpread examines the number that the digit at i is part of, however its digits are grouped.
func detectSpread(c *Context, _ ID, i int) int {
	start := numberStart(c.S, i, c.Resume)
	if digits, end := countDigits(c.S, start); digits < prefilter.MinNumberDigits {
		return end
	}
	if end := timestampEnd(c.S, start); end > 0 {
		return end
	}
	return c.number(start)
}

// timestampEnd returns the end of a date and time at i, such as 2026-11-23 04:10:55,123, or 0. Many a log line starts with one.
func timestampEnd(s string, i int) int {
	const form = "dddd-dd-dd dd:dd"
	if len(s)-i < len(form) || s[i:i+2] != "20" && s[i:i+2] != "19" {
		return 0
	}
	for k := range len(form) {
		switch b := s[i+k]; form[k] {
		case 'd':
			if ascii.Class[b]&ascii.Digit == 0 {
				return 0
			}
		case '-':
			if b != '-' && b != '/' && b != '.' {
				return 0
			}
		default:
			if b != form[k] {
				return 0
			}
		}
	}
	end := i + len(form)
	for n := 0; n < 2 && end+1 < len(s) && (s[end] == ':' || s[end] == '.' || s[end] == ',') && ascii.Class[s[end+1]]&ascii.Digit != 0; n++ {
		end = ascii.Span(s, end+1, ascii.Digit)
	}
	return end
}

// countDigits counts the digits of the number at i, up to prefilter.MinNumberDigits, and returns where it stopped.
func countDigits(s string, i int) (digits, end int) {
	for {
		for i < len(s) && ascii.Class[s[i]]&ascii.Digit != 0 {
			digits++
			i++
		}
		end = i
		if digits >= prefilter.MinNumberDigits {
			return digits, end
		}
		for i < len(s) && i-end < 3 && isSep(s[i]) {
			i++
		}
		if i == end || !ascii.Is(s, i, ascii.Digit) {
			return digits, end
		}
	}
}

// number looks for cards, social security numbers and telephone numbers from the digit at start on, and returns the
// end of what it examined.
func (c *Context) number(start int) int {
	s := c.S
	n := &c.numbers[0]
	n.parse(s, start)
	c.Charge(n.n / 2)
	for g := 0; g < n.n && *c.Budget >= 0; {
		if n.n == maxGroups && n.n-g < spareGroups {
			n.parse(s, n.g[g].start)
			c.Charge(n.n / 2)
			g = 0
		}
		if n.amongDigits(g) && n.g[g+1].size() < c.forms.behindDigit {
			g++
			continue
		}
		if e := c.card(n, g); e > g {
			g = e
			continue
		}
		// Numbers with a sign before them may start in the middle of others.
		end := 0
		switch ascii.At(s, n.g[g].start-1) {
		case '+':
			end = detectPlus(c, 0, n.g[g].start-1)
		case '(':
			end = detectParen(c, 0, n.g[g].start-1)
		}
		if end > 0 {
			for g < n.n && n.g[g].start < end {
				g++
			}
			continue
		}
		if e := c.national(n, g); e > g {
			g = e
			continue
		}
		size := n.g[g].end - n.g[g].start
		if size == 3 {
			if e := c.ssn(n, g); e > g {
				g = e
				continue
			}
		}
		// One digit is a country code before three, or nothing.
		if g == 0 || size == 3 || size == 1 && g+1 < n.n && n.g[g+1].end-n.g[g+1].start == 3 {
			if e := c.phone(n, g); e > g {
				g = e
				continue
			}
		}
		g++
	}
	return n.end()
}

// amongDigits reports whether group g is a digit between others, with a space, a dash or a dot between: no number starts there but a national
// one, as those that are written digit by digit start with the first.
func (n *number) amongDigits(g int) bool {
	if g == 0 || g+1 == n.n || n.g[g].size() != 1 || n.g[g-1].size() != 1 || n.g[g+1].size() > 2 {
		return false
	}
	sep := n.g[g-1].sep
	return sep == ' ' || sep == '-' || sep == '.'
}

// freeBefore reports whether group g starts a number: no letter before it, no fraction, and not the rest of a longer
// number written with the same dashes or dots.
func (c *Context) freeBefore(n *number, g int) bool {
	s, start := c.S, n.g[g].start
	if ascii.Is(s, start-1, ascii.Alnum) || ascii.At(s, start-1) == '_' {
		return false
	}
	if start >= 2 && s[start-1] == '.' && ascii.Is(s, start-2, ascii.Digit) && n.g[g].end-start > 4 {
		return false
	}
	if ascii.At(s, start-1) == '-' && (ascii.At(s, start-2) == '_' || n.g[g].end-start > 16) {
		return false // a negative number
	}
	if g > 0 && g+1 < n.n {
		sep := s[n.g[g-1].end:n.g[g-1].sepEnd]
		if len(sep) == 1 && sep != " " && sep == s[n.g[g].end:n.g[g].sepEnd] {
			return false
		}
	}
	return true
}

// freeAfter reports whether a number may end with group k.
func (c *Context) freeAfter(n *number, k int) bool {
	s, end := c.S, n.g[k].end
	if ascii.Is(s, end, ascii.Alnum) || ascii.At(s, end) == '_' && ascii.Is(s, end+1, ascii.Alnum) {
		return false
	}
	if ascii.At(s, end) == '.' && ascii.Is(s, end+1, ascii.Digit) {
		return false
	}
	return ascii.At(s, end) != '-' || !ascii.Is(s, end+1, ascii.Digit)
}

// wordBefore reports whether one of the words, lower case, occurs in the 40 bytes before i.
func (c *Context) wordBefore(i int, words ...string) bool {
	s := c.S[max(0, i-40):i]
	for k := range s {
		for _, w := range words {
			if ascii.HasPrefixFold(s, k, w) {
				return true
			}
		}
	}
	return false
}
