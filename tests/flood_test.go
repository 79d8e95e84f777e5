// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"path/filepath"
	"strings"
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

// One file is flooded while the SIEM is down, what the agent may keep is small, and it is killed once. The quiet file loses nothing, the
// flood's lines are in the archive or in the reports, and everything verifies.
func TestQuietFileLosesNothingInAFlood(t *testing.T) {
	t.Run("a small queue", func(t *testing.T) {
		site := newSite(t)
		site.Agent.Env["LOGSEAL_FLOOD_RECORDS"], site.Agent.Env["LOGSEAL_FLOOD_BURST"] = "200", "2s"
		site.Agent.Args = []string{"--config", "yaml:exporters::siem::sending_queue: {sizer: items, queue_size: 5000}"}
		reports := quietFileInAFlood(t, site, "otelcol_processor_flood_guard_records", 5_000)
		assert.True(t, reports.atLeast, "a kill in a flood must be told")
	})
	t.Run("a small disk", func(t *testing.T) {
		site := newSite(t)
		site.Agent.Env["LOGSEAL_STATE_DIR"] = smallDisk(t, 12)
		site.Agent.Env["LOGSEAL_FLOOD_RECORDS"], site.Agent.Env["LOGSEAL_FLOOD_BURST"] = "2000", "15s"
		site.Agent.Args = []string{"--config", "yaml:exporters::siem::sending_queue: {sizer: requests, queue_size: 1000000}"}
		quietFileInAFlood(t, site, "otelcol_extension_encrypted_storage_full", 1)
	})
}

// quietFileInAFlood floods until a metric says that nothing more fits, kills the agent, and brings the SIEM up.
func quietFileInAFlood(t *testing.T, site *testbed.Site, full string, least float64) floodReports {
	const flooded, quietLines = 150_000, 100
	site.AgentToSIEM()
	quietFile, floodFile := filepath.Join(site.Dir, "quiet.log"), filepath.Join(site.Dir, "flood.log")
	site.SetInclude(quietFile, floodFile)
	quiet, flood := testbed.Tally{Prefix: "quiet line "}, testbed.Tally{Prefix: "flood line " + strings.Repeat("x", 400) + " "}
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

	agent := start(t, site.Agent)
	appendFile(t, quietFile, lines(quiet.Prefix, 0, 1))
	appendFile(t, floodFile, lines(flood.Prefix, 0, 1))
	var written atomic.Int64
	for i := 1; i < quietLines; i++ {
		appendFile(t, quietFile, lines(quiet.Prefix, i, i+1))
		appendFile(t, floodFile, lines(flood.Prefix, int(written.Load())+1, int(written.Load())+1+flooded/quietLines))
		written.Add(flooded / quietLines)
		<-time.After(10 * time.Millisecond) // a writer's pace
	}
	awaitMetric(t, agent, full, least)
	// What is shed within a tenth of a second before a kill is not counted. So what had come in two seconds before it is.
	var counted float64
	var since time.Time
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (_ bool, err error) {
		if counted == 0 {
			counted, err = agent.Metric(t.Context(), "otelcol_processor_flood_guard_records")
			since = time.Now()
		}
		return time.Since(since) > 2*time.Second, err
	}))
	agent.Kill()
	start(t, site.SIEM)
	start(t, site.Agent)
	total := int(written.Load()) + 1

	require.NoError(t, testbed.Until(deadline(t, 2*time.Minute), func() (bool, error) {
		read()
		// A kill repeats some lines, so the sum can be more; it cannot be less than all that was not on its way then.
		return quiet.Seen() == quietLines && reports.phases["end"] > 0, nil
	}), "%d of %d quiet lines, reports %+v", quiet.Seen(), quietLines, reports)
	t.Logf("%d lines of the flood: %d kept, shed %v (at least: %t), reports %v", total, flood.Seen(), reports.shed, reports.atLeast, reports.phases)
	assert.GreaterOrEqual(t, reports.shed["flood.log"]+int64(flood.Seen()), int64(counted)-quietLines)
	assert.Zero(t, reports.shed["quiet.log"])
	assert.NotZero(t, reports.phases["begin"])

	until := time.Now()
	trust, err := site.Trust()
	require.NoError(t, err)
	report, err := archive.AwaitSealed(deadline(t, time.Minute), trust, until)
	require.NoError(t, err)
	assert.Zero(t, testbed.Unverified(report))
	return reports
}

// With hold, a flood makes its receiver wait and loses nothing: not a line of the flooded file, not one of a quiet file beside it.
func TestHoldLosesNothing(t *testing.T) {
	t.Parallel()
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

// With hold, all files of a receiver wait for the one that is held, and no file of another receiver does: docs/flood.md says so, and how to
// configure it.
func TestHoldMakesItsReceiverWait(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.AgentToSIEM()
	path := func(name string) string { return filepath.Join(site.Dir, name+".log") }
	site.SetInclude(path("flood"), path("beside"))
	agent := site.Agent
	agent.Args = []string{"--config", "yaml:" + `
receivers:
  file_log/audit:
    include: [` + path("audit") + `]
    include_file_path: true
    start_at: beginning
    storage: encrypted_storage
    retry_on_failure: {enabled: true, max_elapsed_time: 0}
processors:
  # What the first batch overdraws takes hours to come back.
  flood_guard: {on_exceed: hold, rate: {records: 0.01, burst: 1s}}
  flood_guard/audit: {on_exceed: hold, rate: {records: 5000, bytes_mib: 5, burst: 1m}, storage: encrypted_storage}
  stamp/audit: {key_file: ` + path("stamp-audit.key") + `, storage: encrypted_storage}
service:
  pipelines:
    logs/audit: {receivers: [file_log/audit], processors: [memory_limiter, flood_guard/audit, resource, redact, stamp/audit], exporters: [siem]}
`}
	start(t, site.SIEM)
	running := start(t, agent)
	flood, beside, audit := testbed.Tally{Prefix: "flood line "}, testbed.Tally{Prefix: "beside line "}, testbed.Tally{Prefix: "audit line "}
	archive := testbed.Archive{Path: site.ArchivePath()}
	arrived := func(wanted func() bool) {
		t.Helper()
		require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
			_, err := archive.Read(func(rl plog.ResourceLogs, lr plog.LogRecord) {
				flood.Add(rl, lr)
				beside.Add(rl, lr)
				audit.Add(rl, lr)
			})
			return wanted(), err
		}), "%d, %d and %d lines", flood.Seen(), beside.Seen(), audit.Seen())
	}

	appendFile(t, path("flood"), lines(flood.Prefix, 0, 5_000))
	appendFile(t, path("audit"), lines(audit.Prefix, 0, 1))
	arrived(func() bool { return flood.Seen() > 0 && audit.Seen() == 1 })
	awaitMetric(t, running, "otelcol_processor_flood_guard_top_keys", 1)
	before := flood.Seen()

	// Now something is held, and the receiver of both files waits.
	appendFile(t, path("beside"), lines(beside.Prefix, 0, 1))
	for i := 1; i < 20; i++ {
		appendFile(t, path("audit"), lines(audit.Prefix, i, i+1))
		arrived(func() bool { return audit.Seen() == i+1 })
	}
	assert.Zero(t, beside.Seen(), "a file beside the one that is held did not wait: docs/flood.md says that it does")
	assert.Equal(t, before, flood.Seen())
}
