// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"net/netip"
	"strings"
)

// E-mail addresses, bank accounts, network addresses.

const (
	maxLocalPart = 64  // RFC 5321, 4.5.3.1.1
	maxDomain    = 255 // RFC 5321, 4.5.3.1.2
	maxLiteral   = 54  // [IPv6:...]
)

// localChars are the characters of an unquoted local part (RFC 5321 atext and the dot), without those that more often
// delimit an address in a log than belong to one: / = ? { } | ` ' and *.
var localChars = func() (t [256]bool) {
	for c := range 256 {
		t[c] = class[c]&isAlnum != 0 || c >= 0x80
	}
	for _, c := range "!#$%&+-_.~^" {
		t[c] = true
	}
	return t
}()

// detectAt examines the e-mail address around an at sign.
func detectAt(c *scan, i int) int {
	s := c.s
	start := i
	for start > 0 && i-start < maxLocalPart && start > c.taken && localChars[s[start-1]] {
		start--
	}
	// An address starts with a letter or digit, and is not preceded by the rest of a longer one.
	for start < i && class[s[start]]&isAlnum == 0 && s[start] < 0x80 && s[start] != '_' {
		start++
	}
	if start == i {
		start = c.unusualLocalPart(i)
	}
	end := domainEnd(s, i+1)
	if end == 0 && start < i {
		end = addressLiteral(s, i+1)
	}
	if start == i || end == 0 || sshDomains[asciiLower(s[i+1:end])] || unitSuffix[asciiLower(s[strings.LastIndexByte(s[:end], '.')+1:end])] {
		return 0
	}
	c.add(ruleEmail, start, end)
	return end
}

// unusualLocalPart returns where the local part starts that ends before i with a character that more often delimits an address
// than belongs to one: a quoted string, or "a{b}". If there is none, it is i.
func (c *scan) unusualLocalPart(i int) int {
	s := c.s
	floor := max(c.taken, i-maxLocalPart)
	switch at(s, i-1) {
	case '"':
		slashes := 0
		for at(s, i-2-slashes) == '\\' {
			slashes++
		}
		for j := i - 2 - slashes; j >= floor && s[j] >= ' '; j-- {
			if s[j] != '"' {
				continue
			}
			// The inside of the quotes starts and ends with what a name may start and end with.
			if !is(s, j+1, isAlnum) || !is(s, i-2-slashes, isAlnum) {
				return i
			}
			return j
		}
	case '{', '}', '|', '*':
		j := i
		for j > floor && (localChars[s[j-1]] || strings.IndexByte("{}|*", s[j-1]) >= 0) {
			j--
		}
		if is(s, j, isAlnum) {
			return j
		}
	}
	return i
}

// addressLiteral returns the end of an address in brackets at i, in the place of a domain, or 0.
func addressLiteral(s string, i int) int {
	if at(s, i) != '[' {
		return 0
	}
	end := strings.IndexByte(s[i:min(len(s), i+maxLiteral)], ']')
	if end < 0 {
		return 0
	}
	text := s[i+1 : i+end]
	if foldPrefix(text, 0, "ipv6:") {
		text = text[len("ipv6:"):]
	}
	if _, err := netip.ParseAddr(text); err != nil {
		return 0
	}
	return i + end + 1
}

// sshDomains are the domains in names of algorithms (RFC 4251, 6), as sshd logs them: aes128-gcm@openssh.com.
var sshDomains = set("openssh.com libssh.org lysator.liu.se")

// unitSuffix are the types of systemd's units, which are no top-level domains: getty@tty1.service.
var unitSuffix = set("service socket target device mount automount swap timer path slice scope")

// domainEnd returns the end of the domain name at i: labels of letters, digits and dashes, the last one a top-level
// domain of two or more letters. It returns 0 if there is none.
func domainEnd(s string, i int) int {
	good := 0
	for j := i; j < len(s) && j-i < maxDomain; {
		k := j
		alpha := true
		for k < len(s) && k-j < 64 && (class[s[k]]&isAlnum != 0 || s[k] == '-' && k > j || s[k] >= 0x80) {
			alpha = alpha && class[s[k]]&isDigit == 0
			k++
		}
		label := k
		for label > j && s[label-1] == '-' {
			label--
		}
		if label == j {
			break
		}
		if j > i && label-j >= 2 && (alpha || foldPrefix(s, j, "xn--")) {
			good = label
		}
		if k != label || at(s, k) != '.' {
			break
		}
		j = k + 1
	}
	return good
}

