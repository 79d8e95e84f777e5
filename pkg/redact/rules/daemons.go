// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Secrets that are told by their place in a line of a daemon's configuration: Net-SNMP, NTP, PPP, Postfix, TACACS+; in a line of passwd or of
// a dump of Windows' hashes.

var (
	snmpdLines = &Detector{At: literals("teuser ", "com2sec", "sink ", "hcommunity "), Find: detectSnmpd}
	ntpKeys    = &Detector{At: append(literals(" sha1 ", " sha256 ", " sha512 ", " sha384 ", " md5 ", " aes128 "),
		behind(prefilter.Bytes("\n\x00"), prefilter.Class(ascii.Digit), prefilter.Bytes(" "), prefilter.Bytes("M"))), Find: detectNTPKey}
	pppSecrets = &Detector{At: append(literals("pptpd", "l2tpd", "ap-secrets", " * \""),
		sets(prefilter.Bytes(" \t"), prefilter.Bytes("*"), prefilter.Bytes(" \t"), prefilter.Class(ascii.Alnum))), Find: detectPPPSecret}
	relayLogin = &Detector{At: literals("]:587 ", "]:587\t", "]:25 "), Find: detectRelayLogin}
	passwdLine = &Detector{At: literals(":/bin/", ":/usr/"), Find: detectPasswdLine}
	ntHashes   = &Detector{At: literals(":::"), Find: detectNTHashes}
	cleartext  = &Detector{Extra: 8, At: literals("= cleartext "), Find: detectCleartext}
)

// snmpWords are the words that stand before a pass phrase in createUser.
var snmpWords = set("md5 sha sha-128 sha-192 sha-224 sha-256 sha-384 sha-512 sha128 sha192 sha224 sha256 sha384 sha512 des aes aes-128 aes-192 aes-256 aes128 aes192 aes256 aes-192-c aes-256-c 3des")

// detectSnmpd examines a line of snmpd.conf or snmptrapd.conf (Net-SNMP's manual pages snmpd.conf and snmptrapd.conf).
func detectSnmpd(c *Context, _ ID, i int) int {
	s := c.S
	for n := 0; n < len("inform") && ascii.Is(s, i-1, ascii.Alnum); n++ {
		i-- // the trigger is the end of the word, which begins like many
	}
	if i < c.taken || ascii.Is(s, i-1, ascii.Ident) {
		return 0
	}
	c.Charge(costOfList)
	limit := lineEnd(s[:min(len(s), i+maxDialogue)], i)
	command := c.span(i, ascii.Alnum)
	place := 2 // of the community among the words
	switch asciiWord(s[i:command]) {
	case "createuser":
		place = 0
	case "trapsink", "trap2sink", "informsink", "authcommunity":
		place = 1
	case "com2sec", "com2sec6", "com2secunix":
		if asciiWord(s[i:command]) == "com2secunix" {
			place = 1
		}
	default:
		return 0
	}
	taken, previous, n := 0, "", 0
	for k := command; n < 9; n++ {
		v, next, ok := dialogueWord(s[:limit], k)
		if !ok {
			break
		}
		w := asciiWord(s[v.start:v.end])
		if w == "-cn" {
			_, next, _ = dialogueWord(s[:limit], next)
			k = next
			n--
			continue
		}
		secret := place > 0 && n == place || place == 0 && n > 1 && snmpWords[previous] && !snmpWords[w]
		if t := s[v.start:v.end]; secret && !placeholder(t) && !mask(t) && (v.ctx == quoted || place > 0 && t != "public" || len(t) >= 8) && (place == 0 || ascii.Is(s, v.start, ascii.Alnum)) {
			if place > 0 && inProse(s, v) {
				break
			}
			c.Offer(rulePassword, v.start, v.end)
			taken = v.end
		}
		previous, k = w, next
	}
	return taken
}

// wholeLine returns the line around i, of the text or of what is quoted in it, up to so many bytes on both sides; ok says that it is whole.
func wholeLine(s string, i, most int) (from, to int, ok bool) {
	from = i
	for from > 0 && i-from < most && s[from-1] != '\n' {
		from--
	}
	to = lineEnd(s[:min(len(s), i+most)], i)
	for to > i && s[to-1] == '\r' {
		to--
	}
	return from, to, (from == 0 || s[from-1] == '\n') && (to == len(s) || s[to] == '\n' || s[to] == '\r')
}

const maxKeyLine = 192

// detectNTPKey examines a line of the keys of ntpd or chronyd: a number, the kind of the key, the key, which may say how it is written.
func detectNTPKey(c *Context, _ ID, i int) int {
	s := c.S
	from, to, ok := wholeLine(s, i, maxKeyLine)
	if c.look(to - from); !ok {
		return 0
	}
	line := s[from:to]
	if k := strings.IndexByte(line, '#'); k > 0 && line[k-1] == ' ' {
		line = line[:k]
	}
	fields := strings.Fields(line)
	if len(fields) < 3 || len(fields) > 4 || len(fields[0]) > 5 || ascii.Span(fields[0], 0, ascii.Digit) < len(fields[0]) {
		return 0
	}
	key := fields[2]
	written := ascii.HasPrefixFold(key, 0, "hex:") || ascii.HasPrefixFold(key, 0, "ascii:")
	if written {
		key = key[strings.IndexByte(key, ':')+1:]
	}
	if len(key) < 4 || !written && (!Mixed(key) || isTime(key)) || len(fields) == 4 && ascii.Span(fields[3], 0, ascii.Digit|ascii.LowerCase) == len(fields[3]) {
		return 0
	}
	start := from + strings.LastIndex(line, key)
	c.Offer(rulePassword, start, start+len(key))
	return start + len(key)
}

