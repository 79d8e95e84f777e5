// SPDX-License-Identifier: Apache-2.0

package redact

const (
	markerStart    = "[REDACTED:"
	pseudonymStart = "[ps:"
	maxRuleName    = 32
)

// Markers that stand for something else than a rule's match.
const (
	markLimit   = "[REDACTED:limit]"
	markFailure = "[REDACTED:failure]"
)

func maskOf(id string) string { return markerStart + id + "]" }

// markerLen returns the length of the text at i if it has the form of a marker or pseudonym of ours, or 0.
func markerLen(s string, i int) int {
	if n := len(markerStart); len(s)-i > n && s[i:i+n] == markerStart {
		for j := i + n; j < len(s) && j-i-n <= maxRuleName; j++ {
			if s[j] == ']' {
				return j + 1 - i
			}
			if class[s[j]]&(isLower|isDigit) == 0 && s[j] != '_' {
				return 0
			}
		}
		return 0
	}
	if n := len(pseudonymStart); len(s)-i > n && s[i:i+n] == pseudonymStart {
		for j := i + n; j < len(s) && j-i < maxPseudonym; j++ {
			if s[j] == ']' {
				return j + 1 - i
			}
			if class[s[j]]&isAlnum == 0 && s[j] != '_' && s[j] != ':' {
				return 0
			}
		}
	}
	return 0
}

// detectMarker recognises what an earlier pass has written, so that a second pass changes nothing. A marker must name
// a rule, and a pseudonym must carry the proof that it was made with our key: text that only looks like one is
// examined as any other.
func detectMarker(c *scan, i int) int {
	n := markerLen(c.s, i)
	if n == 0 || !c.w.e.isOurs(c.s[i:i+n]) {
		return 0
	}
	c.kept = append(c.kept, span{start: i, end: i + n})
	return i + n
}

// withoutMarkers returns s without what has the form of a marker.
func withoutMarkers(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] != '[' {
			continue
		}
		if n := markerLen(s, i); n > 0 {
			return s[:i] + withoutMarkers(s[i+n:])
		}
	}
	return s
}

// isOurs reports whether m, which has the form of a marker, is one.
func (e *Engine) isOurs(m string) bool {
	if m[1] == 'R' {
		return e.marks[m]
	}
	for i := range e.rules {
		if p := e.rules[i].pseudonym; p != nil && p.verify(m) {
			return true
		}
	}
	return false
}
