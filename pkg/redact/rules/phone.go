// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

var rulePhone = newID("phone")

var _ = register(rulePhone, Rule{
	Pack: PII,
	Detectors: []*Detector{
		digits,
		{At: []Trigger{behind(prefilter.Not(prefilter.Class(ascii.Alnum)), prefilter.Bytes("0"), prefilter.Bytes("123456789"), prefilter.Bytes("0123456789 -./"))}, Find: detectSpread},
		{At: []Trigger{sets(prefilter.Bytes("+"), prefilter.Bytes("123456789("), prefilter.Bytes("0123456789 ()-."))}, Find: detectPlus},
		{At: []Trigger{sets(prefilter.Bytes("("), prefilter.Bytes("0123456789+"), prefilter.Digits)}, Find: detectParen},
		{Extra: 4, At: literals("phone", "tel", "cell", "call", "fax", "contact", "whatsapp", "sms", "dial", "msisdn", "handy", "mobil", "number", "reach", "text me"), Find: detectPhoneWord},
	},
	Canonical: func(b byte) (byte, bool) { return b, ascii.Class[b]&ascii.Digit != 0 || b == '+' || b == 'x' },
	Gone: []Example{
		{"call +44 20 7946 0958", "20 7946 0958"},
		{"phone (555) 123-4567", "123-4567"},
		{"020 7946 0958", "7946 0958"},
		{"555-123-4567", "123-4567"},
		{"msisdn=447700900123", "447700900123"},
	},
	Stay:        []string{"2026-11-23 04:10:55", "10.20.30.40:8080", "phone support ticket 1234567", "tel aviv 2026"},
	Takes:       "E.164; North American 3-3-4; national numbers with a leading zero; any grouping after a word such as phone, call, tel",
	ValidatedBy: "lengths, grouping, not a date or an address",
	Misses:      "national forms without zero, plus or word (`612 345 678`)",
	OverMatches: "formatted numbers of ten digits that are none",
	Source:      "ITU-T E.164; the national plans",
})

// Telephone numbers come in three strengths: with a plus sign (E.164), in a national form that little else has
// (North American 3-3-4, or a leading zero and groups), and anything of the right length after a word such as "phone".

const (
	minPhone = 7
	maxPhone = 15
)

// numberAt takes the number at i apart, as far as it may be a telephone number.
func (c *Context) numberAt(i int) *number {
	n := &c.numbers[1]
	n.parse(c.S[:min(len(c.S), i+maxNumberBytes)], i)
	c.Charge(1)
	return n
}

// integerLimits are the largest integers of 32 bits, and what comes behind them.
var integerLimits = set("2147483647 2147483648 4294967295 4294967296")

// detectPlus examines what follows a plus sign: a number of E.164, with or without separators.
func detectPlus(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.Is(s, i-1, ascii.Alnum) || ascii.At(s, i-1) == '+' {
		return 0
	}
	start := i + 1
	if ascii.At(s, start) == '(' {
		start++
	}
	if !ascii.Is(s, start, ascii.Digit) || s[start] == '0' {
		return 0 // no country's code begins with 0: +0100 is a time zone
	}
	n := c.numberAt(start)
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
	if ascii.Is(s, end, ascii.Alpha) && ascii.At(s, end) != 'x' || groups < n.n && groups == 1 && n.g[0].sepEnd == n.g[0].end {
		return 0
	}
	if d < 8 || groups == 1 && d < 9 {
		return 0
	}
	if groups == 2 && s[n.g[0].end:n.g[0].sepEnd] == "." || groups == 1 && ascii.At(s, end) == ' ' && unitAt(s, end+1) {
		return 0 // a fraction, a difference: +1234.5678, +123456789 bytes
	}
	if groups == 1 && integerLimits[s[start:end]] {
		return 0
	}
	c.Offer(rulePhone, i, extension(s, end))
	return end
}

