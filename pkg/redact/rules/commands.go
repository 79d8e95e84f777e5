// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Passwords on command lines.

var (
	httpClients     = &Detector{At: literals("curl", "wget"), Find: detectCurl}
	userFlags       = &Detector{At: literals(" -u", "--user", "--proxy-user"), Find: detectUserFlag}
	databaseClients = &Detector{At: literals(passwordClients...), Find: detectClient}
	passwordFlags   = &Detector{At: literals(" -p", " -a "), Find: detectPasswordFlag}
)

// commandMemo is where the last name of an HTTP client, and of a client that takes -p, stand; -1 is nowhere.
type commandMemo struct{ curl, client int }

// detectCurl notes an HTTP client that takes -u.
func detectCurl(c *Context, _ ID, i int) int {
	c.memo.command.curl = i
	return 0
}

// detectClient notes a client that takes -p or -a, and examines -w of ldapsearch.
func detectClient(c *Context, _ ID, i int) int {
	s := c.S
	c.memo.command.client = i
	if ascii.HasPrefixFold(s, i, "ldap") {
		command := s[i:min(len(s), i+maxCommand)]
		if w := strings.Index(command, " -w "); w >= 0 && w < lineEnd(command, 0) {
			return c.flagValue(i + w + len(" -w "))
		}
	}
	return 0
}

// detectUserFlag examines -u user:password and --user user:password of curl: the password is redacted, and the user
// where it is the only one of the two.
func detectUserFlag(c *Context, _ ID, i int) int {
	s := c.S
	if c.memo.command.curl < 0 {
		return 0
	}
	j := i
	for ascii.At(s, j) == ' ' || ascii.At(s, j) == '-' {
		j++
	}
	word := ascii.Span(s, j, ascii.Ident)
	if ascii.At(s, i) != '-' && word-j != 1 && !ascii.HasPrefixFold(s, j, "user") {
		if ascii.At(s, i) == ' ' && word-j > 1 && !ascii.Is(s, i-1, ascii.Alnum) {
			word = j + 1 // -uuser:password
		} else {
			return 0
		}
	}
	j = word
	if ascii.At(s, j) == '=' {
		j++
	}
	j = ascii.Span(s, j, ascii.Space)
	start := j
	end := shellWordEnd(s, j)
	k := strings.IndexByte(s[start:end], ':')
	if k < 0 {
		return 0
	}
	k += start
	pass, passEnd := k+1, end
	for pass < passEnd && ascii.Class[s[pass]]&ascii.Quote != 0 {
		pass++
	}
	for passEnd > pass && ascii.Class[s[passEnd-1]]&ascii.Quote != 0 {
		passEnd--
	}
	user := strings.Trim(s[start:k], "\"'`")
	switch {
	case pass == passEnd && user != "" && !placeholder(user) && len(user) >= 8 && Mixed(user):
		u := start + strings.Index(s[start:k], user)
		c.Offer(rulePassword, u, u+len(user))
	case pass < passEnd && !placeholder(s[pass:passEnd]) && ascii.At(s, pass) != '$' && ascii.At(s, pass) != '<':
		c.Offer(rulePassword, pass, passEnd)
	default:
		return 0
	}
	return end
}

// shellWordEnd returns the end of the shell word at i, with its quotes.
func shellWordEnd(s string, i int) int {
	var q byte
	for ; i < len(s); i++ {
		switch {
		case q != 0:
			if s[i] == q {
				q = 0
			} else if s[i] == '\n' {
				return i
			}
		case ascii.Class[s[i]]&ascii.Quote != 0:
			q = s[i]
		case ascii.Class[s[i]]&ascii.Space != 0:
			return i
		}
	}
	return i
}

// Clients that take a password in -p, joined to it or not, and in -a.
var passwordClients = []string{
	"mysql", "mariadb", "sshpass", "mongo", "docker login", "podman login", "redis-cli", "ldapsearch", "sqlcmd",
}

const maxCommand = 96 // bytes from a client's name to its password

// detectPasswordFlag examines -p password and -ppassword of clients that take one.
func detectPasswordFlag(c *Context, _ ID, i int) int {
	s := c.S
	if c.memo.command.client < 0 || i-c.memo.command.client > maxCommand || strings.ContainsAny(s[c.memo.command.client:i], "\n|;") || s[i+2] == 'P' ||
		(ascii.ToLower(s[i+2]) == 'a') != ascii.HasPrefixFold(s, c.memo.command.client, "redis-cli") {
		return 0
	}
	j := i + 3
	if ascii.At(s, j) == ' ' {
		j++
	}
	return c.flagValue(j)
}

// flagValue examines the password of a flag: the shell word at j.
func (c *Context) flagValue(j int) int {
	s := c.S
	end := shellWordEnd(s, j)
	for j < end && ascii.Class[s[j]]&ascii.Quote != 0 {
		j++
	}
	e := end
	for e > j && ascii.Class[s[e-1]]&ascii.Quote != 0 {
		e--
	}
	if e == j || s[j] == '-' || placeholder(s[j:e]) {
		return 0
	}
	c.Offer(rulePassword, j, e)
	return end
}
