// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// manner is how a value was given to its name.
type manner uint8

const (
	tight  manner = iota // name=value, name:value, a query parameter
	spaced               // name = value
	colon                // name: value, also how prose is written
	quoted               // in quotes of any kind, or an element
	prose                // name is value
	flag                 // --name value
	whole                // an attribute's whole value
)

// IsSecret reports whether v, the whole value of a key with this verdict, is to be redacted.
func IsSecret(v string, vd Verdict) bool { return secretValue(v, vd, whole) }

// secretValue reports whether v is to be redacted.
func (c *Context) secretValue(v value, vd Verdict, ctx manner) bool {
	c.Charge(1)
	c.weigh(v.end - v.start)
	return secretValue(c.S[v.start:v.end], vd, ctx)
}

// secretValue reports whether v, given to a name with this verdict in this way, is to be redacted.
func secretValue(v string, vd Verdict, ctx manner) bool {
	if (ctx == colon || ctx == spaced || ctx == prose) && placeholder(v) || variable(v) || ctx == quoted && saysSomething(v) {
		return false
	}
	switch vd.Rule {
	case ruleCardCode:
		n := ascii.Span(v, 0, ascii.Digit)
		return n == len(v) && (n == 3 || n == 4)
	case ruleOneTimeCode:
		switch vd.Strength {
		case Weak:
			return authorizationCode(v)
		case Likely:
			return userCode(v) || authorizationCode(v)
		case Medium:
			return len(v) <= 10 && oneTimeCode(v) && ascii.Span(v, 0, ascii.Digit) == len(v)
		}
		return oneTimeCode(v)
	case ruleSSN:
		digits := 0
		for i := range len(v) {
			if ascii.Class[v[i]]&ascii.Digit != 0 {
				digits++
			}
		}
		return digits == 9
	}
	if vd.Rule != SensitiveKey && isURL(v) && strings.Contains(v, MarkerStart+"url_credentials]@") {
		return false // what was secret in it is gone
	}
	switch vd.Strength {
	case Certain, Hard:
		if vd.Strength == Certain && ctx != colon && ctx != prose {
			return len(v) >= 4 && !structured(v) && v[0] != '/' // my-app-secret
		}
		if vd.Rule == SensitiveKey || vd.Rule == rulePassword && ctx != prose {
			return ctx != colon || !ascii.HasPrefixFold(v, 0, "http://") && !ascii.HasPrefixFold(v, 0, "https://") // reset your password: https://...
		}
		if ctx == prose {
			return len(v) >= 6 && Mixed(v)
		}
		if ctx == colon && len(v) < 16 && !Mixed(v) && caseChanges(v) < 2 {
			return false // a word: "Secret: not found"
		}
		return len(v) >= 4 && !resourceName(v) && !structured(v)
	case Medium:
		if structured(v) || len(v) < 6 || hexNumber(v) {
			return false
		}
		switch ctx {
		case tight, quoted, flag, whole:
			return !isURL(v) && !resourceName(v)
		}
		return (tokenLike(v, 8) || onePiece(v)) && !resourceName(v) && !qualified(v)
	case Likely:
		return len(v) >= 6 && Mixed(v) && !structured(v) && !isURL(v) && !resourceName(v) && !hexNumber(v) && !isTime(v) && !algorithm(v)
	case Weak:
		if vd.Rule == ruleSignedURL {
			return len(v) >= 20 && tokenLike(v, 20)
		}
		if vd.Rule == rulePassword { // a PIN, a phrase
			if len(v) == len("ddd-ddd-ddd") && matchesForm(v, 0, "ddd-ddd-ddd") {
				return true // of Werkzeug's debugger
			}
			n := ascii.Span(v, 0, ascii.Digit)
			return n == len(v) && n >= 4 && n <= 8 && !roundNumber(v) || n == 0 && phraseEnd(v, 0) == len(v)
		}
		if structured(v) || !tokenLike(v, 16) || resourceName(v) || compound(v) || entropy(v) < 3 {
			return hexPair(v)
		}
		return changes(v) >= 4 || len(v) >= 20 && ascii.Span(v, 0, ascii.Alnum) == len(v) && Mixed(v)
	}
	return false
}

// roundNumber reports whether v, all digits, is a number that programs choose for a size: 2048.
func roundNumber(v string) bool {
	n, err := strconv.Atoi(v)
	return err == nil && n&(n-1) == 0 && v[0] != '0'
}

// isTime reports whether v starts with a date: 2026-11-28T09:00:00Z.
func isTime(v string) bool { return matchesForm(v, 0, "dddd-dd-dd") || matchesForm(v, 0, "dd:dd:dd") }

// algorithms begin the names of methods to keep passwords.
var algorithms = []string{"sha1", "sha2", "sha3", "sha5", "sha-", "sha_", "md5", "bcrypt", "pbkdf2", "argon2", "scrypt", "aes-", "aes_", "aes1", "aes2", "ntlm", "scram-", "hmac"}

