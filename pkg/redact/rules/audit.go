// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// detectAudit examines the arguments of a program that the audit daemon has recorded.
func detectAudit(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.HasPrefixFold(s, i, "proctitle=") {
		start := i + len("proctitle=")
		if end := c.span(start, ascii.HexDigit); end-start >= 8 {
			c.sink.Hex(start, end)
		}
		return 0
	}
	k := strings.Index(s[i:min(len(s), i+24)], " a0=")
	if k < 0 || i < c.memo.command.audited {
		return 0
	}
	at := i + k + 1
	w, next, ok := nextWord(s, at, len(s))
	if !ok {
		return 0
	}
	if cl := clientNamed(w.text); cl != nil {
		c.command(cl, next, len(s))
	} else {
		c.command(&client{}, next, len(s))
		c.anyProgram(i + k)
	}
	for at < len(s) && at-i < maxAudit {
		w, next, ok := nextWord(s, at, len(s))
		if !ok {
			break
		}
		c.Charge(costOfWord)
		if w.coded {
			c.sink.Hex(w.start, w.end)
		}
		at = next
	}
	c.memo.command.audited = at
	return 0
}

const maxAudit = 8192
