// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var ruleWebhook = newID("webhook")

var _ = register(ruleWebhook, Rule{
	Pack:      Secrets,
	Detectors: []*Detector{{Extra: 8, At: literals("hooks.", "webhook", "api.telegram.org/bot"), Find: detectWebhook}},
	Gone: []Example{
		{"https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"},
	},
	Stay:        []string{"GET hooks.slack.com/docs/about", "webhook delivered"},
	Takes:       "Slack, Teams, Discord, Zapier, Telegram addresses",
	ValidatedBy: "20 characters of path with letters and digits",
	Misses:      "webhooks of other services",
	Source:      "the services' documentation",
})

const (
	minHookPath = 20
	minZapPath  = 10 // an account's number and a short name
)

const zapHost = "hooks.zapier.com/hooks/catch/"

// hookHosts are what leads to the path of an address that is itself the credential.
var hookHosts = []string{
	"hooks.slack.com/", zapHost, "hooks.airtable.com/", "hooks.chime.aws/", "webhook.office.com/", "webhook.site/",
	"webhook/", "webhooks/", "webhookb2/", "api.telegram.org/bot",
}

// hookPath are the characters of such a path.
var hookPath = func() (t [256]bool) {
	for b := range 256 {
		t[b] = ascii.Class[b]&(ascii.Ident|ascii.Run) != 0 || strings.IndexByte("@%?&:~", byte(b)) >= 0
	}
	return t
}()

// detectWebhook examines an address that is itself the credential: the path is redacted.
func detectWebhook(c *Context, _ ID, i int) int {
	s := c.S
	if i < c.memo.url.plainPath {
		return 0
	}
	start, shortest := 0, minHookPath
	for _, p := range hookHosts {
		if ascii.HasPrefixFold(s, i, p) {
			start = i + len(p)
			if p == zapHost {
				shortest = minZapPath
			}
			break
		}
	}
	if start == 0 {
		return 0
	}
	end := start
	for end < len(s) && hookPath[s[end]] {
		end++
	}
	if !Mixed(s[start:end]) {
		c.memo.url.plainPath = end
		return 0
	}
	if end-start < shortest {
		return 0
	}
	c.Offer(ruleWebhook, start, end)
	return end
}
