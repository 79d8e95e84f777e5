// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/attrs"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/file"
	"go.opentelemetry.io/collector/component"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

// inputConfig builds an input that emits what the stock file_input emits.
type inputConfig struct {
	*file.Config
	duringPoll bool
	now        func() time.Time
}

func (c *inputConfig) Build(set component.TelemetrySettings) (operator.Operator, error) {
	if !c.duringPoll {
		return c.Config.Build(set)
	}
	base, err := c.InputConfig.Build(set)
	if err != nil {
		return nil, err
	}
	in := &input{
		InputOperator: base,
		withPath:      c.IncludeFilePath,
		withNumber:    c.IncludeFileRecordNumber,
		withOffset:    c.IncludeFileRecordOffset,
		positions:     newPositions(int(c.FingerprintSize), c.now),
	}
	consumer := c.Config.Config
	consumer.IncludeFilePath = true // the first bytes of a new file are read by its path
	var options []fileconsumer.Option
	if in.turns = newTurns(consumer, c.now); in.turns != nil {
		option, err := in.turns.option(consumer)
		if err != nil {
			return nil, err
		}
		options = append(options, option)
		in.positions.polled = in.turns.polled
	}
	in.consumer, err = consumer.Build(set, in.emit, options...)
	if err != nil {
		return nil, err
	}
	return in, nil
}

type input struct {
	helper.InputOperator
	consumer  *fileconsumer.Manager
	positions *positions
	turns     *turns

	withPath, withNumber, withOffset bool
}

func (in *input) Start(persister operator.Persister) error {
	in.positions.Persister = persister
	return in.consumer.Start(in.positions)
}

func (in *input) Stop() error { return in.consumer.Stop() }

// emit is called by the goroutine that reads the file. It returns when the batch has been accepted or given up.
func (in *input) emit(ctx context.Context, tokens [][]byte, attributes map[string]any, lastRecord int64, offsets []int64) error {
	b := batch{tokens: tokens, attributes: attributes, lastRecord: lastRecord, offsets: offsets}
	r := in.positions.read(b)

	awaiting, answer := lossless.AwaitAnswer(ctx)
	entries, err := in.entries(b)
	if writeErr := in.WriteBatch(awaiting, entries); writeErr != nil {
		err = errors.Join(err, fmt.Errorf("write entries: %w", writeErr))
	}

	in.turns.emitted(b)
	if saveErr := in.positions.answered(ctx, r, answer.Accepted(), answer.Refused()); saveErr != nil {
		err = errors.Join(err, fmt.Errorf("save positions: %w", saveErr))
	}
	return err
}

func (in *input) entries(b batch) ([]*entry.Entry, error) {
	entries := make([]*entry.Entry, 0, len(b.tokens))
	var errs error
	for i, token := range b.tokens {
		if len(token) == 0 {
			continue // an empty line
		}
		// The reader has decoded the token into memory of its own and does not touch it again.
		e, err := in.NewEntry(unsafe.String(unsafe.SliceData(token), len(token)))
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("create entry: %w", err))
			continue
		}
		if e.Attributes == nil {
			e.Attributes = make(map[string]any, len(b.attributes)+2)
		}
		for k, v := range b.attributes {
			if k != attrs.LogFilePath || in.withPath {
				e.Attributes[k] = v
			}
		}
		if in.withNumber {
			e.Attributes[attrs.LogFileRecordNumber] = b.start().record + int64(i) + 1
		}
		if in.withOffset {
			e.Attributes[attrs.LogFileRecordOffset] = b.offsets[i]
		}
		entries = append(entries, e)
	}
	return entries, errs
}