// ibanLength maps a country to the length of its account numbers: ISO 13616 registry, and the countries that use the
// form without being in it.
var ibanLength = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AO": 25, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BF": 28, "BG": 22, "BH": 22, "BI": 27, "BJ": 28,
	"BR": 29, "BY": 28, "CF": 27, "CG": 27, "CH": 21, "CI": 28, "CM": 27, "CR": 22, "CV": 25, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
	"DK": 18, "DO": 28, "DZ": 26, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GA": 27, "GB": 22, "GE": 22,
	"GI": 23, "GL": 18, "GQ": 27, "GR": 27, "GT": 28, "GW": 25, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IR": 26,
	"IS": 26, "IT": 27, "JO": 30, "KM": 27, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25,
	"MA": 28, "MC": 27, "MD": 24, "ME": 22, "MG": 27, "MK": 19, "ML": 28, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "MZ": 25, "NE": 28,
	"NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
	"SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SN": 28, "SO": 23, "ST": 25, "SV": 28, "TD": 27, "TG": 28, "TL": 23,
	"TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

// ibanLengths is ibanLength by the letters' places in the alphabet.
var ibanLengths = func() (t [32][32]int) {
	for country, n := range ibanLength {
		t[country[0]&0x1f][country[1]&0x1f] = n
	}
	return t
}()

const (
	minIBAN = 15
	maxIBAN = 34
)

// afterBoundary makes a detector of one that starts a byte later: the trigger's first byte is what may stand before it.
func afterBoundary(d detector) detector {
	return func(c *scan, i int) int { return d(c, i+1) }
}

// detectIBAN examines an account number that starts at i: country, check digits, and as many characters as the country's
// numbers have, in groups or not.
func detectIBAN(c *scan, i int) int {
	s := c.s
	if len(s)-i < 4 || class[s[i]]&isAlpha == 0 || class[s[i+1]]&isAlpha == 0 || is(s, i-1, isAlnum) {
		return 0
	}
	want := ibanLengths[s[i]&0x1f][s[i+1]&0x1f]
	if want == 0 {
		return 0
	}
	var buf [maxIBAN]byte
	n, j := 0, i
	for n < want && j < len(s) {
		b := s[j]
		switch {
		case class[b]&isAlnum != 0:
			if (n == 2 || n == 3) && class[b]&isDigit == 0 {
				return 0 // the check digits
			}
			if class[b]&isLower != 0 {
				b &^= 0x20
			}
			buf[n] = b
			n++
		case (b == ' ' || b == '-' || b == '.' || b == '+') && n >= 2 && is(s, j+1, isAlnum):
		default:
			return 0
		}
		j++
	}
	if n < want || is(s, j, isAlnum) || !mod97(buf[:n]) {
		return 0
	}
	c.add(ruleIBAN, i, j)
	return j
}

// mod97 applies the check of ISO 7064: the first four characters moved to the end, letters as 10 to 35.
func mod97(iban []byte) bool {
	r := uint64(0)
	for _, part := range [2][]byte{iban[4:], iban[:4]} {
		for _, b := range part {
			if b >= 'A' {
				r = r*100 + uint64(b-'A') + 10
			} else {
				r = r*10 + uint64(b-'0')
			}
			// A division takes longer than all else here.
			if r >= 1<<56 {
				r %= 97
			}
		}
	}
	return r%97 == 1
}

// detectIPv4 examines a dotted address whose first digit is at i.
func detectIPv4(c *scan, i int) int {
	s := c.s
	if is(s, i-1, isAlnum) || at(s, i-1) == '.' || at(s, i-1) == '-' {
		return 0
	}
	end := i
	for end < len(s) && end-i < 15 && (class[s[end]]&isDigit != 0 || s[end] == '.') {
		end++
	}
	for end > i && s[end-1] == '.' {
		end--
	}
	if is(s, end, isAlnum) || at(s, end) == '.' && is(s, end+1, isDigit) {
		return 0
	}
	if a, err := netip.ParseAddr(s[i:end]); err == nil && a.Is4() {
		c.add(ruleIPv4, i, end)
		return end
	}
	return 0
}

// detectColon examines the IPv6 or MAC address around a colon. Eight pairs of hexadecimal digits are a World Wide Name, not
// an address.
func detectColon(c *scan, i int) int {
	s := c.s
	start := i
	for start > c.taken && i-start < 39 && (class[s[start-1]]&isHexDigit != 0 || s[start-1] == ':') {
		start--
	}
	end := i
	colons := 0
	for end < len(s) && end-start < 46 && (class[s[end]]&isHexDigit != 0 || s[end] == ':' || s[end] == '.' && colons >= 2) {
		if s[end] == ':' {
			colons++
		}
		end++
	}
	for end > start && s[end-1] == '.' {
		end--
	}
	if end-start > 2 && s[end-1] == ':' && s[end-2] != ':' {
		end--
		colons--
	}
	if colons < 2 || is(s, start-1, isAlnum) || is(s, end, isAlnum) {
		return 0
	}
	text := s[start:end]
	if isPairs(text) {
		if len(text) == 17 {
			c.add(ruleMAC, start, end)
		}
		return end
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Is6() && text != "::" {
		c.add(ruleIPv6, start, end)
		return end
	}
	return 0
}

// isPairs reports whether s is pairs of hexadecimal digits with colons between them.
func isPairs(s string) bool {
	if len(s)%3 != 2 {
		return false
	}
	for i := range s {
		if i%3 == 2 != (s[i] == ':') {
			return false
		}
	}
	return true
}
