// SPDX-License-Identifier: Apache-2.0

package export_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/export"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// full is an original with a value in every part.
const full = `{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web-17"}}]},"scopeLogs":[{"scope":{},"logRecords":[{` +
	`"timeUnixNano":"1795412345123456789","severityNumber":9,"severityText":"INFO","body":{"stringValue":"1.10"},"attributes":[` +
	`{"key":"version","value":{"stringValue":"1.20"}},{"key":"n","value":{"intValue":"5"}},{"key":"f","value":{"doubleValue":2.5}},{"key":"ok","value":{"boolValue":true}},` +
	`{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"}]}}},{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}},` +
	`{"key":"account","value":{"stringValue":"1234567890123456789"}},{"key":"logseal.id","value":{"stringValue":"aaaaaaaa-1"}}],"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","eventName":"login"}]}]}]}`

// TestShownOtherwise: what a store shows beside the original that a record carries is compared with it, and what the store itself does to values is no
// difference.
func TestShownOtherwise(t *testing.T) {
	carried := quote(base64.StdEncoding.EncodeToString([]byte(full)))
	rows := map[string]string{
		"victorialogs": object("_time", `"2026-11-23T05:39:05.123456789Z"`, "_msg", `"1.1"`, "severity_number", `"9"`, "severity_text", `"INFO"`, "version", `"1.2"`, "account", `"1234567890123456789"`, "n", `"5"`, "f", `"2.50"`,
			"ok", `"true"`, "list", `"[\"a\"]"`, "m.k", `"v"`, "host.name", `"web-17"`, "trace_id", `"0102030405060708090a0b0c0d0e0f10"`, "span_id", `"0102030405060708"`,
			"event_name", `"login"`, "k8s.pod.name", `"added"`, "logseal.id", `"aaaaaaaa-1"`, "logseal.original", carried),
		"elastic": object("_source", object("@timestamp", `"2026-11-23T05:39:05.123Z"`, "body", object("text", `"1.10"`), "attributes",
			object("version", `"1.20"`, "n", "5", "f", "2.5", "ok", "true", "list", `["a"]`, "m", `{"k":"v"}`, "logseal.id", `"aaaaaaaa-1"`, "logseal.original", carried),
			"resource", object("attributes", object("host.name", `"web-17"`)), "severity_number", "9")),
		"loki": object("line", `"1.10"`, "timestamp", `"2026-11-23T05:39:05.123456789Z"`, "labels",
			object("version", `"1.20"`, "n", `"5"`, "host_name", `"web-17"`, "m_k", `"v"`, "logseal_id", `"aaaaaaaa-1"`, "logseal_original", carried)),
		"splunk": object("_raw", `"1.10"`, "logseal_id", `"aaaaaaaa-1"`, "logseal.original", carried),
		"otlp":   strings.Replace(full, `{"key":"logseal.id"`, `{"key":"logseal.original","value":{"stringValue":`+carried+`}},{"key":"logseal.id"`, 1),
	}
	otherwise := func(store, row string) string {
		said := "nothing"
		_, err := export.Read(t.Context(), store, []string{archive.Stdin}, archive.Options{Stdin: strings.NewReader(row)}, func(o *verifier.Observed) error {
			require.Empty(t, o.Fault)
			require.Equal(t, "aaaaaaaa-1", o.ID.String())
			said = o.Otherwise
			return nil
		})
		require.NoError(t, err)
		return said
	}
	for store, row := range rows {
		require.Empty(t, otherwise(store, row), store)
	}
	for _, tt := range []struct{ store, old, by, want string }{
		{"victorialogs", `"_msg":"1.1"`, `"_msg":"1.2"`, "its text"},
		{"victorialogs", `"_msg":"1.1"`, `"_msg":"1.1 "`, ""},
		{"victorialogs", `"version":"1.2"`, `"version":"1.3"`, "an attribute"},
		{"victorialogs", `"n":"5"`, `"n":"6"`, "an attribute"},
		{"victorialogs", `"ok":"true"`, `"ok":"false"`, "an attribute"},
		{"victorialogs", `"m.k":"v"`, `"m.k":"w"`, "an attribute"},
		{"victorialogs", `"host.name":"web-17"`, `"host.name":"web-18"`, "an attribute of its resource"},
		{"victorialogs", `"severity_number":"9"`, `"severity_number":"17"`, "its severity"},
		{"victorialogs", `"severity_text":"INFO"`, `"severity_text":"ERROR"`, "its severity"},
		{"victorialogs", `"event_name":"login"`, `"event_name":"logout"`, "its event name"},
		{"victorialogs", `"trace_id":"01`, `"trace_id":"02`, "its trace id"},
		{"victorialogs", `05.123456789Z`, `05.223456789Z`, "its time"},
		{"victorialogs", `05.123456789Z`, `05.123456Z`, ""},
		{"victorialogs", `"_msg":"1.1",`, ``, "its text"},
		{"victorialogs", `"_msg":"1.1"`, `"_msg":""`, "its text"},
		{"victorialogs", `"_msg":"1.1"`, `"_msg":"missing _msg field; see"`, "its text"},
		{"victorialogs", `"_msg":"1.1"`, `"_msg":` + quote(full), ""}, // the original itself
		{"victorialogs", `"_msg":"1.1"`, `"_msg":` + quote("x "+full), "its text"},
		{"splunk", `"_raw":"1.10"`, `"_raw":"1.11"`, "its text"},
		{"splunk", `"_raw":"1.10",`, ``, "its text"},
		{"elastic", `"severity_number":9`, `"severity_number":9,"message":"1.10"`, ""},
		{"elastic", `"severity_number":9`, `"severity_number":9,"message":"1.11"`, "its text"},
		{"elastic", `"severity_number":9`, `"severity_number":9,"message":""`, "its text"},
		{"elastic", `"body":{"text":"1.10"}`, `"body":"1.11"`, "its text"},
		{"elastic", `"body":{"text":"1.10"}`, `"body":"1.10"`, ""},
		{"elastic", `"body":{"text":"1.10"}`, `"message":"1.11"`, "its text"},
		{"elastic", `"text":"1.10"`, `"text":""`, "its text"},
		{"loki", `"line":"1.10"`, `"line":""`, "its text"},
		{"elastic", `"text":"1.10"`, `"text":"1.11"`, "its text"},
		{"elastic", `"n":5`, `"n":6`, "an attribute"},
		{"elastic", `"host.name":"web-17"`, `"host.name":"web-18"`, "an attribute of its resource"},
		{"elastic", `05.123Z`, `06.123Z`, "its time"},
		{"elastic", `"2026-11-23T05:39:05.123Z"`, `1795412345123`, ""},
		{"elastic", `"2026-11-23T05:39:05.123Z"`, `"1795412345123.456789"`, ""},
		{"elastic", `"2026-11-23T05:39:05.123Z"`, `"1795412346123.456789"`, "its time"},
		{"loki", `"line":"1.10"`, `"line":"1.11"`, "its text"},
		{"loki", `"host_name":"web-17"`, `"host_name":"web-18"`, "an attribute of its resource"},
		{"otlp", `"body":{"stringValue":"1.10"}`, `"body":{"stringValue":"1.11"}`, "its text"},
		{"otlp", `"timeUnixNano":"1795412345`, `"timeUnixNano":"1795412346`, "its time"},
		{"otlp", `"intValue":"5"`, `"stringValue":"5"`, ""}, // a store without types
		{"otlp", `"body":{"stringValue":"1.10"}`, `"body":{"arrayValue":{"values":[{"stringValue":"x"}]}}`, "its text"},
		{"otlp", `"body":{"stringValue":"1.10"}`, `"body":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"x"}}]}}`, "its text"},
		{"otlp", `{"stringValue":"web-17"}`, `{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"x"}}]}}`, "an attribute of its resource"},
		{"otlp", `{"stringValue":"a"}`, `{"stringValue":"b"}`, "an attribute"},
		{"otlp", `{"arrayValue":{"values":[{"stringValue":"a"}]}}`, `{"stringValue":"[\"a\"]"}`, ""}, // a store without arrays
		{"otlp", `{"arrayValue":{"values":[{"stringValue":"a"}]}}`, `{"stringValue":"a"}`, "an attribute"},
		{"otlp", `{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}`, `{"stringValue":"{\"k\":\"v\"}"}`, ""}, // or without maps
		{"otlp", `{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}`, `{"stringValue":"v"}`, "an attribute"},
		{"otlp", `"attributes":[{"key":"version"`, `"attributes":[{"key":"host.id","value":{"stringValue":"added"}},{"key":"version"`, "an attribute"},
		{"otlp", `"attributes":[{"key":"host.name"`, `"attributes":[{"key":"k","value":{"intValue":"1"}},{"key":"host.name"`, "an attribute of its resource"},
		{"otlp", `{"key":"n","value":{"intValue":"5"}},`, ``, "an attribute"},
		{"otlp", `{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"}]}}},`, ``, "an attribute"},
		{"otlp", `"body":{"stringValue":"1.10"},`, ``, "its text"},
		{"otlp", `"body":{"stringValue":"1.10"}`, `"body":{"stringValue":""}`, "its text"},
		{"otlp", `"severityNumber":9,`, ``, "its severity"},
		{"otlp", `"severityText":"INFO",`, ``, "its severity"},
		{"otlp", `,"eventName":"login"`, ``, "its event name"},
		{"otlp", `"traceId":"0102030405060708090a0b0c0d0e0f10",`, ``, "its trace id"},
		{"victorialogs", `"account":"1234567890123456789"`, `"account":"1234567890123456790"`, "an attribute"},
		{"victorialogs", `"account":"1234567890123456789"`, `"account":"1234567890123456800"`, ""}, // as a double prints it
		{"victorialogs", `"account":"1234567890123456789"`, `"account":"1.2345678901234567e+18"`, ""},
	} {
		require.Contains(t, rows[tt.store], tt.old)
		require.Equal(t, tt.want, otherwise(tt.store, strings.Replace(rows[tt.store], tt.old, tt.by, 1)), "%s: %s", tt.store, tt.by)
	}
}

