// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/container"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Passwords on command lines: as the shell takes them, quoted, in lists of words such as JSON and Python print, and in the fields of
// the audit daemon.

var (
	commandLines = &Detector{At: commandTriggers(), Find: detectCommand}
	audited      = &Detector{Extra: 4, At: literals("argc=", "proctitle="), Find: detectAudit}
)

// commandMemo is up to where words of commands have been looked through, up to where no client is left to be found, the end of the last
// word that was looked at because of what is in it, and up to where arguments recorded by the audit daemon, and options of programs that are
// not in the table, have been looked through.
type commandMemo struct{ end, none, word, audited, other int }

const (
	maxCommand      = 1024 // bytes from a client's name to its last word
	maxCommandWords = 96
)

// commandTriggers lead to clients: their names where these are rare, and options. They are few, as every line of every log is searched for
// them. In lists of words ("zip", "-P", "x") any option of any client leads to it.
func commandTriggers() []Trigger {
	return append(literals(" -p", " -u", " -a", " -hp", "--user", "--proxy-", "--auth", "--pw", "pass", "curl ", "curl\"", "curl'", "curl.", "mysql", "mariadb", "mongo", "docker login", "podman login", "redis-cli", "ldap", "sqlcmd",
		"snmp", "freerdp", "schtasks", "cmdkey", "et user", "et  user", "et use ", "et.exe", "et1 user", "openssl", "skopeo", "sqlplus", "impdp", "expdp", "sqlldr", "rabbitmqctl",
		"radtest ", "radclient ", "--value", "--from-literal", "mc alias ",
		"keygen", "nmcli", "aws configure", "rclone ", "consul kv", "vault login", "signtool", "zip -", "keytool", "jarsigner", "wmic ", "db2 ",
		" -gp", " -w ", " -k ", "doctl ", "qpdf", "pdftk", "trapsess", "ndemail", "p-basic.", "-oauth.", "pi-token", "bundle config", "vault kv", "vault write", "vault operator", "rasdial ", "encrypt_string", "cargo login", "k_nt ", "isql ", " -y ", "setcred", "cdctl ", "mc admin",
		"samba-tool", "bw login", "bw unlock"),
		sets(prefilter.Bytes(" ,[(=\t\n"), prefilter.Bytes(`"'`), prefilter.Bytes("-"), prefilter.Bytes(optionLetters())))
}

// optionLetters returns what the options of the clients begin with, behind the dash.
func optionLetters() string {
	letters := ""
	for _, cl := range clients {
		for _, options := range []string{cl.joined, cl.next, cl.both, cl.maybe, cl.account, cl.cookies, cl.pair} {
			for o := range strings.FieldsSeq(options) {
				if o[0] == '-' && strings.IndexByte(letters, o[1]) < 0 {
					letters += o[1:2]
				}
			}
		}
		letters += cl.bundled
	}
	return letters
}

// detectCommand looks for the client that the option at i is given to, or that stands there, and through its command.
func detectCommand(c *Context, _ ID, i int) int {
	s := c.S
	if i < c.memo.command.end {
		return 0
	}
	end := i
	if ascii.Is(s, i, ascii.Alnum) {
		if i < c.memo.command.word {
			return 0
		}
		end = ascii.Span(s[:min(len(s), i+maxNameBytes)], i, ascii.Ident)
		c.memo.command.word = end
		start := i
		for start > c.taken && i-start < maxNameBytes && ascii.Class[s[start-1]]&ascii.Ident != 0 {
			start--
		}
		switch b := ascii.At(s, end); {
		case s[start] == '-' || ascii.At(s, start-1) == '/' && ascii.Is(s, start-2, ascii.Space|ascii.Quote):
			end = start // an option: --http-password, /passwordd:x
		case b != ' ' && b != '"' && b != '\'' && b != ',' && b != '\t':
			return 0 // curl/8.5.0
		case ascii.HasPrefixFold(s, i, "pass") && start == i && clientNamed(s[start:end]) == nil:
			return 0 // the password
		}
	}
	floor := max(c.memo.command.none, i-maxToOption, c.taken)
	c.memo.command.none = i
words:
	for end > floor {
		for end > floor && ascii.Class[s[end-1]]&ascii.Ident == 0 {
			if b := s[end-1]; b == '\n' && !insideList(s, end-1) || b == '|' || b == ';' || endsCommand(s, floor, end-1) {
				break words
			}
			end--
		}
		start := end
		for start > floor && ascii.Class[s[start-1]]&ascii.Ident != 0 {
			start--
		}
		// A name behind an option is its value, and one in an address is a host.
		if cl := clientNamed(s[start:end]); cl != nil && ascii.At(s, start-2) != '/' && !behindOption(s, start) {
			after := end
			if ascii.Is(s, end, ascii.Quote) {
				after++ // "mysql","-px", or "C:\bin\sqlcmd.exe" -U sa
			}
			c.Charge(4 * costOfValue)
			if b := ascii.At(s, after); b == ' ' || b == '\t' || b == ',' {
				if taken := c.command(cl, after, len(s)); taken > 0 {
					return taken
				}
				break
			}
		}
		end = start
	}
	return c.anyProgram(i)
}

