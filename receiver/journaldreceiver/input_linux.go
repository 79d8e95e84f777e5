// SPDX-License-Identifier: Apache-2.0

package journaldreceiver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/journald"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

const (
	// cursorKey is where the stock receiver saves: either can go on from the other.
	cursorKey = "lastReadCursor"
	// AttributeCut counts the bytes of an entry that were left in the journal, because it is larger than 16 MiB.
	AttributeCut = "logseal.journald.cut_bytes"

	// A batch is what has arrived, up to these bounds: one request and one save.
	maxBatch      = 100
	maxBatchBytes = 1 << 20

	// What fails is tried again after the first of these, then after twice as long each time, and at last after the second: each attempt
	// writes into the collector's own log.
	restartDelay    = 2 * time.Second
	maxRestartDelay = 30 * time.Second
)

// inputConfig builds an input that emits what the stock journald_input emits.
type inputConfig struct {
	*journald.Config
	report func(error) // whether entries can come
}

func (c *inputConfig) Build(set component.TelemetrySettings) (operator.Operator, error) {
	// The stock input checks the options; it is not started.
	if _, err := c.Config.Build(set); err != nil {
		return nil, err
	}
	if c.IncludeLogRecordOriginal {
		return nil, errors.New("include_log_record_original: the body holds every field of the entry as it is, and the original would be all of it again; remove the option")
	}
	base, err := c.InputConfig.Build(set)
	if err != nil {
		return nil, err
	}
	if !c.readsEveryPriority() {
		base.Logger().Warn("journald: this priority leaves out every entry without a PRIORITY too, audit records among them; `priority: debug` leaves out none",
			zap.String("priority", c.Priority))
	}
	return &input{InputOperator: base, cfg: c}, nil
}

func (c *inputConfig) readsEveryPriority() bool {
	return slices.Contains([]string{"", everyPriority, "7"}, c.Priority)
}

// everyBoot reports whether journalctl can follow the entries of more than the last boot: only with --merge, which in a folder
// or in files changes nothing else. Without them it would also read the journals of other machines that this one keeps.
func (c *inputConfig) everyBoot() bool {
	return c.Merge || !c.Dmesg && (c.Directory != nil && *c.Directory != "" || len(c.Files) > 0)
}

// catchesUp reports whether entries of earlier boots may be there that journalctl does not show when it follows.
func (c *inputConfig) catchesUp(cursor string) bool {
	return !c.everyBoot() && !c.Dmesg && (cursor != "" || c.StartAt == "beginning")
}

// args are those of journalctl. With a cursor it begins at that entry, or at the first one after it that is still there.
func (c *inputConfig) args(cursor string, follow bool) []string {
	args := []string{"--utc", "--output=export", "--all"}
	if follow {
		args = append(args, "--follow")
	}
	switch {
	case cursor != "":
		args = append(args, "--no-tail", "--cursor="+cursor)
	case c.StartAt == "beginning":
		args = append(args, "--no-tail")
	default:
		args = append(args, "--lines=0")
	}
	for _, unit := range c.Units {
		args = append(args, "--unit="+unit)
	}
	for _, identifier := range c.Identifiers {
		args = append(args, "--identifier="+identifier)
	}
	if !c.readsEveryPriority() {
		args = append(args, "--priority="+c.Priority)
	}
	if c.Grep != "" {
		args = append(args, "--grep="+c.Grep)
	}
	if c.Dmesg {
		args = append(args, "--dmesg")
	}
	args = append(args, c.place()...)
	if c.everyBoot() {
		args = append(args, "--merge")
	}
	for i, match := range c.Matches {
		if i > 0 {
			args = append(args, "+")
		}
		var all []string
		for name, value := range match {
			all = append(all, name+"="+value)
		}
		slices.Sort(all)
		args = append(args, all...)
	}
	return args
}

// place are the arguments that say which journal is read.
func (c *inputConfig) place() (args []string) {
	if c.Namespace != "" {
		args = append(args, "--namespace="+c.Namespace)
	}
	switch {
	case c.Directory != nil && *c.Directory != "":
		args = append(args, "--directory="+*c.Directory)
	case c.Directory == nil:
		for _, file := range c.Files {
			args = append(args, "--file="+file)
		}
	}
	return args
}

type input struct {
	helper.InputOperator
	cfg       *inputConfig
	persister operator.Persister
	cancel    context.CancelFunc
	wg        sync.WaitGroup
}

// Start returns an error if journalctl cannot be started.
func (in *input) Start(persister operator.Persister) error {
	in.persister = persister
	ctx, cancel := context.WithCancel(context.Background())
	in.cancel = cancel
	first, err := in.open(ctx, false)
	if err != nil {
		cancel()
		return err
	}
	in.wg.Go(func() { in.follow(ctx, first) })
	return nil
}

// Stop ends journalctl. What was not accepted by then is read again after the next start.
func (in *input) Stop() error {
	if in.cancel != nil {
		in.cancel()
	}
	in.wg.Wait()
	return nil
}

// follow reads from one journalctl after the other: each begins where the last one's accepted entries end.
func (in *input) follow(ctx context.Context, j *journalctl) {
	delay := restartDelay
	for {
		caughtUp := false
		if j != nil {
			err := errors.Join(in.read(ctx, j), j.close())
			caughtUp = err == nil && !j.follows
			if !caughtUp && ctx.Err() == nil {
				in.Logger().Error("journalctl has ended; it is started again", zap.Error(err))
				if !errors.Is(err, errRefused) {
					in.cfg.report(j.ended(err))
				}
			}
			if caughtUp || j.delivered.Load() {
				delay = restartDelay
			}
		}
		if !caughtUp {
			select {
			case <-ctx.Done():
				return
			case <-time.After(delay):
			}
			delay = min(2*delay, maxRestartDelay)
		}
		var err error
		if j, err = in.open(ctx, caughtUp); err != nil && ctx.Err() == nil {
			in.Logger().Error("journald: nothing is read; the next attempt follows", zap.Error(err))
			in.cfg.report(err)
		}
	}
}

