// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Secrets that are told by their place among the arguments of a function or procedure: in the stack traces of PHP, in SQL, in scripts.

var calls = &Detector{Extra: 8, At: callTriggers(), Find: detectCall}

// functions are what ends in a parenthesis, and which argument is a secret, from 0 on.
var functions = []struct {
	name     string
	argument int
}{
	{"mysqli_connect(", 2},
	{"mysql_connect(", 2},
	{"mysql_pconnect(", 2},
	{"mysqli_real_connect(", 3},
	{"mssql_connect(", 2},
	{"sybase_connect(", 2},
	{"odbc_connect(", 2},
	{"db2_connect(", 2},
	{"ibase_connect(", 2},
	{"oci_connect(", 1},
	{"oci_pconnect(", 1},
	{"oci_new_connect(", 1},
	{"mysqli->__construct(", 2},
	{"pdo->__construct(", 2},
	{"mysqli->real_connect(", 2},
	{"mysqli->connect(", 2},
	{"driver->connect(", 2},
	{"ldap_bind(", 2},
	{"ldap_simple_bind_s(", 2},
	{"ldap_simple_bind(", 2},
	{"ftp_login(", 2},
	{"ssh2_auth_password(", 2},
	{"imap_open(", 2},
	{"password_hash(", 0},
	{"password_verify(", 0},
	{"aes_encrypt(", 1},
	{"aes_decrypt(", 1},
	{"encryptbypassphrase(", 0},
	{"decryptbypassphrase(", 0},
	{"from mysql(", 4},
	{"from postgresql(", 4},
	{"from mongodb(", 4},
	{"function mysql(", 4},
}

// procedures are those of SQL Server, whose arguments stand behind a blank.
var procedures = &Detector{At: literals("sp_add", "sp_password", "sp_setapprole", "sp_approlepassword", "pgp_sym_"), Find: detectProcedure}

// procedureArguments are which of theirs are secrets.
var procedureArguments = map[string][]int{
	"sp_addlogin": {1}, "sp_password": {0, 1}, "sp_addapprole": {1}, "sp_setapprole": {1}, "sp_approlepassword": {1}, "sp_addlinkedsrvlogin": {4},
	"pgp_sym_encrypt": {1}, "pgp_sym_decrypt": {1}, "pgp_sym_encrypt_bytea": {1}, "pgp_sym_decrypt_bytea": {1},
}

const (
	maxArguments    = 8
	maxFunctionName = 32
)

// callTriggers are the ends of the functions' names that are seldom in anything else.
func callTriggers() []Trigger {
	return literals("ect('", "ect(\"", "ect(object(", "ect(array, '",
		"ruct('", "ruct(\"", "ldap_bind(", "ldap_simple", "ftp_login(", "auth_password(", "imap_open(",
		"password_hash(", "password_verify(", "aes_encrypt(", "aes_decrypt(", "bypassphrase(", "ysql('", "resql('", "ngodb('")
}

// detectCall examines the argument of a function that is a secret, where it is a literal.
func detectCall(c *Context, _ ID, i int) int {
	s := c.S
	open := strings.IndexByte(s[i:min(len(s), i+maxFunctionName)], '(')
	if open < 0 {
		return 0
	}
	open += i + 1
	for _, f := range functions {
		if ascii.HasSuffixFold(s, open, f.name) {
			return c.argument(open, []int{f.argument})
		}
	}
	return 0
}

// detectProcedure examines the arguments of a procedure that are secrets, also those that are named: @passwd = 'x'.
func detectProcedure(c *Context, _ ID, i int) int {
	s := c.S
	end := c.span(i, ascii.Ident)
	which := procedureArguments[ascii.LowerString(s[i:min(end, i+maxFunctionName)])]
	if which == nil {
		return 0
	}
	return c.argument(end+1, which)
}

// argument offers those of the arguments that start at i whose places are in which, if they are quoted, and named ones whose name says
// that they are. It returns where the last one ends, or 0.
func (c *Context) argument(i int, which []int) int {
	s := c.S
	c.Charge(costOfList)
	limit := min(len(s), i+maxCommand)
	taken := 0
	k := i
	for n := range maxArguments {
		k = ascii.Span(s, k, ascii.Space)
		if k >= limit {
			break
		}
		name := ""
		if ascii.At(s, k) == '@' {
			end := c.span(k+1, ascii.Ident)
			if op := blanks(s, end); ascii.At(s, op) == '=' {
				name = s[k+1 : end]
				k = ascii.Span(s, op+1, ascii.Space)
			}
		}
		secret := false
		for _, w := range which {
			secret = secret || w == n
		}
		if name != "" {
			secret = ascii.EqualFold(name, "old") || ascii.EqualFold(name, "new") || judge(name).Strength == Hard
		}
		if ascii.At(s, k) == 'N' && ascii.At(s, k+1) == '\'' {
			k++
		}
		if v, ok := c.quotedValue(k); ok && v.end < limit {
			if t := s[v.start:v.end]; secret && !placeholder(t) {
				c.Offer(rulePassword, v.start, v.end)
				taken = v.end
			}
			k = v.end
			for k < limit && (ascii.Class[s[k]]&ascii.Quote != 0 || s[k] == '\\') {
				k++
			}
		} else if ascii.Is(s, k, ascii.Quote) && ascii.Is(s, k+1, ascii.Quote) {
			k += 2
		}
		depth := 0
		for ; k < limit && (s[k] != ',' || depth > 0); k++ {
			if s[k] == '(' {
				depth++
			} else if s[k] == ')' {
				depth--
			}
			if depth < 0 || s[k] == '\n' {
				c.look(k - i)
				return taken
			}
		}
		k++
	}
	c.look(k - i)
	return taken
}

// passwordVerbs begin the names of functions that are given a password.
var passwordVerbs = set("set change update check verify validate hash encode encrypt compare with use modify")

// takesPassword reports whether a function of this name is given a password, and not asked for one: changePassword, but not getPassword.
func takesPassword(name string) bool {
	name = name[strings.LastIndexByte(name, '.')+1:]
	if ascii.EqualFold(name, "password") {
		return true
	}
	verb := ascii.Span(name, 0, ascii.LowerCase)
	if verb == 0 && ascii.Is(name, 0, ascii.UpperCase) {
		verb = ascii.Span(name, 1, ascii.LowerCase)
	}
	return verb < len(name) && passwordVerbs[asciiWord(name[:verb])]
}

// lastArgument returns the last of the quoted arguments of a function that start at i, of two at most.
func (c *Context) lastArgument(i int) (value, bool) {
	s := c.S
	v, ok := c.quotedValue(i)
	next := v.end
	for ascii.Is(s, next, ascii.Quote) || ascii.At(s, next) == '\\' {
		next++
	}
	if ascii.At(s, next) == ',' {
		if k := ascii.Span(s, next+1, ascii.Space); ascii.Is(s, k, ascii.Quote) || ascii.At(s, k) == '\\' {
			if second, two := c.quotedValue(k); two {
				if chosen(c.S[v.start:v.end]) { // changePassword("old", "new")
					c.memo.values.other[0], c.memo.values.others = v, 1
				}
				return second, true
			}
		}
	}
	return v, ok
}

// askingVerbs begin the names of options that have no value: --ask-password, --no-password.
var askingVerbs = set("ask prompt no without read")

// asks reports whether an option of this name has no value.
func asks(name string) bool {
	k := strings.IndexByte(name, '-')
	return name == "auth-user-pass" || k > 0 && askingVerbs[asciiWord(name[:k])]
}