// detectParen examines a number that starts with an area code in parentheses: (555) 123-4567, (0141) 496 0123.
func detectParen(c *Context, _ ID, i int) int {
	s := c.S
	start := i + 1
	if ascii.At(s, start) == '+' {
		start++
	}
	end := ascii.Span(s, start, ascii.Digit)
	if end-start < 2 || end-start > 5 || ascii.At(s, end) != ')' {
		return 0
	}
	n := c.numberAt(start)
	d := 0
	k := 0
	for ; k < n.n && k < 6 && d+n.g[k].end-n.g[k].start <= 12; k++ {
		d += n.g[k].end - n.g[k].start
	}
	if k < 2 || d < 9 || ascii.Is(s, n.g[k-1].end, ascii.Alnum) && ascii.ToLower(ascii.At(s, n.g[k-1].end)) != 'x' {
		return 0
	}
	c.Offer(rulePhone, i, extension(s, n.g[k-1].end))
	return n.g[k-1].end
}

// phone looks for a telephone number that starts with group g and returns the group after it, or g.
func (c *Context) phone(n *number, g int) int {
	s, first := c.S, n.g[g].start
	if ascii.Is(s, first-1, ascii.Alnum) || ascii.At(s, first-1) == '_' || ascii.At(s, first-1) == '=' && n.n == 1 {
		return g
	}
	if c.ticket(first) {
		return g
	}
	if k := c.northAmerican(n, g); k > g {
		return k
	}
	if g != 0 || c.numberContinues(n) {
		return g
	}
	size := func(i int) int { return n.g[i].end - n.g[i].start }
	if n.n == 3 && size(0) == 4 && size(1) == 4 && size(2) == 4 && s[n.g[0].end] == '.' && s[n.g[1].end] == '.' {
		return g // the address of a network card, as Cisco writes it
	}
	d := 0
	for k := range n.n {
		if k > 0 && size(k) < 2 && size(k-1) < 2 {
			return g
		}
		d += size(k)
	}
	switch {
	case s[first] == '0' && ascii.At(s, first+1) != '0' && n.n >= 2 && n.n <= 6 && size(0) >= 2 && size(0) <= 6 && (d == 10 || d == 11 || d == 9 && n.n >= 3):
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
		c.Offer(rulePhone, first, extension(s, n.end()))
		return n.n
	case s[first] == '0' && ascii.At(s, first+1) == '0' && n.n >= 3 && d >= 11 && d <= maxPhone:
		// The international prefix 00 in place of the plus.
		c.Offer(rulePhone, first, extension(s, n.end()))
		return n.n
	}
	return g
}

// ticketWords stand before numbers that are grouped like those of telephones and are none.
var ticketWords = set("order orders ref reference ticket case invoice incident issue id no nr serial sku part model item tracking batch lot build version " +
	"rev revision po rma job task req request error code account contract policy claim range balance delta offset seq ack docket isbn ean upc asin")

// ticket reports whether the word right before i says that a number is something else.
func (c *Context) ticket(i int) bool {
	s := c.S
	j := i
	for j > 0 && i-j < 4 && strings.IndexByte(" #:=.\"'", s[j-1]) >= 0 {
		j--
	}
	end := j
	for j > 0 && end-j < 16 && ascii.Class[s[j-1]]&ascii.Alpha != 0 {
		j--
	}
	return end > j && ticketWords[ascii.LowerString(s[j:end])]
}

// numberContinues reports whether more of the same follows or precedes the number, as in a date and time.
func (c *Context) numberContinues(n *number) bool {
	s, first, end := c.S, n.g[0].start, n.end()
	switch ascii.At(s, first-1) {
	case '-', '.', '/', '_', '#', '+', '$', '@':
		return true
	case ':', ',':
		if ascii.Is(s, first-2, ascii.Digit) {
			return true // a time, or a number with a comma in it
		}
	}
	switch ascii.At(s, end) {
	case ':', '_', '/', '%', '=', '@':
		return true
	case '-', '.':
		return ascii.Is(s, end+1, ascii.Alnum)
	case ',':
		return ascii.Is(s, end+1, ascii.Digit) && n.n < 2
	}
	return ascii.Is(s, end, ascii.Alnum) && ascii.ToLower(s[end]) != 'x'
}

