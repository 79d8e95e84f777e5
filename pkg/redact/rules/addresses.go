// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"net/netip"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

var (
	ruleIPv4 = newID("ipv4")
	ruleIPv6 = newID("ipv6")
	ruleMAC  = newID("mac")
)

// colons finds addresses with colons in them.
var colons = &Detector{At: literals(":"), Find: detectColon}

var _ = register(ruleIPv4, Rule{
	Pack: PII, Off: true,
	Detectors:   []*Detector{{At: []Trigger{sets(prefilter.Digits)}, Find: detectIPv4}},
	Gone:        []Example{{"from 203.0.113.7 port", "203.0.113.7"}},
	Stay:        []string{"v1.2.3.4.5"},
	Takes:       "IPv4 addresses",
	ValidatedBy: "parsed",
	OverMatches: "four-part version numbers",
	Source:      "RFC 791",
})

var _ = register(ruleIPv6, Rule{
	Pack: PII, Off: true,
	Detectors:   []*Detector{colons},
	Canonical:   folded,
	Gone:        []Example{{"from 2001:db8::7334 port", "2001:db8::7334"}},
	Stay:        []string{"12:30:45", "std::vector"},
	Takes:       "IPv6 addresses",
	ValidatedBy: "parsed",
	Source:      "RFC 4291",
})

var _ = register(ruleMAC, Rule{
	Pack: PII, Off: true,
	Detectors:   []*Detector{colons},
	Canonical:   folded,
	Gone:        []Example{{"eth0 00:16:3e:5e:6c:0a up", "00:16:3e:5e:6c:0a"}},
	Stay:        []string{"wwn 50:06:01:60:3b:20:19:48 up"},
	Takes:       "MAC addresses",
	ValidatedBy: "six pairs; eight are a World Wide Name",
	Source:      "IEEE 802",
})

// detectIPv4 examines a dotted address whose first digit is at i.
func detectIPv4(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.Is(s, i-1, ascii.Alnum) || ascii.At(s, i-1) == '.' || ascii.At(s, i-1) == '-' {
		return 0
	}
	end := i
	for end < len(s) && end-i < 15 && (ascii.Class[s[end]]&ascii.Digit != 0 || s[end] == '.') {
		end++
	}
	for end > i && s[end-1] == '.' {
		end--
	}
	if ascii.Is(s, end, ascii.Alnum) || ascii.At(s, end) == '.' && ascii.Is(s, end+1, ascii.Digit) {
		return 0
	}
	if a, err := netip.ParseAddr(s[i:end]); err == nil && a.Is4() {
		c.Offer(ruleIPv4, i, end)
		return end
	}
	return 0
}

// detectColon examines the IPv6 or MAC address around a colon. Eight pairs of hexadecimal digits are a World Wide Name, not
// an address.
func detectColon(c *Context, _ ID, i int) int {
	s := c.S
	start := i
	for start > c.taken && i-start < 39 && (ascii.Class[s[start-1]]&ascii.HexDigit != 0 || s[start-1] == ':') {
		start--
	}
	end := i
	colons := 0
	for end < len(s) && end-start < 46 && (ascii.Class[s[end]]&ascii.HexDigit != 0 || s[end] == ':' || s[end] == '.' && colons >= 2) {
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
	if colons < 2 || ascii.Is(s, start-1, ascii.Alnum) || ascii.Is(s, end, ascii.Alnum) {
		return 0
	}
	text := s[start:end]
	if isPairs(text) {
		if len(text) == 17 {
			c.Offer(ruleMAC, start, end)
		}
		return end
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Is6() && text != "::" {
		c.Offer(ruleIPv6, start, end)
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
