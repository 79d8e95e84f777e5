// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
)

// TestRecordDigests: a record's digest under any policy, of the one encoding with everything in it, is what a host computes that leaves things out
// from the start. Records of one source share what was computed of it, whoever asks first, and several goroutines at once.
func TestRecordDigests(t *testing.T) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	rl.Resource().Attributes().PutStr("logseal.client.name", "gateway-3")
	rl.Resource().Attributes().PutStr("k8s.pod", "a")
	sl := rl.ScopeLogs().AppendEmpty()
	for i := range 4 {
		lr := sl.LogRecords().AppendEmpty()
		lr.Body().SetInt(int64(i))
		lr.Attributes().PutStr("k8s.pod", "a")
		if i%2 == 0 {
			lr.Attributes().PutStr("logseal.client.serial", "7")
			lr.Attributes().PutEmptyMap("m").PutEmptySlice("s").AppendEmpty().SetBool(true)
		}
	}
	usual := seal.Usual()
	var policies []*seal.Policy
	for _, names := range [][2][]string{{}, {{"k8s.*"}, nil}, {nil, {"k8s.*"}}, {{"k8s.*", "m"}, {"host.name", "logseal.client.*"}}, {{"none"}, {"none"}}} {
		policy, err := seal.NewPolicy(names[0], names[1])
		require.NoError(t, err)
		policies = append(policies, &policy)
	}
	policies = append(policies, &usual)

	var h Hasher
	encoding, err := h.SourceEncoding(rl, sl, &seal.Policy{})
	require.NoError(t, err)
	source := &Source{Encoding: bytes.Clone(encoding)}
	digest := seal.Hash(sha256.Sum256(source.Encoding))
	var records []Record
	for _, lr := range sl.LogRecords().All() {
		b, err := h.Canonical(&digest, lr, &seal.Policy{})
		require.NoError(t, err)
		records = append(records, Record{Canonical: bytes.Clone(b), Attributes: AttributesAt(b), Source: source})
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			var h Hasher
			for n := range 3 * len(policies) {
				policy := policies[(n+worker)%len(policies)]
				under, err := h.Source(rl, sl, policy)
				if !assert.NoError(t, err) {
					return
				}
				for i := range records {
					want, err := h.Record(&under, sl.LogRecords().At(i), policy)
					assert.NoError(t, err)
					assert.Equal(t, want, records[i].Digest(policy), "record %d without %v and %v", i, policy.Names(), policy.ResourceNames())
					covered := records[i].Without(policy)
					assert.False(t, covered.LeavesOut(policy))
					assert.Equal(t, want, covered.Digest(&seal.Policy{}), "what is covered of record %d", i)
				}
			}
		})
	}
	group.Wait()
}