const maxToOption = 512 // bytes from a client's name to its first option

// behindOption reports whether the word before i is an option of one letter that has what is at i for its value. The one of a shell
// has a command: sh -c mysqldump.
func behindOption(s string, i int) bool {
	k := beforeSeparator(s, i)
	if k == i || !ascii.Is(s, k-1, ascii.Alpha) || ascii.At(s, k-2) != '-' {
		return false
	}
	shell := beforeSeparator(s, k-2)
	return shell < k-2 && (s[k-1] != 'c' || !ascii.HasSuffixFold(s, shell, "sh"))
}

// beforeSeparator returns the end of the word before the one at i, in a command or in a list of words.
func beforeSeparator(s string, i int) int {
	if ascii.Is(s, i-1, ascii.Quote) {
		i--
	}
	k := i
	for k > 0 && i-k < 4 && (s[k-1] == ' ' || s[k-1] == ',') {
		k--
	}
	if k < i && ascii.Is(s, k-1, ascii.Quote) {
		k--
	}
	return k
}

// insideList reports whether the line feed at i is between the words of a list that is written over several lines.
func insideList(s string, i int) bool {
	if ascii.At(s, i-1) == '\r' {
		i--
	}
	return ascii.At(s, i-1) == ',' || ascii.At(s, i-1) == '['
}

// clientNamed returns the client of that name, with or without its folder and ending, or nil.
func clientNamed(name string) *client {
	for k := len(name) - 1; k >= 0; k-- {
		if name[k] == '/' || name[k] == '\\' {
			name = name[k+1:]
			break
		}
	}
	if len(name) < 2 || len(name) > 24 || !clientStarts[name[0]&31][name[1]&31] {
		return nil
	}
	var lower [24]byte
	for i := range len(name) {
		lower[i] = ascii.ToLower(name[i])
	}
	n := len(name)
	for _, ending := range []string{".exe", ".sh", ".py", ".pl", ".bat", ".cmd"} {
		if ascii.HasSuffixFold(name, n, ending) {
			n -= len(ending)
		}
	}
	if cl := clientByName[string(lower[:n])]; cl != nil {
		return cl
	}
	whole := n
	for n > 0 && (ascii.Class[lower[n-1]]&ascii.Digit != 0 || lower[n-1] == '-') {
		n--
	}
	if n == whole {
		return nil
	}
	return clientByName[string(lower[:n])]
}

