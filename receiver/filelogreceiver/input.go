// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/attrs"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/matcher"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/file"
	"go.opentelemetry.io/collector/component"
	"golang.org/x/text/encoding/unicode"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

// partialAttribute is set on a record that is a part of a line.
const partialAttribute = "logseal.partial"

// inputConfig builds an input that emits what the stock file_input emits.
type inputConfig struct {
	*file.Config
	plan   plan
	now    func() time.Time
	chunks int // of a request
}

func (c *inputConfig) Build(set component.TelemetrySettings) (operator.Operator, error) {
	if c.plan.stock {
		return c.Config.Build(set)
	}
	base, err := c.InputConfig.Build(set)
	if err != nil {
		return nil, err
	}
	in := &operatorInput{InputOperator: base}
	in.files, err = newFiles(set, c, in.emit)
	if err != nil {
		return nil, err
	}
	return in, nil
}

// operatorInput hands lines on as stanza's entries.
type operatorInput struct {
	helper.InputOperator
	files *files
}

func (in *operatorInput) Start(persister operator.Persister) error { return in.files.start(persister) }

func (in *operatorInput) Stop() error { return in.files.stop() }

func (in *operatorInput) emit(ctx context.Context, lines []line, attributes map[string]any) error {
	entries := make([]*entry.Entry, 0, len(lines))
	var errs error
	for _, l := range lines {
		e, err := in.NewEntry(l.body)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("create entry: %w", err))
			continue
		}
		if e.Attributes == nil {
			e.Attributes = make(map[string]any, len(attributes)+3)
		}
		put := func(key string, value any) { e.Attributes[key] = value }
		in.files.fileAttributes(attributes, put)
		in.files.lineAttributes(l, put)
		entries = append(entries, e)
	}
	if err := in.WriteBatch(ctx, entries); err != nil {
		errs = errors.Join(errs, fmt.Errorf("write entries: %w", err))
	}
	return errs
}

// files reads the files and hands on their lines, and keeps their positions. Finding, reading and remembering files is
// stanza's file consumer's.
type files struct {
	consumer   *fileconsumer.Manager
	positions  *positions
	duringPoll bool   // positions are saved
	turns      *turns // nil: a file is read to its end
	lines      lineReader
	chunks     int // of a request
	emitLines  func(ctx context.Context, lines []line, attributes map[string]any) error

	withPath, withNumber, withOffset bool

	compressed compressed
	reading    sync.WaitGroup // of compressed files
	cancel     context.CancelFunc
}

func newFiles(set component.TelemetrySettings, c *inputConfig, emit func(context.Context, []line, map[string]any) error) (*files, error) {
	f := &files{
		duringPoll: c.plan.duringPoll,
		positions:  newPositions(int(c.FingerprintSize), c.now),
		emitLines:  emit,
		chunks:     c.chunks,
		withPath:   c.IncludeFilePath,
		withNumber: c.IncludeFileRecordNumber,
		withOffset: c.IncludeFileRecordOffset,
	}
	consumer := c.Config.Config
	consumer.IncludeFilePath = true // the first bytes of a new file are read by its path, and unfinished lines are kept by it
	f.turns = newTurns(consumer, c.now)
	split, err := f.splitFunc(&consumer, c.plan)
	if err != nil {
		return nil, err
	}
	var options []fileconsumer.Option
	if f.turns != nil {
		split = f.turns.wrap(split)
		f.positions.polled = f.turns.polled
	}
	if split != nil {
		options = append(options, fileconsumer.WithSplitFunc(split))
	}
	if f.consumer, err = consumer.Build(set, f.emit, options...); err != nil {
		return nil, err
	}
	find, err := matcher.New(consumer.Criteria)
	if err != nil {
		return nil, err
	}
	f.compressed = compressed{files: f, logger: set.Logger, maxLine: int(consumer.MaxLogSize), paths: func() []string {
		paths, _ := find.MatchFiles()
		return paths
	}}
	return f, nil
}