func algorithm(v string) bool {
	for _, a := range algorithms {
		if len(v) < 24 && ascii.HasPrefixFold(v, 0, a) && ascii.Span(v, 0, ascii.Ident) == len(v) {
			return true
		}
	}
	return false
}

// structured reports whether v is the start of a composite: Token{, token(, [.
func structured(v string) bool {
	i := ascii.Span(v, 0, ascii.Ident)
	return i < len(v) && (v[i] == '{' || v[i] == '(' || v[i] == '[' && i > 0 || v[i] == '<')
}

// onePiece reports whether v is letters and digits, too many for a word.
func onePiece(v string) bool {
	return len(v) >= 24 && ascii.Span(v, 0, ascii.Alnum) == len(v) && caseChanges(v) == 0
}

// qualified reports whether v starts as the qualified name of a class or service does: android.os.BinderProxy@2bd79ce.
func qualified(v string) bool {
	words := 0
	for i := 0; words < 2; words++ {
		end := ascii.Span(v, i, ascii.Alpha)
		if end-i < 2 || ascii.At(v, end) != '.' {
			return false
		}
		i = end + 1
	}
	return true
}

// compound reports whether v is put together from parts that say something, as keys of caches are: node-cache-Linux-4dda8291,
// 0|com.example|121.
func compound(v string) bool {
	words := 0
	for i := 0; i < len(v); {
		end := ascii.Span(v, i, ascii.Alpha)
		if end-i < 2 || ascii.At(v, end) != '-' {
			break
		}
		i = end + 1
		words++
	}
	return words > 2 || strings.IndexByte(v, '|') >= 0
}

func isURL(v string) bool { return strings.Contains(v[:min(len(v), 16)], "://") }

// resourceName reports whether v is a path, a file or words joined by punctuation: lower-case words, without the
// digits and capitals that tokens have.
func resourceName(v string) bool {
	sep, capitals, digits := 0, 0, 0
	for i := range len(v) {
		switch b := v[i]; {
		case ascii.Class[b]&ascii.LowerCase != 0:
		case ascii.Class[b]&ascii.UpperCase != 0:
			capitals++
		case ascii.Class[b]&ascii.Digit != 0:
			digits++
		case b == '/' || b == '\\':
			sep += 2
		case b == '-' || b == '_' || b == '.' || b == ':':
			sep++
		default:
			return false
		}
	}
	if sep == 0 {
		return false
	}
	letters := len(v) - sep
	return v[0] == '/' && digits*4 < letters && !strings.Contains(v, "+") && strings.Count(v, "/") > 1 ||
		digits == 0 && (capitals == 0 || capitals <= sep+1)
}

// shape is what a value is made of.
type shape struct {
	upper, lowers, digits, hex, dots, dashes int
	changes                                  int  // between digits and others
	caseChanges                              int  // from upper case to others or back
	distinct                                 int  // different characters
	longest                                  int  // run of one character
	broken                                   bool // it holds what no token does: spaces, quotes, brackets
}

func shapeOf(v string) (f shape) {
	if v == "" {
		return f
	}
	count := func(cl, of uint16) int { return int(cl / of & 1) } // without a branch, which in a token would be a guess
	var seen [4]uint64
	run := 0
	last, before := v[0], ascii.Class[v[0]]
	for i := range len(v) {
		b := v[i]
		cl := ascii.Class[b]
		f.digits += count(cl, ascii.Digit)
		f.upper += count(cl, ascii.UpperCase)
		f.lowers += count(cl, ascii.LowerCase)
		f.hex += count(cl, ascii.HexDigit)
		f.changes += count(cl^before, ascii.Digit)
		f.caseChanges += count(cl^before, ascii.UpperCase)
		before = cl
		seen[b>>6] |= 1 << (b & 63)
		if b != last {
			f.longest = max(f.longest, run)
			run = 0
		}
		run++
		last = b
		if cl&ascii.Alnum != 0 {
			continue
		}
		switch {
		case cl&ascii.Space != 0 || cl&ascii.Quote != 0 || b == '<' || b == '>' || b == '(' || b == '{':
			f.broken = true
		case b == '.':
			f.dots++
		case b == '-' || b == '_':
			f.dashes++
		}
	}
	f.longest = max(f.longest, run)
	f.distinct = ones(&seen)
	return f
}

// tokenLike is the function of that name, for a value of n bytes that is neither an address nor a number.
func (f *shape) tokenLike(n int) bool {
	if f.broken || n >= minPlaceholder && (f.distinct <= 3 || f.longest*2 > n) {
		return false
	}
	letters := f.upper + f.lowers
	switch {
	case letters == 0:
		return n >= 15 && f.digits >= 15
	case f.digits == 0:
		return n >= 16 && f.upper > 1 && f.lowers > 1 && f.caseChanges > n/6
	case f.dots > 0 && (f.dots*5 > n || letters*4 < n):
		return false // a version or an address
	}
	return true
}

