// SPDX-License-Identifier: Apache-2.0

package rules

import "github.com/logseal/logseal/pkg/redact/internal/ascii"

var ruleOneTimeCode = newID("one_time_code")

var _ = register(ruleOneTimeCode, Rule{
	Pack: Secrets,
	Names: []Names{
		{Words: "otp totp hotp onetimepassword onetimecode pincode", Strength: Hard},
		{Words: "code codes", Behind: codeKinds, Strength: Hard},
		{Words: "verifier", Behind: "code oauth", Strength: Hard},
		{Endings: "otpcode mfacode verificationcode recoverycode codeverifier", Strength: Hard},
	},
	Gone: []Example{
		{"otp=482913", "482913"},
		{"Your verification code is 482913", "482913"},
		{`{"recoveryCode":"8f3k-29dk-1mzp"}`, "8f3k-29dk-1mzp"},
		{"code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
	},
	Stay:        []string{"otp=enabled", "otp: required", "status code=200", "exit_code=1373", "error_code=E11000", "verification code is invalid"},
	Takes:       "one-time passwords, codes sent by mail or SMS, recovery codes, PKCE verifiers",
	ValidatedBy: "the name; four to ten digits, or six and more characters with letters and digits",
	Misses:      "`code=` with nothing else that says what it is; codes of letters alone",
	Source:      "RFC 4226, RFC 6238, RFC 7636; names in the field's software",
})

// codeKinds are what stands before "code" in the name of one that opens something.
const codeKinds = "otp totp mfa 2fa fa tfa factor sms verification recovery backup unlock activation confirmation reset login auth authentication " +
	"authorization time pin access passcode scratch emergency bypass pairing enrollment invite invitation device challenge"

// oneTimeCode reports whether v may be a code that is good for one use.
func oneTimeCode(v string) bool {
	digits := ascii.Span(v, 0, ascii.Digit)
	if digits == len(v) {
		return digits >= 4 && digits <= 10
	}
	return len(v) >= 6 && Mixed(v) && !structured(v) && !isURL(v) && !isTime(v)
}
