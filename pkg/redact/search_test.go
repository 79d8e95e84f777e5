// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The search takes eight bytes at a time and looks at the step's neighbours. What it leads to is found wherever it lies in its
// steps, and however near to the start and the end of the text.
func TestSearchAtEveryOffset(t *testing.T) {
	e := newEngine(t)
	for _, secret := range []string{
		"AKIAIOSFODNN7EXAMPLE", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", pan, "4111 1111 1111 1111", "3782 822463 10005",
		"555-123-4567", "020 7946 0958", "536-22-8726", "DE89370400440532013000", "a@b.cc", "bearer q7Zp2mW9xT4vK8sB",
	} {
		for _, filler := range []string{"x", "2026:", "(", "\n", "=/", "é"} {
			for before := range 30 {
				for after := range 30 {
					text := strings.Repeat(filler, before) + " \"" + secret + "\" " + strings.Repeat(filler, after)
					out, _, _ := e.Text(text, nil)
					assert.NotContains(t, out, secret, "%q", text)
				}
			}
		}
	}
}

// A custom rule is not blind where a detector has been before it.
func TestCustomLiteralInConsumedText(t *testing.T) {
	e := newEngine(t, func(c *Config) {
		c.Rules = append(c.Rules, Rule{ID: "order", Regex: `4711-\d+-[a-z]+`}, Rule{ID: "ref", Regex: `22-REF-[a-z]+`})
	})
	for _, text := range []string{"order 4711-22-abc ok", "order 4711-22-abc", "to 0141 496 4711 2222-REF-abc ok"} {
		out, _, _ := e.Text(text, nil)
		assert.NotContains(t, out, "-abc")
	}
}
