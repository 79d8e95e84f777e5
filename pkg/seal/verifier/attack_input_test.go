// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Attacks by whoever may write a log, and by whoever may write into an archive what readers read differently.

// TestAttackSealShapedInput: a client sends records that look like seals, or logs the text of one. The stamp gives them ids, and with an id
// nothing is a seal.
func TestAttackSealShapedInput(t *testing.T) {
	h := newHost(t, "web-17").start().send(5).seal()
	genuine := h.archive.note(t, len(h.archive.list)-1)
	body := genuine.Text + "\n— logseal.v1/" + h.trust.StreamID() + " AAAAAAAA\n"
	ld := h.batch(3)
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).SetEventName(seal.EventName)
	records.At(0).Body().SetStr(body)
	records.At(1).Body().SetStr(body) // a line that a parser made a record of
	records.At(2).SetEventName(seal.EventName)
	ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName(seal.ScopeName)
	h.sendLogs(ld).stop()
	report := h.archive.verify(t, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, 8, report.Verified)

	t.Run("past the stamp", func(t *testing.T) {
		a := h.archive.clone()
		for n := range 50 {
			a.addNote(t, strings.Replace(body, "\nseal 1\n", fmt.Sprintf("\nseal %d\n", n*n*n), 1))
		}
		a.addNote(t, body)
		a.addNote(t, "")
		a.addNote(t, "not a note")
		report := a.verify(t, h.trust)
		require.EqualValues(t, 8, report.Verified)
		for _, f := range report.Findings {
			require.Equal(t, finding.BadSeal, f.Code, show(report))
			require.Empty(t, f.Stream, "it is not held against the stream")
		}
		require.LessOrEqual(t, len(report.Findings), 2, "one finding for all that are alike")
	})
}

// TestAttackIncomingID: ids that come in are overwritten, however they look.
func TestAttackIncomingID(t *testing.T) {
	h := newHost(t, "web-17").start()
	ld := h.batch(6)
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).Attributes().PutStr(seal.IDKey, "aaaaaaaa-1")
	records.At(1).Attributes().PutEmptyMap(seal.IDKey).PutStr("a", "b")
	records.At(2).Attributes().PutStr(seal.IDKey, "aaaaaaaa-0001")
	records.At(3).Attributes().PutInt(seal.IDKey, 5)
	twice := records.At(4).Attributes()
	twice.PutStr("a", "aaaaaaaa-1")
	twice.PutStr("b", "aaaaaaaa-2")
	ld = renameKeys(t, ld, seal.IDKey, "a", "b")
	h.sendLogs(ld).stop()
	report := h.archive.verify(t, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))

	for name, id := range map[string]string{
		"leading zeros": `{"stringValue":"%s-005"}`, "no number": `{"stringValue":"%s-"}`, "too long": `{"stringValue":"%s-1000000000000000000"}`,
		"a map": `{"kvlistValue":{"values":[{"key":"%s","value":{}}]}}`, "signed": `{"stringValue":"%s-+5"}`, "empty": `{"stringValue":"%.0s"}`, "a space": `{"stringValue":" %s-5"}`,
	} {
		t.Run(name, func(t *testing.T) {
			a := h.archive.clone()
			i := a.record(t, 5)
			handle, _, _ := strings.Cut(a.id(t, i), "-")
			a.replace(t, i, `{"stringValue":"`+handle+`-5"}`, fmt.Sprintf(id, handle))
			expect(t, a.verify(t, h.trust), verdicts{finding.Malformed: 1, finding.Missing: 1, finding.Unresolved: 5})
		})
	}
	t.Run("twice", func(t *testing.T) {
		a := h.archive.clone()
		i := a.record(t, 5)
		id := a.id(t, i)
		a.replace(t, i, `{"key":"logseal.id"`, `{"key":"logseal.id","value":{"stringValue":"`+id+`"}},{"key":"logseal.id"`)
		found := expect(t, a.verify(t, h.trust), verdicts{finding.Malformed: 1, finding.Unresolved: 5})
		require.Equal(t, id, found[finding.Malformed][0].ID)
	})
}

