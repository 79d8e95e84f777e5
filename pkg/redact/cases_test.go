// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// A record has these places for text. Each puts s there and returns the batch.
var places = map[string]func(s string) plog.Logs{
	"body": func(s string) plog.Logs { return one(func(lr plog.LogRecord) { lr.Body().SetStr(s) }) },
	"bytes body": func(s string) plog.Logs {
		return one(func(lr plog.LogRecord) { lr.Body().SetEmptyBytes().FromRaw([]byte(s)) })
	},
	"nested body":      func(s string) plog.Logs { return one(func(lr plog.LogRecord) { deep(lr.Body().SetEmptyMap(), s) }) },
	"attribute":        func(s string) plog.Logs { return one(func(lr plog.LogRecord) { lr.Attributes().PutStr("note", s) }) },
	"nested attribute": func(s string) plog.Logs { return one(func(lr plog.LogRecord) { deep(lr.Attributes(), s) }) },
	"array": func(s string) plog.Logs {
		return one(func(lr plog.LogRecord) {
			a := lr.Attributes().PutEmptySlice("notes")
			a.AppendEmpty().SetStr("first")
			a.AppendEmpty().SetStr(s)
		})
	},
	"key": func(s string) plog.Logs { return one(func(lr plog.LogRecord) { lr.Attributes().PutStr(s, "value") }) },
	"nested key": func(s string) plog.Logs {
		return one(func(lr plog.LogRecord) { lr.Body().SetEmptyMap().PutEmptyMap("m").PutInt(s, 1) })
	},
	"event name":    func(s string) plog.Logs { return one(func(lr plog.LogRecord) { lr.SetEventName(s) }) },
	"severity text": func(s string) plog.Logs { return one(func(lr plog.LogRecord) { lr.SetSeverityText(s) }) },
	"resource": func(s string) plog.Logs {
		ld := one(nil)
		deep(ld.ResourceLogs().At(0).Resource().Attributes(), s)
		return ld
	},
	"scope name": func(s string) plog.Logs {
		ld := one(nil)
		ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName(s)
		return ld
	},
	"scope version": func(s string) plog.Logs {
		ld := one(nil)
		ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetVersion(s)
		return ld
	},
	"scope attribute": func(s string) plog.Logs {
		ld := one(nil)
		ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().Attributes().PutStr("note", s)
		return ld
	},
}

func one(f func(plog.LogRecord)) plog.Logs {
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	if f != nil {
		f(lr)
	}
	return ld
}

func deep(m pcommon.Map, s string) {
	m.PutEmptyMap("a").PutEmptySlice("b").AppendEmpty().SetEmptyMap().PutStr("c", s)
}

// everything returns all text of a batch, as it is in memory: keys and values, bytes included.
func everything(ld plog.Logs) string {
	var b strings.Builder
	var value func(pcommon.Value)
	object := func(m pcommon.Map) {
		for k, v := range m.All() {
			fmt.Fprintf(&b, "%s\n", k)
			value(v)
		}
	}
	value = func(v pcommon.Value) {
		switch v.Type() {
		case pcommon.ValueTypeMap:
			object(v.Map())
		case pcommon.ValueTypeSlice:
			for _, e := range v.Slice().All() {
				value(e)
			}
		case pcommon.ValueTypeBytes:
			fmt.Fprintf(&b, "%s\n", v.Bytes().AsRaw())
		case pcommon.ValueTypeEmpty:
		default:
			fmt.Fprintf(&b, "%s\n", v.AsString())
		}
	}
	for _, rl := range ld.ResourceLogs().All() {
		object(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			fmt.Fprintf(&b, "%s\n%s\n", sl.Scope().Name(), sl.Scope().Version())
			object(sl.Scope().Attributes())
			for _, lr := range sl.LogRecords().All() {
				value(lr.Body())
				object(lr.Attributes())
				fmt.Fprintf(&b, "%s\n%s\n", lr.EventName(), lr.SeverityText())
			}
		}
	}
	return b.String()
}

const (
	pan    = "4111111111111111"
	awsKey = "AKIAIOSFODNN7EXAMPLE"
	jwtHS  = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlYnl0ZXM"
)

func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r - '!' + 0xff01
		}
		return r
	}, s)
}

