// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/redact"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// commandForms are how the words of a command are written to logs.
var commandForms = map[string]func(words []string) string{
	"shell":           func(words []string) string { return strings.Join(words, " ") },
	"sudo":            func(words []string) string { return "USER=root ; COMMAND=/usr/bin/" + strings.Join(words, " ") },
	"sh -c":           func(words []string) string { return "sudo sh -c '" + strings.Join(words, " ") + "'" },
	"exec of a shell": func(words []string) string { return `exec: ["sh","-c","` + strings.Join(words, " ") + `"]` },
	"JSON":            func(words []string) string { return `{"argv":["` + strings.Join(words, `","`) + `"],"rc":0}` },
	"JSON in several lines": func(words []string) string {
		return "\"Cmd\": [\n    \"" + strings.Join(words, "\",\n    \"") + "\"\n]"
	},
	"docker": func(words []string) string {
		return `"Path":"` + words[0] + `","Args":["` + strings.Join(words[1:], `","`) + `"]`
	},
	"Python": func(words []string) string { return "run(['" + strings.Join(words, "', '") + "'])" },
	"Rust":   func(words []string) string { return `spawn "` + strings.Join(words, `" "`) + `"` },
	"strace": func(words []string) string {
		return `execve("/usr/bin/` + words[0] + `", ["` + strings.Join(words, `", "`) + `"], 0x7ffd /* 9 vars */) = 0`
	},
	"auditd":            audit,
	"auditd of a shell": func(words []string) string { return audit([]string{"sh", "-c", strings.Join(words, " ")}) },
}

// audit is the record of the audit daemon.
func audit(words []string) string {
	line := "type=EXECVE msg=audit(1764320441.120:812): argc=" + strconv.Itoa(len(words))
	for i, w := range words {
		line += ` a` + strconv.Itoa(i) + `="` + w + `"`
	}
	return line
}

// The password in every option of every client goes.
func TestEveryClient(t *testing.T) {
	e, err := redact.New(redact.DefaultConfig())
	require.NoError(t, err)
	const password = "kettle"
	for _, o := range rules.ClientOptions() {
		words := []string{o.Client}
		if o.Within != "" {
			words = append(words, strings.Fields(o.Within)[0])
		}
		for form, write := range commandForms {
			if o.Joined {
				text := write(append(append([]string{}, words...), o.Option+o.User+password, "h"))
				out, _, _ := e.Text(text, nil)
				assert.NotContains(t, out, password, form)
			}
			if o.Next {
				text := write(append(append([]string{}, words...), o.Option, o.User+password, "h"))
				out, _, _ := e.Text(text, nil)
				assert.NotContains(t, out, password, form)
			}
		}
	}
}
