// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/json"
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
	if err != nil {
		return false
	}
	x, wholeOriginal := whole(original)
	y, wholeShown := whole(shown)
	if wholeOriginal && wholeShown {
		// A double holds the first sixteen digits of an account number, and others have these too. What is shown may still have been through one.
		return x == y || shown == strconv.FormatFloat(a, 'f', -1, 64)
	}
	return a == b || math.IsNaN(a) && math.IsNaN(b)
}

// whole returns the digits of a text that is a number, behind a minus sign where it is below 0, if it is a whole number in digits.
func whole(number string) (digits string, ok bool) {
	digits = strings.TrimLeft(strings.TrimLeft(number, "+-"), "0")
	if digits != "" && number[0] == '-' {
		digits = "-" + digits
	}
	return digits, strings.Trim(number, "+-0123456789") == ""
}

// sameTime compares a record's time, in nanoseconds, with what a store shows: RFC 3339, nanoseconds, or Elastic's milliseconds, maybe with a
// fraction, which are told apart by their size. What is none of these is no time to compare.
func sameTime(original uint64, shown string) bool {
	if original == 0 || original > math.MaxInt64 {
		return true // the store has put its own
	}
	t, err := time.Parse(time.RFC3339Nano, shown)
	if err != nil {
		whole, _, _ := strings.Cut(shown, ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		switch {
		case err != nil || n < 1e11 || n >= 1e14 && n < 1e17:
			return true
		case n < 1e14:
			t = time.UnixMilli(n)
		default:
			t = time.Unix(0, n)
		}
	}
	return t.Sub(time.Unix(0, int64(original))).Abs() < clocks
}

// otherwise is differs for what comes back as OTLP, which has types: an array is compared as a whole, and a map or an array does not take the place
// of a text, unless that is the JSON of one. An array may come back as a text.
func otherwise(shown, original *verifier.Observed) string {
	values, here := map[value]canonical.Shown{}, map[value]bool{}
	original.Shown(func(s canonical.Shown) { values[value{s.Part, s.Name}] = s })
	shown.Shown(func(s canonical.Shown) { here[value{s.Part, s.Name}] = true })
	what := ""
	shown.Shown(func(s canonical.Shown) {
		if what != "" {
			return
		}
		o, there := values[value{s.Part, s.Name}]
		switch {
		case !there:
			for name := s.Name; name != ""; {
				name = name[:max(strings.LastIndexByte(name, '.'), 0)]
				v := value{s.Part, name}
				if o, there := values[v]; there && !here[v] && !mayBeParsed(o) {
					what = partNames[s.Part]
				}
			}
		case s.List && o.List && s.Text != o.Text,
			s.List && !o.List && !mayBeParsed(o),
			!s.List && !o.List && !sameText(o.Text, s.Text):
			what = partNames[s.Part]
		}
	})
	if what == "" && shown.Time() != 0 && !sameTime(original.Time(), strconv.FormatUint(shown.Time(), 10)) {
		what = "its time"
	}
	return what
}

// value is where in a record a value stands.
type value struct {
	part canonical.Part
	name string
}

// mayBeParsed reports whether a store may have made a map or an array of a value.
func mayBeParsed(s canonical.Shown) bool {
	text := strings.TrimSpace(s.Text)
	return !s.List && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && json.Valid([]byte(text))
}
