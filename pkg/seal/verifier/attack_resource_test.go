// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// TestAttackExcludedResource: a gateway that enriches resources alters their records, unless the stream says beforehand which
// resource attributes do not count; and then nothing but those, and none of the record's own.
func TestAttackExcludedResource(t *testing.T) {
	var err error
	h := newHost(t, "web-17")
	h.policy, err = seal.NewPolicy(nil, []string{"cloud.*", "region"})
	require.NoError(t, err)
	h.start().send(20).seal().send(20).stop()
	const attributes = `"resource":{"attributes":[`
	add := func(a *lines, i int, key string) {
		a.replace(t, i, attributes, attributes+`{"key":"`+key+`","value":{"stringValue":"x"}},`)
	}
	a := h.archive.clone()
	for n := range 40 {
		add(a, a.record(t, n), []string{"region", "cloud.account", "cloud."}[n%3])
	}
	report := a.verify(t, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, 40, report.Verified)
	require.Equal(t, []string{"resource cloud.*", "resource region"}, report.Streams[0].Excluded)

	t.Run("records before the seal that says what does not count", func(t *testing.T) {
		reversed := a.clone()
		slices.Reverse(reversed.list)
		require.Equal(t, finding.OK, reversed.verify(t, h.trust).Verdict)
	})
	t.Run("as pdata", func(t *testing.T) {
		v := verifier.New([]seal.Trust{h.trust})
		for n, line := range a.list {
			ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
			require.NoError(t, err)
			v.AddLogs(ld, finding.Place{File: "pdata", Line: n + 1})
		}
		report, err := v.Finish(time.Time{})
		require.NoError(t, err)
		require.Equal(t, finding.OK, report.Verdict, show(report))
	})
	for _, key := range []string{"regions", "cloud", "logseal.id", "host.region"} {
		t.Run("resource attribute "+key, func(t *testing.T) {
			b := h.archive.clone()
			i := b.record(t, 3)
			add(b, i, key)
			report := b.verify(t, h.trust)
			require.Equal(t, finding.Tampered, report.Verdict, show(report))
		})
	}
	t.Run("the record's own attribute of that name", func(t *testing.T) {
		b := h.archive.clone()
		i := b.record(t, 3)
		b.replace(t, i, `"attributes":[{"key":"k8s.pod"`, `"attributes":[{"key":"region","value":{"stringValue":"x"}},{"key":"k8s.pod"`)
		require.True(t, names(b.verify(t, h.trust), b.id(t, i), finding.Altered, finding.Unresolved))
	})
	t.Run("an excluded attribute taken away", func(t *testing.T) {
		b := a.clone()
		i := b.record(t, 3) // 3 % 3 is 0: region
		b.replace(t, i, `{"key":"region","value":{"stringValue":"x"}},`, "")
		require.Equal(t, finding.OK, b.verify(t, h.trust).Verdict)
	})
}
