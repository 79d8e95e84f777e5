// SPDX-License-Identifier: Apache-2.0

package export_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/export"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/original"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sent is a record as it left its host.
type sent struct {
	id       string // empty for a seal
	original string
	body     string
	at       time.Time // when it was sent, a record with the seal that covers it
	own      time.Time // the time that it gives
}

// world is what a host sent.
type world struct {
	trust seal.Trust
	began time.Time
	ended time.Time
	sent  []sent
}

// minutes is how long the host of a world runs. It seals 20 records a minute.
const minutes = 12

// newWorld is a host that ran, and stopped.
func newWorld(t *testing.T) *world {
	h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	h.Policy, err = seal.NewPolicy([]string{seal.ClientKeys, seal.OriginalKey, "k8s.*"}, []string{seal.ClientKeys})
	require.NoError(t, err)
	w := &world{trust: h.Trust, began: h.Now.Time}
	require.NoError(t, h.Start(t.Context()))
	for range minutes {
		require.NoError(t, h.Stamp(t.Context(), 20))
		h.Land(0, sealtest.Taken)
		require.NoError(t, h.Seal(t.Context()))
		w.take(h)
		h.Advance(time.Minute)
	}
	require.NoError(t, h.Stop(t.Context()))
	w.take(h)
	w.ended = h.Now.Time
	return w
}

// take takes in what the host has sent since the last time.
func (w *world) take(h *sealtest.Host) {
	var writer original.Writer
	for _, ld := range h.Received {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				writer.SetSource(rl, sl)
				for _, lr := range sl.LogRecords().All() {
					w.sent = append(w.sent, sent{idOf(lr), string(writer.Append(nil, lr)), lr.Body().Str(), h.Now.Time, lr.Timestamp().AsTime()})
				}
			}
		}
	}
	h.Received = nil
}

func idOf(lr plog.LogRecord) string {
	if id, ok := lr.Attributes().Get(seal.IDKey); ok {
		return id.Str()
	}
	return ""
}

// object writes an object of strings, with members in the order given.
func object(members ...string) string {
	var b strings.Builder
	for i := 0; i < len(members); i += 2 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(members[i]) + ":" + members[i+1])
	}
	return "{" + b.String() + "}"
}

func quote(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// lines puts every text on a line of its own.
func lines(list []string) string { return strings.Join(list, "\n") + "\n" }

// pages cuts a list into so many answers.
func pages(list []string, n int, page func(first int, rows []string) string) []string {
	var answers []string
	for i := range n {
		from, to := len(list)*i/n, len(list)*(i+1)/n
		answers = append(answers, page(from, list[from:to]))
	}
	return answers
}

func rows(list []string) string { return "[" + strings.Join(list, ",") + "]" }

// form is one way in which a store gives records back.
type form struct {
	store string
	write func(list []sent) []string // one text a file
}

// each applies one function to every record.
func each(list []sent, row func(sent) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = row(s)
	}
	return out
}

