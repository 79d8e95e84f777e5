// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Calls whose name says that they are given a password: login('eve', 'x'), new UsernamePasswordCredentials("eve", "x"), auth=('eve', 'x'),
// crypt('x', salt). They stand in stack traces, in scripts, in SQL, and in what programs log of remote calls.

var authCalls = &Detector{Extra: 12, At: append(literals("gin\",", "args=[", "args: ["),
	sets(prefilter.Bytes("abcdefghijklmnopqrstuvwxyz="), prefilter.Bytes("("), prefilter.Bytes("\"'b"), prefilter.Not(prefilter.Class(ascii.Space)))), Find: detectAuthCall}

const maxCallName = 48

var (
	// loginParts are in the names of calls that are given a user and a password.
	loginParts = []string{
		"login", "logon", "signin", "sign_in", "signon", "authenticat", "credential", "basicauth", "basic_auth", "plainauth", "plain_auth", "userpass", "user_pass",
		"usernamepassword", "username_pw", "authprovider", "httpauth", "http_auth", "createuser", "create_user", "adduser", "add_user", "ldapbind", "simple_bind", "getconnection", "signup", "sign_up",
		"ftp", "smtpauth", "set_auth", "setauth", "proxyauth", "proxy_auth", "emailandpassword", "passwordgrant",
	}
	// loginNames are whole names of such calls, which have other arguments, too.
	loginNames = set("auth basic attempt bind bind_s connect ftps ftp_tls sequelize creds grant register reconnect auth_login wrap_auth impersonate")
	// passwordParts are in the names of calls that are given a password alone, or first.
	passwordParts = []string{"password", "passwd", "passphrase", "pwhash", "checkpw", "hashpw", "check_pw", "hash_pw", "unlock_keystore"}
	passwordNames = set("crypt pwhash verify_pw")
	// askingParts are in the names of those that ask for one, or look for something else.
	askingParts = []string{
		"getpass", "get_pass", "askpass", "ask_pass", "prompt", "readpass", "read_pass", "input", "find", "forgot", "resetlink", "policy", "rules", "is_set", "isset", "missing", "required", "expired",
		"strength", "encoder", "log_", "field", "label", "message", "error", "exception", "authorize", "author", "authority",
	}
)

// detectAuthCall examines the arguments of a call, the name of which ends at the trigger, or of a remote one named login.
func detectAuthCall(c *Context, _ ID, i int) int {
	s := c.S
	open := strings.IndexByte(s[i:min(len(s), i+6)], '(')
	switch {
	case ascii.HasPrefixFold(s, i, "args"):
		before := s[max(0, i-maxName/4):i]
		if ascii.Is(s, i-1, ascii.Ident) || !contains(ascii.LowerString(before), loginParts) {
			return 0
		}
		return c.callArguments(i+len("args")+strings.IndexByte(s[i+len("args"):], '[')+1, true, false)
	case open < 0:
		return c.remoteLogin(i)
	case ascii.At(s, i+open+1) == 'b' && !ascii.Is(s, i+open+2, ascii.Quote):
		return 0 // no bytes of Python
	default:
		open += i
	}
	end := open
	tuple := ascii.At(s, open-1) == '='
	if tuple {
		end--
	}
	start := end
	for start > 0 && end-start < maxCallName && (ascii.Class[s[start-1]]&ascii.Alnum != 0 || s[start-1] == '_') {
		start--
	}
	if start == end || open < c.taken {
		return 0
	}
	name := ascii.LowerString(s[start:end])
	c.Charge(costOfName)
	if name == "getpass" {
		// What ltrace prints of it: getpass("Password: ") = "x"
		if end := strings.Index(s[open:min(len(s), open+maxNameBytes)], `) = "`); end > 0 {
			if v, ok := c.quotedValue(open + end + len(") = ")); ok {
				c.Offer(rulePassword, v.start, v.end)
				return v.end
			}
		}
		return 0
	}
	for _, p := range askingParts {
		if strings.Contains(name, p) && (p != "author" || !strings.Contains(name, "authoriz")) {
			return 0
		}
	}
	login := loginNames[name] || contains(name, loginParts)
	if !login && !(contains(name, passwordParts) || passwordNames[name] || (name == "compare" || name == "hash") && ascii.HasSuffixFold(s, start, "crypt.")) || tuple && !login {
		return 0
	}
	return c.callArguments(open+1, login, loginNames[name] && !tuple)
}

