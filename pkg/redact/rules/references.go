// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"net/url"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// What stands in the place of a value and is none: words of prose, masks, references to where the value is.

// words that follow "password:" and the like in prose, and stand for a value in examples.
var notValues = newWords("null nil none true false undefined (null) empty yes no ok incorrect invalid required expired wrong failed failure changed must " +
	"not the is for cannot authentication accepted rejected missing unknown error on off set unset default optional and or of " +
	"to in with from was has be a an your string str bool boolean int integer number object any void hidden masked redacted removed filtered " +
	"n/a na nan [password] [secret] [token] [hidden] [filtered] [masked] <nil> <none> <null> <empty> secret_name reset created updated " +
	"deleted varchar bcrypt scrypt argon2 argon2i argon2id pbkdf2 sha1 sha256 sha512 md5 scram-sha-256 verified validated denied granted enabled disabled type attempt value password base64 base32 utf8 utf-8")

// placeholder reports whether a value stands for another one: empty, a word that is no value, a variable, a mask.
func placeholder(v string) bool {
	v = strings.TrimSpace(v)
	for len(v) > 0 && strings.IndexByte(".,;:!?", v[len(v)-1]) >= 0 {
		v = v[:len(v)-1]
	}
	return len(v) <= 20 && in(notValues, v) || len(v) < 2 && !ascii.HasAlnum(v) || variable(v)
}

// noValue are the words that stand for no value, however they are given.
var noValue = newWords("ok yes no on off enabled disabled required null nil none true false undefined (null) <nil> <none> <null> redacted (sensitive (known sensitive always on_create")

// longMasks are what programs write for a value whose name is no mask elsewhere.
var longMasks = set("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER PASSWORD_REMOVED SECRET_REMOVED")

// variable reports whether a value is empty, a reference to a variable, or a mask.
func variable(v string) bool {
	if v == "" || len(v) <= 12 && in(noValue, v) || longMasks[v] {
		return true
	}
	switch {
	case v[0] == '$' && len(v) > 1:
		// ${NAME}, $(command), $NAME, ${{ expression }}
		if v[1] == '{' || v[1] == '(' {
			return v[len(v)-1] == '}' || v[len(v)-1] == ')'
		}
		return isVariable(v[1:])
	case v[0] == '%' && len(v) > 2 && v[len(v)-1] == '%':
		return isVariable(v[1 : len(v)-1])
	case len(v) > 4 && (v[:2] == "{{" || v[:2] == "#{") && v[len(v)-1] == '}':
		return true
	case v[0] == '<' && v[len(v)-1] == '>' && !Mixed(v):
		return true
	case strings.HasPrefix(v, "&lt;") || strings.HasPrefix(v, `\u003c`):
		// <hidden>, as XML and JSON write it
		inner := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(v, ";"), "&gt"), `\u003e`)
		return len(inner) < len(v)-1 && !Mixed(inner[strings.IndexAny(inner, ";c")+1:])
	case fingerprint(v):
		return true
	case (v[0] == '%' || strings.HasPrefix(v, "+%")) && len(v) <= maxReference:
		// A mask or a reference in a query: %5BFILTERED%5D
		w, err := url.QueryUnescape(strings.TrimPrefix(v, "+"))
		return err == nil && w[0] != '%' && variable(w)
	case (v[0] == '^' || v[0] == '~') && len(v) > 4 && strings.Trim(v[1:], "0123456789.") == "" && strings.Count(v, ".") == 2:
		return true // the version of a package that is named after passwords: ^1.0.0
	}
	if v[0] == '.' && (strings.HasPrefix(v, "./") || strings.HasPrefix(v, "../")) && resourceName(v) {
		return true // the file that holds it
	}
	return len(v) == 1 && !ascii.HasAlnum(v) || pointer(v) || len(v) >= 2 && mask(v) || masked(v) || reference(v, 0) == len(v)
}

// auditMask begins what Vault writes to its audit log in the place of a secret.
const auditMask = "hmac-sha256:"

