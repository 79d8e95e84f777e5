// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Passwords that are told by a word before them and their place: the console of game servers, scripts that dial in, password hashes with the
// name of their scheme, logins in the configuration of proxies.

var (
	consoles    = &Detector{Extra: 12, At: literals("rcon "), Find: detectConsole}
	dialScripts = &Detector{Extra: 8, At: []Trigger{sets(prefilter.Class(ascii.Alnum), prefilter.Bytes("^"), prefilter.Bytes("M"), prefilter.Bytes(")"))}, Find: detectDialScript}
	schemed     = &Detector{At: literals("{ssha", "{sha", "{crypt"), Find: detectSchemed}
	ntlmHashes  = &Detector{Extra: 12, At: literals("ntlm"), Find: detectNTLM}
	proxyLogins = &Detector{Extra: 8, At: literals("gin=", "icauth"), Find: detectProxyLogin}
)

// detectConsole examines rcon [challenge] "x" command, as Source and Quake servers log it.
func detectConsole(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.Is(s, i-1, ascii.Ident) {
		return 0
	}
	v, next, ok := dialogueWord(s, i+len("rcon "))
	if ok && v.end-v.start > 4 && ascii.Span(s, v.start, ascii.Digit) == v.end {
		v, next, ok = dialogueWord(s, next)
	}
	t := s[v.start:v.end]
	if !ok || placeholder(t) || v.ctx != quoted && !chosen(t) || ascii.At(s, next) != ' ' && next < len(s) && ascii.Class[s[next]]&ascii.Quote == 0 || strings.IndexByte(t, ' ') >= 0 {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}

// detectDialScript examines what chat(8) says it sends: send (x^M), if a password was asked for. Its last byte is at i.
func detectDialScript(c *Context, _ ID, i int) int {
	s := c.S
	i++ // behind the last byte of what was sent
	from := c.untaken(i, maxNameBytes)
	k := strings.LastIndexByte(s[from:i], '(')
	if k < 0 || !ascii.HasSuffixFold(s, from+k, "send ") {
		return 0
	}
	from += k + 1
	around := s[max(0, from-maxNameBytes):min(len(s), i+maxNameBytes)]
	if v := s[from:i]; len(v) < 4 || strings.HasPrefix(v, "AT") || placeholder(v) || !ascii.ContainsFold(around, "assword") && !passwordLike(v) {
		return 0
	}
	c.Offer(rulePassword, from, i)
	return i
}

// detectSchemed examines a hash with the name of its scheme (RFC 2307): {SSHA}x.
func detectSchemed(c *Context, _ ID, i int) int {
	s := c.S
	from := scheme(s, i)
	if from == i {
		return 0
	}
	end := from
	for end < len(s) && end-from < maxHash && (ascii.Class[s[end]]&ascii.Run != 0 || s[end] == '$' || s[end] == '.') {
		end++
	}
	if end-from < minHash || !Mixed(s[from:end]) {
		return 0
	}
	c.Offer(rulePassword, from, end)
	return end
}

// detectNTLM examines the hash of a password as tools print it: NTLM: 8846f7…, * NTLM : 8846f7…
func detectNTLM(c *Context, _ ID, i int) int {
	s := c.S
	k := i + len("ntlm")
	for limit := min(len(s), k+maxNameBytes); k < limit && s[k] != '\n'; k++ {
		if ascii.Class[s[k]]&ascii.HexDigit == 0 || ascii.Is(s, k-1, ascii.Alnum) {
			continue
		}
		end := ascii.Span(s, k, ascii.HexDigit)
		if end-k == ntHash && !ascii.Is(s, end, ascii.Ident) {
			c.Offer(rulePassword, k, end)
			return end
		}
	}
	return 0
}

// detectProxyLogin examines login=user:password of Squid, and BasicAuth user password or user:password of proxies.
func detectProxyLogin(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.ToLower(s[i]) == 'g' {
		if !ascii.HasSuffixFold(s, i, "lo") {
			return 0
		}
		w, _, ok := nextWord(s, i+len("gin="), min(len(s), i+maxDialogue))
		if ok && c.login(w) {
			return w.end
		}
		return 0
	}
	if !ascii.HasSuffixFold(s, i, "bas") {
		return 0
	}
	k := i + len("icauth")
	k = ascii.Span(s, k, ascii.Quote)
	if op := operator(s, blanks(s, k)); op > 0 {
		k = blanks(s, k) + op
	}
	v, next, ok := dialogueWord(s, k)
	if !ok {
		return 0
	}
	if c.loginAt(v) {
		return v.end
	}
	v, _, ok = dialogueWord(s, next)
	if !ok || !chosen(s[v.start:v.end]) {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}
