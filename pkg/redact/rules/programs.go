// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Passwords on the command lines of programs that are not in the table of clients: a user and a password in two options, or in one.

const (
	maxToProgram    = 192 // bytes from the start of a command to an option that is looked at
	maxProgramWords = 40
)

var (
	// userOptions are those that name a user, and passwordLetters those that mostly give a password beside one.
	userOptions     = set("-u -U -l -L -D -user -username -login --user --username --login --user-name --userid -usr -xu -un -uid --uid --principal --login-user -userid --account")
	passwordLetters = set("-p -P -w -W -pw -pwd -pass -xp -pa --pw -s -k -K -x -Pw")
	// accountOptions are those with user:password.
	accountOptions = set("-u -U -a --user --auth --creds --credentials --login --userpass --basic-auth --basicauth --http-auth --auth-user-pass -auth -user -creds --account --authentication")
)

// program is what is known of a command so far.
type program struct {
	user     bool // a user has been named
	userAt   int  // the number of the word
	password word // what may be a password, before a user is known
	pending  bool
}

// anyProgram looks for the options of a user and a password among the words around the option at i, and returns where the password ends.
func (c *Context) anyProgram(i int) (taken int) {
	s := c.S
	if i < c.memo.command.other || ascii.Is(s, i, ascii.Alnum) {
		return 0
	}
	start := i
	floor := max(c.memo.command.other, c.taken, i-maxToProgram)
	for start > floor && s[start-1] != '\n' && s[start-1] != '|' && s[start-1] != ';' && s[start-1] != '&' {
		start--
	}
	var p program
	option, n := "", 0
	strong := func() { // a password without a user must have signs that little else has
		if p.pending && strings.ContainsAny(p.password.text, "!#$%&*+?^~@") && passwordLike(p.password.text) && c.whole(p.password, 0) {
			taken = max(taken, p.password.end)
		}
		p = program{}
	}
	k := start
	limit := min(len(s), i+maxCommand)
	for ; n < maxProgramWords; n++ {
		w, next, ok := nextWord(s, k, limit)
		if !ok {
			if k < i { // what stands before was no command
				k = max(next, k) + 1
				p, option = program{}, ""
				continue
			}
			break
		}
		k = next
		t := w.text
		if t == "" {
			continue
		}
		if t[0] == '-' && len(t) > 1 {
			option = t
			continue
		}
		switch {
		case option == "":
			strong() // an operand: what stood before belongs to another program, such as sudo
			continue
		case accountOptions[option] && c.login(w):
			taken = w.end
		case userOptions[option]:
			p.user, p.userAt = ascii.Span(t, 0, ascii.Ident|ascii.Run) == len(t) || strings.IndexByte(t, '@') > 0, n
			if p.pending && passwordLike(p.password.text) && c.whole(p.password, 0) {
				taken = max(taken, p.password.end)
			}
			p.pending = false
		case passwordLetters[option]:
			beside := p.userAt+2 == n && (option == "-p" || option == "-P" || option == "-w" || len(option) > 2) && chosen(t)
			if p.user && (beside || passwordLike(t) && strings.IndexByte(t, '=') < 0) {
				if c.whole(w, 0) {
					taken = max(taken, w.end)
				}
			} else if !p.user && strings.IndexByte(t, '=') < 0 {
				p.password, p.pending = w, true
			}
		}
		option = ""
	}
	strong()
	c.Charge(n * costOfWord / 2) // most of them are only read
	c.look(k - start)
	c.memo.command.other = max(k, i+1)
	return taken
}

// login offers the password of user:password, where both look like that.
func (c *Context) login(w word) bool {
	user, password, ok := strings.Cut(w.text, ":")
	return ok && user != "" && ascii.Is(user, 0, ascii.Alpha) && (ascii.Span(user, 0, ascii.Ident) == len(user) || strings.IndexByte(user, '@') > 0) &&
		chosen(password) && c.offerPart(w, len(user)+1, len(w.text))
}

// loginAt is login for a value.
func (c *Context) loginAt(v value) bool {
	return c.login(word{start: v.start, end: v.end, text: c.S[v.start:v.end]})
}

// chosen reports whether v may be a password that somebody has chosen: letters and digits, and no path, address, time or port.
func chosen(v string) bool {
	return appPassword(v) || len(v) >= minPrinted && len(v) <= maxNameBytes && Mixed(v) && !isURL(v) && !isTime(v) && !resourceName(v) && !strings.ContainsAny(v, " /\\:,;=(){}[]<>|") &&
		!fileEnding(v) && v[0] != '-'
}

// secretVerbs are what is done with a secret in a command that gives it: gh secret set, fly secrets set, eas secret:create.
var secretVerbs = set("set put create add new write push update import")

// valueOptions are those with the secret in such a command.
var valueOptions = set("--value --body -b --secret-string --plaintext --data --secret --payload --text --literal --secret-value --string-value")

