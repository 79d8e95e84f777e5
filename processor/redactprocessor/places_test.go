// SPDX-License-Identifier: Apache-2.0

package redactprocessor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/redact"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// locations are where a record holds what programs log. Each puts s there.
var locations = map[string]func(rl plog.ResourceLogs, lr plog.LogRecord, s string){
	"body":         func(_ plog.ResourceLogs, lr plog.LogRecord, s string) { lr.Body().SetStr(s) },
	"bytes":        func(_ plog.ResourceLogs, lr plog.LogRecord, s string) { lr.Body().SetEmptyBytes().FromRaw([]byte(s)) },
	"body's value": func(_ plog.ResourceLogs, lr plog.LogRecord, s string) { lr.Body().SetEmptyMap().PutStr("message", s) },
	"attribute":    func(_ plog.ResourceLogs, lr plog.LogRecord, s string) { lr.Attributes().PutStr("message", s) },
	"nested value": func(_ plog.ResourceLogs, lr plog.LogRecord, s string) {
		lr.Attributes().PutEmptyMap("http").PutEmptyMap("request").PutStr("note", s)
	},
	"in a list": func(_ plog.ResourceLogs, lr plog.LogRecord, s string) {
		lr.Attributes().PutEmptySlice("args").AppendEmpty().SetStr(s)
	},
	"key": func(_ plog.ResourceLogs, lr plog.LogRecord, s string) { lr.Attributes().PutStr(s, "x") },
	"nested key": func(_ plog.ResourceLogs, lr plog.LogRecord, s string) {
		lr.Body().SetEmptyMap().PutEmptyMap("m").PutBool(s, true)
	},
	"resource":       func(rl plog.ResourceLogs, _ plog.LogRecord, s string) { rl.Resource().Attributes().PutStr("note", s) },
	"resource's key": func(rl plog.ResourceLogs, _ plog.LogRecord, s string) { rl.Resource().Attributes().PutStr(s, "x") },
	"scope": func(rl plog.ResourceLogs, _ plog.LogRecord, s string) {
		rl.ScopeLogs().At(0).Scope().Attributes().PutStr("note", s)
	},
}

