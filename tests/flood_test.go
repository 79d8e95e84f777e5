// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
)

// floodReports is what reports in an archive say.
type floodReports struct {
	shed, phases map[string]int64
	atLeast      bool
}

func (r *floodReports) add(_ plog.ResourceLogs, lr plog.LogRecord) {
	if lr.EventName() != "logseal.flood" {
		return
	}
	if r.shed == nil {
		r.shed, r.phases = map[string]int64{}, map[string]int64{}
	}
	key, _ := lr.Attributes().Get("logseal.flood.key")
	shed, _ := lr.Attributes().Get("logseal.flood.shed.records")
	phase, _ := lr.Attributes().Get("logseal.flood.phase")
	atLeast, _ := lr.Attributes().Get("logseal.flood.at_least")
	r.shed[filepath.Base(key.Str())] += shed.Int()
	r.phases[phase.Str()]++
	r.atLeast = r.atLeast || atLeast.Bool()
}

// One file is flooded while the SIEM is down, the queue has room for 5,000 records and the agent is killed once. The quiet
// file loses nothing, the flood's lines are in the archive or in the reports, and everything verifies.
func TestQuietFileLosesNothingInAFlood(t *testing.T) {
	const flooded, quietLines = 150_000, 100
	site := newSite(t)
	site.AgentToSIEM()
	quietFile, floodFile := filepath.Join(site.Dir, "quiet.log"), filepath.Join(site.Dir, "flood.log")
	site.SetInclude(quietFile, floodFile)
	site.Agent.Env["LOGSEAL_FLOOD_RECORDS"], site.Agent.Env["LOGSEAL_FLOOD_BURST"] = "200", "2s"
	quiet, flood := testbed.Tally{Prefix: "quiet line "}, testbed.Tally{Prefix: "flood line "}
	var reports floodReports
	archive := testbed.Archive{Path: site.ArchivePath()}
	read := func() {
		_, err := archive.Read(func(rl plog.ResourceLogs, lr plog.LogRecord) {
			quiet.Add(rl, lr)
			flood.Add(rl, lr)
			reports.add(rl, lr)
		})
		require.NoError(t, err)
	}

	small := site.Agent
	small.Args = []string{"--config", "yaml:exporters::siem::sending_queue: {sizer: items, queue_size: 5000}"}
	agent := start(t, small)
	appendFile(t, quietFile, lines(quiet.Prefix, 0, 1))
	appendFile(t, floodFile, lines(flood.Prefix, 0, 1))
	var written atomic.Int64
	for i := 1; i < quietLines; i++ {
		appendFile(t, quietFile, lines(quiet.Prefix, i, i+1))
		appendFile(t, floodFile, lines(flood.Prefix, int(written.Load())+1, int(written.Load())+1+flooded/quietLines))
		written.Add(flooded / quietLines)
		<-time.After(10 * time.Millisecond) // a writer's pace
	}
	// What is shed within a tenth of a second before a kill is not counted. So what had come in two seconds before it is.
	var counted float64
	var since time.Time
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		in, err := agent.Metric(t.Context(), "otelcol_processor_flood_guard_records")
		if err != nil || in < 5_000 {
			return false, err
		}
		if counted == 0 {
			counted, since = in, time.Now()
		}
		return time.Since(since) > 2*time.Second, nil
	}))
	agent.Kill()
	start(t, site.SIEM)
	start(t, small)
	total := int(written.Load()) + 1

	require.NoError(t, testbed.Until(deadline(t, 2*time.Minute), func() (bool, error) {
		read()
		// A kill repeats some lines, so the sum can be more; it cannot be less than all that was not on its way then.
		return quiet.Seen() == quietLines && reports.phases["end"] > 0, nil
	}), "%d of %d quiet lines, reports %+v", quiet.Seen(), quietLines, reports)
	t.Logf("%d lines of the flood: %d kept, %d shed (at least: %t), reports %v", total, flood.Seen(), reports.shed["flood.log"], reports.atLeast, reports.phases)
	assert.GreaterOrEqual(t, reports.shed["flood.log"]+int64(flood.Seen()), int64(counted)-quietLines)
	assert.Zero(t, reports.shed["quiet.log"])
	assert.True(t, reports.atLeast, "a kill in a flood must be told")
	assert.NotZero(t, reports.phases["begin"])

	until := time.Now()
	trust, err := site.Trust()
	require.NoError(t, err)
	report, err := archive.AwaitSealed(deadline(t, time.Minute), trust, until)
	require.NoError(t, err)
	assert.Zero(t, testbed.Unverified(report))
}

// With hold, a flood makes its receiver wait and loses nothing: not a line of the flooded file, not one of a quiet file beside it.
func TestHoldLosesNothing(t *testing.T) {
	const flooded, quietLines = 2_000, 20
	site := newSite(t)
	site.AgentToSIEM()
	quietFile, floodFile := filepath.Join(site.Dir, "quiet.log"), filepath.Join(site.Dir, "flood.log")
	site.SetInclude(quietFile, floodFile)
	site.Agent.Env["LOGSEAL_FLOOD_RECORDS"], site.Agent.Env["LOGSEAL_FLOOD_BURST"] = "400", "1s"
	agent := site.Agent
	agent.Args = []string{"--config", "yaml:processors::flood_guard::on_exceed: hold"}
	start(t, site.SIEM)
	start(t, agent)
	quiet, flood := testbed.Tally{Prefix: "quiet line "}, testbed.Tally{Prefix: "flood line "}
	appendFile(t, floodFile, lines(flood.Prefix, 0, flooded))
	appendFile(t, quietFile, lines(quiet.Prefix, 0, quietLines))
	var reports floodReports
	archive := testbed.Archive{Path: site.ArchivePath()}
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		_, err := archive.Read(func(rl plog.ResourceLogs, lr plog.LogRecord) {
			quiet.Add(rl, lr)
			flood.Add(rl, lr)
			reports.add(rl, lr)
		})
		return quiet.Seen() == quietLines && flood.Seen() == flooded && reports.phases["begin"] > 0, err
	}), "%d quiet lines, %d of the flood, reports %+v", quiet.Seen(), flood.Seen(), reports)
	assert.Zero(t, reports.shed["flood.log"])
	assert.Zero(t, reports.shed["quiet.log"])
}