// TestCarried: with carried originals, records verify from a store that keeps fields only; an edit of the original is found, and one of the
// field beside it.
func TestCarried(t *testing.T) {
	w := newWorld(t)
	write := func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			if s.id == "" {
				return object("_msg", quote(s.body), "event_name", `"logseal.seal"`)
			}
			return object("_msg", quote(s.body), "logseal.id", quote(s.id), "logseal.original", quote(base64.StdEncoding.EncodeToString([]byte(s.original))))
		}))}
	}
	report, err := w.verify(t, "victorialogs", write(w.sent), given{})
	require.NoError(t, err)
	require.Empty(t, found(report))
	require.EqualValues(t, 20*minutes, report.Verified)

	shown := append([]sent(nil), w.sent...)
	shown[50].body += "!"
	report, err = w.verify(t, "victorialogs", write(shown), given{})
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"ALTERED shown_differs": 1}, found(report))
	require.EqualValues(t, 20*minutes-1, report.Verified)
	require.Contains(t, report.Findings[0].Message(), "its text is another")
	require.Equal(t, w.sent[50].id, report.Findings[0].ID)

	edited := append([]sent(nil), w.sent...)
	edited[50].original = strings.Replace(edited[50].original, `"h"`, `"i"`, 1)
	report, err = w.verify(t, "victorialogs", write(edited), given{})
	require.NoError(t, err)
	require.EqualValues(t, 1, found(report)["ALTERED digest_differs"])
}

