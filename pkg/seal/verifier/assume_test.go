// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Records that come before the open seal of their session are read again only where the usual policy was wrong for them: a
// gateway sends several requests at a time, and an archive on standard input can be read once.
func TestAssumedPolicy(t *testing.T) {
	usual, plain := seal.Usual(), seal.Policy{}
	other, err := seal.NewPolicy([]string{"k8s.*"}, nil)
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		client string // an attribute of the resource
		policy *seal.Policy
		again  bool
	}{
		{"the usual", "", &usual, false},
		{"the usual, from a gateway", "logseal.client.name", &usual, false},
		{"nothing is left out", "", &plain, false},
		{"nothing is left out, from a gateway", "logseal.client.name", &plain, true},
		{"another", "", &other, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logs := plog.NewLogs()
			rl := logs.ResourceLogs().AppendEmpty()
			if tt.client != "" {
				rl.Resource().Attributes().PutStr(tt.client, "web-3")
			}
			rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutStr(seal.IDKey, "abcdefgh-1")
			var h handle
			var under, want seal.Hash
			Observe(logs, finding.Place{}, func(o *Observed) {
				h.assume(o, &usual)
				under, want = o.Digest(&usual), o.Digest(tt.policy)
			})
			assert.Equal(t, tt.again, h.wrong(tt.policy, &usual))
			if !tt.again {
				assert.Equal(t, want, under)
			}
		})
	}
}