// northAmerican looks for 3-3-4 digits, with a country code before them or not.
func (c *Context) northAmerican(n *number, g int) int {
	s := c.S
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
	switch ascii.At(s, n.g[g].start-1) {
	case '.', '-', '/', ':', '#', '$':
		return g
	}
	if k+3 < n.n && s[d.end:d.sepEnd] == sep2 && sep2 != " " {
		return g
	}
	if ascii.Is(s, d.end, ascii.Alnum) && ascii.ToLower(s[d.end]) != 'x' || ascii.At(s, d.end) == '_' {
		return g
	}
	c.Offer(rulePhone, n.g[g].start, extension(s, d.end))
	return k + 3
}

// extension returns the end of an extension ("x123", " ext. 123") that starts at i, or i.
func extension(s string, i int) int {
	j := i
	for j < len(s) && j-i < 2 && s[j] == ' ' {
		j++
	}
	switch {
	case ascii.HasPrefixFold(s, j, "ext"):
		j += 3
		if ascii.At(s, j) == '.' {
			j++
		}
		for j < len(s) && s[j] == ' ' && j-i < 10 {
			j++
		}
	case ascii.HasPrefixFold(s, j, "x"):
		j++
	default:
		return i
	}
	end := ascii.Span(s, j, ascii.Digit)
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
func detectPhoneWord(c *Context, _ ID, i int) int {
	s := c.S
	word := i
	for ascii.Is(s, word, ascii.Alpha) {
		if word++; word-i > 24 {
			return 0
		}
	}
	strong := false
	switch ascii.ToLower(s[i]) {
	case 'p', 't', 'f', 'w', 'm', 'h', 's', 'd':
		strong = true
	}
	if ascii.At(s, i-1) == 'i' && s[i] == 'P' && !ascii.Is(s, i-2, ascii.Alpha) {
		return 0 // the iPhone of user agents
	}
	// The word itself: telephone, phone_number, mobilePhone, and not hotel or television.
	if w := s[i:word]; ascii.HasPrefixFold(w, 0, "tel") && !telWord(w) || ascii.Is(s, i-1, ascii.Alpha) && !ascii.HasPrefixFold(w, 0, "phone") && !ascii.HasPrefixFold(w, 0, "number") {
		return 0
	}
	limit := 14
	if strong {
		limit = 26
	}
	j := word
	for j < len(s) && j-word < limit && ascii.Class[s[j]]&ascii.Digit == 0 && s[j] != '+' && s[j] != '(' && s[j] != '\n' && s[j] != '[' {
		j++
	}
	if j == len(s) || j-word == limit {
		return 0
	}
	if s[j] == '+' || s[j] == '(' {
		for ascii.At(s, j) == '+' || ascii.At(s, j) == '(' {
			j++
		}
	}
	if !ascii.Is(s, j, ascii.Digit) || ascii.Is(s, j-1, ascii.Alpha) || ascii.At(s, j-1) == '_' {
		return 0
	}
	n := c.numberAt(j)
	d := 0
	for k := 0; k < n.n && d <= maxPhone; k++ {
		d += n.g[k].end - n.g[k].start
	}
	if d < minPhone || d > maxPhone || n.n > 7 || ascii.At(s, n.end()) == ':' || ascii.Is(s, n.end(), ascii.Alpha) && ascii.ToLower(s[n.end()]) != 'x' {
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
	c.Offer(rulePhone, start, extension(s, n.end()))
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
	return len(w) == 3 || ascii.HasPrefixFold(w, 3, "e") && len(w) == 4 || ascii.HasPrefixFold(w, 3, "ephone") || ascii.HasPrefixFold(w, 3, "efon") ||
		ascii.HasPrefixFold(w, 3, "no") || ascii.HasPrefixFold(w, 3, "num")
}
