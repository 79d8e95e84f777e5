// SPDX-License-Identifier: Apache-2.0

package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	maxDepth = 64 // of the brackets of a row

	resourceLogs = "resourceLogs"
)

// row is a record as a store gives it back.
type row struct {
	fields []field
	otlp   [][]byte // objects in it that are OTLP, in their own words
	fault  finding.Reason

	repeats bool // see layout
}

// field is a value in a row that is no object and no array. What stands in an array has the array's name.
type field struct{ name, text string }

// errRow ends the reading of a row; its fault says why.
var errRow = errors.New("row")

// read adds what a value holds. names are those of its elements, if it is an array that has some.
func (r *row) read(raw []byte, names []string, plain func(string) string) {
	if r.fault != "" {
		return
	}
	switch {
	case !utf8.Valid(raw):
		r.fault = finding.InvalidUTF8
		return
	case loneSurrogate(raw):
		r.fault = finding.BadEscape
		return
	}
	d := &rowDecoder{row: r, raw: raw, json: json.NewDecoder(bytes.NewReader(raw)), plain: plain}
	d.json.UseNumber()
	if err := d.value("", names, 0); err != nil && r.fault == "" {
		r.fault = finding.BrokenJSON
	}
	if r.fault == "" {
		if _, err := d.json.Token(); !errors.Is(err, io.EOF) {
			r.fault = finding.DataBehind
		}
	}
}

// rowDecoder reads one value into a row.
type rowDecoder struct {
	row   *row
	raw   []byte
	json  *json.Decoder
	plain func(string) string
}

func (d *rowDecoder) blame(reason finding.Reason) error {
	d.row.fault = reason
	return errRow
}

// value reads the value of a name.
func (d *rowDecoder) value(name string, names []string, depth int) error {
	if depth > maxDepth {
		return d.blame(finding.TooDeep)
	}
	token, err := d.json.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return d.object(name, depth)
		}
		for i := 0; d.json.More(); i++ {
			element := name
			if names != nil && i < len(names) {
				element = names[i]
			}
			if err := d.value(element, nil, depth+1); err != nil {
				return err
			}
		}
		_, err = d.json.Token()
		return err
	case string:
		d.add(name, v)
	case json.Number:
		d.add(name, v.String())
	case bool:
		d.add(name, map[bool]string{true: "true", false: "false"}[v])
	}
	return nil
}

func (d *rowDecoder) add(name, text string) {
	d.row.fields = append(d.row.fields, field{d.plain(name), text})
}

// object reads the rest of an object. Of one that is OTLP the whole is taken: it is read as strictly elsewhere.
func (d *rowDecoder) object(name string, depth int) error {
	start := d.json.InputOffset() - 1
	otlp := false
	var seen names
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return err
		}
		member, _ := token.(string)
		if !seen.add(member) && !d.row.repeats {
			return d.blame(finding.MemberRepeated)
		}
		if member == resourceLogs {
			otlp = true
			var skipped json.RawMessage
			if err := d.json.Decode(&skipped); err != nil {
				return err
			}
			continue
		}
		if err := d.value(join(name, member), nil, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.json.Token(); err != nil {
		return err
	}
	if otlp {
		d.row.otlp = append(d.row.otlp, d.raw[start:d.json.InputOffset()])
	}
	return nil
}

// names are those of an object's members, or other texts that are to be told apart.
type names struct {
	few  []string
	many map[string]struct{}
}

// add reports whether a name is new.
func (n *names) add(name string) bool {
	if n.many == nil {
		for _, other := range n.few {
			if other == name {
				return false
			}
		}
		if n.few = append(n.few, name); len(n.few) > 16 {
			n.many = map[string]struct{}{}
			for _, other := range n.few {
				n.many[other] = struct{}{}
			}
		}
		return true
	}
	_, there := n.many[name]
	n.many[name] = struct{}{}
	return !there
}

// loneSurrogate reports whether an escape in a JSON text is half of a character.
func loneSurrogate(raw []byte) bool {
	for i := bytes.IndexByte(raw, '\\'); i >= 0 && i+1 < len(raw); {
		skip := 2
		if half := surrogate(raw[i:]); half != 0 {
			if half > 0 || surrogate(raw[min(i+6, len(raw)):]) <= 0 {
				return true
			}
			skip = 12
		}
		i += skip
		next := bytes.IndexByte(raw[min(i, len(raw)):], '\\')
		if next < 0 {
			return false
		}
		i += next
	}
	return false
}

// surrogate returns -1 for the escape of the first half of a character, 1 for that of the second, 0 for anything else.
func surrogate(text []byte) int {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' || text[2]|0x20 != 'd' {
		return 0
	}
	switch c := text[3] | 0x20; {
	case c == '8'|0x20, c == '9'|0x20, c == 'a', c == 'b':
		return -1
	case c >= 'c' && c <= 'f':
		return 1
	}
	return 0
}

// marshal writes a string as JSON.
func marshal(s string) []byte {
	data, err := json.Marshal(s)
	if err != nil {
		panic("export: " + err.Error()) // no string does that
	}
	return data
}

// all returns what the fields hold that have one of several names, each text once, in the order of the names.
func (r *row) all(list []string) (texts []string) {
	var seen names
	for _, name := range list {
		for i := range r.fields {
			if f := &r.fields[i]; f.name == name && seen.add(f.text) {
				texts = append(texts, f.text)
			}
		}
	}
	return texts
}

// one is all where there is one text, and otherwise empty.
func (r *row) one(list []string) string {
	if texts := r.all(list); len(texts) == 1 {
		return texts[0]
	}
	return ""
}