// forms are the ways in which the stores give originals back.
var forms = map[string]form{
	"splunk, jobs/export": {"splunk", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			return object("preview", "false", "offset", "0", "result", object("_time", `"2026-11-23T05:22:20.000+00:00"`, "host", `"web-17"`, "_raw", quote(s.original), "tag", `["a","b"]`))
		}))}
	}},
	"splunk, results in pages": {"splunk", func(list []sent) []string {
		return pages(each(list, func(s sent) string { return object("_raw", quote(s.original)) }), 3, func(first int, r []string) string {
			return object("preview", "false", "init_offset", fmt.Sprint(first), "messages", "[]", "fields", `[{"name":"_raw"}]`, "results", rows(r), "highlighted", "{}")
		})
	}},
	"splunk, json_rows": {"splunk", func(list []sent) []string {
		return pages(each(list, func(s sent) string { return rows([]string{`"web-17"`, quote(s.original)}) }), 1, func(first int, r []string) string {
			return object("preview", "false", "init_offset", fmt.Sprint(first), "fields", `["host","_raw"]`, "rows", rows(r))
		})
	}},
	"splunk, syslog": {"splunk", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			return object("result", object("_raw", quote("Nov 23 05:22:20 web-17 logseal - - [a@1 b=\"c\"] "+s.original+"\n")))
		}))}
	}},
	"elastic, pages of _search": {"elastic", func(list []sent) []string {
		hits := each(list, func(s sent) string {
			return object("_index", `"logs"`, "_id", `"1"`, "_score", "null", "_source", object("@timestamp", `"2026-11-23T05:22:20Z"`, "message", quote(s.original)), "sort", `[1795412540000,"x"]`)
		})
		return pages(hits, 4, func(_ int, r []string) string {
			return object("took", "3", "timed_out", "false", "_shards", `{"total":1,"failed":0}`,
				"hits", object("total", object("value", fmt.Sprint(len(hits)), "relation", `"eq"`), "max_score", "null", "hits", rows(r)))
		})
	}},
	"elastic, fields": {"elastic", func(list []sent) []string {
		hits := each(list, func(s sent) string {
			return object("_index", `"logs"`, "_source", object("message", quote(s.original)), "fields", object("message", rows([]string{quote(s.original)})))
		})
		return []string{object("responses", rows([]string{object("hits", object("hits", rows(hits)))}))}
	}},
	"elastic, a hit a line": {"elastic", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			return object("_index", `"logs"`, "_source", object("event", object("original", quote(s.original)), "message", quote(s.body)))
		}))}
	}},
	"elastic, parsed": {"elastic", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string { return object("_source", s.original) }))}
	}},
	"elastic, ES|QL": {"elastic", func(list []sent) []string {
		return []string{object("took", "3", "columns", `[{"name":"@timestamp","type":"date"},{"name":"message","type":"text"}]`,
			"values", rows(each(list, func(s sent) string { return rows([]string{`"2026"`, quote(s.original)}) })))}
	}},
	"loki, query_range": {"loki", func(list []sent) []string {
		return []string{object("status", `"success"`, "data", object("resultType", `"streams"`, "result", rows([]string{
			object("stream", object("service_name", `"web"`), "values", rows(each(list, func(s sent) string { return rows([]string{`"1795412540000000000"`, quote(s.original)}) }))),
		}), "stats", `{"summary":{"totalEntriesReturned":3}}`))}
	}},
	"loki, logcli": {"loki", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			return object("labels", object("service_name", `"web"`), "line", quote(s.original), "timestamp", `"2026-11-23T05:22:20Z"`)
		}))}
	}},
	"victorialogs": {"victorialogs", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			return object("_time", `"2026-11-23T05:22:20Z"`, "_stream", `"{}"`, "_msg", quote(s.original))
		}))}
	}},
	"elastic, Graylog's index": {"elastic", func(list []sent) []string {
		hits := each(list, func(s sent) string {
			if s.id == "" {
				return object("_source", object("message", quote(s.body), "otel_severity_text", `"INFO"`))
			}
			return object("_source", object("message", quote(s.body), "otel_attributes_logseal_id", quote(s.id), "otel_attributes_logseal_original", quote(base64.StdEncoding.EncodeToString([]byte(s.original)))))
		})
		return []string{object("hits", object("hits", rows(hits)))}
	}},
	"victorialogs, made of another store's answer": {"victorialogs", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			if s.id == "" {
				return object("_msg", quote(s.body), "logseal.id", "null", "logseal.original", "null")
			}
			return object("_msg", quote(s.body), "logseal.id", quote(s.id), "logseal.original", quote(base64.StdEncoding.EncodeToString([]byte(s.original))))
		}))}
	}},
	"otlp, pages": {"otlp", func(list []sent) []string {
		return pages(each(list, func(s sent) string { return s.original }), 2, func(_ int, r []string) string {
			return object("next", `"x"`, "data", rows(r))
		})
	}},
	"otlp, indented": {"otlp", func(list []sent) []string {
		return []string{lines(each(list, func(s sent) string {
			var v any
			if err := json.Unmarshal([]byte(s.original), &v); err != nil {
				panic(err)
			}
			data, _ := json.MarshalIndent(v, "", "  ")
			return string(data)
		}))}
	}},
}

// given is what is verified.
type given struct {
	from, until time.Time
}

// verify verifies what a store gave back.
func (w *world) verify(t *testing.T, store string, texts []string, g given) (*verifier.Report, error) {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i, text := range texts {
		files = append(files, filepath.Join(dir, fmt.Sprintf("page-%04d.json", i)))
		require.NoError(t, os.WriteFile(files[i], []byte(text), 0o600))
	}
	return export.Verify(t.Context(), store, files, verifier.New([]seal.Trust{w.trust}), g.from, g.until, archive.Options{})
}

// found are the findings of a report, short: code and reason, and how many records or seals.
func found(r *verifier.Report) map[string]uint64 {
	list := map[string]uint64{}
	for _, f := range r.Findings {
		list[string(f.Code)+" "+string(f.Reason)] += f.Count
	}
	return list
}
