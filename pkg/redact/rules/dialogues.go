// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Passwords in the dialogues of protocols, as programs write them when they are told to be verbose: SMTP, IMAP, POP3, FTP, NNTP, XMPP,
// Redis, ZooKeeper, IRC.

var (
	authCommands = &Detector{Extra: 20, At: literals("auth ", "auth2 ", "auth(", "auth\"", "auth'", "auth\r\n$", "auth\n$", "authenticate ", "authinfo pass "), Find: detectAuth}
	passCommands = &Detector{Extra: 20, At: literals("pass "), Find: detectPassCommand}
	imapLogins   = &Detector{At: literals(" login "), Find: detectLogin}
	prompted     = &Detector{Extra: 8, At: literals("ugfzc3dvcmq6", "ugfzc3dvcmqa", "cgfzc3dvcmq6"), Find: detectPrompted}
	aclUsers     = &Detector{At: []Trigger{
		{Literal: "setuser"},
		sets(prefilter.Bytes("nN"), prefilter.Bytes(" "), prefilter.Bytes(">#"), prefilter.Class(ascii.Alnum)),
	}, Find: detectACL}
	nickserv  = &Detector{Extra: 24, At: literals("nickserv"), Find: detectNickServ}
	operators = &Detector{At: literals("oper "), Find: detectOper}
	// attempted are the logins of a honeypot's visitors: login attempt [b'root'/b'x'] failed.
	attempted = &Detector{Extra: 16, At: literals("login attempt ["), Find: detectAttempt}
)

// mechanisms are those of SASL whose first message holds the credentials.
var mechanisms = set("plain login xoauth2 oauthbearer external xoauth gs2-krb5 cram-md5 digest-md5 ntlm gssapi")

const (
	maxDialogue    = 160 // bytes from a command or a prompt to the answer
	minCredentials = 16  // characters of an answer in base64 that holds a user and a password
)

// commandStart reports whether a command of a protocol may begin at i: at the start of a line, behind a prompt or the name of a side
// (C: , > , -> , SMTP>> , 127.0.0.1:6379> ), or at the start of a quoted text. It reports also whether there is such a prompt.
func commandStart(s string, i int) (ok, prompt bool) {
	if i == 0 || s[i-1] == '\n' {
		return true, false
	}
	j := i
	for j > 0 && (s[j-1] == ' ' || s[j-1] == '\t') {
		j--
	}
	switch ascii.At(s, j-1) {
	case '>', ']':
		return true, j < i || s[j-1] == '>'
	case '-':
		return ascii.At(s, j-2) == '<', true // <- PASS x
	case ':':
		side := j - 1
		for side > 0 && ascii.Class[s[side-1]]&ascii.Alpha != 0 {
			side--
		}
		w := asciiWord(s[side : j-1])
		return true, w == "c" || w == "client" || w == "send" || w == "sent" || w == "out" || w == "tx" || w == "command"
	case '"', '\'', '`':
		return j == i, false
	case 0, '\n':
		return true, false
	}
	return false, false
}

// wholeRest returns the words from i to the end of the line, or to the quote that closes what the line is quoted in, without a line break
// that is written as \r\n.
func wholeRest(s string, i int) (start, end int) {
	end = lineEnd(s[:min(len(s), i+maxDialogue)], i)
	if k := strings.IndexAny(s[i:end], "\"'`"); k > 0 {
		end = i + k
	}
	if k := strings.Index(s[i:end], "[\\r]"); k > 0 {
		end = i + k
	}
	if k := strings.IndexByte(s[i:end], '\\'); k > 0 && strings.IndexByte("rn", ascii.At(s, i+k+1)) >= 0 {
		end = i + k
	}
	for end > i && s[end-1] == ' ' {
		end--
	}
	return i, end
}