// TestAttackUnsignedCopies: before each genuine seal comes its text with signatures that do not hold. That says nothing of the genuine one.
func TestAttackUnsignedCopies(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 66 {
		h.send(1).seal()
	}
	h.stop()
	a := &lines{}
	for i, line := range h.archive.list {
		if h.archive.isSeal(i) {
			ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
			require.NoError(t, err)
			body := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
			text, signatures, _ := strings.Cut(body, "\n\n")
			a.addNote(t, text+"\n\n"+strings.NewReplacer("A", "B", "B", "C", "z", "y", "m", "n", "x", "w").Replace(signatures[:60])+signatures[60:])
			broken := []byte(signatures)
			for at := 50; at < len(broken); at += 50 { // each line has 122 bytes or more
				if broken[at] == 'A' {
					broken[at] = 'B'
				} else {
					broken[at] = 'A'
				}
			}
			a.addNote(t, text+"\n\n"+string(broken))
		}
		a.list = append(a.list, line)
	}
	for seed := range orders() {
		b := a.shuffled(seed)
		report := b.verify(t, h.trust)
		require.Equal(t, finding.OK, report.Verdict, show(report))
		require.EqualValues(t, 66, report.Verified)
	}
}

// TestAttackManyUnsignedCopies: any number of spoiled copies of an anchor come before the genuine one, and before the seal that names its key.
func TestAttackManyUnsignedCopies(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 66 {
		h.send(1).seal()
	}
	a := h.stop().archive
	i := a.sealNumber(t, 64)
	anchor := a.list[i]
	a.remove(i)
	own := strings.Index(anchor, "— logseal.v1/"+h.trust.StreamID()+" ") + 60
	b := &lines{list: []string{a.list[a.sealNumber(t, 0)]}}
	for n := range 40 {
		b.list = append(b.list, anchor[:own]+fmt.Sprintf("%04d", n)+anchor[own+4:])
	}
	b.list = append(append(b.list, anchor), a.list...)
	report := b.verify(t, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, 66, report.Verified)
}

// renameKeys gives attributes a new name as no method of pdata can: two of one map get the same.
func renameKeys(t *testing.T, ld plog.Logs, to string, from ...string) plog.Logs {
	data, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	text := string(data)
	for _, name := range from {
		text = strings.ReplaceAll(text, `{"key":"`+name+`"`, `{"key":"`+to+`"`)
	}
	ld, err = (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(text))
	require.NoError(t, err)
	return ld
}

