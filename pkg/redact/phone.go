// SPDX-License-Identifier: Apache-2.0

package redact

// Telephone numbers come in three strengths: with a plus sign (E.164), in a national form that little else has
// (North American 3-3-4, or a leading zero and groups), and anything of the right length after a word such as "phone".

const (
	minPhone = 7
	maxPhone = 15
)

// detectPlus examines what follows a plus sign: a number of E.164, with or without separators.
func detectPlus(c *scan, i int) int {
	s := c.s
	if is(s, i-1, isAlnum) || at(s, i-1) == '+' {
		return 0
	}
	start := i + 1
	if at(s, start) == '(' {
		start++
	}
	if !is(s, start, isDigit) {
		return 0
	}
	n := &c.w.numbers[1]
	n.parse(s, start)
	d, groups := 0, 0
	end := start
	for groups < n.n && groups < 7 {
		g := n.g[groups]
		if d+g.end-g.start > maxPhone {
			break
		}
		d += g.end - g.start
		end = g.end
		groups++
	}
	if is(s, end, isAlpha) && at(s, end) != 'x' || groups < n.n && groups == 1 && n.g[0].sepEnd == n.g[0].end {
		return 0
	}
	if d < 8 || groups == 1 && d < 9 {
		return 0
	}
	c.add(rulePhone, i, extension(s, end))
	return end
}

// detectParen examines a number that starts with an area code in parentheses: (555) 123-4567, (0141) 496 0123.
func detectParen(c *scan, i int) int {
	s := c.s
	start := i + 1
	if at(s, start) == '+' {
		start++
	}
	end := spanOf(s, start, isDigit)
	if end-start < 2 || end-start > 5 || at(s, end) != ')' {
		return 0
	}
	n := &c.w.numbers[1]
	n.parse(s, start)
	d := 0
	k := 0
	for ; k < n.n && k < 6 && d+n.g[k].end-n.g[k].start <= 12; k++ {
		d += n.g[k].end - n.g[k].start
	}
	if k < 2 || d < 9 || is(s, n.g[k-1].end, isAlnum) && lower(at(s, n.g[k-1].end)) != 'x' {
		return 0
	}
	c.add(rulePhone, i, extension(s, n.g[k-1].end))
	return n.g[k-1].end
}

// phone looks for a telephone number that starts with group g and returns the group after it, or g.
func (c *scan) phone(n *number, g int) int {
	s, first := c.s, n.g[g].start
	if is(s, first-1, isAlnum) || at(s, first-1) == '_' || at(s, first-1) == '=' && n.n == 1 {
		return g
	}
	if k := c.northAmerican(n, g); k > g {
		return k
	}
	if g != 0 || c.numberContinues(n) {
		return g
	}
	size := func(i int) int { return n.g[i].end - n.g[i].start }
	d := 0
	for k := range n.n {
		if k > 0 && size(k) < 2 && size(k-1) < 2 {
			return g
		}
		d += size(k)
	}
	switch {
	case s[first] == '0' && at(s, first+1) != '0' && n.n >= 2 && n.n <= 6 && size(0) >= 2 && size(0) <= 6 && (d == 10 || d == 11 || d == 9 && n.n >= 3):
		// A national number: the trunk prefix, then groups, all but the first separated alike.
		sep := s[n.g[0].end:n.g[0].sepEnd]
		if len(sep) > 1 && sep != " - " || looksLikeDate(s, n) {
			return g
		}
		for k := range n.n - 1 {
			if gr := n.g[k]; gr.sepEnd-gr.end != len(sep) || size(k+1) < 2 || sep == "." && size(k) > 3 {
				return g
			}
		}
		c.add(rulePhone, first, extension(s, n.end()))
		return n.n
	case s[first] == '0' && at(s, first+1) == '0' && n.n >= 3 && d >= 11 && d <= maxPhone:
		// The international prefix 00 in place of the plus.
		c.add(rulePhone, first, extension(s, n.end()))
		return n.n
	}
	return g
}

// numberContinues reports whether more of the same follows or precedes the number, as in a date and time.
func (c *scan) numberContinues(n *number) bool {
	s, first, end := c.s, n.g[0].start, n.end()
	switch at(s, first-1) {
	case '-', '.', '/', '_', '#', '+', '$', '@':
		return true
	case ':', ',':
		if is(s, first-2, isDigit) {
			return true // a time, or a number with a comma in it
		}
	}
	switch at(s, end) {
	case ':', '_', '/', '%', '=', '@':
		return true
	case '-', '.':
		return is(s, end+1, isAlnum)
	case ',':
		return is(s, end+1, isDigit) && n.n < 2
	}
	return is(s, end, isAlnum) && lower(s[end]) != 'x'
}

// northAmerican looks for 3-3-4 digits, with a country code before them or not.
func (c *scan) northAmerican(n *number, g int) int {
	s := c.s
	k := g
	size := func(i int) int { return n.g[i].end - n.g[i].start }
	if k < n.n && (size(k) == 1 && s[n.g[k].start] == '1' || size(k) == 3 && s[n.g[k].start:n.g[k].end] == "001") {
		k++
	}
	if k+3 > n.n || size(k) != 3 || size(k+1) != 3 || size(k+2) != 4 {
		return g
	}
	a, b, d := n.g[k], n.g[k+1], n.g[k+2]
	sep1, sep2 := s[a.end:a.sepEnd], s[b.end:b.sepEnd]
	if len(sep1) > 2 || len(sep2) != 1 || s[a.start] == '0' {
		return g
	}
	if sep2 == "/" || sep2 == "_" || sep2 == " " && (s[a.start] < '2' || s[b.start] < '2') {
		return g
	}
	if g > 0 && sep2 != " " && s[n.g[g-1].end:n.g[g-1].sepEnd] == sep2 {
		return g
	}
	switch at(s, n.g[g].start-1) {
	case '.', '-', '/', ':', '#', '$':
		return g
	}
	if k+3 < n.n && s[d.end:d.sepEnd] == sep2 && sep2 != " " {
		return g
	}
	if is(s, d.end, isAlnum) && lower(s[d.end]) != 'x' || at(s, d.end) == '_' {
		return g
	}
	c.add(rulePhone, n.g[g].start, extension(s, d.end))
	return k + 3
}

