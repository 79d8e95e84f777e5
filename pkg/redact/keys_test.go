// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// keyFiles are files with private keys as programs write them.
func keyFiles(t testing.TB) map[string]string {
	random := func(n, width int) string {
		b := make([]byte, n)
		_, err := rand.Read(b)
		require.NoError(t, err)
		s, lines := base64.StdEncoding.EncodeToString(b), ""
		for len(s) > width {
			lines, s = lines+s[:width]+"\n", s[width:]
		}
		return lines + s
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block := func(label string, der []byte, err error) string {
		require.NoError(t, err)
		return strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})))
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	require.NoError(t, err)
	ed, err := x509.MarshalPKCS8PrivateKey(edKey)
	require.NoError(t, err)
	hexLines := ""
	for range 16 {
		b := make([]byte, 16)
		_, err := rand.Read(b)
		require.NoError(t, err)
		hexLines += fmt.Sprintf("%x\n", b)
	}
	return map[string]string{
		"PKCS #1":           block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil),
		"PKCS #8":           block("PRIVATE KEY", pkcs8, nil),
		"SEC 1":             block("EC PRIVATE KEY", sec1, nil),
		"Ed25519":           block("PRIVATE KEY", ed, nil),
		"encrypted":         "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0A1B2C3D4E5F60718293A4B5C6D7E8F9\n\n" + random(600, 64) + "\n-----END RSA PRIVATE KEY-----",
		"letters last":      "-----BEGIN PRIVATE KEY-----\n" + random(48*9, 64) + "\nQkuXciqBuNceZCxudVAEzYLO\n-----END PRIVATE KEY-----",
		"PKCS #8 encrypted": "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + random(700, 64) + "\n-----END ENCRYPTED PRIVATE KEY-----",
		"DSA":               "-----BEGIN DSA PRIVATE KEY-----\n" + random(440, 64) + "\n-----END DSA PRIVATE KEY-----",
		"OpenSSH":           "-----BEGIN OPENSSH PRIVATE KEY-----\n" + random(390, 70) + "\n-----END OPENSSH PRIVATE KEY-----",
		"SSH2":              "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"eve\"\n" + random(390, 70) + "\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
		"OpenPGP":           "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n" + random(800, 64) + "\n=aB3d\n-----END PGP PRIVATE KEY BLOCK-----",
		"OpenVPN":           "-----BEGIN OpenVPN Static key V1-----\n" + hexLines + "-----END OpenVPN Static key V1-----",
		"PuTTY": "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: eve\nPublic-Lines: 6\n" + random(270, 64) + "\nPrivate-Lines: 14\n" + random(640, 64) +
			"\nPrivate-MAC: 6f1c4b8e2d3a5f7091b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718",
	}
}

