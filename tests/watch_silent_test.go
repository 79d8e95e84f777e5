// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// silences waits for the nth time that a stream is silent, or is not any more.
func (p *watchedPath) silences(stream string, state watch.State, nth int) {
	p.Helper()
	err := testbed.Until(deadline(p.T, time.Minute), func() (bool, error) {
		err := p.alarms.Read()
		return p.silent(stream, state) >= nth, err
	})
	require.NoErrorf(p, err, "%s was not %s as SILENT for the %dth time", stream, state, nth)
}

// silent counts the alarms that were read.
func (p *watchedPath) silent(stream string, state watch.State) (n int) {
	for _, alarm := range p.alarms.List {
		if alarm.Code == finding.Silent && alarm.Stream == stream && alarm.State == state {
			n++
		}
	}
	return n
}

// TestSilentHost: a host that is frozen, cut off or killed is reported, and again when it is back; one that stops in order is not. What a host
// writes while it is away is no alarm when it comes.
func TestSilentHost(t *testing.T) {
	t.Parallel()
	p := newPath(t)
	p.site.Gateway.Env["LOGSEAL_LATE_AFTER"], p.site.Gateway.Env["LOGSEAL_SILENT_AFTER"] = "3s", "3s"
	p.site.Agent.Env["LOGSEAL_HEARTBEAT"] = "1s"
	p.site.Agent.Args = []string{"--config", hastyRetries}
	other := secondAgent(t, p.site, "web-18")
	gateway := start(t, p.site.Gateway)
	start(t, p.site.SIEM)
	agent, second := start(t, p.site.Agent), start(t, other)
	p.write(100)
	appendFile(t, filepath.Join(p.site.Dir, "web-18.log.txt"), "a line\n")
	p.judged(gateway, 101)

	ways := []struct {
		what string
		away func() (back func())
	}{
		{"frozen", func() func() {
			require.NoError(t, agent.Signal(syscall.SIGSTOP))
			return func() { require.NoError(t, agent.Signal(syscall.SIGCONT)) }
		}},
		{"cut off", p.middle.Cut},
		{"killed", func() func() {
			agent.Kill()
			return func() { agent = start(t, p.site.Agent) }
		}},
	}
	for i, way := range ways {
		back := way.away()
		p.write(100)
		p.silences("web-17", watch.Opened, i+1)
		p.write(100)
		back()
		p.silences("web-17", watch.Resolved, i+1)
		p.write(100)
		p.arrived()
	}
	p.judged(gateway, p.written)

	// One that goes in order is closed, and not silent when another is that was frozen after it had stopped.
	silent := p.silent("web-18", watch.Opened)
	require.NoError(t, agent.Stop(time.Minute))
	require.NoError(t, second.Signal(syscall.SIGSTOP))
	p.silences("web-18", watch.Opened, silent+1)
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		err := p.alarms.Read()
		return p.silent("web-17", watch.Opened) == p.silent("web-17", watch.Resolved), err
	}), "a host that was stopped in order is silent")
	require.NoError(t, second.Signal(syscall.SIGCONT))
	p.silences("web-18", watch.Resolved, silent+1)
	p.only(p.site.SIEM.Alarms()) // which waits longer, for both
}
