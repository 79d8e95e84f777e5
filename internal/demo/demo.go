// SPDX-License-Identifier: Apache-2.0

// Package demo runs the product before one's eyes: a stand-in SIEM, a gateway and an agent as real processes, from the
// configurations that ship, on this machine's own logs; and the drills that show what is promised.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options of a run.
type Options struct {
	Collector    string    // path of otelcol-logseal
	VictoriaLogs string    // path of victoria-logs, the log store of one of the drills; without it that is left out
	Dir          string    // work folder; a new one when empty
	Drills       []string  // names; all when empty
	KeepRunning  bool      // leave everything up until ctx ends
	Out          io.Writer // what a person reads
	Terminal     bool      // Out is a terminal: the counts may be rewritten in place
}

// ErrFailed is returned when a drill did not hold. What went wrong has been written to Options.Out by then.
var ErrFailed = errors.New("a drill failed")

// drill shows one promise. It returns a sentence with the figures, or an error.
type drill struct {
	name    string
	promise string
	run     func(context.Context, *stage) (string, error)
	without func(Options) string // why it is left out, empty if it is not; nil for one that never is
}

// leftOut says why the drill is left out, empty if it is not.
func (d *drill) leftOut(o Options) string {
	if d.without == nil {
		return ""
	}
	return d.without(o)
}

// drills run in this order, on the same processes.
var drills = []drill{
	{name: "arrival", promise: "every line of the file arrives", run: arrival},
	{name: "outage", promise: "with the SIEM killed and restarted nothing is lost", run: outage},
	{name: "rotation", promise: "a log that is rotated during an outage, unread, is read under its new name", run: rotation},
	{name: "impostor", promise: "an impostor with a valid certificate but another key receives nothing", run: impostor},
	{name: "secrets", promise: "secrets in a log do not leave the host", run: secretsDrill},
	{name: "flood", promise: "a file that is flooded takes nothing from another, and what is shed is on record", run: flood},
	{name: "kill", promise: "with the agent killed in mid-stream nothing is lost, and the archive verifies", run: kill},
	{name: "tamper", promise: "whoever alters a byte of the archive or takes out a line is found out, and the records are named", run: tamper},
	{name: "watch", promise: "what is done to logs on the way to the SIEM shows within seconds, and so does a host that falls silent", run: watchDrill},
	{name: "store", promise: "what a log store gives back is proven, and what is done to it in the store is found", run: storeDrill, without: noStore},
	{name: "verify", promise: "every record in the SIEM's archive is what the agent stamped, and none is missing", run: verify},
}

// DrillNames lists the drills with what each shows.
func DrillNames() []string {
	names := make([]string, 0, len(drills))
	for _, d := range drills {
		names = append(names, fmt.Sprintf("%-10s %s", d.name, d.promise))
	}
	return names
}

// Run makes the work folder, starts everything, runs the drills and stops everything. Its error is ErrFailed when a drill
// did not hold; anything else means that the demonstration itself could not run.
func Run(ctx context.Context, o Options) (err error) {
	chosen, err := choose(o.Drills)
	if err != nil {
		return err
	}
	if _, err := os.Stat(o.Collector); err != nil {
		return fmt.Errorf("the collector %s is not there: run `make build`, or name it with --collector", o.Collector)
	}
	for _, d := range chosen {
		if why := d.leftOut(o); why != "" && len(o.Drills) > 0 {
			return fmt.Errorf("the drill %s cannot run: %s", d.name, why)
		}
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "logseal-demo-"); err != nil {
			return err
		}
	} else if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}

	started := time.Now()
	s, err := newStage(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()

	failed, leftOut := 0, 0
	for _, d := range chosen {
		s.say("\n%s: %s", d.name, d.promise)
		if why := d.leftOut(o); why != "" {
			leftOut++
			s.say("  LEFT OUT  %s", why)
			continue
		}
		result, err := d.run(ctx, s)
		s.endCounts()
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case err != nil:
			failed++
			s.say("  FAILED  %v", err)
		default:
			s.say("  PROVED  %s", result)
		}
	}

	if err := s.writeTrust(); err != nil {
		return err
	}
	s.say("\nWhere things lie: %s", o.Dir)
	s.say("  archive.jsonl   the SIEM's archive, OTLP JSON lines")
	s.say("  app.log         the file that was appended to; flood.log the one that was flooded")
	s.say("  *.yaml *.log    configuration and own log of siem, gateway and agent")
	s.say("  pki/            keys and certificates")
	s.say("  watch/          the same of the drill watch; state/siem/findings.jsonl is what was found")
	s.say("  store/          those of the drill store: what was fetched, evidence.json and evidence.html")
	s.say("  state/          queues and keys of siem, gateway and agent")
	s.say("  streams.trust   the trust lines of all that seal here")
	if len(o.Drills) == 0 { // the last drill has waited for all that was under way
		s.say("Verify it yourself: bin/logseal verify --trust %s/streams.trust %[1]s/archive.jsonl", o.Dir)
	}
	if o.KeepRunning {
		s.say("\nEverything is left up. Append a line to %s and look for it in archive.jsonl; Ctrl-C ends.", s.logFile)
		<-ctx.Done()
	}
	if failed > 0 {
		s.say("\n%d of %d drills FAILED after %s.", failed, len(chosen), time.Since(started).Round(time.Second))
		return ErrFailed
	}
	s.say("\n%s, in %s.", outcome(len(chosen)-leftOut, leftOut), time.Since(started).Round(time.Second))
	return nil
}

// outcome says how it ended when no drill failed.
func outcome(held, leftOut int) string {
	text := fmt.Sprintf("All %d drills held", held)
	if held == 1 {
		text = "The drill held"
	}
	switch leftOut {
	case 0:
	case 1:
		text += ", 1 was left out"
	default:
		text += fmt.Sprintf(", %d were left out", leftOut)
	}
	return text
}

func choose(names []string) ([]drill, error) {
	if len(names) == 0 {
		return drills, nil
	}
	var chosen []drill
	for _, d := range drills {
		if slices.Contains(names, d.name) {
			chosen = append(chosen, d)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(drills, func(d drill) bool { return d.name == name }) {
			return nil, fmt.Errorf("there is no drill %q; there are:\n  %s", name, strings.Join(DrillNames(), "\n  "))
		}
	}
	return chosen, nil
}

// systemLogs returns the text files under /var/log that this user can read, smaller than limit bytes together. Larger
// ones are left out, the largest first: a demonstration of a minute does not ship gigabytes.
func systemLogs(limit int64) (paths []string, leftOut int) {
	type file struct {
		path string
		size int64
	}
	var files []file
	_ = filepath.WalkDir("/var/log", func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // unreadable folders are passed over
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 && isText(path) {
			files = append(files, file{path, info.Size()})
		}
		return nil
	})
	slices.SortFunc(files, func(a, b file) int { return int(a.size - b.size) })
	for _, f := range files {
		if limit -= f.size; limit < 0 {
			leftOut++
			continue
		}
		paths = append(paths, f.path)
	}
	return paths, leftOut
}

// isText tells a log from a journal, a login database or an archive: those hold zero bytes at their start.
func isText(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := f.Read(head)
	return err == nil && !slices.Contains(head[:n], 0) && !strings.HasPrefix(string(head[:n]), "\x1f\x8b")
}
