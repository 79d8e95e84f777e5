// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/watch"
)

var opened = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// events are every finding of the table in every state, with all that a finding may name and with none of it.
func events() []watch.Event {
	var list []watch.Event
	for _, entry := range finding.Table() {
		for _, row := range entry.Reasons {
			bare := finding.New(row.Reason)
			run := finding.New(row.Reason)
			run.Stream = "web-17"
			run.SetIDs("k3x7a2qd", 17, 30)
			run.Detail = finding.Detail{
				Seals: finding.Seals{Any: true, First: 3, Last: 9}, By: 12, N: 16, Group: "k3x7a2qd-16 to 31", Lost: "its text",
				StreamID: "9f86d081884c7d65", Time: finding.Stamp(opened),
			}
			for _, state := range []watch.State{watch.Opened, watch.Updated, watch.Resolved} {
				at := opened.Add(time.Minute)
				list = append(list,
					watch.Event{Finding: bare, UID: "u1", State: state, FirstSeen: opened, LastSeen: opened, Time: at},
					watch.Event{
						Finding: run, UID: "u2", State: state, StreamID: "9f86d081884c7d65", Host: "web-17",
						Peer:      watch.Peer{Address: "192.0.2.7:4711", Identity: "web-17.example.com"},
						FirstSeen: opened, LastSeen: at, Time: at, EventTime: opened.Add(-time.Hour),
						Evidence: []watch.Evidence{
							{FirstID: "k3x7a2qd-17", LastID: "k3x7a2qd-30", Count: 14},
							{Seals: finding.Seals{Any: true, First: 3, Last: 9}, Count: 7},
						},
					})
			}
		}
	}
	return list
}

func render(e *watch.Event) plog.LogRecord {
	lr := plog.NewLogRecord()
	ocsf.Render(lr, e, "0.1.0")
	return lr
}

func get(t *testing.T, m pcommon.Map, path string) pcommon.Value {
	t.Helper()
	for {
		name, rest, more := strings.Cut(path, ".")
		v, found := m.Get(name)
		require.True(t, found, "%s is missing", name)
		if !more {
			return v
		}
		m, path = v.Map(), rest
	}
}

// TestEveryFindingIsValid compares every finding of the table with what the published schema says of the class.
func TestEveryFindingIsValid(t *testing.T) {
	for _, e := range events() {
		body := render(&e).Body().Map()
		assert.Empty(t, check(body, detectionFinding, "finding"), "%s %s %s", e.Finding.Code, e.Finding.Reason, e.State)

		activity := get(t, body, "activity_id").Int()
		assert.Equal(t, get(t, body, "class_uid").Int()*100+activity, get(t, body, "type_uid").Int())
		assert.Equal(t, map[watch.State]int64{watch.Opened: 1, watch.Updated: 2, watch.Resolved: 3}[e.State], activity)
		assert.Equal(t, captions["activity"][activity], get(t, body, "activity_name").Str())
		for _, name := range []string{"severity", "status"} {
			assert.Equal(t, captions[name][get(t, body, name+"_id").Int()], get(t, body, name).Str())
		}
		assert.Equal(t, captions["analytic"][get(t, body, "finding_info.analytic.type_id").Int()], get(t, body, "finding_info.analytic.type").Str())
		assert.Equal(t, "1.7.0", get(t, body, "metadata.version").Str())
		assert.Equal(t, e.UID, get(t, body, "finding_info.uid").Str())
		assert.Equal(t, opened.UnixMilli(), get(t, body, "time").Int(), "when the finding was made, in every event of its life")
		assert.Equal(t, e.Time.UnixMilli(), get(t, body, "finding_info.modified_time").Int())
		_, named := body.Get("resources")
		assert.Equal(t, e.StreamID != "", named)
	}
}