// command examines the words from i to limit of a command that is given to the client, and returns where what it took ends.
func (c *Context) command(cl *client, i, limit int) (taken int) {
	s := c.S
	stop := c.parameterEnd(i)
	limit = min(limit, i+maxCommand, stop)
	o := operands{}
	var expect int // 0, or what the next word is
	const (
		password = 1 + iota
		first    // of two passwords
		account
		perhaps
		cookie
	)
	n, previous := 0, ""
	cued := cl.cue != "" && ascii.ContainsFold(s[i:limit], cl.cue)
	for ; n < maxCommandWords; n++ {
		w, next, ok := nextWord(s, i, limit)
		if !ok {
			break
		}
		if i = next; w.end > stop && w.start < stop && !w.coded {
			w.text, w.end = s[w.start:stop], stop
		}
		t := w.text
		if t == "" {
			continue
		}
		shell := previous != "" && previous[0] == '-' && previous[len(previous)-1] == 'c'
		script := previous == "-e" || previous == "-q" || previous == "-c" && cl.sep == ',' // of the client itself
		if (shell || script || n == 0 && cl == clientByName["db2"]) && !w.coded && strings.IndexByte(t, ' ') > 0 {
			// A command in one word: sh -c "zip -P x", db2 "connect to x". None of its words has quotes of the same kind, so this goes
			// no deeper than there are kinds.
			inner := &client{}
			if script {
				inner = cl
			} else if !shell {
				inner.operand = cl.operand
			}
			taken = max(taken, c.command(inner, w.start, w.end))
			previous = ""
			continue
		}
		previous = t
		cued = cued || cl.cue != "" && ascii.EqualFold(t, cl.cue)
		option := t[0] == '-' && len(t) > 1
		counts := cl.within == "" || o.seen
		if expect != 0 {
			kind := expect
			expect = 0
			if !option && t[0] != '|' && !(t[0] == '<' || t[0] == '>') {
				if kind == perhaps && !Mixed(t) {
					o.n++
					continue
				}
				if kind == cookie {
					c.cookieWord(w, 0)
				} else if kind == account && c.account(w, 0, cl.sep) || kind != account && c.whole(w, 0) {
					taken = w.end
					if kind == first {
						expect = password
					}
					if cl.once {
						break
					}
				}
				continue
			}
		}
		if option || t[0] == '/' && len(t) > 1 || strings.HasPrefix(t, "pass:") {
			from, kind := 0, 0
			switch {
			case passwordOptions[asciiWord(t)]:
				from, kind = len(t), password // not -p with a password that is called assword
			case (counts || cued) && (cl.cue == "" || cued) && hasOption(cl.next, cl.bundled, t, false, true, &from):
				kind = password
			case cl.pair != "" && t == cl.pair:
				from, kind = len(t), first
			case !counts:
			case hasOption(cl.account, cl.bundled, t, true, true, &from):
				kind = account
			case hasOption(cl.both, cl.bundled, t, true, true, &from):
				kind = password
			case hasOption(cl.joined, cl.bundled, t, true, false, &from):
				kind = password
			case hasOption(cl.maybe, "", t, false, true, &from):
				kind = perhaps
			case hasOption(cl.cookies, cl.bundled, t, true, true, &from):
				kind = cookie
			}
			switch {
			case kind == 0 && t[0] == '-':
				if len(t) > 1 && t[1] != '-' {
					o.flags += t[1:]
				}
				if name, value, found := strings.Cut(strings.TrimLeft(t, "-"), "="); w.coded || t[1] == '-' && !found {
					if judge(name).Strength >= Medium && !asks(name) {
						if found && c.whole(w, len(t)-len(value)) {
							taken = w.end
						} else if !found {
							expect = password
						}
					}
				}
			case kind == 0:
			case from == len(t):
				expect = kind
			case kind == cookie:
				c.cookieWord(w, from)
			case kind == account && c.account(w, from, cl.sep), kind == password && c.whole(w, from):
				taken = w.end
			}
			if kind != 0 && cl.once && taken > 0 {
				break
			}
			if kind != 0 || t[0] == '-' {
				continue
			}
			if ascii.Is(t, 1, ascii.Alpha) && strings.IndexByte(t[1:], '/') < 0 {
				continue // /add
			}
		}
		if nested := clientNamed(t); nested != nil && nested != cl && (o.n == 0 || !ascii.EqualFold(t, "https")) && !behindOption(s, w.start) {
			cl, o = nested, operands{}
			continue
		}
		switch {
		case cl.operand != nil && cl.operand(&o, t):
			if cl.sep == ':' && c.account(w, 0, ':') || cl.sep != ':' && c.whole(w, 0) {
				taken = w.end
				o.passwords++
			}
		case cl.assigns && o.seen && c.assignment(w):
			taken = w.end
		case cl == oracleClient() && (o.n == 0 || connects[asciiWord(o.prev)]) && c.slashed(w):
			taken = w.end
		}
		if cl.within != "" && !o.seen {
			for w := range strings.FieldsSeq(cl.within) {
				o.seen = o.seen || ascii.EqualFold(t, w)
			}
		}
		if o.n == 0 {
			o.first = t
		}
		o.n++
		o.before, o.prev = o.prev, t
	}
	c.Charge(costOfCommand + n*costOfWord)
	c.memo.command.end = max(c.memo.command.end, i)
	return taken
}

// parameterEnd returns the end of the value of a query that i is in, where another follows, or that of the text.
func (c *Context) parameterEnd(i int) int {
	if c.outside.context == nil {
		return len(c.S) // the words of a query are separated where it is decoded
	}
	if p := c.containers().At(i); p != nil && p.Kind == container.Value && ascii.At(c.S, p.End) == '&' {
		return p.End
	}
	return len(c.S)
}

// passwordOptions are options with one dash that are a word.
var passwordOptions = set("-password -passwd -passphrase")

// connects are the words of RMAN behind which a login stands.
var connects = set("target catalog auxiliary connect")

func oracleClient() *client { return clientByName["sqlplus"] }

// hasOption reports whether the word t is one of the options, and sets from to where its value starts in it, which is its end if
// the value is the next word.
func hasOption(options, bundled, t string, joined, next bool, from *int) bool {
	for o := range strings.FieldsSeq(options) {
		if optionAt(o, t, joined, next, from) {
			return true
		}
		if len(o) == 2 && o[0] == '-' && bundled != "" && t[0] == '-' {
			k := 1
			for k < len(t) && strings.IndexByte(bundled, t[k]) >= 0 && t[k] != o[1] {
				k++
			}
			if k > 1 && k < len(t) && t[k] == o[1] && optionAt(o[1:], t[k:], joined, next, from) {
				*from += k
				return true
			}
		}
	}
	return false
}

