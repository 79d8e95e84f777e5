// SPDX-License-Identifier: Apache-2.0

package export

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

const (
	// clocks is how far a store's time may be off: some keep milliseconds.
	clocks = time.Millisecond

	// maxShown is how many values a row may show under one name, or as its text: each is held against all that the original has under that name. A
	// store shows one, and some show it in two places.
	maxShown = 16
)

// differs returns what a row shows otherwise than its original says, as a noun; empty if nothing does. What people read as its text must be the
// original's or the original itself. Of one that is carried the other fields are compared as well.
func (f *finder) differs(r *row, c *candidate, records []verifier.Observed) string {
	if records[0].Fault != "" {
		return ""
	}
	if f.textDiffers(r, c, records) {
		return "its text"
	}
	if c.carried && len(records) == 1 {
		return f.layout.differs(r, &records[0])
	}
	return ""
}

// differs returns what of a carried original a store shows otherwise beside its text. Only what both have is compared: a search may leave fields
// out, and others may have been added on the way. A store that knows no types writes a number in its own way, and so the same number is the same.
func (l *layout) differs(r *row, o *verifier.Observed) string {
	if l.shown == nil {
		return ""
	}
	// Several values may have one field's name. The store shows one of them.
	type field struct {
		what  string
		texts []string
		any   bool
		shown int
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
		if f == nil || f.any || shown.text == "" || slices.Contains(l.visible, shown.name) {
			continue
		}
		f.shown++
		same := func(text string) bool { return sameText(text, shown.text) }
		if f.shown > maxShown || !slices.ContainsFunc(f.texts, same) {
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

// otherwise is differs for what comes back as OTLP, whole and with types: what is left out or was added differs, unless it is empty. A map or an
// array may come back as the JSON of one, or a text that is the JSON of one as that.
func otherwise(shown, original *verifier.Observed) string {
	there, here := valuesOf(original), valuesOf(shown)
	what := ""
	shown.Shown(func(s canonical.Shown) {
		if what != "" {
			return
		}
		o, both := there.at[value{s.Part, s.Name}]
		switch {
		case !both && s.Text != "" && s.Name != seal.OriginalKey && !there.rewrite(s),
			both && s.List && o.List && s.Text != o.Text,
			both && s.List && !o.List && !mayBeParsed(o),
			both && !s.List && o.List && !mayBeParsed(s),
			both && !s.List && !o.List && !sameText(o.Text, s.Text):
			what = partNames[s.Part]
		}
	})
	original.Shown(func(o canonical.Shown) {
		if _, both := here.at[value{o.Part, o.Name}]; what == "" && !both && strings.TrimSpace(o.Text) != "" && !here.rewrite(o) {
			what = partNames[o.Part]
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

func (v value) compare(other value) int {
	return cmp.Or(cmp.Compare(v.part, other.part), strings.Compare(v.name, other.name))
}

// values are those of a record.
type values struct {
	at     map[value]canonical.Shown
	sorted []value
	parsed map[value]bool // of those that were asked for: whether they may be parsed. A text may be long, and much may seem to stand in it
}

func valuesOf(o *verifier.Observed) *values {
	v := &values{at: map[value]canonical.Shown{}, parsed: map[value]bool{}}
	o.Shown(func(s canonical.Shown) {
		at := value{s.Part, s.Name}
		v.at[at] = s
		v.sorted = append(v.sorted, at)
	})
	slices.SortFunc(v.sorted, value.compare)
	return v
}

// rewrite reports whether a value that is not among these may be there as JSON: it stands in a map that is a text here, or is the text of a map that
// is here.
func (v *values) rewrite(s canonical.Shown) bool {
	for name := s.Name[:min(len(s.Name), canonical.MaxMapName+len("."))]; name != ""; {
		name = name[:max(strings.LastIndexByte(name, '.'), 0)]
		if (name != "" || s.Part == canonical.Body) && v.mayBeParsed(value{s.Part, name}) {
			return true
		}
	}
	return mayBeParsed(s) && v.isMap(value{s.Part, s.Name})
}

func (v *values) mayBeParsed(at value) bool {
	s, there := v.at[at]
	if !there {
		return false
	}
	parsed, known := v.parsed[at]
	if !known {
		parsed = mayBeParsed(s)
		v.parsed[at] = parsed
	}
	return parsed
}

// isMap reports whether there are values that stand in what has the name.
func (v *values) isMap(at value) bool {
	within := value{at.part, at.name + "."}
	if at.name == "" {
		within.name = "\x00" // any name
	}
	i, _ := slices.BinarySearchFunc(v.sorted, within, value.compare)
	return i < len(v.sorted) && v.sorted[i].part == at.part && (at.name == "" || strings.HasPrefix(v.sorted[i].name, within.name))
}

// mayBeParsed reports whether a store may have made a map or an array of a value.
func mayBeParsed(s canonical.Shown) bool {
	text := strings.TrimSpace(s.Text)
	return !s.List && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && json.Valid([]byte(text))
}
