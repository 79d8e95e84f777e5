// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"slices"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/adapter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

// NewFactory returns the factory of file_log.
func NewFactory() receiver.Factory { return newFactory(time.Now) }

func newFactory(now func() time.Time) receiver.Factory {
	t := receiverType{now: now}
	return lossless.NewFactory(adapter.NewFactory(t, stock.NewFactory().LogsStability()),
		lossless.DeprecatedType(component.MustNewType("filelog")), lossless.Check(reachable))
}

// receiverType is the stock type with an input that saves positions during a poll.
type receiverType struct {
	stock.ReceiverType
	now func() time.Time
}

func (t receiverType) InputConfig(cfg component.Config) operator.Config {
	c := cfg.(*stock.FileLogConfig)
	in := c.InputConfig // a copy: the configuration stays as it was written
	if !in.DeleteAfterRead {
		in.Criteria = followRotation(in.Criteria)
	}
	return operator.NewConfig(&inputConfig{Config: &in, duringPoll: savesDuringPoll(c), now: t.now})
}

// savesDuringPoll says whether a position can be told from what has been emitted. Where it cannot, it is saved at the end
// of a poll, as in the stock receiver.
func savesDuringPoll(cfg *stock.FileLogConfig) bool {
	in := &cfg.InputConfig
	switch {
	case cfg.StorageID == nil: // nowhere to save to
	case strings.EqualFold(in.Encoding, "nop"): // bodies are bytes
	case in.Compression != "": // offsets are those of the content, and the checkpoint holds those of the file
	case in.Header != nil: // whether the header is complete is the reader's secret
	case in.MaxLogSizeBehavior == fileconsumer.MaxLogSizeBehaviorTruncate: // so is whether the rest of a record is being skipped
	case in.OnTruncate != fileconsumer.OnTruncateIgnore: // a reader can start elsewhere than its checkpoint says
	case in.PollsToArchive > 0, in.MaxBatches > 0: // likewise
	case slices.ContainsFunc(cfg.Operators, func(o operator.Config) bool { return !slices.Contains(handsOn, o.Type()) }):
	default:
		return true
	}
	return false
}

// handsOn are the types of operators that hold nothing back: an entry has gone on, or is dropped, when they return. recombine
// and container do hold entries back; what an operator that a later version brings does has to be looked at first.
var handsOn = []string{
	"add", "assign_keys", "copy", "filter", "flatten", "move", "noop", "regex_replace", "remove", "retain", "router", "sanitize_utf8", "unquote",
	"csv_parser", "json_array_parser", "json_parser", "key_value_parser", "regex_parser", "scope_name_parser", "severity_parser",
	"syslog_parser", "time_parser", "trace_parser", "uri_parser",
}
