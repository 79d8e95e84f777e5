// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var (
	PAN          = newID("pan")
	ruleCardCode = newID("card_code")
)

var _ = register(PAN, Rule{
	Pack:      PCI,
	Detectors: []*Detector{digits, spacedTags},
	Canonical: onlyDigits,
	Gone: []Example{
		{"card 4111 1111 1111 1111", "4111 1111 1111 1111"},
		{"paid 4111111111111111 ok", "4111111111111111"},
		{"3782 822463 10005", "822463"},
		{"4111-1111-1111-1111", "4111-1111"},
		{"card:4.716108999716531e+15 x", "4.716108999716531e+15"},
		{"row: 17,4111111111111111.0,12.0", "4111111111111111"},
		{"4111111111111111-12-27", "4111111111111111"},
		{"5A0841111111111111115F2403", "4111111111111111"},
		{"5A 08 41 11 11 11 11 11 11 11 5F 24 03", "41 11 11 11 11 11 11 11"},
	},
	Stay:  []string{"id 94111111111111111111", "x4111111111111111y", "ratio 0.4111111111111111", "4111 1111 1111 1112", "4.716108999716530e+15", "hash 5a09411111111111111115f2"},
	Takes: "card numbers of Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay, Maestro, Mir, RuPay, Verve, Troy, Elo and others; in one piece, in fours, 4-6-5, 4-6-4, 6-13, digit by digit from the start of the digits on; space, dash, dot, NBSP between; as numbers, also with a fraction of zeros or an exponent (`4.1e+15`); with an expiry date behind; tag 5A of EMV in hexadecimal",

	ValidatedBy: "issuer range and length, Luhn, boundaries; not inside longer numbers, fractions, negative numbers over 16 digits; over 16 digits not given to a name that ends in `id`",
	Misses:      "other groupings",
	OverMatches: "one in about thirty numbers of an issuer's range and length is valid by chance",
	Source:      "ISO/IEC 7812; the schemes' ranges",
})

var _ = register(ruleCardCode, Rule{
	Pack:      PCI,
	NeverKept: true,
	Names: []Names{
		{Words: "cvv cvc cvn cav securitycode", Strength: Hard},
		{Endings: "cvv cvc", Strength: Hard},
		{Words: "csc", Alone: true, Strength: Hard},
		{Words: "cid", Behind: "card", Strength: Hard},
		{Words: "code", Behind: "security", Strength: Hard},
		{Words: "code", Behind: "verification", BehindThat: "card", Strength: Hard},
	},
	Gone: []Example{{"cvv: 737", "737"}, {`{"cvc": "1234"}`, "1234"}, {"security code: 737", "737"}, {"csc=737", "737"}, {"card ends 4242 cvv 737 exp 12/27", "737"}},
	Stay: []string{"cvv 12345", "exit code: 137", "verification code sent"},

	Takes:       "CVV, CVC, CAV2, security code",
	ValidatedBy: "name and 3 or 4 digits",
	Misses:      "without a name",
	Source:      "PCI DSS 4.0, 3.3.1.2",
})

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
	return luhn(digits)
}

// luhn reports whether the check digit is right, and the digits are not all the same.
func luhn(digits []byte) bool {
	sum, differ := uint32(0), byte(0)
	i := len(digits) & 1
	if i == 1 {
		sum = uint32(digits[0] - '0')
		differ = digits[0] ^ digits[1]
	}
	for ; i < len(digits)-1; i += 2 {
		sum += uint32(doubled[digits[i]&15] + digits[i+1] - '0')
		differ |= (digits[i] ^ digits[0]) | (digits[i+1] ^ digits[0])
	}
	return sum%10 == 0 && differ != 0
}

// doubled is the sum of the digits of twice a digit.
var doubled = [16]byte{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}

// card looks for a card number that starts with group g. It returns the group after it, or g.
func (c *Context) card(n *number, g int) int {
	first := &n.g[g]
	if first.size() >= minPAN && (first.size() > maxPAN || ascii.Is(c.S, first.start-1, ascii.Alpha) || ascii.Is(c.S, first.end, ascii.Alpha)) {
		if c.cardInTag(first) || c.bareTrack(first) {
			return g + 1
		}
	}
	if g > 0 && first.size() < 3 && n.g[g-1].size() == first.size() {
		return g // a card number in ones or twos starts where they start
	}
	if first.size() == 1 && g+1 < n.n {
		if k := c.floatCard(n, g); k > g {
			return k
		}
	}
	if !n.mayBeCard(g) {
		return g
	}
	var digits [maxPAN]byte
	if n.digits(c.S, g, digits[:4]) < 4 {
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
		end := n.g[k].end
		if lengths&(1<<size) == 0 || !c.freeAfter(n, k) && !fractionOfZeros(c.S, end) && expiry(c.S, end) == 0 && trackEnd(c.S, end) == 0 || !cardGroups(n, g, k) {
			continue
		}
		n.digits(c.S, g, digits[:size])
		if c.Charge(costOfCheck) && luhn(digits[:size]) && !(k == g && size > 16 && c.isID(first.start)) {
			best = k + 1
		}
	}
	if best == g {
		return g
	}
	end := n.g[best-1].end
	switch track := trackEnd(c.S, end); {
	case track > 0:
		c.Offer(ruleTrack, first.start, track)
		for best < n.n && n.g[best].start < track {
			best++
		}
	default:
		c.Offer(PAN, first.start, end)
		c.codeBehind(end)
	}
	return best
}

