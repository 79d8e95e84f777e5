// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Passwords, keys and communities in the commands of network devices, as their logs of configuration changes and their backups hold
// them: Cisco, Arista, Juniper, Fortinet, Palo Alto, Huawei, VyOS, Check Point; ipsec.secrets; PowerShell.

var (
	snmpLines     = &Detector{Extra: 44, At: literals("snmp-server host ", "snmp-server user "), Find: detectSNMP}
	ipsecSecrets  = &Detector{Extra: 4, At: literals(": eap ", ": xauth ", ": rsa ", ": ntlm ", ": psk '"), Find: detectIPsecSecret}
	secureStrings = &Detector{Extra: 12, At: literals("to-securestring"), Find: detectSecureString}
)

const maxDeviceLine = 96 // bytes from the start of a command to the name of the secret

var (
	// deviceCommands begin a command, or stand in it, behind which a name is followed by a secret and nothing else.
	deviceCommands = newByFirst(
		"enable ", "username ", "snmp-server ", "snmp-agent ", "tacacs-server ", "tacacs server ", "radius-server ", "aaa-server ", "isakmp ", "crypto isakmp ",
		"pre-shared-key ", "ikev1 ", "ikev2 ", "neighbor ", "ntp ", "ip ospf ", "ip ftp ", "ip http client ", "ppp ", "isis ", "vrrp ", "standby ",
		"local-user ", "super ", "set authentication ", "add snmp ", "auth user ", "modify auth ", "wpa-psk ", "password manager ",
		"set interfaces ", "set shared ", "set network ", "set mgt-config ", "set deviceconfig ", "set vpn ", "set service ", "set protocols ", "set access ",
		"vtp ", "peer ", "setenv ", "hwtacacs-server ", "ltm auth ", "create snmp ", "user name ", "xauth ", "ipsec ", "wlan ", "system login ", "config wlan ", "config radius ", "config tacacs ", "config snmp ", "config mgmtuser ", "failover ", "vpdn username ", "glbp ", "mpls ldp ", "configure account ", "configure system ", "configure router ", "create account ", "vpdn-group ", "vpdn ", "l2tp ", "dot1x ", "ip rip ", "ip tacacs ", "ldap-server ", "configure radius ", "configure tacacs ", "configure snmp ", "set security ", "security wpa ", "server-private ", "wpa2 ",
	)
	// loggedCommands are what logs write before a command that somebody has given to a device.
	loggedCommands = newByFirst("command:", "command '", "command=\"", "command is ", "command \"", "executed '", "cmd=", "cmd_data=")
	// setCommands begin one that says more often something of a secret than the secret.
	setCommands = newByFirst("set ")
	// encodings say how the secret is written that follows, or where it is used.
	encodings = set("0 5 6 7 8 9 enc cipher irreversible-cipher simple plaintext plain ascii ascii-text hex encrypted sha512 sha256 hash md5 sha key level " +
		"1 2 3 4 10 15 address local remote read write key-string text string set-key manager operator sha1 hexadecimal readonly readwrite hmac-md5 hmac-sha1 hmac-sha256")
	// deviceOptions are what follows such a name where there is no secret.
	deviceOptions = set("address encryption level policy format length chain config-key rotation generate mode type strong expire change engine list ro rw view not " +
		"for was has is map suite name plain-text-password timeout retransmit recovery mismatch string negotiated days")
	encodedBy = set("5 6 7 8 9 enc cipher irreversible-cipher")
	// secretForms are those of encodings that no sentence has behind such a name.
	secretForms = set("cipher irreversible-cipher simple")
	// deviceNames are names of secrets in such commands that are not hard ones elsewhere.
	deviceNames = newWords("key key-string community secret password passwd passphrase psksecret pre-shared-key authentication-key auth-key priv-key message-digest-key auth-pwd psk wpa-psk " +
		"shared-key plaintext-password pre-shared-secret snmp-community-string authentication-password area-password ldap-login-password encrypted-password authentication " +
		"privacy-password ascii-text local-authentication shared-secret super-user-password wpa-passphrase plain-text-password-value hash bind-pw")
	// longNames are those that no sentence begins with.
	longNames = set("key-string psksecret pre-shared-key authentication-key shared-key wpa-psk wpa-passphrase pre-shared-secret super-user-password")
)

