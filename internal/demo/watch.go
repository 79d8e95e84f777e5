// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// watched is an agent, a gateway and a SIEM of their own, with a man in the middle of the last two: what he does to the logs must not be
// in the archive that the other drills look at.
type watched struct {
	site                 *testbed.Site
	middle               *testbed.Middle
	siem, gateway, agent *testbed.Process
	alarms               *testbed.Alarms // of the SIEM
	logFile              string
	written              int
}

// The SIEM waits as long as a demonstration may: by default 30 s for what comes late, and three minutes for a silent host.
const (
	demoLateAfter   = "5s"
	demoSilentAfter = "3s"
	demoHeartbeat   = "1s"
)

func newWatched(ctx context.Context, s *stage) (w *watched, err error) {
	w = &watched{logFile: filepath.Join(s.Dir, "watch", "app.log")}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.stop())
		}
	}()
	if w.site, err = testbed.NewSite(filepath.Join(s.Dir, "watch"), s.Collector); err != nil {
		return w, err
	}
	if err := os.WriteFile(w.logFile, nil, 0o600); err != nil {
		return w, err
	}
	w.site.SIEM.Env["LOGSEAL_LATE_AFTER"], w.site.SIEM.Env["LOGSEAL_SILENT_AFTER"] = demoLateAfter, demoSilentAfter
	w.site.Agent.Env["LOGSEAL_HEARTBEAT"] = demoHeartbeat
	w.site.Agent.Env["LOGSEAL_HOST_NAME"], _ = os.Hostname()
	w.site.SetInclude(w.logFile)
	if w.middle, err = w.site.NewMiddle(&w.site.Gateway, &w.site.SIEM); err != nil {
		return w, err
	}
	for _, start := range []struct {
		collector testbed.Collector
		process   **testbed.Process
	}{{w.site.SIEM, &w.siem}, {w.site.Gateway, &w.gateway}, {w.site.Agent, &w.agent}} {
		if *start.process, err = start.collector.Start(ctx); err != nil {
			return w, err
		}
	}
	w.alarms = w.site.SIEM.Alarms()
	return w, nil
}

func (w *watched) stop() error {
	var errs error
	for _, p := range []*testbed.Process{w.agent, w.gateway, w.siem} {
		if p != nil {
			errs = errors.Join(errs, p.Stop(stopTimeout))
		}
	}
	if w.middle != nil {
		errs = errors.Join(errs, w.middle.Close())
	}
	return errs
}

