// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/output/stdout"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/container"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/transformer/noop"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/transformer/recombine"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the stock receiver makes of a file, ours makes too.
func TestRecordsAreTheStockReceivers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config func(*stock.FileLogConfig)
		want   int
	}{
		{"default", func(*stock.FileLogConfig) {}, 303},
		{"every attribute", func(c *stock.FileLogConfig) {
			c.InputConfig.IncludeFilePath = true
			c.InputConfig.IncludeFileNameResolved = true
			c.InputConfig.IncludeFilePathResolved = true
			c.InputConfig.IncludeFileOwnerName = true
			c.InputConfig.IncludeFilePermissions = true
			c.InputConfig.IncludeFileRecordNumber = true
			c.InputConfig.IncludeFileRecordOffset = true
		}, 303},
		{"no attribute", func(c *stock.FileLogConfig) { c.InputConfig.IncludeFileName = false }, 303},
		{"attributes and resource of the configuration", func(c *stock.FileLogConfig) {
			c.InputConfig.Attributes = map[string]helper.ExprStringConfig{"who": "EXPR(env('HOME'))", "log.file.name": "ours"}
			c.InputConfig.Resource = map[string]helper.ExprStringConfig{"host": "h"}
		}, 303},
		{"several lines", func(c *stock.FileLogConfig) { c.InputConfig.SplitConfig.LineEndPattern = "END" }, 301},
		{"latin1", func(c *stock.FileLogConfig) { c.InputConfig.Encoding = "latin1" }, 303},
		{"bytes", func(c *stock.FileLogConfig) { c.InputConfig.Encoding = "nop" }, 1},
		{"an operator", func(c *stock.FileLogConfig) {
			c.Operators = []operator.Config{operator.NewConfig(noop.NewConfig())}
		}, 303},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			p.config = tt.config
			p.write("app.log", "one\n\n two \xe9 \nthree END\n"+lines("and %d END", 0, 300))
			p.run(tt.want, shutdown)
			ours := p.records

			p.records, p.values, p.factory = nil, map[string][]byte{}, stock.NewFactory()
			p.run(tt.want, shutdown)
			require.Len(t, ours, tt.want)
			assert.Equal(t, p.records, ours)
		})
	}
}

func TestSavesDuringPoll(t *testing.T) {
	with := func(ops ...operator.Builder) func(*stock.FileLogConfig) {
		return func(c *stock.FileLogConfig) {
			for _, op := range ops {
				c.Operators = append(c.Operators, operator.NewConfig(op))
			}
		}
	}
	for _, tt := range []struct {
		name   string
		config func(*stock.FileLogConfig)
		want   bool
	}{
		{"default", func(*stock.FileLogConfig) {}, true},
		{"an operator", with(noop.NewConfig()), true},
		{"no storage", func(c *stock.FileLogConfig) { c.StorageID = nil }, false},
		{"bytes", func(c *stock.FileLogConfig) { c.InputConfig.Encoding = "NOP" }, false},
		{"compression", func(c *stock.FileLogConfig) { c.InputConfig.Compression = "auto" }, false},
		{"header", func(c *stock.FileLogConfig) { c.InputConfig.Header = &fileconsumer.HeaderConfig{} }, false},
		{"truncated records", func(c *stock.FileLogConfig) { c.InputConfig.MaxLogSizeBehavior = "truncate" }, false},
		{"truncated files", func(c *stock.FileLogConfig) { c.InputConfig.OnTruncate = "read_new" }, false},
		{"archive", func(c *stock.FileLogConfig) { c.InputConfig.PollsToArchive = 1 }, false},
		{"batches of files", func(c *stock.FileLogConfig) { c.InputConfig.MaxBatches = 1 }, false},
		{"recombine", with(noop.NewConfig(), recombine.NewConfig()), false},
		{"container", with(container.NewConfig()), true},
		{"container, and parts that are not joined", func(c *stock.FileLogConfig) {
			with(container.NewConfig())(c)
			c.InputConfig.SplitConfig.LineStartPattern = "^20"
		}, false},
		{"an operator that we do not know", with(stdout.NewConfig("stdout")), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := NewFactory().CreateDefaultConfig().(*stock.FileLogConfig)
			cfg.StorageID = &storageID
			tt.config(cfg)
			assert.Equal(t, tt.want, planFor(cfg).duringPoll)
		})
	}
}

func TestHandsOnAreOperators(t *testing.T) {
	for _, typ := range handsOn {
		_, ok := operator.Lookup(typ)
		assert.True(t, ok, typ)
	}
}
