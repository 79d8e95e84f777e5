// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Passwords that a program reads from its standard input.

var piped = &Detector{At: literals("chpasswd", "--stdin", "-stdin", "sudo -s", "--with-token", "| kinit", "| cryptsetup", "| passwd", "| pass ", "| smbpasswd", "<<< "), Find: detectPiped}

const maxPiped = 128 // bytes from echo to what reads it

// detectPiped examines what is piped into a program that reads a password: echo user:password | chpasswd, echo x | sudo -S.
func detectPiped(c *Context, _ ID, i int) int {
	s := c.S
	accounts := ascii.HasPrefixFold(s, i, "chpasswd")
	if ascii.HasPrefixFold(s, i, "sudo -s") && ascii.At(s, i+6) != 'S' {
		return 0
	}
	if ascii.At(s, i) == '<' {
		return c.hereString(i)
	}
	from := c.untaken(i, maxPiped)
	if ascii.At(s, i) == '|' {
		i++
	}
	pipe := strings.LastIndexByte(s[from:i], '|')
	at := -1
	if pipe >= 0 {
		pipe += from
		for _, p := range []string{"echo ", "printf "} {
			if k := strings.LastIndex(s[from:pipe], p); k >= 0 && strings.IndexByte(s[from+k:pipe], '\n') < 0 {
				at = from + k + len(p)
			}
		}
		for at > 0 && ascii.At(s, at) == '-' {
			at = ascii.Span(s, at+1, ascii.Alpha) + 1
		}
	} else if here := strings.Index(s[i:min(len(s), i+32)], "<<<"); here >= 0 {
		at, pipe = blanks(s, i+here+3), len(s)
	}
	if at < 0 || at >= pipe {
		return 0
	}
	w, _, ok := nextWord(s, at, pipe)
	if !ok || accounts && strings.IndexByte(w.text, ':') < 0 {
		return 0
	}
	if accounts {
		c.account(w, 0, ':')
	} else {
		c.whole(w, 0)
	}
	return 0
}

// hereString examines what is given to a program that reads a password: vncpasswd -f <<< x. The operator is at i.
func (c *Context) hereString(i int) int {
	s := c.S
	c.Charge(costOfList)
	line := s[c.untaken(i, maxPiped):i]
	if k := strings.LastIndexAny(line, "\n|;"); k >= 0 {
		line = line[k+1:]
	}
	if ascii.ContainsFold(line, "chpasswd") {
		return 0 // it has the name of a user, too
	}
	for _, reads := range []string{"passwd", "password", "passphrase", "stdin", "--with-token", "kinit", "cryptsetup", "op signin", "login"} {
		if !ascii.ContainsFold(line, reads) {
			continue
		}
		if w, _, ok := nextWord(s, blanks(s, i+len("<<<")), len(s)); ok {
			c.whole(w, 0)
		}
		return 0
	}
	return 0
}