// TestText: whatever is done to the text that a store shows of a record, or to which original it gives back with it, is ALTERED under its id and
// does not count as verified.
func TestText(t *testing.T) {
	w := newWorld(t)
	const i = 50
	row := func(s sent, members ...string) string {
		if s.id != "" {
			members = append(members, "logseal_id", quote(s.id))
		}
		return object("result", object(members...))
	}
	for name, tt := range map[string]struct {
		edit func(s, next sent) string
		want map[string]uint64
	}{
		"as it was sent":   {func(s, _ sent) string { return row(s, "_raw", quote(s.original)) }, map[string]uint64{}},
		"a text before it": {func(s, _ sent) string { return row(s, "_raw", quote("EVIL TEXT "+s.original)) }, map[string]uint64{"ALTERED shown_differs": 1}},
		"a text behind it": {func(s, _ sent) string { return row(s, "_raw", quote(s.original+" EVIL")) }, map[string]uint64{"ALTERED shown_differs": 1}},
		"in another field": {func(s, _ sent) string { return row(s, "_raw", `"EVIL"`, "x", quote(s.original)) }, map[string]uint64{"ALTERED shown_differs": 1}},
		"as JSON":          {func(s, _ sent) string { return row(s, "_raw", `"EVIL"`, "x", s.original) }, map[string]uint64{"ALTERED shown_differs": 1}},
		"another's":        {func(s, next sent) string { return row(s, "_raw", quote(next.original)) }, map[string]uint64{"ALTERED other_record": 1, "UNRESOLVED group_differs": uint64(len(group(w, i)) - 1)}},
		"another's, carried": {func(s, next sent) string {
			return row(s, "_raw", quote(s.body), "logseal.original", quote(base64.StdEncoding.EncodeToString([]byte(next.original))))
		}, map[string]uint64{"ALTERED other_record": 1, "UNRESOLVED group_differs": uint64(len(group(w, i)) - 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			list := each(w.sent, func(s sent) string { return row(s, "_raw", quote(s.original)) })
			list[i] = tt.edit(w.sent[i], w.sent[i+1])
			report, err := w.verify(t, "splunk", []string{lines(list)}, given{})
			require.NoError(t, err)
			require.Equal(t, tt.want, found(report))
			notVerified := 0
			for _, n := range tt.want {
				notVerified += int(n)
			}
			require.EqualValues(t, 20*minutes-notVerified, report.Verified)
			for _, f := range report.Findings {
				if f.Code == finding.Altered {
					require.Equal(t, w.sent[i].id, f.ID)
				}
			}
		})
	}
}

// TestParsedBody: a store of OTLP may make a map of a body that is the text of one, or a text of a body that is a map. Of another text it may not.
func TestParsedBody(t *testing.T) {
	const m = `{"kvlistValue":{"values":[{"key":"-k.l","value":{"stringValue":"v"}}]}}`
	for _, tt := range []struct{ original, shown, want string }{
		{m, `{"stringValue":"{\"-k.l\":\"v\"}"}`, ""},
		{`{"stringValue":"{\"-k.l\":\"v\"}"}`, m, ""},
		{m, `{"stringValue":"v"}`, "its text"},
		{`{"stringValue":"v"}`, m, "its text"},
		{m, m, ""},
	} {
		of := func(value string) string {
			return strings.Replace(originalOf("aaaaaaaa-1", "x"), `{"stringValue":"x"}`, value, 1)
		}
		carried := attribute("logseal.original", base64.StdEncoding.EncodeToString([]byte(of(tt.original))))
		list, err := read(t, "otlp", strings.NewReader(strings.Replace(of(tt.shown), `"attributes":[`, `"attributes":[`+carried, 1)))
		require.NoError(t, err)
		if tt.want != "" {
			tt.want = "(" + tt.want + ")"
		}
		require.Equal(t, []string{"aaaaaaaa-1 " + tt.want}, list, "%s shown as %s", tt.original, tt.shown)
	}
}

// TestExcluded: what a gateway adds under names that the stream excludes is not the store's doing.
func TestExcluded(t *testing.T) {
	w := newWorld(t)
	for name, want := range map[string]map[string]uint64{"k8s.pod.name": {}, "evil": {"ALTERED shown_differs": 1}} {
		list := each(w.sent, func(s sent) string { return s.original })
		carried := attribute("logseal.original", base64.StdEncoding.EncodeToString([]byte(list[50])))
		list[50] = strings.Replace(list[50], `{"key":"logseal.id"`, carried+attribute(name, "x")+`{"key":"logseal.id"`, 1)
		report, err := w.verify(t, "otlp", []string{lines(list)}, given{})
		require.NoError(t, err)
		require.Equal(t, want, found(report), name)

		slices.Reverse(list) // what the stream excludes is known last
		report, err = w.verify(t, "otlp", []string{lines(list)}, given{})
		require.NoError(t, err)
		require.Equal(t, want, found(report), name)

		r, pipe, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		go func() {
			_, _ = io.WriteString(pipe, lines(list))
			_ = pipe.Close()
		}()
		_, err = export.Verify(t.Context(), "otlp", []string{fmt.Sprintf("/dev/fd/%d", r.Fd())}, verifier.New([]seal.Trust{w.trust}), time.Time{}, time.Time{}, archive.Options{})
		require.ErrorIs(t, err, archive.ErrReadTwice)
	}
}

func attribute(name, text string) string {
	return `{"key":` + quote(name) + `,"value":{"stringValue":` + quote(text) + `}},`
}

// TestOTLPCarriesNothing: what is carried and is no original leaves the record to stand for itself; another record's is tampering.
func TestOTLPCarriesNothing(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		carried string
		want    map[string]uint64
	}{
		"cut":       {base64.StdEncoding.EncodeToString([]byte(w.sent[50].original))[:100], map[string]uint64{}},
		"no base64": {"%", map[string]uint64{}},
		"another's": {base64.StdEncoding.EncodeToString([]byte(w.sent[51].original)), map[string]uint64{"ALTERED other_record": 1, "UNRESOLVED group_differs": uint64(len(group(w, 50)) - 1)}},
	} {
		list := each(w.sent, func(s sent) string { return s.original })
		list[50] = strings.Replace(list[50], `{"key":"logseal.id"`, attribute("logseal.original", tt.carried)+`{"key":"logseal.id"`, 1)
		report, err := w.verify(t, "otlp", []string{lines(list)}, given{})
		require.NoError(t, err)
		require.Equal(t, tt.want, found(report), name)
	}
}

