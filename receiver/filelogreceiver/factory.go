// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/adapter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/matcher"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/file"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/split"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

// NewFactory returns the factory of file_log.
func NewFactory() receiver.Factory { return newFactory(time.Now, requestChunks) }

func newFactory(now func() time.Time, chunks int) receiver.Factory {
	t := receiverType{now: now, chunks: chunks}
	withOperators := adapter.NewFactory(t, stock.NewFactory().LogsStability())
	create := func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
		if c := cfg.(*stock.FileLogConfig); isDirect(c) {
			return newDirectReceiver(set, c, t.input(c), next)
		}
		return withOperators.CreateLogs(ctx, set, cfg, next)
	}
	return lossless.NewFactory(receiver.NewFactory(t.Type(), t.CreateDefaultConfig, receiver.WithLogs(create, withOperators.LogsStability())),
		lossless.DeprecatedType(component.MustNewType("filelog")), lossless.Check(newCheck))
}

// receiverType is the stock type with an input that saves positions during a poll.
type receiverType struct {
	stock.ReceiverType
	now    func() time.Time
	chunks int // of a request
}

func (t receiverType) InputConfig(cfg component.Config) operator.Config {
	return operator.NewConfig(t.input(cfg.(*stock.FileLogConfig)))
}

func (t receiverType) input(c *stock.FileLogConfig) *inputConfig {
	in := c.InputConfig // a copy: the configuration stays as it was written
	in.Criteria = criteriaOf(c)
	return &inputConfig{Config: &in, plan: planFor(c), now: t.now, chunks: t.chunks}
}

// criteriaOf returns which files are read.
func criteriaOf(c *stock.FileLogConfig) matcher.Criteria {
	if c.InputConfig.DeleteAfterRead {
		return c.InputConfig.Criteria // what is not in use any more would be deleted with it
	}
	return followRotation(c.InputConfig.Criteria)
}

// plan is what can be done better than the stock receiver does it, with a configuration.
type plan struct {
	stock      bool // nothing
	duringPoll bool // positions are saved during a poll
	chunks     bool // many lines are one token of the file consumer
	parts      bool // of one line are joined
}

func planFor(cfg *stock.FileLogConfig) plan {
	in := &cfg.InputConfig
	if strings.EqualFold(in.Encoding, "nop") {
		return plan{stock: true} // bodies are bytes
	}
	p := plan{chunks: splitsLines(in)}
	p.parts = p.chunks && slices.ContainsFunc(cfg.Operators, func(o operator.Config) bool { return o.Type() == "container" })
	p.duringPoll = savesDuringPoll(cfg, p.parts)
	return p
}

// splitsLines says whether lines are what ends in a line feed, and nothing else is to be known of each.
func splitsLines(in *file.Config) bool {
	switch {
	case !slices.Contains([]string{"", "utf-8", "utf8", "utf-8-raw", "utf8-raw", "ascii", "us-ascii"}, strings.ToLower(in.Encoding)): // a line feed may be two bytes
	case in.SplitConfig != split.Config{}:
	case in.MaxLogSize < 2*bufferSize, in.MaxLogSizeBehavior == fileconsumer.MaxLogSizeBehaviorTruncate:
	case in.Compression != "", in.Header != nil:
	case in.IncludeFileRecordNumber, in.IncludeFileRecordOffset:
	default:
		return true
	}
	return false
}

// savesDuringPoll says whether a position can be told from what has been emitted. Where it cannot, it is saved at the end
// of a poll, as in the stock receiver.
func savesDuringPoll(cfg *stock.FileLogConfig, partsJoined bool) bool {
	in := &cfg.InputConfig
	holdsBack := func(o operator.Config) bool {
		return !slices.Contains(handsOn, o.Type()) && (o.Type() != "container" || !partsJoined)
	}
	switch {
	case cfg.StorageID == nil: // nowhere to save to
	case in.Compression != "": // offsets are those of the content, and the checkpoint holds those of the file
	case in.Header != nil: // whether the header is complete is the reader's secret
	case in.MaxLogSizeBehavior == fileconsumer.MaxLogSizeBehaviorTruncate: // so is whether the rest of a record is being skipped
	case in.OnTruncate != fileconsumer.OnTruncateIgnore: // a reader can start elsewhere than its checkpoint says
	case in.PollsToArchive > 0, in.MaxBatches > 0: // likewise
	case slices.ContainsFunc(cfg.Operators, holdsBack):
	default:
		return true
	}
	return false
}

// handsOn are the types of operators that hold nothing back: an entry has gone on, or is dropped, when they return. recombine
// does hold entries back, and container parts of lines; what an operator that a later version brings does has to be looked at first.
var handsOn = []string{
	"add", "assign_keys", "copy", "filter", "flatten", "move", "noop", "regex_replace", "remove", "retain", "router", "sanitize_utf8", "unquote",
	"csv_parser", "json_array_parser", "json_parser", "key_value_parser", "regex_parser", "scope_name_parser", "severity_parser",
	"syslog_parser", "time_parser", "trace_parser", "uri_parser",
}