// extension returns the end of an extension ("x123", " ext. 123") that starts at i, or i.
func extension(s string, i int) int {
	j := i
	for j < len(s) && j-i < 2 && s[j] == ' ' {
		j++
	}
	switch {
	case foldPrefix(s, j, "ext"):
		j += 3
		if at(s, j) == '.' {
			j++
		}
		for j < len(s) && s[j] == ' ' && j-i < 10 {
			j++
		}
	case foldPrefix(s, j, "x"):
		j++
	default:
		return i
	}
	end := spanOf(s, j, isDigit)
	if end == j || end-j > 6 {
		return i
	}
	return end
}

// looksLikeDate reports whether the number starts with a date: 2026-11-23, 23.11.2026, 05/23/15.
func looksLikeDate(s string, n *number) bool {
	if n.n < 3 {
		return false
	}
	size := func(i int) int { return n.g[i].end - n.g[i].start }
	sep := s[n.g[0].end:n.g[0].sepEnd]
	if sep != s[n.g[1].end:n.g[1].sepEnd] || size(1) != 2 {
		return false
	}
	two := func(i int) int { return int(s[n.g[i].start]-'0')*10 + int(s[n.g[i].start+1]-'0') }
	return size(0) == 4 && two(1) <= 12 && size(2) == 2 ||
		size(0) == 2 && size(2) == 4 && two(0) <= 31 && two(1) <= 31
}

// detectPhoneWord examines the number after a word that announces a telephone number.
func detectPhoneWord(c *scan, i int) int {
	s := c.s
	word := i
	for is(s, word, isAlpha) {
		if word++; word-i > 24 {
			return 0
		}
	}
	strong := false
	switch lower(s[i]) {
	case 'p', 't', 'f', 'w', 'm', 'h', 's', 'd':
		strong = true
	}
	if at(s, i-1) == 'i' && s[i] == 'P' && !is(s, i-2, isAlpha) {
		return 0 // the iPhone of user agents
	}
	// The word itself: telephone, phone_number, mobilePhone, and not hotel or television.
	if w := s[i:word]; foldPrefix(w, 0, "tel") && !telWord(w) || is(s, i-1, isAlpha) && !foldPrefix(w, 0, "phone") && !foldPrefix(w, 0, "number") {
		return 0
	}
	limit := 14
	if strong {
		limit = 26
	}
	j := word
	for j < len(s) && j-word < limit && class[s[j]]&isDigit == 0 && s[j] != '+' && s[j] != '(' && s[j] != '\n' && s[j] != '[' {
		j++
	}
	if j == len(s) || j-word == limit {
		return 0
	}
	if s[j] == '+' || s[j] == '(' {
		for at(s, j) == '+' || at(s, j) == '(' {
			j++
		}
	}
	if !is(s, j, isDigit) || is(s, j-1, isAlpha) || at(s, j-1) == '_' {
		return 0
	}
	n := &c.w.numbers[1]
	n.parse(s, j)
	d := 0
	for k := 0; k < n.n && d <= maxPhone; k++ {
		d += n.g[k].end - n.g[k].start
	}
	if d < minPhone || d > maxPhone || n.n > 7 || at(s, n.end()) == ':' || is(s, n.end(), isAlpha) && lower(s[n.end()]) != 'x' {
		return 0
	}
	if n.n == 1 && d < 9 && spaces(s[word:j]) > 2 {
		return 0 // "phone support ticket 1234567"
	}
	if !strong && n.n == 1 && (d < 9 || d > 12 || s[j] == '1') {
		return 0
	}
	if looksLikeDate(s, n) || looksLikeIP(s, n) {
		return 0
	}
	start := j
	for start > word && (s[start-1] == '+' || s[start-1] == '(') {
		start--
	}
	// A card number after "call" is a card number.
	var digits [maxPhone]byte
	if validPAN(digits[:n.digits(s, 0, digits[:])]) {
		return 0
	}
	c.add(rulePhone, start, extension(s, n.end()))
	return n.end()
}

func spaces(s string) (n int) {
	for i := range len(s) {
		if s[i] == ' ' {
			n++
		}
	}
	return n
}

func looksLikeIP(s string, n *number) bool {
	if n.n != 4 {
		return false
	}
	for k := range 3 {
		if s[n.g[k].end:n.g[k].sepEnd] != "." {
			return false
		}
	}
	return true
}

// telWord reports whether a word that starts with tel is about a telephone.
func telWord(w string) bool {
	return len(w) == 3 || foldPrefix(w, 3, "e") && len(w) == 4 || foldPrefix(w, 3, "ephone") || foldPrefix(w, 3, "efon") ||
		foldPrefix(w, 3, "no") || foldPrefix(w, 3, "num")
}
