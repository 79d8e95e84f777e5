// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/flood"
)

// What a report is called, and its attributes. docs/flood.md describes them.
const (
	eventName  = "logseal.flood"
	scopeName  = "github.com/logseal/logseal/processor/floodguardprocessor"
	attrPrefix = eventName + "."
)

// resource fills in who reports.
func (f *floodGuard) resource(to pcommon.Resource) {
	to.Attributes().PutStr("service.name", f.set.BuildInfo.Command)
	for _, name := range []string{"service.name", "host.name"} {
		if value, found := f.set.Resource.Attributes().Get(name); found && value.AsString() != "" {
			to.Attributes().PutStr(name, value.AsString())
		}
	}
	if _, found := to.Attributes().Get("host.name"); !found {
		if name, err := os.Hostname(); err == nil {
			to.Attributes().PutStr("host.name", name)
		}
	}
}

// logs makes a record of each report.
func (f *floodGuard) logs(reports []flood.Report, now time.Time) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	f.resource(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(scopeName)
	sl.Scope().SetVersion(f.set.BuildInfo.Version)
	sl.LogRecords().EnsureCapacity(len(reports))
	for i := range reports {
		record(sl.LogRecords().AppendEmpty(), f.set.ID.String(), &reports[i], now)
	}
	return ld
}

func record(lr plog.LogRecord, processor string, r *flood.Report, now time.Time) {
	at := pcommon.NewTimestampFromTime(now)
	lr.SetTimestamp(at)
	lr.SetObservedTimestamp(at)
	lr.SetEventName(eventName)
	lr.SetSeverityNumber(plog.SeverityNumberWarn)
	lr.SetSeverityText("WARN")
	lr.Body().SetStr(sentence(r))
	a := lr.Attributes()
	a.EnsureCapacity(16)
	a.PutStr(attrPrefix+"processor", processor)
	a.PutStr(attrPrefix+"phase", string(r.Phase))
	a.PutStr(attrPrefix+"key.name", r.Key.Name)
	a.PutStr(attrPrefix+"key", r.Key.Value)
	for _, c := range []struct {
		name  string
		count flood.Count
	}{{"received", r.Received}, {"kept", r.Kept}, {"shed", r.Shed}, {"held", r.Held}} {
		a.PutInt(attrPrefix+c.name+".records", int64(c.count.Records))
		a.PutInt(attrPrefix+c.name+".bytes", int64(c.count.Bytes))
	}
	if !r.First.IsZero() {
		a.PutStr(attrPrefix+"first", r.First.UTC().Format(time.RFC3339Nano))
		a.PutStr(attrPrefix+"last", r.Last.UTC().Format(time.RFC3339Nano))
	}
	if r.Limit != flood.NoLimit {
		a.PutStr(attrPrefix+"limit", r.Limit.String())
	}
	a.PutBool(attrPrefix+"at_least", r.AtLeast)
}

// sentence says the same to a person.
func sentence(r *flood.Report) string {
	atLeast := ""
	if r.AtLeast {
		atLeast = "at least "
	}
	counts := fmt.Sprintf("of %s%d records received, %d were kept, %s%d shed and %d held back", atLeast, r.Received.Records, r.Kept.Records, atLeast, r.Shed.Records, r.Held.Records)
	switch r.Phase {
	case flood.Begin:
		return fmt.Sprintf("%s is above %s: %s", describe(r.Key), r.Limit, counts)
	case flood.End:
		return fmt.Sprintf("%s is below its limits again: since the report before, %s", describe(r.Key), counts)
	}
	return fmt.Sprintf("%s is still above %s: since the report before, %s", describe(r.Key), r.Limit, counts)
}

func describe(key flood.Key) string {
	switch key {
	case flood.Newcomers:
		return "All sources without a state of their own (max_keys), together,"
	case flood.Key{}:
		return "Records of which no key is known, together,"
	}
	return key.Name + " " + key.Value
}