// TestHeaders: before an original may stand the header of a syslog message, as the RFCs and relays write it, and nothing else.
func TestHeaders(t *testing.T) {
	for header, want := range map[string]string{
		"": "", " ": "",
		"<14>1 2026-11-23T05:22:20.123456Z web-17 app 12 ID47 - ":                                 "",
		"<14>1 2026-11-23T05:22:20+01:00 web-17 app - - [a@1 b=\"c \\\"d\\\" \\] e\" f=\"\"][g] ": "",
		"<14>1 - - - - - - \ufeff":                                        "",
		"812 <14>1 2026-11-23T05:22:20Z web-17 a - - - ":                  "",
		"Nov 23 05:22:20 10.0.0.1 1 2026-11-23T05:22:20Z web-17 a - - - ": "",
		"<13>Nov  3 05:22:20 web-17 app[12]: ":                            "",
		"<13>Nov  3 05:22:20 web-17 app: ":                                "",
		"Nov  3 05:22:20 web-17 app ":                                     "",
		"Nov  3 05:22:20 web-17 ":                                         "",
		"2026-11-23T05:22:20.123456+00:00 web-17 app[12]: ":               "",
		"Nov 23 05:22:20 web-17 logseal - - [a@1 b=\"c\"] ":               "",

		"EVIL ":                   "(its text)",
		"<14>EVIL ":               "(its text)",
		"EVIL <14>1 - - - - - - ": "(its text)",
		"<14>1 - - - - - - EVIL ": "(its text)",
		"Nov  3 05:22:20 web-17 EVIL TEXT VISIBLE ":                     "(its text)",
		"Nov  3 05:22:20 web-17 app[12]: user logged in ":               "(its text)",
		"Nov  3 05:22:20 web-17 app:\nEVIL ":                            "(its text)",
		"<14>1 2026-11-23T05:22:20Z web-17 app - - [a@1 b=\"c\"] EVIL ": "(its text)",
		"<14>1 2026-11-23T05:22:20Z web-17 app - - [EVIL=TEXT] ":        "(its text)",
		"2026-11-23 05:22:20 ":                                          "(its text)",
		"{\"user\":\"root\"} ":                                          "(its text)",
	} {
		for store, field := range map[string]string{"splunk": "_raw", "elastic": "message", "loki": "line", "victorialogs": "_msg"} {
			list, err := read(t, store, strings.NewReader(object(field, quote(header+originalOf("aaaaaaaa-1", "x")))))
			require.NoError(t, err)
			require.Equal(t, []string{"aaaaaaaa-1 " + want}, list, "%s: %s", store, header)
		}
	}
}
