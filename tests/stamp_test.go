// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// stream is an agent that sends one growing file straight to the SIEM, and what the SIEM's archive must say of it.
type stream struct {
	*testing.T
	site    *testbed.Site
	logFile string
	archive testbed.Archive
	tally   testbed.Tally
	written int
	wrote   time.Time
}

func newStream(t *testing.T) *stream {
	t.Helper()
	site := newSite(t)
	site.AgentToSIEM()
	s := &stream{
		T: t, site: site, logFile: filepath.Join(site.Dir, "app.log"),
		archive: testbed.Archive{Path: site.ArchivePath()}, tally: testbed.Tally{Prefix: "sealed line "},
	}
	site.SetInclude(s.logFile)
	return s
}

// write appends n lines.
func (s *stream) write(n int) {
	s.Helper()
	var text strings.Builder
	for range n {
		fmt.Fprintf(&text, "%s%d GET /api/v1/orders 200\n", s.tally.Prefix, s.written)
		s.written++
	}
	appendFile(s.T, s.logFile, text.String())
	s.wrote = time.Now()
}

// arrived waits for every line that was written.
func (s *stream) arrived() {
	s.Helper()
	awaitLines(s.T, &s.archive, &s.tally, s.written, 2*time.Minute)
}

func (s *stream) trust() []seal.Trust {
	s.Helper()
	trust, err := s.site.Trust()
	require.NoError(s, err)
	return trust
}

// verified waits until every line has arrived and is sealed, and requires that nothing be found but doubt about what a
// crash may have kept from leaving.
func (s *stream) verified() *verifier.Report {
	s.Helper()
	s.arrived()
	report, err := s.archive.AwaitSealed(deadline(s.T, time.Minute), s.trust(), s.wrote)
	require.NoError(s, err)
	require.Zero(s, testbed.Unverified(report), "records that did not verify")
	require.GreaterOrEqual(s, report.Records, uint64(s.written))
	return report
}

// report verifies the archive as it is.
func (s *stream) report(trust []seal.Trust) *verifier.Report {
	s.Helper()
	files, err := s.archive.Files()
	require.NoError(s, err)
	report, err := testbed.Verify(s.Context(), trust, time.Time{}, files...)
	require.NoError(s, err)
	return report
}

func (s *stream) metric(agent *testbed.Process, name string) float64 {
	s.Helper()
	value, err := agent.Metric(s.Context(), name)
	require.NoError(s, err)
	return value
}

// killed is how often the agent is killed: 200 times in a long run.
func killed() int {
	if os.Getenv("LOGSEAL_LONG") != "" {
		return 200
	}
	return 20
}

// SIGKILL at random moments of a steady load. Nothing that was forwarded is left unsealed, and nothing raises an alarm.
func TestSealsSurviveSIGKILL(t *testing.T) {
	s := newStream(t)
	start(t, s.site.SIEM)
	agent := start(t, s.site.Agent)
	began, adopted := time.Now(), 0.0
	for range killed() {
		for end := time.Now().Add(time.Duration(50+rand.IntN(900)) * time.Millisecond); time.Now().Before(end); {
			s.write(20)
			<-time.After(20 * time.Millisecond) // a writer's pace: 1,000 lines a second or so
		}
		agent.Kill()
		agent = start(t, s.site.Agent)
		adopted += s.metric(agent, "otelcol_processor_stamp_adopted_records")
	}
	report := s.verified()
	require.NotZero(t, adopted, "no kill left a record unsealed, so nothing was shown")
	stream := report.Streams[0]
	doubt := uint64(0)
	for _, f := range report.Findings {
		doubt += f.Count
	}
	t.Logf("%d kills in %s: %d lines, %d records verified under %d seals, %.0f of them sealed after a crash, %d benign duplicates, %d in doubt and absent, %d voided",
		killed(), time.Since(began).Round(time.Second), s.written, report.Verified, stream.Seals, adopted, report.Duplicates, doubt, stream.Voids)
	require.Zero(t, s.tally.Others)
	require.NoError(t, agent.Stop(time.Minute))
}