// tokenLike reports whether v could be a machine-made credential: of some length, without spaces, with letters and digits
// (or long and of both cases), and not a version, a date, an address or a repeated character.
func tokenLike(v string, minLen int) bool {
	if len(v) < minLen || isURL(v) || hexNumber(v) {
		return false
	}
	f := shapeOf(v)
	return f.tokenLike(len(v)) && (f.digits > 0 || !camelWords(v))
}

// camelWords reports whether v is words whose capitals show where they start: secretNamespaceValue.
func camelWords(v string) bool {
	for i := 0; i < len(v); {
		end := ascii.Span(v, i, ascii.UpperCase)
		word := ascii.Span(v, end, ascii.LowerCase)
		if word-end < 2 && word < len(v) {
			return false
		}
		if word == i {
			return false // no letter
		}
		i = word
	}
	return true
}

// hexNumber reports whether v is a number of at most 64 bits: 0x14ede63a5a70002.
func hexNumber(v string) bool {
	return len(v) <= 18 && len(v) > 2 && v[0] == '0' && ascii.ToLower(v[1]) == 'x' && ascii.Span(v, 2, ascii.HexDigit) == len(v)
}

// pointer reports whether v is an address in memory as programs print it: 0xc000012345, 0x00007f3a5c001234.
func pointer(v string) bool {
	if strings.HasPrefix(v, "(0x") && v[len(v)-1] == ')' {
		v = v[1 : len(v)-1] // (*string)(0xc000012345)
	}
	if !hexNumber(v) || len(v) < 10 || strings.ToLower(v) != v {
		return false
	}
	for _, begin := range []string{"0x000", "0xc00", "0x7f", "0x55", "0x56"} {
		if strings.HasPrefix(v, begin) {
			return true
		}
	}
	return false
}

// caseChanges counts how often letters change from lower to upper case or back: seldom in words, often in tokens.
func caseChanges(v string) (n int) {
	for i := 1; i < len(v); i++ {
		if (ascii.Class[v[i]]^ascii.Class[v[i-1]])&ascii.UpperCase != 0 {
			n++
		}
	}
	return n
}

// hexPair reports whether v is two groups of eight hexadecimal digits, as package servers hand out.
func hexPair(v string) bool {
	return len(v) == 17 && v[8] == ':' && ascii.Span(v, 0, ascii.HexDigit) == 8 && ascii.Span(v, 9, ascii.HexDigit) == 17
}

// entropy returns the Shannon entropy of the bytes of s, in bits a byte.
func entropy(s string) float64 {
	var count [256]uint16
	n := min(len(s), 1<<12)
	for i := range n {
		count[s[i]]++
	}
	sum := 0.0
	for i := range n {
		if k := count[s[i]]; k > 0 {
			sum += timesLog2(int(k))
			count[s[i]] = 0
		}
	}
	return (timesLog2(n) - sum) / float64(n)
}

// timesLog2 returns k*log2(k).
func timesLog2(k int) float64 {
	if k < len(logs) {
		return logs[k]
	}
	return float64(k) * math.Log2(float64(k))
}

var logs = func() (t [128]float64) {
	for k := 1; k < len(t); k++ {
		t[k] = float64(k) * math.Log2(float64(k))
	}
	return t
}()

// Mixed reports whether s holds both letters and digits.
func Mixed(s string) bool {
	var seen uint16
	for i := range len(s) {
		seen |= ascii.Class[s[i]]
	}
	return seen&ascii.Digit != 0 && seen&ascii.Alpha != 0
}

const minPlaceholder = 8

// repeats reports whether s is a placeholder: at most three different characters, or a run of one over half of it.
func repeats(s string) bool {
	if len(s) < minPlaceholder {
		return false
	}
	var seen [4]uint64
	run, longest := 0, 0
	for i := range len(s) {
		seen[s[i]>>6] |= 1 << (s[i] & 63)
		if i > 0 && s[i] != s[i-1] {
			longest = max(longest, run)
			run = 0
		}
		run++
	}
	return ones(&seen) <= 3 || max(longest, run)*2 > len(s)
}

// ones returns how many bits are set.
func ones(seen *[4]uint64) (n int) {
	for _, x := range seen {
		n += bits.OnesCount64(x)
	}
	return n
}

// isHash reports whether v is as many hexadecimal digits as a hash has: MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512.
func isHash(v string) bool {
	switch len(v) {
	case 32, 40, 56, 64, 96, 128:
		return ascii.Span(v, 0, ascii.HexDigit) == len(v)
	}
	return false
}
