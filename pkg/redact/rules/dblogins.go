// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Logins to databases in the commands that their shells take: CONNECT of Oracle and Db2, .LOGON of Teradata, userid= of Oracle's tools; and the
// parameters u and p that InfluxDB and others take in an address.

var (
	databaseLogins = &Detector{Extra: 8, At: append(literals("sql> conn", "erid=", "ogon "),
		sets(prefilter.Bytes("C"), prefilter.Bytes("T"), prefilter.Bytes(" "), prefilter.Bytes("T"))), Find: detectDatabaseLogin}
	queryPasswords = &Detector{At: []Trigger{sets(prefilter.Bytes("&?,"), prefilter.Bytes("pP"), prefilter.Bytes("="), prefilter.Not(prefilter.Class(ascii.Space)))}, Find: detectQueryPassword}
)

func detectDatabaseLogin(c *Context, _ ID, i int) int {
	s := c.S
	switch { // most of the triggers are the ends of words that begin like many
	case ascii.ToLower(s[i]) == 'o':
		if !ascii.HasSuffixFold(s, i, ".l") {
			return 0
		}
		return c.teradataLogin(i + len("ogon "))
	case ascii.ToLower(s[i]) == 'e':
		if !ascii.HasSuffixFold(s, i, "us") {
			return 0
		}
		return c.oracleWord(i + len("erid="))
	case ascii.HasPrefixFold(s, i, "sql> conn"):
		return c.oracleWord(blanks(s, c.span(i+len("sql> "), ascii.Alpha)))
	}
	// CONNECT TO sample USER eve USING x NEW y CONFIRM y
	end := lineEnd(s[:min(len(s), i+maxDialogue)], i)
	if !strings.HasSuffix(s[:i], "CONNE") || !strings.HasPrefix(s[i:], "CT TO ") {
		return 0
	}
	k := i + len("CT TO ")
	previous, user, taken := "", false, 0
	for n := 0; k < end; n++ {
		v, next, ok := dialogueWord(s[:end], k)
		if !ok {
			break
		}
		w := s[v.start:v.end]
		if user = user || n == 1 && ascii.EqualFold(w, "user"); n > 0 && !user {
			break
		}
		if t := strings.TrimRight(w, ";"); user && (ascii.EqualFold(previous, "using") || taken > 0 && (ascii.EqualFold(previous, "new") || ascii.EqualFold(previous, "confirm"))) &&
			!placeholder(t) && t[0] != ':' {
			c.Offer(rulePassword, v.start, v.start+len(t))
			taken = v.start + len(t)
		}
		previous, k = w, next
	}
	return taken
}

// oracleWord offers the password of the login user/password@database at i.
func (c *Context) oracleWord(i int) int {
	w, _, ok := nextWord(c.S, i, min(len(c.S), i+maxDialogue))
	if k := strings.IndexByte(w.text, '/'); !ok || k < 1 || !ascii.Is(w.text, 0, ascii.Alpha) || ascii.Span(w.text, 0, ascii.Ident) != k || len(w.text) < k+4 || strings.Count(w.text, "/") > 1 && strings.IndexByte(w.text, '@') < 0 {
		return 0
	}
	if c.slashed(w) {
		return w.end
	}
	return 0
}

// teradataLogin offers the password of host/user,password at i.
func (c *Context) teradataLogin(i int) int {
	s := c.S
	end := lineEnd(s[:min(len(s), i+maxDialogue)], i)
	comma := strings.IndexByte(s[i:end], ',')
	if comma < 1 {
		return 0
	}
	from := blanks(s, i+comma+1)
	if ascii.Is(s, from, ascii.Quote) {
		v, ok := c.quotedValue(from)
		if ok {
			c.Offer(rulePassword, v.start, v.end)
		}
		return v.end
	}
	to := from
	for to < end && s[to] > ' ' && s[to] != ';' && ascii.Class[s[to]]&ascii.Quote == 0 {
		to++
	}
	if placeholder(s[from:to]) {
		return 0
	}
	c.Offer(rulePassword, from, to)
	return to
}

const maxQuery = 512 // bytes from a parameter to the other

// detectQueryPassword examines the parameter p, if a parameter u names a user: /query?u=eve&p=x, and the address of a database of Percona's
// tools: h=db1,u=eve,p=x.
func detectQueryPassword(c *Context, _ ID, i int) int {
	s := c.S
	from := i + len("&p=")
	comma := s[i] == ','
	end := from
	for end < len(s) && end-from < maxNameBytes && ascii.Class[s[end]]&(ascii.Space|ascii.Quote) == 0 && s[end] != '&' && s[end] != '#' && (!comma || s[end] != ',') {
		end++
	}
	v := s[from:end]
	c.look(end - i)
	if len(v) < 3 || placeholder(v) || ascii.Span(v, 0, ascii.Digit) == len(v) {
		return 0
	}
	start := i
	for start > 0 && i-start < maxQuery && ascii.Class[s[start-1]]&(ascii.Space|ascii.Quote) == 0 {
		start--
	}
	stop := end
	for stop < len(s) && stop-end < maxQuery && ascii.Class[s[stop]]&(ascii.Space|ascii.Quote) == 0 {
		stop++
	}
	c.look(stop - start)
	query := s[start:stop]
	named := false
	if comma {
		named = strings.HasPrefix(query, "u=") || strings.Contains(query, ",u=")
	} else {
		for _, u := range []string{"?u=", "&u=", "?user=", "&user="} {
			named = named || strings.Contains(query, u)
		}
	}
	if !named {
		return 0
	}
	c.Offer(rulePassword, from, end)
	return end
}

// databaseKeys finds the key of an encrypted database of SQLite: PRAGMA key = 'x', ATTACH DATABASE 'f' AS n KEY 'x'.
var databaseKeys = &Detector{At: append(literals("gma key", "gma rekey"),
	sets(prefilter.Bytes("K"), prefilter.Bytes("E"), prefilter.Bytes("Y"), prefilter.Bytes(" "))), Find: func(c *Context, _ ID, i int) int {
	s := c.S
	k := blanks(s, ascii.Span(s, i+len("gma "), ascii.Alpha))
	if s[i] == 'K' {
		if k = blanks(s, i+len("KEY ")); !ascii.Is(s, k, ascii.Quote) || !ascii.ContainsFold(s[max(0, i-maxDialogue):i], "attach ") {
			return 0
		}
	}
	if b := ascii.At(s, k); b == '=' || b == '(' {
		k = blanks(s, k+1)
	}
	v, ok := c.quotedValue(k)
	if !ok || placeholder(s[v.start:v.end]) {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}}
