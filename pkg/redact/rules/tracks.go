// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// What the magnetic stripe or the chip of a card holds.

var ruleTrack = newID("track")

var _ = register(ruleTrack, Rule{
	Pack:      PCI,
	NeverKept: true,
	Detectors: []*Detector{digits, {
		At: []Trigger{
			sets(prefilter.Bytes("%"), prefilter.Bytes("bB"), prefilter.Digits, prefilter.Digits),
			sets(prefilter.Bytes(";"), prefilter.Digits, prefilter.Digits, prefilter.Digits),
		},
		Find:  detectTrack,
		Extra: 4,
	}},
	Gone: []Example{
		{";4111111111111111=29121011000012300?", "29121011000012300"},
		{"%B4111111111111111^DOE/JOHN^29121010000000000000000000000000?", "DOE/JOHN"},
		{"tag 57: 4111111111111111D29122010000012300F", "4111111111111111D29122010000012300"},
		{"B4111111111111111^DOE/JOHN^29121010000000", "DOE/JOHN"},
		{"EMV 57134111111111111111D29122010000012300F5F3401", "4111111111111111D29122010000012300"},
	},
	Stay:        []string{";4111=2912", "%B4^a^b?", "hash 57134111111111111112d29122010000012300f5"},
	Takes:       "tracks 1 and 2, also without their sentinels, and in the tags 57 and 9F6B of EMV in hexadecimal",
	ValidatedBy: "card number; sentinel, or expiry date and service code behind it",
	Source:      "ISO/IEC 7813; EMV 4.3 book 3, annex A; PCI DSS 4.0, 3.3.1.1",
})

// detectTrack examines the data of a magnetic stripe: %B number ^ name ^ ... ? and ; number = ... ?
func detectTrack(c *Context, _ ID, i int) int {
	start := i + 1
	if c.S[i] == '%' {
		start = i + 2
	}
	return c.track(i, start, ascii.Span(c.S, start, ascii.Digit))
}

// bareTrack examines digits behind a B as track 1 without its sentinel.
func (c *Context) bareTrack(digits *group) bool {
	i := digits.start - 1
	return ascii.ToLower(ascii.At(c.S, i)) == 'b' && !ascii.Is(c.S, i-1, ascii.Alnum) && ascii.At(c.S, digits.end) == '^' && c.track(i, digits.start, digits.end) > 0
}

// track examines the track that begins at i, whose card number is S[start:end], and returns its end, or 0.
func (c *Context) track(i, start, end int) int {
	s := c.S
	if end-start < minPAN || end-start > maxPAN {
		return 0
	}
	c.Charge(costOfCheck)
	var buf [maxPAN]byte
	if !validPAN(buf[:copy(buf[:], s[start:end])]) {
		return 0
	}
	switch ascii.At(s, end) {
	case '^':
		k := strings.IndexByte(s[end+1:min(len(s), end+40)], '^')
		if k < 0 {
			return 0
		}
		end += k + 2
	case '=', 'D':
		end++
	default:
		return 0
	}
	end = c.span(end, ascii.Digit|ascii.Alpha)
	if ascii.At(s, end) == '?' {
		end++
	}
	c.Offer(ruleTrack, i, end)
	return end
}

// trackEnd returns the end of track 2 of which the card number ends at i, or 0: a separator, the expiry date as YYMM, the service code, what
// the issuer likes. In hexadecimal, as chips have it, the separator is D, and an F fills the last byte.
func trackEnd(s string, i int) int {
	switch ascii.At(s, i) {
	case '=', 'D', 'd':
	default:
		return 0
	}
	end := ascii.Span(s, i+1, ascii.Digit)
	if end-i < 8 || !month(s, i+3) {
		return 0
	}
	if ascii.ToLower(ascii.At(s, end)) == 'f' {
		end++
	}
	if s[i] != '=' && ascii.Is(s, end, ascii.Alnum) && !ascii.Is(s, end, ascii.HexDigit) {
		return 0
	}
	return end
}

// cardInTag looks for a card number among the digits of the group as chips have it: in hexadecimal, behind a tag (5A, or 57 and 9F6B for
// track 2) and the length of what follows in bytes.
func (c *Context) cardInTag(digits *group) bool {
	s := c.S
	for i := digits.start; i+minPAN <= digits.end && i < digits.start+maxTagDigits; i++ {
		length, tag := int(hexByte(s, i-2)), hexByte(s, i-4)
		if length < minPAN/2 || length > maxPAN || i+2*length > len(s) || tag != 0x5a && tag != 0x57 && (tag != 0x6b || hexByte(s, i-6) != 0x9f) {
			continue
		}
		end := i + 2*length
		stop := ascii.Span(s[:min(len(s), i+maxPAN+1)], i, ascii.Digit)
		var buf [maxPAN]byte
		switch {
		case tag == 0x5a && (stop >= end || stop == end-1 && ascii.ToLower(s[stop]) == 'f'):
			if n := min(stop, end) - i; n <= maxPAN && c.Charge(costOfCheck) && validPAN(buf[:copy(buf[:], s[i:i+n])]) {
				c.Offer(PAN, i, i+n)
				return true
			}
		case tag != 0x5a && stop-i <= maxPAN && ascii.ToLower(ascii.At(s, stop)) == 'd':
			if track := trackEnd(s, stop); track > 0 && c.Charge(costOfCheck) && validPAN(buf[:copy(buf[:], s[i:stop])]) {
				c.Offer(ruleTrack, i, min(end, len(s)))
				return true
			}
		}
	}
	return false
}

const maxTagDigits = 64 // of a run of digits, so many are looked at for a tag

// hexByte reads two hexadecimal digits at i, or returns -1.
func hexByte(s string, i int) int16 {
	if !ascii.Is(s, i, ascii.HexDigit) || !ascii.Is(s, i+1, ascii.HexDigit) {
		return -1
	}
	return int16(ascii.HexValue(s[i]))<<4 | int16(ascii.HexValue(s[i+1]))
}

// spacedTags finds such tags where a space, or the plus sign that forms write for it, stands between the bytes: 5A 08 47 16 ...
var spacedTags = &Detector{Free: true, Find: detectSpacedTag, At: []Trigger{sets(prefilter.Bytes("5"), prefilter.Bytes("7aA"), prefilter.Bytes(" +"), prefilter.Bytes("01"))}}

func detectSpacedTag(c *Context, _ ID, i int) int {
	s := c.S
	length := int(hexByte(s, i+3))
	if ascii.Is(s, i-1, ascii.Alnum) || length < minPAN/2 || length > maxPAN {
		return 0
	}
	start, end := i+len("5A 08 "), 0
	var buf [maxPAN]byte
	n, whole := 0, false
	for k := start; length > 0 && hexByte(s, k) >= 0 && s[k-1] == s[i+2]; k += len("47 ") {
		for _, b := range []byte(s[k : k+2]) {
			whole = whole || ascii.Class[b]&ascii.Digit == 0
			if !whole && n < len(buf) {
				buf[n] = b
				n++
			}
		}
		end = k + 2
		length--
	}
	if n < minPAN || !c.Charge(costOfCheck) || !validPAN(buf[:n]) {
		return 0
	}
	c.Offer(PAN, start, end)
	return end
}
