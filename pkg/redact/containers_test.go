// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// wrapping is a form in which programs wrap a text, beside a neighbour.
type wrapping struct {
	name string
	wrap func(text string) string
	// unwrap reads the text and the neighbour, with the parser that others use. An error means that the form is broken.
	unwrap func(s string) (text, neighbour string, err error)
	// broken is the share that may break.
	broken float64
	// gone is the least share that must go of the secrets that go from a text by itself.
	gone float64
}

func jsonString(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

type jsonForm struct {
	M string      `json:"m"`
	N json.Number `json:"n"`
}

type xmlForm struct {
	Attr string `xml:"m,attr"`
	M    string `xml:"m"`
	N    string `xml:"n"`
}

func xmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// inXML reads all of the document, so that what stands behind its end is seen, too.
func inXML(s string) (xmlForm, error) {
	var v xmlForm
	d := xml.NewDecoder(strings.NewReader(s))
	if err := d.Decode(&v); err != nil {
		return v, err
	}
	if t, err := d.Token(); err == nil {
		return v, fmt.Errorf("%T behind the end", t)
	}
	return v, nil
}

var errForm = errors.New("the form is broken")

// between takes what stands between two texts that the wrapping begins and ends with.
func between(s, before, after string) (string, error) {
	s, ok := strings.CutPrefix(s, before)
	text, ok2 := strings.CutSuffix(s, after)
	if !ok || !ok2 {
		return "", errForm
	}
	return text, nil
}

var wrappings = []wrapping{
	{
		name: "JSON", gone: 0.99,
		wrap: func(s string) string { return `{"m":` + jsonString(s) + `,"n":1}` },
		unwrap: func(s string) (string, string, error) {
			var v jsonForm
			err := json.Unmarshal([]byte(s), &v)
			return v.M, string(v.N), err
		},
	},
	{
		name: "JSON in JSON", gone: 0.98,
		wrap: func(s string) string { return `{"log":` + jsonString(`{"m":`+jsonString(s)+`,"n":1}`) + `,"n":1}` },
		unwrap: func(s string) (string, string, error) {
			var outer struct {
				Log string      `json:"log"`
				N   json.Number `json:"n"`
			}
			var v jsonForm
			if err := json.Unmarshal([]byte(s), &outer); err != nil {
				return "", "", err
			}
			err := json.Unmarshal([]byte(outer.Log), &v)
			if outer.N != "1" {
				err = errors.Join(err, errForm)
			}
			return v.M, string(v.N), err
		},
	},
	{
		name: "XML text", gone: 0.985,
		wrap: func(s string) string { return "<e><m>" + xmlText(s) + "</m><n>1</n></e>" },
		unwrap: func(s string) (string, string, error) {
			v, err := inXML(s)
			return v.M, v.N, err
		},
	},
	{
		name: "XML attribute", gone: 0.985,
		wrap: func(s string) string {
			return `<e m="` + strings.NewReplacer(`"`, "&quot;", "\n", "&#10;", "\t", "&#9;", "\r", "&#13;").Replace(xmlText(s)) + `"><n>1</n></e>`
		},
		unwrap: func(s string) (string, string, error) {
			v, err := inXML(s)
			return v.Attr, v.N, err
		},
	},
	{
		name: "CDATA", gone: 0.985,
		wrap: func(s string) string {
			return "<e><m><![CDATA[" + strings.ReplaceAll(s, "]]>", "]] >") + "]]></m><n>1</n></e>"
		},
		unwrap: func(s string) (string, string, error) {
			v, err := inXML(s)
			return v.M, v.N, err
		},
	},
	{
		name: "logfmt", gone: 0.985,
		wrap: func(s string) string { return `ts=1 msg=` + strconv.Quote(s) + ` n=1 end=x` },
		unwrap: func(s string) (string, string, error) {
			quoted, err := between(s, "ts=1 msg=", " n=1 end=x")
			if err != nil {
				return "", "", err
			}
			text, err := strconv.Unquote(quoted)
			return text, "1", err
		},
	},
	{
		name: "CSV", gone: 0.985,
		wrap: func(s string) string { return `7,"` + strings.ReplaceAll(s, `"`, `""`) + `",1` },
		unwrap: func(s string) (string, string, error) {
			r := csv.NewReader(strings.NewReader(s))
			r.FieldsPerRecord = 3
			row, err := r.Read()
			if err != nil {
				return "", "", err
			}
			return row[1], row[2], nil
		},
	},
	{
		name: "YAML", gone: 0.985,
		wrap: func(s string) string { return "t: 1\nm: " + jsonString(s) + "\nn: 1\n" },
		unwrap: func(s string) (string, string, error) {
			var v struct{ M, N string }
			// Line feeds between the fields are escaped in what comes out.
			err := yaml.Unmarshal([]byte(strings.NewReplacer("t: 1\\nm:", "t: 1\nm:", "\"\\nn: 1\\n", "\"\nn: 1\n").Replace(s)), &v)
			return v.M, v.N, err
		},
	},
	{
		name: "Python repr", gone: 0.985,
		wrap: func(s string) string { return `{'m': ` + pythonRepr(s) + `, 'n': 1}` },
		unwrap: func(s string) (string, string, error) {
			quoted, err := between(s, "{'m': ", ", 'n': 1}")
			if err != nil {
				return "", "", err
			}
			text, err := fromRepr(quoted)
			return text, "1", err
		},
	},
	{
		name: "query", broken: 0.001, gone: 0.95,
		wrap: func(s string) string { return "user=bob&x=" + url.QueryEscape(s) + "&next=1" },
		unwrap: func(s string) (string, string, error) {
			v, err := url.ParseQuery(s)
			return v.Get("x"), v.Get("next"), err
		},
	},
	{
		name: "syslog", broken: 0.008, gone: 0.985,
		wrap: func(s string) string {
			return "Nov 28 10:00:00 h app[7]: first#012" + strings.NewReplacer("\n", "#012", "\t", "#011", "\r", "#015", "\x1b", "#033").Replace(s) + "#012n=1"
		},
		unwrap: func(s string) (string, string, error) {
			text, err := between(s, "Nov 28 10:00:00 h app[7]: first#012", "#012n=1")
			return strings.NewReplacer("#012", "\n", "#011", "\t", "#015", "\r", "#033", "\x1b").Replace(text), "1", err
		},
	},
	{
		name: "CRI", gone: 0.985,
		wrap: func(s string) string {
			return "2026-11-28T10:00:00.000000000Z stdout F " + s
		},
		unwrap: func(s string) (string, string, error) {
			text, err := between(s, "2026-11-28T10:00:00.000000000Z stdout F ", "")
			return text, "1", err
		},
	},
}

// pythonRepr writes a text as repr does: in single quotes, unless it holds one and no double quote.
func pythonRepr(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	out := []byte{q}
	for _, r := range s {
		switch {
		case r == rune(q) || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r < ' ' || r == 0x7f:
			out = fmt.Appendf(out, `\x%02x`, r)
		default:
			out = append(out, string(r)...)
		}
	}
	return string(append(out, q))
}

func fromRepr(s string) (string, error) {
	if len(s) < 2 || s[0] != s[len(s)-1] {
		return "", errForm
	}
	q := s[0]
	var out []byte
	for rest := s[1 : len(s)-1]; rest != ""; {
		r, multibyte, tail, err := strconv.UnquoteChar(rest, q)
		if err != nil {
			if rest[0] != '\\' || len(rest) < 2 || rest[1] != '"' && rest[1] != '\'' {
				return "", err
			}
			r, tail = rune(rest[1]), rest[2:]
		}
		rest = tail
		if multibyte {
			out = append(out, string(r)...)
		} else {
			out = append(out, byte(r))
		}
	}
	return string(out), nil
}

// TestContainers wraps every line of testdata and every example of a rule in what programs wrap texts in. What comes out has the same
// form, the neighbour is as it was, what goes from the text by itself goes, and another pass changes nothing.
func TestContainers(t *testing.T) {
	type sample struct {
		text    string
		secrets []string
	}
	var samples []sample
	names, err := filepath.Glob("testdata/lines/*.txt")
	require.NoError(t, err)
	for _, name := range names {
		for _, l := range readLines(t, name) {
			s := sample{text: l.text}
			for _, x := range l.secrets {
				s.secrets = append(s.secrets, l.text[x[0]:x[1]])
			}
			samples = append(samples, s)
		}
	}
	for _, r := range rules.All() {
		for _, x := range r.Gone {
			samples = append(samples, sample{x.Text, []string{x.Secret}})
		}
		for _, s := range r.Stay {
			samples = append(samples, sample{text: s})
		}
	}
	e := newEngine(t)
	for k := range samples {
		s := &samples[k]
		out, _, _ := e.Text(s.text, nil)
		var gone []string
		for _, x := range s.secrets {
			if !strings.Contains(out, x) {
				gone = append(gone, x)
			}
		}
		s.secrets = gone
	}
	for _, c := range wrappings {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			broken, secrets, gone, again, withheld := 0, 0, 0, 0, 0
			for _, s := range samples {
				in := c.wrap(s.text)
				if _, neighbour, err := c.unwrap(in); err != nil || neighbour != "1" {
					continue // the form cannot hold this text
				}
				out, matches, _ := e.Text(in, nil)
				secrets += len(s.secrets)
				if out == "[REDACTED:limit]" {
					withheld++
					t.Logf("withheld: %q", in)
					continue
				}
				if len(matches) == 0 && len(s.secrets) == 0 {
					continue
				}
				text, neighbour, err := c.unwrap(out)
				switch {
				case err != nil || neighbour != "1":
					broken++
					text = out
					t.Logf("broken (%v): %s -> %s", err, in, out)
				}
				for _, x := range s.secrets {
					if strings.Contains(text, x) {
						t.Logf("left: %s -> %s", in, out)
					} else {
						gone++
					}
				}
				if second, _, _ := e.Text(out, nil); second != out {
					again++
					t.Logf("again: %s -> %s", out, second)
				}
			}
			t.Logf("%s: broken %d, withheld %d, changed again %d, gone %d of %d: %.3f", c.name, broken, withheld, again, gone, secrets, float64(gone)/float64(secrets))
			assert.LessOrEqual(t, float64(broken), c.broken*float64(len(samples)), "broken")
			assert.Zero(t, withheld, "withheld")
			assert.Zero(t, again, "changed by another pass")
			assert.GreaterOrEqual(t, float64(gone), c.gone*float64(secrets), "secrets gone")
		})
	}
}

