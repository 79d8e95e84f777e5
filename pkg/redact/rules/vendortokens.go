// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"hash/crc32"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

var (
	ruleAWSKey      = newID("aws_key")
	ruleVendorToken = newID("vendor_token")
)

var _ = register(ruleAWSKey, Rule{
	Pack: Secrets,
	Runs: true,
	Gone: []Example{{"AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"}},
	Stay: []string{"AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLEX", "AKIAaosfodnn7example"},

	Takes:       "AKIA, ASIA, ABIA, ACCA, A3T key ids",
	ValidatedBy: "16 characters of base 32, boundaries",
	Misses:      "the secret key without a name near it",
	Source:      "AWS IAM, unique identifiers",
})

var _ = register(ruleVendorToken, Rule{
	Pack:      Secrets,
	Runs:      true,
	Detectors: []*Detector{azure, shortForms},
	Gone: []Example{
		{"npm_0123456789abcdefghijABCDEFGHIJ012345", "0123456789abcdefghijABCDEFGHIJ012345"},
		{"bot 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9"},
	},
	Stay:        []string{"npm_config_registry", "sk_test_is_a_prefix", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
	Takes:       "tokens with a prefix of their vendor's; see the table of vendors",
	ValidatedBy: "prefix, length, alphabet, GitHub's CRC where the token is run into other text; not a mask; not a repeated character after a prefix that is also a word",
	Misses:      "prefixes not in the list, unless a name tells, or see `token`",
	Source:      "the vendors; gitleaks' and other scanners' lists",
})

// azure finds secrets that have their mark in the middle.
var azure = &Detector{
	At:   []Trigger{behind(prefilter.Digits, prefilter.Bytes("Q"), prefilter.Bytes("~"))},
	Find: detectAzureSecret,
}

// shortForms finds tokens that are no long run of token characters.
var shortForms = &Detector{At: shortFormTriggers(), Find: func(c *Context, _ ID, i int) int {
	if c.vendorToken(i, false) {
		return c.last.end
	}
	return 0
}}

// shortFormTriggers are the prefixes of the forms that may be shorter than a long run, or hold what is in none.
func shortFormTriggers() []Trigger {
	var prefixes []string
	for _, v := range vendors {
		for _, f := range v.forms {
			if len(f.prefix)+f.min < prefilter.MinRun || strings.Contains(f.prefix, ":") {
				prefixes = append(prefixes, ascii.LowerString(f.prefix))
			}
		}
	}
	return literals(prefixes...)
}

// formsBy lists the forms by the first byte of their prefix, the longest prefix first.
var formsBy = func() (t [256][]form) {
	for _, v := range vendors {
		for _, f := range v.forms {
			t[f.prefix[0]] = append(t[f.prefix[0]], f)
		}
	}
	for b := range t {
		slices.SortStableFunc(t[b], func(x, y form) int { return len(y.prefix) - len(x.prefix) })
	}
	return t
}()

// vendorToken examines the token that starts at i. dotted says that only the forms with a dot in their prefix, or in
// their body, can start here.
func (c *Context) vendorToken(i int, dotted bool) bool {
	s := c.S
	if i > 0 && ascii.Class[s[i-1]]&ascii.Alnum != 0 {
		return false
	}
	if awsKeyID(s, i) {
		c.Offer(ruleAWSKey, i, i+awsKeyLen)
		return true
	}
	for k := range formsBy[s[i]] {
		v := &formsBy[s[i]][k]
		if !strings.HasPrefix(s[i:], v.prefix) || dotted && !strings.ContainsAny(v.prefix, ".~$") && !strings.Contains(v.extra, ".") {
			continue
		}
		c.Charge(2 * costOfValue)
		body := i + len(v.prefix)
		end := body
		for end < len(s) && (ascii.Class[s[end]]&ascii.Alnum != 0 || s[end] == '_' || s[end] == '-' || v.extra != "" && strings.IndexByte(v.extra, s[end]) >= 0) {
			end++
		}
		for end > body && s[end-1] == '.' {
			end--
		}
		t := s[body:min(end, body+maxJudged)]
		c.weigh(len(t))
		c.look(end - body - len(t))
		if len(t) < v.min || mask(t) {
			continue
		}
		c.weigh(len(t))
		if v.word && (repeats(t) || !tokenLike(t, v.min)) {
			continue
		}
		if !Mixed(t) && caseChanges(t) < 4 && (v.word || len(t) < 16 || ascii.Span(t, 0, ascii.Alpha|ascii.Digit) < len(t) && ascii.Span(t, 0, ascii.Digit|ascii.NumSep) < len(t)) {
			continue
		}
		if v.word && (resourceName(t) || dashes(t)*5 > len(t)) {
			continue
		}
		if v.cue && isHash(t[:ascii.Span(t, 0, ascii.Alnum)]) && !c.cued(i) {
			continue
		}
		if v.prefix[0] == 'g' && len(v.prefix) == 4 && end-body > gitHubBody && gitHubCRC(s[body:body+gitHubBody]) {
			end = body + gitHubBody
		}
		c.Offer(ruleVendorToken, i, end)
		return true
	}
	// Hashicorp's and Discord's tokens have their mark in the middle.
	if dotted {
		return c.dottedToken(i)
	}
	return false
}

// cued reports whether the words before i are about credentials.
func (c *Context) cued(i int) bool {
	switch c.announced(i, maxWordsBefore) {
	case right, before, keyRight, vendorRight, vendorBefore:
		return true
	}
	return false
}

const (
	gitHubBody = 36
	awsKeyLen  = 20
)

// gitHubCRC reports whether the last six characters of a GitHub token are the CRC-32 of the others, in base 62: then the
// token ends here, whatever follows.
func gitHubCRC(body string) bool {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := crc32.ChecksumIEEE([]byte(body[:30]))
	for k := len(body) - 1; k >= 30; k-- {
		if body[k] != digits[sum%62] {
			return false
		}
		sum /= 62
	}
	return true
}

// awsKeyID reports whether an AWS access key id starts at i: a type, then 16 characters of base 32.
func awsKeyID(s string, i int) bool {
	if len(s)-i < awsKeyLen || s[i] != 'A' {
		return false
	}
	switch s[i : i+4] {
	case "AKIA", "ASIA", "ABIA", "ACCA":
	default:
		if s[i:i+3] != "A3T" {
			return false
		}
	}
	digits, distinct := 0, [256]bool{}
	n := 0
	for k := i + 4; k < i+awsKeyLen; k++ {
		b := s[k]
		if ascii.Class[b]&ascii.UpperCase == 0 && ascii.Class[b]&ascii.Digit == 0 {
			return false
		}
		if ascii.Class[b]&ascii.Digit != 0 {
			digits++
		}
		if !distinct[b] {
			distinct[b] = true
			n++
		}
	}
	return n > 3 && !ascii.Is(s, i+awsKeyLen, ascii.Alnum) && ascii.At(s, i-1) != '_'
}

// dottedToken examines tokens of three parts, by their lengths: Terraform Cloud (14.atlasv1.60+) and Discord (24.6.27+).
func (c *Context) dottedToken(i int) bool {
	s := c.S
	a := base64urlEnd(s, i)
	if ascii.At(s, a) != '.' {
		return false
	}
	b := base64urlEnd(s, a+1)
	if ascii.At(s, b) != '.' {
		return false
	}
	d := base64urlEnd(s, b+1)
	x, y, z := a-i, b-a-1, d-b-1
	if x == 14 && s[a+1:b] == "atlasv1" && z >= 50 ||
		x >= 23 && x <= 28 && y == 6 && z >= 27 && z <= 40 && Mixed(s[i:a]) && caseChanges(s[i:a]) > 3 {
		c.Offer(ruleVendorToken, i, d)
		return true
	}
	return false
}

// What follows the digit of a client secret of Microsoft Entra ID has so many bytes, from Q~ on.
const (
	minAzureSecret = 33
	maxAzureSecret = 40
)

// detectAzureSecret examines a client secret of Microsoft Entra ID: three characters, a digit, Q~, then 31 to 34 more.
func detectAzureSecret(c *Context, _ ID, i int) int {
	s := c.S
	if s[i] != 'Q' || i < 4 || !ascii.Is(s, i-1, ascii.Digit) {
		return 0
	}
	ok := func(b byte) bool {
		return ascii.Class[b]&ascii.Alnum != 0 || b == '_' || b == '~' || b == '.' || b == '-'
	}
	for k := i - 4; k < i-1; k++ {
		if !ok(s[k]) {
			return 0
		}
	}
	// What goes on longer is none: most of that is told by its last bytes.
	if end := i + maxAzureSecret; end <= len(s) {
		for end > i+minAzureSecret && ok(s[end-1]) {
			end--
		}
		if end == i+minAzureSecret {
			return 0
		}
	}
	end := i + 2
	for end < len(s) && end-i < maxAzureSecret && ok(s[end]) {
		end++
	}
	if end-i < minAzureSecret || end-i >= maxAzureSecret || !Mixed(s[i+2:end]) || repeats(s[i+2:end]) {
		return 0
	}
	c.Offer(ruleVendorToken, i-4, end)
	return end
}