// SIGTERM while nobody takes the data: what waits behind a full queue is stamped anew at the next start, and the seals
// that could not be sent are its first records.
func TestSealsWaitBehindAFullQueue(t *testing.T) {
	s := newStream(t)
	small := s.site.Agent
	small.Args = []string{"--config", "yaml:exporters::siem::sending_queue: {sizer: requests, queue_size: 20}"}
	s.write(20_000)
	agent := start(t, small)
	awaitMetric(t, agent, "otelcol_processor_stamp_unsent_seals", 1)
	stopping := time.Now()
	require.NoError(t, agent.Stop(time.Minute), "the agent must stop by itself")
	t.Logf("stopped in %s with a full queue", time.Since(stopping).Round(10*time.Millisecond))

	start(t, s.site.SIEM)
	start(t, small)
	report := s.verified()
	t.Logf("%d records verified, %d ids voided", report.Verified, report.Streams[0].Voids)
}

// A reload of the configuration is a restart: each session is closed, and the next one follows.
func TestSealsSurviveReloads(t *testing.T) {
	t.Parallel()
	s := newStream(t)
	start(t, s.site.SIEM)
	agent := start(t, s.site.Agent)
	for reload := range 5 {
		s.write(500)
		require.NoError(t, agent.Signal(syscall.SIGHUP))
		s.write(500)
		s.arrived()
		// The configuration is checked first: a signal that comes meanwhile would be one with this.
		require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
			log, err := os.ReadFile(s.site.Agent.LogFile())
			return bytes.Count(log, []byte("Everything is ready")) == reload+2, err
		}))
	}
	s.verified()
	kinds := map[seal.Kind]int{}
	again := testbed.Archive{Path: s.archive.Path}
	_, err := again.Read(func(_ plog.ResourceLogs, lr plog.LogRecord) {
		if seal.IsSeal(lr) {
			note, err := seal.ParseNote(lr.Body().Str())
			require.NoError(t, err)
			kinds[note.Seal.Kind]++
		}
	})
	require.NoError(t, err)
	assert.Equal(t, 6, kinds[seal.KindOpen])
	assert.Equal(t, 5, kinds[seal.KindClose])
	assert.Zero(t, kinds[seal.KindAdopt])
	require.NoError(t, agent.Stop(time.Minute))
}

// A gateway that adds attributes to records and resources: that is tampering, unless the agent has declared them.
func TestEnrichmentAtTheGateway(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		exclude string
		want    finding.Code
	}{
		"declared":     {"exclude: {resource_attributes: [cloud.*], attributes: [ingest.hop]}", ""},
		"not declared": {"exclude: {resource_attributes: [cloud.*]}", finding.Altered},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stream{T: t, site: newSite(t), tally: testbed.Tally{Prefix: "enriched line "}}
			s.logFile, s.archive = filepath.Join(s.site.Dir, "app.log"), testbed.Archive{Path: s.site.ArchivePath()}
			s.site.SetInclude(s.logFile)
			s.site.Agent.Args = []string{"--config", "yaml:processors: {stamp: {" + tt.exclude + "}}"}
			enrich := filepath.Join(s.site.Dir, "enrich.yaml")
			require.NoError(t, os.WriteFile(enrich, []byte(`
processors:
  resource/region: {attributes: [{action: upsert, key: cloud.region, value: eu-central-1}]}
  attributes/hop: {actions: [{action: upsert, key: ingest.hop, value: gateway-1}]}
service:
  pipelines:
    logs: {processors: [memory_limiter, resource/region, attributes/hop]}
`), 0o600))
			s.site.Gateway.Args = []string{"--config", enrich}
			start(t, s.site.SIEM)
			start(t, s.site.Gateway)
			start(t, s.site.Agent)
			s.write(300)
			if tt.want != "" {
				s.arrived()
				require.NoError(t, testbed.Until(deadline(t, 2*time.Minute), func() (bool, error) {
					return len(only(s.report(s.trust()), tt.want)) > 0, nil
				}))
				return
			}
			report := s.verified()
			agent, err := s.site.Agent.Trust()
			require.NoError(t, err)
			i := slices.IndexFunc(report.Streams, func(st verifier.StreamReport) bool { return st.Name == agent[0].Name })
			require.GreaterOrEqual(t, i, 0)
			assert.ElementsMatch(t, []string{"ingest.hop", "resource cloud.*", "logseal.client.*", "resource logseal.client.*"}, report.Streams[i].Excluded)
		})
	}
}

