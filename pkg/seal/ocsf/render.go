// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// EventName is the event name of every finding's record.
const EventName = "logseal.finding"

// Attributes of a finding's record: what a pipeline routes and a rule selects by, without looking into the body.
const (
	AttributeCode       = EventName + ".code"  // string: the finding's code, MISSING for example
	AttributeState      = EventName + ".state" // string: a [watch.State]
	AttributeStreamID   = "logseal.stream.id"  // string: absent where the finding is of no stream
	AttributeStreamName = "logseal.stream.name"
)

// SchemaVersion is the version of OCSF that the bodies are valid against.
const SchemaVersion = "1.7.0"

// Runbook is the page that says what to do; a code's section follows, in lower case.
const Runbook = "https://github.com/logseal/logseal/blob/main/docs/runbook.md"

// Identifiers of OCSF 1.7.0.
const (
	categoryFindings      = 2
	classDetectionFinding = 2004

	activityCreate = 1
	activityUpdate = 2
	activityClose  = 3

	statusNew      = 1
	statusResolved = 4

	severityLow  = 2
	severityHigh = 4

	roleAffected = 3
	analyticRule = 1
)

type label struct {
	id   int64
	name string
}

var activities = map[watch.State]label{
	watch.Opened:   {activityCreate, "Create"},
	watch.Updated:  {activityUpdate, "Update"},
	watch.Resolved: {activityClose, "Close"},
}

// severities are those of a verdict, in OCSF and in OpenTelemetry.
var severities = map[finding.Verdict]struct {
	ocsf   label
	number plog.SeverityNumber
}{
	finding.Tampered:   {label{severityHigh, "High"}, plog.SeverityNumberError},
	finding.Incomplete: {label{severityLow, "Low"}, plog.SeverityNumberWarn},
}

// entries is the table of findings by code.
var entries = func() map[finding.Code]finding.Entry {
	m := map[finding.Code]finding.Entry{}
	for _, e := range finding.Table() {
		m[e.Code] = e
	}
	return m
}()

// Render fills an empty record in. The version is that of the program that found it.
func Render(to plog.LogRecord, e *watch.Event, version string) {
	f := &e.Finding
	verdict := f.Verdict()
	at := pcommon.NewTimestampFromTime(e.Time)
	to.SetTimestamp(at)
	to.SetObservedTimestamp(at)
	to.SetEventName(EventName)
	number := severities[verdict].number
	if e.State == watch.Resolved {
		number = plog.SeverityNumberInfo
	}
	to.SetSeverityNumber(number)
	to.SetSeverityText(strings.ToUpper(number.String()))

	a := to.Attributes()
	a.PutStr(AttributeCode, string(f.Code))
	a.PutStr(AttributeState, string(e.State))
	putStr(a, AttributeStreamID, e.StreamID)
	putStr(a, AttributeStreamName, f.Stream)

	body(to.Body().SetEmptyMap(), e, version)
}

func body(m pcommon.Map, e *watch.Event, version string) {
	f := &e.Finding
	verdict := f.Verdict()
	activity, severity := activities[e.State], severities[verdict].ocsf

	m.PutInt("category_uid", categoryFindings)
	m.PutStr("category_name", "Findings")
	m.PutInt("class_uid", classDetectionFinding)
	m.PutStr("class_name", "Detection Finding")
	m.PutInt("activity_id", activity.id)
	m.PutStr("activity_name", activity.name)
	m.PutInt("type_uid", classDetectionFinding*100+activity.id)
	m.PutStr("type_name", "Detection Finding: "+activity.name)
	m.PutInt("severity_id", severity.id)
	m.PutStr("severity", severity.name)
	status := label{statusNew, "New"}
	if e.State == watch.Resolved {
		status = label{statusResolved, "Resolved"}
	}
	m.PutInt("status_id", status.id)
	m.PutStr("status", status.name)
	m.PutBool("is_alert", e.State != watch.Resolved && verdict == finding.Tampered)
	m.PutStr("message", Message(e))
	// Of a finding it is when the finding was made, whichever activity the event tells of.
	putTime(m, "time", e.FirstSeen)
	// What it is about happened after this, by the host's clock.
	putTime(m, "start_time", e.EventTime)
	if f.Count > 0 {
		m.PutInt("count", int64(f.Count))
	}

	metadata := m.PutEmptyMap("metadata")
	metadata.PutStr("version", SchemaVersion)
	putTime(metadata, "logged_time", e.Time)
	metadata.PutStr("event_code", string(f.Code))
	product := metadata.PutEmptyMap("product")
	product.PutStr("name", "Logseal")
	product.PutStr("vendor_name", "Logseal")
	putStr(product, "version", version)

	info(m.PutEmptyMap("finding_info"), e)
	evidences(m.PutEmptySlice("evidences"), e)
	resources(m, e)

	remediation := m.PutEmptyMap("remediation")
	remediation.PutStr("desc", entries[f.Code].Remedy)
	remediation.PutEmptySlice("references").AppendEmpty().SetStr(RunbookSection(f.Code))
}