// secretCommand offers what a command at the name s[start:end] sets secrets to, and reports whether there is one: secret set NAME --body x,
// secrets set NAME=x, secret set NAME x; and the data of an object of QEMU.
func (c *Context) secretCommand(start, end int) (taken int, ok bool) {
	s := c.S
	if ascii.At(s, end) == ',' && ascii.HasPrefixFold(s, end+1, "id=") {
		word := end
		for word < len(s) && word-end < maxDialogue && ascii.Class[s[word]]&(ascii.Space|ascii.Quote) == 0 {
			word++
		}
		k := strings.Index(s[end:word], ",data=")
		if k < 0 {
			return 0, false
		}
		from := end + k + len(",data=")
		if to := strings.IndexByte(s[from:word], ','); to >= 0 {
			word = from + to
		}
		c.Offer(ruleSecret, from, word)
		return word, true
	}
	if b := ascii.At(s, end); b != ' ' && b != ':' || !ascii.Is(s, end+1, ascii.LowerCase) || ascii.At(s, start-1) == '-' {
		return 0, false
	}
	verb := c.span(end+1, ascii.LowerCase)
	if ascii.At(s, verb) != ' ' || !secretVerbs[asciiWord(s[end+1:verb])] {
		return 0, false
	}
	c.Charge(costOfList)
	k, limit := verb, min(len(s), verb+maxDialogue*2)
	option, name := "", ""
	for range maxCommandWords {
		w, next, found := nextWord(s, k, limit)
		if !found {
			break
		}
		c.Charge(costOfWord)
		k = next
		t := w.text
		switch {
		case t == "":
		case valueOptions[option]:
			if c.whole(w, 0) {
				taken = w.end
			}
			option = ""
		case t[0] == '-' && len(t) > 1:
			before, v, joined := strings.Cut(t, "=")
			if option = t; joined && valueOptions[before] && c.whole(w, len(t)-len(v)) || len(t) > 3 && strings.HasPrefix(t, "-b") && c.whole(w, 2) {
				taken = w.end
			}
		case strings.IndexByte(t, '=') > 0 && isVariable(t[:strings.IndexByte(t, '=')]):
			if c.assignment(w) {
				taken = w.end
			}
		case option == "" && name != "" && chosen(t) && (isVariable(name) || c.names.Verdict(name).Strength >= Medium):
			if c.whole(w, 0) {
				taken = w.end
			}
		case option == "":
			name = t
		default:
			option = ""
		}
	}
	return taken, taken > 0
}

// setValue finds the value behind a name that a command sets: variable set DB_PASS x, config set dbPassword x. The name is s[start:end].
func (c *Context) setValue(start, end int) (value, bool) {
	s := c.S
	if ascii.At(s, end) != ' ' {
		return value{}, false
	}
	before := start
	for range 3 {
		word := previousField(s, before)
		w := strings.TrimSpace(s[word:before])
		if w == "" {
			return value{}, false
		}
		if before = word; w[0] == '-' && len(w) > 1 {
			continue
		}
		if !ascii.HasSuffixFold(w, len(w), "set") && w != "put" {
			return value{}, false
		}
		v, next, ok := nextWord(s, end, min(len(s), end+maxDialogue))
		if !ok || !chosen(v.text) && !passwordLike(v.text) && !tokenLike(v.text, minPlaceholder) {
			return value{}, false
		}
		rest := blanks(s, next)
		if b := ascii.At(s, rest); rest < len(s) && b != '\n' && b != '\r' && b != '-' && b != ';' && b != '|' && b != '&' && ascii.Class[b]&ascii.Quote == 0 {
			return value{}, false
		}
		return value{v.start, v.end, quoted}, true
	}
	return value{}, false
}

// actionValue finds the password that a command behind the name s[start:end] of an action is given, alone or behind a user: user:password eve x,
// set-password x.
func (c *Context) actionValue(start, end int) (value, bool) {
	s := c.S
	if ascii.At(s, end) != ' ' || ascii.At(s, start-1) != ':' && (!takesPassword(s[start:end]) || ascii.EqualFold(s[start:end], "password")) {
		return value{}, false
	}
	k, limit := end, min(len(s), end+maxDialogue)
	var last word
	words := 0
	for range 4 {
		w, next, ok := nextWord(s, k, limit)
		if !ok {
			break
		}
		k = next
		if strings.HasPrefix(w.text, "-") {
			continue
		}
		if last.text != "" && ascii.Span(last.text, 0, ascii.Ident) < len(last.text) && strings.IndexByte(last.text, '@') < 0 {
			return value{}, false // no user
		}
		last = w
		words++
	}
	if rest := blanks(s, k); words == 0 || words > 2 || rest < len(s) && s[rest] != '\n' && ascii.Class[s[rest]]&ascii.Quote == 0 || !passwordLike(last.text) &&
		(!chosen(last.text) || ascii.At(s, start-1) != ':' && !strings.ContainsAny(s[start:end], "-_")) { // SetPassword is a function in a sentence
		return value{}, false
	}
	return value{last.start, last.end, quoted}, true
}

// appPassword reports whether v is a password that Apple makes up for a program: abcd-efgh-ijkl-mnop.
func appPassword(v string) bool {
	const parts, letters = 4, 4
	if len(v) != parts*(letters+1)-1 {
		return false
	}
	for i := 0; i < len(v); i += letters + 1 {
		if ascii.Span(v, i, ascii.LowerCase) != i+letters || i+letters < len(v) && v[i+letters] != '-' {
			return false
		}
	}
	return true
}
