// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func asInts(s string) (list []any) {
	for _, b := range []byte(s) {
		list = append(list, int64(b))
	}
	return list
}

func asDoubles(s string) (list []any) {
	for _, b := range []byte(s) {
		list = append(list, float64(b))
	}
	return list
}

// Wherever it stands, a list of numbers is read as the bytes that it spells.
func TestListsOfBytesAreTexts(t *testing.T) {
	const line = "\x1b[31mpassword=hunter2secret"
	for _, tt := range []struct {
		name  string
		value any
	}{
		{"integers", asInts(line)},
		{"doubles, as JSON has them", asDoubles(line)},
		{"nested", map[string]any{"ARG": []any{"a", asDoubles(line)}}},
		{"no UTF-8", asInts(line + "\xff")},
		{"the value of a name", map[string]any{"password": asInts("hunter2secret")}},
		{"NUL between", asInts("a=b\x00password=hunter2secret\x00")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEngine(t)
			ld := plog.NewLogs()
			rl := ld.ResourceLogs().AppendEmpty()
			sl := rl.ScopeLogs().AppendEmpty()
			lr := sl.LogRecords().AppendEmpty()
			require.NoError(t, lr.Body().FromRaw(tt.value))
			for _, m := range []pcommon.Map{lr.Attributes(), rl.Resource().Attributes(), sl.Scope().Attributes()} {
				require.NoError(t, m.PutEmpty("a").FromRaw(tt.value))
			}
			e.Logs(ld, nil)
			out, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
			require.NoError(t, err)
			assert.Equal(t, 4, strings.Count(string(out), "[REDACTED:password]"), "%s", out)
			assert.NotContains(t, string(out), "hunter2")
			assert.NotContains(t, string(out), `{"intValue":"104"},{"intValue":"117"}`)
			assert.NotContains(t, string(out), `{"doubleValue":104},{"doubleValue":117}`)
		})
	}
}

// What spells nothing to redact is left as it is: most lists are numbers.
func TestListsOfNumbersStay(t *testing.T) {
	e := newEngine(t)
	for _, list := range [][]any{
		{},
		asInts("ordinary text"), asDoubles("with a line feed\n and \x1b[0m"),
		{int64(0), int64(1), int64(2)},
		{int64(255), int64(256)},
		{1.5, 2.0},
		{int64(-1), int64(3)},
		{"a", int64(1)},
	} {
		v := pcommon.NewValueEmpty()
		require.NoError(t, v.FromRaw(map[string]any{"buckets": list}))
		before := v.AsString()
		ld := plog.NewLogs()
		v.CopyTo(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body())
		e.Logs(ld, nil)
		lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		assert.Equal(t, before, lr.Body().AsString())
		assert.Zero(t, lr.Attributes().Len(), before)
	}
}

func TestListsOfBytesInTexts(t *testing.T) {
	const secret = "hunter2secret"
	signed := func(s string) string { // as Java has bytes
		var list []string
		for _, b := range []byte(s) {
			list = append(list, fmt.Sprint(int8(b)))
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	commas := func(s, separator string) string {
		return "[" + strings.Join(strings.Fields(strings.Trim(fmt.Sprint([]byte(s)), "[]")), separator) + "]"
	}
	e := newEngine(t)
	for _, tt := range []struct{ name, text, keep string }{
		{"journalctl's JSON", `{"PRIORITY":"6","MESSAGE":` + commas("\x1b[31mpassword="+secret, ",") + `,"_PID":"1"}`, `,"_PID":"1"}`},
		{"pretty JSON", "{\n  \"MESSAGE\": " + commas("password="+secret, ",\n    ") + "\n}", `{\n  "MESSAGE": [`},
		{"Go", fmt.Sprintf("body=%v done", []byte("é password="+secret)), "done"},
		{"Java", "body=" + signed("é password="+secret) + " done", "done"},
		{"several", "a=" + commas("password="+secret, ",") + " b=" + commas("token="+secret+"99", ", "), "b="},
		{"after the name", `{"password":` + commas(secret, ",") + `}`, `{"password":"[REDACTED:password]"}`},
		{"cut off", strings.TrimSuffix(`{"MESSAGE":`+commas("password="+secret, ","), "]"), `{"MESSAGE":[`},
		{"behind other brackets", "[1] [1234] [12, 13] [[" + commas("password="+secret, ","), "[1] [1234] [12, 13] [["},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, _, keep := e.Text(tt.text, nil)
			require.True(t, keep)
			assert.Contains(t, out, "[REDACTED:")
			assert.Contains(t, out, tt.keep)
			assert.NotContains(t, out, "104,117")
			assert.NotContains(t, out, "104 117")
			assert.NotContains(t, out, "104, 117")
			assert.NotContains(t, out, "117,\n")
			again, _, _ := e.Text(out, nil)
			assert.Equal(t, out, again)
		})
	}
	for _, text := range []string{
		"sshd[1234]: x", "[0.000000] Linux", "buckets=[0, 1, 2, 3, 4, 5, 10, 27]", "[1 2 3", "[300, 112, 97, 115, 115, 119, 111, 114, 100]", "[-129, 1, 2, 3, 4, 5, 6]",
	} {
		out, _, keep := e.Text(text, nil)
		assert.True(t, keep)
		assert.Equal(t, text, out)
	}
}

// A text and the list that spells it are redacted alike.
func FuzzByteList(f *testing.F) {
	f.Add("password=hunter2secret")
	f.Add("\x1b[31m AKIAIOSFODNN7EXAMPLE \xff")
	for _, tt := range adversarial {
		f.Add(tt.in)
	}
	e, err := New(DefaultConfig())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" || len(text) > 10_000 {
			return
		}
		v := pcommon.NewValueEmpty()
		if err := v.FromRaw(asInts(text)); err != nil {
			t.Fatal(err)
		}
		ld := plog.NewLogs()
		v.CopyTo(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body())
		e.Logs(ld, nil)
		out, _, keep := e.Text(text, nil)
		if !keep {
			t.Fatal("nothing is dropped by default")
		}
		body := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
		got := body.AsString()
		if body.Type() == pcommon.ValueTypeBytes {
			got = string(body.Bytes().AsRaw())
		}
		if body.Type() != pcommon.ValueTypeSlice && got != out {
			t.Fatalf("%q as a list, %q as a text", got, out)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
			return // a text is looked at again with its escapes, a list has none
		}
		if body.Type() == pcommon.ValueTypeSlice && strings.Count(out, "[REDACTED:") > strings.Count(text, "[REDACTED:") {
			t.Fatalf("%q as a text, left as a list", out)
		}
	})
}
