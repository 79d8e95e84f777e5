// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
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

// manner is how a process ends.
type manner string

const (
	stays manner = "stays"
	stop  manner = "is stopped"
	kill  manner = "is killed"
)

// restart is how agent and gateway end and start again.
type restart struct {
	agent, gateway       manner
	agentEnds, agentIsUp bool // first of the two
}

func (r restart) String() string {
	first := map[bool]string{true: "agent", false: "gateway"}
	if r.agent == stays || r.gateway == stays {
		return fmt.Sprintf("agent %s, gateway %s", r.agent, r.gateway)
	}
	return fmt.Sprintf("agent %s, gateway %s, the %s first, and the %s is up first", r.agent, r.gateway, first[r.agentEnds], first[r.agentIsUp])
}

// restarts are all there are in a long run, and else some.
func restarts() []restart {
	if os.Getenv("LOGSEAL_LONG") == "" {
		return []restart{{kill, stays, true, true}, {stays, stop, true, true}, {stop, kill, true, false}, {kill, stop, false, true}}
	}
	list := []restart{{stop, stays, true, true}, {kill, stays, true, true}, {stays, stop, true, true}, {stays, kill, true, true}}
	for _, agent := range []manner{stop, kill} {
		for _, gateway := range []manner{stop, kill} {
			for _, ends := range []bool{true, false} {
				for _, up := range []bool{true, false} {
					list = append(list, restart{agent, gateway, ends, up})
				}
			}
		}
	}
	return list
}

// tampered is what the man in the middle has done, and does again to a request that comes again.
type tampered struct {
	mu               sync.Mutex
	wanted           bool
	altered, dropped map[string]bool
}

// tamper has the man in the middle alter a record of the next request that has some, and take another one out. It returns how many he has done that to so far.
func (p *watchedPath) tamper(of *tampered) (so int) {
	p.Helper()
	of.mu.Lock()
	so = len(of.altered) + 1
	of.wanted = true
	of.mu.Unlock()
	require.NoError(p, testbed.Until(deadline(p.T, time.Minute), func() (bool, error) {
		of.mu.Lock()
		defer of.mu.Unlock()
		return !of.wanted, nil
	}), "no records come")
	return so
}

func (of *tampered) change(logs plog.Logs) []plog.Logs {
	of.mu.Lock()
	defer of.mu.Unlock()
	var ids []string
	each := func(f func(id string, lr plog.LogRecord) (remove bool)) {
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool {
					id, stamped := lr.Attributes().Get(seal.IDKey)
					return stamped && f(id.AsString(), lr)
				})
			}
		}
	}
	each(func(id string, _ plog.LogRecord) bool { ids = append(ids, id); return false })
	if of.wanted && len(ids) >= 2 {
		of.wanted = false
		of.altered[ids[0]], of.dropped[ids[1]] = true, true
	}
	each(func(id string, lr plog.LogRecord) bool {
		if of.altered[id] {
			lr.Body().SetStr(strings.Replace(lr.Body().AsString(), "GET", "PUT", 1))
		}
		return of.dropped[id]
	})
	return []plog.Logs{logs}
}

// flow writes lines until stop is called, some hundred a second.
func (p *watchedPath) flow() (stop func()) {
	var running sync.WaitGroup
	end := make(chan struct{})
	running.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				p.write(20)
			}
		}
	})
	return sync.OnceFunc(func() {
		close(end)
		running.Wait()
	})
}

const (
	found = "otelcol_connector_verify_found"

	// watchedLateAfter is how long a gap may fill here. What is sent again must not take as long: hastyRetries.
	watchedLateAfter = 10 * time.Second
	hastyRetries     = "yaml:exporters::siem::retry_on_failure: {initial_interval: 200ms, max_interval: 1s}"
)

func labelled(code finding.Code) string { return `code="` + string(code) + `"` }

// found is how many records and seals a process has found to be of a code since its start.
func (p *watchedPath) found(by *testbed.Process, code finding.Code) int {
	p.Helper()
	n, err := by.Metric(p.Context(), found, labelled(code))
	require.NoError(p, err)
	return int(n)
}

// verifies waits until a process judges what comes now.
func (p *watchedPath) verifies(by *testbed.Process) {
	p.Helper()
	n, err := by.Metric(p.Context(), "otelcol_connector_verify_lag_records")
	require.NoError(p, err)
	p.judged(by, int(n)+100)
}

// TestRestarts: agent and gateway are stopped and killed, one and both, in every order, while records flow through ten consumers. That raises no
// alarm, and afterwards a record that is altered and one that is taken out are found. LOGSEAL_LONG=1 goes through all orders.
func TestRestarts(t *testing.T) {
	all := restarts()
	const sites = 2
	for site := range sites {
		t.Run(fmt.Sprint(site), func(t *testing.T) {
			t.Parallel()
			p := newPath(t)
			p.site.Agent.Args = []string{"--config", "yaml:exporters::siem::sending_queue::num_consumers: 10", "--config", hastyRetries, "--config", "yaml:processors::stamp::seal::interval: 100ms"}
			p.site.Gateway.Env["LOGSEAL_LATE_AFTER"] = watchedLateAfter.String()
			t.Cleanup(func() {
				if t.Failed() {
					for _, a := range p.alarms.List {
						t.Log(a.At, a.State, a.Code, a.IDs, a.Message)
					}
				}
			})
			p.site.Agent.Env["LOGSEAL_HEARTBEAT"] = "1s"
			r := restarting{watchedPath: p, did: &tampered{altered: map[string]bool{}, dropped: map[string]bool{}}, told: []finding.Code{finding.Altered, finding.Missing}}
			p.middle.Do(r.did.change)
			siem := start(t, p.site.SIEM)
			r.gateway, r.agent = start(t, p.site.Gateway), start(t, p.site.Agent)
			stop := p.flow()
			defer stop()
			p.verifies(r.gateway)
			for i := site; i < len(all); i += sites {
				began := time.Now()
				r.restart(all[i])
				r.attack(all[i].gateway == kill)
				t.Logf("%s: %s", all[i], time.Since(began).Round(100*time.Millisecond))
			}
			stop()
			r.end(siem)
		})
	}
}

