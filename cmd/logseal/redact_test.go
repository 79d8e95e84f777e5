// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedactCommand(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	policy := file("agent.yaml", `
receivers: {otlp: {endpoint: "${env:NOT_SET_HERE}"}}
processors:
  redact:
    packs: [pci]
    rules: [{id: account, regex: 'ACCT-\d{8}', action: mask}]
`)
	none := file("none.yaml", "processors: {batch: {}}\n")
	wrong := file("wrong.yaml", "processors: {redact: {rules: [{id: pan, action: seal}]}}\n")

	for _, tt := range []struct {
		name, in     string
		args         []string
		out, errPart string
		code         int
	}{
		{"default", "card 4111 1111 1111 1111\nplain\n", nil, "card [REDACTED:pan]\nplain\n", "", 0},
		{"no newline at the end", "password=hunter22", nil, "password=[REDACTED:password]", "", 0},
		{"line endings are kept", "a\r\npassword=hunter22\r\n", nil, "a\r\npassword=[REDACTED:password]\r\n", "", 0},
		{"invalid bytes", "x\xff password=\xff\xfehunter2 y\n", nil, "x\xff password=[REDACTED:password] y\n", "", 0},
		{"control characters", "a\x1b[31mb\n", nil, "a\\x1b[31mb\n", "", 0},
		{"explain", "one\ndb_password=Qz8kLm2Vx7Rt\n", []string{"--explain"}, "password\tline 2\tcolumn 13\tmask\t12 bytes: letters, digits\tit stands behind a name with the word \"password\"\n", "", 0},
		{"audit", "one\ncard 4111 1111 1111 1111\n", []string{"--audit"}, "pan\tline 2\tcolumn 6\n", "", 0},
		{"stats", "card 4111 1111 1111 1111\n", []string{"--stats"}, "card [REDACTED:pan]\n", "pan", 0},
		{"policy", "password=hunter22 ACCT-12345678\n", []string{"--config", policy}, "password=hunter22 [REDACTED:account]\n", "", 0},
		{"policy without redact", "x\n", []string{"--config", none}, "", "holds no redact", 2},
		{"wrong policy", "x\n", []string{"--config", wrong}, "", wrong + ": processors::redact: rules[0] (pan).action: seal", 2},
		{"no such policy", "x\n", []string{"--config", filepath.Join(dir, "absent")}, "", "absent", 2},
		{"an empty policy", "x\n", []string{"--config", ""}, "", "--config", 2},
		{"unknown flag", "x\n", []string{"--no"}, "", "unknown flag", 2},
		{
			"private key over several lines", "a\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEvQIBADANBg\nkqhkiG9w0=\n-----END RSA PRIVATE KEY-----\nb\n", nil,
			"a\n" + strings.Repeat("[REDACTED:private_key]\n", 2) + "\n" + strings.Repeat("[REDACTED:private_key]\n", 3) + "b\n", "", 0,
		},
		{"truncated private key", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n12:00 next line\n", nil, "[REDACTED:private_key]\n[REDACTED:private_key]\n12:00 next line\n", "", 0},
		{"a line over the limit", "a\n" + strings.Repeat("x", 1<<20) + " password=hunter22\nb\n", []string{"--stats"}, "a\n[REDACTED:limit]\nb\n", "value_bytes", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, errs, code := logseal(t, tt.in, append([]string{"redact"}, tt.args...)...)
			assert.Equal(t, tt.out, out)
			assert.Contains(t, errs, tt.errPart)
			assert.Equal(t, tt.code, code, "standard error: %s", errs)
			assert.NotContains(t, errs, "hunter2")
			assert.NotContains(t, strings.ReplaceAll(errs, dir, ""), "4111") // which a temporary folder may be called
		})
	}
}
