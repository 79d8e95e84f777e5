// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var PrivateKey = newID("private_key")

var _ = register(PrivateKey, Rule{
	Pack:      Secrets,
	Detectors: []*Detector{{At: literals("-----begin", "---- begin", "age-secret-key-1", "putty-user-key-file"), Find: detectPEM}},
	Gone: []Example{
		{"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg", "MIIEvQIBADANBg"},
		{"x -----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY----- y", "MIIEpAIBAAKCAQEA"},
		{"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQP", "QQQQQQQQQQ"},
	},
	Stay:        []string{"-----BEGIN CERTIFICATE-----MIIB", "-----BEGIN PUBLIC KEY-----"},
	Takes:       "PEM, PGP, SSH, PuTTY, age",
	ValidatedBy: "the BEGIN line says PRIVATE KEY; goes to END or the end of the text",
	Misses:      "a key whose lines arrive as separate records: join them in the receiver (`multiline`); `logseal redact` follows them",
	Source:      "RFC 7468, RFC 9580; OpenSSH, PuTTY and age",
})

// detectPEM examines the start of a private key. The key ends with its END line; without one it ends with the text.
func detectPEM(c *Context, _ ID, i int) int {
	s := c.S
	switch {
	case ascii.HasPrefixFold(s, i, "age-secret-key-1"):
		end := ascii.Span(s, i+len("age-secret-key-1"), ascii.Alnum)
		if end-i < 50 {
			return 0
		}
		c.Offer(PrivateKey, i, end)
		return end
	case ascii.HasPrefixFold(s, i, "putty-user-key-file"):
		end := len(s)
		if k := strings.Index(s[i:], "Private-MAC:"); k >= 0 {
			end = i + k
		}
		c.Offer(PrivateKey, i, end)
		return end
	}
	c.Charge(costOfValue)
	label := s[i:min(len(s), i+48)]
	if k := strings.IndexAny(label, "\r\n\\"); k >= 0 {
		label = label[:k]
	}
	if !ascii.ContainsFold(label, "private key") {
		return 0
	}
	end := len(s)
	if k := ascii.IndexFold(s[i+10:], "-end "); k >= 0 {
		end = i + 10 + k + len("-end ")
		// The END line: its label, then dashes.
		for end < len(s) && (ascii.Class[s[end]]&ascii.Alnum != 0 || s[end] == ' ') {
			end++
		}
		for ascii.At(s, end) == '-' {
			end++
		}
	}
	c.Offer(PrivateKey, i, end)
	return end
}
