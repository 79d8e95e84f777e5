// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Where values end.

// blockValue returns the lines of a block scalar of YAML, whose indicator is at i: those indented like the first one.
func blockValue(s string, i int) (value, bool) {
	j := i + 1
	for j < len(s) && j-i < 4 && (s[j] == '-' || s[j] == '+' || ascii.Class[s[j]]&ascii.Digit != 0) {
		j++
	}
	if ascii.At(s, j) == '\r' {
		j++
	}
	if ascii.At(s, j) != '\n' {
		return value{}, false
	}
	line := j + 1
	start := line
	for ascii.At(s, start) == ' ' {
		start++
	}
	indent := s[line:start]
	end := start
	for line < len(s) && indent != "" && strings.HasPrefix(s[line:], indent) && line-i < maxValueBytes {
		end = lineEnd(s[:min(len(s), line+maxValueBytes)], line)
		if line = end; ascii.At(s, line) == '\r' {
			line++
		}
		if line < len(s) {
			line++
		}
	}
	return value{start, end, quoted}, end > start
}

// quotedValue is quotedIn for the text.
func (c *Context) quotedValue(i int) (value, bool) {
	v, ok := quotedIn(c.S, i)
	c.Charge(2)
	c.look(v.end - v.start)
	return v, ok
}

// quotedIn returns what is between the quote at i and the next one of its kind and level of escaping. Without an end, the
// value goes on to the next pair, or the end of the line.
func quotedIn(s string, i int) (value, bool) {
	slashes := 0
	for ascii.At(s, i+slashes) == '\\' {
		slashes++
	}
	q := ascii.At(s, i+slashes)
	if ascii.Class[q]&ascii.Quote == 0 {
		return value{}, false
	}
	start := i + slashes + 1
	run := 0
	for j := start; j < len(s); j++ {
		switch {
		case s[j] == '\\':
			run++
			continue
		case s[j] == '\'' && q == '`' && run <= slashes && strings.IndexByte(s[start:j], ' ') < 0 && strings.IndexByte(" ,;.)\n\x00", ascii.At(s, j+1)) >= 0 && strings.IndexByte(s[j:min(len(s), j+maxNameBytes)], '`') < 0:
			return value{start, j, quoted}, j > start // `x', as GNU's programs quote
		case q == '\'' && s[j] == q && run == 0 && (j > start || ascii.At(s, j+1) == q) && doubledQuote(s, j) > 0:
			j += doubledQuote(s, j)
		case s[j] == q && run <= slashes:
			return value{start, j - run, quoted}, j-run > start
		case s[j] == '\n' || j-start > maxValueBytes:
			end := openEnd(s, start, j)
			return value{start, end, quoted}, end > start
		}
		run = 0
	}
	end := openEnd(s, start, len(s))
	return value{start, end, quoted}, end > start && ascii.HasAlnum(s[start:end])
}

// openEnd returns where a value in s[start:end] ends that begins with a quote and has no other: where an option or a pair follows.
func openEnd(s string, start, end int) int {
	for k := start; k < end; k++ {
		if s[k] == ' ' && (ascii.At(s, k+1) == '-' && ascii.At(s, k+2) == '-' && ascii.Is(s, k+3, ascii.Alpha) || pairAt(s, k+1) && s[ascii.Span(s, k+1, ascii.Ident)] == '=') {
			return k
		}
	}
	return end
}

// doubledQuote returns how many bytes after the apostrophe at i belong to it if it stands for one in the quotes around it: two of them as in
// YAML and SQL, or as shells need it, closed, escaped and opened again. A closing one must follow in the line.
func doubledQuote(s string, i int) int {
	n := 0
	switch {
	case ascii.At(s, i+1) == '\'' && ascii.At(s, i+2) > ' ' && strings.IndexByte(",;:)]}\"\\'", s[i+2]) < 0:
		n = 1
	case ascii.At(s, i+1) == '\\' && ascii.At(s, i+2) == '\'' && ascii.At(s, i+3) == '\'':
		n = 3
	default:
		return 0
	}
	for k := i + n + 1; k < len(s) && k-i < maxNameBytes && s[k] != '\n'; k++ {
		if s[k] == '\'' {
			return n
		}
	}
	return 0
}