// TestCheckFindsFaults: the comparison with the schema is none if it passes whatever is wrong.
func TestCheckFindsFaults(t *testing.T) {
	for name, break_ := range map[string]func(pcommon.Map){
		"required":      func(m pcommon.Map) { m.Remove("severity_id") },
		"required deep": func(m pcommon.Map) { v, _ := m.Get("finding_info"); v.Map().Remove("uid") },
		"enumeration":   func(m pcommon.Map) { m.PutInt("activity_id", 4) },
		"kind":          func(m pcommon.Map) { m.PutStr("class_uid", "2004") },
		"seconds":       func(m pcommon.Map) { m.PutInt("time", opened.Unix()) },
		"nanoseconds":   func(m pcommon.Map) { m.PutInt("time", opened.UnixNano()) },
		"unknown":       func(m pcommon.Map) { m.PutStr("verdict_text", "tampered") },
		"no evidence":   func(m pcommon.Map) { v, _ := m.Get("evidences"); v.Slice().AppendEmpty().SetEmptyMap() },
	} {
		t.Run(name, func(t *testing.T) {
			f := finding.New(finding.DigestDiffers)
			body := render(&watch.Event{Finding: f, UID: "u", State: watch.Opened, FirstSeen: opened, Time: opened}).Body().Map()
			require.Empty(t, check(body, detectionFinding, "finding"))
			break_(body)
			assert.Len(t, check(body, detectionFinding, "finding"), 1)
		})
	}
}

func TestRecord(t *testing.T) {
	f := finding.New(finding.RecordMissing)
	f.Stream = "web-17"
	f.SetIDs("k3x7a2qd", 17, 30)
	e := watch.Event{Finding: f, UID: "u", State: watch.Opened, StreamID: "9f86d081884c7d65", FirstSeen: opened, Time: opened.Add(time.Second), Evidence: []watch.Evidence{{FirstID: "k3x7a2qd-17", LastID: "k3x7a2qd-30", Count: 14}}}
	lr := render(&e)
	assert.Equal(t, "logseal.finding", lr.EventName())
	assert.Equal(t, plog.SeverityNumberError, lr.SeverityNumber())
	assert.Equal(t, "ERROR", lr.SeverityText())
	assert.Equal(t, e.Time, lr.Timestamp().AsTime())
	assert.Equal(t, map[string]any{
		"logseal.finding.code": "MISSING", "logseal.finding.state": "opened",
		"logseal.stream.id": "9f86d081884c7d65", "logseal.stream.name": "web-17",
	}, lr.Attributes().AsRaw())
	body := lr.Body().Map()
	assert.True(t, get(t, body, "is_alert").Bool())
	assert.Equal(t, int64(14), get(t, body, "count").Int())
	assert.Equal(t, []any{map[string]any{"data": map[string]any{"record_id": "k3x7a2qd-17", "last_record_id": "k3x7a2qd-30", "count": int64(14)}}},
		get(t, body, "evidences").Slice().AsRaw())

	e.State = watch.Resolved
	lr = render(&e)
	assert.Equal(t, plog.SeverityNumberInfo, lr.SeverityNumber(), "nobody is woken by the end of an alarm")
	assert.False(t, get(t, lr.Body().Map(), "is_alert").Bool())
	assert.Equal(t, int64(4), get(t, lr.Body().Map(), "severity_id").Int(), "which is the finding's, not the event's")

	e.Finding = finding.New(finding.NewerThanSeals)
	e.State = watch.Opened
	lr = render(&e)
	assert.Equal(t, plog.SeverityNumberWarn, lr.SeverityNumber())
	assert.False(t, get(t, lr.Body().Map(), "is_alert").Bool(), "what cannot be known is no alarm")
}

// TestClientIsTheResource: of records that no stream has, the certificate says whose they are.
func TestClientIsTheResource(t *testing.T) {
	e := watch.Event{Finding: finding.New(finding.NoID), UID: "u", State: watch.Opened, Peer: watch.Peer{Identity: "web-17", Address: "192.0.2.7:4711"}, FirstSeen: opened, Time: opened}
	body := render(&e).Body().Map()
	assert.Empty(t, check(body, detectionFinding, "finding"))
	assert.Equal(t, []any{map[string]any{"name": "web-17", "type": "client", "role_id": int64(3), "role": "Affected"}},
		get(t, body, "resources").Slice().AsRaw())
}