// mayBeCard reports whether the sizes of the first groups from g on are those of a card number; see cardGroups.
func (n *number) mayBeCard(g int) bool {
	switch size := n.g[g].size(); {
	case size >= minPAN:
		return true
	case size == 6:
		return g+1 < n.n && n.g[g+1].size() == 13
	case size == 4:
		if g+2 >= n.n {
			return false
		}
		next := n.g[g+1].size()
		return next == 4 || next == 6
	case size <= 2:
		return g+5 < n.n && n.g[g+1].size() == size && n.g[g+2].size() == size && n.g[g+3].size() == size && n.g[g+4].size() == size
	}
	return false
}

// floatCard looks for a card number that starts with group g and is written as a float: 4.716108999716531e+15. It returns the group
// after it, or g.
func (c *Context) floatCard(n *number, g int) int {
	s, fraction := c.S, &n.g[g+1]
	end := fraction.end
	if n.g[g].sepEnd-n.g[g].end != 1 || s[n.g[g].end] != '.' || fraction.size() < minFraction || ascii.ToLower(ascii.At(s, end)) != 'e' || !c.freeBefore(n, g) {
		return g
	}
	if end++; ascii.At(s, end) == '+' {
		end++
	}
	// Two digits: 11 to 18.
	if ascii.At(s, end) != '1' || !ascii.Is(s, end+1, ascii.Digit) || ascii.Is(s, end+2, ascii.Alnum) || ascii.At(s, end+2) == '.' && ascii.Is(s, end+3, ascii.Digit) {
		return g
	}
	size := 11 + int(s[end+1]-'0')
	end += 2
	if size > maxPAN || 1+fraction.size() > size {
		return g
	}
	digits := [maxPAN]byte{s[n.g[g].start]}
	for i := copy(digits[1:], s[fraction.start:fraction.end]) + 1; i < size; i++ {
		digits[i] = '0'
	}
	if !c.Charge(costOfCheck) || !validPAN(digits[:size]) {
		return g
	}
	c.Offer(PAN, n.g[g].start, end)
	for k := g + 1; ; k++ {
		if k == n.n || n.g[k].start >= end {
			return k
		}
	}
}

const minFraction = 8 // digits, of a card number as a float

// fractionOfZeros reports whether the digits that end at i are followed by nothing but a fraction of zeros, as of a float or a decimal.
func fractionOfZeros(s string, i int) bool {
	if ascii.At(s, i) != '.' || ascii.At(s, i+1) != '0' {
		return false
	}
	for i++; ascii.At(s, i) == '0'; i++ {
	}
	return !ascii.Is(s, i, ascii.Alnum) && ascii.At(s, i) != '.' && ascii.At(s, i) != '_'
}

// expiry returns the end of the date of expiry behind a card number that ends at i, with a dash or an underscore between, or 0: -12-27,
// -12/27, -1227, -2712, _122027.
func expiry(s string, i int) int {
	if ascii.At(s, i) != '-' && ascii.At(s, i) != '_' {
		return 0
	}
	i++
	end := ascii.Span(s, i, ascii.Digit)
	switch end - i {
	case 2:
		if sep := ascii.At(s, end); sep == 0 || sep == ' ' || ascii.Is(s, end, ascii.Alnum) || !month(s, i) {
			return 0
		}
		year := end + 1
		end = ascii.Span(s, year, ascii.Digit)
		if end-year != 2 && (end-year != 4 || s[year:year+2] != "20") {
			return 0
		}
	case 4:
		if !month(s, i) && !month(s, i+2) {
			return 0
		}
	case 6:
		if !(month(s, i) && s[i+2:i+4] == "20") && !(s[i:i+2] == "20" && month(s, i+4)) {
			return 0
		}
	default:
		return 0
	}
	if ascii.Is(s, end, ascii.Alnum) || ascii.At(s, end) == '-' && ascii.Is(s, end+1, ascii.Digit) {
		return 0
	}
	return end
}

// month reports whether the two digits at i are a month.
func month(s string, i int) bool {
	return ascii.At(s, i) == '0' && ascii.At(s, i+1) >= '1' && ascii.Is(s, i+1, ascii.Digit) || ascii.At(s, i) == '1' && ascii.At(s, i+1) >= '0' && ascii.At(s, i+1) <= '2'
}

// codeBehind offers the card code that stands behind a card number which ends at i and its date of expiry, all between the same
// separators: |12|2027|737.
func (c *Context) codeBehind(i int) {
	s := c.S
	sep := ascii.At(s, i)
	if sep == 0 || strings.IndexByte("|:;,/ ", sep) < 0 || !month(s, i+1) {
		return
	}
	i += 3
	if b := ascii.At(s, i); b == sep || b == '/' || b == '-' {
		i++
	}
	year := ascii.Span(s, i, ascii.Digit)
	if n := year - i; n != 2 && (n != 4 || s[i:i+2] != "20") || ascii.At(s, year) != sep {
		return
	}
	if end := ascii.Span(s, year+1, ascii.Digit); (end-year == 4 || end-year == 5) && !ascii.Is(s, end, ascii.Alnum) && ascii.At(s, end) != '.' {
		c.Offer(ruleCardCode, year+1, end)
	}
}

// isID reports whether the number at i is given to a name that ends in id, as numbers of 64 bits for traces and spans are: one in
// a hundred of them is a valid card number of 19 digits.
func (c *Context) isID(i int) bool {
	s := c.S
	for i > 0 && (ascii.Class[s[i-1]]&(ascii.Quote|ascii.Space) != 0 || s[i-1] == '\\') {
		i--
	}
	if ascii.At(s, i-1) != '=' && ascii.At(s, i-1) != ':' {
		return false
	}
	for i--; i > 0 && (ascii.Class[s[i-1]]&ascii.Quote != 0 || s[i-1] == '\\'); {
		i--
	}
	return ascii.HasSuffixFold(s, i, "id") && (!ascii.Is(s, i-3, ascii.Alpha) || s[i-2] == 'I')
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
