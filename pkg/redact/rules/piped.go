// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Passwords that a program reads from its standard input.

var (
	piped  = &Detector{Extra: 12, At: literals("chpasswd", "--stdin", "-stdin", "<<< "), Find: detectPiped}
	echoed = &Detector{Extra: 12, At: literals("echo ", "intf "), Find: detectEchoed}
)

const maxPiped = 128 // bytes from echo to what reads it

// detectPiped examines what is piped into a program that reads a password: echo user:password | chpasswd, echo x | sudo -S.
func detectPiped(c *Context, _ ID, i int) int {
	s := c.S
	accounts := ascii.HasPrefixFold(s, i, "chpasswd")
	if ascii.At(s, i) == '<' {
		return c.hereString(i)
	}
	if accounts {
		if end := c.passwordList(i); end > 0 {
			return end
		}
	}
	from := c.untaken(i, maxPiped)
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
			at = c.span(at+1, ascii.Alpha) + 1
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
	words := strings.Fields(line)
	known := containsFold(line, readers)
	if len(words) == 0 || !known && filters[words[0]] {
		return 0
	}
	if w, _, ok := nextWord(s, blanks(s, i+len("<<<")), len(s)); ok && (known || passwordLike(w.text)) {
		c.whole(w, 0)
	}
	return 0
}

var (
	// readers are in the names and options of programs that read a password.
	readers = []string{"passw", "passphrase", "stdin", "--with-token", "kinit", "cryptsetup", "op signin", "login", "sudo -S", "pass ", "pass-", "secret", "load-key", "openconnect", "smbpasswd", "su -", "vault"}
	// filters are programs that read anything.
	filters = set("grep egrep fgrep zgrep rg sed awk gawk tee cut jq yq tr base64 md5sum sha1sum sha256sum sha512sum cksum xargs wc bc sort uniq head tail rev fold python python3 perl ruby node " +
		"nc ncat mail mailx sendmail logger at batch cat xxd od hexdump column less more socat read test dd sh bash zsh psql mysql sqlite3 crontab while")
)

func containsFold(s string, words []string) bool {
	for _, w := range words {
		if ascii.ContainsFold(s, w) && (w != "sudo -S" || strings.Contains(s, w)) {
			return true
		}
	}
	return false
}

// detectEchoed examines what echo or printf at i pipes into a program, if that reads passwords, or may read anything and it looks like one.
func detectEchoed(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.HasPrefixFold(s, i, "intf") && ascii.HasSuffixFold(s, i, "pr") {
		i -= len("pr") // the trigger is the end of the word, which begins like many
	}
	if ascii.Is(s, i-1, ascii.Ident) && ascii.At(s, i-1) != '/' {
		return 0
	}
	limit := lineEnd(s[:min(len(s), i+maxPiped)], i)
	pipe := strings.Index(s[i:limit], "|")
	if pipe < 0 {
		return 0
	}
	c.Charge(costOfList)
	pipe += i
	reader := s[pipe+1 : lineEnd(s[:min(len(s), pipe+maxNameBytes)], pipe)]
	if k := strings.IndexByte(reader, '|'); k >= 0 {
		reader = reader[:k]
	}
	program := strings.TrimSpace(reader)
	if k := strings.IndexByte(program, ' '); k > 0 {
		program = program[:k]
	}
	program = program[strings.LastIndexByte(program, '/')+1:]
	known := containsFold(reader, readers)
	if program == "" || !known && filters[program] || ascii.HasPrefixFold(program, 0, "chpasswd") {
		return 0
	}
	k := blanks(s, c.span(i, ascii.Alpha))
	for {
		w, next, ok := nextWord(s, k, pipe)
		if !ok || next > pipe { // or its quotes go on behind it
			return 0
		}
		k = next
		if w.text == "" || w.text[0] == '-' && len(w.text) < 4 || strings.HasPrefix(w.text, "%") || strings.HasPrefix(w.text, `\x`) {
			continue // an option, or a format
		}
		if rest := strings.TrimSpace(s[k:pipe]); rest != "" && rest[0] != ';' && rest[0] != ')' {
			return 0
		}
		if v := strings.TrimSuffix(strings.TrimSuffix(w.text, `\n`), `\r`); known && len(v) >= 4 || passwordLike(v) {
			c.whole(w, 0)
		}
		return 0
	}
}

// passwordList offers the passwords in the lists of users behind chpasswd, as cloud-init takes them: list: user:password, a line each.
func (c *Context) passwordList(i int) int {
	s := c.S
	from := i + len("chpasswd")
	k := strings.Index(s[from:min(len(s), from+maxNameBytes)], "list:")
	if k < 0 {
		return 0
	}
	c.Charge(costOfList)
	k += from + len("list:")
	taken := 0
	for limit := min(len(s), k+maxCommand); k < limit; {
		for k < limit && strings.IndexByte(" \t\r\n-|[,\\", s[k]) >= 0 || ascii.Is(s, k, ascii.Quote) {
			if s[k] == '\\' {
				k++ // \n
			}
			k++
		}
		end := k
		for end < limit && ascii.Class[s[end]]&(ascii.Space|ascii.Quote) == 0 && s[end] != ',' && s[end] != ']' && (s[end] != '\\' || ascii.At(s, end+1) != 'n') {
			end++
		}
		colon := ascii.Span(s, k, ascii.Ident)
		if colon >= end || s[colon] != ':' || colon+1 == end {
			break
		}
		if v := s[colon+1 : end]; !placeholder(v) && v != "R" && v != "RANDOM" {
			c.Offer(rulePassword, colon+1, end)
			taken = end
		}
		k = end
	}
	return taken
}