// fingerprint reports whether v is that of a key, as OpenSSH prints it, or what Vault's audit log has in the place of a secret, and not a hash
// that another program keeps of a password.
func fingerprint(v string) bool {
	const sha256Bytes, md5Pairs = 43, 16
	if strings.HasPrefix(v, auditMask) {
		return isHash(v[len(auditMask):])
	}
	if n := len("SHA256:"); strings.HasPrefix(v, "SHA256:") {
		hash := strings.TrimSuffix(v[n:], "=")
		return len(hash) == sha256Bytes && !strings.ContainsAny(hash, "-_=") && ascii.Span(hash, 0, ascii.Run) == sha256Bytes
	}
	n := len("MD5:")
	if len(v) != n+3*md5Pairs-1 || v[:n] != "MD5:" {
		return false
	}
	for i := n; i < len(v); i += 3 {
		if ascii.Span(v, i, ascii.HexDigit) != i+2 || i+2 < len(v) && v[i+2] != ':' {
			return false
		}
	}
	return true
}

// maskWords are what other tools write in the place of a value, between brackets, stars or underscores.
var maskWords = newWords("redacted filtered masked hidden removed sensitive secret scrubbed obfuscated protected present omitted password token key value " +
	"apikey api_key your_password your_token your_api_key your_secret insert_password_here your_password_here your_token_here your_api_key_here " +
	"censored suppressed concealed stripped private confidential none null empty set unset provided encrypted ok blank sensitive*data*deleted")

// masked reports whether v is what another tool leaves of a value: [FILTERED], ***REMOVED***, <hidden>, dots.
func masked(v string) bool {
	if v == "" || len(v) > 40 || strings.IndexByte("[<({*_-#yY\xe2", v[0]) < 0 {
		return false
	}
	inner := strings.Trim(v, "[]<>(){}*_-#•● ")
	if inner == "" {
		return len(v) >= 3
	}
	// Between brackets any such word, bare only one that nobody chooses.
	if len(inner) < len(v) {
		if k := strings.Index(inner, ": "); k > 0 {
			inner = inner[:k] // [REDACTED: 12 bytes]
		}
		return in(maskWords, inner)
	}
	if w := ascii.LowerString(inner); strings.HasPrefix(w, "your_") || strings.HasPrefix(w, "your-") {
		return in(maskWords, strings.ReplaceAll(w, "-", "_"))
	}
	return false
}

// storeSchemes begin the address of a secret in the place where it is kept.
var storeSchemes = []string{
	"op://", "vault:", "vault://", "ref+", "arn:aws", "env:", "env://", "file:", "file://", "ssm:", "awssm:", "aws-sm:", "sm://", "gcpsm:", "gsm:", "azurekv:", "akv:",
	"secretsmanager:", "aws_secrets_manager:", "keyring:", "keychain:", "doppler:", "bws:", "kms:", "enc[", "enc(", "sops:", "projects/", "conjur:", "k8s:", "secretref:", "/run/secrets/", "/var/run/secrets/", "/etc/secrets/", "/mnt/secrets/", "/vault/secrets/",
	"cat /", "pass show ", "op read ", "vault kv ", "vault read ", "aws secretsmanager ", "gcloud secrets ", "kubectl get ", "@microsoft.keyvault(", "{cipher}", "$ansible_vault", "file(", "resolve:", "{{resolve:", "valuefrom", "hiera(", "lookup(",
}

// schemesBy are storeSchemes by their first byte.
var schemesBy = func() (t [256][]string) {
	for _, p := range storeSchemes {
		t[p[0]] = append(t[p[0]], p)
	}
	return t
}()

// roots are what the path to a value in a program begins with.
var roots = set("self this os process env environ environment var local data config cfg settings setting conf args arg argv opts opt options params param req request ctx optional " +
	"context user form input session credentials creds secrets secret vault module each event body payload model props state row conn db client app super cls obj " +
	"values helpers steps needs github inputs matrix node item record account u r c p s m d e x i fields attrs attributes cmd flags viper system")

