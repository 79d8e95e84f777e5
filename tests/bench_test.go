// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBenchRuns: what is measured once in a while still starts, on both sides. Its figures mean nothing with so few lines.
func TestBenchRuns(t *testing.T) {
	t.Parallel()
	scenarios := []string{"file-log", "stamp", "redact", "queue", "siem-disk-gzip"}
	args := append([]string{"run", "-buildvcs=false", "./tests/bench", "-lines", "200", "-pairs", "1", "-light", "0"}, scenarios...)
	cmd := exec.CommandContext(deadline(t, 5*time.Minute), "go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, len(scenarios), strings.Count(string(out), "median pair: "), string(out))
}
