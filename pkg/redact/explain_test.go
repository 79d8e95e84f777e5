// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// An explanation names the rule, the action and the reason, and holds nothing of the text.
func TestExplain(t *testing.T) {
	e := newEngine(t, func(c *Config) { c.Rules = []Rule{{ID: "account", Regex: `ACCT-\d{8}`}} })
	for text, want := range map[string]Explanation{
		"x_hunter9y_password=Qz8kLm2Vx7Rt ok":      {"password", "mask", "12 bytes: letters, digits", `it stands behind a name with the word "password"`},
		"paid 4111 1111 1111 1111":                 {"pan", "mask", "19 bytes: digits, spaces", "its form; checked: issuer range"},
		"ACCT-12345678":                            {"account", "mask", "13 bytes: letters, digits, other ASCII", "the regular expression of the configuration matches"},
		"npm_0123456789abcdefghijABCDEFGHIJ012345": {"vendor_token", "mask", "40 bytes: letters, digits, other ASCII", "it begins as tokens of npm do; checked: prefix"},
		"curl -u bob:Qz8kLm2Vx7Rt https://h/":      {"password", "mask", "12 bytes: letters, digits", "its place: "},
		"x cGFzc3dvcmQ9UXo4a0xtMlZ4N1J0IGI9Yw== y": {"password", "mask", "36 bytes: letters, digits, other ASCII", "it is base64, and in it: it stands behind a name with the word \"password\""},
	} {
		_, matches, _ := e.Text(text, nil)
		require.Len(t, matches, 1, text)
		got := e.Explain(text, matches[0])
		assert.True(t, strings.HasPrefix(got.Why, want.Why), got.Why)
		got.Why = want.Why
		assert.Equal(t, want, got)
	}
	texts := []string{}
	for _, tt := range adversarial {
		texts = append(texts, tt.in)
	}
	for _, r := range rules.All() {
		for _, x := range r.Gone {
			texts = append(texts, x.Text)
		}
	}
	e = everyRule(t)
	for _, text := range texts {
		_, matches, _ := e.Text(text, nil)
		for _, m := range matches {
			x := e.Explain(text, m)
			if value := text[m.Start:m.End]; len(value) > 5 {
				assert.NotContains(t, x.Shape+x.Why, value)
			}
			assert.NotEmpty(t, x.Why)
			assert.Equal(t, m.Rule, x.Rule)
		}
	}
}