// splitFunc returns how the file consumer finds tokens; nil: its own way.
func (f *files) splitFunc(consumer *fileconsumer.Config, p plan) (bufio.SplitFunc, error) {
	if !p.chunks {
		if f.turns == nil {
			return nil, nil
		}
		return consumer.SplitConfig.Func(unicode.UTF8, false, int(consumer.MaxLogSize)) // turns are for UTF-8
	}
	f.lines.chunks, f.lines.trim, f.lines.parts = true, consumer.TrimConfig.Func(), p.parts
	f.lines.spans.maxLine, f.lines.spans.decode = int64(consumer.MaxLogSize), f.lines.decoded
	if !strings.HasSuffix(strings.ToLower(consumer.Encoding), "raw") {
		f.lines.decode, consumer.Encoding = true, "utf-8-raw" // most text is UTF-8, and the decoder need not copy it
	}
	consumer.TrimConfig.PreserveLeading, consumer.TrimConfig.PreserveTrailing = true, true // lines are trimmed one by one
	consumer.InitialBufferSize = max(consumer.InitialBufferSize, bufferSize)
	return splitChunks(int(consumer.MaxLogSize), p.parts, f.lines.spans.released), nil
}

func (f *files) start(persister operator.Persister) error {
	if !f.duringPoll {
		return f.consumer.Start(persister)
	}
	f.positions.Persister = persister
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	if f.lines.chunks {
		f.compressed.persister = persister
		behind, err := f.compressed.find(ctx)
		if err != nil {
			return fmt.Errorf("read known files from storage: %w", err)
		}
		f.reading.Go(func() { f.compressed.read(ctx, behind) })
	}
	return f.consumer.Start(f.positions)
}

func (f *files) stop() error {
	if f.cancel != nil {
		f.cancel()
	}
	f.reading.Wait()
	return f.consumer.Stop()
}

// emit is called by the goroutine that reads a file. It returns when the tokens have been accepted or given up.
func (f *files) emit(ctx context.Context, tokens [][]byte, attributes map[string]any, lastRecord int64, offsets []int64) error {
	var errs error
	for from, to := 0, 0; from < len(tokens); from = to {
		if to = len(tokens); f.lines.chunks {
			to = from + endOfRequest(tokens[from:], f.chunks)
		}
		part := batch{tokens: tokens[from:to], attributes: attributes, lastRecord: lastRecord - int64(len(tokens)-to), offsets: offsets[from : to+1]}
		refused, err := f.emitBatch(ctx, part)
		errs = errors.Join(errs, err)
		if refused && ctx.Err() != nil {
			break // at a stop: the position stays where it was, and what were accepted now would come twice
		}
		if to == len(tokens) {
			f.turns.emitted(part)
		}
	}
	return errs
}

func (f *files) emitBatch(ctx context.Context, b batch) (refused bool, err error) {
	path, _ := b.attributes[attrs.LogFilePath].(string)
	var r *reader
	if f.duringPoll {
		r = f.positions.read(b)
	}
	awaiting, answer := lossless.AwaitAnswer(ctx)
	lines := f.lines.read(path, b)
	err = f.emitLines(awaiting, lines, b.attributes)
	if err == nil && answer.Accepted() {
		for _, l := range lines {
			f.lines.spans.accepted(path, l.earlier)
		}
	}
	if f.duringPoll {
		if saveErr := f.positions.answered(ctx, r, answer.Accepted(), answer.Refused()); saveErr != nil {
			err = errors.Join(err, fmt.Errorf("save positions: %w", saveErr))
		}
	}
	return answer.Refused(), err
}

// fileAttributes calls put with each attribute that all records of a file have.
func (f *files) fileAttributes(ofFile map[string]any, put func(key string, value any)) {
	for key, value := range ofFile {
		if key != attrs.LogFilePath || f.withPath {
			put(key, value)
		}
	}
}

// lineAttributes calls put with each attribute of one line's record.
func (f *files) lineAttributes(l line, put func(key string, value any)) {
	if f.withNumber {
		put(attrs.LogFileRecordNumber, l.number)
	}
	if f.withOffset {
		put(attrs.LogFileRecordOffset, l.offset)
	}
	if l.partial {
		put(partialAttribute, true)
	}
}