// bareEnd is unquotedEnd, with the answer for values inside the last one remembered: key=key=key= is looked through once.
func (c *Context) bareEnd(i int) int {
	if i <= c.memo.values.bareFrom || i >= c.memo.values.bareTo {
		around := &c.around
		around.begin(c.S, i)
		c.memo.values.bareFrom, c.memo.values.bareTo = i, unquotedEnd(c.S, i, around)
		c.look(c.memo.values.bareTo - i + around.looked)
	}
	return c.memo.values.bareTo
}

// unquotedEnd returns the end of the bare value at i: it stops at a space, at a bracket or quote that closes what was opened before
// it, at a tag, and at a comma, semicolon or ampersand that separates it from something else. All else may be part of a password.
func unquotedEnd(s string, i int, around *enclosure) int {
	if n := MarkerLen(s, i); n > 0 && (i+n == len(s) || ascii.Class[s[i+n]]&ascii.Alnum == 0 && s[i+n] < 0x80) {
		return i + n
	}
	open := 0
	j := i
	for ; j < len(s); j++ {
		b := s[j]
		switch {
		case ascii.Class[b]&ascii.Alnum != 0 || b >= 0x80:
			continue
		case ascii.Class[b]&ascii.Space != 0 || b < 0x20:
			return j
		case ascii.Class[b]&ascii.Quote != 0:
			if around.endsAt(j) || j == i+2 && ascii.HasPrefixFold(s, i, "3d") { // of =3D"x", where the equals sign is encoded
				return j
			}
		case b == '<':
			if tagAt(s, j) || j == i && !random(s, j+1) {
				return j
			}
		case b == '>':
			if next := ascii.At(s, j+1); !random(s, j+1) && (j == i || next == '>' || next == '/' || next == '&' || ascii.Is(s, j+1, ascii.LowerCase) && strings.IndexByte(s[j:min(len(s), j+maxNameBytes)], '.') > 0) || around.closes(b, j) {
				return j // and what follows is a file
			}
		case b == '(' || b == '[' || b == '{':
			open++
		case b == ')' || b == ']' || b == '}':
			if open == 0 {
				if around.closes(b, j) {
					return j
				}
				continue
			}
			open--
		case b == '\\' && ascii.At(s, j+1) == '\\':
			k := j
			for ascii.At(s, k+1) == '\\' {
				k++
			}
			if ascii.Is(s, k+1, ascii.Quote) && around.endsAt(k+1) || strings.IndexByte("nrt", ascii.At(s, k+1)) >= 0 && !random(s, k+2) {
				return j
			}
			j = k
		case b == '\\' && ascii.Is(s, j+1, ascii.Quote):
			if around.endsAt(j + 1) {
				return j
			}
			j++
		case b == '\\' && strings.IndexByte("nrt", ascii.At(s, j+1)) >= 0:
			if !random(s, j+2) {
				return j
			}
		case b == '#' && escapedControl(s, j) || b == '^' && caretNotation(s, j):
			return j
		case strings.IndexByte("|^~!#/:.", b) >= 0 && pairAt(s, j+1) && listed(s, i, j+1):
			return j
		case b == '|' && (j+1 == len(s) || s[j+1] == '|' && !random(s, j+2) || ascii.Class[s[j+1]]&ascii.Space != 0):
			return j
		case b == ',' || b == ';' || b == '&':
			if j+1 == len(s) || ascii.Class[s[j+1]]&(ascii.Space|ascii.Quote) != 0 || b == '&' && s[j+1] == '&' && !random(s, j+2) {
				return j
			}
			k := ascii.Span(s, j+1, ascii.Ident)
			if k > j+1 && k < len(s) && (s[k] == '=' || s[k] == ':') && listed(s, i, j+1) {
				return j
			}
			if (s[j+1] == '}' || s[j+1] == ')' || s[j+1] == ']') && (open > 0 || around.closes(s[j+1], j+1)) {
				return j
			}
		}
	}
	return j
}

