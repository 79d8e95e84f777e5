// SPDX-License-Identifier: Apache-2.0

// Command bench measures whole processes side by side, in alternating pairs, on new input each run:
//
//	go run ./tests/bench -h
//	go run ./tests/bench siem stamp
//
// CPU seconds count from the start of the process until everything is delivered and the process has exited by itself,
// children included. Both sides of a pair read the same file, with the same GOGC, compression and queue. The scenario
// peers has rounds of all peers instead of pairs, rsyslog and syslog-ng among them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	collector string
	lines     int
	pairs     int
	light     time.Duration
	syslogNG  string
	before    string
	only      string

	backlogMiB int64
	memoryMiB  int
	dir        string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// work is what can be named on the command line.
type work struct {
	name  string
	title string
	run   func(context.Context, options) error
}

func allWork() []work {
	var all []work
	for _, s := range scenarios {
		all = append(all, work{s.name, s.title, func(ctx context.Context, o options) error { return measure(ctx, o, s) }})
	}
	return append(all,
		work{"backlog", "how fast a large queue on disk drains, against a small one", measureBacklog},
		work{"watch", "the shipped gateway with the connector verify, and without", measureWatch},
		work{"peers", "the shipped agent beside itself with other protocols, the stock otlp_grpc, rsyslog and syslog-ng", measurePeers},
	)
}

func run(ctx context.Context) error {
	var o options
	all := allWork()
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.collector, "collector", "bin/otelcol-logseal", "the collector to measure")
	flags.IntVar(&o.lines, "lines", 1_000_000, "lines of the heavy load")
	flags.IntVar(&o.pairs, "pairs", 7, "alternating pairs of the heavy load, rounds of peers")
	flags.DurationVar(&o.light, "light", time.Minute, "length of the light load of 50 records/s; 0 leaves it out")
	flags.StringVar(&o.syslogNG, "syslog-ng", "/", "`folder` that syslog-ng's packages were unpacked into, for peers")
	flags.StringVar(&o.before, "before", "", "`folder` of a source tree built before, for peers and watch: measured beside this one; for peers what is stock is taken from it")
	flags.StringVar(&o.only, "only", "", "`peers` that take part beside the agent, separated by commas; all when it is empty")
	flags.Int64Var(&o.backlogMiB, "backlog", 8192, "MiB that wait in the large queue of backlog")
	flags.IntVar(&o.memoryMiB, "memory", 512, "MiB of memory and page cache that the agent has in backlog, by a cgroup")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: bench [flags] [SCENARIO…]\n\nScenarios (all when none is named):\n")
		for _, w := range all {
			fmt.Fprintf(flags.Output(), "  %-22s %s\n", w.name, w.title)
		}
		fmt.Fprintln(flags.Output(), "\nFlags:")
		flags.PrintDefaults()
	}
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	var err error
	if o.collector, err = filepath.Abs(o.collector); err != nil {
		return err
	}
	if o.syslogNG, err = filepath.Abs(o.syslogNG); err != nil {
		return err
	}
	if _, err := os.Stat(o.collector); err != nil {
		return fmt.Errorf("%w: run `make build` first", err)
	}
	if o.dir, err = os.MkdirTemp("", "logseal-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)

	for _, name := range flags.Args() {
		if !slices.ContainsFunc(all, func(w work) bool { return strings.HasPrefix(w.name, name) }) {
			return fmt.Errorf("there is no scenario %q; bench -h lists them", name)
		}
	}
	fmt.Printf("%d cores, %s/%s, %s; %d lines, %d pairs\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), o.lines, o.pairs)
	for _, w := range all {
		chosen := len(flags.Args()) == 0 || slices.ContainsFunc(flags.Args(), func(name string) bool { return strings.HasPrefix(w.name, name) })
		if !chosen {
			continue
		}
		fmt.Printf("\n%s: %s\n", w.name, w.title)
		if err := w.run(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

// measure runs a scenario's pairs and prints its table.
func measure(ctx context.Context, o options, s scenario) error {
	var a, b []sample
	for pair := range o.pairs {
		order := []int{0, 1}
		if pair%2 == 1 {
			order = []int{1, 0}
		}
		input := filepath.Join(o.dir, "input.log")
		if err := writeAccessLog(input, o.lines, uint64(time.Now().UnixNano())); err != nil {
			return err
		}
		for _, side := range order {
			got, err := heavy(ctx, o, s, side, input)
			if err != nil {
				return fmt.Errorf("%s: %w", s.sides[side].name, err)
			}
			if side == 0 {
				a = append(a, got)
			} else {
				b = append(b, got)
			}
		}
		progress("pair %d of %d: %s %.2f s, %s %.2f s", pair+1, o.pairs, s.sides[0].name, a[pair].cpu.Seconds(), s.sides[1].name, b[pair].cpu.Seconds())
	}
	progress("")
	printTable(s, fmt.Sprintf("%d lines", o.lines), o.lines, a, b)
	if o.light <= 0 {
		return nil
	}
	progress("light load: 50 records/s for %s, both at the same time", o.light)
	la, lb, records, err := light(ctx, o, s)
	if err != nil {
		return fmt.Errorf("light load: %w", err)
	}
	progress("")
	printTable(s, fmt.Sprintf("50 records/s for %s", o.light), records, []sample{la}, []sample{lb})
	return nil
}

// sample is what one process cost.
type sample struct {
	cpu time.Duration
	rss int64 // bytes, peak
}

func printTable(s scenario, load string, records int, a, b []sample) {
	fmt.Printf("  %-24s %-18s %10s %12s %10s\n", load, "", "CPU s", "µs/record", "RSS MiB")
	for i, samples := range [][]sample{a, b} {
		cpu := median(samples, func(s sample) float64 { return s.cpu.Seconds() })
		rss := median(samples, func(s sample) float64 { return float64(s.rss) / (1 << 20) })
		fmt.Printf("  %-24s %-18s %10.2f %12.2f %10.0f\n", "", s.sides[i].name, cpu, cpu*1e6/float64(records), rss)
	}
	ratios := make([]float64, len(a))
	more := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i].cpu.Seconds() / b[i].cpu.Seconds()
		more[i] = (a[i].cpu - b[i].cpu).Seconds() * 1e6 / float64(records)
	}
	slices.Sort(ratios)
	slices.Sort(more)
	mid := len(ratios) / 2
	fmt.Printf("  median pair: %s costs %.3f times %s (%.3f to %.3f), %+.2f µs a record (%+.2f to %+.2f)\n",
		s.sides[0].name, ratios[mid], s.sides[1].name, ratios[0], ratios[len(ratios)-1], more[mid], more[0], more[len(more)-1])
}

func median[T any](samples []T, figure func(T) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// progress rewrites one line on standard error.
func progress(format string, args ...any) {
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return
	}
	fmt.Fprintf(os.Stderr, "\r\033[K"+format, args...)
}