func optionAt(o, t string, joined, next bool, from *int) bool {
	switch {
	case strings.HasPrefix(t, o):
	case o[0] == '/' && ascii.HasPrefixFold(t, 0, o):
	case len(o) > 3 && ascii.HasPrefixFold(t, 0, o):
	default:
		return false
	}
	rest := t[len(o):]
	switch {
	case rest == "":
		*from = len(t)
		return next
	case rest[0] == '=' || rest[0] == ':' && len(o) > 1 && o[0] == '/':
		*from = len(o) + 1
		return true
	case joined && (len(o) <= 2 && !strings.HasPrefix(rest, "-") || o[len(o)-1] == ':' || o == "-hp"):
		*from = len(o)
		return true
	}
	return false
}

// whole offers the word from there on, without its quotes. A path is that of a file with the password.
func (c *Context) whole(w word, from int) bool {
	if v := w.text[from:]; len(v) > 1 && v[0] == '/' && ascii.Is(v, 1, ascii.LowerCase|ascii.UpperCase) && !Mixed(v) && ascii.Span(v, 0, ascii.Ident|ascii.Run) == len(v) {
		return false
	}
	return c.offerPart(w, from, len(w.text))
}

// account offers the password of user:password, or the user, where that is all there is and looks like a token.
func (c *Context) account(w word, from int, sep byte) bool {
	t := w.text
	k := strings.IndexByte(t[from:], sep)
	if k < 0 {
		return false
	}
	if k += from; strings.HasPrefix(t[k:], "://") {
		return false
	}

	if strings.Trim(t[k+1:], "\"'`") == "" {
		user := strings.Trim(t[from:k], "\"'`")
		return len(user) >= 8 && Mixed(user) && !placeholder(user) && c.offerPart(w, from, k)
	}
	return c.offerPart(w, k+1, len(t))
}

// assignment offers the value of NAME=value where secrets are set, if the name is one of a variable, or says that it is a secret, or the value
// looks like one.
func (c *Context) assignment(w word) bool {
	name, v, ok := strings.Cut(w.text, "=")
	if !ok || v == "" || !isVariable(name) && judge(name).Strength < Medium && !passwordLike(v) && !tokenLike(v, minCredentials) || len(v) < minPrinted && !Mixed(v) {
		return false
	}
	return c.offerPart(w, len(w.text)-len(v), len(w.text))
}

// slashed offers the password of user/password@database.
func (c *Context) slashed(w word) bool {
	t := w.text
	k := strings.IndexByte(t, '/')
	if k <= 0 || t[0] == '@' {
		return false
	}
	end := strings.LastIndexByte(t, '@')
	if end < k {
		end = len(t)
	}
	return c.offerPart(w, k+1, end)
}

// cookieWord offers the values of the cookies in a word from there on. Without an equals sign it is the name of a file.
func (c *Context) cookieWord(w word, from int) {
	for from < len(w.text) && !w.coded {
		eq := strings.IndexByte(w.text[from:], '=')
		if eq < 0 {
			return
		}
		eq += from + 1
		end := eq
		for end < len(w.text) && w.text[end] != ';' && ascii.Class[w.text[end]]&ascii.Quote == 0 {
			end++
		}
		if name := strings.Trim(w.text[from:eq-1], " \"'"); end > eq && !cookieAttribute[asciiWord(name)] && !variable(w.text[eq:end]) {
			c.Offer(ruleCookie, w.start+eq, w.start+end)
		}
		from = end + 1
	}
}

// offerPart offers a part of a word as a password.
func (c *Context) offerPart(w word, from, to int) bool {
	t := w.text
	for from < to && ascii.Class[t[from]]&ascii.Quote != 0 {
		from++
	}
	for to > from && ascii.Class[t[to-1]]&ascii.Quote != 0 {
		to = from + len(strings.TrimRight(t[from:to-1], `\`)) // the quotes may be escaped
	}
	v := t[from:to]
	if v == "" || placeholder(v) || v[0] == '$' && isVariable(strings.Trim(v[1:], "{}")) || v[0] == '<' && v[len(v)-1] == '>' || v == "-" {
		return false
	}
	if w.coded {
		c.Offer(rulePassword, w.start+2*from, w.start+2*to)
	} else {
		c.Offer(rulePassword, w.start+from, w.start+to)
	}
	return true
}
