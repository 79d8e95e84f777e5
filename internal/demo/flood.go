// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
)

const (
	// The shipped limits are above what this machine could write in a few seconds.
	floodRecords = "2000"
	floodBurst   = "5s"
	floodFor     = 3 * time.Second
	// A line that is written while another file is flooded has to be in the archive by then. A machine that stands still for a moment is no
	// flood's fault, so it is flooded again if that is not so.
	quietWithin = 2 * time.Second
	floods      = 3
)

// flood writes one file at full speed while another gets a line now and then. It counts every line of both, and asks the
// reports in the archive whether they say the same.
func flood(ctx context.Context, s *stage) (string, error) {
	env := s.site.Agent.Env
	env["LOGSEAL_FLOOD_RECORDS"], env["LOGSEAL_FLOOD_BURST"] = floodRecords, floodBurst
	if err := s.restartAgent(ctx); err != nil {
		return "", err
	}
	prefix := strings.TrimSuffix(s.tally.Prefix, "line ") + "flood "
	kept := testbed.Tally{Prefix: prefix}
	var shed, reports int64
	s.each = func(rl plog.ResourceLogs, lr plog.LogRecord) {
		kept.Add(rl, lr)
		if lr.EventName() == "logseal.flood" {
			n, _ := lr.Attributes().Get("logseal.flood.shed.records")
			shed += n.Int()
			reports++
		}
	}
	defer func() { s.each = nil }()

	written, before := 0, 0
	var waited []time.Duration
	for range floods {
		before = written
		var err error
		if waited, written, err = s.quietDuringFlood(ctx, prefix, written); err != nil {
			return "", err
		}
		if slices.Max(waited) <= quietWithin {
			break
		}
	}
	if longest := slices.Max(waited); longest > quietWithin {
		return "", fmt.Errorf("a line of %s took %s to the archive, during each of %d floods of %s", s.logFile, longest.Round(time.Millisecond), floods, s.floodFile)
	}
	// The report of the end comes with the interval after the last.
	waiting, stop := context.WithTimeout(ctx, arrivalTimeout)
	defer stop()
	err := testbed.Until(waiting, func() (bool, error) {
		err := s.count()
		return int64(kept.Seen())+shed >= int64(written), err
	})
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if sum := int64(kept.Seen()) + shed; err != nil || sum != int64(written) || kept.Duplicates > 0 {
		return "", fmt.Errorf("%d lines were written, %d are in the archive (%d twice), and the reports say that %d were shed: %w",
			written, kept.Seen(), kept.Duplicates, shed, errors.Join(err, ctx.Err()))
	}
	delete(env, "LOGSEAL_FLOOD_RECORDS")
	delete(env, "LOGSEAL_FLOOD_BURST")
	if err := s.restartAgent(ctx); err != nil {
		return "", err
	}
	if err := s.write(1); err != nil {
		return "", err
	}
	if err := s.awaitAll(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d lines a second into %s: %d kept + %d shed = %d written, as %d reports in the archive say; each of %d lines of another file was there within %s",
		int(float64(written-before)/floodFor.Seconds()), s.floodFile, kept.Seen(), shed, written, reports, len(waited), slices.Max(waited).Round(10*time.Millisecond)), nil
}

// quietDuringFlood floods one file, from a number of lines on, and returns how long each line of the other took to the archive meanwhile, and
// how many of the flood have been written in all.
func (s *stage) quietDuringFlood(ctx context.Context, prefix string, from int) ([]time.Duration, int, error) {
	flooding, cancel := context.WithTimeout(ctx, floodFor)
	defer cancel()
	written, writing := 0, make(chan error, 1)
	go func() {
		var err error
		written, err = writeFlood(flooding, s.floodFile, prefix, from)
		writing <- err
	}()
	var waited []time.Duration
	for flooding.Err() == nil {
		if err := s.write(1); err != nil {
			return nil, from, err
		}
		if err := s.awaitAll(ctx); err != nil {
			return nil, from, err
		}
		waited = append(waited, time.Since(s.wrote))
		pause(ctx, 50*time.Millisecond)
	}
	err := <-writing
	return waited, written, err
}

// writeFlood writes lines with the numbers from n on until ctx ends, and returns the next number.
func writeFlood(ctx context.Context, path, prefix string, n int) (next int, err error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// A line at a time, as programs write.
	for ; ctx.Err() == nil; n++ {
		if _, err := fmt.Fprintf(f, "%s%d retrying connection to 10.0.0.%d:5432: connection refused\n", prefix, n, n%256); err != nil {
			return n, err
		}
	}
	return n, nil
}

// restartAgent stops the agent and starts it with the environment as it is now.
func (s *stage) restartAgent(ctx context.Context) (err error) {
	if err := s.agent.Stop(stopTimeout); err != nil {
		return err
	}
	s.agent = nil
	s.agent, err = s.site.Agent.Start(ctx)
	return err
}