// reference returns the length of what stands at i for a value that is somewhere else, or 0: self.password, getpass(),
// os.environ["X"], op://vault/item, ${{ secrets.X }}, {{ .Values.x }}, $1.
func reference(s string, i int) int {
	b := ascii.At(s, i)
	wordEnd := func() int {
		end := i
		for end < len(s) && end-i < maxReference && ascii.Class[s[end]]&(ascii.Space|ascii.Quote) == 0 {
			end++
		}
		return end
	}
	switch {
	case b == '$' && ascii.At(s, i+1) == '{' && ascii.At(s, i+2) == '{':
		return closed(s, i, "}}")
	case b == '$' && ascii.At(s, i+1) == '{' && ascii.Is(s, i+2, ascii.Alpha):
		// And not the start of a password: ${a}b, "${ab"}. A path may follow: ${HOME}/secrets/db.
		n := closed(s, i, "}")
		if n == 0 || strings.ContainsAny(s[i:i+n], " ,\n") || ascii.Is(s, i+n-2, ascii.Quote) {
			return 0
		}
		if rest := s[i+n : max(i+n, wordEnd())]; ascii.Is(s, i+n, ascii.Run) && (rest == "" || rest[0] != '/' || !resourceName(rest)) {
			return 0
		}
		return n
	case b == '!' && templateTag(s, i):
		return wordEnd() - i
	case b == '{' && ascii.At(s, i+1) == '{':
		return closed(s, i, "}}")
	case b == '<' && ascii.At(s, i+1) == '%':
		return closed(s, i, "%>")
	case b == '<' && ascii.At(s, i+1) == '?':
		return closed(s, i, "?>")
	case b == '$' && ascii.At(s, i+1) == '(':
		return closed(s, i, ")")
	case b == '$' && ascii.Is(s, i+1, ascii.Digit):
		if k := ascii.Span(s, i+1, ascii.Digit); k-i <= 3 && !ascii.Is(s, k, ascii.Alpha) && ascii.At(s, k) != '$' {
			return k - i
		}
	case b == ':' || b == '@':
		// A parameter of a statement: :password, @pw.
		if k := ascii.Span(s, i+2, ascii.Digit); b == '@' && ascii.At(s, i+1) == 'p' && k > i+2 && k-i < 5 && !ascii.Is(s, k, ascii.Run) {
			return k - i
		}
		if k := ascii.Span(s, i+1, ascii.LowerCase|ascii.UpperCase); k-i > 1 && (k == len(s) || strings.IndexByte(" \"',);", ascii.At(s, k)) >= 0) && judge(s[i+1:k]).Strength > Nothing {
			return k - i
		}
	case b == '%' && ascii.At(s, i+1) == '(' || b == '%' && ascii.At(s, i+1) == 's' && !ascii.Is(s, i+2, ascii.Alnum):
		return wordEnd() - i
	case b == '%':
		if k := strings.IndexByte(s[i+1:wordEnd()], '%'); k > 1 && isVariable(s[i+1:i+1+k]) {
			return k + 2
		}
	}
	for _, p := range schemesBy[ascii.ToLower(b)] {
		if !ascii.HasPrefixFold(s, i, p) {
			continue
		}
		if end := wordEnd(); end-i > len(p) || strings.IndexByte(p, ' ') > 0 {
			word := s[i:end]
			if p[len(p)-1] == '[' {
				return closed(s, i, "]")
			}
			if p[len(p)-1] == '(' {
				return closed(s, i, ")")
			}
			if p == "vault:" || p == "env:" || p == "file:" || p == "kms:" || p == "k8s:" || p == "projects/" || p == "sops:" {
				if !strings.ContainsAny(word[len(p):], "/_.") && !isVariable(word[len(p):]) {
					continue
				}
			}
			if strings.IndexByte(p, ' ') > 0 {
				return len(s) - i // a command, in its quotes
			}
			return end - i
		}
	}
	return pathEnd(s, i)
}

// templateTag reports whether a tag of YAML is at i whose value is the name of something: !Ref DBPassword, but not !env9, nor !env user=bob.
func templateTag(s string, i int) bool {
	end := ascii.Span(s, i+1, ascii.Alpha)
	return templateTags[asciiWord(s[i+1:end])] && ascii.At(s, end) == ' ' && end+1 < len(s) && !ascii.Is(s, end+1, ascii.Space) &&
		ascii.At(s, ascii.Span(s, end+1, ascii.Ident)) != '='
}