// A match keeps the string in which it starts, whatever that ends in, and whichever decoded form shows the match.
func TestMatchesKeepTheirStrings(t *testing.T) {
	e := newEngine(t)
	for _, in := range []string{
		`{"m":"password=abc\\u","n":1}`,                        // looks like the beginning of \u00e9
		`{"m":"password=abc\\u00","n":1}`,                      // likewise
		`{"m":"password:\\\\u","n":1}`,                         // and decoded twice
		`{"m":"&quot;p","pasword":"\"","":["",{"":""}],"n":1}`, // \"" holds two quotes that CSV would take for one
		`{"m":"\"\"1","b":["-----BEGIN PRIVATE KEY\"",{"":""}],"n":1}`,
		`{"m":"Pwd:", "k":"","l":["#012",{"o":""}],"n":1}`, // a line that begins in one string and ends in another
		`{"m":"\"","k":["",{"l":"#012-----BEGIN PRIVATE KEY"}],"n":1}`,
		`{"m":"{\"k\":\"-----BEGIN PRIVATE KEY#012\"}","n":1}`,
		`{"m":"<e><m>-----BEGIN PRIVATE KEY#012=</m></e>","n":1}`,
		`{"m":"form-data; name=apikey\\\"\n\n\\","n":1}`,
	} {
		require.True(t, json.Valid([]byte(in)), in)
		out, _, _ := e.Text(in, nil)
		assert.True(t, json.Valid([]byte(out)), "%s -> %s", in, out)
	}
}
