// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var PrivateKey = newID("private_key")

var _ = register(PrivateKey, Rule{
	Pack:      Secrets,
	Runs:      true,
	Detectors: []*Detector{{Extra: 16, At: literals("-----begin", "---- begin", "age-secret-key-1", "putty-user-key-file"), Find: detectPEM}, jwks, xmlKeys},
	Gone: []Example{
		{"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg", "MIIEvQIBADANBg"},
		{"x -----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY----- y", "MIIEpAIBAAKCAQEA"},
		{"\"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJ", "MHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJ"},
		{"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAAIHn2ZwqT8e3aF0kC5r", "AAAAIHn2ZwqT8e3aF0kC5r"},
		{"app: MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"},
		{`{"kty":"oct","k":"wt3uDOBbc6y6u0i7pHZT_-_1k2T6F5b4zOcTcqQiusA","alg":"HS256"}`, "wt3uDOBbc6y6u0i7pHZT"},
		{"<RSAKeyValue><Exponent>AQAB</Exponent><D>9Wm3Qx6Zr1Lp8Nv5Bc2Hd7Kk4==</D></RSAKeyValue>", "9Wm3Qx6Zr1Lp8Nv5Bc2Hd7Kk4"},
		{"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQP", "QQQQQQQQQQ"},
	},
	Stay: []string{
		"<RSAKeyValue><Modulus>yHhb5Gmw9c0pQ2d7</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>",
		`{"kty":"EC","crv":"P-256","kid":"7"}`, `{"kty":"RSA","n":"0vx7agoebGcQ","e":"AQAB"}`,
		"-----BEGIN CERTIFICATE-----MIIB", "-----BEGIN PUBLIC KEY-----",
		"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgO", "MIIDXTCCAkWgAwIBAgIJAKL0UG+mRkSPMA0GCSqGSIb3DQEBCwUAMEUxCzAJBgNV",
	},
	Takes:       "PEM, PGP, SSH, PuTTY, OpenVPN, age, the secret members of a JWK and of a key of .NET in XML; line by line, also as records of their own, behind syslog headers, names of containers, numbers, colours and the like; PKCS #1, PKCS #8, SEC 1 and OpenSSH without the BEGIN line",
	ValidatedBy: "the BEGIN line says PRIVATE KEY; goes to END, or to the end of the string or the lines that look like a key's",
	Misses:      "the rest of a key whose lines come by other ways, or out of order (see \"A key in lines\")",
	Source:      "RFC 7468, RFC 5958, RFC 9580, RFC 7517; OpenSSH, PuTTY, OpenVPN and age",
})

// keyMemo says of which marks of an END none stands behind a place.
type keyMemo struct{ noEnd, noEndSSH2, noMAC bool }

// detectPEM examines the start of a private key. The key ends with its END line; without one with the string, or the lines, that it is in.
func detectPEM(c *Context, _ ID, i int) int {
	s := c.S
	mark, missing := endMarks[0], &c.memo.key.noEnd
	switch {
	case ascii.HasPrefixFold(s, i, "age-secret-key-1"):
		end := c.span(i+len("age-secret-key-1"), ascii.Alnum)
		if end-i < 50 {
			return 0
		}
		c.Offer(PrivateKey, i, end)
		return end
	case ascii.HasPrefixFold(s, i, "putty-user-key-file"):
		mark, missing = "private-mac:", &c.memo.key.noMAC
	default:
		c.Charge(costOfLabel)
		if !keyLabel(s[i:min(len(s), i+48)]) {
			return 0
		}
	}
	if ascii.HasPrefixFold(s, i, "---- ") {
		mark, missing = endMarks[1], &c.memo.key.noEndSSH2
	}
	if !*missing {
		if k := ascii.IndexFold(s[i+10:], mark); k >= 0 {
			end := endLine(s, i+10+k+len(mark))
			c.Offer(PrivateKey, i, end)
			return end
		}
		*missing = true
	}
	c.Charge(costOfList)
	end := c.openEnd(i)
	c.Offer(PrivateKey, i, end)
	return end
}

// keyLabel reports whether the line of a label is about a private key, or a static one.
func keyLabel(label string) bool {
	for k := range len(label) {
		switch label[k] {
		case '\r', '\n', '\\':
			return false
		case 'y', 'Y':
			if ascii.HasSuffixFold(label, k+1, "private key") || ascii.HasSuffixFold(label, k+1, "static key") {
				return true
			}
		}
	}
	return false
}

// openEnd returns the end of a key at i that has no END line: the quote that closes the string that it stands in, or the last line that
// belongs to it.
func (c *Context) openEnd(i int) int {
	s := c.S
	start := max(0, i-maxKeyPrefix)
	start += strings.LastIndexByte(s[start:i], '\n') + 1
	last := lineEnd(s, i) // of the key, as far as is known
	next, end := last, len(s)
	if strings.Count(s[start:i], "\"")%2 == 1 {
		if k := strings.IndexByte(s[i:], '"'); k >= 0 {
			c.look(k)
			quote := i + k
			for s[quote-1] == '\\' {
				quote--
			}
			if quote < last {
				last = quote
			} else {
				end = quote
			}
		}
	}
	k := KeyLines{prefix: s[start:i]}
	for open := true; open && next < end; {
		next = ascii.Span(s, next, ascii.Space)
		line := i + strings.LastIndexAny(s[i:next], "\r\n") + 1
		next = min(lineEnd(s, next), end)
		c.weigh(next - line)
		var from, to int
		if from, to, open = k.Next(s[min(line, next):next]); to > from {
			last = line + to
		}
	}
	return last
}

// keyWithoutBegin reports whether the run s[start:end] is a private key, or the first line of one, without the line that says so.
func (c *Context) keyWithoutBegin(start, end int) bool {
	if !derKey(c.S[start:end]) {
		return false
	}
	c.Offer(PrivateKey, start, end)
	return true
}
