// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// expected finds what a script of expect sends where a password is asked for, or what looks like one: send "x\\r", also as expect prints it
// itself (send: sending "x\\r"); and the key of an access point that iwconfig takes in letters.
var expected = &Detector{Extra: 4, At: literals("end \"", "d -- \"", "{ exp", "ey s:"), Find: detectSent}

func detectSent(c *Context, _ ID, i int) int {
	s := c.S
	// The triggers are the ends of words that begin like many.
	if ascii.ToLower(s[i]) == 'e' && ascii.ToLower(s[i+1]) == 'y' {
		if !ascii.HasSuffixFold(s, i, " k") {
			return 0
		}
		from := i + len("ey s:")
		end := from
		for end < len(s) && end-from < maxNameBytes && ascii.Class[s[end]]&(ascii.Space|ascii.Quote) == 0 {
			end++
		}
		if end-from < 5 {
			return 0
		}
		c.Offer(rulePassword, from, end)
		return end
	}
	if s[i] == '{' {
		from := c.untaken(i, maxNameBytes)
		k := strings.LastIndex(s[from:i], "sending \"")
		if k < 0 {
			return 0
		}
		i = from + k
	} else if !ascii.HasSuffixFold(s, i, "s") && !ascii.HasSuffixFold(s, i, "sen") {
		return 0
	}
	from := i
	for ascii.Class[ascii.At(s, from)]&ascii.Quote == 0 {
		from++
	}
	from++
	end := from
	for end < len(s) && end-from < maxNameBytes && ascii.Class[s[end]]&(ascii.Space|ascii.Quote) == 0 && (s[end] != '\\' || strings.IndexByte("rn\\", ascii.At(s, end+1)) < 0) {
		end++
	}
	v := s[from:end]
	if b := ascii.At(s, end); b != '\\' && b != s[from-1] || len(v) < 4 || placeholder(v) || v[0] == '-' || v[0] == '/' {
		return 0
	}
	if before := s[max(0, i-maxNameBytes):i]; !passwordLike(v) && (!ascii.ContainsFold(before, "assword") && !ascii.ContainsFold(before, "passphrase") || ascii.Is(s, end+1, ascii.Alnum) && s[end] == s[from-1]) {
		return 0
	}
	c.Offer(rulePassword, from, end)
	return end
}