// restarting is an agent and a gateway that are restarted, and what was done to their records.
type restarting struct {
	*watchedPath
	agent, gateway *testbed.Process
	did            *tampered
	told           []finding.Code // what alarms may be of
}

func (r *restarting) restart(how restart) {
	r.Helper()
	end := func(process *testbed.Process, how manner) {
		switch how {
		case stop:
			require.NoError(r, process.Stop(time.Minute))
		case kill:
			process.Kill()
		}
	}
	order := func(agentFirst bool, agent, gateway func()) {
		if agentFirst {
			agent, gateway = gateway, agent
		}
		gateway()
		agent()
	}
	began := time.Now()
	order(how.agentEnds, func() { end(r.agent, how.agent) }, func() { end(r.gateway, how.gateway) })
	order(how.agentIsUp, func() {
		if how.agent != stays {
			r.agent = start(r.T, r.site.Agent)
		}
	}, func() {
		if how.gateway != stays {
			r.gateway = start(r.T, r.site.Gateway)
		}
	})
	if time.Since(began) > watchedLateAfter/2 { // on a machine that has so much else to do, what a kill held up is late indeed, and that is told until it comes
		r.told = append(r.told, finding.BadSeal, finding.MissingSeal, finding.Late)
	}
	r.verifies(r.gateway)
	r.noAlarmBut(r.alarms, r.told...)
}

// attack alters a record and takes one out, which the gateway finds. For some time after a kill what is missing may have come before, and is
// UNCHECKED: if that is not over, it is done again.
func (r *restarting) attack(killed bool) {
	r.Helper()
	if killed {
		<-time.After(watchedLateAfter)
	}
	altered, missing := r.found(r.gateway, finding.Altered), r.found(r.gateway, finding.Missing)
	for n := 1; ; n++ {
		r.tamper(r.did)
		awaitMetric(r.T, r.gateway, found, float64(altered+n), labelled(finding.Altered))
		wait := time.Minute
		if killed && n < 10 {
			wait = 2 * watchedLateAfter
		}
		err := testbed.Until(deadline(r.T, wait), func() (bool, error) { return r.found(r.gateway, finding.Missing) > missing, nil })
		if err == nil {
			assert.Equal(r, altered+n, r.found(r.gateway, finding.Altered))
			break
		}
		require.True(r, killed && n < 10, "the record that was taken out is not found")
	}
	r.noAlarmBut(r.alarms, r.told...)
}

// noAlarmBut requires that nothing is called tampered but what is of these codes.
func (p *watchedPath) noAlarmBut(alarms *testbed.Alarms, codes ...finding.Code) {
	p.Helper()
	require.NoError(p, alarms.Read())
	for _, alarm := range alarms.List {
		if alarm.Code.Verdict() == finding.Tampered {
			require.Contains(p, codes, alarm.Code, alarm.Message)
		}
	}
}

// complete verifies the archive once it is complete, as of now, of these hosts.
func (s *stream) complete(trust []seal.Trust, hosts ...string) (report *verifier.Report) {
	s.Helper()
	now := time.Now()
	require.NoError(s, testbed.Until(deadline(s.T, time.Minute), func() (bool, error) {
		report = s.report(trust)
		n := 0
		for _, of := range report.Streams {
			if slices.Contains(hosts, of.Name) && of.CompleteAsOf.After(now) {
				n++
			}
		}
		return n == len(hosts), nil
	}))
	return report
}

// end compares what the SIEM says that was never restarted, by its watcher and from its archive, with what was done.
func (r *restarting) end(siem *testbed.Process) {
	r.Helper()
	n := len(r.did.altered)
	awaitMetric(r.T, siem, found, float64(n), labelled(finding.Altered))
	assert.Equal(r, n, r.found(siem, finding.Altered))
	r.noAlarmBut(r.site.SIEM.Alarms(), finding.Altered, finding.Missing)
	report := r.complete(r.trust(), "web-17")
	got := map[finding.Code]map[string]bool{finding.Altered: {}, finding.Missing: {}}
	for _, f := range report.Findings {
		if ids := got[f.Code]; ids != nil {
			assert.Equal(r, uint64(1), f.Count)
			ids[f.ID] = true
		} else if f.Code != finding.Unresolved { // the others of their groups
			assert.NotEqual(r, finding.Tampered, f.Verdict(), f.Message())
		}
	}
	assert.Equal(r, slices.Sorted(maps.Keys(r.did.altered)), slices.Sorted(maps.Keys(got[finding.Altered])))
	assert.Equal(r, slices.Sorted(maps.Keys(r.did.dropped)), slices.Sorted(maps.Keys(got[finding.Missing])))
}
