// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
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
			sl := rl.ScopeLogs().AppendEmpty()
			lr := sl.LogRecords().AppendEmpty()
			lr.Attributes().PutStr(seal.IDKey, "abcdefgh-1")
			r := recordOf(t, rl, sl, lr)
			var a assumption
			a.note(&r, &usual)
			assert.Equal(t, tt.again, a.wrong(tt.policy, &usual))
			under, want := r.Digest(&usual), r.Digest(tt.policy)
			if !tt.again {
				assert.Equal(t, want, under)
			}
		})
	}
}

func recordOf(t *testing.T, rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord) (r canonical.Record) {
	var h canonical.Hasher
	source, err := h.SourceEncoding(rl, sl, &seal.Policy{})
	require.NoError(t, err)
	r.Source = &canonical.Source{Encoding: bytes.Clone(source)}
	digest := seal.Hash(sha256.Sum256(source))
	r.Canonical, err = h.Canonical(&digest, lr, &seal.Policy{})
	require.NoError(t, err)
	r.Attributes = canonical.AttributesAt(r.Canonical)
	return r
}
