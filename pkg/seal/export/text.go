// SPDX-License-Identifier: Apache-2.0

package export

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// textDiffers reports whether a row shows people another text than its original has, or none.
func (f *finder) textDiffers(r *row, c *candidate, records []verifier.Observed) bool {
	var t *text
	if len(records) == 1 && (c.alone == nil || len(f.layout.visible) > 1) {
		t = f.layout.textOf(&records[0])
	}
	shown, fields := false, 0
	for i := range r.fields {
		field := &r.fields[i]
		if !slices.Contains(f.layout.visible, field.name) {
			continue
		}
		shown = shown || strings.TrimSpace(field.text) != ""
		if fields++; fields > maxShown {
			return true
		}
		if field == c.alone || t != nil && t.shownAs(field) || f.isOriginal(field.text, c, records) {
			continue
		}
		return true
	}
	return c.carried && !shown && t != nil && t.body != ""
}

// isOriginal reports whether a text is the original that was found in the row, if maybe not in the same words.
func (f *finder) isOriginal(text string, c *candidate, records []verifier.Observed) bool {
	data, alone, ok := original(text)
	if !ok || !alone {
		return false
	}
	if bytes.Equal(data, c.text) {
		return true
	}
	others := f.inner.Decode(data)
	if len(others) != 1 || len(records) != 1 {
		return false
	}
	one, other := &records[0], &others[0]
	return other.Fault == "" && one.HasID == other.HasID && one.ID == other.ID && bytes.Equal(one.Canonical, other.Canonical) &&
		bytes.Equal(one.Source.Encoding, other.Source.Encoding)
}

// text is what a store may show as the text of a record.
type text struct {
	layout *layout
	body   string // empty where it is none
	parts  bool   // the body is a map or an array
	values []canonical.Shown
}

func (l *layout) textOf(o *verifier.Observed) *text {
	t := &text{layout: l}
	o.Shown(func(s canonical.Shown) {
		switch {
		case s.Part == canonical.Body && (s.List || s.Name != ""):
			t.parts = true
		case s.Part == canonical.Body:
			t.body = strings.TrimSpace(s.Text)
		}
		if !s.List {
			t.values = append(t.values, s)
		}
	})
	return t
}

// shownAs reports whether a field shows the text. A field that is called as another value is may be that one. Where the body is no text, a store takes
// one of the other values, the JSON of a map or an array, or a sentence of its own.
func (t *text) shownAs(shown *field) bool {
	if t.body != "" && sameText(t.body, shown.text) {
		return true
	}
	if cut := t.layout.cutsAt; cut > 0 && len(shown.text) > cut-utf8Max && strings.HasPrefix(t.body, strings.TrimSpace(shown.text)) {
		return true
	}
	for _, s := range t.values {
		named := s.Name == shown.name || t.layout.shown != nil && t.layout.shown(s) == shown.name
		if (named || t.body == "") && sameText(s.Text, shown.text) {
			return true
		}
	}
	if t.body != "" {
		return false
	}
	trimmed := strings.TrimSpace(shown.text)
	if t.layout.noText != "" && strings.HasPrefix(trimmed, t.layout.noText) {
		return true
	}
	if t.parts {
		return trimmed == "" || (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid([]byte(trimmed))
	}
	return trimmed == "" || trimmed == "{}"
}

// utf8Max is how many bytes a character may have, of which a cut keeps all or none.
const utf8Max = 4