// enclosure is what has been opened before the place at in s and not been closed: found out when it is first asked for.
type enclosure struct {
	s          string
	at, looked int
	done       int // where the search has come to, or 0
	lineFrom   int
	open       [4]uint16 // brackets, by bracketKind
	quotes     [3]uint8  // of the line, by kind: the bit of so many backslashes before them is whether their number is odd
	known, cut bool
}

const (
	maxEnclosing = 1024 // bytes before a value in which something is looked for that encloses it
	maxEscaped   = 7    // backslashes before a quote
)

// begin says that the value at i of s is asked for next. What has been found out of the text before is kept.
func (e *enclosure) begin(s string, i int) { e.s, e.at, e.looked, e.known = s, i, 0, false }

// look finds out what is open.
func (e *enclosure) look() {
	from := e.done
	if from == 0 || from > e.at || e.at-from > maxEnclosing {
		from = max(0, e.at-maxEnclosing)
		*e = enclosure{s: e.s, at: e.at, cut: from > 0}
	}
	e.known, e.done = true, e.at
	e.looked += e.at - from
	run := 0
	for k := from; k < e.at; k++ {
		b := e.s[k]
		switch {
		case b == '\\':
			run++
			continue
		case b == '\n':
			e.quotes = [3]uint8{}
			e.lineFrom = k + 1
		case ascii.Class[b]&ascii.Quote != 0:
			if run <= maxEscaped && (b != '\'' || run > 0 || !ascii.Is(e.s, k-1, ascii.Alpha) || !ascii.Is(e.s, k+1, ascii.Alpha)) {
				e.quotes[quoteKind(b)] ^= 1 << run
			}
		case b == '(' || b == '[' || b == '{' || b == '<' && (ascii.Is(e.s, k+1, ascii.Alpha) || ascii.At(e.s, k+1) == '/'):
			e.open[bracketKind(b)]++
		case b == ')' || b == ']' || b == '}' || b == '>':
			e.open[bracketKind(b)] -= min(1, e.open[bracketKind(b)])
		}
		run = 0
	}
}

// closes reports whether the bracket at j closes what was opened before, or stands where sentences and lists end.
func (e *enclosure) closes(b byte, j int) bool {
	if !e.known {
		e.look()
	}
	return e.open[bracketKind(b)] > 0 && !closedLater(e.s, j) || e.cut && e.open == [4]uint16{} || ends(e.s, j+1) ||
		ascii.At(e.s, j+1) == ',' && strings.IndexByte("{[(\"'", ascii.At(e.s, j+2)) >= 0
}

// closedLater reports whether another bracket before the next blank closes what the one at j could close, and a part of a password is between:
// f(password=x)Y2z).
func closedLater(s string, j int) bool {
	if !ascii.Is(s, j+1, ascii.Alnum) || !random(s, j+1) {
		return false
	}
	depth := 0
	for k := j + 1; k < len(s) && k-j < maxNameBytes && s[k] > ' '; k++ {
		switch {
		case s[k] == s[j] && depth == 0:
			return true
		case s[k] == s[j]:
			depth--
		case bracketKind(s[k]) == bracketKind(s[j]) && strings.IndexByte("([{<", s[k]) >= 0:
			depth++
		}
	}
	return false
}

