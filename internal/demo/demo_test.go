// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/demo"
)

// TestAskedFor: a drill that is asked for by its name is not left out without a word, and nothing is started for it.
func TestAskedFor(t *testing.T) {
	dir := t.TempDir()
	err := demo.Run(t.Context(), demo.Options{Collector: os.Args[0], Dir: dir, Drills: []string{"store"}, Out: io.Discard})
	require.ErrorContains(t, err, "the drill store cannot run: VictoriaLogs is not here: `make store` builds it")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestOutcome(t *testing.T) {
	require.Equal(t, "The drill held", demo.Outcome(1, 0))
	require.Equal(t, "All 11 drills held", demo.Outcome(11, 0))
	require.Equal(t, "All 10 drills held, 1 was left out", demo.Outcome(10, 1))
	require.Equal(t, "All 9 drills held, 2 were left out", demo.Outcome(9, 2))
}