// read passes entries on until journalctl ends, the stop, or a refusal.
func (in *input) read(ctx context.Context, j *journalctl) error {
	x := newExportReader(j.stdout, maxEntryBytes)
	seen := j.cursor // drop the entry that was accepted before; it comes first, unless the journal has forgotten it
	var b batch
	for {
		e, err := x.next()
		switch {
		case errors.Is(err, io.EOF):
			return in.emit(ctx, &b)
		case err != nil:
			return errors.Join(in.emit(ctx, &b), fmt.Errorf("read journalctl: %w", err))
		}
		if !j.delivered.Swap(true) {
			in.cfg.report(j.denied())
		}
		if seen == "" || e.cursor != seen {
			if err := in.add(&b, e); err != nil {
				return err
			}
		}
		seen = ""
		if len(b.entries) >= maxBatch || b.size >= maxBatchBytes || !x.buffered() {
			if err := in.emit(ctx, &b); err != nil {
				return err
			}
		}
	}
}

// batch is what is emitted and saved at once.
type batch struct {
	entries []*entry.Entry
	size    int
	cursor  string
}

func (in *input) add(b *batch, j journalEntry) error {
	e, err := in.NewEntry(j.fields)
	if err != nil {
		return fmt.Errorf("create entry: %w", err)
	}
	e.Timestamp = j.realtime
	if j.cut > 0 {
		if e.Attributes == nil {
			e.Attributes = map[string]any{}
		}
		e.Attributes[AttributeCut] = j.cut
		in.Logger().Warn("journald: an entry is too large, the end of it stays in the journal",
			zap.String("cursor", j.cursor), zap.Int64("left_out_bytes", j.cut), zap.Int("max_bytes", maxEntryBytes))
	}
	b.entries = append(b.entries, e)
	b.size += j.size
	if j.cursor != "" {
		b.cursor = j.cursor
	}
	return nil
}

var errRefused = errors.New("the pipeline has refused entries; they are read again")

// emit hands the batch on and saves its last cursor. errRefused says that the batch was not taken, and might be later.
func (in *input) emit(ctx context.Context, b *batch) error {
	if len(b.entries) == 0 {
		return nil
	}
	awaiting, answer := lossless.AwaitAnswer(ctx)
	err := in.WriteBatch(awaiting, b.entries)
	if answer.Refused() {
		return errRefused
	}
	if err != nil && ctx.Err() == nil {
		in.Logger().Error("journald: entries could not be passed on", zap.Error(err))
	}
	if b.cursor != "" {
		if err := in.persister.Set(ctx, cursorKey, []byte(b.cursor)); err != nil && ctx.Err() == nil {
			in.Logger().Warn("journald: the position could not be saved; a start reads these entries again", zap.Error(err))
		}
	}
	*b = batch{}
	return nil
}

// journalctl is a running one.
type journalctl struct {
	cmd     *exec.Cmd
	cancel  context.CancelFunc
	cursor  string // where it began
	follows bool   // it ends by itself if it does not
	stdout  io.ReadCloser
	work    sync.WaitGroup // what reads stderr, and what looks whether entries can come

	delivered atomic.Bool // an entry
	mu        sync.Mutex
	lastSaid  string // on stderr
	denial    string // likewise, of entries that its user may not read
}

// open starts journalctl. If it has caughtUp with earlier boots, or there are none to catch up with, it follows.
func (in *input) open(ctx context.Context, caughtUp bool) (*journalctl, error) {
	saved, err := in.persister.Get(ctx, cursorKey)
	if err != nil {
		return nil, fmt.Errorf("get the saved cursor: %w", err)
	}
	j := &journalctl{cursor: strings.TrimSpace(string(saved))}
	ctx, j.cancel = context.WithCancel(ctx)
	j.follows = caughtUp || !in.cfg.catchesUp(j.cursor)
	j.cmd = in.cfg.command(ctx, in.cfg.args(j.cursor, j.follows)...)
	if j.stdout, err = j.cmd.StdoutPipe(); err != nil {
		j.cancel()
		return nil, err
	}
	stderr, err := j.cmd.StderrPipe()
	if err != nil {
		j.cancel()
		return nil, err
	}
	in.Logger().Info("journald: starting journalctl", zap.Strings("command", j.cmd.Args), zap.String("root", in.cfg.RootPath))
	if err := j.cmd.Start(); err != nil {
		j.cancel()
		return nil, fmt.Errorf("start journalctl (journalctl_path %q; it is part of systemd): %w", in.cfg.JournalctlPath, err)
	}
	j.work.Go(func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			in.Logger().Error("journalctl says", zap.String("stderr", lines.Text()))
			if j.says(lines.Text()) {
				in.cfg.report(j.denied())
			}
		}
		_, _ = io.Copy(io.Discard, stderr) // a line that is too long for the scanner
	})
	if j.follows {
		j.work.Go(func() { in.watch(ctx, j) })
	}
	return j, nil
}

func (c *inputConfig) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.JournalctlPath, args...)
	if c.RootPath != "" {
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: c.RootPath}
	}
	return cmd
}

// close ends journalctl and returns how it ended.
func (j *journalctl) close() error {
	j.cancel()
	_, _ = io.Copy(io.Discard, j.stdout) // Wait is for after the last read
	j.work.Wait()
	return j.cmd.Wait()
}
