// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// strength says how much a name tells about its value.
type strength uint8

const (
	nothing strength = iota
	weak             // the value must look like a token of some length
	medium           // the value must look like a token, or be plainly assigned
	hard             // any value is secret
)

// verdict is what a name says about its value.
type verdict struct {
	rule     ruleID
	strength strength
}

const (
	maxName     = 96
	maxSegments = 16
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	passwordWords = set("password passwords passwd passphrase passcode pwd pswd passwort kennwort senha contrasena contraseña " +
		"motdepasse mdp pass pw psw passwrd pasword wachtwoord haslo lozinka parola")
	secretWords     = set("secret secrets geheimnis")
	credentialWords = set("credential credentials creds cred")
	tokenWords      = set("token jwt sessid phpsessid jsessionid sessionid")
	// What stands before "key" in the name of a secret one.
	keyQualifiers = set("api access secret private encryption encrypt encrypting decryption signing sign signature account master auth " +
		"authentication authorization shared ssh client service storage subscription license app application admin deploy " +
		"security crypto aes hmac rsa webhook consumer write bot integration symmetric provisioning insert origin ca " +
		"rest user root server project global team developer merchant ingest instrumentation x anon role functions host sas unseal recovery licence")
	notSecretKeys = set("public primary foreign partition cache sort routing index idempotency object map row registry hot short group " +
		"dedup unique composite natural surrogate sequence schema lookup hash range context translation i18n bucket pub event " +
		"partitioning ordering join aggregation message pressed down up issuer arrow enter escape function shift")
	notKeys = set("monkey donkey turkey hotkey hockey jockey whiskey keykey honkey mickey")
	// What stands before "token" in the name of a harmless one.
	notSecretTokens = set("next page continuation cancellation cancel sync delimiter start end special bos eos pad unexpected invalid " +
		"expected max min input output total prompt completion cached reasoning num public stop syntax last first current")
	// A sensitive word before one of these names a property of the secret, not the secret.
	properties = set("id ids type name names count counts length len size limit limits expires expiry expiration expire ttl url uri endpoint " +
		"file filename path location dir directory policy algorithm alg version status state error errors valid enabled disabled " +
		"required changed reset format index usage used provider manager service services store ref reference arn date time " +
		"timestamp at age attempts attempt label prefix rotation issuer class pattern regex strategy method mode kind source " +
		"scope scopes bucket tokens hint info exists present set field variable selector mapping renewal lifetime duration " +
		"max min source strength validation validator verified verification check checks failure failures result success handler " +
		"factory generator parser reader writer module plugin callback event events action actions operation request response " +
		"kinds list map table column row rows policyid storage backend review reviews bytes bits rate ratio cost credentialsid accessor")
	// Words that add nothing to a name.
	noise = set("value val string str plain text plaintext raw b64 base64 hex new old current prod dev test testing staging env var param " +
		"confirm confirmation again repeat backup default cleartext clear encoded enc live sandbox")
	passwordOwners = set("db user my root admin smtp ftp mail ldap sql pg redis mongo rabbitmq mysql ssh imap app http proxy login sudo ora " +
		"vpn wifi wlan bind")
)

// segments splits a name at punctuation and changes of case, lower-cased into buf: userPassword is user, password;
// APIKey is api, key; x-api-key is x, api, key.
func segments(name string, buf *[maxName]byte, out *[maxSegments]string) int {
	if len(name) > maxName {
		name = name[len(name)-maxName:]
	}
	n, start := 0, 0
	flush := func(end int) {
		if end > start {
			if n == maxSegments {
				copy(out[:], out[1:])
				n--
			}
			out[n] = view(buf[start:end])
			n++
		}
		start = end
	}
	for i := range len(name) {
		b := name[i]
		buf[i] = lower(b)
		cl := class[b]
		switch {
		case b < 0x80 && cl&isAlnum == 0:
			flush(i)
			start = i + 1
		case cl&isUpper != 0 && i > start:
			prev := class[name[i-1]]
			if prev&isUpper == 0 && prev&isAlnum != 0 || prev&isUpper != 0 && is(name, i+1, isLower) && !(at(name, i+1) == 's' && !is(name, i+2, isLower)) {
				flush(i)
			}
		}
	}
	flush(len(name))
	return n
}

// judge returns what a name says about its value. In a name such as PaSsWoRd the case does not show where words start.
func judge(name string) verdict {
	v := judgeWords(name)
	if v.strength == nothing && caseChanges(name)*2 >= len(name) {
		v = judgeWords(strings.ToLower(name))
	}
	return v
}