// Two exporters, the first with ten consumers, so that batches arrive in any order. It blocks for a while, and the agent is
// stopped in front of it: what only the second one took is void, which its archive says, and sent to both again under new numbers.
func TestSealsSurviveFanOut(t *testing.T) {
	s := newStream(t)
	copied := testbed.Archive{Path: filepath.Join(s.site.Dir, "copy.jsonl")}
	fanOut := filepath.Join(s.site.Dir, "fan-out.yaml")
	require.NoError(t, os.WriteFile(fanOut, []byte(`
exporters:
  siem: {sending_queue: {num_consumers: 10, sizer: requests, queue_size: 5}, retry_on_failure: {max_interval: 2s}}
  file: {path: `+copied.Path+`, rotation: {max_megabytes: 1024}}
service:
  pipelines:
    logs: {exporters: [siem, file]}
`), 0o600))
	s.site.Agent.Args = []string{"--config", fanOut}
	siem := start(t, s.site.SIEM)
	agent := start(t, s.site.Agent)
	s.write(5000)
	s.arrived()

	require.NoError(t, siem.Stop(time.Minute))
	s.write(5000)
	awaitMetric(t, agent, "otelcol_exporter_queue_size", 5)
	// And until a batch waits in front of the queue, which is full: it is stamped, and nobody has taken it.
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		taken := s.metric(agent, "otelcol_receiver_accepted_log_records")
		return s.metric(agent, "otelcol_processor_stamp_records") > taken, nil
	}))
	require.NoError(t, agent.Stop(time.Minute))
	start(t, s.site.SIEM)
	start(t, s.site.Agent)
	s.write(5000)
	report := s.verified()

	files, err := copied.Files()
	require.NoError(t, err)
	other, err := testbed.Verify(t.Context(), s.trust(), time.Time{}, files...)
	require.NoError(t, err)
	require.Empty(t, testbed.Findings(other, finding.OpenEnd, finding.Doubt, finding.Voided), testbed.Describe(other.Findings))
	assert.Zero(t, testbed.Unverified(other))
	assert.Len(t, only(other, finding.Voided), 1)
	t.Logf("%d records in the SIEM, %d beside it, %d of them void", report.Records, other.Records, other.Streams[0].Voided)
}