// closed returns how long it is from i to the end of the mark, or 0.
func closed(s string, i int, mark string) int {
	k := strings.Index(s[i:min(len(s), i+maxReference)], mark)
	if k < 0 {
		return 0
	}
	return k + len(mark)
}

const maxReference = 256

// pathEnd returns the length of the path to a value in a program at i: words joined by dots, arrows or colons, and behind them
// perhaps a call or an index. It returns 0 if there is none.
func pathEnd(s string, i int) int {
	segments, last, digits := 0, i, false
	k := i
	if b := ascii.At(s, k); b == '$' || b == '@' {
		k++
	}
	root := ""
	for {
		last = k
		if ascii.Class[ascii.At(s, k)]&ascii.Alpha == 0 && ascii.At(s, k) != '_' {
			return 0
		}
		for k < len(s) && k-i < maxReference && (ascii.Class[s[k]]&ascii.Alnum != 0 || s[k] == '_') {
			digits = digits || ascii.Class[s[k]]&ascii.Digit != 0
			k++
		}
		if segments++; segments == 1 {
			root = s[last:k]
		}
		switch {
		case ascii.At(s, k) == '.' && ascii.Is(s, k+1, ascii.Alpha):
			k++
		case ascii.At(s, k) == '?' && ascii.At(s, k+1) == '.', ascii.At(s, k) == '-' && ascii.At(s, k+1) == '>', ascii.At(s, k) == ':' && ascii.At(s, k+1) == ':':
			k += 2
		default:
			goto behind
		}
	}
behind:
	name := s[last:k]
	if segments == 1 && !digits && k == len(s) || segments == 1 && !digits && strings.IndexByte(" ,;)}{", ascii.At(s, k)) >= 0 {
		// Another variable: password = db_password, new_password.
		if j := strings.IndexByte(name, '_'); j > 0 && judge(name).Strength >= Medium {
			return k - i
		}
	}
	switch b := ascii.At(s, k); {
	case b == '(' && (!digits || segments > 1):
		if n := closed(s, k, ")"); n > 0 && !ascii.Is(s, k+n, ascii.Alnum) && (segments > 1 || ascii.Is(s, k+1, ascii.Quote) || ascii.At(s, k+1) == ')' || ascii.Is(s, k+1, ascii.Alpha) && len(name) > 1 && !random(s, k+1)) {
			return k + n - i
		}
	case b == '[' && (ascii.Is(s, k+1, ascii.Quote) || ascii.At(s, k+1) == ':') && !digits:
		if n := closed(s, k, "]"); n > 0 {
			return k + n - i
		}
	case segments > 1 && !digits && (k == len(s) || b != '@' && b != '!' && b != '#' && b != '%' && b != '&' && b != '/' && b != '-' && b != '=' && b != '$' && b != '*' && b != '+'):
		if roots[ascii.LowerString(root)] && (len(root) > 1 || k < i+len(root)+1+len(name) || keyLike(s, last) && caseChanges(name) == 0) || judge(name).Strength > Nothing || strings.IndexByte(s[i:k], '_') > 0 {
			return k - i
		}
	}
	return 0
}

// starts are the words that sentences about a value begin with, where it could stand itself.
var starts = set("is are was must should cannot can't can does doesn't do don't did didn't has have had may might will would too not no never " +
	"this the a an your you please field value missing invalid incorrect wrong required minimum maximum at least only contains contain length " +
	"needs need expected expects unexpected mismatch mismatched expired malformed unable failed when if because for from with without")

// saysSomething reports whether v, in quotes, is a sentence about the value.
func saysSomething(v string) bool {
	k := strings.IndexByte(v, ' ')
	if k <= 0 || !starts[asciiWord(v[:k])] {
		return false
	}
	for i := k; i < len(v); i++ {
		if ascii.Class[v[i]]&ascii.Digit == 0 {
			continue
		}
		// A number of so many characters, and nothing that could be a part of a password.
		end := ascii.Span(v, i, ascii.Digit)
		if v[i-1] != ' ' || ascii.At(v, end) != ' ' || !unitAt(v, end+1) {
			return false
		}
		i = end
	}
	return true
}