// keyWriters are how the lines of a key stand in a log: what each writes line n as.
var keyWriters = map[string]func(n int, line string) string{
	"plain":    func(_ int, l string) string { return l },
	"indented": func(_ int, l string) string { return "    " + l },
	"syslog":   func(n int, l string) string { return fmt.Sprintf("Nov 23 04:17:%02d web-7 app[4711]: %s", n%60, l) },
	"compose":  func(_ int, l string) string { return "app_1  | " + l },
	"colours":  func(_ int, l string) string { return "\x1b[32mapp_1  |\x1b[0m " + l },
	"cited":    func(_ int, l string) string { return "> " + l },
	"cat -n":   func(n int, l string) string { return fmt.Sprintf("%6d\t%s", n+1, l) },
	"grep -n":  func(n int, l string) string { return fmt.Sprintf("etc/tls.pem:%d:%s", n+1, l) },
	"JSON of Docker": func(n int, l string) string {
		b, _ := json.Marshal(map[string]string{"log": l + "\n", "stream": "stdout", "time": fmt.Sprintf("2026-11-23T04:10:%02d.%dZ", n%60, 1000+n*7)})
		return string(b)
	},
	"JSON, time first": func(n int, l string) string {
		return fmt.Sprintf(`{"ts":"2026-11-23T04:10:%02d.%03dZ","level":"info","msg":%q}`, n%60, n, l)
	},
	"CRI": func(n int, l string) string {
		return fmt.Sprintf("2026-11-23T04:10:55.%dZ stdout F %s", 100000000+n, l)
	},
	"timestamp": func(n int, l string) string {
		return fmt.Sprintf("2026-11-23 04:10:%02d,%03d DEBUG c.e.Tls - %s", n%60, n, l)
	},
	"klog": func(n int, l string) string {
		return fmt.Sprintf("I1123 04:10:55.%06d       1 tls.go:114] %s", 918211+n, l)
	},
	"rfc5424": func(n int, l string) string {
		return fmt.Sprintf("<14>1 2026-11-23T04:10:%02d.%03dZ web-7 app 4711 - - %s", n%60, n, l)
	},
	"journal other pid": func(n int, l string) string { return fmt.Sprintf("Nov 23 04:17:02 web-7 sh[%d]: %s", 99+n, l) },
	"kubectl prefix":    func(n int, l string) string { return "[pod/web-5d78c9869d-x2k4p/app] " + l },
	"logfmt": func(n int, l string) string {
		return fmt.Sprintf(`time=2026-11-23T04:10:%02dZ level=info msg="%s"`, n%60, strings.ReplaceAll(l, `"`, `\"`))
	},
	"logfmt bare": func(n int, l string) string { return fmt.Sprintf(`ts=%d.%d level=info line=%s`, 1763871055+n, n, l) },
	"json in json": func(n int, l string) string {
		a, _ := json.Marshal(map[string]string{"msg": l})
		b, _ := json.Marshal(map[string]string{"log": string(a) + "\n"})
		return string(b)
	},
	"logstash": func(n int, l string) string {
		a, _ := json.Marshal(map[string]any{"@timestamp": fmt.Sprintf("2026-11-23T04:10:%02dZ", n%60), "@version": "1", "message": l, "host": "web-7"})
		return string(a)
	},
	"diff":      func(n int, l string) string { return "+" + l },
	"comment":   func(n int, l string) string { return "# " + l },
	"python":    func(n int, l string) string { return "'" + l + "\\n'" },
	"go string": func(n int, l string) string { return "\t\"" + l + "\\n\" +" },
	"crlf":      func(n int, l string) string { return l + "\r" },
	"clock":     func(n int, l string) string { return fmt.Sprintf("[04:17:%02d] %s", n%60, l) },
	"thread": func(n int, l string) string {
		return fmt.Sprintf("2026-11-23 04:10:%02d,%03d [http-nio-8080-exec-%d] INFO  Tls : %s", n%60, n, n%12, l)
	},
	"xml":             func(n int, l string) string { return fmt.Sprintf(`<line n="%d">%s</line>`, n, l) },
	"colour whole":    func(n int, l string) string { return "\x1b[90m" + l + "\x1b[0m" },
	"table":           func(n int, l string) string { return fmt.Sprintf("| %3d | %-64s |", n, l) },
	"trailing":        func(n int, l string) string { return "web  | " + l + "   " },
	"durations":       func(n int, l string) string { return fmt.Sprintf("[%12.6f] tls: %s", 742.1+float64(n)*3.7, l) },
	"yaml":            func(n int, l string) string { return "      " + l },
	"windows":         func(n int, l string) string { return fmt.Sprintf("2026-11-23 04:10:%02d\tINFO\tSchannel\t%s", n%60, l) },
	"less":            func(n int, l string) string { return l + "^M" },
	"rsyslog escapes": func(n int, l string) string { return fmt.Sprintf("Nov 23 04:17:%02d h app: %s#015", n%60, l) },
}

// keySecrets are the lines of a file that must not be left.
func keySecrets(file string) (secrets []string) {
	for l := range strings.SplitSeq(file, "\n") {
		if len(l) > 16 && !strings.ContainsAny(l, " :") {
			secrets = append(secrets, l)
		}
	}
	return secrets
}

func TestKeysInLines(t *testing.T) {
	e := newEngine(t)
	for kind, file := range keyFiles(t) {
		lines := strings.Split(file, "\n")
		secrets := keySecrets(file)
		require.NotEmpty(t, secrets, kind)
		for writer, write := range keyWriters {
			name := kind + ", " + writer
			var written []string
			for n, l := range lines {
				written = append(written, write(n, l))
			}
			before, after := write(97, "loading the key"), write(98, "key loaded, 3 hosts")
			all := append(append([]string{before}, written...), after)

			check := func(how, out string) {
				for _, s := range secrets {
					assert.NotContains(t, out, s, "%s, %s", how, name)
				}
				assert.Contains(t, out, "loading the key", "%s, %s", how, name)
				assert.Contains(t, out, "key loaded, 3 hosts", "%s, %s", how, name)
			}
			var out strings.Builder
			s := Stream{Engine: e}
			require.NoError(t, s.Copy(&out, strings.NewReader(strings.Join(all, "\n")+"\n")))
			check("line by line", out.String())
			if writer == "syslog" || writer == "JSON of Docker" {
				assert.Equal(t, len(all), strings.Count(out.String(), write(0, "x")[:8]), "what stands before the lines stays")
			}

			text, _, _ := e.Text(strings.Join(all, "\n"), nil)
			check("one text", text)

			ld := recordsOf("app", all...)
			e.Logs(ld, nil)
			check("records", everything(ld))

			// A batch for each line, between those of another stream.
			joined := ""
			for _, l := range all {
				ld := recordsOf("other", "GET /healthz 200", "MIIE")
				recordsOf("app", l).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
				e.Logs(ld, nil)
				joined += everything(ld)
			}
			check("batches", joined)
			assert.Equal(t, len(all), strings.Count(joined, "MIIE"), "another stream is left alone")
		}
	}
	assert.Zero(t, e.keys.n.Load(), "every key has ended")
}