// What happens to the state while the agent is not looking.
func TestLostAndRolledBackState(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		lose     []string // of the state, by the beginning of the name
		rollBack []string // to what it was after the first run
		refused  string   // what the agent says instead of starting
		want     []finding.Code
	}{
		{name: "storage lost", lose: []string{"processor_stamp_"}, want: []finding.Code{finding.StateRolledBack}},
		{name: "storage rolled back", rollBack: []string{"processor_stamp_"}, want: []finding.Code{finding.StateRolledBack}},
		{name: "key file lost", lose: []string{"stamp.key"}, want: []finding.Code{finding.UnknownStream, finding.Orphan}},
		{name: "key file rolled back", rollBack: []string{"stamp.key"}, refused: "restored from a copy"},
		{name: "both rolled back", rollBack: []string{"processor_stamp_", "stamp.key"}, want: []finding.Code{finding.Forked}},
		{name: "both lost", lose: []string{"processor_stamp_", "stamp.key"}, want: []finding.Code{finding.UnknownStream, finding.Orphan}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(t)
			start(t, s.site.SIEM)
			state, saved := s.site.Agent.Env["LOGSEAL_STATE_DIR"], filepath.Join(s.site.Dir, "saved")
			for range 2 {
				agent := start(t, s.site.Agent)
				s.write(500)
				s.verified()
				require.NoError(t, agent.Stop(time.Minute))
				if _, err := os.Stat(saved); err != nil {
					require.NoError(t, os.CopyFS(saved, os.DirFS(state)))
				}
			}
			trust := s.trust()
			for _, name := range matching(t, state, tt.lose) {
				require.NoError(t, os.RemoveAll(filepath.Join(state, name)))
			}
			for _, name := range matching(t, saved, tt.rollBack) {
				info, err := os.Stat(filepath.Join(saved, name))
				require.NoError(t, err)
				if info.IsDir() {
					require.NoError(t, os.RemoveAll(filepath.Join(state, name)))
					require.NoError(t, os.CopyFS(filepath.Join(state, name), os.DirFS(filepath.Join(saved, name))))
					continue
				}
				text, err := os.ReadFile(filepath.Join(saved, name))
				require.NoError(t, err)
				// In place, as whoever restores a backup does it; the mode stays.
				require.NoError(t, os.WriteFile(filepath.Join(state, name), text, 0o600))
			}
			sealed := uint64(s.written)
			s.write(500)
			if tt.refused != "" {
				_, err := s.site.Agent.Start(deadline(t, 2*time.Minute))
				require.ErrorContains(t, err, tt.refused)
				require.ErrorContains(t, err, "stamp.key")
				return
			}
			start(t, s.site.Agent)
			s.arrived()
			var report *verifier.Report
			require.NoError(t, testbed.Until(deadline(t, 2*time.Minute), func() (bool, error) {
				report = s.report(trust)
				return len(only(report, tt.want[0])) > 0, nil
			}))
			assert.GreaterOrEqual(t, report.Verified, sealed, "what was sealed before stays verified")
			for _, verdict := range tt.want {
				assert.NotEmpty(t, only(report, verdict), "%s is not among\n%s", verdict, testbed.Describe(report.Findings))
			}
			t.Log("\n" + testbed.Describe(report.Findings))
		})
	}
}

// matching returns the names of files and folders in dir that begin with one of the prefixes.
func matching(t *testing.T, dir string, prefixes []string) []string {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, prefix := range prefixes {
		before := len(names)
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), prefix) {
				names = append(names, entry.Name())
			}
		}
		require.Greater(t, len(names), before, "nothing in %s begins with %s", dir, prefix)
	}
	return names
}

// only returns the findings of one verdict.
func only(r *verifier.Report, verdict finding.Code) []finding.Finding {
	var found []finding.Finding
	for _, f := range r.Findings {
		if f.Code == verdict {
			found = append(found, f)
		}
	}
	return found
}

// A host that lost its keys goes on as a new stream, and its trust line file holds both lines: then everything verifies.
func TestBothTrustLinesAreKept(t *testing.T) {
	t.Parallel()
	s := newStream(t)
	start(t, s.site.SIEM)
	agent := start(t, s.site.Agent)
	s.write(300)
	s.verified()
	require.NoError(t, agent.Stop(time.Minute))
	require.NoError(t, os.Remove(filepath.Join(s.site.Agent.Env["LOGSEAL_STATE_DIR"], "stamp.key")))
	start(t, s.site.Agent)
	s.write(300)
	s.arrived()
	own, err := s.site.Agent.Trust()
	require.NoError(t, err)
	require.Len(t, own, 2)
	// Not up to a certain time, as verified has it: the first stream is silent from its close on.
	var report *verifier.Report
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		report = s.report(s.trust())
		return report.Verified == uint64(s.written), nil
	}))
	require.Empty(t, testbed.Findings(report, finding.OpenEnd), testbed.Describe(report.Findings))
	assert.True(t, s.site.Agent.LogContains("a new stream begins"))
}