// deviceValue finds the secret in a command of a network device. The name is s[start:end], and hard says that it tells of a secret elsewhere, too.
func (c *Context) deviceValue(start, end int, hard bool) (value, bool) {
	s := c.S
	if ascii.At(s, end) == '[' && strings.Contains(s[max(0, start-maxDialogue):start], "cfgattr=") {
		// Fortinet's log of changes: cfgattr="password[x]".
		to := strings.IndexByte(s[end:min(len(s), end+maxDialogue)], ']')
		return value{end + 1, end + to, quoted}, to > 1 && !placeholder(s[end+1:end+to]) && !mask(s[end+1:end+to])
	}
	if ascii.HasSuffixFold(s, start, "/snmp ") {
		if k := ascii.IndexFold(s[end:min(len(s), end+maxNameBytes)], " name="); k >= 0 {
			v, ok := c.valueAt(end+k+len(" name="), tight) // RouterOS: /snmp community add name=x
			return v, ok && !placeholder(s[v.start:v.end])
		}
	}
	if ascii.At(s, end) != ' ' || !hard && !in(deviceNames, s[start:end]) || ascii.HasSuffixFold(s, start, " in ") { // set to the key 'password' in secret 'db', of kubectl
		return value{}, false
	}
	for _, w := range [...]string{"option ", "list "} {
		if strings.HasSuffix(s[:start], w) && startsLine(s, start-len(w)) {
			v, ok := c.quotedValue(end + 1) // UCI: option key 'x'
			return v, ok && !placeholder(s[v.start:v.end]) && !mask(s[v.start:v.end])
		}
	}
	c.Charge(2 * costOfValue)
	strict, set, logged := c.commandBefore(start)
	alone := startsLine(s, start)
	own := !strict && (logged || deviceCommands.length(s, start) > 0) // the name begins the command
	formed := secretForms[asciiWord(s[blanks(s, end):ascii.Span(s[:min(len(s), end+maxNameBytes)], blanks(s, end), ascii.Ident)])]
	hexed := ascii.HasPrefixFold(s, end, " 7 ") && typeSeven(s, end+len(" 7 "))
	if (formed || hexed) && !strict {
		own = true // password cipher x
	}
	if longNames[asciiName(s[start:end])] && !strict {
		own = true
	}
	if !strict && !alone && !set && !own {
		return value{}, false
	}
	encoded, last, manager := "", "", false
	k := blanks(s, end)
	for range 5 {
		word := k
		for word < len(s) && word-k < maxNameBytes && ascii.Class[s[word]]&ascii.Space == 0 {
			word++
		}
		w := ascii.LowerString(s[k:word])
		if !encodings[w] && w != "user-name" && last != "user-name" && !(last == "address" && ascii.Is(s, k, ascii.Digit)) {
			break
		}
		manager = manager || w == "manager" || w == "operator"
		if encodedBy[w] && last != "address" {
			encoded = w
		}
		last = w
		k = blanks(s, word)
	}
	if manager { // ArubaOS: password manager user-name x plaintext y
		if last != "plaintext" && last != "sha1" && last != "sha256" {
			return value{}, false
		}
		strict = true
	}
	v, ok := c.valueAt(k, tight)
	if !ok || last == "" && ascii.EqualFold(s[start:end], "authentication") {
		return value{}, false
	}
	if v.ctx != quoted { // what brackets and signs there are belongs to it
		for v.end < len(s) && v.end-v.start < maxNameBytes*2 && ascii.Class[s[v.end]]&(ascii.Space|ascii.Quote) == 0 && s[v.end] != ';' && s[v.end] != ']' && !writtenBreak(s, v.end) {
			v.end++
		}
	}
	text := s[v.start:v.end]
	switch {
	case placeholder(text) || mask(text) || text[0] == '<' || deviceOptions[asciiWord(text)] || text == "/":
		return value{}, false
	case v.ctx == quoted && alone && !strict && strings.Trim(s[v.end:lineEnd(s[:min(len(s), v.end+maxNameBytes)], v.end)], `"';}\ `) != "":
		return value{}, false // secret "db" deleted
	case own && !alone && v.ctx != quoted && (encoded == "" && !Mixed(text) || formed && !logged && ascii.At(s, v.end) == ' ' && ascii.Is(s, v.end+1, ascii.LowerCase)):
		return value{}, false
	case v.ctx == quoted || (strict || own && Mixed(text)) && (encoded != "" || !inSentence(s, v) || Mixed(text) || ascii.EqualFold(s[start:end], "community")):
		return v, true
	case encoded == "7":
		return v, len(text)%2 == 0 && len(text) >= 4 && ascii.Span(text, 0, ascii.HexDigit) == len(text)
	case encoded == "enc" || encoded == "cipher" || last == "simple" && alone:
		return v, len(text) >= 6
	}
	if alone && longNames[ascii.LowerString(s[start:end])] && v.end == lineEnd(s[:min(len(s), v.end+1)], v.end) {
		return v, len(text) >= minPrinted && !resourceName(text)
	}
	return v, Mixed(text) && len(text) >= 6 && (!alone || (v.end == lineEnd(s[:min(len(s), v.end+1)], v.end) || ascii.HasPrefixFold(s, v.end, " encrypted")) && !isTime(text) && !algorithm(text))
}

