// SPDX-License-Identifier: Apache-2.0

package redact

// Numbers: card numbers, social security numbers, telephone numbers. They are told apart by how their digits are
// grouped, so a number is first taken apart into groups of digits.

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

func isSep(b byte) bool { return class[b]&isNumSep != 0 }

// parse takes the number apart whose first digit is at i.
func (n *number) parse(s string, i int) {
	k := 0
	for ; ; k++ {
		g := &n.g[k]
		end := i
		for end < len(s) && class[s[end]]&isDigit != 0 {
			end++
		}
		g.start, g.end, g.sepEnd, g.sep = i, end, end, 0
		next, sep := end, uint32(0)
		for next < len(s) && next-end <= maxSep && isSep(s[next]) {
			sep = sep<<8 | uint32(s[next])
			next++
		}
		if k == maxGroups-1 || end-i > maxNumberBytes || next == end || next-end > maxSep || !is(s, next, isDigit) {
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
	for start > floor && is(s, start-1, isDigit) {
		start--
	}
	for {
		j := start
		for j > floor && start-j < 3 && isSep(s[j-1]) {
			j--
		}
		if j == start || j <= floor || !is(s, j-1, isDigit) {
			return start
		}
		for j > floor && is(s, j-1, isDigit) {
			j--
		}
		start = j
	}
}

// detectDigits examines the number that the digit at i is part of. The whole number is consumed.
func detectDigits(c *scan, i int) int {
	s := c.s
	end := i + 4
	for end < len(s) && class[s[end]]&isDigit != 0 {
		end++
	}
	// A few digits alone, such as a year or a size, are the most frequent case by far.
	if end-i < minNumberDigits && !(end+1 < len(s) && class[s[end]]&isNumSep != 0 && class[s[end+1]]&(isDigit|isNumSep) != 0) &&
		!(i > 1 && class[s[i-1]]&isNumSep != 0 && class[s[i-2]]&(isDigit|isNumSep) != 0) {
		return end
	}
	return detectSpread(c, i)
}

// detectSpread examines the number that the digit at i is part of, however its digits are grouped.
func detectSpread(c *scan, i int) int {
	start := numberStart(c.s, i, c.resume)
	if digits, end := countDigits(c.s, start); digits < minNumberDigits {
		return end
	}
	if end := timestampEnd(c.s, start); end > 0 {
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
			if class[b]&isDigit == 0 {
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
	for n := 0; n < 2 && end+1 < len(s) && (s[end] == ':' || s[end] == '.' || s[end] == ',') && class[s[end+1]]&isDigit != 0; n++ {
		end = spanOf(s, end+1, isDigit)
	}
	return end
}

// minNumberDigits is the shortest number that is anything here: a social security number.
const minNumberDigits = 9

// countDigits counts the digits of the number at i, up to minNumberDigits, and returns where it stopped.
func countDigits(s string, i int) (digits, end int) {
	for {
		for i < len(s) && class[s[i]]&isDigit != 0 {
			digits++
			i++
		}
		end = i
		if digits >= minNumberDigits {
			return digits, end
		}
		for i < len(s) && i-end < 3 && isSep(s[i]) {
			i++
		}
		if i == end || !is(s, i, isDigit) {
			return digits, end
		}
	}
}

// number looks for cards, social security numbers and telephone numbers from the digit at start on, and returns the
// end of what it examined.
func (c *scan) number(start int) int {
	s := c.s
	n := &c.w.numbers[0]
	n.parse(s, start)
	for g := 0; g < n.n; {
		if n.n == maxGroups && n.n-g < spareGroups {
			n.parse(s, n.g[g].start)
			g = 0
		}
		if e := c.card(n, g); e > g {
			g = e
			continue
		}
		// Numbers with a sign before them may start in the middle of others.
		end := 0
		switch at(s, n.g[g].start-1) {
		case '+':
			end = detectPlus(c, n.g[g].start-1)
		case '(':
			end = detectParen(c, n.g[g].start-1)
		}
		if end > 0 {
			for g < n.n && n.g[g].start < end {
				g++
			}
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

// brand is a range of card numbers: prefix digits lo to hi, and the lengths issued.
type brand struct {
	digits  int
	lo, hi  uint32
	lengths uint32 // bit n: n digits
}

func lengths(ns ...int) (m uint32) {
	for _, n := range ns {
		m |= 1 << n
	}
	return m
}

// brands are the issuer identification ranges as the schemes publish them (ISO/IEC 7812; see docs/redaction.md).
var brands = []brand{
	{1, 4, 4, lengths(13, 16, 19)},                           // Visa
	{2, 51, 55, lengths(16)},                                 // Mastercard
	{4, 2221, 2720, lengths(16)},                             // Mastercard
	{2, 34, 34, lengths(15)},                                 // American Express
	{2, 37, 37, lengths(15)},                                 // American Express
	{4, 6011, 6011, lengths(16, 19)},                         // Discover
	{3, 644, 649, lengths(16, 19)},                           // Discover
	{2, 65, 65, lengths(16, 19)},                             // Discover, RuPay
	{3, 300, 305, lengths(14, 16)},                           // Diners Club
	{4, 3095, 3095, lengths(14, 16)},                         // Diners Club
	{2, 36, 36, lengths(14, 16)},                             // Diners Club
	{2, 38, 39, lengths(14, 16)},                             // Diners Club
	{4, 3528, 3589, lengths(16, 19)},                         // JCB
	{4, 2131, 2131, lengths(15)},                             // JCB
	{4, 1800, 1800, lengths(15)},                             // JCB
	{2, 62, 62, lengths(16, 17, 18, 19)},                     // UnionPay
	{2, 81, 81, lengths(16)},                                 // UnionPay, RuPay
	{4, 5018, 5018, lengths(12, 13, 14, 15, 16, 17, 18, 19)}, // Maestro
	{4, 5020, 5020, lengths(12, 13, 14, 15, 16, 17, 18, 19)}, // Maestro
	{4, 5038, 5038, lengths(12, 13, 14, 15, 16, 17, 18, 19)}, // Maestro
	{4, 5612, 5612, lengths(12, 13, 14, 15, 16, 17, 18, 19)}, // Maestro
	{4, 5893, 5893, lengths(12, 13, 14, 15, 16, 17, 18, 19)}, // Maestro
	{4, 6304, 6304, lengths(12, 13, 14, 15, 16, 17, 18, 19)}, // Maestro
	{4, 6390, 6390, lengths(12, 13, 14, 15, 16, 17, 18, 19)}, // Maestro
	{4, 6759, 6763, lengths(12, 13, 14, 15, 16, 17, 18, 19)}, // Maestro
	{4, 2200, 2204, lengths(16, 17, 18, 19)},                 // Mir
	{4, 2205, 2205, lengths(16)},                             // BC Card
	{3, 508, 508, lengths(16)},                               // RuPay
	{2, 60, 60, lengths(16)},                                 // RuPay, Hipercard
	{2, 82, 82, lengths(16)},                                 // RuPay
	{4, 5060, 5061, lengths(16, 18, 19)},                     // Verve
	{4, 6500, 6500, lengths(16, 18, 19)},                     // Verve
	{4, 4571, 4571, lengths(16)},                             // Dankort
	{4, 5019, 5019, lengths(16)},                             // Dankort
	{4, 9792, 9792, lengths(16)},                             // Troy
	{4, 5066, 5067, lengths(16)},                             // Elo
	{4, 5041, 5041, lengths(16)},                             // Elo
	{4, 6277, 6277, lengths(16)},                             // Elo
	{4, 5090, 5090, lengths(16)},                             // Elo
	{4, 6362, 6363, lengths(16)},                             // Elo
	{4, 6370, 6370, lengths(16)},                             // Hiper
	{4, 5610, 5610, lengths(16)},                             // Bankcard
	{3, 636, 636, lengths(16, 17, 18, 19)},                   // InterPayment
	{3, 637, 639, lengths(16)},                               // InstaPayment
}

// Card numbers have this many digits.
const (
	minPAN = 12
	maxPAN = 19
)

// panLengths maps the first four digits of a number to the lengths that card numbers with them have, as a set of bits.
var panLengths = func() (t [10_000]uint32) {
	scale := [5]uint32{0, 1000, 100, 10, 1}
	for _, b := range brands {
		for p := b.lo * scale[b.digits]; p < (b.hi+1)*scale[b.digits]; p++ {
			t[p] |= b.lengths
		}
	}
	return t
}()

// issued returns panLengths for the digits, of which there are at least four.
func issued(digits []byte) uint32 {
	p := 0
	for _, d := range digits[:4] {
		p = p*10 + int(d-'0')
	}
	return panLengths[p]
}

// validPAN reports whether digits are a card number: an issuer's range and length, and Luhn's check digit.
func validPAN(digits []byte) bool {
	n := len(digits)
	if n < minPAN || n > maxPAN || issued(digits)&(1<<n) == 0 {
		return false
	}
	same := true
	sum := 0
	for i := range digits {
		d := int(digits[n-1-i] - '0')
		if i&1 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		same = same && digits[i] == digits[0]
	}
	return sum%10 == 0 && !same
}

// card looks for a card number that starts with group g. It returns the group after it, or g.
func (c *scan) card(n *number, g int) int {
	first := &n.g[g]
	if g > 0 && first.size() < 3 && n.g[g-1].size() == first.size() {
		return g // a card number in ones or twos starts where they start
	}
	var digits [maxPAN]byte
	if n.digits(c.s, g, digits[:4]) < 4 {
		return g
	}
	lengths := issued(digits[:])
	if lengths == 0 || !c.freeBefore(n, g) {
		return g
	}
	best := g
	size := 0
	for k := g; k < n.n && (k < g+2 || n.g[k-1].sep == first.sep); k++ {
		if size += n.g[k].size(); size > maxPAN {
			break
		}
		if lengths&(1<<size) == 0 || !c.freeAfter(n, k) || !cardGroups(n, g, k) {
			continue
		}
		n.digits(c.s, g, digits[:size])
		if c.w.work -= workOfCheck; c.w.work >= 0 && validPAN(digits[:size]) && !(k == g && size > 16 && c.isID(first.start)) {
			best = k + 1
		}
	}
	if best == g {
		return g
	}
	c.add(rulePAN, first.start, n.g[best-1].end)
	return best
}

// isID reports whether the number at i is given to a name that ends in id, as numbers of 64 bits for traces and spans are: one in
// a hundred of them is a valid card number of 19 digits.
func (c *scan) isID(i int) bool {
	s := c.s
	for i > 0 && (class[s[i-1]]&(isQuote|isSpace) != 0 || s[i-1] == '\\') {
		i--
	}
	if at(s, i-1) != '=' && at(s, i-1) != ':' {
		return false
	}
	for i--; i > 0 && (class[s[i-1]]&isQuote != 0 || s[i-1] == '\\'); {
		i--
	}
	return foldSuffix(s, i, "id") && (!is(s, i-3, isAlpha) || s[i-2] == 'I')
}

// cardGroups reports whether groups g to k of n are how people write a card number: in one piece, in fours, digit by digit
// or in pairs, in the 4-6-5 and 4-6-4 of American Express and Diners Club, or the 6-13 of UnionPay.
func cardGroups(n *number, g, k int) bool {
	if g == k {
		return true
	}
	size, last := n.g[g].size(), n.g[k].size()
	if k-g == 2 && size == 4 && n.g[g+1].size() == 6 {
		return last == 4 || last == 5
	}
	if k-g == 1 && size == 6 && last == 13 {
		return true
	}
	for i := g + 1; i < k; i++ {
		if n.g[i].size() != size {
			return false
		}
	}
	return last <= size && (size == 4 || size <= 2)
}

// freeBefore reports whether group g starts a number: no letter before it, no fraction, and not the rest of a longer
// number written with the same dashes or dots.
func (c *scan) freeBefore(n *number, g int) bool {
	s, start := c.s, n.g[g].start
	if is(s, start-1, isAlnum) || at(s, start-1) == '_' {
		return false
	}
	if start >= 2 && s[start-1] == '.' && is(s, start-2, isDigit) && n.g[g].end-start > 4 {
		return false
	}
	if at(s, start-1) == '-' && (at(s, start-2) == '_' || n.g[g].end-start > 16) {
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
func (c *scan) freeAfter(n *number, k int) bool {
	s, end := c.s, n.g[k].end
	if is(s, end, isAlnum) || at(s, end) == '_' && is(s, end+1, isAlnum) {
		return false
	}
	if at(s, end) == '.' && is(s, end+1, isDigit) {
		return false
	}
	return at(s, end) != '-' || !is(s, end+1, isDigit)
}

// ssn looks for a US social security number: area, group and serial, as 3-2-4 digits. Spaces and dots need the
// word for it before them.
func (c *scan) ssn(n *number, g int) int {
	s := c.s
	if g+3 > n.n {
		return g
	}
	a, b, d := n.g[g], n.g[g+1], n.g[g+2]
	if a.end-a.start != 3 || b.end-b.start != 2 || d.end-d.start != 4 || b.sep != a.sep {
		return g
	}
	if !c.freeBefore(n, g) || !c.freeAfter(n, g+2) || a.start > 0 && s[a.start-1] == '-' {
		return g
	}
	if s[a.end:a.sepEnd] != "-" && !c.wordBefore(a.start, "ssn", "social") {
		return g
	}
	if !validSSN(s[a.start:a.end], s[b.start:b.end], s[d.start:d.end]) {
		return g
	}
	c.add(ruleSSN, a.start, d.end)
	return g + 3
}

// validSSN applies the rules of the Social Security Administration: no area 000, 666 or above 899, no group 00, no
// serial 0000.
func validSSN(area, group, serial string) bool {
	return area != "000" && area != "666" && area[0] != '9' && group != "00" && serial != "0000"
}

// wordBefore reports whether one of the words, lower case, occurs in the 40 bytes before i.
func (c *scan) wordBefore(i int, words ...string) bool {
	s := c.s[max(0, i-40):i]
	for k := range s {
		for _, w := range words {
			if foldPrefix(s, k, w) {
				return true
			}
		}
	}
	return false
}
