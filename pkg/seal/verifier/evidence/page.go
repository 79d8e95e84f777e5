// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/logseal/logseal/pkg/seal/canonical"
)

//go:embed page.html
var pageText string

// page is a template of package html/template, which escapes what it is given. The page has no scripts and loads nothing.
var page = template.Must(template.New("page").Funcs(template.FuncMap{"visible": visible, "time": when}).Parse(pageText))

// row is a value of the record.
type row struct {
	Name, Text string
}

// WriteHTML writes a page for people, such as a court or an auditor: what is proven, of what, by what, and what is not. Text of the record stands
// on it with every character that is no plain one written out, so that nothing in it can pass for a part of the page.
func (p *Proof) WriteHTML(w io.Writer) error {
	var rows []row
	for _, s := range p.Shown {
		if text := s.Text; s.List {
			rows = append(rows, row{shownName(s), "a list: see the record's original"})
		} else {
			rows = append(rows, row{shownName(s), text})
		}
	}
	return page.Execute(w, struct {
		*Proof
		Rows      []row
		Original  string
		TrustLine string
		StreamID  string
		Root      string
	}{p, rows, string(p.Record), p.Trust.String(), p.Trust.StreamID(), base64.StdEncoding.EncodeToString(p.Seal.Root[:])})
}

func shownName(s canonical.Shown) string {
	switch s.Part {
	case canonical.Body:
		if s.Name == "" {
			return "text"
		}
		return "text: " + s.Name
	case canonical.ResourceAttribute:
		return "resource: " + s.Name
	case canonical.SeverityNumber:
		return "severity"
	case canonical.SeverityText:
		return "severity, as text"
	case canonical.EventName:
		return "event"
	case canonical.TraceID:
		return "trace id"
	case canonical.SpanID:
		return "span id"
	}
	return s.Name
}

// visible writes out what a reader would not see, or what makes text look like other text. Ends of lines stay.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) || r == '\n' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}

func when(t time.Time) string {
	if t.IsZero() {
		return "not given"
	}
	return t.UTC().Format("2006-01-02 15:04:05.999999999 UTC")
}
