// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
)

const (
	systemLogLimit = 32 << 20 // bytes of /var/log that the demonstration ships
	stopTimeout    = time.Minute
	// A retry of the exporter comes after 5 to 8 s at first, then later each time.
	arrivalTimeout = 2 * time.Minute
)

// stage is what the drills play on: three processes, the file that they append to and the archive at the other end.
type stage struct {
	Options
	site      *testbed.Site
	logFile   string
	floodFile string
	written   int
	wrote     time.Time // the last time

	siem, gateway, agent *testbed.Process

	archive testbed.Archive
	tally   testbed.Tally
	each    func(plog.ResourceLogs, plog.LogRecord) // sees every record too, unless nil

	started, counted time.Time
}

func newStage(ctx context.Context, o Options) (*stage, error) {
	site, err := testbed.NewSite(o.Dir, o.Collector)
	if err != nil {
		return nil, err
	}
	s := &stage{
		Options: o, site: site, started: time.Now(), logFile: filepath.Join(o.Dir, "app.log"),
		floodFile: filepath.Join(o.Dir, "flood.log"),
		archive:   testbed.Archive{Path: site.ArchivePath()},
		// Another work folder's lines, or a former run's in the same one, are not this run's.
		tally: testbed.Tally{Prefix: fmt.Sprintf("%08x line ", uint32(time.Now().UnixNano()))},
	}
	paths, leftOut := systemLogs(systemLogLimit)
	site.SetInclude(append([]string{s.logFile, s.floodFile}, paths...)...)
	site.Agent.Env["LOGSEAL_HOST_NAME"], _ = os.Hostname()

	s.say("Work folder   %s", o.Dir)
	s.say("Real logs     %d files of /var/log%s, and %s", len(paths), leftOutText(leftOut), s.logFile)
	s.say("Path          agent -> gateway %s -> SIEM %s; TLS 1.3, pinned keys, a queue on disk at each hop",
		site.Gateway.Env["LOGSEAL_LISTEN"], site.SIEM.Env["LOGSEAL_LISTEN"])
	for _, path := range []string{s.logFile, s.floodFile} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return nil, err
		}
	}
	for _, start := range []struct {
		collector testbed.Collector
		process   **testbed.Process
	}{{site.SIEM, &s.siem}, {site.Gateway, &s.gateway}, {site.Agent, &s.agent}} {
		p, err := start.collector.Start(ctx)
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		*start.process = p
		s.say("Started       %s", p.Name)
	}
	return s, nil
}

// stop ends the processes in the direction of the flow, so that each can still hand on what it holds.
func (s *stage) stop() error {
	var errs error
	for _, p := range []*testbed.Process{s.agent, s.gateway, s.siem} {
		if p != nil {
			errs = errors.Join(errs, p.Stop(stopTimeout))
		}
	}
	s.agent, s.gateway, s.siem = nil, nil, nil
	return errs
}

// write appends n ordinary lines to the log file.
func (s *stage) write(n int) error {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("user%d GET /api/v1/orders/%d 200", (s.written+i)%97, (s.written+i)*7)
	}
	return s.writeLine(texts...)
}

// writeLine appends a numbered line for each text.
func (s *stage) writeLine(texts ...string) error {
	f, err := os.OpenFile(s.logFile, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, text := range texts {
		fmt.Fprintf(&b, "%s%d at %s: %s\n", s.tally.Prefix, s.written, time.Now().UTC().Format(time.RFC3339Nano), text)
		s.written++
	}
	_, err = f.WriteString(b.String())
	s.wrote = time.Now()
	return errors.Join(err, f.Close())
}

// writeFor appends lines at about a thousand a second.
func (s *stage) writeFor(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		if err := s.write(50); err != nil {
			return err
		}
		if err := s.count(); err != nil {
			return err
		}
		pause(ctx, 50*time.Millisecond)
	}
	return ctx.Err()
}

// rotate renames the log file as logrotate does, .1 to .2 first, and makes a new one.
func (s *stage) rotate() error {
	for n := 8; n >= 0; n-- {
		from := s.logFile
		if n > 0 {
			from = fmt.Sprintf("%s.%d", s.logFile, n)
		}
		if err := os.Rename(from, fmt.Sprintf("%s.%d", s.logFile, n+1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return os.WriteFile(s.logFile, nil, 0o600)
}

// awaitAll returns when every line that was written is in the archive.
func (s *stage) awaitAll(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	err := testbed.Until(waiting, func() (bool, error) {
		err := s.count()
		return s.tally.Seen() == s.written, err
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	first, missing := s.tally.Missing(s.written)
	return fmt.Errorf("%d of %d lines did not arrive within %s, the first of them %v: %w", missing, s.written, arrivalTimeout, first, err)
}

// count reads what is new in the archive and shows where things stand.
func (s *stage) count() error {
	_, err := s.archive.Read(func(rl plog.ResourceLogs, lr plog.LogRecord) {
		s.tally.Add(rl, lr)
		if s.each != nil {
			s.each(rl, lr)
		}
	})
	if err != nil {
		return err
	}
	switch {
	case s.Terminal:
		fmt.Fprint(s.Out, "\r\033[K"+s.counts())
	case time.Since(s.counted) > 2*time.Second:
		s.say("%s", s.counts())
		s.counted = time.Now()
	}
	return nil
}

func (s *stage) counts() string {
	return fmt.Sprintf("  %3.0f s   written %-7d in the archive %-7d and %d of /var/log",
		time.Since(s.started).Seconds(), s.written, s.tally.Seen(), s.tally.Others)
}

// endCounts leaves the last counts on a line of their own.
func (s *stage) endCounts() {
	if s.Terminal {
		fmt.Fprint(s.Out, "\r\033[K")
	}
	s.say("%s", s.counts())
}

func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.Out, format+"\n", args...) }

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func leftOutText(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d larger ones left out)", n)
}
