// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// What this package writes on records.
const (
	// AttributeRedacted lists the rules that changed a record and how often: "email:2 pan:1".
	AttributeRedacted = "logseal.redacted"
	// AttributeFailure marks a record, resource or scope whose content was withheld because it could not be redacted.
	AttributeFailure = "logseal.redact.failure"

	withheld = markFailure
)

// Logs redacts ld in place. Records that are dropped are removed, and so are the scopes and resources left empty by
// that. The counts go to rec, which may be nil.
func (e *Engine) Logs(ld plog.Logs, rec Recorder) {
	w := e.workers.Get().(*worker)
	ld.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		if w.resource(rl.Resource()) {
			return true
		}
		w.place.resource = rl.Resource()
		had := rl.ScopeLogs().Len()
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			if w.scope(sl.Scope()) {
				return true
			}
			had := sl.LogRecords().Len()
			sl.LogRecords().RemoveIf(w.record)
			return had > 0 && sl.LogRecords().Len() == 0
		})
		return had > 0 && rl.ScopeLogs().Len() == 0
	})
	w.place = place{}
	w.report(rec)
	clear(w.alike[:]) // they hold on to the batch
	e.workers.Put(w)
}

// resource redacts a resource and reports whether it is to be dropped, with the records under it.
func (w *worker) resource(r pcommon.Resource) (drop bool) {
	out, failed := w.guarded(func() outcome {
		w.loc = inResource
		return w.attrs(r.Attributes(), rules.Verdict{}, 0)
	})
	if failed && !w.e.audit {
		if w.e.cfg.OnFailure == Drop {
			return true
		}
		r.Attributes().Clear()
		r.Attributes().PutStr(AttributeFailure, failureNames[failedPanic])
		return false
	}
	return out == dropRecord && !w.e.audit
}

// scope redacts an instrumentation scope and reports whether it is to be dropped, with the records under it.
func (w *worker) scope(s pcommon.InstrumentationScope) (drop bool) {
	out, failed := w.guarded(func() outcome {
		w.loc = inScope
		out := w.attrs(s.Attributes(), rules.Verdict{}, 0)
		return max(out, w.set(s.Name(), s.SetName), w.set(s.Version(), s.SetVersion))
	})
	if failed && !w.e.audit {
		if w.e.cfg.OnFailure == Drop {
			return true
		}
		s.SetName(withheld)
		s.SetVersion("")
		s.Attributes().Clear()
		s.Attributes().PutStr(AttributeFailure, failureNames[failedPanic])
		return false
	}
	return out == dropRecord && !w.e.audit
}

// set redacts a text that is neither body nor attribute. A field that is dropped is left empty.
func (w *worker) set(s string, set func(string)) outcome {
	if s == "" {
		return unchanged
	}
	switch _, out := w.repeated(s); out {
	case changed:
		set(string(w.out))
		return changed
	case dropField:
		set("")
		return changed
	default:
		return out
	}
}

// record redacts a log record and reports whether it is to be dropped.
func (w *worker) record(lr plog.LogRecord) (drop bool) {
	clear(w.inRecord)
	w.place.inRecord, w.place.log, w.place.name = true, lr, ""
	out, failed := w.guarded(func() outcome { return w.fields(lr) })
	w.place.inRecord = false
	switch {
	case w.e.audit:
	case failed && w.e.cfg.OnFailure == Drop:
		return true
	case failed:
		w.tombstone(lr)
		return false
	case out == dropRecord:
		return true
	}
	if w.e.cfg.Annotate == AnnotateCounts {
		if s := w.annotation(); s != "" {
			lr.Attributes().PutStr(AttributeRedacted, s)
		}
	}
	return false
}

func (w *worker) fields(lr plog.LogRecord) outcome {
	w.loc = inBody
	result := w.value(lr.Body(), rules.Verdict{}, 0)
	if result == dropField {
		lr.Body().FromRaw(nil) //nolint:errcheck // nil is always taken
		result = changed
	}
	w.loc, w.place.name = inAttributes, ""
	result = max(result, w.attrs(lr.Attributes(), rules.Verdict{}, 0))
	w.loc = inEventName
	result = max(result, w.set(lr.EventName(), lr.SetEventName))
	w.loc = inSeverityText
	return max(result, w.set(lr.SeverityText(), lr.SetSeverityText))
}

// tombstone leaves of a record what the failure cannot have put content into: times, severity number, trace context.
func (w *worker) tombstone(lr plog.LogRecord) {
	lr.Body().SetStr(withheld)
	lr.SetEventName("")
	lr.SetSeverityText("")
	lr.Attributes().Clear()
	lr.Attributes().PutStr(AttributeFailure, failureNames[failedPanic])
}

// annotation lists what was redacted in the record, by rule.
func (w *worker) annotation() string {
	var parts []string
	for i, n := range w.inRecord {
		if n > 0 {
			parts = append(parts, w.e.rules[i].id+":"+strconv.FormatInt(n, 10))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
