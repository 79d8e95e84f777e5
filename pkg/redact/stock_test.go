// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/redactionprocessor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.yaml.in/yaml/v3"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// twentyRules reads the rule set of the comparison: our rules that are on, and the stock processor's expressions.
func twentyRules(t testing.TB) (ids, exprs []string) {
	data, err := os.ReadFile("testdata/twenty-rules.yaml")
	require.NoError(t, err)
	var list []struct{ ID, Regex string }
	require.NoError(t, yaml.Unmarshal(data, &list))
	require.Len(t, list, 20)
	for _, r := range list {
		ids, exprs = append(ids, r.ID), append(exprs, r.Regex)
	}
	return ids, exprs
}

// only switches all rules off but these.
func only(ids ...string) func(*Config) {
	return func(c *Config) {
		for i, r := range rules.All() {
			if !r.Off && rules.ID(i) != rules.SensitiveKey && !slices.Contains(ids, r.ID) {
				c.Rules = append(c.Rules, Rule{ID: r.ID, Action: "off"})
			}
		}
	}
}

// readmeValues are the two blocked values of the example in the stock processor's README.
var readmeValues = []string{`4[0-9]{12}(?:[0-9]{3})?`, `(5[1-5][0-9]{14})`}

// stockReadme makes the stock processor with the whole example of its README, but for allowing all keys and the default hash.
func stockReadme(t testing.TB) processor.Logs {
	return stockWith(t, map[string]any{
		"allow_all_keys": true, "ignored_keys": []any{"safe_attribute"}, "ignored_key_patterns": []any{"^safe_.*", ".*_trusted$"},
		"redact_all_types": true, "blocked_key_patterns": []any{".*token.*", ".*api_key.*"},
		"blocked_values": []any{readmeValues[0], readmeValues[1]}, "allowed_values": []any{".+@mycompany.com"},
		"hash_function": "md5", "summary": "debug",
		"url_sanitizer": map[string]any{"enabled": true, "attributes": []any{"http.url", "url"}},
	})
}

// stock makes the stock redaction processor, with these values blocked and all keys allowed.
func stock(t testing.TB, exprs []string) processor.Logs {
	blocked := make([]any, len(exprs))
	for i, e := range exprs {
		blocked[i] = e
	}
	return stockWith(t, map[string]any{"allow_all_keys": true, "blocked_values": blocked, "summary": "silent"})
}

func stockWith(t testing.TB, conf map[string]any) processor.Logs {
	f := redactionprocessor.NewFactory()
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	p, err := f.CreateLogs(context.Background(), processortest.NewNopSettings(component.MustNewType("redaction")), cfg, consumertest.NewNop())
	require.NoError(t, err)
	return p
}

// BenchmarkStock compares the engine with the stock redaction processor, end to end on pdata: batches of 1,000 access-log
// records, new ones for every batch, of which 0.8 % hold something to redact. An operation is one record.
func BenchmarkStock(b *testing.B) {
	ids, exprs := twentyRules(b)
	twenty := newEngine(b, only(ids...))
	two := newEngine(b, only("pan"))
	all := newEngine(b)
	stock20 := stock(b, exprs)
	stock2 := stock(b, readmeValues)
	readme := stockReadme(b)
	consume := func(p processor.Logs) func(plog.Logs) {
		return func(ld plog.Logs) { require.NoError(b, p.ConsumeLogs(context.Background(), ld)) }
	}
	engine := func(e *Engine) func(plog.Logs) { return func(ld plog.Logs) { e.Logs(ld, nil) } }
	for _, bb := range []struct {
		name string
		do   func(plog.Logs)
	}{
		{"twenty rules/logseal", engine(twenty)},
		{"twenty rules/stock", consume(stock20)},
		{"two rules/logseal", engine(two)},
		{"two rules/stock", consume(stock2)},
		{"readme/stock", consume(readme)},
		{"all packs/logseal", engine(all)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			const size = 1000
			seed := uint64(0)
			var batches []plog.Logs
			for done := 0; done < b.N; done += size {
				seed++
				batches = append(batches, batch(accessLines(min(size, b.N-done), seed, true)))
			}
			b.ReportAllocs()
			b.ResetTimer()
			stop := cpuTime(b)
			for _, ld := range batches {
				bb.do(ld)
			}
			stop(int64(b.N), 0)
		})
	}
}

// Both sides of the comparison find what is planted, so that they are compared at equal work.
func TestStockComparisonIsFair(t *testing.T) {
	ids, exprs := twentyRules(t)
	ours := newEngine(t, only(ids...))
	theirs := stock(t, exprs)
	lines := accessLines(1500, 9, true)
	a, b := batch(lines), batch(lines)
	ours.Logs(a, nil)
	require.NoError(t, theirs.ConsumeLogs(context.Background(), b))
	changed := 0
	for i, line := range lines {
		x := a.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(i).Body().Str()
		y := b.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(i).Body().Str()
		assert.Equal(t, x != line, y != line, line)
		if x != line {
			changed++
		}
	}
	assert.InDelta(t, 0.008, float64(changed)/float64(len(lines)), 0.004)
}