// asciiName is a name in small letters, if it is short.
func asciiName(s string) string {
	if len(s) > 24 {
		return ""
	}
	return ascii.LowerString(s)
}

// minTypeSeven is the length of what Cisco writes of a password of two characters.
const minTypeSeven = 6

// typeSeven reports whether what Cisco writes of a password that can be undone is at i: a number below 16 of two digits, then hexadecimal.
func typeSeven(s string, i int) bool {
	end := ascii.Span(s, i, ascii.HexDigit)
	return end-i >= minTypeSeven && (end-i)%2 == 0 && (s[i] == '0' || s[i] == '1' && s[i+1] <= '5') && ascii.Is(s, i+1, ascii.Digit) && !ascii.Is(s, end, ascii.Alnum)
}

// byFirst are words, in lower case, by their first byte.
type byFirst [256][]string

func newByFirst(words ...string) *byFirst {
	var b byFirst
	for _, w := range words {
		b[w[0]] = append(b[w[0]], w)
	}
	return &b
}

// length returns how long the one of the words is that stands at i, or 0.
func (b *byFirst) length(s string, i int) int {
	for _, w := range b[ascii.ToLower(s[i])] {
		if ascii.HasPrefixFold(s, i, w) {
			return len(w)
		}
	}
	return 0
}

// deviceMemo is up to where commands have been looked for, and where behind the last ones of their line, or 0.
type deviceMemo struct{ to, command, set, logged int }

// commandBefore reports whether one of deviceCommands, of setCommands, and of loggedCommands stands in the line before i, at the start of a
// word. Each place is looked at once.
func (c *Context) commandBefore(i int) (command, set, logged bool) {
	s, m := c.S, &c.memo.device
	k := max(m.to, i-maxDeviceLine)
	m.to = i
	for inWord := k > 0 && ascii.Class[s[k-1]]&ascii.Alnum != 0; k < i; k++ {
		if !inWord {
			n, simple, log := deviceCommands.length(s, k), setCommands.length(s, k), loggedCommands.length(s, k)
			if log > 0 {
				m.logged = k + log
			}
			if k+max(n, simple) > i {
				m.to = min(m.to, k) // the name that is examined is a word of it: that counts for the next name
			} else if n > 0 {
				m.command = k + n
			} else if simple > 0 {
				m.set = k + simple
			}
		}
		if s[k] == '\n' || writtenBreak(s, k) {
			m.command, m.set, m.logged = 0, 0, 0
		}
		if s[k] == '#' && k > 0 && s[k-1] == ')' {
			m.logged = k + 1 // the prompt: Router(config-line)# password x
		}
		inWord = ascii.Class[s[k]]&ascii.Alnum != 0 || s[k] == '-'
	}
	floor := max(0, i-maxDeviceLine)
	return m.command > floor, m.set > floor, m.logged > floor
}

