// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/tlspin"
)

// arrival writes for some seconds and waits for the last line.
func arrival(ctx context.Context, s *stage) (string, error) {
	if err := s.writeFor(ctx, 5*time.Second); err != nil {
		return "", err
	}
	if err := s.awaitAll(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("all %d lines of %s are in the archive (%d twice), beside %d records of /var/log",
		s.written, s.logFile, s.tally.Duplicates, s.tally.Others), nil
}

// outage kills the SIEM in mid-stream, goes on writing, and starts it again.
func outage(ctx context.Context, s *stage) (string, error) {
	if err := s.writeFor(ctx, time.Second); err != nil {
		return "", err
	}
	s.siem.Kill()
	s.siem = nil
	before := s.written
	if err := s.writeFor(ctx, 3*time.Second); err != nil {
		return "", err
	}
	during := s.written - before
	if err := s.archive.Mend(); err != nil {
		return "", err
	}
	var err error
	if s.siem, err = s.site.SIEM.Start(ctx); err != nil {
		return "", err
	}
	if err := s.awaitAll(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("SIGKILL, 3 s away, back: all %d lines are in the archive, %d of them written meanwhile (%d twice)",
		s.written, during, s.tally.Duplicates), nil
}

// rotation rotates the file twice while the gateway is away and the agent is stopped: nobody reads it under its first name.
func rotation(ctx context.Context, s *stage) (string, error) {
	if err := s.awaitAll(ctx); err != nil { // requests under way would be sent twice
		return "", err
	}
	before, twice := s.written, s.tally.Duplicates
	if err := s.gateway.Stop(stopTimeout); err != nil {
		return "", err
	}
	s.gateway = nil
	if err := s.agent.Stop(stopTimeout); err != nil {
		return "", err
	}
	s.agent = nil
	for _, step := range []func() error{
		func() error { return s.write(1000) },
		func() error { return s.rotate() },
		func() error { return s.write(1000) },
		func() error { return s.rotate() },
		func() (err error) { s.agent, err = s.site.Agent.Start(ctx); return err },
		func() error { return s.writeFor(ctx, time.Second) },
		func() error { return s.rotate() },
		func() error { return s.writeFor(ctx, time.Second) },
		func() (err error) { s.gateway, err = s.site.Gateway.Start(ctx); return err },
		func() error { return s.awaitAll(ctx) },
	} {
		if err := step(); err != nil {
			return "", err
		}
	}
	if n := s.tally.Duplicates - twice; n > 0 {
		return "", fmt.Errorf("%d lines arrived twice", n)
	}
	return fmt.Sprintf("gateway away, agent restarted, the file renamed three times: all %d lines written meanwhile are in the archive, none twice",
		s.written-before), nil
}

// impostor puts another server in the SIEM's place: the same name, a certificate of the same CA, another key.
func impostor(ctx context.Context, s *stage) (string, error) {
	if err := s.siem.Stop(stopTimeout); err != nil {
		return "", err
	}
	s.siem = nil
	fake, err := s.site.Impostor.Start(ctx)
	if err != nil {
		return "", err
	}
	before := s.written
	err = s.writeFor(ctx, 2*time.Second)
	if err == nil {
		waiting, cancel := context.WithTimeout(ctx, arrivalTimeout)
		defer cancel()
		err = testbed.Until(waiting, func() (bool, error) { return s.gateway.LogContains(tlspin.ErrMismatch.Error()), nil })
		if err != nil {
			err = fmt.Errorf("the gateway did not report a refused handshake in %s: %w", s.gateway.LogFile(), err)
		}
	}
	if stopErr := fake.Stop(stopTimeout); err == nil {
		err = stopErr
	}
	stolen := testbed.Archive{Path: fake.Env["LOGSEAL_ARCHIVE"]}
	records, readErr := stolen.Read(nil)
	if err == nil {
		err = readErr
	}
	if err == nil && records > 0 {
		err = fmt.Errorf("the impostor received %d records", records)
	}
	if s.siem, readErr = s.site.SIEM.Start(ctx); err == nil {
		err = readErr
	}
	if err != nil {
		return "", err
	}
	if err := s.awaitAll(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("it was refused during the handshake and received 0 records; the %d lines written meanwhile went to the right SIEM when it was back",
		s.written-before), nil
}
