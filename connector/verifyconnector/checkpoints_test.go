// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// TestCheckpointFile: a host that sealed before the gateway watched is ABSENT, and watched once the file is there that the verification of the
// archive has written. A file that does not fit says so.
func TestCheckpointFile(t *testing.T) {
	a := newAgent(t)
	line, err := sealer.CreateKeyFile(filepath.Join(a.dir, "stamp.key"), sealer.NewStream{Name: "web-17", PostQuantum: true})
	require.NoError(t, err)
	trust, file := filepath.Join(a.dir, "streams.trust"), filepath.Join(a.dir, "checkpoint.json")
	require.NoError(t, os.WriteFile(trust, []byte(line.String()+"\n"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte("{}"), 0o600))
	a.config.LateAfter = time.Second
	a.config.Trust = TrustConfig{File: trust, CheckpointFile: file, Unknown: unknownAlert}

	var archive []plog.Logs // of the SIEM
	a.on(func(ld plog.Logs) []plog.Logs {
		one := plog.NewLogs()
		ld.CopyTo(one)
		archive = append(archive, one)
		return []plog.Logs{ld}
	})
	sealed := func() int {
		a.mu.Lock()
		defer a.mu.Unlock()
		n := 0
		for _, ld := range archive {
			if _, record := first(ld); !record {
				n++
			}
		}
		return n
	}
	a.seal(t)
	a.log(t, 20)
	eventually(t, func() bool { return sealed() >= 2 }, "the host seals while nobody watches")
	a.mu.Lock() // what passes is either seen or not
	a.start(t)
	a.mu.Unlock()
	a.log(t, 20)
	a.awaitFinding(t, string(finding.Absent), "opened")
	eventually(t, func() bool { return a.host.last() == componentstatus.StatusRecoverableError }, "the file is none")
	assert.ErrorContains(t, a.host.lastErr(), "trust.checkpoint_file "+file)

	a.mu.Lock()
	sofar := slices.Clone(archive)
	a.mu.Unlock()
	v := verifier.New([]seal.Trust{line})
	for i, ld := range sofar {
		v.AddLogs(ld, finding.Place{File: "archive", Line: i + 1})
	}
	report, err := v.Finish(time.Time{})
	require.NoError(t, err)
	text, err := verifier.MarshalCheckpoints(report.Checkpoints)
	require.NoError(t, err)
	require.NoError(t, replaceFile(file, text))
	a.awaitFinding(t, string(finding.Absent), "resolved")
	a.log(t, 20)
	a.awaitVerified(t, 20)
	eventually(t, func() bool { return a.host.last() == componentstatus.StatusOK }, "the file fits")
	for _, code := range a.next.attributes(ocsf.AttributeCode) {
		assert.NotContains(t, []string{string(finding.Missing), string(finding.MissingSeal)}, code)
	}
}