// startsLine reports whether nothing but blanks stands before i in its line, or the sign of a line that diff shows as new or old.
func startsLine(s string, i int) bool {
	from := i
	for i > 0 && (s[i-1] == ' ' || s[i-1] == '\t') {
		i--
	}
	if i > 0 && (s[i-1] == '+' || s[i-1] == '-' && i < from) {
		i--
	}
	return i == 0 || s[i-1] == '\n' || writtenBreak(s, i-2)
}

// writtenBreak reports whether a line break stands at i that has been escaped, as by this processor: \n.
func writtenBreak(s string, i int) bool {
	return i >= 0 && s[i] == '\\' && i+1 < len(s) && (s[i+1] == 'n' || s[i+1] == 'r')
}

// detectSNMP examines the community in snmp-server host, and the passwords in snmp-server user.
func detectSNMP(c *Context, _ ID, i int) int {
	s := c.S
	c.Charge(costOfList)
	end := lineEnd(s[:min(len(s), i+maxDialogue)], i)
	k := i + len("snmp-server host ")
	user := ascii.HasPrefixFold(s, i, "snmp-server user ")
	offered := 0
	previous, before := "", ""
	for n := 0; k < end; n++ {
		v, next, ok := dialogueWord(s[:end], k)
		if !ok {
			break
		}
		w := asciiWord(s[v.start:v.end])
		secret := !user && n > 0 && !hostWords[w] || user && (before == "auth" || before == "priv" || previous == "128" || previous == "192" || previous == "256") && !hostWords[w]
		if secret && (user || offered == 0) && !placeholder(s[v.start:v.end]) && !mask(s[v.start:v.end]) {
			c.Offer(rulePassword, v.start, v.end)
			offered = v.end
		}
		previous, before = w, previous
		k = next
	}
	return offered
}

// hostWords are the options in such commands.
var hostWords = set("version 1 2c 3 traps trap informs inform auth noauth priv vrf use-vrf management udp-port 128 192 256 md5 sha des 3des aes v1 v2c v3 encrypted")

// deviceLines are commands in which no name tells the secret.
var deviceLines = &Detector{At: literals("-mode ", " phash ", "ity-name ", " enc ", "em user ", "mt-user "), Find: detectDeviceLine}

// modes are what stands between such a word and the secret.
var modes = set("md5 sha sha1 sha2-224 sha2-256 sha2-384 sha2-512 sha224 sha256 sha384 sha512 hmac-md5 hmac-sha256 key-value aes aes128 aes192 aes256 des des56 3des 3desde simple plain cipher 1 2 3")

