// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

var ruleOneTimeCode = newID("one_time_code")

var _ = register(ruleOneTimeCode, Rule{
	Pack: Secrets,
	Names: []Names{
		{Words: "otp totp hotp onetimepassword onetimecode pincode", Strength: Hard},
		{Words: "code codes", Behind: codeKinds + " ihr ihrem ihren dein votre ton tu su tuo uw din", Strength: Hard},
		{Words: "zugangscode freischaltcode aktivierungscode bestätigungscode einmalcode einmalpasswort 验证码 驗證碼 認証コード 確認コード 인증번호", Strength: Hard},
		{Words: "code", Behind: "user", Strength: Likely}, // of RFC 8628
		{Words: "code", Alone: true, Strength: Weak},
		{Words: "verifier", Behind: "code oauth", Strength: Hard},
		{Endings: "otpcode mfacode verificationcode recoverycode codeverifier", Strength: Hard},
	},
	Detectors: []*Detector{
		{Extra: 12, At: literals("/?code="), Find: detectSetupCode},
		{At: []Trigger{sets(prefilter.Bytes("T"), prefilter.Bytes("A"), prefilter.Bytes("N"), prefilter.Bytes(" :="))}, Find: detectTAN},
	},
	Gone: []Example{
		{"otp=482913", "482913"},
		{"GET /cb?code=SplxlOBeZQQYbYS6WxSbIA&state=x", "SplxlOBeZQQYbYS6WxSbIA"},
		{"Your verification code is 482913", "482913"},
		{`{"recoveryCode":"8f3k-29dk-1mzp"}`, "8f3k-29dk-1mzp"},
		{"code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
	},
	Stay:        []string{"otp=enabled", "otp: required", "status code=200", "exit_code=1373", "error_code=E11000", "verification code is invalid", "GET /x?code=404&msg=a", "code=PAYMENT_REQUIRED_402"},
	Takes:       "one-time passwords, codes sent by mail or SMS, recovery codes; authorization codes of OAuth, PKCE verifiers",
	Placed:      "its place: before the name of a code, behind TAN, or in the address of a setup",
	ValidatedBy: "the name; four to ten digits, or six and more characters with letters and digits",
	Misses:      "`code=` with fewer than 16 characters; codes of letters alone",
	Source:      "RFC 4226, RFC 6238, RFC 6749, RFC 7636; names in the field's software",
})

// submitted are the last words of the names under which forms and models take such a code: otp_attempt of Devise, mfa_code_input.
var submitted = set("attempt input entry entered submitted typed response")

// codeKinds are what stands before "code" in the name of one that opens something.
const codeKinds = "otp totp mfa 2fa fa tfa factor sms verification recovery backup unlock activation confirmation reset login auth authentication " +
	"authorization time pin access passcode scratch emergency bypass pairing enrollment invite invitation device challenge your"

// oneTimeCode reports whether v may be a code that is good for one use.
func oneTimeCode(v string) bool {
	digits := ascii.Span(v, 0, ascii.Digit)
	if digits == len(v) {
		return digits >= 4 && digits <= 10
	}
	if end := groupedCode(v, 0, digits); end == len(v) {
		return true
	}
	return len(v) >= 6 && Mixed(v) && !structured(v) && !isURL(v) && !isTime(v)
}

// userCode reports whether v is a code that people copy to another device: WDJB-MJHT.
func userCode(v string) bool {
	const half = 4
	return len(v) == 2*half+1 && v[half] == '-' && ascii.Span(v, 0, ascii.UpperCase|ascii.Digit) == half && ascii.Span(v, half+1, ascii.UpperCase|ascii.Digit) == len(v)
}

// authorizationCode reports whether v may be what an authorization server hands out (RFC 6749, 4.1.2), and no name of an error.
func authorizationCode(v string) bool {
	if !tokenLike(v, 16) || resourceName(v) || isURL(v) || entropy(v) < 3 {
		return false
	}
	f := shapeOf(v)
	return f.lowers > 0 && (f.changes >= 4 || f.caseChanges >= 4)
}

// groupedCode returns the end of a code whose first digits end at end, if as many follow behind a blank or a dash: 904 415.
func groupedCode(s string, start, end int) int {
	size := end - start
	if ascii.Span(s, start, ascii.Digit) != end || size < 3 || size > 4 || ascii.At(s, end) != ' ' && ascii.At(s, end) != '-' {
		return end
	}
	if k := ascii.Span(s, end+1, ascii.Digit); k-end-1 == size && !ascii.Is(s, k, ascii.Alnum) {
		return k
	}
	return end
}

// announcedCode finds the code behind a sentence that ends in a colon: OTP for bob: 482913. The name ends at i.
func (c *Context) announcedCode(i int) (value, bool) {
	s := c.S
	k := c.announcedEnd(i)
	if ascii.At(s, k) != ':' {
		return value{}, false
	}
	from := blanks(s, k+1)
	if ascii.Is(s, from, ascii.Quote) {
		from++
	}
	end := ascii.Span(s, from, ascii.Digit)
	end = groupedCode(s, from, end)
	return value{from, end, quoted}, end-from >= 4 && end-from <= 10 && !ascii.Is(s, end, ascii.Alnum)
}

// nextCode returns where another code of the form of v stands behind a list's separator at i, or 0: recovery codes: a1b2-c3d4, e5f6-a7b8.
func nextCode(s string, v value, i int) int {
	k := ascii.Span(s[:min(len(s), i+maxCodeWords)], i, ascii.Space)
	if ascii.At(s, k) == ',' || ascii.At(s, k) == ';' || k > i && ascii.At(s, k) == '-' {
		k = ascii.Span(s[:min(len(s), k+maxCodeWords)], k+1, ascii.Space)
	}
	if ascii.Is(s, k, ascii.Quote) {
		k++
	}
	n := v.end - v.start
	if k == i || k+n > len(s) || ascii.Is(s, k+n, ascii.Ident) {
		return 0
	}
	letters, digits := false, false
	for x := range n {
		a, b := ascii.Class[s[v.start+x]], ascii.Class[s[k+x]]
		if a&ascii.Alnum == 0 && s[v.start+x] != s[k+x] || a&ascii.Alnum != 0 && b&ascii.Alnum == 0 {
			return 0
		}
		letters, digits = letters || b&ascii.Alpha != 0, digits || b&ascii.Digit != 0
	}
	if !digits || letters && ascii.Span(s, v.start, ascii.Digit) == v.end {
		return 0
	}
	return k
}

const maxCodeWords = 32 // bytes

// codeBefore finds the code before its name at start: 731905 is your verification code.
func codeBefore(s string, start int) (value, bool) {
	for _, w := range []string{" is your ", " as your ", " is the "} {
		// Words may stand between: 731905 is your Acme login code.
		begin := start
		for begin > 0 && start-begin < maxCodeWords && (ascii.Class[s[begin-1]]&ascii.Alpha != 0 || s[begin-1] == ' ') && !ascii.HasSuffixFold(s, begin, w) {
			begin--
		}
		if !ascii.HasSuffixFold(s, begin, w) {
			continue
		}
		end := begin - len(w)
		from := end
		for from > 0 && end-from < 10 && ascii.Class[s[from-1]]&ascii.Digit != 0 {
			from--
		}
		return value{from, end, quoted}, end-from >= 4 && !ascii.Is(s, from-1, ascii.Alnum)
	}
	return value{}, false
}

// detectSetupCode examines the code that a server hands out for its setup with its own address: http://0.0.0.0:5601/?code=904415.
func detectSetupCode(c *Context, _ ID, i int) int {
	start := i + len("/?code=")
	end := ascii.Span(c.S, start, ascii.Digit)
	if end-start != 6 || ascii.Is(c.S, end, ascii.Alnum) {
		return 0
	}
	c.Offer(ruleOneTimeCode, start, end)
	return end
}

// detectTAN examines the number by which a bank's customer confirms a transaction: TAN 773812, TAN: 773812.
func detectTAN(c *Context, _ ID, i int) int {
	s := c.S
	start := i + len("TAN")
	for n := 0; n < 3 && start < len(s) && strings.IndexByte(" :=", s[start]) >= 0; n++ {
		start++
	}
	end := ascii.Span(s, start, ascii.Digit)
	if end-start != 6 || ascii.Is(s, end, ascii.Alnum) || ascii.Is(s, i-1, ascii.UpperCase) {
		return 0
	}
	c.Offer(ruleOneTimeCode, start, end)
	return end
}

// codeHeads are what a code is called in the languages that say behind it what it is for, and codeTails what they say.
var (
	codeHeads = newWords("code codes código codigo códigos codice codici cod")
	codeTails = []string{
		" de verificación", " de verificacion", " de verificação", " de verificacao", " de vérification", " de verification", " di verifica", " de confirmación", " de confirmacion",
		" de confirmação", " de confirmation", " di conferma", " de acceso", " de acesso", " d'accès", " di accesso", " de seguridad", " de segurança", " de sécurité", " di sicurezza",
		" d'activation", " de activación", " di attivazione", " de ativação", " de validation", " de connexion", " de un solo uso", " à usage unique", " monouso",
	}
)

// codeTail returns the end of such a tail at i, or i.
func codeTail(s string, i int) int {
	if ascii.At(s, i) != ' ' || strings.IndexByte("dmDM\xc3", ascii.At(s, i+1)) < 0 {
		return i
	}
	for _, tail := range codeTails {
		if ascii.HasPrefixFold(s, i, tail) {
			return i + len(tail)
		}
	}
	return i
}

// groupsOfCapitals reports whether v is groups of capitals and digits with dashes between, and both among them: A7F3-K9Q2.
func groupsOfCapitals(v string) bool {
	groups := 0
	for i := 0; i < len(v); {
		end := ascii.Span(v, i, ascii.UpperCase|ascii.Digit)
		if end-i < 3 || end-i > 6 || end < len(v) && v[end] != '-' || end+1 == len(v) {
			return false
		}
		groups++
		i = end + 1
	}
	return groups > 1 && Mixed(v)
}
