// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Passwords in SQL.

var (
	identified = &Detector{Extra: 12, At: literals("identified "), Find: detectIdentified}
	inserts    = &Detector{At: literals(" into "), Find: detectInsert}
)

// detectIdentified examines the password in SQL: IDENTIFIED BY x, IDENTIFIED WITH plugin AS '...'.
func detectIdentified(c *Context, _ ID, i int) int {
	c.Charge(costOfList)
	s := c.S
	j := i + len("identified ")
	if ascii.HasPrefixFold(s, j, "with ") {
		j = blanks(s, j+len("with "))
		for j < len(s) && (ascii.Class[s[j]]&(ascii.Ident|ascii.Quote) != 0) {
			j++
		}
		j = blanks(s, j)
	}
	switch {
	case ascii.HasPrefixFold(s, j, "by "), ascii.HasPrefixFold(s, j, "as "):
		j = blanks(s, j+len("by "))
	default:
		return 0
	}
	for _, w := range []string{"password ", "values "} {
		if ascii.HasPrefixFold(s, j, w) {
			j = blanks(s, j+len(w))
		}
	}
	v, ok := c.valueAt(j, tight)
	if !ok {
		return 0
	}
	text := s[v.start:v.end]
	if v.ctx != quoted {
		text = strings.TrimRight(text, ";,)")
		v.end = v.start + len(text)
		if text == "" || articles[asciiWord(text)] || inSentence(s, v) {
			return 0 // the cause was identified by the team
		}
	}
	if placeholder(text) {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return c.moreValues(v, Verdict{rulePassword, Hard})
}

// articles are what follows "identified by" in sentences.
var articles = set("the a an its their his her our my your this that these those each all any one two some it them us him externally globally name")

// inSentence reports whether a word in small letters that is no keyword of SQL follows the value.
func inSentence(s string, v value) bool {
	if ascii.At(s, v.end) != ' ' || ascii.Span(s, v.start, ascii.LowerCase) < v.end {
		return false
	}
	next := ascii.Span(s, v.end+1, ascii.LowerCase)
	return next > v.end+1 && !afterIdentified[asciiWord(s[v.end+1:next])]
}

var afterIdentified = set("default account profile quota temporary replace using require with password container or and")

const (
	maxColumns   = 64
	maxStatement = 4096
)

// detectInsert examines the values of an INSERT whose columns have telling names: INSERT INTO t (id, password) VALUES (7, 'x').
func detectInsert(c *Context, _ ID, i int) int {
	s := c.S
	if !ascii.HasSuffixFold(s, i, "insert") && !ascii.HasSuffixFold(s, i, "replace") && !ascii.HasSuffixFold(s, i, "ignore") && !ascii.HasSuffixFold(s, i, "overwrite") {
		return 0
	}
	limit := min(len(s), i+maxStatement)
	k := i
	defer func() { c.look(2 * (k - i)) }()
	open := strings.IndexByte(s[i:min(limit, i+256)], '(')
	if open < 0 {
		return 0
	}
	if table := s[i : i+open]; ascii.ContainsFold(table, "values") {
		k = i + open
		return c.rowsOfUsers(table, i+open, limit)
	}
	k = i + open + 1
	var columns [maxColumns]Verdict
	n, telling := 0, false
	for k < limit && n < maxColumns && s[k] != ')' {
		for k < limit && (ascii.Class[s[k]]&(ascii.Space|ascii.Quote) != 0 || s[k] == ',' || s[k] == '[' || s[k] == ']' || s[k] == '\\') {
			k++
		}
		end := c.span(k, ascii.Ident|ascii.Latin)
		if end == k {
			break
		}
		if columns[n] = c.names.Verdict(s[k:min(end, k+maxNameBytes)]); columns[n].Strength > Nothing {
			telling = true
		}
		n++
		k = end
	}
	if !telling {
		return 0
	}
	for k < limit && s[k] != ')' {
		k++
	}
	k = ascii.Span(s, min(k+1, len(s)), ascii.Space)
	if !ascii.HasPrefixFold(s, k, "values") && !ascii.HasPrefixFold(s, k, "value") && !ascii.HasPrefixFold(s, k, "select ") && !ascii.HasPrefixFold(s, k, "output ") {
		return 0
	}
	column, depth := 0, 0
	for k < limit {
		switch b := s[k]; {
		case b == '(':
			if depth++; depth == 1 {
				column = 0
			}
			k++
		case b == ')':
			depth--
			k++
		case b == ',':
			if depth == 1 {
				column++
			}
			k++
		case depth == 1 && column < n && columns[column].Strength > Nothing && ascii.Class[b]&ascii.Space == 0:
			c.Charge(costOfValue)
			v, ok := c.valueAt(k, tight)
			if !ok {
				k++
				for k < limit && s[k] != ',' && s[k] != ')' {
					k++
				}
				continue
			}
			if v.ctx != quoted {
				if stop := strings.IndexAny(s[v.start:v.end], ",)"); stop >= 0 {
					v.end = v.start + stop
				}
			}
			if vd := columns[column]; c.secretValue(v, vd, v.ctx) {
				c.Offer(vd.Rule, v.start, v.end)
			}
			k = max(k+1, v.end)
			for k < limit && (s[k] != ',' && s[k] != ')') {
				k++
			}
		case ascii.Class[b]&ascii.Quote != 0 || b == '\\' && ascii.Is(s, k+1, ascii.Quote):
			v, _ := c.quotedValue(k)
			k = max(k+1, v.end)
			for ascii.Is(s, k, ascii.Quote) || ascii.At(s, k) == '\\' {
				k++
			}
		case b == ';' || b == '\n' && depth == 0:
			return 0
		default:
			k++
		}
	}
	return 0
}

// userTables are in the names of tables that hold logins.
var userTables = []string{"user", "account", "login", "credential", "member", "passw", "auth", "staff", "employee", "customer"}

// rowsOfUsers offers what looks like a password in the rows at i of an INSERT without the names of columns, into a table of users.
func (c *Context) rowsOfUsers(table string, i, limit int) (taken int) {
	s := c.S
	if !contains(ascii.LowerString(table), userTables) {
		return 0
	}
	c.look(2 * (limit - i))
	for k := i; k < limit && s[k] != ';' && s[k] != '\n'; k++ {
		if ascii.Class[s[k]]&ascii.Quote == 0 {
			continue
		}
		c.Charge(costOfValue)
		v, ok := c.quotedValue(k)
		if !ok {
			continue
		}
		if t := s[v.start:v.end]; passwordLike(t) {
			c.Offer(rulePassword, v.start, v.end)
			taken = v.end
		}
		k = v.end
		for ascii.At(s, k) == '\\' {
			k++
		}
	}
	return taken
}