// detectAuth examines AUTH of SMTP and Redis, AUTHENTICATE of IMAP and ManageSieve, AUTHINFO of NNTP, addauth of ZooKeeper.
func detectAuth(c *Context, _ ID, i int) int {
	s := c.S
	switch {
	case ascii.HasPrefixFold(s, i, "authinfo pass "):
		return c.offerRest(i + len("authinfo pass "))
	case ascii.HasPrefixFold(s, i, "auth digest ") && ascii.HasSuffixFold(s, i, "add"):
		from, end := wholeRest(s, i+len("auth digest "))
		if k := strings.IndexByte(s[from:end], ':'); k > 0 && strings.IndexByte(s[from:end], ' ') < 0 {
			c.Offer(rulePassword, from+k+1, end)
			return end
		}
		return 0
	}
	if ascii.HasPrefixFold(s, i, "auth(") {
		return c.authCall(i + len("auth("))
	}
	if ascii.Is(s, i-1, ascii.Ident) {
		if ascii.HasSuffixFold(s, i, "basic_") && ascii.Is(s, i+len("auth "), ascii.Quote) {
			return c.authCall(i + len("auth ")) // basic_auth "user", "password" of Ruby
		}
		return 0
	}
	word := c.span(i, ascii.Alpha)
	if ascii.At(s, word) == '2' {
		word++
	}
	if b := ascii.At(s, word); b == '\r' || b == '\n' {
		return c.bulkStrings(word)
	}
	var words [3]value
	n := 0
	for k := word; n < len(words); n++ {
		w, next, ok := dialogueWord(s, k)
		if !ok {
			break
		}
		words[n], k = w, next
	}
	if n == 0 {
		return 0
	}
	text := func(k int) string { return s[words[k].start:words[k].end] }
	if first := asciiWord(text(0)); mechanisms[first] {
		if n > 1 && base64Text(text(1)) && (first != "login" || len(text(1)) > minCredentials) {
			c.Offer(rulePassword, words[1].start, words[1].end)
			return words[1].end
		}
		if n > 1 && first != "cram-md5" {
			return 0
		}
		return c.challenged(words[0].end)
	}
	if word-i != len("auth") && ascii.At(s, word-1) != '2' {
		if n == 1 && plainMessage(text(0)) {
			c.Offer(rulePassword, words[0].start, words[0].end)
			return words[0].end
		}
		if ok, prompt := commandStart(s, i); ok && prompt && n == 1 && base64Text(text(0)) && len(text(0)) >= minCredentials {
			c.Offer(rulePassword, words[0].start, words[0].end) // AUTHENTICATE of IRCv3, in two steps
			return words[0].end
		}
		return 0
	}
	if t := text(0); n == 1 && t[0] == '[' && t[len(t)-1] == ']' && Mixed(t) {
		c.Offer(rulePassword, words[0].start+1, words[0].end-1) // AUTH [x] of Jedis
		return words[0].end
	}
	if ascii.HasSuffixFold(s, i, "set ") {
		return c.memcachedAuth(i)
	}
	if t := text(0); n == 1 && strings.IndexByte(t, ':') > 0 && c.loginAt(words[0]) {
		return words[0].end // stats auth user:password of HAProxy
	}
	// Redis: AUTH password, AUTH user password.
	start, prompt := commandStart(s, i)
	if version := ascii.At(s, i+len("auth")) == '2'; ascii.ContainsFold(s[max(0, i-maxNameBytes):i], "migrate ") && (n > 1) == version {
		v := words[min(n, 2)-1]
		c.Offer(rulePassword, v.start, v.end)
		return v.end
	} else if version {
		return 0
	}
	if n == 3 && ascii.At(s, i-1) == '"' && words[1].ctx == quoted && ascii.EqualFold(text(1), "keys") {
		n = 1 // MIGRATE … AUTH x KEYS …
	}
	hello := ascii.HasSuffixFold(s, i, "hello 2 ") || ascii.HasSuffixFold(s, i, "hello 3 ") || ascii.At(s, i-1) == '"'
	if start && hello && ascii.Is(s, i-3, ascii.Alpha) {
		start, hello = false, false // username "Auth" "eve" of OpenVPN
	}
	if !start && !hello || n > 2 && !(hello && words[1].ctx == quoted) {
		return 0
	}
	v := words[min(n, 2)-1]
	if t := s[v.start:v.end]; placeholder(t) || v.ctx != quoted && !prompt && (len(t) < 6 || !Mixed(t)) || v.ctx == quoted && n > 2 && ascii.EqualFold(t, "setname") {
		return 0
	}
	if ascii.At(s, word) == ' ' && v.ctx != quoted && ascii.At(s, v.end) == ' ' && !hello {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}

// authCall offers the second argument of auth("user", "password"), which starts at i.
func (c *Context) authCall(i int) int {
	if ascii.At(c.S, i) == '[' { // auth([ 'user', 'password' ]) of ioredis
		v, ok := c.lastArgument(ascii.Span(c.S, i+1, ascii.Space))
		if ok && v.ctx == quoted && !placeholder(c.S[v.start:v.end]) {
			c.Offer(rulePassword, v.start, v.end)
			return v.end
		}
		return 0
	}
	user, next, ok := dialogueWord(c.S, i)
	if !ok || user.ctx != quoted || ascii.At(c.S, next) != ',' {
		return 0
	}
	v, _, ok := dialogueWord(c.S, next+1)
	if !ok || v.ctx != quoted || placeholder(c.S[v.start:v.end]) {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}

// dialogueWord returns the next word of a command, bare or in quotes, in the same line.
func dialogueWord(s string, i int) (v value, next int, ok bool) {
	for i < len(s) && (s[i] == ' ' || ascii.Class[s[i]]&ascii.Quote != 0 && ascii.At(s, i+1) == ' ') {
		i++
	}
	if ascii.Is(s, i, ascii.Quote) {
		v, ok = quotedIn(s[:min(len(s), i+maxDialogue)], i)
		return v, min(v.end+1, len(s)), ok
	}
	end := i
	for end < len(s) && end-i < maxDialogue && ascii.Class[s[end]]&(ascii.Space|ascii.Quote) == 0 && (s[end] != '\\' || strings.IndexByte("rn", ascii.At(s, end+1)) < 0) && !strings.HasPrefix(s[end:], "[\\r]") {
		end++
	}
	return value{i, end, tight}, end, end > i
}

// base64Text reports whether v may be base64.
func base64Text(v string) bool {
	return len(v) >= 8 && len(v)%4 == 0 && ascii.Span(v, 0, ascii.Run) == len(v) && strings.Trim(v, "-_") != "" && (Mixed(v) || caseChanges(v) > 2)
}

// bulkStrings offers what follows AUTH in the protocol of Redis: each argument behind its length. The line break is at i.
func (c *Context) bulkStrings(i int) int {
	s := c.S
	start, end := 0, 0
	for range 2 {
		k := ascii.Span(s, i, ascii.Space)
		if ascii.At(s, k) != '$' {
			break
		}
		if k = ascii.Span(s, k+1, ascii.Digit); !ascii.Is(s, k, ascii.Space) {
			break
		}
		start = ascii.Span(s, k, ascii.Space)
		end = lineEnd(s[:min(len(s), start+maxDialogue)], start)
		i = end
	}
	c.Offer(rulePassword, start, end)
	return end
}

// challenged offers the answer to the challenge that follows in the dialogue: 334 and a text, then a line in base64.
func (c *Context) challenged(i int) int {
	s := c.S
	k := strings.Index(s[i:min(len(s), i+maxDialogue)], "334 ")
	if k < 0 {
		return 0
	}
	from := i + k + len("334 ")
	if ascii.HasPrefixFold(s, from, "vxnlcm5hbwu6") {
		return 0 // Username:
	}
	return c.answer(c.span(from, ascii.Run))
}

// detectPrompted examines the answer to the prompt for a password in base64.
func detectPrompted(c *Context, _ ID, i int) int {
	if !ascii.HasSuffixFold(c.S, i, "334 ") {
		return 0
	}
	return c.answer(c.span(i, ascii.Run))
}

// answer offers the first word from i on that is base64 and the last one of its line.
func (c *Context) answer(i int) int {
	s := c.S
	limit := min(len(s), i+maxDialogue)
	for k := i; k < limit; {
		for k < limit && ascii.Class[s[k]]&ascii.Alnum == 0 {
			if s[k] == '\\' && strings.IndexByte("rn", ascii.At(s, k+1)) >= 0 {
				k++
			}
			k++
		}
		end := c.span(k, ascii.Run)
		v := s[min(k, end):end]
		if next := ascii.At(s, end); len(v) >= 4 && len(v)%4 == 0 && (next == '\n' || next == '\r' || next == '\\' || next == 0 || next == '[' || ascii.Is(s, end, ascii.Quote)) &&
			(len(v) >= 8 || Mixed(v) || v[len(v)-1] == '=') && !ascii.EqualFold(v, "username") {
			c.Offer(rulePassword, k, end)
			return end
		}
		k = max(end, k+1)
	}
	return 0
}

// offerRest offers what follows from i on to the end of the line.
func (c *Context) offerRest(i int) int {
	from, end := wholeRest(c.S, i)
	if from == end || placeholder(c.S[from:end]) {
		return 0
	}
	c.Offer(rulePassword, from, end)
	return end
}

// detectPassCommand examines PASS of POP3, FTP and IRC. Where no prompt shows that it is one, the word must look like a password and no
// test.
func detectPassCommand(c *Context, _ ID, i int) int {
	s := c.S
	if ascii.Is(s, i-1, ascii.Ident) {
		return 0
	}
	ok, prompt := commandStart(s, i)
	if !ok && ascii.HasSuffixFold(s, i, "quote ") {
		ok, prompt = commandStart(s, i-len("quote "))
	}
	if !ok && (ascii.HasSuffixFold(s, i, "<-- ") || ascii.HasSuffixFold(s, i, "<--- ") || ascii.HasSuffixFold(s, i, "<< ")) {
		ok, prompt = true, true // as servers write what they get
	}
	if !ok && !ascii.HasSuffixFold(s, i, "dispatching ") {
		return 0
	}
	from, end := wholeRest(s, i+len("pass "))
	v := s[from:end]
	user := strings.Contains(s[max(0, i-maxDialogue):i], "USER ") || strings.Contains(s[max(0, i-maxDialogue):i], "FTP") || strings.Contains(s[max(0, i-maxDialogue):i], "POP3")
	switch {
	case from >= end || placeholder(v) || mask(v) || v[0] == '(' || v[0] == '<':
		return 0
	case s[i:i+4] != "PASS" && !prompt:
		return 0
	case prompt || user:
		if strings.IndexByte(v, ' ') >= 0 && !prompt || strings.Count(v, " ") > 2 {
			return 0
		}
	case len(v) < 6 || !Mixed(v) || strings.ContainsAny(v, " /") || strings.HasPrefix(v, "Test") || fileEnding(v) || !tokenLike(v, 6) && changes(v) < 2:
		return 0
	}
	c.Offer(rulePassword, from, end)
	return end
}

// fileEnding reports whether v ends like the name of a file: App.test.js.
func fileEnding(v string) bool {
	dot := strings.LastIndexByte(v, '.')
	return dot > 0 && dot < len(v)-1 && len(v)-dot <= 5 && ascii.Span(v, dot+1, ascii.Alpha) == len(v)
}

// detectLogin examines LOGIN of IMAP: a tag, the user, the password. The blank before the command is at i.
func detectLogin(c *Context, _ ID, i int) int {
	s := c.S
	tag := i
	for tag > 0 && i-tag < 12 && ascii.Class[s[tag-1]]&ascii.Alnum != 0 {
		tag--
	}
	if ascii.At(s, i-1) == '.' {
		tag = i - 1
	} else if tag == i || !strings.ContainsAny(s[tag:i], "0123456789") {
		return 0
	}
	if b := ascii.At(s, tag-1); tag > 0 && b != ' ' && b != '\n' && b != '>' && ascii.Class[b]&ascii.Quote == 0 {
		return 0
	}
	user, next, ok := dialogueWord(s, i+len(" login"))
	if !ok {
		return 0
	}
	if line := lineEnd(s[:min(len(s), next+maxNameBytes)], next); ascii.At(s, blanks(s, next)) == '{' && ascii.Is(s, line, ascii.Space) {
		from := ascii.Span(s, line, ascii.Space)
		if ascii.At(s, from) == '+' { // the server's leave to go on
			from = ascii.Span(s, lineEnd(s[:min(len(s), from+maxNameBytes)], from), ascii.Space)
		}
		return c.offerRest(from) // a literal (RFC 9051, 4.3): LOGIN bob {8}, and the password in the next line
	}
	v, next, ok := dialogueWord(s, next)
	if !ok || v.ctx != quoted && (!Mixed(s[v.start:v.end]) || len(s[v.start:v.end]) < 4) || placeholder(s[v.start:v.end]) || s[user.start] == '(' {
		return 0
	}
	if rest := lineEnd(s[:min(len(s), next+maxNameBytes)], next); strings.Trim(s[next:rest], " \"'\\rn[]") != "" {
		return 0
	}
	if at := strings.IndexByte(s[user.start:user.end], '@'); at > 0 {
		detectAt(c, ruleEmail, user.start+at)
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}

// detectACL examines the passwords of a user of Redis: ACL SETUSER eve on >password #hash, or a line of its file of users.
func detectACL(c *Context, _ ID, i int) int {
	s := c.S
	if i < c.memo.acl {
		return 0
	}
	c.Charge(costOfLabel)
	start := max(0, i-maxNameBytes)
	if k := strings.LastIndexByte(s[start:i], '\n'); k >= 0 {
		start += k + 1
	}
	if !ascii.HasPrefixFold(s, i, "setuser") && !ascii.ContainsFold(s[start:i], "user ") {
		return 0
	}
	end := lineEnd(s[:min(len(s), i+maxCommand)], i)
	c.look(2 * (end - i))
	c.memo.acl = end
	taken := 0
	for k := i; k < end; k++ {
		if b := s[k]; b != '>' && b != '<' && b != '#' && b != '!' || ascii.Class[ascii.At(s, k-1)]&(ascii.Space|ascii.Quote) == 0 {
			continue
		}
		if s[k] == '>' && ascii.At(s, k+1) == '<' {
			k++
		}
		from := k + 1
		for k+1 < end && ascii.Class[s[k+1]]&(ascii.Space|ascii.Quote) == 0 {
			k++
		}
		if v := s[from : k+1]; (s[from-1] == '#' || s[from-1] == '!') != isHash(v) || placeholder(v) {
			continue
		}
		c.Offer(rulePassword, from, k+1)
		taken = k + 1
	}
	return taken
}

// detectNickServ examines the password in a message to the service that keeps the names of users of IRC.
func detectNickServ(c *Context, _ ID, i int) int {
	s := c.S
	from := i + len("nickserv")
	for from < len(s) && (s[from] == ' ' || s[from] == ':' || ascii.Class[s[from]]&ascii.Quote != 0) {
		from++
	}
	command, k, _ := dialogueWord(s, from)
	name, k, _ := dialogueWord(s, k)
	second, k, two := dialogueWord(s, k)
	v := name
	switch asciiWord(s[command.start:command.end]) {
	case "identify", "id", "login", "ghost", "recover", "release", "regain", "group":
		if two {
			v = second
		}
	case "register":
		if two && strings.IndexByte(s[second.start:second.end], '@') > 0 && len(s[name.start:name.end]) > 4 {
			detectAt(c, ruleEmail, second.start+strings.IndexByte(s[second.start:second.end], '@'))
			c.Offer(rulePassword, name.start, name.end)
			return name.end
		}
	case "set":
		v = second
		if third, _, ok := dialogueWord(s, k); ok {
			v = third // SET NAME PASSWORD x
		}
	default:
		return 0
	}
	if v.start == v.end || !Mixed(s[v.start:v.end]) {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}

// detectOper examines the password with which a user of IRC becomes an operator (RFC 2812, 3.1.4).
func detectOper(c *Context, _ ID, i int) int {
	s := c.S
	if !strings.HasPrefix(s[i:], "OPER ") {
		return 0
	}
	if ok, _ := commandStart(s, i); !ok {
		return 0
	}
	from, end := wholeRest(s, i+len("oper "))
	words := strings.Fields(s[from:end])
	if len(words) != 2 || !Mixed(words[1]) || len(words[1]) < minPrinted {
		return 0
	}
	c.Offer(rulePassword, end-len(words[1]), end)
	return end
}

func detectAttempt(c *Context, _ ID, i int) int {
	s := c.S
	from := i + len("login attempt [")
	end := lineEnd(s[:min(len(s), from+maxDialogue)], from)
	slash := strings.IndexByte(s[from:end], '/')
	to := strings.IndexByte(s[from:end], ']')
	if slash < 0 || to < slash {
		return 0
	}
	v := value{from + slash + 1, from + to, quoted}
	if ascii.At(s, v.start) == 'b' && ascii.Is(s, v.start+1, ascii.Quote) {
		if inner, ok := c.quotedValue(v.start + 1); ok {
			v = inner
		}
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}

// logins are what FreeRADIUS writes of a login when it is told to log passwords: [bob/x] (from client, and OpenVPN of its management:
// password "Auth" "x"; the answer to APOP (RFC 1939), which can be tried out like a hash.
var logins = &Detector{Extra: 8, At: literals("] (from client ", "apop "), Find: detectLoginAttempt}

func detectLoginAttempt(c *Context, _ ID, i int) int {
	s := c.S
	switch {
	case s[i] == ']':
		from := c.untaken(i, maxNameBytes)
		open := strings.LastIndexByte(s[from:i], '[')
		if open < 0 {
			return 0
		}
		login := s[from+open+1 : i]
		slash := strings.IndexByte(login, '/')
		if slash < 0 || strings.HasPrefix(login[slash+1:], "<") || placeholder(login[slash+1:]) {
			return 0
		}
		c.Offer(rulePassword, i-len(login)+slash+1, i)
	case s[i] == 'a' || s[i] == 'A':
		if ok, _ := commandStart(s, i); !ok {
			return 0
		}
		_, next, ok := dialogueWord(s, i+len("apop"))
		v, _, two := dialogueWord(s, next)
		if !ok || !two || !isHash(s[v.start:v.end]) {
			return 0
		}
		c.Offer(rulePassword, v.start, v.end)
		return v.end
	default:
		second := i + len(`password "auth"`)
		if ascii.HasPrefixFold(s, i, `password "p`) {
			second = i + len(`password "private key"`)
		}
		v, _, ok := dialogueWord(s, second)
		if !ok || placeholder(s[v.start:v.end]) || mask(s[v.start:v.end]) {
			return 0
		}
		c.Offer(rulePassword, v.start, v.end)
		return v.end
	}
	return 0
}
