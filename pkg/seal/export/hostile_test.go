// SPDX-License-Identifier: Apache-2.0

package export_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/export"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// read reads one text, and returns ids and faults.
func read(t *testing.T, store string, text io.Reader) (list []string, err error) {
	t.Helper()
	_, err = export.Read(t.Context(), store, []string{archive.Stdin}, archive.Options{Stdin: text}, func(o *verifier.Observed) error {
		said := string(o.Fault)
		if o.HasID {
			said = o.ID.String() + " " + said
		}
		if o.Note != nil {
			said = "seal " + said
		}
		if o.Otherwise != "" {
			said += "(" + o.Otherwise + ")"
		}
		list = append(list, said)
		return nil
	})
	return list, err
}

// originalOf is an original with an id and a body.
func originalOf(id, body string) string {
	return `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{"stringValue":` + quote(body) +
		`},"attributes":[{"key":"logseal.id","value":{"stringValue":` + quote(id) + `}}]}]}]}]}`
}

// originalOfSeal is an original whose body has the form of a seal's.
const originalOfSeal = `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{"stringValue":"logseal.v1/x\\n"},"eventName":"logseal.seal"}]}]}]}`

// several is a text so many times, each behind a comma.
func several(text string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteByte(',')
		b.WriteString(strings.ReplaceAll(text, "%d", fmt.Sprint(i+2)))
	}
	return b.String()
}

// TestHostileRows: what two readers would read differently is MALFORMED, and what quotes another record does not stand for it.
func TestHostileRows(t *testing.T) {
	fake := originalOf("aaaaaaaa-7", "x")
	real := originalOf("aaaaaaaa-1", fake)
	carried := quote(base64.StdEncoding.EncodeToString([]byte(real)))
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	for name, tt := range map[string]struct {
		text  string
		want  []string
		store string
	}{
		"a member twice":                        {`{"message":"a","message":"b"}`, []string{"member_repeated"}, "elastic"},
		"a member twice, by an escape":          {`{"_msg":"a","message":"a","mes\u0073age":"b"}`, []string{"member_repeated"}, "elastic"},
		"a name that a store makes of two":      {`{"_msg":` + quote(fake) + `,"a":"r","a":"l","logseal.id":"aaaaaaaa-1","logseal.original":` + carried + `}`, []string{"aaaaaaaa-1 "}, ""},
		"another value with the name of the id": {`{"_msg":` + quote(fake) + `,"logseal.id":"x","logseal.id":"aaaaaaaa-1","logseal.original":"y","logseal.original":` + carried + `}`, []string{"aaaaaaaa-1 "}, ""},
		"invalid UTF-8":                         {"{\"_msg\":\"\xff\"}", []string{"invalid_utf8"}, ""},
		"half a character":                      {`{"_msg":"\ud800"}`, []string{"bad_escape"}, ""},
		"the other half":                        {`{"_msg":"\udc00\ud800"}`, []string{"bad_escape"}, ""},
		"a character in two halves":             {`{"_msg":"\ud83d\ude00","logseal.id":"aaaaaaaa-1"}`, []string{"aaaaaaaa-1 not_rebuilt"}, ""},
		"a backslash before what looks like it": {`{"_msg":"\\ud800","logseal.id":"aaaaaaaa-1"}`, []string{"aaaaaaaa-1 not_rebuilt"}, ""},
		"deep":                                  {`{"_msg":` + deep + `}`, []string{"too_deep"}, ""},
		"two ids":                               {`{"logseal.id":["aaaaaaaa-1","aaaaaaaa-2"]}`, []string{"bad_id"}, ""},
		"one id twice":                          {`{"logseal.id":["aaaaaaaa-1","aaaaaaaa-1"]}`, []string{"aaaaaaaa-1 not_rebuilt"}, ""},
		"more ids than are looked for":          {`{"logseal.id":["aaaaaaaa-1"` + several(`"aaaaaaaa-%d"`, 20) + `],"logseal.original":` + carried + `}`, []string{"bad_id"}, ""},
		"its text again and again":              {`{"line":["x"` + several(`"x"`, 20) + `],"logseal_original":` + quote(base64.StdEncoding.EncodeToString([]byte(fake))) + `}`, []string{"aaaaaaaa-7 (its text)"}, "loki"},
		"a value again and again":               {`{"_msg":"x","a":["b"` + several(`"b"`, 20) + `],"logseal.original":` + quote(base64.StdEncoding.EncodeToString([]byte(strings.Replace(fake, `"attributes":[`, `"attributes":[`+attribute("a", "b"), 1)))) + `}`, []string{"aaaaaaaa-7 (an attribute)"}, ""},
		"no id":                                 {`{"logseal.id":"k-1"}`, []string{"bad_id"}, "elastic"},
		"not ours":                              {`{"_msg":"hello"}`, []string{""}, ""},
		"a seal":                                {`{"_msg":"logseal.v1/x\n1\n"}`, []string{"seal "}, ""},
		"a seal with an id":                     {`{"_msg":"logseal.v1/x","logseal.id":"aaaaaaaa-1"}`, []string{"aaaaaaaa-1 not_rebuilt"}, ""},
		"a seal by its text only":               {`{"_msg":"logseal.v1/x","event_name":"login"}`, []string{""}, ""},
		"a line that quotes another record":     {`{"_msg":` + quote(fake) + `,"logseal.id":"aaaaaaaa-1"}`, []string{"aaaaaaaa-1 not_rebuilt"}, ""},
		"an original that quotes another":       {`{"_msg":` + quote(real) + `}`, []string{"aaaaaaaa-1 "}, ""},
		"the same, and its parts beside it":     {`{"body":` + quote(fake) + `,"_msg":` + quote(real) + `}`, []string{"aaaaaaaa-1 "}, ""},
		"the carried one goes before":           {`{"_msg":` + quote(fake) + `,"logseal.original":` + carried + `}`, []string{"aaaaaaaa-1 "}, ""},
		"a carried one of another record":       {`{"_msg":"a","logseal.id":"aaaaaaaa-3","logseal.original":` + carried + `}`, []string{"aaaaaaaa-3 other_record"}, ""},
		"an event of another record":            {`{"_raw":` + quote(real) + `,"logseal_id":"aaaaaaaa-3"}`, []string{"aaaaaaaa-3 other_record"}, "splunk"},
		"a seal behind a text":                  {`{"_raw":` + quote("EVIL "+originalOfSeal) + `}`, []string{"seal (its text)", ""}, "splunk"},
		"an answer and a record, Elastic":       {`{"hits":{"hits":[]},"@timestamp":"2026-11-28T13:45:12Z","message":"EVIL"}`, []string{""}, "elastic"},
		"the same with an id of its own":        {`{"id":"1","message":` + quote(real) + `}`, []string{"aaaaaaaa-1 "}, "elastic"},
		"an answer and a record, Splunk":        {`{"messages":[],"results":[],"_raw":"EVIL"}`, []string{""}, "splunk"},
		"an answer and a member of it, twice":   {`{"results":[],"_raw":"a","_raw":"b"}`, []string{"member_repeated"}, "splunk"},
		"an answer with what we do not know":    {`{"results":[],"new":{"a":[1]}}`, nil, "splunk"},
		"a carried one that is no base64":       {`{"_msg":"a","logseal.id":"aaaaaaaa-3","logseal.original":"%"}`, []string{"aaaaaaaa-3 no_object"}, ""},
		"an original that is no OTLP":           {`{"_msg":"{\"resourceLogs\":7}"}`, []string{"wrong_type"}, ""},
		"a line that begins like an original":   {`{"_msg":"{\"resourceLogs\":7}","logseal.id":"aaaaaaaa-3"}`, []string{"aaaaaaaa-3 not_rebuilt"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			store := tt.store
			if store == "" {
				store = "victorialogs"
			}
			list, err := read(t, store, strings.NewReader(tt.text+"\n"))
			require.NoError(t, err)
			require.Equal(t, tt.want, list)
		})
	}
}