// adversarial are the cases under "Redaction" in the threat catalogue, and others of their families. gone must not be in the
// output, kept must be.
var adversarial = []struct {
	name, in   string
	gone, kept []string
}{
	// Card numbers, however they are written.
	{"plain card", "paid " + pan + " ok", []string{pan}, []string{"paid ", " ok"}},
	{"spaces", "paid 4111 1111 1111 1111 ok", []string{"4111 1111", "1111 1111"}, []string{"paid ", " ok"}},
	{"dashes", "4111-1111-1111-1111", []string{"4111-1111"}, nil},
	{"dots", "card 4111.1111.1111.1111.", []string{"4111.1111"}, nil},
	{"no-break spaces", "card 4111\u00a01111\u00a01111\u00a01111", []string{"1111"}, []string{"card "}},
	{"narrow no-break spaces", "card 4111\u202f1111\u202f1111\u202f1111", []string{"1111"}, nil},
	{"full-width digits", "card " + fullWidth(pan), []string{fullWidth("4111")}, []string{"card "}},
	{"zero-width split", "card 4111\u200b1111\u200b1111\u200b1111", []string{"1111"}, nil},
	{"soft hyphen split", "card 41111111\u00ad11111111", []string{"11111111"}, nil},
	{"arabic-indic digits", "card ٤١١١١١١١١١١١١١١١", []string{"٤١١١"}, nil},
	{"american express", "3782 822463 10005", []string{"822463"}, nil},
	{"diners club", "3056 930902 5904", []string{"930902"}, nil},
	{"19 digits", "6304000000000000000", []string{"6304000000000000000"}, nil},
	{"digit by digit", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", []string{"1 1 1 1"}, nil},
	{"between letters and punctuation", "pan=" + pan + ";", []string{pan}, nil},
	{"in json", `{"n":` + pan + `}`, []string{pan}, []string{`{"n":`, "}"}},
	{"two cards", pan + " and 5555555555554444", []string{pan, "5555555555554444"}, []string{" and "}},
	{"card in a path", "GET /pay/" + pan + "/confirm", []string{pan}, []string{"/confirm"}},
	{"percent-encoded spaces", "card=4111%201111%201111%201111", []string{"1111%20"}, nil},
	{"ansi colour inside a card", "4111\x1b[31m1111\x1b[0m11111111", []string{"11111111", "4111\x1b"}, nil},
	// Track data and security codes.
	{"track 2", "swipe ;4111111111111111=29121011000012300? end", []string{pan, "2912101"}, []string{"swipe ", " end"}},
	{"track 1", "%B4111111111111111^DOE/JOHN^29121010000000000000000000000000?", []string{pan, "DOE", "2912101"}, nil},
	{"security code", "cvv=737", []string{"737"}, []string{"cvv="}},
	{"security code in prose", "card ends 4242 cvv 737 exp 12/27", []string{"737"}, []string{"cvv", "exp 12/27"}},
	{"security code in json", `{"cvc": "1234"}`, []string{"1234"}, nil},
	{"card security code in words", "security code: 737", []string{"737"}, nil},
	// Encodings.
	{"json in a string", `{"msg":"{\"password\":\"hunter2x\"}"}`, []string{"hunter2x"}, []string{"password"}},
	{"json in a string in a string", `"{\"msg\":\"{\\\"password\\\":\\\"hunter2x\\\"}\"}"`, []string{"hunter2x"}, nil},
	{"unicode escapes", `{"mail":"alice\u0040example.com"}`, []string{"alice"}, nil},
	{"percent-encoded mail", "user=alice%40example.com&x=1", []string{"alice"}, []string{"&x=1"}},
	{"percent-encoded twice", "user=alice%2540example.com", []string{"alice"}, nil},
	{"percent-encoded assignment", "q=password%3Dhunter2x%26a%3Db", []string{"hunter2x"}, nil},
	{"short base64 at the end of a line of HTTP", "Authorization: Basic ZXZlOlRhcm40a2VscDE=\r\nHost: x.org\r\n", []string{"ZXZlOlRhcm40a2VscDE"}, []string{"Authorization: Basic ", "Host: x.org"}},
	{"short base64 at the end of a line of SMTP", "AUTH PLAIN AGV2ZQBUYXJuNGtlbHA=\n235 2.7.0 ok", []string{"AGV2ZQBUYXJuNGtlbHA"}, []string{"AUTH PLAIN ", "235 2.7.0 ok"}},
	{"base64-wrapped assignment", "blob " + base64.StdEncoding.EncodeToString([]byte("password=hunter2x!")) + " end", []string{"cGFzc3dvcmQ"}, []string{"blob ", " end"}},
	{"base64-wrapped json", base64.StdEncoding.EncodeToString([]byte(`{"user":"bob","password":"hunter2x"}`)), []string{"InBhc3N3b3Jk", "aHVudGVy"}, nil},
	{"base64url-wrapped key id", base64.RawURLEncoding.EncodeToString([]byte("the key is " + awsKey + " ok?")), []string{"QUtJQUl", "FLSUFJ", "BS0lBS"}, nil},
	{"base64 of base64", base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte("password=hunter2x!")))), []string{"Y0dGemMzZHZjbV"}, nil},
	{"ansi code inside a key id", "AKIA\x1b[1mIOSFODNN7EXAMPLE", []string{"IOSFODNN7EXAMPLE"}, nil},
	{"escaped ansi code inside a key id", `AKIA\u001b[1mIOSFODNN7EXAMPLE`, []string{"IOSFODNN7EXAMPLE"}, nil},
	{"osc sequence inside a key id", "AKIAIOSF\x1b]8;;x\x07ODNN7EXAMPLE", []string{"ODNN7EXAMPLE"}, nil},
	{"nul inside a key id", "AKIAIOSF\x00ODNN7EXAMPLE", []string{"ODNN7EXAMPLE"}, nil},
	{"full-width mail", "mail alice＠example.com now", []string{"alice"}, []string{" now"}},
	{"octal escapes", `sent \042password\042:\042hunter2x\042`, []string{"hunter2x"}, nil},
	// Pass phrases, columns, and what is said of passwords.
	{"phrase", "ssl.keystore.password = lantern falcon saffron orchid", []string{"lantern", "orchid"}, nil},
	{"phrase in prose", "The new password is: granite velvet cobalt harbor", []string{"granite", "harbor"}, nil},
	{"phrase with capitals", "passphrase: Granite Velvet Cobalt Harbor", []string{"Granite", "Harbor"}, nil},
	{"phrase of a wallet", `{"mnemonic":"legal winner thank year wave sausage worth useful legal winner thank yellow"}`, []string{"winner", "yellow"}, nil},
	{"phrase of a wallet with common words", "mnemonic=abandon ability able about above absent absorb abstract absurd abuse access accident", []string{"abandon", "accident"}, nil},
	{"long sentence", "password: has been changed by the administrator and must not be used for any other account again", nil, []string{"changed by the administrator"}},
	{"sentence", "password: authentication token manipulation error", nil, []string{"authentication token manipulation error"}},
	{"shorter sentence", "password: user account locked", nil, []string{"user account locked"}},
	{"amount", "password: 8-64 characters, token: 15 minutes", nil, []string{"8-64 characters", "15 minutes"}},
	{"amount, not before a field", "password=4829 user=bob password=1379 time=3 pin=4711 bytes=7", []string{"4829", "1379", "4711"}, []string{"bob"}},
	{"amount, too large for one", "totp_code=482913 user=bob password=73914826 seconds", []string{"482913", "73914826"}, []string{"bob"}},
	{"amount, not before a name", "password: 4829 attempts: 3 pin: 4711 seconds: 9 otp: 5930 bytes 7", []string{"4829", "4711", "5930"}, []string{"attempts: 3"}},
	{"amount, not right behind an equals sign", "password=731 users password=12-34 bytes --password 731 days", []string{"731", "12-34"}, nil},
	{"amount, neither a date nor groups", "password: 2026-11-28 days password: 9-8-7 bytes password: 4829 characters", []string{"2026-11-28", "9-8-7", "4829"}, nil},
	{"amount, round", "password: 2048 bits, password: 12+ characters", nil, []string{"2048 bits", "12+ characters"}},
	{"amount, in hundreds", "otp: 3600 seconds, password: 1500 attempts", nil, []string{"3600 seconds", "1500 attempts"}},
	{"path behind a variable", "secret=${VAULT_ADDR}/v1/secret/db password=${a}/Zk38sl9", []string{"/Zk38sl9"}, []string{"${VAULT_ADDR}/v1/secret/db"}},
	{"schema with a masked example", `"password":{"type":"string","example":"********"}`, nil, []string{"********"}},
	{"comparison without a value", "if password <> confirm, if password != confirm", nil, []string{"<> confirm", "!= confirm"}},
	{"PIN that is a round number", "pin=0000 pin=2000", []string{"0000", "2000"}, nil},
	{"phone before a field", "tel=+14155550123 bytes=7, +4930901820 time=5", []string{"4155550123", "30901820"}, nil},
	{"column of csv", "id,user,password,role\n7,eve,hunter2x,admin\n8,bob,kettle9,\n", []string{"hunter2x", "kettle9"}, []string{"7,eve,", ",admin", "8,bob"}},
	{"quoted column", "\"name\";\"password\"\r\n\"eve\";\"hunt\"\"er2x\"\r\n", []string{"er2x"}, []string{"eve"}},
	{"column of a table", " id | password | role\n----+----------+------\n  1 | hunter2x | dba\n(1 row)", []string{"hunter2x"}, []string{"dba", "(1 row)"}},
	{"column of masks", "id,user,password\n7,eve,********\n", nil, []string{"7,eve,********"}},
	{"list of names", "columns: id, user, password\nrows: 3, 4, 5", nil, []string{"rows: 3, 4, 5"}},
	{"dotted leaders", "Password . . . . . . . : hunter2x", []string{"hunter2x"}, nil},
	{"random password", "created admin with random password 29vf1DWXsPmlJc9y.", []string{"29vf1DWX"}, []string{"created admin"}},
	{"one-time password", "Your one-time password is 646703", []string{"646703"}, nil},
	{"empty member of Go", "&{User:eve Password: Host:db Port:5432}", nil, []string{"Password: Host:db"}},
	{"operator of IRC", "OPER bob hunter2x", []string{"hunter2x"}, []string{"OPER bob"}},
	{"no operator", "OPER command failed", nil, []string{"OPER command failed"}},
	{"registered nick", "PRIVMSG NickServ :REGISTER hunter2x bob@example", []string{"hunter2x"}, nil},
	{"ghost of a nick", "/msg NickServ GHOST bob hunter2x", []string{"hunter2x"}, []string{"bob"}},
	{"honeypot", "login attempt [b'root'/b'hunter2x'] failed", []string{"hunter2x"}, []string{"[b'root'/b'", "'] failed"}},
	{"here-string", "vncpasswd -f <<< hunter2x", []string{"hunter2x"}, nil},
	{"here-string of another", "grep a <<< hunter2x", nil, []string{"hunter2x"}},
	{"Impacket", "secretsdump.py corp/eve:hunter2x@10.0.0.3", []string{"hunter2x"}, []string{"corp/eve:", "@10.0.0.3"}},
	{"key of WireGuard", "wg set wg0 peer a preshared-key tKD+Nn9+ENvNl51QnjiOBTmJgsWQp2rSkj9/8bdvkbA=", []string{"tKD+Nn9"}, nil},
	{"UCI", "\toption key 'hunter2x'", []string{"hunter2x"}, nil},
	{"no UCI", "invalid option key 'foo'", nil, []string{"'foo'"}},
	{"ArubaOS", "password manager user-name admin plaintext hunter2x", []string{"hunter2x"}, []string{"user-name admin"}},
	{"password manager", "Bitwarden password manager unlocked", nil, []string{"manager unlocked"}},
	{"CloudFormation", "password: '{{resolve:secretsmanager:db:SecretString:password}}'", nil, []string{":SecretString:password}}"}},
	{"schema", `"password": {"type": "string", "minLength": 8}`, nil, []string{`{"type": "string", "minLength": 8}`}},
	{"schema with a default", `"password": {"type": "string", "default": "hunter2x"}`, []string{"hunter2x"}, nil},
	{"fingerprint", "public key: SHA256:uNiVztksCsDhcc0u9e8BrrJXVFbBmsl3qg9Jq6VzT1o", nil, []string{"SHA256:uNiVztksC"}},
	{"fingerprint with MD5", "public key: MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48", nil, []string{"MD5:16:27"}},
	{"hash of a password, no fingerprint", `password_hash=SHA256:9f86d081884c7d65 {"password":"MD5:8f14e45fceea167a"}`, []string{"9f86d081", "8f14e45f"}, nil},
	{"no schema", `{"password":{"type":"plain","text":"hunter2x"},"client_secret":{"type":"string","value":"this is mine 9"}}`, []string{"hunter2x", "this is mine 9"}, nil},
	{"no schema in spite of its words", `{"password":{"type":"string","format":"a\",\"x","minLength":4,"content":"hunter2x"}}`, []string{"hunter2x"}, nil},
	{"nested schema", `"password":{"type":"object","properties":{"type":"string","pattern":"[a-z]"}}`, nil, []string{`{"type":"object"`}},
	{"tags of templates", "password=!env99x secret=!Ref77y password: '!file88z' password=!sub user=bob", []string{"!env99x", "!Ref77y", "!file88z", "!sub"}, []string{"user=bob"}},
	{"password that looks like a tag or anchor", "password=!Hunter2 login failed, password: &Lantern9 was wrong", []string{"!Hunter2", "&Lantern9"}, []string{"login failed", "was wrong"}},
	{"tag and anchor", "password: !vault hunter2x\npasswd: &pw1 kettle9\n", []string{"hunter2x", "kettle9"}, []string{"!vault", "&pw1"}},
	{"password that looks like a tag, and a blank", "password: !Hunter2 ", []string{"!Hunter2"}, nil},
	{"negation in a program", "secret = !grouped && varied", nil, []string{"!grouped"}},
	{"tag before an equals sign", "password: !!str =hunter2x", []string{"hunter2x"}, nil},
	{"more behind a variable", `password=${abc}hunter2x secret=${abcZx91 {x} {"m":"password: ${abcKq72","n":{"b":1}}`, []string{"hunter2x", "abcZx91", "abcKq72"}, nil},
	{"expansion without an end", "password=${abc:?Zx91 password=${ab-Kq72x ok", []string{"abc:?Zx91", "ab-Kq72x"}, []string{" ok"}},
	{"expansion with a brace", "DB_PASSWORD=${DB_PASSWORD:-{abc12} x=1", []string{"abc12"}, []string{" x=1"}},
	{"expansion that is cut off", "MY_PASSWORD=${A:-${Rk42z} x=1", []string{"Rk42z"}, []string{" x=1"}},
	{"default of Spring", "spring.datasource.password=${PG_X:hunter2x} ok", []string{"hunter2x"}, []string{"${PG_X:", "} ok"}},
	{"no default of Spring", "password=${DB_PASSWORD:} password=${env:DB_PASSWORD} password=${A:${B}}", nil, []string{"${DB_PASSWORD:}", "${env:DB_PASSWORD}", "${A:${B}}"}},
	{"cell before braces", `{"a":{"m":"password | hunter2x"}}`, []string{"hunter2x"}, []string{`"}}`}},
	{"template with a pipe", "value: {{ .Values.password | quote }}", nil, []string{".Values.password | quote"}},
	{"no empty member of Go", `{"msg":"Password: Winter:2024"} {User: eve, Password: Summer:2025}`, []string{"Winter:2024", "Summer:2025"}, []string{"eve"}},
	{"two empty members of Go", "&{User: Password: Host:db}", nil, []string{"Host:db"}},
	{"comparison with a value", "if secret != 482913 password != hunt$er", []string{"482913", "hunt$er"}, nil},
	{"netrc in one line", "machine h login bob password swordfish machine g login eve password lantern", []string{"swordfish", "lantern"}, []string{"machine g"}},
	{"table that is called login", "SELECT id FROM login WHERE password LIKE 'hunter2x' OR password IN ('kettle9')", []string{"hunter2x", "kettle9"}, []string{"LIKE"}},
	{"element that begins with an at sign", "<password>@hunter2x</password>", []string{"@hunter2x"}, nil},
	{"address with elements", "mongodb://<user>:<password>@db.example/x", nil, []string{"<password>@db.example"}},
	{"password that begins like an algorithm", "created admin with random password Sharon99, community: Shadow12x", []string{"Sharon99", "Shadow12x"}, nil},
	{"algorithm", "community: sha256-hmac", nil, []string{"sha256-hmac"}},
	{"option in parentheses", "login --password (hunter2x) -Password (Read-Host x)", []string{"hunter2x"}, []string{"(Read-Host x)"}},
	{"cookie in brackets", "cookie=[31d4d96e407aad42] cookie=Some(\"Qz8kLm2Vx7Rt\")", []string{"31d4d96e407aad42", "Qz8kLm2Vx7Rt"}, nil},
	{"arguments in a stack trace of PHP", "#0 /a.php(9): mysqli_connect('db', 'root', 'hunt,er2', 'x')\n#1 PDO->__construct('mysql:host=db', 'u', 'kettle9')\n#2 ldap_bind(Object(LDAP\\Connection), 'cn=a', 'lantern')", []string{"hunt,er2", "kettle9", "lantern"}, []string{"'root'", "'cn=a'"}},
	{"arguments without a password", "#0 mysqli_connect('db', 'root', NULL)\n#1 ldap_bind(Object(X), 'cn=a', Object(SensitiveParameterValue))\n#2 aes_encrypt(name, @key)", nil, []string{"'root', NULL", "'cn=a', Object", "name, @key"}},
	{"arguments of procedures", "EXEC sp_addlogin 'app', 'hunter2x'; EXEC sp_password NULL, 'kettle9', 'app'; EXEC sp_addlinkedsrvlogin 'S', 'false', NULL, 'sa', 'lantern7'", []string{"hunter2x", "kettle9", "lantern7"}, []string{"'app', '", "'false'", "'sa'"}},
	{"functions that are given a password", `db.changeUserPassword("app", "hunter2x") CALL dbms.security.changePassword('kettle9')`, []string{"hunter2x", "kettle9"}, []string{`"app"`}},
	{"functions that are asked for one", `getPassword("db-main7") resetPassword('eve7')`, nil, []string{"db-main7", "eve7"}},
	{"parameters of a statement", "DETAIL:  parameters: $1 = 'bob', $2 = 'Ivory.coast1', $3 = '2026-11-28', $4 = 'ORD-2026-17', $5 = 'Berlin2'", []string{"Ivory.coast1"}, []string{"'bob'", "2026-11-28", "ORD-2026-17", "Berlin2"}},
	{"parameters that the statement names", "execute <unnamed>: UPDATE users SET password = $2, name = $1 WHERE id = $3\nDETAIL:  parameters: $1 = 'Kettle9X', $2 = 'lantern', $3 = '7'", []string{"lantern"}, []string{"Kettle9X", "'7'"}},
	{"command that auditd records of sudo", "type=USER_CMD msg=audit(1.2:3): cwd=\"/\" cmd=6D7973716C202D75726F6F74202D7068756E74657232 terminal=pts/0", []string{"68756E74657232"}, []string{"terminal=pts/0"}},
	{"createUser of Net-SNMP", "createUser mon SHA \"hunter two\" AES \"kettle nine\"\ncreateUser -e 0x8000 mon MD5 lantern77 DES", []string{"hunter two", "kettle nine", "lantern77"}, []string{"createUser mon SHA"}},
	{"communities in snmpd.conf", "com2sec readonly default hunt3rRO\ncom2sec6 -Cn ctx ro fd00::/8 k3ttleRO\ntrap2sink 10.0.0.5 l4nternTR\nauthcommunity log,execute h0neyRO", []string{"hunt3rRO", "k3ttleRO", "l4nternTR", "h0neyRO"}, []string{"readonly default", "10.0.0.5"}},
	{"sink of something else", "sink 10.0.0.5 closed, audio sink running, createUser failed for bob17x", nil, []string{"10.0.0.5 closed", "sink running", "bob17x"}},
	{"keys of ntpd and chronyd", "1 MD5 hunter2x\n10 SHA1 a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f70819 # site\n20 SHA256 ASCII:lantern", []string{"hunter2x", "a0b1c2d3e4f5", "lantern"}, nil},
	{"digests that are counted", "1 MD5 authentication failures\n10 SHA1 collisions found\n3 SHA256 2026-11-28", nil, []string{"MD5 authentication", "SHA1 collisions", "2026-11-28"}},
	{"secrets of PPP", "eve pptpd hunter2x *\n\"bob\" * \"kettle9\" 10.0.0.7", []string{"hunter2x", "kettle9"}, []string{"eve pptpd", "10.0.0.7"}},
	{"file of secrets of PPP", "/etc/ppp/chap-secrets:\n# client server secret\neve * lantern *", []string{"lantern"}, []string{"# client server secret", "eve * "}},
	{"stars in text", "bob * \"a b\" * x and 5 * \"m2\" or so", nil, []string{"\"a b\"", "\"m2\""}},
	{"login of a relay", "[smtp.example]:587 shop:hunter2x\n[mx]:25 relay:lantern", []string{"hunter2x", "lantern"}, []string{"[smtp.example]:587 shop:"}},
	{"connection to a relay", "connect to mx[10.0.0.1]:25: timed out, mx[10.0.0.1]:587 helo:ok next", nil, []string{"timed out", "helo:ok"}},
	{"line of passwd with a password", "line 3: eve:Mallow77:1003:1003:Eve:/home/eve:/bin/bash", []string{"Mallow77"}, []string{":1003:1003:Eve:"}},
	{"line of passwd", "eve:x:1003:1003:Eve,,,:/home/eve:/bin/bash bob:!:1:1::/:/usr/sbin/nologin", nil, []string{"eve:x:1003"}},
	{"hashes of Windows", "Administrator:500:aad3b435b51404eeaad3b435b51404ee:31d6cfe0d16ae931b73c59d7e0c089c1:::", []string{"31d6cfe0d16ae931"}, []string{"Administrator:500:"}},
	{"clear text of TACACS+", `user = eve { login = cleartext "hunter two" }`, []string{"hunter two"}, []string{"user = eve"}},
	{"device logs a command", "cmd=neighbor 10.0.0.2 password 0 hunter2x <cr>, logged command:vtp password kettle9, command 'set x plain-text-password-value lantern7 '", []string{"hunter2x", "kettle9", "lantern7"}, []string{"10.0.0.2"}},
	{"prompt of a device", "Router(config-line)# password hunter2x\nsw(config)# aaa port-access supplicant 24 secret kettle9", []string{"hunter2x", "kettle9"}, []string{"supplicant 24"}},
	{"prompt without a secret", "Router(config)# service password-encryption\nRouter(config)# snmp-server location rack7\ncommand: password reset by bob", nil, []string{"password-encryption", "rack7", "reset by bob"}},
	{"form of a password in a sentence", "user password cipher suite2 negotiated", nil, []string{"suite2"}},
	{"modes of devices", "snmp-agent usm-user v3 mon authentication-mode sha hunter2x privacy-mode aes128 kettle9x, authentication-mode scheme, authentication-mode md5 1 plain l4ntern", []string{"hunter2x", "kettle9x", "l4ntern"}, []string{"authentication-mode scheme"}},
	{"encrypted setting of FortiOS", "set vpn-key ENC nVtYmVyU2V2ZW5FbmNv\nset auth-type ENC", []string{"nVtYmVyU2V2ZW5FbmNv"}, []string{"set auth-type ENC"}},
	{"system user of a load balancer", `add system user eve hunter2x -timeout 900, set system user bob -timeout 9`, []string{"hunter2x"}, []string{"user bob -timeout"}},
	{"tag of an attribute of RADIUS", `(0)   Tunnel-Password:0 = "hunter two" User-Password:x`, []string{"hunter two"}, nil},
	{"login that FreeRADIUS logs", "Login incorrect (pap): [eve/hunter2x] (from client ap1) Login OK: [bob] (from client ap1) [eve/<CHAP-Password>] (from client x)", []string{"hunter2x"}, []string{"[bob]", "<CHAP-Password>"}},
	{"management of OpenVPN", `CMD 'password "Auth" "hunter two"' CMD 'password "Private Key" kettle9' CMD 'password [...]'`, []string{"hunter two", "kettle9"}, []string{`"Auth"`, "[...]"}},
	{"literal of IMAP", "A002 LOGIN shop {10}\r\nfoxglove21", []string{"foxglove21"}, []string{"LOGIN shop {10}"}},
	{"PASS as servers log it", "ftpd[9]: <--- PASS lantern\nftp> quote PASS kettle\nCommand:\tPASS swordfish\nCommand:\tPASS ********", []string{"lantern", "kettle", "swordfish"}, []string{"********"}},
	{"quotes of GNU", "host `relay.example' user `shop' pass `hunter2x'", []string{"hunter2x"}, []string{"`shop'"}},
	{"hexdump of a key", "WPA: PSK (ASCII passphrase) - hexdump_ascii(len=9):\n     6f 73 70 72 65 79 39 39 78     osprey99x\nEAPOL - hexdump(len=3): 01 02 03", []string{"osprey99x", "6f 73 70"}, []string{"01 02 03"}},
	{"cell of a page", "<td>Password</td><td>hunter2x</td> <b>Password</b>: kettle9 <dt>Password</dt><dd>l4ntern</dd>", []string{"hunter2x", "kettle9", "l4ntern"}, []string{"</td>"}},
	{"cell that is none", "<td>Password</td><td>must be changed</td> <b>Password</b>: required <th>Password</th><th>Login2</th>", nil, []string{"must be changed", "required", "Login2"}},
	{"user and password", "login with admin / hunter2x, root:Zoo7#lemon (random password generated)", []string{"hunter2x", "Zoo7#lemon"}, []string{"admin / "}},
	{"no user and password", "roles: admin / editor2x / viewer; admin:8080 login; Login page: /admin/v2x", nil, []string{"admin / editor2x", "admin:8080", "/admin/v2x"}},
	{"value of the registry", "    DefaultPassword    REG_SZ    hunter2x\nreg add X /v DefaultPassword /t REG_SZ /d kettle9 /f", []string{"hunter2x", "kettle9"}, []string{"REG_SZ"}},
	{"line with a new value", "New value: Wq8zLk2Vx7RtMnQz", []string{"Wq8zLk2Vx7RtMnQz"}, nil},
	{"another new value", "New value: 4096\nset max, new value: enabled2", nil, []string{"4096", "enabled2"}},
	{"box around a password", "***  Initial password for 'root': hunter2x      ***", []string{"hunter2x"}, []string{"'root'"}},
	{"cookies of a command", "curl -b 'sid=31d4d96e407aad42; theme=dark' https://h/ && curl -b jar.txt https://h/", []string{"31d4d96e407aad42"}, []string{"jar.txt"}},
	{"options that ask", "wget --ask-password https://h/x --no-password hunter --prompt-password https://h/y", nil, []string{"https://h/x", "https://h/y"}},
	{"mask that shows an end", "secret_key     ****************ALLX", nil, []string{"ALLX"}},
	{"other masks", `{"passwd":"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"} <Password><Value>*SENSITIVE*DATA*DELETED*</Value></Password> password=[C@1b2c3d`, nil, []string{"VALUE_SPECIFIED", "SENSITIVE*DATA", "[C@1b2c3d"}},
	{"cell behind braces that do not close", "{{ | password | hunter2x |", []string{"hunter2x"}, nil},
	{"password in a word of SQL on a command line", `db2 "attach to n user u using hunter2x new kettle9x confirm kettle9x"`, []string{"hunter2x", "kettle9x"}, []string{"user u using"}},
	{"words in words", "db2 `a' b' \"c d\" db2 \"db2 'db2 x'\"", nil, nil},
	{"sentence with a number", `{"password":["is too short (minimum is 8 characters)"],"secret":"must have 12 letters"} {"passphrase":"is the hunter2 one"}`, []string{"hunter2"}, []string{"is too short (minimum is 8 characters)", "must have 12 letters"}},
	{"public key in JSON", `{"kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`, nil, []string{"f83OJ3D2xF1B"}},
	{"secret of Kubernetes", `secret "app-db" deleted`, nil, []string{"app-db"}},
	{"secret of a device", `secret "hunter2x";`, []string{"hunter2x"}, nil},
	{"comparison", "if password != confirm:", nil, []string{"confirm"}},
	{"mounted secret", "password: /run/secrets/db_password", nil, []string{"/run/secrets/db_password"}},
	{"words in base64", "data=SGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXN0IG1lc3NhZ2U=", nil, []string{"SGVsbG8gd29ybGQs"}},
	{"fraction and difference", "x=+1234.5678 delta +123456789 bytes", nil, []string{"+1234.5678", "+123456789"}},
	{"no key of IPsec", ": PSK file missing", nil, []string{"file missing"}},
	{"login with a password", "authenticating with user eve and password Lantern8019_", []string{"Lantern8019_"}, nil},
	{"API key made", "New API key created: jyVcJtOO8lK1oKFTHq7BQRKw7ah1WXPs", []string{"jyVcJtOO"}, nil},
	// E-mail, allowed and not, is in TestAllow.
	{"mail", "to Alice.O-Neil+x@mail.corp.example, done", []string{"Alice", "Neil"}, []string{"to ", ", done"}},
	{"digits before the at sign", "to bob20261123@example.org", []string{"bob2026", "1123@"}, []string{"to "}},
	{"digits before a name", "x 20261123_password=hunter2x", []string{"hunter2x"}, nil},
	{"mail in angle brackets", "From: Bob <bob@example.org>", []string{"bob@"}, []string{"<", ">"}},
	// Social security numbers.
	{"ssn", "ssn 536-22-8726", []string{"8726"}, nil},
	{"non-breaking hyphens in an ssn", "id 536\u201122\u20118726", []string{"8726"}, nil},
	{"ssn with spaces", "SSN: 536 22 8726", []string{"8726"}, nil},
	{"bare ssn in json", `{"ssn":"536228726"}`, []string{"536228726"}, nil},
	{"card behind a timestamp", "2026-11-23 04:10:55,123 4111 1111 1111 1111 paid", []string{"1111"}, []string{"2026-11-23 04:10:55,123", " paid"}},
	{"ssn behind a timestamp", "2026-11-23 04:10 536-22-8726 x", []string{"8726"}, []string{"04:10", " x"}},
	{"card behind a phone number", "call (555) 123-4567  5555-5555-5555-4444.", []string{"123-4567", "5555-4444"}, []string{"call "}},
	{"ssn behind a phone number", "(555) 123-4567.536-22-8726 x", []string{"123-4567", "8726"}, []string{" x"}},
	// Accounts.
	{"iban", "pay DE89370400440532013000 now", []string{"370400440532013000"}, []string{" now"}},
	{"spaced lower-case iban", "pay gb82 west 1234 5698 7654 32 now", []string{"1234 5698"}, []string{"pay ", " now"}},
	{"no-break spaces in an iban", "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", []string{"3704", "0532"}, nil},
	// Tokens.
	{"jwt", "t=" + jwtHS + " x", []string{"eyJzdWIi", "c2lnbmF0"}, []string{" x"}},
	{"unsigned jwt", "got eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9. and", []string{"eyJzdWIi"}, []string{" and"}},
	{"jwe", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ", []string{"48V1_ALb6US04U3b", "XFBoMYUZ"}, nil},
	{"aws key id", "key " + awsKey + ".", []string{awsKey}, nil},
	{"github", "ghp_16C7e42F292c6912E7710c838347Ae178B4a used", []string{"16C7e42F292c"}, []string{" used"}},
	{"stripe", "using " + "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", []string{"4eC39HqLyjWD"}, nil},
	// Keys.
	{"pem", "x -----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY----- y", []string{"MIIEpAIB"}, []string{"x ", " y"}},
	{"truncated pem", "x -----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY", []string{"MHcCAQEEII", "tF1aY"}, []string{"x "}},
	{"pem in json", `{"key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n","a":1}`, []string{"MIIEvQIB"}, []string{`"a":1`}},
	{"pgp", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQWGBGSVV4YBDAC\n-----END PGP PRIVATE KEY BLOCK-----", []string{"lQWGBGSV"}, nil},
	{"age", "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQP", []string{"QQQQ"}, nil},
	{
		"long webhook", "https://corp.webhook.office.com/webhookb2/5c1a8a7e-1111-4222-8333-d7a1b2c3d4e5@6f2b8c9d-1111-4222-8333-96cf0a01ab3c/IncomingWebhook/3f9a79b7c0a54b6e8e4b1f0d2c3a4b5e/ffee8a11-9999-4222-8333-aabbccddeeff/V2tail9Zz x",
		[]string{"5c1a8a7e", "3f9a79b7", "aabbccddeeff", "V2tail9Zz"},
		[]string{" x"},
	},
	{"webhook behind a plain path", "GET hooks.slack.com/docs/about, hooks.slack.com/services/T00000000/B00000000/abcdEFGH1234ijklMNOP5678", []string{"abcdEFGH1234"}, []string{"docs/about"}},
	{"slash in a password behind another address", "from http://a:b/c to http://us:pa/ssw0rd@host/", []string{"ssw0rd"}, []string{"@host/"}},
	// Headers.
	{"bearer", "Authorization: Bearer abc123def456ghi789", []string{"abc123def456"}, []string{"Bearer"}},
	{"an invalid byte after Bearer", "Authorization: Bearer \xffabc123def456", []string{"abc123def456"}, nil},
	{"basic", "authorization: Basic dXNlcjpodW50ZXIy", []string{"dXNlcjpodW50ZXIy"}, nil},
	{"digest", `Authorization: Digest username="bob", realm="x", response="6629fae49393a05397450978507c4ef1"`, []string{"6629fae4"}, nil},
	{"authorization in json", `{"headers":{"Authorization":["Bearer abc123def456ghi789"]}}`, []string{"abc123def456"}, nil},
	{"cookie", "Cookie: sid=31d4d96e407aad42; theme=dark99", []string{"31d4d96e"}, []string{"sid="}},
	{"set-cookie", "Set-Cookie: sid=31d4d96e407aad42; Path=/; HttpOnly", []string{"31d4d96e"}, []string{"Path=/"}},
	{"api key header", "X-Api-Key: 8f14e45fceea167a5a36dedd4bea2543", []string{"8f14e45f"}, nil},
	// Names with values.
	{"password", "password=hunter2x next", []string{"hunter2x"}, []string{"password=", " next"}},
	{"an invalid byte inside a password", "password=\xff\xfehunter2x next", []string{"hunter2x"}, []string{" next"}},
	{"quoted with comma", `password="a,bhunter2x", user=bob`, []string{"hunter2x"}, []string{"user=bob"}},
	{"quoted with spaces", `password: 'correct horse hunter2x' user`, []string{"horse", "hunter2x"}, []string{" user"}},
	{"quoted without end", `password="hunter2x and more`, []string{"hunter2x", "more"}, nil},
	{"quoted with escaped quote", `password="hun\"ter2x" y`, []string{"ter2x"}, []string{" y"}},
	{"behind a less-than sign", "a<password=hunter2x, >0 <password: hunter3x, >0", []string{"hunter2x", "hunter3x"}, nil},
	{"camel case", "userPassword=hunter2x", []string{"hunter2x"}, nil},
	{"xml", "<password>hunter2x</password>", []string{"hunter2x"}, []string{"</password>"}},
	{"xml with attributes", `<Password enc="none">hunter2x</Password>`, []string{"hunter2x"}, nil},
	{"hash arrow", "'password' => 'hunter2x'", []string{"hunter2x"}, nil},
	{"flag", "run --password hunter2x --host h", []string{"hunter2x"}, []string{"--host h"}},
	{"flag with equals sign", "run --password=hunter2x --host h", []string{"hunter2x"}, []string{"--host h"}},
	{"mysql flag", "mysql -u root -phunter2x db", []string{"hunter2x"}, []string{" db"}},
	{"curl user", "curl -u bob:hunter2x https://h/", []string{"hunter2x"}, []string{"bob:", "https://h/"}},
	{"environment", "DB_PASSWORD=hunter2x PATH=/bin", []string{"hunter2x"}, []string{"PATH=/bin"}},
	{"form", "user=bob&password=hunter2x&ok=1", []string{"hunter2x"}, []string{"&ok=1"}},
	{"kubernetes env", `{"name":"DB_PASSWORD","value":"hunter2x"}`, []string{"hunter2x"}, []string{"DB_PASSWORD"}},
	{"forged marker as a value", "password=[REDACTED:password]hunter2x", []string{"hunter2x"}, nil},
	{"forged marker of no rule", "password=[REDACTED:hunter2x]", []string{"hunter2x"}, nil},
	{"forged pseudonym", "password=[ps:email:k1:hunter2x]", []string{"hunter2x"}, nil},
	{"secret inside a forged marker", "[REDACTED:" + pan + "]", []string{pan}, nil},
	// URLs.
	{"at sign in a password", "https://bob:p@ss1x@host/path", []string{"p@ss1x", "ss1x"}, []string{"@host/path"}},
	{"no user", "redis://:hunter2x@host:6379/0", []string{"hunter2x"}, []string{"@host:6379/0"}},
	{"slash in a password", "postgres://bob:hun/ter2x@db.example/x", []string{"ter2x"}, []string{"db.example"}},
	{"dsn", "bob:hunter2x@tcp(db:3306)/app dsn=mysql://bob:hunter2x@db/app", []string{"mysql://bob:hunter2x"}, nil},
	{"ado.net", "Server=db;User Id=bob;Password=hunter2x;Encrypt=yes", []string{"hunter2x"}, []string{"Encrypt=yes"}},
	{"query token", "GET /cb?access_token=2YotnFZFEjr1zCsicMWpAA&x=1", []string{"2YotnFZF"}, []string{"&x=1"}},
	{"presigned url", "https://b.s3.amazonaws.com/o?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", []string{"aeeed9bb", awsKey}, []string{"b.s3.amazonaws.com"}},
	{"azure sas", "https://a.blob.core.windows.net/c?sv=2022&sig=zvZ%2BnNx0Vq3Gg7c5n6v2hH6M0Q8YpR1sT4uW9xA%3D", []string{"nNx0Vq3Gg7"}, nil},
	{"webhook", "post https://hooks.slack.com/services/T00000000/B00000000/abcdEFGH1234ijklMNOP5678", []string{"abcdEFGH1234"}, nil},
	{"character references", `{&quot;password&quot;:&quot;hunter2x&quot;}`, []string{"hunter2x"}, nil},
	{"numeric character references", "alice&#64;corp.example password&#x3d;hunter2x", []string{"corp.example", "hunter2x"}, nil},
	{"character references, twice", `&amp;quot;password&amp;quot;: &amp;quot;hunter2x&amp;quot;`, []string{"hunter2x"}, nil},
	{"character data", "<password><![CDATA[hunter2x]]></password>", []string{"hunter2x"}, []string{"</password>"}},
	{"value before its name", `{"value":"hunter2x","name":"DB_PASSWORD"} <add value="hunter3x" key="password"/>`, []string{"hunter2x", "hunter3x"}, []string{"DB_PASSWORD"}},
	{"value before its name, in a string", `{"log":"{\"value\":\"hunter2x\",\"key\":\"password\"}"}`, []string{"hunter2x"}, nil},
	{"odd case", "PaSsWoRd=hunter2x", []string{"hunter2x"}, nil},
	{"block scalar", "password: >-\n  hunter2x\n  hunter3x\nuser: bob", []string{"hunter2x", "hunter3x"}, []string{"user: bob"}},
	{"powershell", "powershell -enc cABhAHMAcwB3AG8AcgBkAD0ASAB1AG4AdABlAHIAMgB4AEsAcQA5AFoAeg==", []string{"cABhAHMA"}, nil},
	{"sql identified by", "CREATE USER bob IDENTIFIED BY 'hunter2x' REQUIRE SSL", []string{"hunter2x"}, []string{"REQUIRE SSL"}},
	{"sql password()", "SET PASSWORD FOR 'bob'@'h' = PASSWORD('hunter2x')", []string{"hunter2x"}, nil},
	{"ldapsearch", "ldapsearch -x -D cn=admin -w hunter2x -b dc=x", []string{"hunter2x"}, []string{" -b dc=x"}},
	{"password hash", "bob:$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/:19000", []string{"qFmFH"}, []string{"bob:", ":19000"}},
	{"bcrypt", "hash $2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW ok", []string{"R9h/cIPz0gi"}, []string{" ok"}},
	{"argon2", "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG", []string{"Rdescudv"}, nil},
	// E-mail addresses, social security numbers.
	{"quoted local part", `from "john doe"@corp.example to`, []string{"doe", "corp.example"}, []string{"from ", " to"}},
	{"quoted local part in json", `{"from":"\"john@doe\"@corp.example"}`, []string{"doe", "corp.example"}, nil},
	{"braces in a local part", "from a{b}@corp.example to", []string{"corp.example"}, []string{" to"}},
	{"address literal", "from bob@[192.0.2.7] to", []string{"bob"}, []string{"from ", " to"}},
	{"python's no-break space", `{'iban': 'DE89\xa03704\xa00044\xa00532\xa00130\xa000'}`, []string{"0532"}, nil},
	{"unionpay in two groups", "card 622535 1711516663709 ok", []string{"1711516663709"}, []string{" ok"}},
	{"elo", "card 5066-9906-3246-9765 ok", []string{"9906-3246"}, []string{" ok"}},
	{"ssn in a row of values", "17,bob,ssn=536228726,2026-11-23", []string{"536228726"}, []string{"17,bob,", ",2026-11-23"}},
	{"card code in a row of values", "17,cvv=737,2026-11-23", []string{"737"}, []string{",2026-11-23"}},
	// Telephone numbers.
	{"e.164", "call +442079460958 now", []string{"2079460958"}, []string{" now"}},
	{"international with spaces", "call +44 20 7946 0958", []string{"7946"}, nil},
	{"e.164 behind another number", "id 12345 +44 20 7946 0958 ok", []string{"7946"}, []string{"id 12345 ", " ok"}},
	{"north american behind another number", "id 12345 (555) 123-4567 ok", []string{"123-4567"}, []string{" ok"}},
	{"in a row of values", "17,bob,06-81960377,2026-11-23,ok", []string{"81960377"}, []string{"17,bob,", ",2026-11-23"}},
	{"behind a colon", "field:020 7978 9917", []string{"7978"}, []string{"field:"}},
	{"north american", "phone (555) 123-4567", []string{"123-4567"}, nil},
}

func TestAdversarial(t *testing.T) {
	e, again := newEngine(t), newEngine(t)
	for _, tt := range adversarial {
		t.Run(tt.name, func(t *testing.T) {
			for place, put := range places {
				ld := put(tt.in)
				ofAnotherStream(ld)
				e.Logs(ld, nil)
				out := everything(ld)
				for _, g := range tt.gone {
					assert.NotContains(t, out, g, place)
				}
				for _, k := range tt.kept {
					assert.Contains(t, out, k, place)
				}
				again.Logs(ld, nil)
				assert.Equal(t, out, everything(ld), "%s: a second pass changes nothing", place)
			}
		})
	}
}

// harmless are texts that must not be changed.
var harmless = []string{
	"id 12345678901234567890 done",                        // 20 digits, a card number inside
	"id 94111111111111111111",                             // a card number at its end
	"trace 4bf92f3577b34da6a3ce929d0e0e4736",              // hexadecimal
	"x4111111111111111y",                                  // inside a word
	"ratio 0.4111111111111111",                            // a fraction
	"token=Token{kind=a, id=7}",                           // a composite
	"token_id= total=1",                                   // an empty value
	"logname= uid=0 euid=0",                               //
	"password= user=bob",                                  // an empty value
	"password changed for user bob",                       // prose
	"Failed password for root from 10.0.0.1 port 22 ssh2", //
	"Password: incorrect",                                 //
	"password=${DB_PASSWORD} token=$TOKEN",                // variables
	`password="" next="x"`,                                //
	"password=****** ok",                                  // masked by others
	"wwn 50:06:01:60:3b:20:19:48 up",                      // a World Wide Name, not IPv6
	"max_tokens=4096 input_tokens: 1234567",               //
	"token_type=bearer expires_in=3600",                   //
	"public_key=9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC",         //
	"primaryKey=0faUo70GdoL4guik7wmd6Z",                   //
	"commit 9fceb02d0ae598e95dc970b74767f19372d61af8",     //
	"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"uuid 123e4567-e89b-12d3-a456-426614174000",
	"2026-11-23T04:11:22.123456789Z INFO started in 0.123456789s",
	"ts=1763871082123456789 n=18446744073709551615",
	"build 2026.11.23.1234 of 10.20.30.40:8080",
	"lat=48.858370123 lon=2.294481456",
	"cache key=user:1234:profile hit", "keyboard-interactive/pam for bob",
	"std::vector<int>@0x7fff5fbff8c0", "spark://CoarseGrainedScheduler@10.10.34.11:48069",
	`C:\Windows\winsxs\amd64_microsoft-windows-s..cingstack_31bf3856ad364e35_10.0.26100.1150_none_5c2e9d70b1f4a836\cbscore.dll`,
	"[main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Kind: YARN_AM_RM_TOKEN, Service: , Ident: (keyId: -127633188)",
	"author=james pass=0/10 compass=north bypass=true",
	"sealed line 25778 10.0.178.100 - user73", "ssn", "cvv", "cvv 12345", "123-45-678", "000-12-3456", "666-12-3456", "900-12-3456",
	"Größe 10 €, naïve café, 日本語 ログ",
	`msg="cache miss" key="user:1234:orders"`, "phone support ticket 1234567", "failed to list *v1.Secret: secrets is forbidden",
	"key fingerprint is SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8.",
	"tel aviv 2026", "cell 12 of 14", "call 911",
	"sudo: deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/ls", "OLDPWD=/var/log cd",
	"Created symlink getty@tty1.service, user@1000.service and wg-quick@wg0.service",
	`~ password = (sensitive value) -> (known after apply)`, "writeKey=REDACTED",
	"github.com/acme/lib v1.4.3 h1:CjnDlHq8ikf6E492q6eKboGOC0T8CDaOvkHCIg8idEI=",
	"github.com/openshift/api v0.0.0-20251015095338-264e80a2b6e7/go.mod h1:d5uzF0YN2nQQFA0jIEWzzOZ+edmo6wzlGLvx5Fhz4uY=",
	"Cache restored from key: node-cache-Linux-x64-npm-bf5b8b724593e93f02bd85f9ce23898be8ed4356c34f38c2ff4b3cb78c711d9d",
	"addNotification key=0|com.example.mail|121|null|10111", "Bad activity token: android.os.BinderProxy@2bd79ce",
	"stream/token: com.apple.xpc.activity/4505: 132: Request for stale data",
	"x-amzn-trace-id: Root=1-83ae5ac8-3776f9a33c2a405d4d6af9fb", "x-amz-cf-id: izq-q5u8LxPlvX_lhvWQNPXZWumFWqzeYP8dVTtxSLup3E4AhOI8tA==",
	"youtube video HRJ49WoqS32 playlist PLz4jVvuqDQucuBmcyyqBJoEqXMUTbgpJx", "sentry event 60a110eccfb4c22b506f4f7913292f1c sent",
	"openai chatcmpl-FGGpPtDzoceNs2SwGVO9BK7UiktS3 done", "stripe customer cus_9s6XKzkNRiz8i3 evt_1NG8Du2eZvKYlo2CUI79vXWy",
	`"integrity": "sha512-14ui96EkyJliUr1iIQiZuoLs8pwBxhe8LLlUZGnHxqIWEvq1wh7nP+I1dqBTLQ4NZIixmBwk2abe+4nFX/8ubw=="`,
	`source_code_hash = "grYpyfcmGLTZBDMHrqcb8acc4GVekPAtVcCU4sYm+ug=" -> "JqDmn8xyZhZUAHPy9ig5zZpx8v7ee10G9nV6W4OewM0="`,
	`{"method":"auth.set_password","params":["a"]}`, "cluster.uuid [a_DSau4qR4NrH1LdqFcFhg]", "ulid=01HXYZ8P9Q2R3S4T5V6W7X8Y9Z ok",
	"pod auth-token-6d5f7c9b84-x2x7k started", "backup_prod_20261123T101112Z.tar", "primary key 9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC",
	"at com.acme.Outer$1$Inner.handleEveryRequest2(Outer.java:42)", "cost $12 or $1$ a day", "identified by the 'x' flag? no",
	"a&ampb=1&lt;b&gt; &#xzz; &#99999999; AT&T; x&y;z", "password: | user: >",
	"pam_unix(passwd:chauthtok): password changed for bob", "pam_unix(gdm-password:session): session opened for user bob",
	"GET /url?sa=t&ei=W88AU4n9HOq60QXbv4GwBg&usg=AFQjCNEF1X4Rs52UYQyLiySTQxa97ozM4g HTTP/1.1",
	"Opera/9.80 (iPhone; Opera Mini/7.0.3/34.1244; U; de) Presto/2.8.119", "secretNamespace: secretNamespaceValue", "token: AccessTokenRequestFailed",
	`"parse-passwd": "^1.0.0"`, "their offer: aes256-cbc,rijndael-cbc@lysator.liu.se,aes128-gcm@openssh.com",
	`{"value":"bob smith","error":"password"}`, `{"value":"","key":"password"}`,
	"span_id=4832856275511548990 traceId: 4839503211283854232", `{"dd.span_id":"4832856275511548990"}`,
	"REPORT : 7031 5020 150604 240", "took 10:01:02 0.5, 1,0123 456", "x=12,02 345 6789",
	`mail to ${user}@corp.example`, `"@corp.example"`, `{"a":""}@[x]`, "cvv=1234567,1", "ssn=12,3456789",
	"", " ", "=", "@", "://", "key=", "+", "-----BEGIN", "eyJ", "[REDACTED:pan]",
	"-----BEGIN CERTIFICATE-----MIIB", "-----BEGIN PUBLIC KEY-----",
}

func TestHarmless(t *testing.T) {
	e := newEngine(t)
	for _, s := range harmless {
		out, _, keep := e.Text(s, nil)
		assert.True(t, keep)
		assert.Equal(t, s, out)
	}
}

// Every layer of encoding around one secret, and every surrounding, must not help it through.
func TestEncodings(t *testing.T) {
	e := newEngine(t)
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	for name, encode := range map[string]func(string) string{
		"plain":          func(s string) string { return s },
		"json":           quote,
		"json twice":     func(s string) string { return quote(quote(s)) },
		"percent":        url.QueryEscape,
		"percent twice":  func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		"json, percent":  func(s string) string { return url.QueryEscape(quote(s)) },
		"base64":         func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64url":      func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"base64 in json": func(s string) string { return quote(`{"data":"` + base64.StdEncoding.EncodeToString([]byte(s)) + `"}`) },
		"base64 of json": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(quote(s))) },
		"full-width":     fullWidth,
	} {
		for _, secret := range []string{
			`{"user":"bob","password":"Tr0ub4dor-and-3"}`, "card 5555 5555 5555 4444 ok", "key " + awsKey + " leaked",
			"mail carol@corp.example now", "postgres://bob:Tr0ub4dor@db/x?a=b",
		} {
			in := "before " + encode(secret) + " after"
			out, _, _ := e.Text(in, nil)
			assert.NotEqual(t, in, out, "%s: %s", name, secret)
			assert.True(t, strings.HasPrefix(out, "before ") && strings.HasSuffix(out, " after"), "%s: %s", name, out)
			again, _, _ := e.Text(out, nil)
			assert.Equal(t, out, again, "%s: a second pass changes nothing", name)
		}
	}
}

