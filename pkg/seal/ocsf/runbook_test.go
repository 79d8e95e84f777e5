// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/ocsf"
)

var update = flag.Bool("update", false, "write what the table says into docs/runbook.md anew")

// TestRunbook: docs/runbook.md has a section for every finding, where its record points to, with what the table says.
func TestRunbook(t *testing.T) {
	const path = "../../../docs/runbook.md"
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	text := string(data)
	for _, e := range finding.Table() {
		begin, end := fmt.Sprintf("### %s\n<!-- finding: %[1]s -->\n", e.Code), "<!-- end of finding -->\n"
		before, rest, found := strings.Cut(text, begin)
		require.True(t, found, "%s has no section: write one, beginning with %q and %q", e.Code, begin, end)
		is, after, found := strings.Cut(rest, end)
		require.True(t, found, "the section of %s does not end", e.Code)
		want := fmt.Sprintf("*%s.* %s\n\n**What to do.** %s\n", e.Verdict, e.Case, e.Remedy)
		if *update {
			text = before + begin + want + end + after
			continue
		}
		assert.Equal(t, want, is, "the section of %s is not what table.go says: go test ./pkg/seal/ocsf -update", e.Code)
		assert.True(t, strings.HasSuffix(ocsf.RunbookSection(e.Code), "docs/runbook.md#"+strings.ToLower(string(e.Code))))
	}
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
}