// TestAttackSealTransport is no attack but what stores do to text; and a signature line that somebody adds.
func TestAttackSealTransport(t *testing.T) {
	h := newHost(t, "web-17").start().send(5).seal().send(5).stop()
	for name, change := range map[string]func(string) string{
		"CRLF":             func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"escaped newlines": func(s string) string { return strings.ReplaceAll(s, "\n", `\n`) },
		"trimmed":          func(s string) string { return strings.TrimRight(s, "\n") },
		"a junk signature": func(s string) string { return s + "— example.com/log AAAAAAAA\n" },
		"junk comes first": func(s string) string {
			return strings.Replace(s, "\n\n— ", "\n\n— example.com/log AAAAAAAA\n— ", 1)
		},
		"escaped and cut":    func(s string) string { return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", `\n`) },
		"escaped CRLF":       func(s string) string { return strings.ReplaceAll(s, "\n", `\r\n`) },
		"sent twice as well": func(s string) string { return s },
	} {
		t.Run(name, func(t *testing.T) {
			a := &lines{}
			for i, line := range h.archive.list {
				if !h.archive.isSeal(i) {
					a.list = append(a.list, line)
					continue
				}
				ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
				require.NoError(t, err)
				a.list = append(a.list, line)
				a.list = a.list[:len(a.list)-1]
				a.addNote(t, change(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()))
				if name == "sent twice as well" {
					a.list = append(a.list, line)
				}
			}
			report := a.verify(t, h.trust)
			require.Equal(t, finding.OK, report.Verdict, show(report))
		})
	}
}

// TestAttackParsers: what two readers would read differently is malformed, and costs the verdict on its group at most.
func TestAttackParsers(t *testing.T) {
	h := newHost(t, "web-17").start().send(32).stop()
	body := `"body":{"stringValue":"line 3 of web-17"}`
	for _, c := range []struct{ name, old, new string }{
		{"duplicate member", body, `"body":{"stringValue":"forged"},` + body},
		{"duplicate member after", body, body + `,"body":{"stringValue":"forged"}`},
		{"unknown member", body, body + `,"note":"forged"`},
		{"another spelling of a member", body, body + `,"severity_text":"FATAL"`},
		{"a name with an escape", body, `"\u0062ody":{"stringValue":"forged"},` + body},
		{"oneof set twice", body, `"body":{"stringValue":"forged","stringValue":"line 3 of web-17"}`},
		{"oneof set to two things", body, `"body":{"intValue":"1","stringValue":"line 3 of web-17"}`},
		{"forged attribute first", `{"key":"k8s.pod"`, `{"key":"k8s.pod","value":{"stringValue":"forged"}},{"key":"k8s.pod"`},
		{"null", body, body + `,"severityText":null`},
		{"unknown member of the resource", `"resource":{`, `"resource":{"note":1,`},
		{"entity references", `"resource":{`, `"resource":{"entityRefs":[{"type":"host"}],`},
		{"unknown member of the scope", `"scope":{`, `"scope":{"note":1,`},
		{"unknown member of the frame", `{"resourceLogs"`, `{"note":1,"resourceLogs"`},
		{"deprecated member", `"scopeLogs":[`, `"deprecatedScopeLogs":[],"scopeLogs":[`},
		{"reference into a string table", body, `"body":{"stringValueStrindex":1}`},
		{"invalid UTF-8", "line 3 of", "line 3 \xff of"},
		{"half of a surrogate pair", "line 3 of", `line 3 \ud800 of`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.archive.clone()
			i := a.record(t, 3)
			id := a.id(t, i)
			a.replace(t, i, c.old, c.new)
			report := a.verify(t, h.trust)
			found := expect(t, report, verdicts{finding.Malformed: 1, finding.Unresolved: 15})
			require.Equal(t, id, found[finding.Malformed][0].ID)
			require.Equal(t, i+1, found[finding.Malformed][0].Place.Line)
			require.EqualValues(t, 16, report.Verified)
		})
	}
	for _, c := range []struct{ name, tail string }{
		{"data after the object", ` {"resourceLogs":[]}`}, {"garbage after the object", "x"}, {"a NUL", "\x00"}, {"a bracket", "]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.archive.clone()
			i := a.record(t, 3)
			id := a.id(t, i)
			a.list[i] += c.tail
			report := a.verify(t, h.trust)
			found := expect(t, report, verdicts{finding.Malformed: 1, finding.Missing: 1, finding.Unresolved: 15})
			require.Equal(t, id, found[finding.Missing][0].ID)
		})
	}
	t.Run("an error in the middle of a record", func(t *testing.T) {
		a := h.archive.clone()
		i := a.record(t, 3)
		a.list[i] = a.list[i][:len(a.list[i])/2]
		report := a.verify(t, h.trust)
		expect(t, report, verdicts{finding.Malformed: 1, finding.Missing: 1, finding.Unresolved: 15})
		require.EqualValues(t, 16, report.Verified)
	})
	t.Run("U+FFFD for an invalid byte", func(t *testing.T) {
		h := newHost(t, "web-17").start()
		ld := h.batch(1)
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr("a \xff b")
		h.sendLogs(ld).stop()
		require.Equal(t, finding.OK, h.archive.verify(t, h.trust).Verdict, "the stamp has made it U+FFFD")
		a := h.archive.clone()
		i := a.find(t, "a \ufffd b")
		a.replace(t, i, "a \ufffd b", "a \xff b")
		expect(t, a.verify(t, h.trust), verdicts{finding.Malformed: 1})
	})
}