// endsAt reports whether the quote at j, with the backslashes before it, closes one that was opened before, or stands where sentences and
// lists end.
func (e *enclosure) endsAt(j int) bool {
	if !e.known {
		e.look()
	}
	run := 0
	for j-run > e.at && e.s[j-run-1] == '\\' {
		run++
	}
	if run <= maxEscaped && e.quotes[quoteKind(e.s[j])]>>run&1 != 0 {
		return !e.cut || e.lineFrom > 0 || !ascii.Is(e.s, j+1, ascii.Alnum)
	}
	// How many there are says nothing where a string in another one is shown without its backslashes.
	return ends(e.s, j+1) || strings.IndexByte(",;:)]}", ascii.At(e.s, j+1)) >= 0
}

// ends reports whether nothing follows at i but marks, and then a blank or a quote, or the end.
func ends(s string, i int) bool {
	for i < len(s) && strings.IndexByte(",;:.)]}>\"'`\\", s[i]) >= 0 {
		i++
	}
	return i == len(s) || s[i] <= ' '
}

func bracketKind(b byte) int {
	switch b {
	case '(', ')':
		return 0
	case '[', ']':
		return 1
	case '{', '}':
		return 2
	}
	return 3
}

func quoteKind(b byte) int {
	switch b {
	case '"':
		return 0
	case '\'':
		return 1
	}
	return 2
}

// tagAt reports whether a tag of markup begins at i: </name>, <name>, <br/>, <!--.
func tagAt(s string, i int) bool {
	k := i + 1
	switch ascii.At(s, k) {
	case '!', '?':
		return strings.IndexByte("-[xD", ascii.At(s, k+1)) >= 0
	case '/':
		end := ascii.Span(s, k+1, ascii.Ident|ascii.Run)
		return end > k+1 && ascii.At(s, end) == '>'
	}
	if !ascii.Is(s, k, ascii.Alpha) {
		return ascii.HasPrefixFold(s, k, "0x") && ascii.At(s, ascii.Span(s, k+2, ascii.HexDigit)) == '>' // <0x0a>, for a control character
	}
	end := ascii.Span(s, k, ascii.Ident|ascii.Run)
	for end < len(s) && s[end] == ':' {
		end = ascii.Span(s, end+1, ascii.Ident|ascii.Run)
	}
	switch ascii.At(s, end) {
	case '>':
		// One letter, or a name that does not begin like those of markup, is rather a part of a password.
		return keyLike(s, k) && (ascii.Is(s, k, ascii.LowerCase) || caseChanges(s[k:end]) == 0 && !ascii.Is(s, end+1, ascii.Alnum)) && (end-k > 2 || end-k == 2 && in(shortTags, s[k:end]) || !ascii.Is(s, end+1, ascii.Alnum))
	case ' ':
		return keyLike(s, k) && pairAt(s, end+1) && strings.IndexByte(s[end:min(len(s), end+maxReference)], '>') > 0
	}
	return false
}

var shortTags = newWords("br hr td tr li em dd dt")

// caretNotation reports whether a control character is written at i as terminals show it, and nothing of a value follows: ^M.
func caretNotation(s string, i int) bool {
	for ascii.At(s, i) == '^' && ascii.Is(s, i+1, ascii.UpperCase) {
		i += 2
	}
	return i == len(s) || s[i-1] != '^' && (s[i] <= ' ' || ascii.Class[s[i]]&ascii.Quote != 0)
}

// keyLike reports whether the word at i could be the name of something: words in one case, or whose capitals show where they begin, with
// digits behind them.
func keyLike(s string, i int) bool {
	end := ascii.Span(s, i, ascii.Ident)
	digits := false
	for k := i; k < end; k++ {
		cl := ascii.Class[s[k]]
		switch {
		case cl&ascii.Digit != 0:
			digits = true
		case cl&ascii.Alpha == 0:
			digits = false
		case digits:
			return false // a letter behind a digit
		}
	}
	word := strings.TrimRight(s[i:end], "0123456789")
	if !ascii.Is(word, 0, ascii.Alpha) && ascii.At(word, 0) != '_' {
		return false
	}
	if caseChanges(word) < 2 {
		return caseChanges(word) == 0 || ascii.Is(word, 0, ascii.UpperCase) || len(word) > 3
	}
	return caseChanges(word)*3 <= len(word)
}

