// SPDX-License-Identifier: Apache-2.0

package rules

import "github.com/logseal/logseal/pkg/redact/internal/ascii"

// What this package's users write in the place of a match.
const (
	MarkerStart    = "[REDACTED:"
	PseudonymStart = "[ps:"
	MaxRuleName    = 32

	maxPseudonym = 128
)

// MarkerLen returns the length of the text at i if it has the form of a marker or pseudonym of ours, or 0.
func MarkerLen(s string, i int) int {
	if n := len(MarkerStart); len(s)-i > n && s[i:i+n] == MarkerStart {
		for j := i + n; j < len(s) && j-i-n <= MaxRuleName; j++ {
			if s[j] == ']' {
				return j + 1 - i
			}
			if ascii.Class[s[j]]&(ascii.LowerCase|ascii.Digit) == 0 && s[j] != '_' {
				return 0
			}
		}
		return 0
	}
	if n := len(PseudonymStart); len(s)-i > n && s[i:i+n] == PseudonymStart {
		for j := i + n; j < len(s) && j-i < maxPseudonym; j++ {
			if s[j] == ']' {
				return j + 1 - i
			}
			if ascii.Class[s[j]]&ascii.Alnum == 0 && s[j] != '_' && s[j] != ':' {
				return 0
			}
		}
	}
	return 0
}

// markers recognises what an earlier pass has written, so that a second pass changes nothing. A marker must name a rule, and a
// pseudonym must carry the proof that it was made with our key: text that only looks like one is examined as any other.
var markers = &Detector{At: literals("[redacted:", "[ps:"), Free: true, Find: func(c *Context, _ ID, i int) int {
	n := MarkerLen(c.S, i)
	if n == 0 || !c.sink.Marker(i, i+n) {
		return 0
	}
	return i + n
}}
