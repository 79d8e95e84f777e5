// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

// impatient lets a trouble count at once; what ships gives it a minute.
const impatient = "yaml:extensions::health_check::component_health::recovery_duration: 0s"

// health asks a collector's health_check, and returns its answer with every component that is in trouble.
func health(t *testing.T, p *testbed.Process, query string) (status int, troubles map[string]string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+testbed.Loopback(p.HealthPort)+"/?verbose"+query, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer resp.Body.Close()
	type node struct {
		Healthy    bool
		Error      string
		Components map[string]*node
	}
	var all node
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&all))
	troubles = map[string]string{}
	for _, pipeline := range all.Components {
		for name, component := range pipeline.Components {
			if !component.Healthy {
				troubles[name] = component.Error
			}
		}
	}
	return resp.StatusCode, troubles
}

// awaitTrouble returns when health_check answers 500 and names the component with that text.
func awaitTrouble(t *testing.T, p *testbed.Process, component, text string) {
	t.Helper()
	var troubles map[string]string
	err := testbed.Until(deadline(t, 60*time.Second), func() (bool, error) {
		var status int
		status, troubles = health(t, p, "")
		return status == http.StatusInternalServerError && strings.Contains(troubles[component], text), nil
	})
	require.NoErrorf(t, err, "health_check knows of %v, and not of %q at %s", troubles, text, component)
	status, _ := health(t, p, "&pipeline=extensions")
	assert.Equal(t, http.StatusOK, status, "the process is alive, and says so to a liveness probe")
}

func awaitHealthy(t *testing.T, p *testbed.Process) {
	t.Helper()
	var troubles map[string]string
	err := testbed.Until(deadline(t, 60*time.Second), func() (bool, error) {
		var status int
		status, troubles = health(t, p, "")
		return status == http.StatusOK, nil
	})
	require.NoErrorf(t, err, "health_check still knows of %v", troubles)
}

// unprivileged gives a collector no right to read what its user may not: root's is gone with the capability.
func unprivileged(t *testing.T, c testbed.Collector) testbed.Collector {
	t.Helper()
	if os.Geteuid() != 0 {
		return c
	}
	setpriv := needs(t, "setpriv", "util-linux")
	script := filepath.Join(t.TempDir(), "unprivileged")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nexec "+setpriv+" --bounding-set=-dac_override,-dac_read_search "+c.Binary+` "$@"`+"\n"), 0o700))
	c.Binary = script
	return c
}

func TestHealthOfAnAgentThatReadsNothing(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.AgentToSIEM()
	logs := filepath.Join(site.Dir, "logs")
	for _, dir := range []string{logs, filepath.Join(logs, "app"), filepath.Join(logs, "closed")} {
		require.NoError(t, os.Mkdir(dir, 0o700))
	}
	start(t, site.SIEM)

	t.Run("no file matches", func(t *testing.T) {
		agent := site.Agent
		agent.Env["LOGSEAL_INCLUDE"] = "['" + logs + "/*.log']"
		agent.Args = []string{"--config", impatient}
		p := start(t, agent)
		awaitTrouble(t, p, "receiver:file_log", "no file matches")
		require.True(t, p.LogContains("no file matches"))
		appendFile(t, filepath.Join(logs, "a.log"), "one line\n")
		awaitHealthy(t, p)
		require.NoError(t, p.Stop(time.Minute))
	})
	t.Run("a file and a folder that may not be read", func(t *testing.T) {
		appendFile(t, filepath.Join(logs, "app", "secret.log"), "one line\n")
		require.NoError(t, os.Chmod(filepath.Join(logs, "app", "secret.log"), 0))
		require.NoError(t, os.Chmod(filepath.Join(logs, "closed"), 0))
		agent := unprivileged(t, site.Agent)
		agent.Env["LOGSEAL_INCLUDE"] = "['" + logs + "/*.log', '" + logs + "/*/*.log']"
		agent.Args = []string{"--config", impatient}
		p := start(t, agent)
		awaitTrouble(t, p, "receiver:file_log", "secret.log: permission denied")
		_, troubles := health(t, p, "")
		assert.Contains(t, troubles["receiver:file_log"], filepath.Join(logs, "closed")+" cannot be looked into")

		require.NoError(t, os.Chmod(filepath.Join(logs, "app", "secret.log"), 0o600))
		require.NoError(t, os.Chmod(filepath.Join(logs, "closed"), 0o700))
		awaitHealthy(t, p)
		require.NoError(t, p.Stop(time.Minute))
		assertNoStackTraces(t, p)
	})
}

