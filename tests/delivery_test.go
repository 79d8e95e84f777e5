// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

// repeatedByAKill is a bound for the records that one kill repeats: what an agent reads in a tenth of a second. It reads
// some 50,000 a second here, and saves its position every hundredth; what is in the queue's requests on their way is
// sent again as well.
const repeatedByAKill = 5_000

// 100,000 lines while the file is rotated, the agent is killed at random moments and the SIEM is away for a while.
func TestNothingIsLostOnSIGKILL(t *testing.T) {
	const (
		total    = 100_000
		chunk    = 250
		rotateAt = 17_000 // lines a file
	)
	site := newSite(t)
	logs := filepath.Join(site.Dir, "logs")
	require.NoError(t, os.Mkdir(logs, 0o700))
	site.SetInclude(filepath.Join(logs, "app.log*"))
	archive := testbed.Archive{Path: site.ArchivePath()}
	tally := testbed.Tally{Prefix: "kill line "}

	siem := start(t, site.SIEM)
	start(t, site.Gateway)
	agent := start(t, site.Agent)

	current := filepath.Join(logs, "app.log")
	kills, sinceKill, killAfter := 0, time.Now(), 300*time.Millisecond
	for written := 0; written < total; written += chunk {
		if written > 0 && written%rotateAt < chunk {
			require.NoError(t, os.Rename(current, fmt.Sprintf("%s.%d", current, written)))
		}
		appendFile(t, current, lines(tally.Prefix, written, written+chunk))
		if time.Since(sinceKill) > killAfter {
			agent.Kill()
			kills++
			agent = start(t, site.Agent)
			sinceKill, killAfter = time.Now(), time.Duration(100+rand.IntN(700))*time.Millisecond
		}
		switch written / chunk {
		case total / chunk / 3:
			require.NoError(t, siem.Stop(time.Minute))
		case total / chunk / 2:
			siem = start(t, site.SIEM)
		}
		<-time.After(20 * time.Millisecond) // a writer's pace: 10,000 lines a second or so
	}
	awaitLines(t, &archive, &tally, total, 3*time.Minute)
	t.Logf("%d lines, %d kills, %d duplicates (%.2f %%)", total, kills, tally.Duplicates, 100*float64(tally.Duplicates)/total)
	require.GreaterOrEqual(t, kills, 8, "too few kills to mean anything")
	require.Less(t, tally.Duplicates, kills*repeatedByAKill)
	require.Zero(t, tally.Others)
}

// A host that has a backlog when the agent starts, and an agent that is killed before it has caught up: it goes on where it
// was, instead of reading the same lines again and again.
func TestKillsWithABacklogRepeatLittle(t *testing.T) {
	const backlog = 200_000
	site := newSite(t)
	site.AgentToSIEM()
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	archive := testbed.Archive{Path: site.ArchivePath()}
	tally := testbed.Tally{Prefix: "backlog line "}
	total := 0
	more := func() {
		appendFile(t, logFile, lines(tally.Prefix, total, total+backlog))
		total += backlog
	}
	more()

	start(t, site.SIEM)
	agent := start(t, site.Agent)
	kills := 0
	for ; kills < 5; kills++ {
		behind, seen := deadline(t, 2*time.Minute), tally.Seen()
		require.NoError(t, testbed.Until(behind, func() (bool, error) {
			_, err := archive.Read(tally.Add)
			return tally.Seen() >= seen+5_000, err
		}), "no progress since the last kill")
		if total-tally.Seen() < backlog/2 {
			more() // on a fast machine
		}
		agent.Kill()
		agent = start(t, site.Agent)
	}
	awaitLines(t, &archive, &tally, total, 2*time.Minute)
	t.Logf("%d lines, %d kills, %d duplicates", total, kills, tally.Duplicates)
	require.Less(t, tally.Duplicates, kills*repeatedByAKill)
}

// A stop while nobody takes the data: the receiver is blocked on a full queue.
func TestStopWithFullQueue(t *testing.T) {
	const total = 20_000
	site := newSite(t)
	site.AgentToSIEM()
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	tally := testbed.Tally{Prefix: "full line "}
	appendFile(t, logFile, lines(tally.Prefix, 0, total))

	// The SIEM is down. 20 requests of 100 lines fill the queue, and the receiver waits with the next.
	small := site.Agent
	small.Args = []string{"--config", "yaml:exporters::siem::sending_queue: {sizer: requests, queue_size: 20}"}
	agent := start(t, small)
	awaitMetric(t, agent, "otelcol_exporter_queue_size", 20)
	stopping := time.Now()
	require.NoError(t, agent.Stop(time.Minute), "the agent must stop by itself")
	t.Logf("stopped in %s with a full queue", time.Since(stopping).Round(10*time.Millisecond))

	start(t, site.SIEM)
	start(t, small)
	archive := testbed.Archive{Path: site.ArchivePath()}
	awaitLines(t, &archive, &tally, total, 2*time.Minute)
	t.Logf("%d lines, %d duplicates", total, tally.Duplicates)
}

// SIGTERM again and again while lines flow: a graceful stop loses as little as a kill.
func TestNothingIsLostOnSIGTERM(t *testing.T) {
	const total = 20_000
	site := newSite(t)
	site.AgentToSIEM()
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	archive := testbed.Archive{Path: site.ArchivePath()}
	tally := testbed.Tally{Prefix: "term line "}
	start(t, site.SIEM)
	agent := start(t, site.Agent)
	for written := 0; written < total; written += 100 {
		appendFile(t, logFile, lines(tally.Prefix, written, written+100))
		if written%4000 == 3900 {
			require.NoError(t, agent.Signal(syscall.SIGTERM))
			<-agent.Done()
			agent = start(t, site.Agent)
		}
	}
	awaitLines(t, &archive, &tally, total, time.Minute)
	t.Logf("%d lines, %d duplicates", total, tally.Duplicates)
}
