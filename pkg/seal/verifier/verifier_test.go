// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/finding"
)

func TestVerifyGood(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 5 {
		h.send(40).seal()
	}
	h.send(7).stop()
	report := h.archive.verify(t, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, 207, report.Verified)
	require.EqualValues(t, 207, report.Records)
}

func TestVerifyRestarts(t *testing.T) {
	h := newHost(t, "web-17")
	for range 3 {
		h.start().send(40).seal().send(7).send(30).kill()
	}
	h.start().stop()
	report := h.archive.verify(t, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, 3*77, report.Verified)
}