// listed reports whether the name at k, behind a separator, is the next one in a list to which the value at i belongs: its operator is the
// one before that value, or it is no word that a password could hold by chance.
func listed(s string, i, k int) bool {
	if !keyLike(s, k) {
		return false
	}
	end := ascii.Span(s, k, ascii.Ident)
	word := s[k:end]
	if s[end] == ascii.At(s, i-1) {
		return end-k > 2 || caseChanges(word) == 0 && !ascii.Is(word, 0, ascii.UpperCase) || s[end] == '='
	}
	if s[end] == ':' && !ascii.Is(s, end+1, ascii.Alnum|ascii.Quote|ascii.Space) {
		return false
	}
	return end-k > 3 || end-k > 1 && caseChanges(word) == 0 && !ascii.Is(word, 0, ascii.UpperCase) && s[end] == '='
}

// random reports whether what stands at i up to the next blank or quote is no word, path or pair: letters and digits.
func random(s string, i int) bool {
	end := i
	for end < len(s) && end-i < maxNameBytes && s[end] > ' ' && ascii.Class[s[end]]&ascii.Quote == 0 && s[end] != '\\' {
		end++
	}
	word := s[i:end]
	return !strings.HasSuffix(word, ":") && (Mixed(word) || caseChanges(word) > 1 && !camelWords(word[:ascii.Span(word, 0, ascii.Alpha)])) && !isTime(word) && !pairAt(s, i) && !isURL(word) && word[0] != '/'
}

// bracketEnd returns the end of the bracketed value at i.
func bracketEnd(s string, i int) int {
	depth := 0
	for j := i; j < len(s); j++ {
		switch s[j] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				if s[j] == '}' && ascii.At(s, j+1) == '}' && bracedRest(s, i, j) > 0 {
					return bracedRest(s, i, j)
				}
				return j + 1
			}
		}
		if j-i > maxValueBytes {
			return j
		}
	}
	return len(s)
}

// bracedRest returns the end of a value of ODBC in braces that starts at i, in which a brace is written twice at j: PWD={a;b}}c};. It
// returns 0 if the value holds what other brackets hold, and the second brace is that of something around it.
func bracedRest(s string, i, j int) int {
	if strings.ContainsAny(s[i+1:j], "\"':,{") {
		return 0
	}
	for k := j + 2; k < len(s) && k-j < maxNameBytes; k++ {
		switch {
		case s[k] == '}' && ascii.At(s, k+1) == '}':
			k++
		case s[k] == '}':
			return k + 1
		case s[k] == ';' || ascii.Class[s[k]]&(ascii.Quote|ascii.Space) != 0:
			return 0
		}
	}
	return 0
}

// escapedControl reports whether a control character stands at i as other programs escape it: #012.
func escapedControl(s string, i int) bool {
	return ascii.At(s, i+1) == '0' && (ascii.At(s, i+2) == '0' || ascii.At(s, i+2) == '1' || ascii.At(s, i+2) == '3') &&
		ascii.At(s, i+3) >= '0' && ascii.At(s, i+3) <= '7'
}

// pairAt reports whether another name with a value begins at i: name=x, name="x", name:x.
func pairAt(s string, i int) bool {
	end := ascii.Span(s, i, ascii.Ident)
	if end-i < 2 || end-i > maxNameBytes || !ascii.Is(s, i, ascii.Alpha) || ascii.At(s, end) != '=' && (ascii.At(s, end) != ':' || ascii.At(s, i-1) == ':') {
		return false
	}
	return ascii.Is(s, end+1, ascii.Alnum|ascii.Quote) || end+1 == len(s) && ascii.At(s, end) == ':'
}
