// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// bystanders are words that stand behind a secret in a line and are none.
var bystanders = strings.Fields("ifname wlan0 hidden no yes name private ipv4.method auto retry after 30s on node worker-3 port 5432 zone eu-west-1 " +
	"level info status 200 by user bob in d t z h 42 rc=0 done file /var/log/app.log started attempts")

// TestRepeatsTakeNoMore puts ordinary words behind every line of testdata/lines and every rule's example. What is written in the place of
// a secret must not be taken for the name of another by the passes that follow: nothing is withheld, a second call changes nothing, and the words stay.
func TestRepeatsTakeNoMore(t *testing.T) {
	names, err := filepath.Glob("testdata/lines/*.txt")
	require.NoError(t, err)
	var texts []string
	for _, name := range names {
		for _, l := range readLines(t, name) {
			texts = append(texts, l.text)
		}
	}
	for _, r := range rules.All() {
		for _, x := range r.Gone {
			texts = append(texts, x.Text)
		}
	}
	e := newEngine(t)
	random := rand.New(rand.NewPCG(18, 1))
	words, kept := 0, 0
	for _, text := range texts {
		behind := make([]string, 5+random.IntN(4))
		for i := range behind {
			behind[i] = bystanders[random.IntN(len(bystanders))]
		}
		text += " " + strings.Join(behind, " ")
		rec := newTally()
		out, _, _ := e.Text(text, rec)
		assert.Empty(t, rec.failures, "%q", text)
		again, _, _ := e.Text(out, rec)
		assert.Equal(t, out, again, "%q", text)
		stay := 0
		for stay < len(behind) && strings.HasSuffix(out, " "+strings.Join(behind[len(behind)-stay-1:], " ")) {
			stay++
		}
		words, kept = words+len(behind), kept+stay
		if stay < len(behind) {
			t.Logf("%d of %d words stay: %q -> %q", stay, len(behind), text, out)
		}
	}
	t.Logf("%d texts, %d of %d words kept", len(texts), kept, words)
	assert.GreaterOrEqual(t, float64(kept), 0.98*float64(words), "words behind that are kept")
}
