// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// What catalogues of messages and templates of configuration give to the name of a password, and is none.

// labels are how fields for passwords are labelled in other languages than English, also as catalogues escape that.
var labels = []string{
	"passwort", "kennwort", "passwörter", "mot de passe", "contraseña", "contrasena", "contrasenya", `contrase\u00f1a`, "senha", "palavra-passe", "palavra passe",
	"parola", "parolă", "wachtwoord", "lösenord", `l\u00f6senord`, "adgangskode", "kodeord", "passord", "salasana", "hasło", `has\u0142o`, "heslo", "jelszó", `jelsz\u00f3`,
	"lozinka", "geslo", "parool", "parole", "slaptažodis", "şifre", `\u015fifre`, "pasahitza", "kata sandi", "mật khẩu", "пароль", "парола", "лозинка", "κωδικός",
	"密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "รหัสผ่าน", "סיסמה", "كلمة المرور", "كلمة السر", "पासवर्ड", `\u5bc6\u7801`, `\u30d1\u30b9\u30ef\u30fc\u30c9`,
}

const maxLabel = 64 // bytes

// isLabel reports whether v is such a label, alone or among other words. It begins with a capital if the script has any. A password that
// is the word in small letters is one. The name is at start.
func (c *Context) isLabel(start int, v value) bool {
	s := c.S
	if first := s[v.start]; first < utf8.RuneSelf && first != '\\' && !ascii.Is(s, v.start, ascii.UpperCase) {
		return false
	}
	if v.ctx != quoted {
		limit := min(len(s), v.start+maxLabel)
		if v.end = lineEnd(s[:limit], v.start); v.end == limit && limit < len(s) {
			return false // what follows belongs to the line
		}
		for v.end > v.start && (s[v.end-1] == ' ' || s[v.end-1] == ':') {
			v.end--
		}
	}
	if v.end-v.start > maxLabel || v.end == v.start {
		return false
	}
	text := strings.ToLower(s[v.start:v.end])
	for _, label := range labels {
		k := strings.Index(text, label)
		if k < 0 {
			continue
		}
		return letters(text[:k]) && letters(text[k+len(label):]) && !c.logsIn(start, v.end)
	}
	return false
}

// logsIn reports whether the name at start, or what stands beside it in the line, says that its value, which ends at end, is one to log in
// with, weak as it is: DB_PASSWORD=Passwort, {"user":"bob","password":"Passwort"}.
func (c *Context) logsIn(start, end int) bool {
	s := c.S
	from, to := max(0, start-maxLabel), min(len(s), end+maxLabel)
	from += strings.LastIndexByte(s[from:start], '\n') + 1
	line := s[from:lineEnd(s[:to], end)]
	c.look(len(line))
	for _, w := range []string{"user", "datasource", "jdbc", "db.", "db_", "host"} {
		if ascii.ContainsFold(line, w) {
			return true
		}
	}
	name := s[start:ascii.Span(s, start, ascii.Ident)]
	return strings.ToUpper(name) == name
}

// letters reports whether v is words, or nothing.
func letters(v string) bool {
	for i := range len(v) {
		if b := v[i]; ascii.Class[b]&ascii.Alpha == 0 && b < utf8.RuneSelf && strings.IndexByte(" :.?()*'-", b) < 0 {
			return false
		}
	}
	return true
}

// templateValues stand in the templates of configurations where a password is to be put.
var templateValues = newWords("changeme change_me change-me changeit changethis change_this replaceme replace_me foobared your_password your-password yourpassword your_secret your-secret yoursecret " +
	"mypassword my_password my-password mysecret mysecretpassword my-secret-pw password passwd passwort pass secret secretpassword supersecret super_secret verysecret topsecret s3cr3t example xxx xxxx")

// commented reports whether v is such a value of the name at start in a line that is a comment: #password: changeme.
func commented(s string, start int, v value) bool {
	if !in(templateValues, s[v.start:v.end]) {
		return false
	}
	i := start
	for i > 0 && start-i < maxNameBytes && (ascii.Class[s[i-1]]&(ascii.Ident|ascii.Quote) != 0 || s[i-1] == ' ' || s[i-1] == '\t') {
		i--
	}
	switch {
	case i > 0 && (s[i-1] == '#' || s[i-1] == ';'):
		for mark := s[i-1]; i > 0 && s[i-1] == mark; {
			i--
		}
	case i > 1 && s[i-2:i] == "//":
		i -= len("//")
	default:
		return false
	}
	for i > 0 && (s[i-1] == ' ' || s[i-1] == '\t') {
		i--
	}
	return i == 0 || s[i-1] == '\n' || writtenBreak(s, i-2)
}
