// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// outcome is what must not depend on the order of the lines.
type outcome struct {
	Verdict                       finding.Verdict
	Records, Verified, Duplicates uint64
	Counts                        map[finding.Code]uint64
	PostQuantum                   map[string]uint64
}

func outcomeOf(report *verifier.Report) outcome {
	o := outcome{report.Verdict, report.Records, report.Verified, report.Duplicates, map[finding.Code]uint64{}, map[string]uint64{}}
	for _, f := range report.Findings {
		o.Counts[f.Code] += f.Count
	}
	for _, s := range report.Streams {
		if s.Seals > 0 && s.NotPostQuantum == "" {
			o.PostQuantum[s.Name] = s.PostQuantum
		}
	}
	return o
}

// verifyWith verifies lines in memory.
func (l *lines) verifyWith(t *testing.T, v *verifier.Verifier, until time.Time) *verifier.Report {
	data := []byte(strings.Join(l.list, "\n") + "\n")
	for passes := 1; ; passes++ {
		require.Less(t, passes, 5)
		err := archive.Read(t.Context(), []string{archive.Stdin}, archive.Options{Stdin: bytes.NewReader(data)}, func(o *verifier.Observed) error {
			v.Add(o)
			return nil
		})
		require.NoError(t, err)
		report, err := v.Finish(until)
		require.NoError(t, err)
		next := v.Again()
		if next == nil {
			return report
		}
		v = next
	}
}

// TestPropertyOrder: whatever a host, and whoever took its keys, put into an archive, and whatever is lost of it: in which order the lines come makes no
// difference. But of two branches that both are genuine one is followed.
func TestPropertyOrder(t *testing.T) {
	each(t, *schedules/5, func(t *testing.T, seed uint64) {
		h := newHostile(t, seed)
		want := outcomeOf(h.archive.verifyWith(t, verifier.New([]seal.Trust{h.trust}), time.Time{}))
		for order := range uint64(2) {
			report := h.archive.shuffled(1+order).verifyWith(t, verifier.New([]seal.Trust{h.trust}), time.Time{})
			got := outcomeOf(report)
			if want.Counts[finding.Forked] > 0 {
				require.NotZero(t, got.Counts[finding.Forked], "seed %d, order %d", seed, order)
				continue
			}
			require.Equal(t, want, got, "seed %d, order %d: %s", seed, order, show(report))
		}
	})
}