func judgeWords(name string) verdict {
	var buf [maxName]byte
	var seg [maxSegments]string
	n := segments(name, &buf, &seg)
	for n > 0 && (noise[trimDigits(seg[n-1])] || trimDigits(seg[n-1]) == "") {
		n--
	}
	if n == 0 {
		return verdict{}
	}
	last := trimDigits(seg[n-1])
	prev := ""
	if n > 1 {
		prev = trimDigits(seg[n-2])
	}
	switch {
	case n == 1 && (last == "pass" || last == "pw" || last == "psw"):
		return verdict{rulePassword, medium} // also how tests are counted: pass=12
	case passwordWords[last], strings.HasSuffix(last, "password"), strings.HasSuffix(last, "passwd"),
		strings.HasSuffix(last, "pwd") && len(last) > 3, strings.HasSuffix(last, "passphrase"), strings.HasSuffix(last, "passwort"),
		strings.HasSuffix(last, "pass") && passwordOwners[last[:len(last)-4]], last == "phrase" && prev == "pass",
		last == "word" && prev == "pass":
		return verdict{rulePassword, hard}
	case secretWords[last], strings.HasSuffix(last, "secret"):
		return verdict{ruleSecret, hard}
	case last == "hash" && (passwordWords[prev] || secretWords[prev]):
		return verdict{rulePassword, hard}
	case tokenWords[last], strings.HasSuffix(last, "token"), strings.HasSuffix(last, "jwt"):
		if notSecretTokens[prev] {
			return verdict{}
		}
		return verdict{ruleToken, medium}
	case last == "sid" && (prev == "connect" || prev == "session" || prev == "cookie"), last == "session" && prev == "gitlab":
		return verdict{ruleToken, medium}
	case credentialWords[last]:
		return verdict{ruleSecret, medium}
	case last == "key" || last == "keys":
		switch {
		case notSecretKeys[prev]:
			return verdict{}
		case keyQualifiers[prev]:
			return verdict{ruleAPIKey, medium}
		}
		return verdict{ruleAPIKey, weak}
	case strings.HasSuffix(last, "apikey"), strings.HasSuffix(last, "secretkey"), strings.HasSuffix(last, "accesskey"),
		strings.HasSuffix(last, "privatekey"), strings.HasSuffix(last, "accountkey"), strings.HasSuffix(last, "encryptionkey"),
		strings.HasSuffix(last, "authkey"), strings.HasSuffix(last, "signingkey"), strings.HasSuffix(last, "masterkey"):
		return verdict{ruleAPIKey, medium}
	case strings.HasSuffix(last, "key") && !notKeys[last]:
		switch rest := last[:len(last)-3]; {
		case notSecretKeys[rest]:
			return verdict{}
		case keyQualifiers[rest]:
			return verdict{ruleAPIKey, medium}
		}
		return verdict{ruleAPIKey, weak}
	case last == "auth", last == "oauth", last == "srt", last == "contribsys", last == "com" && prev == "contribsys":
		return verdict{ruleSecret, weak}
	case last == "authorization", last == "authentication" && n == 1:
		return verdict{ruleAuthorization, medium}
	case last == "cookie", last == "cookies":
		return verdict{ruleCookie, medium}
	case last == "cvv", last == "cvc", last == "cvn", last == "csc" && n == 1, last == "cav", last == "cid" && prev == "card",
		strings.HasSuffix(last, "cvv"), strings.HasSuffix(last, "cvc"),
		last == "code" && (prev == "security" || prev == "verification" && n > 2 && seg[n-3] == "card"), last == "securitycode":
		return verdict{ruleCardCode, hard}
	case last == "pin" && (n == 1 || prev == "card" || prev == "user" || prev == "atm" || prev == "code"):
		return verdict{rulePassword, weak}
	case last == "ssn", last == "number" && (prev == "security" && n > 2 && seg[n-3] == "social" || prev == "ssn"), last == "socialsecuritynumber",
		last == "security" && prev == "social", last == "socialsecurity":
		return verdict{ruleSSN, hard}
	case last == "signature" || last == "sig":
		return verdict{ruleSignedURL, weak}
	}
	if properties[last] {
		return verdict{}
	}
	// A sensitive word inside a name with another head: secret_do_not_commit, password_for_bob.
	for _, w := range seg[:n-1] {
		if secretWords[w] || passwordWords[w] && len(w) > 4 || w == "apikey" {
			return verdict{ruleSecret, weak}
		}
	}
	return verdict{}
}

func trimDigits(s string) string {
	for len(s) > 0 && class[s[len(s)-1]]&isDigit != 0 {
		s = s[:len(s)-1]
	}
	return s
}

// nameJudge decides about names with the configuration's lists, and remembers its verdicts. Not safe for concurrent use.
type nameJudge struct {
	sensitive, ignore []string // globs, lower case
	cache             map[string]verdict
}

const (
	maxCachedNames   = 4096
	maxCachedNameLen = 128
)

func (k *nameJudge) verdict(name string) verdict {
	if v, ok := k.cache[name]; ok {
		return v
	}
	v := k.decide(name)
	if len(name) <= maxCachedNameLen {
		if len(k.cache) >= maxCachedNames {
			clear(k.cache)
		}
		k.cache[strings.Clone(name)] = v
	}
	return v
}

func (k *nameJudge) decide(name string) verdict {
	for _, g := range k.ignore {
		if globMatch(g, name) {
			return verdict{}
		}
	}
	for _, g := range k.sensitive {
		if globMatch(g, name) {
			return verdict{ruleSensitiveKey, hard}
		}
	}
	return judge(name)
}