// recordsOf makes records of a resource with these bodies.
func recordsOf(service string, bodies ...string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", service)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, b := range bodies {
		records.AppendEmpty().Body().SetStr(b)
	}
	return ld
}

// Lines of others between those of a key neither end it nor are taken for it.
func TestKeyBetweenOthers(t *testing.T) {
	e := newEngine(t)
	file := keyFiles(t)["PKCS #8"]
	var in, others []string
	for n, l := range strings.Split(file, "\n") {
		in = append(in, "app_1  | "+l)
		if n%3 == 1 {
			other := fmt.Sprintf("db_1   | 2026-11-23 04:10:55 LOG:  checkpoint %d complete", n)
			in, others = append(in, other), append(others, other)
		}
	}
	var out strings.Builder
	s := Stream{Engine: e}
	require.NoError(t, s.Copy(&out, strings.NewReader(strings.Join(in, "\n"))))
	for _, l := range keySecrets(file) {
		assert.NotContains(t, out.String(), l)
	}
	for _, l := range others {
		assert.Contains(t, out.String(), l)
	}
}

// A key that is cut off ends with the first line of the same writer that is none of its.
func TestKeyCutOff(t *testing.T) {
	e := newEngine(t)
	for _, prefix := range []string{"", "app_1  | ", "Nov 23 04:17:02 web-7 app[4711]: "} {
		in := []string{prefix + "-----BEGIN PRIVATE KEY-----", prefix + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", prefix + "started in 17 ms", prefix + "done", prefix + "abcd1234"}
		ld := recordsOf("app", in...)
		e.Logs(ld, nil)
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		assert.NotContains(t, everything(ld), "MIIEvQ")
		for i := 2; i < len(in); i++ {
			assert.Equal(t, in[i], records.At(i).Body().Str())
		}
	}
	assert.Zero(t, e.keys.n.Load())
}

// Values of a body or of attributes are followed by their names, and files of one resource apart.
func TestKeysInAttributes(t *testing.T) {
	e := newEngine(t)
	file := keyFiles(t)["SEC 1"]
	out := ""
	for _, l := range append(strings.Split(file, "\n"), "ready") {
		ld := recordsOf("app", "x")
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		records.At(0).Attributes().PutStr("log.file.path", "/var/log/a.log")
		records.At(0).Attributes().PutStr("msg", l)
		records.At(0).Attributes().PutStr("status", "ok")
		b := records.AppendEmpty()
		b.Attributes().PutStr("log.file.path", "/var/log/b.log")
		b.Body().SetEmptyMap().PutStr("message", l)
		other := records.AppendEmpty()
		other.Attributes().PutStr("log.file.path", "/var/log/c.log")
		other.Attributes().PutStr("msg", "abcd")
		e.Logs(ld, nil)
		out += everything(ld)
	}
	for _, l := range keySecrets(file) {
		assert.NotContains(t, out, l)
	}
	n := strings.Count(file, "\n") + 2
	assert.Equal(t, n, strings.Count(out, "abcd"))
	assert.Equal(t, n, strings.Count(out, "ok"))
	assert.Equal(t, 2, strings.Count(out, "ready"))
}

// Many streams may be in the middle of a key, from many goroutines, and no more than so many are remembered.
func TestOpenKeysAreBounded(t *testing.T) {
	e := newEngine(t)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range maxOpenKeys {
				e.Logs(recordsOf(fmt.Sprint(g, n), "-----BEGIN PRIVATE KEY-----"), nil)
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, e.keys.n.Load(), int64(maxOpenKeys))
	assert.LessOrEqual(t, len(e.keys.order), 2*maxOpenKeys)
	ld := recordsOf("fresh", "-----BEGIN PRIVATE KEY-----", "c2VjcmV0IGtleSBtYXRlcmlhbA==")
	e.Logs(ld, nil)
	assert.NotContains(t, everything(ld), "c2VjcmV0")
}

// With the rule off, or in audit mode, nothing is taken.
func TestKeysNotTaken(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Rules = []Rule{{ID: "private_key", Action: "off"}} },
		func(c *Config) { c.Mode = ModeAudit },
	} {
		e := newEngine(t, change)
		ld := recordsOf("app", "-----BEGIN PRIVATE KEY-----", "c2VjcmV0IGtleSBtYXRlcmlhbA==")
		before := everything(ld)
		e.Logs(ld, nil)
		assert.Equal(t, before, everything(ld))
	}
}