// TestBrokenFiles: what is damaged takes nothing else with it where an answer is a line, and is an error where it is not.
func TestBrokenFiles(t *testing.T) {
	good := object("_msg", quote(originalOf("aaaaaaaa-1", "x")))
	for name, tt := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"a line":                   {good + "\n{\"_msg\":\"x\n" + good + "\n", []string{"aaaaaaaa-1 ", "broken_json", "aaaaaaaa-1 "}, ""},
		"two lines":                {good + "\nx\n}\n" + good + "\n", []string{"aaaaaaaa-1 ", "broken_json", "broken_json", "aaaaaaaa-1 "}, ""},
		"the last line is cut off": {good + "\n" + good[:len(good)/2], []string{"aaaaaaaa-1 ", "line_unfinished"}, ""},
		"the first line":           {"x\n" + good, nil, "line 1: no JSON"},
		"a byte order mark":        {"\xef\xbb\xbf" + good + "\r\n", []string{"aaaaaaaa-1 "}, ""},
		"CR LF and blank lines":    {good + "\r\n\r\n" + good, []string{"aaaaaaaa-1 ", "aaaaaaaa-1 "}, ""},
		"no ends of lines":         {good + good + good, []string{"aaaaaaaa-1 ", "aaaaaaaa-1 ", "aaaaaaaa-1 "}, ""},
		"an array":                 {"[" + good + "," + good + "]", []string{"aaaaaaaa-1 ", "aaaaaaaa-1 "}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for packing, pack := range map[string]func(string) io.Reader{"plain": plain, "gzip": gzipped} {
				list, err := read(t, "victorialogs", pack(tt.text))
				if tt.err != "" {
					require.ErrorContains(t, err, tt.err)
				} else {
					require.NoError(t, err)
				}
				require.Equal(t, tt.want, list, packing)
			}
		})
	}
}

func plain(text string) io.Reader { return strings.NewReader(text) }

func gzipped(text string) io.Reader {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return &b
}