// TestAttackEncodings changes a record into one that some encoding would make the same bytes of.
func TestAttackEncodings(t *testing.T) {
	fill := func(value pcommon.Value, raw any) { require.NoError(t, value.FromRaw(raw)) }
	for _, c := range []struct {
		name     string
		one, two any
	}{
		{"int and string", int64(1), "1"},
		{"bool and string", true, "true"},
		{"int and double", int64(1), 1.0},
		{"bool and int", true, int64(1)},
		{"large ints", int64(1<<53 + 1), int64(1 << 53)},
		{"zero and minus zero", 0.0, math.Copysign(0, -1)},
		{"infinities", math.Inf(1), math.Inf(-1)},
		{"NaN and a word", math.NaN(), "NaN"},
		{"empty and absent", "", nil},
		{"bytes and string", []byte("a"), "a"},
		{"bytes and nothing", []byte{}, ""},
		{"map and array", map[string]any{}, []any{}},
		{"dots and nesting", map[string]any{"a.b": "x"}, map[string]any{"a": map[string]any{"b": "x"}}},
		{"one array or two", []any{[]any{"a"}, []any{}}, []any{[]any{}, []any{"a"}}},
		{"where a key ends", map[string]any{"ab": "c"}, map[string]any{"a": "bc"}},
		{"composed or not", "\u00e9", "e\u0301"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, "web-17").start()
			ld := h.batch(2)
			records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			fill(records.At(0).Body(), c.one)
			fill(records.At(1).Attributes().PutEmpty("v"), c.one)
			h.sendLogs(ld).stop()
			all := h.archive
			require.Equal(t, finding.OK, all.verify(t, h.trust).Verdict)
			for n := range 2 {
				a := &lines{}
				for i, line := range all.list {
					one, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
					require.NoError(t, err)
					lr := one.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
					if !all.isSeal(i) && strings.Contains(line, fmt.Sprintf(`-%d"`, n)) {
						if n == 0 {
							fill(lr.Body(), c.two)
						} else {
							fill(lr.Attributes().PutEmpty("v"), c.two)
						}
					}
					a.add(t, one)
				}
				report := a.verify(t, h.trust)
				require.Equal(t, finding.Tampered, report.Verdict, show(report))
			}
		})
	}
}

// TestAttackOtherFields: a record is moved to another time, severity, resource, scope, schema, trace; all of it is in the digest.
func TestAttackOtherFields(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).stop()
	for name, change := range map[string]func(plog.Logs, plog.LogRecord){
		"time":            func(_ plog.Logs, lr plog.LogRecord) { lr.SetTimestamp(lr.Timestamp() + 1) },
		"observed time":   func(_ plog.Logs, lr plog.LogRecord) { lr.SetObservedTimestamp(1) },
		"severity":        func(_ plog.Logs, lr plog.LogRecord) { lr.SetSeverityNumber(9) },
		"severity text":   func(_ plog.Logs, lr plog.LogRecord) { lr.SetSeverityText("INFO") },
		"event name":      func(_ plog.Logs, lr plog.LogRecord) { lr.SetEventName("login") },
		"flags":           func(_ plog.Logs, lr plog.LogRecord) { lr.SetFlags(1) },
		"dropped count":   func(_ plog.Logs, lr plog.LogRecord) { lr.SetDroppedAttributesCount(1) },
		"trace":           func(_ plog.Logs, lr plog.LogRecord) { lr.SetTraceID(pcommon.TraceID{1}) },
		"span":            func(_ plog.Logs, lr plog.LogRecord) { lr.SetSpanID(pcommon.SpanID{1}) },
		"attribute":       func(_ plog.Logs, lr plog.LogRecord) { lr.Attributes().PutStr("gateway", "x") },
		"less attributes": func(_ plog.Logs, lr plog.LogRecord) { lr.Attributes().Remove("k8s.pod") },
		"resource": func(ld plog.Logs, _ plog.LogRecord) {
			ld.ResourceLogs().At(0).Resource().Attributes().PutStr("host.name", "x")
		},
		"resource schema": func(ld plog.Logs, _ plog.LogRecord) { ld.ResourceLogs().At(0).SetSchemaUrl("x") },
		"scope":           func(ld plog.Logs, _ plog.LogRecord) { ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName("x") },
		"scope version": func(ld plog.Logs, _ plog.LogRecord) {
			ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetVersion("x")
		},
		"scope schema": func(ld plog.Logs, _ plog.LogRecord) { ld.ResourceLogs().At(0).ScopeLogs().At(0).SetSchemaUrl("x") },
		"scope attribute": func(ld plog.Logs, _ plog.LogRecord) {
			ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().Attributes().PutBool("x", true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.archive.clone()
			i := a.record(t, 7)
			id := a.id(t, i)
			ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(a.list[i]))
			require.NoError(t, err)
			change(ld, ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
			one := &lines{}
			one.add(t, ld)
			a.list[i] = one.list[0]
			require.True(t, names(a.verify(t, h.trust), id, finding.Altered, finding.Unresolved))
		})
	}
}