func TestMessage(t *testing.T) {
	with := func(reason finding.Reason, change func(*finding.Finding)) finding.Finding {
		f := finding.New(reason)
		change(&f)
		return f
	}
	for want, f := range map[string]finding.Finding{
		"Record k3x7a2qd-17 of stream web-17 is not the record that was sealed under this id.": with(finding.DigestDiffers, func(f *finding.Finding) {
			f.Stream = "web-17"
			f.SetID("k3x7a2qd", 17)
		}),
		"Each of the 14 records k3x7a2qd-17 to k3x7a2qd-30 of stream web-17 was sealed and is not here: it was deleted, or lost after the host had sent it.": with(finding.RecordMissing, func(f *finding.Finding) {
			f.Stream = "web-17"
			f.SetIDs("k3x7a2qd", 17, 30)
		}),
		"Each of 3 records has no logseal.id: it was not stamped, or the stamp was taken off.": with(finding.NoID, func(f *finding.Finding) { f.Count = 3 }),
		"Stream web-17 lacks seal 4: what was covered there cannot be verified, and whether anything was is not known; what comes behind rests on an anchor's key that was on the host meanwhile.": with(finding.SealGap, func(f *finding.Finding) {
			f.Stream, f.Detail.Seals = "web-17", finding.Seal(4)
		}),
		"2 records look like seals, but their text is not that of one.":                                with(finding.NotASeal, func(f *finding.Finding) { f.Count = 2 }),
		"There is no authentic seal of a trusted stream in the archive, so nothing in it is verified.": with(finding.NoStream, func(*finding.Finding) {}),
		"A stream is trusted, and there is no seal of it here at all.":                                 with(finding.NoSeal, func(*finding.Finding) {}),
		"The archive ends within what it holds: its last line is the beginning of a JSON object.":      with(finding.LineUnfinished, func(*finding.Finding) {}),
		"Records look like seals, but their text is not that of one.":                                  with(finding.NotASeal, func(*finding.Finding) {}),
		"A record has no logseal.id: it was not stamped, or the stamp was taken off.":                  with(finding.NoID, func(*finding.Finding) {}),
	} {
		assert.Equal(t, want, ocsf.Message(&watch.Event{Finding: f, State: watch.Opened}))
		assert.Equal(t, "Resolved: "+want, ocsf.Message(&watch.Event{Finding: f, State: watch.Resolved}))
	}
}

// TestHostNamesOnly: what a record says in host.name reaches an alarm if it is a host's name, and not otherwise.
func TestHostNamesOnly(t *testing.T) {
	f := finding.New(finding.RecordMissing)
	f.Stream = "web-17"
	for host, want := range map[string]bool{
		"web-17.example.com": true, "": false, "web 17": false, "web\x1b[31m": false, "<script>": false, strings.Repeat("a", 254): false,
	} {
		body := render(&watch.Event{Finding: f, UID: "u", State: watch.Opened, StreamID: "9f86d081884c7d65", Host: host, FirstSeen: opened, Time: opened}).Body().Map()
		_, found := get(t, body, "resources").Slice().At(0).Map().Get("hostname")
		assert.Equal(t, want, found, "%q", host)
	}
}

func TestMessageOfSeveralRuns(t *testing.T) {
	f := finding.New(finding.RecordMissing)
	f.Stream = "web-17"
	f.SetIDs("k3x7a2qd", 17, 30)
	f.Count = 40
	e := watch.Event{Finding: f, Evidence: []watch.Evidence{{FirstID: "k3x7a2qd-17", LastID: "k3x7a2qd-30", Count: 14}, {FirstID: "k3x7a2qd-40", LastID: "k3x7a2qd-65", Count: 26}}}
	assert.Equal(t, "Each of 40 records of stream web-17, k3x7a2qd-17 the first, was sealed and is not here: it was deleted, or lost after the host had sent it.",
		ocsf.Message(&e))
}

// TestEveryMessageIsOneSentence: no sentence of the table has a hole.
func TestEveryMessageIsOneSentence(t *testing.T) {
	for _, e := range events() {
		text := ocsf.Message(&e)
		assert.Regexp(t, `^[A-Z0-9].*[^.]\.$`, text)
		assert.NotContains(t, text, "{", "%s", e.Finding.Reason)
		assert.NotContains(t, text, "\n")
		if e.StreamID != "" { // of what the sentences name
			assert.NotContains(t, text, "  ", "%s", e.Finding.Reason)
		}
	}
}