// Without a flag and without a key: what ships.
func TestHealthDuringAnOutage(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.AgentToSIEM()
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	appendFile(t, logFile, lines("outage line ", 0, 1000))
	agent := start(t, site.Agent)
	t.Run("a minute of it is no trouble yet", func(t *testing.T) {
		awaitMetric(t, agent, "otelcol_exporter_siem_retries", 1)
		status, troubles := health(t, agent, "")
		assert.Equal(t, http.StatusOK, status)
		assert.Empty(t, troubles)
	})
	require.NoError(t, agent.Stop(time.Minute))

	small := site.Agent
	small.Args = []string{"--config", impatient, "--config", "yaml:exporters::siem::sending_queue: {sizer: requests, queue_size: 3}"}
	agent = start(t, small)
	awaitTrouble(t, agent, "exporter:siem", "unavailable")
	assert.True(t, agent.LogContains("at the rate of the last hour this queue holds"))
	appendFile(t, logFile, lines("outage line ", 1000, 3000))
	awaitTrouble(t, agent, "exporter:siem", "the queue is full")
	require.NoError(t, agent.Stop(time.Minute), "a stop in the middle of it")
	assertNoStackTraces(t, agent)
	for _, text := range []string{"Dropping data", "Exporting failed", "Rejecting data", "ConsumeLogs() failed"} {
		assert.False(t, agent.LogContains(text), "the log says %q of what is not dropped", text)
	}

	start(t, site.SIEM)
	agent = start(t, small)
	tally := testbed.Tally{Prefix: "outage line "}
	archive := testbed.Archive{Path: site.ArchivePath()}
	awaitLines(t, &archive, &tally, 3000, time.Minute)
	awaitHealthy(t, agent)
}

// A disk that is full, in the real: a small file system of its own for the agent's state.
func TestHealthWithAFullDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	const total = 20_000
	site := newSite(t)
	site.AgentToSIEM()
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	state := site.Agent.Env["LOGSEAL_STATE_DIR"]
	require.NoError(t, os.MkdirAll(state, 0o700))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", state).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %s", out)
	}
	t.Cleanup(func() { _ = syscall.Unmount(state, syscall.MNT_DETACH) })

	agent := site.Agent
	agent.Args = []string{"--config", impatient}
	p := start(t, agent)
	// Somebody else fills the disk.
	filler := filepath.Join(state, "filler")
	fill(t, filler)
	appendFile(t, logFile, lines("disk line ", 0, total))
	// stamp keeps the leaves of what it takes, so it is the first to refuse; what it refuses waits at the receiver.
	awaitTrouble(t, p, "processor:stamp", "no space left on device")
	awaitTrouble(t, p, "receiver:file_log", "what was read is not taken")

	require.NoError(t, os.Remove(filler))
	start(t, site.SIEM)
	tally := testbed.Tally{Prefix: "disk line "}
	archive := testbed.Archive{Path: site.ArchivePath()}
	awaitLines(t, &archive, &tally, total, 2*time.Minute)
	awaitHealthy(t, p)
	assertNoStackTraces(t, p)
	for _, text := range []string{"Rejecting data", "Dropping data"} {
		assert.False(t, p.LogContains(text), "the log says %q of what is not dropped", text)
	}
}

func assertNoStackTraces(t *testing.T, p *testbed.Process) {
	t.Helper()
	text, err := os.ReadFile(p.LogFile())
	require.NoError(t, err)
	assert.NotRegexp(t, `(?m)^\t\S+\.go:\d+`, string(text))
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			return
		}
	}
}