// detectPPPSecret examines a line of chap-secrets or pap-secrets (pppd(8)): client, server, secret, and from where; behind the name of
// the file, the lines below it.
func detectPPPSecret(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.HasPrefixFold(s, i, "ap-secrets") {
		c.Charge(costOfList)
		k := lineEnd(s[:min(len(s), i+maxKeyLine)], i)
		taken := 0
		for n := 0; n < maxSecrets && k < len(s) && s[k] == '\n'; n++ {
			from := k + 1
			k = lineEnd(s[:min(len(s), from+maxKeyLine)], from)
			taken = max(taken, c.pppSecret(from, k, true))
		}
		return taken
	}
	if ascii.Is(s, i, ascii.Space) {
		client := i
		for client > 0 && i-client < maxNameBytes && s[client-1] > ' ' {
			client--
		}
		if !startsLine(s, client) {
			return 0 // the server, a star or a name, is the second field of a line
		}
	}
	c.Charge(costOfList)
	from, to, ok := wholeLine(s, i, maxKeyLine)
	if c.look(to - from); !ok {
		return 0
	}
	return c.pppSecret(from, to, false)
}

const maxSecrets = 32

// pppSecret offers the third field of a line. Where no file says that it is one of its lines, it must look like a password, and the other
// fields like such a line.
func (c *Context) pppSecret(from, to int, sure bool) int {
	s := c.S
	c.look(to - from)
	var fields [5]value
	n := 0
	for k := from; n < len(fields); n++ {
		v, next, ok := dialogueWord(s[:to], ascii.Span(s, k, ascii.Space))
		if !ok || v.end > to {
			break
		}
		fields[n], k = v, next
	}
	if n < 3 || n == len(fields) || s[from] == '#' {
		return 0
	}
	text := func(k int) string { return s[fields[k].start:fields[k].end] }
	secret := text(2)
	if !sure && (!Mixed(secret) || len(secret) < minPrinted || isTime(secret) || strings.Count(secret, ".") == 3 || n == 4 && text(3) != "*" && ascii.Span(text(3), 0, ascii.Digit) == 0) ||
		placeholder(secret) || secret[0] == '@' {
		return 0
	}
	if !sure && text(1) != "*" && (n < 4 || text(3) != "*" && strings.Count(text(3), ".") != 3) {
		return 0
	}
	c.Offer(rulePassword, fields[2].start, fields[2].end)
	return fields[2].end
}

// detectRelayLogin examines a line of Postfix's smtp_sasl_password_maps: [smtp.example]:587 user:password.
func detectRelayLogin(c *Context, _ ID, i int) int {
	s := c.S
	start := ascii.Span(s, i+strings.IndexAny(s[i:], " \t"), ascii.Space)
	end := start
	for end < len(s) && end-start < maxDialogue && ascii.Class[s[end]]&(ascii.Space|ascii.Quote) == 0 {
		end++
	}
	k := strings.IndexByte(s[start:end], ':')
	if k < 1 || end < len(s) && s[end] != '\n' && s[end] != '\r' && ascii.Class[s[end]]&ascii.Quote == 0 {
		return 0
	}
	if pw := s[start+k+1 : end]; len(pw) < 4 || placeholder(pw) || ascii.Span(pw, 0, ascii.Digit) == len(pw) {
		return 0
	}
	c.Offer(rulePassword, start+k+1, end)
	return end
}

// detectPasswdLine examines a line of passwd(5), whose second field is a password where it is not one letter or sign: the input of newusers.
func detectPasswdLine(c *Context, _ ID, i int) int {
	s := c.S
	c.Charge(costOfList)
	var colons [6]int
	n := 0
	k := i
	for ; k >= 0 && n < len(colons) && i-k < maxKeyLine && s[k] != '\n'; k-- {
		if s[k] == ':' {
			colons[n] = k
			n++
		}
	}
	if n < len(colons) {
		return 0
	}
	// From the shell on, backwards: home, gecos, gid, uid, password.
	number := func(from, to int) bool { return to > from+1 && ascii.Span(s, from+1, ascii.Digit) == to }
	if !number(colons[3], colons[2]) || !number(colons[4], colons[3]) || ascii.At(s, colons[1]+1) != '/' {
		return 0
	}
	pw := s[colons[5]+1 : colons[4]]
	if len(pw) < 4 || strings.ContainsAny(pw, " *") || !ascii.Is(s, colons[5]-1, ascii.Ident) || placeholder(pw) {
		return 0
	}
	c.Offer(rulePassword, colons[5]+1, colons[4])
	return colons[4]
}

const ntHash = 32

// detectNTHashes examines the hashes of LAN Manager and NT in a line as pwdump prints it: user:500:hash:hash:::
func detectNTHashes(c *Context, _ ID, i int) int {
	s := c.S
	from := i
	colons := 0
	for from > 0 && i-from < 2*ntHash+2 {
		b := s[from-1]
		if b == ':' {
			if colons++; colons == 2 {
				break
			}
		} else if ascii.Class[b]&ascii.HexDigit == 0 && b != '*' && b != ' ' && (b < 'A' || b > 'Z') {
			break
		}
		from--
	}
	if colons != 2 || i-from != 2*ntHash+1 || !ascii.Is(s, from-2, ascii.Digit) || c.span(i-ntHash, ascii.HexDigit) < i && s[i-1] != '*' {
		return 0
	}
	c.Offer(rulePassword, from, i)
	return i
}

// detectCleartext examines login = cleartext "x" of TACACS+.
func detectCleartext(c *Context, _ ID, i int) int {
	s := c.S
	k := blanks(s, i+len("= "))
	v, _, ok := dialogueWord(s, c.span(k, ascii.Alpha))
	if t := s[v.start:v.end]; !ok || v.ctx != quoted && !Mixed(t) || placeholder(t) {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}
