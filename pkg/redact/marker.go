// SPDX-License-Identifier: Apache-2.0

package redact

import "github.com/logseal/logseal/pkg/redact/rules"

// Markers that stand for something else than a rule's match.
const (
	markLimit   = "[REDACTED:limit]"
	markFailure = "[REDACTED:failure]"
)

func maskOf(id string) string { return rules.MarkerStart + id + "]" }

// withoutMarkers returns s without what has the form of a marker.
func withoutMarkers(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] != '[' {
			continue
		}
		if n := rules.MarkerLen(s, i); n > 0 {
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