func (w *watched) write(n int) error {
	f, err := os.OpenFile(w.logFile, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for range n {
		_, err = fmt.Fprintf(f, "order %d was paid\n", w.written)
		w.written++
	}
	return errors.Join(err, f.Close())
}

// judged waits until the SIEM has judged so many records.
func (w *watched) judged(ctx context.Context, n int) error {
	waiting, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	err := testbed.Until(waiting, func() (bool, error) {
		judged, err := w.siem.Metric(ctx, "otelcol_connector_verify_lag_records")
		return int(judged) >= n, err
	})
	if err != nil {
		return fmt.Errorf("not all of %d records were judged: %w", n, err)
	}
	return nil
}

// alarm waits for one.
func (w *watched) alarm(ctx context.Context, code finding.Code, state watch.State) (testbed.Alarm, error) {
	var found testbed.Alarm
	waiting, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	err := testbed.Until(waiting, func() (there bool, err error) {
		if err := w.alarms.Read(); err != nil {
			return false, err
		}
		found, there = w.alarms.Find(code, state)
		return there, nil
	})
	if err != nil {
		return found, fmt.Errorf("no %s was %s: %w", code, state, err)
	}
	return found, nil
}

// watchDrill lets somebody who has the keys of gateway and SIEM do what he can to the logs between them, and freezes the agent, while the SIEM
// verifies what comes.
func watchDrill(ctx context.Context, s *stage) (result string, err error) {
	w, err := newWatched(ctx, s)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	if err := w.harmless(ctx); err != nil {
		return "", err
	}
	altered, err := w.attack(ctx, finding.Altered, alterRecord)
	if err != nil {
		return "", err
	}
	s.say("  %s", altered.said)
	missing, err := w.attack(ctx, finding.Missing, dropRecord)
	if err != nil {
		return "", err
	}
	s.say("  %s", missing.said)
	silent, resolved, err := w.freeze(ctx)
	if err != nil {
		return "", err
	}
	for _, alarm := range w.alarms.List {
		switch alarm.Code {
		case finding.Altered, finding.Unresolved, finding.Missing, finding.Silent:
		default:
			return "", fmt.Errorf("there is another finding: %s: %s", alarm.Code, alarm.Message)
		}
	}
	return fmt.Sprintf("records reordered and replayed: no finding; one altered: found after %s; one taken out: after %s; "+
		"the agent frozen: SILENT after %s, resolved %s after it went on", seconds(altered.after), seconds(missing.after), seconds(silent), seconds(resolved)), nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// harmless sends records in another order, and twice. Networks do that.
func (w *watched) harmless(ctx context.Context) error {
	var held []plog.Logs
	w.middle.Do(func(logs plog.Logs) []plog.Logs {
		if _, found := someRecord(logs); found && held == nil {
			held = []plog.Logs{logs}
			return nil
		}
		list := append([]plog.Logs{logs}, held...)
		held = nil
		return append(list, list...)
	})
	for range 10 {
		if err := w.write(50); err != nil {
			return err
		}
		pause(ctx, 200*time.Millisecond)
	}
	if err := w.judged(ctx, w.written); err != nil {
		return err
	}
	w.middle.Do(nil)
	if err := w.alarms.Read(); err != nil {
		return err
	}
	for _, alarm := range w.alarms.List {
		if alarm.Code != finding.Silent { // which a machine brings about that stands still for some seconds
			return fmt.Errorf("reordering and replay raised %s: %s", alarm.Code, alarm.Message)
		}
	}
	return nil
}

// attacked is what became of an attack.
type attacked struct {
	after time.Duration
	said  string
}

// attack does something to one record, and waits for its finding.
func (w *watched) attack(ctx context.Context, code finding.Code, do func(plog.Logs) (id string)) (attacked, error) {
	var (
		id string
		at time.Time
	)
	w.middle.Do(func(logs plog.Logs) []plog.Logs {
		if _, found := someRecord(logs); found && id == "" {
			id, at = do(logs), time.Now()
		}
		return []plog.Logs{logs}
	})
	if err := w.write(50); err != nil {
		return attacked{}, err
	}
	alarm, err := w.alarm(ctx, code, watch.Opened)
	after := time.Now()
	w.middle.Do(nil) // after it nobody writes id and at
	if err != nil {
		return attacked{}, err
	}
	if !slices.Contains(alarm.IDs, id) {
		return attacked{}, fmt.Errorf("the finding is on %v, and the record is %s: %s", alarm.IDs, id, alarm.Message)
	}
	return attacked{after.Sub(at), string(code) + ": " + alarm.Message}, nil
}

// alterRecord changes a byte of a record.
func alterRecord(logs plog.Logs) string {
	lr, _ := someRecord(logs)
	lr.Body().SetStr(strings.Replace(lr.Body().AsString(), "paid", "laid", 1))
	return recordID(lr)
}

// dropRecord takes a record out.
func dropRecord(logs plog.Logs) string {
	lr, _ := someRecord(logs)
	id := recordID(lr)
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return recordID(lr) == id })
		}
	}
	return id
}

// freeze stops the agent's process and lets it go on, and returns how long each took to be told.
func (w *watched) freeze(ctx context.Context) (silent, resolved time.Duration, err error) {
	stopped := time.Now()
	if err := w.agent.Signal(syscall.SIGSTOP); err != nil {
		return 0, 0, err
	}
	_, err = w.alarm(ctx, finding.Silent, watch.Opened)
	silent = time.Since(stopped)
	resumed := time.Now()
	if contErr := w.agent.Signal(syscall.SIGCONT); err == nil {
		err = contErr
	}
	if err != nil {
		return 0, 0, err
	}
	_, err = w.alarm(ctx, finding.Silent, watch.Resolved)
	return silent, time.Since(resumed), err
}

// someRecord returns the first record that a host has stamped.
func someRecord(logs plog.Logs) (lr plog.LogRecord, found bool) {
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if _, stamped := lr.Attributes().Get(seal.IDKey); stamped {
					return lr, true
				}
			}
		}
	}
	return lr, false
}

// recordID returns a record's id; "" of a seal.
func recordID(lr plog.LogRecord) string {
	id, stamped := lr.Attributes().Get(seal.IDKey)
	if !stamped {
		return ""
	}
	return id.AsString()
}