// maxAsciiWord is the length of the longest word that is looked up in a set, in bytes.
const maxAsciiWord = 24

// asciiWord is v in lower case, if it is short.
func asciiWord(v string) string {
	if len(v) > maxAsciiWord {
		return ""
	}
	return ascii.LowerString(v)
}

// inProse reports whether the bare word v is the first one of a sentence: it and what follows it are words in small letters.
func inProse(s string, v value) bool {
	word := s[v.start:v.end]
	if word == "" || ascii.Span(word, 1, ascii.LowerCase) < len(strings.TrimRight(word, ".,!")) || !ascii.Is(word, 0, ascii.Alpha) {
		return word != "" && starts[asciiWord(word)]
	}
	if starts[asciiWord(word)] {
		return true
	}
	if ascii.At(s, v.end) != ' ' && ascii.At(s, v.end) != '\'' {
		return false
	}
	next := ascii.Span(s, v.end+1, ascii.LowerCase)
	if next == v.end+1 {
		return false
	}
	b := ascii.At(s, next)
	return b == ' ' || b == 0 || b == '.' || b == ',' || b == '!'
}

// units are what is counted in sentences about credentials, but for what is the name of a field in log lines: user, time.
var units = set("character characters char chars letter letters digit digits symbol symbols byte bytes bit bits words second seconds minute minutes hour hours " +
	"day days week weeks month months attempt attempts tries times users")

// unitAt reports whether the word at i is one of units, and not the name of the next field: 482913 bytes=7, 482913 attempts: 3.
func unitAt(s string, i int) bool {
	end := ascii.Span(s, i, ascii.Alpha)
	b := ascii.At(s, end)
	return units[asciiWord(s[i:end])] && (b == '.' || !ascii.Is(s, end, ascii.Ident)) && b != '=' && b != ':' && (b != ' ' || !ascii.Is(s, end+1, ascii.Digit))
}

// maxQuantity is how many digits the number of a quantity has, unless it is a round one: 365 days, 4096 bits, 3600 seconds.
const maxQuantity = 3

// quantity reports whether v is the first word of what the name is measured in: 8-64 characters, 3 attempts. Right behind an equals
// sign or an option it is a value, whatever follows.
func quantity(s string, v value) bool {
	if v.ctx != colon && v.ctx != spaced && v.ctx != prose || ascii.At(s, v.end) != ' ' || !unitAt(s, v.end+1) {
		return false
	}
	end := ascii.Span(s, v.start, ascii.Digit)
	if !amount(s[v.start:end]) {
		return false
	}
	if end < v.end && (s[end] == '-' || s[end] == '.') {
		from := end + 1
		end = ascii.Span(s, from, ascii.Digit)
		return end == v.end && amount(s[from:end])
	}
	return end == v.end || end+1 == v.end && s[end] == '+'
}

// amount reports whether digits are the number of a quantity.
func amount(digits string) bool {
	return digits != "" && (len(digits) <= maxQuantity || len(digits) == maxQuantity+1 && (roundNumber(digits) || digits[0] != '0' && strings.HasSuffix(digits, "00")))
}

// maxShown is how many characters a mask leaves at the end.
const maxShown = 4

// mask reports whether v is one, whole: ******, xxxxxx, ......
func mask(v string) bool {
	if len(v) >= 2*maxShown && strings.HasPrefix(v, "********") && len(strings.TrimLeft(v, "*")) <= maxShown {
		return true // ****************ALLX
	}
	for i := range len(v) {
		if b := ascii.ToLower(v[i]); b != '*' && b != 'x' && b != '.' && b != '-' && b != '_' && b != '#' {
			return false
		}
	}
	return true
}

// isVariable reports whether s is the name of an environment variable, in capitals.
func isVariable(s string) bool {
	for i := range len(s) {
		if ascii.Class[s[i]]&(ascii.UpperCase|ascii.Digit) == 0 && s[i] != '_' {
			return false
		}
	}
	return len(s) > 1 && ascii.Class[s[0]]&ascii.Digit == 0
}