// detectDeviceLine examines the secret in such a command: of Huawei and H3C (authentication-mode md5 1 cipher x), PAN-OS (phash x), F5
// (community-name x), FortiOS (set NAME ENC x), Citrix (add system user NAME x).
func detectDeviceLine(c *Context, _ ID, i int) int {
	s := c.S
	c.Charge(costOfLabel)
	first := i
	if s[first] == ' ' {
		first++
	} else { // the trigger is the end of the word, which begins like many
		for first > c.taken && i-first < maxNameBytes && ascii.Is(s, first-1, ascii.Ident) {
			first--
		}
	}
	end := c.span(first, ascii.Ident)
	skip, encoded := 0, false
	switch asciiWord(s[first:end]) {
	case "enc":
		name := previousField(s, i+1)
		if set := previousField(s, name); !ascii.EqualFold(strings.TrimSpace(s[set:name]), "set") {
			return 0
		}
		encoded = true
	case "system":
		if !ascii.HasSuffixFold(s, first, "add ") && !ascii.HasSuffixFold(s, first, "set ") {
			return 0
		}
		end, skip = first+len("system user"), 1
	case "mgmt-user": // of ArubaOS: mgmt-user NAME ROLE x
		skip = 2
	case "phash", "community-name", "privacy-mode":
	default:
		if !ascii.EqualFold(s[first:end], "authentication-mode") {
			return 0
		}
	}
	v, next, ok := dialogueWord(s, end)
	moded := false
	for n := 0; ok && (n < skip || skip == 0 && n < 4 && modes[asciiWord(s[v.start:v.end])]); n++ {
		moded = true
		v, next, ok = dialogueWord(s, next)
	}
	t := s[v.start:v.end]
	if !ok || placeholder(t) || mask(t) || t[0] == '-' || t[0] == '<' || v.ctx != quoted && !encoded && (!Mixed(t) || len(t) < 6) || encoded && len(t) < 8 ||
		!moded && ascii.HasSuffixFold(s, end, "-mode") {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}

// detectIPsecSecret examines a line of ipsec.secrets besides that of a PSK: eve : EAP "x", : RSA key.pem "x".
func detectIPsecSecret(c *Context, _ ID, i int) int {
	s := c.S
	k := i + len(": ")
	k = blanks(s, c.span(k, ascii.Alpha))
	if ascii.HasPrefixFold(s, i, ": rsa ") {
		for k < len(s) && s[k] > ' ' {
			k++
		}
		k = blanks(s, k)
	}
	v, _, ok := dialogueWord(s, k)
	if !ok || v.ctx != quoted && !strings.HasPrefix(s[v.start:], "0x") && !strings.HasPrefix(s[v.start:], "0s") {
		return 0
	}
	c.Offer(rulePassword, v.start, v.end)
	return v.end
}

// detectSecureString examines what PowerShell is to encrypt: ConvertTo-SecureString "x" -AsPlainText -Force, also as event 4103 records its
// parameters.
func detectSecureString(c *Context, _ ID, i int) int {
	s := c.S
	if piped := strings.TrimRight(s[max(0, i-len("convert")-3):max(0, i-len("convert"))], " "); strings.HasSuffix(piped, "|") {
		pipe := i - len("convert") - 1
		for pipe > 0 && (s[pipe] == ' ' || s[pipe] == '|') {
			pipe--
		}
		if ascii.Is(s, pipe, ascii.Quote) {
			from := c.untaken(pipe, maxNameBytes)
			if open := strings.LastIndexByte(s[from:pipe], s[pipe]); open >= 0 && !placeholder(s[from+open+1:pipe]) {
				c.Offer(rulePassword, from+open+1, pipe)
			}
		}
		return 0
	}
	k := i + len("to-securestring")
	if ascii.HasPrefixFold(s, k, `): name="string"; value="`) {
		v, ok := c.quotedValue(k + len(`): name="string"; value=`))
		if ok {
			c.Offer(rulePassword, v.start, v.end)
		}
		return v.end
	}
	for range 6 {
		if ascii.At(s, k) != ' ' {
			return 0
		}
		v, next, ok := dialogueWord(s, k)
		if !ok {
			return 0
		}
		t := s[v.start:v.end]
		if v.ctx != quoted {
			t = strings.TrimRight(t, ")")
			v.end = v.start + len(t)
		}
		switch {
		case t == "":
			return 0
		case t[0] == '-':
			if ascii.EqualFold(t, "-key") || ascii.EqualFold(t, "-securekey") {
				_, next, _ = dialogueWord(s, next)
			}
			k = next
			continue
		case v.ctx != quoted && (t[0] == '$' || t[0] == '(' || t[0] == ':' || !Mixed(t) && !ascii.HasPrefixFold(s, v.end, " -asplaintext")), placeholder(t):
			return 0
		}
		c.Offer(rulePassword, v.start, v.end)
		return v.end
	}
	return 0
}