// Two on one state are refused, with an error that says what is shared and what to do.
func TestTwoOnOneState(t *testing.T) {
	t.Parallel()
	s := newStream(t)
	start(t, s.site.SIEM)
	start(t, s.site.Agent)
	state := s.site.Agent.Env["LOGSEAL_STATE_DIR"]
	for name, tt := range map[string]struct {
		config string
		want   []string
	}{
		"one key file, two processes": {
			config: "processors: {stamp: {key_file: " + filepath.Join(state, "stamp.key") + "}}",
			want:   []string{"stamp.key", "another stamp uses it", "a key file of its own"},
		},
		"one storage, two processes": {
			config: "extensions: {encrypted_storage/theirs: {directory: " + state + "}}\n" +
				"processors: {stamp: {storage: encrypted_storage/theirs}}\n" +
				"service: {extensions: [health_check, encrypted_storage, encrypted_storage/theirs]}",
			want: []string{"encrypted_storage/theirs", "in use by another process", "a directory of its own"},
		},
		"one processor, two pipelines": {
			config: "service: {pipelines: {logs/second: {receivers: [syslog], processors: [stamp], exporters: [siem]}}}",
			want:   []string{"stamp.key", "another stamp uses it", "each pipeline"},
		},
		"one name, two processors": {
			config: "processors: {stamp/second: {name: web-17, storage: encrypted_storage, key_file: " + filepath.Join(state, "second.key") + "}, stamp: {name: web-17}}\n" +
				"service: {pipelines: {logs/second: {receivers: [syslog], processors: [stamp/second], exporters: [siem]}}}",
			want: []string{"web-17", "is already the stream of processor", "a name and a key_file of its own"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "second.yaml")
			require.NoError(t, os.WriteFile(config, []byte(tt.config), 0o600))
			ports, err := testbed.FreePorts(3)
			require.NoError(t, err)
			second := s.site.Agent
			second.Name, second.Args = "second", []string{"--config", config}
			second.HealthPort, second.MetricsPort = ports[0], ports[1]
			second.Env = maps.Clone(s.site.Agent.Env)
			second.Env["LOGSEAL_STATE_DIR"] = t.TempDir()
			second.Env["LOGSEAL_SYSLOG_ENDPOINT"] = testbed.Loopback(ports[2])
			_, err = second.Start(deadline(t, 2*time.Minute))
			require.Error(t, err)
			for _, text := range tt.want {
				assert.ErrorContains(t, err, text)
			}
		})
	}
}

// The disk of the state fills up and is emptied again: nothing is forwarded meanwhile that would stay unsealed.
func TestSealsSurviveAFullDisk(t *testing.T) {
	s := newStream(t)
	state := s.site.Agent.Env["LOGSEAL_STATE_DIR"]
	require.NoError(t, os.MkdirAll(state, 0o700))
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=24m,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted here (%v); the processor's own tests have a storage that fails", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(state, syscall.MNT_DETACH)) })
	siem := start(t, s.site.SIEM)
	agent := start(t, s.site.Agent)
	s.write(2000)
	s.verified()
	require.NoError(t, siem.Stop(time.Minute)) // so that the queue takes room

	filler := filepath.Join(state, "filler")
	f, err := os.Create(filler)
	require.NoError(t, err)
	for block := make([]byte, 1<<16); err == nil; {
		_, err = f.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
	// By the stamp, or by the queue behind it: who is first depends on the room that each has left in its own file.
	refused := func() (bool, error) {
		s.write(1000)
		return s.metric(agent, "otelcol_processor_stamp_refused_records")+s.metric(agent, "otelcol_processor_stamp_voided_records") > 0, nil
	}
	require.NoError(t, testbed.Until(deadline(t, time.Minute), refused))
	require.NoError(t, os.Remove(filler))
	start(t, s.site.SIEM)
	report := s.verified()
	t.Logf("%.0f records refused by stamp; %d records verified, %d ids voided",
		s.metric(agent, "otelcol_processor_stamp_refused_records"), report.Verified, report.Streams[0].Voids)
}