// through sends a record through a processor of a collector and returns what comes out, as JSON: all of it.
func through(t *testing.T, change func(*Config)) func(fill func(plog.ResourceLogs, plog.LogRecord)) string {
	p, sink := start(t, nil, nil, change)
	n := int64(0)
	return func(fill func(plog.ResourceLogs, plog.LogRecord)) string {
		n++
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutInt("n", n) // a stream of its own
		fill(rl, rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
		sink.Reset()
		require.NoError(t, p.ConsumeLogs(context.Background(), ld))
		require.Len(t, sink.AllLogs(), 1)
		return text(sink.AllLogs()[0])
	}
}

// text is all text and all numbers of the batch, each on a line.
func text(ld plog.Logs) string {
	var b strings.Builder
	var value func(v pcommon.Value)
	object := func(m pcommon.Map) {
		for k, v := range m.All() {
			b.WriteString(k + "\n")
			value(v)
		}
	}
	value = func(v pcommon.Value) {
		switch v.Type() {
		case pcommon.ValueTypeMap:
			object(v.Map())
		case pcommon.ValueTypeSlice:
			for _, e := range v.Slice().All() {
				value(e)
			}
		case pcommon.ValueTypeBytes:
			b.Write(v.Bytes().AsRaw())
			b.WriteByte('\n')
		case pcommon.ValueTypeDouble:
			fmt.Fprintf(&b, "%.0f %v\n", v.Double(), v.Double())
		default:
			b.WriteString(v.AsString() + "\n")
		}
	}
	for _, rl := range ld.ResourceLogs().All() {
		object(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			object(sl.Scope().Attributes())
			for _, lr := range sl.LogRecords().All() {
				value(lr.Body())
				object(lr.Attributes())
			}
		}
	}
	return b.String()
}

// Every example of every rule is gone, and what must stay is there, wherever it stands.
func TestEveryRuleInEveryPlace(t *testing.T) {
	pass := through(t, func(c *Config) {
		for _, r := range rules.All() {
			if r.Off {
				c.Rules = append(c.Rules, redact.Rule{ID: r.ID, Action: "mask"})
			}
		}
	})
	ids := map[string]bool{}
	for _, r := range rules.All() {
		for _, x := range r.Gone {
			for place, put := range locations {
				out := pass(func(rl plog.ResourceLogs, lr plog.LogRecord) { put(rl, lr, x.Text) })
				if r.ID == "control" {
					assert.NotContains(t, strings.TrimSuffix(out, "\n"), x.Text, "%s as %s", r.ID, place)
					continue
				}
				assert.NotContains(t, out, x.Secret, "%s as %s", r.ID, place)
			}
			ids[r.ID] = true
		}
	}
	require.Greater(t, len(ids), 20)
}

// Every line of every kind that the engine is scored with, as an attribute, a nested value and a key.
func TestEveryKindInEveryPlace(t *testing.T) {
	pass := through(t, nil)
	files, err := filepath.Glob("../../pkg/redact/testdata/lines/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	written := strings.NewReplacer("⏎", "\n", "→", "\t", "␛", "\x1b")
	left, all := map[string]int{}, 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		for line := range strings.SplitSeq(string(data), "\n") {
			if !strings.Contains(line, "⟦") {
				continue
			}
			var secrets []string
			for _, part := range strings.Split(line, "⟦")[1:] {
				secret, _, _ := strings.Cut(part, "⟧")
				secrets = append(secrets, written.Replace(secret))
			}
			s := written.Replace(strings.NewReplacer("⟦", "", "⟧", "").Replace(line))
			for place, put := range locations {
				out := pass(func(rl plog.ResourceLogs, lr plog.LogRecord) { put(rl, lr, s) })
				for _, secret := range secrets {
					if all++; strings.Contains(out, secret) {
						left[place]++
					}
				}
			}
		}
	}
	require.Greater(t, all, 4000)
	n := all / len(locations)
	for place := range locations {
		assert.LessOrEqual(t, float64(left[place]), 0.02*float64(n), "%s: left of %d", place, n)
	}
}

// Numbers are looked at as what they are written like, and become text where they are redacted.
func TestNativeNumbers(t *testing.T) {
	pass := through(t, nil)
	for _, tt := range []struct {
		key    string
		number int64
	}{
		{"card", 4716108999716531},
		{"value", 4716108999716531},
		{"pan", 378282246310005},
		{"amount", 5555555555554444},
		{"cvv", 737},
		{"card.cvc", 1234},
		{"ssn", 536228726},
		{"cpf", 52998224725},
		{"phone", 447700900123},
		{"customer.phone_number", 15551234567},
		{"msisdn", 447700900123},
		{"mobile", 447700900123},
		{"pin", 471123},
		{"password", 12345678},
		{"otp", 471123},
		{"api_token", 998877665544332211},
	} {
		plain := fmt.Sprint(tt.number)
		for place, put := range map[string]func(lr plog.LogRecord){
			"int64 attribute":  func(lr plog.LogRecord) { lr.Attributes().PutInt(tt.key, tt.number) },
			"double attribute": func(lr plog.LogRecord) { lr.Attributes().PutDouble(tt.key, float64(tt.number)) },
			"int64 in a body":  func(lr plog.LogRecord) { lr.Body().SetEmptyMap().PutEmptyMap("data").PutInt(tt.key, tt.number) },
			"double in a body": func(lr plog.LogRecord) {
				lr.Body().SetEmptyMap().PutEmptyMap("data").PutDouble(tt.key, float64(tt.number))
			},
			"in a list": func(lr plog.LogRecord) { lr.Attributes().PutEmptySlice(tt.key).AppendEmpty().SetInt(tt.number) },
			"double in a list": func(lr plog.LogRecord) {
				lr.Attributes().PutEmptySlice(tt.key).AppendEmpty().SetDouble(float64(tt.number))
			},
			"text": func(lr plog.LogRecord) { lr.Attributes().PutStr(tt.key, plain) },
		} {
			out := pass(func(_ plog.ResourceLogs, lr plog.LogRecord) { put(lr) })
			assert.NotContains(t, out, plain, "%s, %s", tt.key, place)
			assert.Contains(t, out, "[REDACTED:", "%s, %s", tt.key, place)
		}
	}
	for key, number := range map[string]float64{
		"time_unix_nano": 1763871082123456789, "count": 12345, "bytes": 1 << 40, "latency": 0.4716108999716531, "order_id": 447700900123, "size": 52998224725, "token_count": 4711, "telemetry": 12345678901,
	} {
		out := pass(func(_ plog.ResourceLogs, lr plog.LogRecord) {
			lr.Attributes().PutDouble(key, number)
			lr.Attributes().PutInt("i."+key, int64(number))
		})
		assert.NotContains(t, out, "[REDACTED:", key)
	}
}

// Headers are lists of texts in the conventions of OpenTelemetry.
func TestHeadersAsLists(t *testing.T) {
	pass := through(t, nil)
	for name, value := range map[string]string{
		"http.response.header.set-cookie":     "sid=31d4d96e407aad42; Path=/; HttpOnly",
		"http.request.header.cookie":          "theme=dark; sid=31d4d96e407aad42",
		"http.request.header.authorization":   "Bearer 31d4d96e407aad42",
		"rpc.grpc.request.metadata.x-api-key": "31d4d96e407aad42",
	} {
		out := pass(func(_ plog.ResourceLogs, lr plog.LogRecord) {
			list := lr.Attributes().PutEmptySlice(name)
			list.AppendEmpty().SetStr(value)
			list.AppendEmpty().SetStr(value)
		})
		assert.NotContains(t, out, "31d4d96e407aad42", name)
	}
}
