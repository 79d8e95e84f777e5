// SPDX-License-Identifier: Apache-2.0

package export

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// clocks is how far a store's time may be off: some keep milliseconds.
const clocks = time.Millisecond

// differs returns what a store shows otherwise than the original that it carries says, as a noun; empty if nothing does. Only what both have is
// compared: a search may leave fields out, and others may have been added on the way. A store that knows no types writes a number in its own
// way, and so the same number is the same.
func (l *layout) differs(r *row, o *verifier.Observed) string {
	if l.shown == nil {
		return ""
	}
	// Several values may have one field's name. The store shows one of them.
	type field struct {
		what  string
		texts []string
		any   bool
	}
	fields := map[string]*field{}
	o.Shown(func(s canonical.Shown) {
		name := l.shown(s)
		if name == "" || s.Text == "" && !s.List {
			return
		}
		f := fields[name]
		if f == nil {
			f = &field{what: partNames[s.Part]}
			fields[name] = f
		}
		f.texts, f.any = append(f.texts, s.Text), f.any || s.List
	})
	for i := range r.fields {
		shown := &r.fields[i]
		f := fields[shown.name]
		if f == nil || f.any || shown.text == "" {
			continue
		}
		same := false
		for _, text := range f.texts {
			same = same || sameText(text, shown.text)
		}
		if !same {
			return f.what
		}
	}
	if !sameTime(o.Time(), r.one(l.time)) {
		return "its time"
	}
	return ""
}

var partNames = map[canonical.Part]string{
	canonical.Body: "its text", canonical.Attribute: "an attribute", canonical.ResourceAttribute: "an attribute of its resource",
	canonical.SeverityNumber: "its severity", canonical.SeverityText: "its severity", canonical.EventName: "its event name",
	canonical.TraceID: "its trace id", canonical.SpanID: "its span id",
}

func sameText(original, shown string) bool {
	original, shown = strings.TrimSpace(original), strings.TrimSpace(shown)
	if original == shown {
		return true
	}
	a, err := strconv.ParseFloat(original, 64)
	if err != nil {
		return false
	}
	b, err := strconv.ParseFloat(shown, 64)
	return err == nil && (a == b || math.IsNaN(a) && math.IsNaN(b))
}

// sameTime compares a record's time, in nanoseconds, with what a store shows: RFC 3339, or nanoseconds. What is neither is no time to compare.
func sameTime(original uint64, shown string) bool {
	if original == 0 || original > math.MaxInt64 {
		return true // the store has put its own
	}
	t, err := time.Parse(time.RFC3339Nano, shown)
	if err != nil {
		n, err := strconv.ParseInt(shown, 10, 64)
		if err != nil {
			return true
		}
		t = time.Unix(0, n)
	}
	return t.Sub(time.Unix(0, int64(original))).Abs() < clocks
}

// otherwise is differs for what comes back as OTLP.
func otherwise(shown, original *verifier.Observed) string {
	texts := map[string]string{}
	key := func(s canonical.Shown) string { return strconv.Itoa(int(s.Part)) + " " + s.Name }
	original.Shown(func(s canonical.Shown) {
		if !s.List {
			texts[key(s)] = s.Text
		}
	})
	what := ""
	shown.Shown(func(s canonical.Shown) {
		if text, there := texts[key(s)]; there && !s.List && !sameText(text, s.Text) && what == "" {
			what = partNames[s.Part]
		}
	})
	if what == "" && shown.Time() != 0 && !sameTime(original.Time(), strconv.FormatUint(shown.Time(), 10)) {
		what = "its time"
	}
	return what
}
