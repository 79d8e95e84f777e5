// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Passwords in SQL.

var identified = &Detector{At: literals("identified "), Find: detectIdentified}

// detectIdentified examines the password in SQL: IDENTIFIED BY '...', IDENTIFIED WITH plugin AS '...'.
func detectIdentified(c *Context, _ ID, i int) int {
	s := c.S
	quote := strings.IndexAny(s[i:min(len(s), i+96)], "'\"")
	if quote < 0 || !ascii.HasSuffixFold(s, i+quote, " by ") && !ascii.HasSuffixFold(s, i+quote, " as ") && !ascii.HasSuffixFold(s, i+quote, " by password ") {
		return 0
	}
	v, ok := quotedValue(s, i+quote)
	if !ok || placeholder(s[v.start:v.end]) {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}
