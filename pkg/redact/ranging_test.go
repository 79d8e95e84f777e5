// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// These tests range over every rule, every name and every row of the vendors' table: whoever adds one need not add a test.

// everyRule is an engine with all rules on.
func everyRule(t testing.TB) *Engine {
	return newEngine(t, func(c *Config) {
		for _, r := range rules.All() {
			if r.Off {
				c.Rules = append(c.Rules, Rule{ID: r.ID, Action: "mask"})
			}
		}
	})
}

// alone is an engine with one rule on.
func alone(t testing.TB, id string) *Engine {
	return newEngine(t, func(c *Config) {
		for i, r := range rules.All() {
			switch {
			case r.ID == id:
				c.Rules = append(c.Rules, Rule{ID: id, Action: "mask"})
			case !r.Off && rules.ID(i) != rules.SensitiveKey:
				c.Rules = append(c.Rules, Rule{ID: r.ID, Action: "off"})
			}
		}
	})
}

// layers are the encodings in which everything is found.
var layers = map[string]func(string) string{
	"plain":        func(s string) string { return s },
	"json":         func(s string) string { b, _ := json.Marshal(s); return string(b) },
	"json in json": func(s string) string { b, _ := json.Marshal(s); b, _ = json.Marshal(string(b)); return string(b) },
	"percent":      url.QueryEscape,
	"html":         html.EscapeString,
	"base64": func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("log line: " + s + " (end of it)"))
	},
}

// delimiters are what may stand around anything.
var delimiters = [][2]string{
	{"", ""},
	{" ", " "},
	{"\t", "\t"},
	{"\"", "\""},
	{"'", "'"},
	{"(", ")"},
	{"[", "]"},
	{"{", "}"},
	{"<", ">"},
	{"x, ", ", y"},
	{"a; ", "; b"},
	{"| ", " |"},
	{"msg=\"", "\" b=1"},
	{"é ", " é"},
	{"\n", "\n"},
}

func TestEveryRule(t *testing.T) {
	all := everyRule(t)
	for i, r := range rules.All() {
		t.Run(r.ID, func(t *testing.T) {
			require.NotEmpty(t, r.Takes, "Takes is missing: what does the rule take?")
			require.NotEmpty(t, r.Source, "Source is missing: where is the form specified?")
			if rules.ID(i) == rules.SensitiveKey {
				return // its names are in the configuration
			}
			require.NotEmpty(t, r.Gone, "Gone is missing: a text with what must go")
			require.NotEmpty(t, r.Stay, "Stay is missing: a text that must not be changed")
			own := alone(t, r.ID)
			for _, x := range r.Gone {
				require.Contains(t, x.Text, x.Secret)
				out, matches, _ := own.Text(x.Text, nil)
				assert.NotContains(t, out, x.Secret, "the rule alone")
				for _, m := range matches {
					assert.Equal(t, r.ID, m.Rule)
				}
				if rules.ID(i) == rules.Control {
					continue
				}
				for place, put := range places {
					ld := put(x.Text)
					ofAnotherStream(ld)
					all.Logs(ld, nil)
					assert.NotContains(t, everything(ld), x.Secret, place)
				}
				for layer, encode := range layers {
					out, _, _ := all.Text(encode(x.Text), nil)
					assert.NotContains(t, out, encode(x.Secret), layer)
					assert.NotContains(t, out, x.Secret, layer)
				}
				for _, d := range delimiters {
					if strings.ContainsAny(x.Text, d[0]+d[1]) && d[0] != "" && d[0] != " " {
						continue // it would be a part of the example
					}
					out, _, _ := all.Text(d[0]+x.Text+d[1], nil)
					assert.NotContains(t, out, x.Secret, "between %q and %q", d[0], d[1])
				}
			}
			for _, s := range r.Stay {
				for place, put := range places {
					ld := put(s)
					before := everything(ld)
					own.Logs(ld, nil)
					assert.Equal(t, before, everything(ld), place)
				}
			}
		})
	}
}

// Every name condemns its value as a key, and finds it in text: in one way to write it as in the other.
func TestEveryName(t *testing.T) {
	e := newEngine(t)
	values := map[string]string{"card_code": "737", "us_ssn": "536228726", "cookie": "sid=q7Zp2mW9xT4vK8sB1nD6", "authorization": "Basic q7Zp2mW9xT4vK8sB1nD6"}
	for _, r := range rules.All() {
		for _, name := range exampleNames(r) {
			value := values[r.ID]
			switch {
			case value != "":
			case strings.HasSuffix(strings.ToLower(name), "pin"):
				value = "471123"
			case strings.EqualFold(name, "mnemonic"):
				value = "legal winner thank year wave sausage worth useful legal winner thank yellow"
			default:
				value = "q7Zp2mW9xT4vK8sB1nD6"
			}
			secret := value
			if values[r.ID] != "" {
				secret = value[strings.IndexAny(value, " =")+1:]
			}
			ld := one(func(lr plog.LogRecord) { lr.Attributes().PutStr(name, value) })
			e.Logs(ld, nil)
			assert.NotContains(t, everything(ld), secret, "as a key: %s", name)
			for _, text := range []string{
				"a." + name + " = \"" + value + "\"", name + "=" + value, name + ": " + value, "x " + name + "=" + value + " y", `{"` + name + `":"` + value + `"}`,
			} {
				if strings.HasPrefix(text, "a.") && !strings.ContainsAny(name, "_-") {
					continue // some names tell only when they are alone
				}
				out, _, _ := e.Text(text, nil)
				assert.NotContains(t, out, secret, "%s of rule %s in text: %s", name, r.ID, text)
			}
		}
	}
}

