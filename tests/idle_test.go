// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An agent whose files nobody writes to writes nothing either, however many there are.
func TestIdleAgentWritesNothing(t *testing.T) {
	s := newStream(t)
	s.site.SetInclude(filepath.Join(s.site.Dir, "*.log"))
	for file := range 300 {
		var text strings.Builder
		for range 100 {
			fmt.Fprintf(&text, "%s%d GET /api/v1/orders 200\n", s.tally.Prefix, s.written)
			s.written++
		}
		appendFile(t, filepath.Join(s.site.Dir, fmt.Sprintf("%d.log", file)), text.String())
	}
	start(t, s.site.SIEM)
	agent := start(t, s.site.Agent)
	s.arrived()
	written := func() int64 {
		n, err := agent.Written()
		require.NoError(t, err)
		return n
	}
	// What was read just now still goes, the last positions and seals: within one of these windows nothing is left to do.
	least := int64(1 << 62)
	for range 3 {
		before := written()
		time.Sleep(2 * time.Second) // ten polls
		least = min(least, written()-before)
	}
	t.Logf("300 files, 2 s in which nothing happens: %d bytes written", least)
	require.Less(t, least, int64(200_000))
}
