// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/base64"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Credentials in SASL PLAIN (RFC 4616), which are a NUL, the user, a NUL and the password, in base64 or as programs print them; in LDAP's simple
// bind.

var (
	saslPlain   = &Detector{Extra: 8, At: literals("plain"), Find: detectPlain}
	simpleBinds = &Detector{At: literals("ple="), Find: detectSimpleBind}
)

const maxPlain = 192 // bytes from the name of the mechanism to the message

// nuls are how programs print a NUL.
var nuls = []string{"\x00", `\u0000`, `\x00`, `\000`, `\0`, "^@", "%00", "<NUL>", "␀"}

// detectPlain looks for the message behind the name of the mechanism.
func detectPlain(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.Is(s, i-1, ascii.Alpha) && ascii.At(s, i-1) != 'n' { // \n before it may be a line feed
		return 0
	}
	k := i + len("plain")
	if ascii.At(s, i-1) == '{' && ascii.At(s, k) == '}' { // bob:{PLAIN}x of Dovecot
		end := k + 1
		for end < len(s) && end-k < maxNameBytes && ascii.Class[s[end]]&(ascii.Space|ascii.Quote) == 0 && s[end] != ':' && s[end] != '<' {
			end++
		}
		if v := s[k+1 : end]; len(v) < 4 || placeholder(v) || !Mixed(v) && ascii.At(s, i-2) != ':' {
			return 0
		}
		c.Offer(rulePassword, k+1, end)
		return end
	}
	if b := ascii.At(s, k); ascii.Class[b]&ascii.Alnum != 0 || b == '/' || b == '-' && ascii.ToLower(s[i]) == 'p' || ascii.At(s, i-1) == '/' {
		return 0 // text/plain; plain-text
	}
	c.Charge(costOfList)
	end := min(len(s), k+maxPlain)
	c.look(end - k)
	for k < end {
		switch class := ascii.Class[s[k]]; {
		case class&ascii.Run != 0:
			word := ascii.Span(s[:min(len(s), k+maxCommand)], k, ascii.Run)
			// A word of base64 without what another name of a field puts before it: resp=AGV2
			if eq := strings.IndexByte(s[k:word], '='); eq >= 0 && strings.Trim(s[k+eq:word], "=") != "" {
				k += eq + 1
				continue
			}
			if plainMessage(s[k:word]) {
				c.Offer(rulePassword, k, word)
				return word
			}
			k = word
		default:
			if n := nulAt(s, k); n > 0 {
				return c.plainText(k + n)
			}
			k++
		}
	}
	return 0
}

// plainMessage reports whether v is base64 of such a message.
func plainMessage(v string) bool {
	if len(v) < 8 || len(v) > maxCommand {
		return false
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(v, "="))
	if err != nil {
		return false
	}
	n := 0
	for _, x := range b {
		if x == 0 {
			n++
		} else if x < ' ' {
			return false
		}
	}
	return n == 2 && b[len(b)-1] != 0
}

func nulAt(s string, i int) int {
	if b := s[i]; b != 0 && b != '\\' && b != '^' && b != '%' && b != '<' && b < 0x80 {
		return 0
	}
	for _, n := range nuls {
		if strings.HasPrefix(s[i:], n) {
			if next := ascii.At(s, i+len(n)); n == `\0` && ascii.Class[next]&ascii.Digit != 0 {
				continue // another number
			}
			return len(n)
		}
	}
	return 0
}

// plainText offers the password behind the user at i, and the NUL behind that.
func (c *Context) plainText(i int) int {
	s := c.S
	limit := min(len(s), i+maxNameBytes)
	for k := i; k < limit && s[k] > ' ' || k < limit && s[k] == 0; k++ {
		n := nulAt(s, k)
		if n == 0 || k == i {
			continue
		}
		from := k + n
		end := from
		for end < len(s) && end-from < maxNameBytes && s[end] > ' ' && ascii.Class[s[end]]&ascii.Quote == 0 && strings.IndexByte(",)}]", s[end]) < 0 && (s[end] != '\\' || nulAt(s, end) == 0 && strings.IndexByte(`rn"'\`, ascii.At(s, end+1)) < 0) {
			end++
		}
		c.Offer(rulePassword, from, end)
		return end
	}
	return 0
}

// memcachedAuth offers the password in the line below the command at i with which memcached is told a user: set auth 0 0 13.
func (c *Context) memcachedAuth(i int) int {
	s := c.S
	line := lineEnd(s[:min(len(s), i+maxNameBytes)], i)
	fields := strings.Fields(s[i:line])
	if len(fields) < 4 || len(fields) > 5 {
		return 0
	}
	from := ascii.Span(s, line, ascii.Space)
	end := lineEnd(s[:min(len(s), from+maxDialogue)], from)
	user, password, ok := strings.Cut(s[from:end], " ")
	if !ok || user == "" || password == "" || strings.IndexByte(password, ' ') >= 0 {
		return 0
	}
	c.Offer(rulePassword, from+len(user)+1, end)
	return end
}

// detectSimpleBind examines simple='x' of LDAP.
func detectSimpleBind(c *Context, _ ID, i int) int {
	s := c.S
	if !ascii.HasSuffixFold(s, i, "sim") || ascii.Is(s, i-len("sim")-1, ascii.Ident) {
		return 0
	}
	v, ok := c.valueAt(blanks(s, i+len("ple=")), tight)
	if !ok || placeholder(s[v.start:v.end]) || v.ctx != quoted && !Mixed(s[v.start:v.end]) || len(s[v.start:v.end]) < 4 {
		return 0
	}
	before := s[max(0, i-maxDialogue):i]
	if !ascii.ContainsFold(before, "bind") && !ascii.ContainsFold(before, "auth") && !ascii.ContainsFold(before, "ldap") {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}