// TestAttackFloodOfSeals: thousands of forged seals for the numbers that come next, and for anchors, before the genuine ones. Were all that wait looked at
// with each seal that comes, this would not end.
func TestAttackFloodOfSeals(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 70 {
		h.send(1).seal()
	}
	h.stop()
	a := &lines{list: slices.Clone(h.archive.list[:1])}
	forged := *h.archive.note(t, h.archive.sealNumber(t, 64)).Seal
	stranger := newHost(t, "x").thief()
	for n := range 2400 {
		a.addNote(t, stranger.Seal(forged, func(s *seal.Seal) {
			*s = forged
			s.Number = []uint64{1, 64, 63, 128, 4096, 1 << 40}[n%6]
			s.Time = s.Time.Add(time.Duration(n))
			s.Prev = h.archive.note(t, 0).TextHash()
			s.Anchors = nil
			for _, number := range seal.AnchorsAfter(s.Number) {
				s.Anchors = append(s.Anchors, seal.Anchor{Number: number})
			}
		}))
	}
	a.list = append(a.list, h.archive.list[1:]...)
	report := a.verify(t, h.trust)
	require.EqualValues(t, 70, report.Verified)
	for _, f := range report.Findings {
		require.Equal(t, finding.BadSeal, f.Code, show(report))
	}
}

// TestAttackHugeNumbers: what an id or a seal claims costs no more work than its bytes. What counts up to such numbers would not end.
func TestAttackHugeNumbers(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal().send(20)
	forger := h.thief()
	a := h.archive
	tip := *a.note(t, a.sealNumber(t, 1)).Seal
	handle := tip.Handle
	tip.Kind, tip.Covered, tip.Groups, tip.Prefixes = seal.KindHeartbeat, nil, nil, nil
	tip.Void = seal.Ranges{{First: 100, Last: 1<<59 - 1}}
	a.addNote(t, forger.Seal(tip, nil))
	tip.Void = nil
	tip.Kind, tip.End = seal.KindClose, 1<<59
	a.addNote(t, forger.Seal(tip, nil))
	i := a.record(t, 3)
	for n := range 2000 {
		seq := uint64(1)<<59 + uint64(n)*1_000_003
		a.list = append(a.list, strings.Replace(a.list[i], handle+`-3"`, fmt.Sprintf(`%s-%d"`, handle, seq), 1))
	}
	a.list = append(a.list, strings.Replace(a.list[i], handle+`-3"`, handle+`-200"`, 1)) // void
	report := a.verify(t, h.trust)
	require.EqualValues(t, 20, report.Verified)
	require.True(t, names(report, fmt.Sprintf("%s-%d", handle, uint64(1)<<59), finding.Inserted))
	require.EqualValues(t, 1, report.Streams[0].Voided)
}