// TestMemory: a page of any length is read in little memory, and so is what is in it beside records.
func TestMemory(t *testing.T) {
	const size = 256 << 10
	hit := object("_source", object("message", quote(originalOf("aaaaaaaa-1", strings.Repeat("x", size)))))
	const hits = 16
	parts := []io.Reader{strings.NewReader(`{"took":1,"aggregations":["`)}
	filler := strings.Repeat("y", size)
	for range hits / 2 {
		parts = append(parts, strings.NewReader(filler))
	}
	parts = append(parts, strings.NewReader(`"],"hits":{"hits":[`+hit))
	for range hits - 1 {
		parts = append(parts, strings.NewReader(","), strings.NewReader(hit))
	}
	parts = append(parts, strings.NewReader(`]}}`))
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	rows, most, before := 0, int64(0), heap()
	_, err := export.Read(t.Context(), "elastic", []string{archive.Stdin}, archive.Options{Stdin: io.MultiReader(parts...)}, func(o *verifier.Observed) error {
		require.True(t, o.HasID)
		if rows++; rows%4 == 0 {
			most = max(most, heap()-before)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, hits, rows)
	require.Less(t, most, int64(hits*size))
}

// TestLittleText: a short row asks for no more memory than its length justifies, whatever is in its original.
func TestLittleText(t *testing.T) {
	text := `{"stringValue":"x"}`
	nested := text
	for range 22 {
		nested = `{"arrayValue":{"values":[` + nested + `]}}`
	}
	leaves := make([]string, 1000)
	for i := range leaves {
		leaves[i] = `{"key":"` + fmt.Sprint(i) + `","value":{"intValue":"1"}}`
	}
	wide := `{"kvlistValue":{"values":` + rows(leaves) + `}}`
	long := strings.Repeat("k", 64<<10)
	for name, value := range map[string]string{
		"arrays in arrays":           `{"key":"a","value":` + nested + `}`,
		"a long name of many values": `{"key":"` + long + `","value":` + wide + `}`,
		"the same in an array":       `{"key":"a","value":{"arrayValue":{"values":[{"kvlistValue":{"values":[{"key":"` + long + `","value":` + wide + `}]}}]}}}`,
	} {
		original := strings.Replace(originalOf("aaaaaaaa-1", "x"), `"attributes":[`, `"attributes":[`+value+`,`, 1)
		carried := base64.StdEncoding.EncodeToString([]byte(original))
		for store, row := range map[string]string{
			"victorialogs": object("_msg", `"x"`, "logseal.id", `"aaaaaaaa-1"`, "logseal.original", quote(carried)),
			"otlp":         strings.Replace(original, `"attributes":[`, `"attributes":[`+attribute("logseal.original", carried), 1),
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			list, err := read(t, store, strings.NewReader(row))
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			require.Equal(t, []string{"aaaaaaaa-1 "}, list, "%s, %s", name, store)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), "%s, %s", name, store)
		}
	}
}

// TestLinesSayNothing: of an answer that does not say how many there are nothing is kept; in a file of lines there are millions.
func TestLinesSayNothing(t *testing.T) {
	const rows = 1 << 16
	row := object("preview", "false", "result", object("_raw", `"a"`)) + "\n"
	n, most := 0, uint64(0)
	_, err := export.Read(t.Context(), "splunk", []string{archive.Stdin}, archive.Options{Stdin: strings.NewReader(strings.Repeat(row, rows))}, func(*verifier.Observed) error {
		if n++; n == 1 || n == rows-1 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = m.HeapAlloc - most
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, rows, n)
	require.Less(t, int64(most), int64(1<<20))
}

// TestStopped: an error of who is given the records stops the reading, and a panic is the program's.
func TestStopped(t *testing.T) {
	stop := errors.New("enough")
	text := strings.Repeat(object("_msg", `"a"`)+"\n", 3)
	n := 0
	_, err := export.Read(t.Context(), "victorialogs", []string{archive.Stdin}, archive.Options{Stdin: strings.NewReader(text)}, func(*verifier.Observed) error {
		n++
		return stop
	})
	require.ErrorIs(t, err, stop)
	require.Equal(t, 1, n)
}

// FuzzRead: whatever a file holds, every store's reader ends, and emits what the verifier can take.
func FuzzRead(f *testing.F) {
	list := []sent{{id: "aaaaaaaa-1", original: originalOf("aaaaaaaa-1", "x"), body: "x"}, {body: "logseal.v1/x\n", original: originalOf("", "y")}}
	for _, forms := range []map[string]form{forms, flat} {
		for _, form := range forms {
			for _, text := range form.write(list) {
				f.Add(slices.Index(export.Stores(), form.store), []byte(text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, store int, text []byte) {
		names := export.Stores()
		v := verifier.NewFirstUse()
		_, err := export.Read(t.Context(), names[uint(store)%uint(len(names))], []string{archive.Stdin}, archive.Options{Stdin: bytes.NewReader(text)}, func(o *verifier.Observed) error {
			v.Prepare(o)
			v.Add(o)
			return nil
		})
		report, finishErr := v.Finish(time.Time{})
		require.NoError(t, finishErr)
		if err == nil && len(text) == 0 {
			require.Empty(t, report.Records)
		}
		require.NotEqual(t, finding.OK, report.Verdict, "without a seal nothing is right")
	})
}