func TestControlCharacters(t *testing.T) {
	e := newEngine(t)
	for in, want := range map[string]string{
		"a\r\nlevel=info forged":      `a\r\nlevel=info forged`,
		"a\x1b[2J\x1b]0;x\x07b":       `a\x1b[2J\x1b]0;x\x07b`,
		"a\u202eb\u2066c\u2069":       `a\u202eb\u2066c\u2069`,
		"a\u2028b\u2029c":             `a\u2028b\u2029c`,
		"a\u009b31mb":                 `a\u009b31mb`,
		"a\x9b31mb":                   `a\x9b31mb`,
		"tab\tstays, \u200d stays, ü": "tab\tstays, \u200d stays, ü",
		"nul\x00del\x7f":              `nul\x00del\x7f`,
		"http://us\x7fe\u009br@host/": `http://us\x7fe\u009br@host/`, // what a detector consumes and leaves
	} {
		out, _, _ := e.Text(in, nil)
		assert.Equal(t, want, out)
		again, _, _ := e.Text(out, nil)
		assert.Equal(t, want, again)
	}
	off := newEngine(t, func(c *Config) { c.Rules = []Rule{{ID: "control", Action: "off"}} })
	out, _, _ := off.Text("two\nlines", nil)
	require.Equal(t, "two\nlines", out)
}