func contains(name string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(name, p) {
			return true
		}
	}
	return false
}

// callArguments offers the password among the arguments at i. Of a login it stands behind the user, and is the last of two; of more, what looks
// like one. doubtful says that calls of this name have other arguments more often.
func (c *Context) callArguments(i int, login, doubtful bool) int {
	s := c.S
	c.Charge(costOfList)
	var args [maxArguments]value
	n, quotes := 0, 0
	k := i
	limit := min(len(s), i+maxCommand)
	for n < maxArguments && k < limit {
		k = ascii.Span(s, k, ascii.Space)
		if (ascii.At(s, k) == 'b' || ascii.At(s, k) == 'N' || ascii.At(s, k) == 'u') && ascii.Is(s, k+1, ascii.Quote) {
			k++
		}
		if v, ok := c.quotedValue(k); ok && v.end < limit {
			args[n] = v
			quotes++
			k = v.end
			for ascii.Is(s, k, ascii.Quote) || ascii.At(s, k) == '\\' {
				k++
			}
		} else {
			end := k
			for end < limit && strings.IndexByte(",()\n", s[end]) < 0 {
				end++
			}
			args[n] = value{k, end, tight}
			k = end
		}
		n++
		for depth := 0; k < limit && (s[k] != ',' || depth > 0) && s[k] != '\n'; k++ {
			if s[k] == '(' {
				depth++
			} else if s[k] == ')' {
				if depth--; depth < 0 {
					break
				}
			}
		}
		if ascii.At(s, k) != ',' {
			break
		}
		k++
	}
	c.look(k - i)
	taken := 0
	offer := func(v value) {
		c.Offer(rulePassword, v.start, v.end)
		taken = v.end
	}
	text := func(v value) string { return s[v.start:v.end] }
	if !login {
		if v := args[0]; n > 0 && v.ctx == quoted && chosen(text(v)) {
			offer(v)
			if n > 1 && args[1].ctx == quoted && chosen(text(args[1])) && text(args[1])[0] != '$' {
				offer(args[1])
			}
			return taken
		}
		for _, v := range args[:n] { // what the password is checked for may stand before
			if v.ctx == quoted && passwordLike(text(v)) || v.ctx == tight && n > 1 && passwordLike(text(v)) {
				offer(v)
				break
			}
		}
		return taken
	}
	for k, v := range args[:n] {
		if k > 0 && passwordLike(text(v)) {
			offer(v)
		}
	}
	if last := args[min(max(0, n-1), 1)]; taken == 0 && n == 2 && !doubtful && last.ctx == quoted && args[0].end > args[0].start && chosen(text(last)) {
		offer(last)
	}
	if taken == 0 && n == 1 && quotes == 1 && !doubtful && passwordLike(text(args[0])) {
		offer(args[0])
	}
	return taken
}

// remoteLogin examines the parameters of a call that JSON-RPC names: "method":"login","params":["eve","x"]. Its name ends at i.
func (c *Context) remoteLogin(i int) int {
	s := c.S
	k := i + len("gin\"")
	list := strings.IndexByte(s[k:min(len(s), k+24)], '[')
	if list < 0 || !ascii.HasSuffixFold(s, i, "lo") {
		return 0
	}
	if between := s[k : k+list]; !strings.Contains(between, "params") && !strings.Contains(between, "args") {
		return 0
	}
	return c.callArguments(k+list+1, true, false)
}