func info(m pcommon.Map, e *watch.Event) {
	f := &e.Finding
	m.PutStr("uid", e.UID)
	title := string(f.Code)
	if f.Stream != "" {
		title += ": " + f.Stream
	}
	m.PutStr("title", title)
	m.PutStr("desc", entries[f.Code].Case)
	putTime(m, "created_time", e.FirstSeen)
	putTime(m, "modified_time", e.Time)
	putTime(m, "first_seen_time", e.FirstSeen)
	putTime(m, "last_seen_time", e.LastSeen)
	analytic := m.PutEmptyMap("analytic")
	analytic.PutStr("uid", string(f.Reason))
	analytic.PutStr("name", string(f.Code))
	analytic.PutInt("type_id", analyticRule)
	analytic.PutStr("type", "Rule")
}

// evidences names the records and seals that the finding rests on, and where the last of it came from. Each needs something in it,
// so there may be none.
func evidences(s pcommon.Slice, e *watch.Event) {
	for i := range e.Evidence {
		of := &e.Evidence[i]
		data := s.AppendEmpty().SetEmptyMap().PutEmptyMap("data")
		putStr(data, "record_id", of.FirstID)
		if of.LastID != of.FirstID {
			putStr(data, "last_record_id", of.LastID)
		}
		if of.Seals.Any {
			data.PutInt("seal", int64(of.Seals.First))
			data.PutInt("last_seal", int64(of.Seals.Last))
		}
		data.PutInt("count", int64(of.Count))
	}
	if e.Peer != (watch.Peer{}) || e.Finding.Detail.StreamID != "" {
		data := s.AppendEmpty().SetEmptyMap().PutEmptyMap("data")
		putStr(data, "peer_address", e.Peer.Address)
		putStr(data, "client_certificate", e.Peer.Identity)
		putStr(data, "claimed_stream_id", e.Finding.Detail.StreamID)
	}
}

// resources names the host: by its stream, which is what its keys prove, else by the certificate that the records came with.
func resources(m pcommon.Map, e *watch.Event) {
	name, kind := e.Finding.Stream, "log stream"
	if name == "" && e.StreamID == "" {
		name, kind = e.Peer.Identity, "client"
	}
	host := ""
	if isHostName(e.Host) {
		host = e.Host
	}
	if name == "" && e.StreamID == "" && host == "" {
		return
	}
	resource := m.PutEmptySlice("resources").AppendEmpty().SetEmptyMap()
	putStr(resource, "name", name)
	putStr(resource, "uid", e.StreamID)
	putStr(resource, "hostname", host)
	resource.PutStr("type", kind)
	resource.PutInt("role_id", roleAffected)
	resource.PutStr("role", "Affected")
}

// maxHostName is that of RFC 1035.
const maxHostName = 253

// isHostName keeps whatever else a record says in host.name out of what an alarm shows.
func isHostName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= maxHostName
}

// RunbookSection is the address of what to do about a code.
func RunbookSection(code finding.Code) string { return Runbook + "#" + strings.ToLower(string(code)) }

func putStr(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, value)
	}
}

// putTime writes a timestamp_t: milliseconds since the Epoch.
func putTime(m pcommon.Map, key string, t time.Time) {
	if !t.IsZero() {
		m.PutInt(key, t.UnixMilli())
	}
}
