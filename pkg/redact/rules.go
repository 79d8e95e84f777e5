// SPDX-License-Identifier: Apache-2.0

package redact

// Packs of rules.
const (
	PackSecrets = "secrets" // credentials of people and machines
	PackPCI     = "pci"     // payment card data
	PackPII     = "pii"     // data about people
)

// ruleID indexes Engine.rules: the built-in rules first, in the order of builtins, then the custom ones.
type ruleID uint16

const (
	rulePassword ruleID = iota
	ruleSecret
	ruleToken
	ruleAPIKey
	rulePrivateKey
	ruleJWT
	ruleAWSKey
	ruleVendorToken
	ruleAuthorization
	ruleCookie
	ruleURLCredentials
	ruleSignedURL
	ruleWebhook
	ruleHighEntropy
	ruleSensitiveKey
	rulePAN
	ruleCardCode
	ruleTrack
	ruleEmail
	rulePhone
	ruleIBAN
	ruleSSN
	ruleIPv4
	ruleIPv6
	ruleMAC
	ruleControl
	numBuiltin
)

// builtin describes a built-in rule.
type builtin struct {
	id     string
	pack   string // "" for rules that are part of no pack: on unless switched off
	off    bool   // off unless a rules entry gives it an action
	canary string // a text that the rule must change; the self-test uses it
	what   string // for the documentation and for logseal redact
}

var builtins = [numBuiltin]builtin{
	rulePassword:       {"password", PackSecrets, false, "login password=Tr0ub4dor&3 ok", "passwords and passphrases given to a name, or on a command line"},
	ruleSecret:         {"secret", PackSecrets, false, `client_secret: "bP88Qrc8BcYjzzOhg1Hnn76"`, "secrets and credentials given to a name"},
	ruleToken:          {"token", PackSecrets, false, "access_token=2YotnFZFEjr1zCsicMWpAA", "tokens given to a name, or beside a vendor's name"},
	ruleAPIKey:         {"api_key", PackSecrets, false, "x-api-key: 8f14e45fceea167a5a36dedd", "API, access, signing and encryption keys given to a name"},
	rulePrivateKey:     {"private_key", PackSecrets, false, "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg", "PEM, PGP, SSH and age private keys"},
	ruleJWT:            {"jwt", PackSecrets, false, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "JSON Web Tokens, signed, unsigned or encrypted"},
	ruleAWSKey:         {"aws_key", PackSecrets, false, "AKIAIOSFODNN7EXAMPLE", "AWS access key ids"},
	ruleVendorToken:    {"vendor_token", PackSecrets, false, "npm_0123456789abcdefghijABCDEFGHIJ012345", "tokens that a vendor gave a prefix of their own"},
	ruleAuthorization:  {"authorization", PackSecrets, false, "Authorization: Basic dXNlcjpodW50ZXIy", "Authorization headers and bearer tokens"},
	ruleCookie:         {"cookie", PackSecrets, false, "Cookie: sid=31d4d96e407aad42", "Cookie and Set-Cookie headers"},
	ruleURLCredentials: {"url_credentials", PackSecrets, false, "redis://:hunter2@db:6379/0", "user information in URLs and connection strings"},
	ruleSignedURL:      {"signed_url", PackSecrets, false, "https://b.example/o?X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024", "signatures of presigned URLs"},
	ruleWebhook:        {"webhook", PackSecrets, false, "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "webhook addresses that are credentials"},
	ruleHighEntropy:    {"high_entropy", PackSecrets, true, "x q7Zp2mW9xT4vK8sB1nD6fJ3hL5gR0cYe x", "any long random-looking token"},
	ruleSensitiveKey:   {"sensitive_key", PackSecrets, false, "", "values of the names in keys.sensitive"},
	rulePAN:            {"pan", PackPCI, false, "card 4111 1111 1111 1111", "payment card numbers"},
	ruleCardCode:       {"card_code", PackPCI, false, "cvv: 737", "card security codes"},
	ruleTrack:          {"track", PackPCI, false, ";4111111111111111=29121011000012300?", "magnetic stripe data, tracks 1 and 2"},
	ruleEmail:          {"email", PackPII, false, "from alice@corp.example to", "e-mail addresses"},
	rulePhone:          {"phone", PackPII, false, "call +44 20 7946 0958", "telephone numbers"},
	ruleIBAN:           {"iban", PackPII, false, "DE89 3704 0044 0532 0130 00", "international bank account numbers"},
	ruleSSN:            {"us_ssn", PackPII, false, "SSN 536-22-8726", "US social security numbers"},
	ruleIPv4:           {"ipv4", PackPII, true, "from 203.0.113.7 port", "IPv4 addresses"},
	ruleIPv6:           {"ipv6", PackPII, true, "from 2001:db8::7334 port", "IPv6 addresses"},
	ruleMAC:            {"mac", PackPII, true, "eth0 00:16:3e:5e:6c:0a up", "MAC addresses"},
	ruleControl:        {"control", "", false, "a\x1b[2Jb", "control, escape and bidirectional characters, escaped"},
}

// builtinByID returns the rule of that name.
func builtinByID(id string) (ruleID, bool) {
	for i := range builtins {
		if builtins[i].id == id {
			return ruleID(i), true
		}
	}
	return 0, false
}

// action is what happens to a match.
type action uint8

// In order of severity: of two rules that overlap, the more severe action is taken on both.
const (
	actionOff action = iota
	actionPartial
	actionPseudonymize
	actionMask
	actionDropField
	actionDropRecord
	numActions
)

var actionNames = [numActions]string{"off", "partial", "pseudonymize", "mask", "drop_field", "drop_record"}

func (a action) String() string { return actionNames[a] }

// rule is a built-in or custom rule as configured.
type rule struct {
	id                  string
	action              action
	keepFirst, keepLast int
	mask                string // "[REDACTED:id]"
	pseudonym           *pseudonymizer
	allow               []string // globs, lower case
}
