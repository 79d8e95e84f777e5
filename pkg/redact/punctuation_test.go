// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Passwords that people and programs make up hold any punctuation. TestPunctuation puts such ones behind their names, in the ways in which
// programs write both, and measures how many go whole, and how much goes of what stands beside them.

// punctuation is what passwords are made of besides letters and digits, in groups, each of which is measured by itself.
var punctuation = []string{"()[]{}<>", "\"'`", "/\\^~|", ",;:.?", "!@#$%&*-_+=", "()[]{}<>\"'`/\\^~|,;:.?!@#$%&*-_+="}

// password is 8 to 14 letters and digits with one to three marks.
func (g gen) password(marks string) string {
	const alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	b := make([]byte, 8+g.IntN(7))
	for i := range b {
		b[i] = alphabet[g.IntN(len(alphabet))]
	}
	for range 1 + g.IntN(3) {
		b[g.IntN(len(b))] = marks[g.IntN(len(marks))]
	}
	return string(b)
}

// naming is a way to write a password behind its name.
type naming struct {
	before, after string
	write         func(v string) string // how the value is written, nil for as it is
	not           string                // marks that a value written like this cannot hold
	gone          float64               // the least share of values that must go
}

func namings() []naming {
	inJSON := func(v string) string { s := jsonString(v); return s[1 : len(s)-1] }
	inLogfmt := func(v string) string { s := strconv.Quote(v); return s[1 : len(s)-1] }
	const unquoted, inQuotes = 0.97, 0.995
	return []naming{
		{before: "login failed password=", gone: unquoted},
		{before: "Password: ", gone: unquoted},
		{before: "run --user bob --password ", after: " --verbose", gone: unquoted},
		{before: "run -P --pwd=", after: " --verbose", gone: unquoted},
		{before: "mysql -u root -p", after: " shop", not: "|;&<>()\"'`\\", gone: unquoted},
		{before: "password=", after: " user=bob", gone: unquoted},
		{before: "password=", after: ", user=bob", gone: unquoted},
		{before: "Server=db;Pwd=", after: ";Database=shop", not: ";\"'", gone: unquoted},
		{before: `{"user":"bob","password":"`, after: `","n":1}`, write: inJSON, gone: inQuotes},
		{before: `{"msg":"login failed password=`, after: `","n":1}`, write: inJSON, gone: unquoted},
		{before: `<login><password>`, after: `</password><n>1</n></login>`, write: xmlText, gone: inQuotes},
		{before: `<e><m>login failed password=`, after: `</m><n>1</n></e>`, write: xmlText, gone: unquoted},
		{before: `level=info password="`, after: `" user=bob`, write: inLogfmt, gone: inQuotes},
		{before: `PASSWORD='`, after: `' ./run`, not: "'", gone: inQuotes},
		{before: "password: '", after: "'\nuser: bob", write: func(v string) string { return strings.ReplaceAll(v, "'", "''") }, gone: 0.99},
		{before: "user=bob&password=", after: "&next=1", write: url.QueryEscape, gone: inQuotes},
		{before: "postgres://bob:", after: "@db.example/app", write: func(v string) string { s := url.UserPassword("", v).String(); return s[1:] }, gone: inQuotes},
		{before: "postgres://bob:", after: "@db.example/app", not: "/?#", gone: unquoted},
	}
}

func TestPunctuation(t *testing.T) {
	e := newEngine(t)
	each := 400
	if n, err := strconv.Atoi(os.Getenv("LOGSEAL_PASSWORDS")); err == nil {
		each = n
	}
	for k, n := range namings() {
		g := gen{rand.New(rand.NewPCG(uint64(k), 18))}
		text := n.before + "…" + n.after
		row := fmt.Sprintf("%-60q", text)
		gone, all, kept, beside := 0, 0, 0, 0
		for _, group := range punctuation {
			marks := strings.Map(func(r rune) rune {
				if strings.ContainsRune(n.not, r) {
					return -1
				}
				return r
			}, group)
			if marks == "" {
				row += fmt.Sprintf(" %12s     —", "")
				continue
			}
			groupGone, shown := 0, 0
			for range each {
				v := g.password(marks)
				if n.write != nil {
					v = n.write(v)
				}
				text := n.before + v + n.after
				out, matches, _ := e.Text(text, newTally())
				cover := make([]bool, len(text))
				for _, m := range matches {
					for i := m.Start; i < m.End; i++ {
						cover[i] = true
					}
				}
				run, left := 0, false
				for i, c := range cover {
					within := i >= len(n.before) && i < len(n.before)+len(v)
					switch {
					case !within:
						if beside++; !c {
							kept++
						}
					case c:
						run = 0
					default:
						run++
						left = left || run >= 4
					}
				}
				if !left {
					groupGone++
				} else if shown++; shown <= 8 && testing.Verbose() {
					t.Logf("left: %q -> %q", text, out)
				}
			}
			row += fmt.Sprintf(" %12s %5.3f", group, float64(groupGone)/float64(each))
			gone, all = gone+groupGone, all+each
		}
		if testing.Verbose() {
			t.Logf("%s  all %.3f  beside kept %.3f", row, float64(gone)/float64(all), float64(kept)/float64(beside))
		}
		assert.GreaterOrEqual(t, float64(gone)/float64(all), n.gone, text)
		assert.GreaterOrEqual(t, float64(kept)/float64(beside), 0.985, text)
	}
}