// exampleNames makes names of those of the rule, in the ways in which they are written.
func exampleNames(r *rules.Rule) (names []string) {
	first := func(words string) string { return strings.Fields(words + " ")[0] }
	for _, n := range r.Names {
		words := strings.Fields(n.Words)
		before := ""
		if n.Behind != "" {
			before = first(n.Behind)
		} else if n.Qualified {
			before = "db"
		}
		for _, e := range strings.Fields(n.Endings) {
			owner := "acme"
			if n.Behind != "" {
				owner = first(n.Behind)
			}
			words = append(words, owner+e)
		}
		for _, w := range words {
			for _, b := range append([]string{before}, strings.Fields(n.Behind)...) {
				parts := []string{w}
				if b != "" && !slices.Contains(strings.Fields(n.Endings), strings.TrimPrefix(w, b)) {
					parts = []string{b, w}
				}
				if n.BehindThat != "" {
					parts = append([]string{first(n.BehindThat)}, parts...)
				}
				camel := parts[0]
				for _, p := range parts[1:] {
					camel += strings.ToUpper(p[:1]) + p[1:]
				}
				names = append(names, strings.Join(parts, "_"), strings.ToUpper(strings.Join(parts, "_")), strings.Join(parts, "-"), camel)
			}
		}
	}
	return names
}

// Every cue of a number leads to it: before it in a text, and as the name of its value.
func TestEveryCue(t *testing.T) {
	e := newEngine(t)
	for _, r := range rules.All() {
		if r.Number == nil || len(r.Number.Cued) == 0 {
			continue
		}
		number := r.Gone[len(r.Gone)-1].Secret
		for _, cue := range r.Number.Cues {
			for _, name := range []string{cue, upperASCII(cue), "customer_" + cue} {
				ld := one(func(lr plog.LogRecord) { lr.Attributes().PutStr(name, number) })
				e.Logs(ld, nil)
				assert.NotContains(t, everything(ld), number, "%s as a key: %s", r.ID, name)
				if n, err := strconv.ParseInt(number, 10, 64); err == nil && number[0] != '0' {
					ld := one(func(lr plog.LogRecord) { lr.Attributes().PutInt(name, n) })
					e.Logs(ld, nil)
					assert.NotContains(t, everything(ld), number, "%s as a key of an integer: %s", r.ID, name)
					ld = one(func(lr plog.LogRecord) {
						lr.Body().SetEmptyMap().PutEmptySlice(name).AppendEmpty().SetDouble(float64(n))
					})
					e.Logs(ld, nil)
					assert.NotContains(t, everything(ld), number, "%s as a key of a list of doubles: %s", r.ID, name)
				}
				for _, text := range []string{name + "=" + number, name + ": " + number, `{"` + name + `":"` + number + `"}`, name + " no. " + number + " ok"} {
					out, _, _ := e.Text(text, nil)
					assert.NotContains(t, out, number, "%s in text: %s", r.ID, text)
				}
			}
		}
	}
}

// upperASCII is s in capitals where case is folded.
func upperASCII(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return s
	}
	return strings.ToUpper(s)
}

// Every form of the vendors' table matches at its own shortest, wherever it stands.
func TestEveryForm(t *testing.T) {
	e := newEngine(t)
	seen := map[string]bool{}
	for _, f := range rules.Forms() {
		assert.False(t, seen[f.Prefix], "%s is there twice", f.Prefix)
		seen[f.Prefix] = true
		require.NotEmpty(t, f.Source, f.Vendor)
		if f.Stay != "" {
			out, _, _ := e.Text(f.Stay, nil)
			assert.Equal(t, f.Stay, out, f.Vendor)
		}
		token := f.Example()
		secret := token[len(f.Prefix):]
		for _, d := range delimiters {
			out, _, _ := e.Text(d[0]+token+d[1], nil)
			assert.NotContains(t, out, secret, "%s %s between %q and %q", f.Vendor, f.Prefix, d[0], d[1])
		}
		for layer, encode := range layers {
			out, _, _ := e.Text(encode("got "+token+" from it"), nil)
			assert.NotContains(t, out, secret, "%s %s in %s", f.Vendor, f.Prefix, layer)
		}
		for place, put := range places {
			ld := put(token)
			e.Logs(ld, nil)
			assert.NotContains(t, everything(ld), secret, "%s %s in %s", f.Vendor, f.Prefix, place)
		}
	}
}
