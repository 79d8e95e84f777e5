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
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/redact/internal/decode"
)

// planted are secrets with the text that they stand in, and the part of it that must not survive.
var planted = []struct{ text, secret string }{
	{awsKey, awsKey},
	{"ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F292c6912E7710c838347Ae178B4a"},
	{"sk-ant-api03-iysc4lm4kunuv44vx9ss9efj3zz2r741ldxt07", "iysc4lm4kunuv44vx9ss9efj3zz2r741"},
	{jwtHS, "eyJzdWIiOiJhbGljZSJ9"},
	{pan, pan},
	{"5555-5555-5555-4444", "5555-5555-5555-4444"},
	{"password=Tr0ub4dorAnd3", "Tr0ub4dorAnd3"},
	{`{"client_secret":"q7Zp2mW9xT4vK8sB"}`, "q7Zp2mW9xT4vK8sB"},
	{"--api-key 8f14e45fceea167a5a36dedd4bea2543 ", "8f14e45fceea167a5a36dedd4bea2543"},
	{"postgres://bob:Tr0ub4dorAnd3@db.example/x", "Tr0ub4dorAnd3"},
	{"Authorization: Bearer q7Zp2mW9xT4vK8sB", "q7Zp2mW9xT4vK8sB"},
	{"carol.jones@corp.example", "carol.jones"},
	{"DE89 3704 0044 0532 0130 00", "3704 0044 0532 0130"},
	{"536-22-8726", "536-22-8726"},
}

var encodings = []func(string) string{
	func(s string) string { return s },
	func(s string) string { b, _ := json.Marshal(s); return string(b) },
	func(s string) string { b, _ := json.Marshal(s); b, _ = json.Marshal(string(b)); return string(b) },
	url.PathEscape,
	func(s string) string { return url.PathEscape(url.PathEscape(s)) },
	fullWidth,
	html.EscapeString,
	func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("the secret is " + s + " indeed"))
	},
}

var separators = []string{" ", "\n", "\t", " \"", ", ", "; ", "<", "| ", "\r\n", " (", "\u00a0"}

// FuzzPlanted plants a secret somewhere in a record, encoded somehow, between texts that the fuzzer chooses: after the processor
// it is nowhere, not in the output, the metrics, or an error; and a second pass changes nothing.
func FuzzPlanted(f *testing.F) {
	f.Add(uint(0), uint(0), uint(0), uint(0), "", "")
	f.Add(uint(4), uint(1), uint(2), uint(3), `level=info msg="paid" card=`, " by bob")
	f.Add(uint(6), uint(4), uint(5), uint(1), "\xff\x1b[31m%41", `\u00`)
	f.Add(uint(5), uint(6), uint(9), uint(2), "1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3", "4111 1111")
	f.Add(uint(12), uint(2), uint(11), uint(4), "[REDACTED:iban]", "[ps:email:k1:")
	e := newEngine(f)
	names := make([]string, 0, len(places))
	for n := range places {
		names = append(names, n)
	}
	slices.Sort(names)
	f.Fuzz(func(t *testing.T, which, encoding, place, sep uint, before, after string) {
		if len(before)+len(after) > 2000 {
			return
		}
		p := planted[which%uint(len(planted))]
		// A separator before it, so that it is not a part of a longer word, and nothing open around it.
		before = strings.Map(func(r rune) rune {
			if strings.ContainsRune("\\%\x1b\u009b", r) {
				return '?' // would encode, or hide from a terminal, what comes after
			}
			return r
		}, before)
		in := before + separators[sep%uint(len(separators))] + encodings[encoding%uint(len(encodings))](p.text)
		in += separators[(sep/16)%uint(len(separators))] + after
		if strings.Contains(before+after, p.secret) {
			return
		}
		ld := places[names[place%uint(len(names))]](in)
		rec := newTally()
		ofAnotherStream(ld)
		e.Logs(ld, rec)
		out := everything(ld)
		assert.Zero(t, rec.failures["panic"], "%q", in)
		var d decode.Text
		for range 3 {
			assert.NotContains(t, out, p.secret, "%s in %q", names[place%uint(len(names))], in)
			for how := range decode.NumCodings {
				d.Decode(out, how)
				out = strings.Clone(d.String())
			}
		}
		assert.NotContains(t, rec.String(), p.secret)
		ofAnotherStream(ld)
		first := everything(ld)
		e.Logs(ld, nil)
		assert.Equal(t, first, everything(ld), "a second pass changes %q", in)
	})
}

// FuzzIdempotent redacts any text twice: the second pass changes nothing, and what is valid UTF-8 stays so.
func FuzzIdempotent(f *testing.F) {
	for _, tt := range adversarial {
		f.Add(tt.in)
	}
	for _, s := range harmless {
		f.Add(s)
	}
	for _, s := range worst() {
		f.Add(s + s + s)
	}
	f.Add(">Pasword</><dd")
	f.Add("1 -----BEGIN PRIVATE KEY-----\n  abc")
	f.Add("secret=${A00\"0000}000000")
	e := newEngine(f)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4000 {
			return
		}
		ld := one(func(lr plog.LogRecord) { lr.Body().SetStr(s) })
		ofAnotherStream(ld)
		rec := newTally()
		e.Logs(ld, rec)
		assert.Zero(t, rec.failures["panic"], "%q", s)
		once := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
		ofAnotherStream(ld)
		e.Logs(ld, nil)
		assert.Equal(t, once, ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str(), "of %q", s)
		if utf8.ValidString(s) {
			assert.True(t, utf8.ValidString(once), "%q", once)
		}
	})
}

var streams atomic.Int64

// ofAnotherStream makes the record part of a stream that no key has been left open in.
func ofAnotherStream(ld plog.Logs) {
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("stream", letters(streams.Add(1)))
}

// letters writes a number without digits, so that it holds none of the numbers that tests look for.
func letters(n int64) string {
	return strings.Map(func(r rune) rune { return r - '0' + 'a' }, strconv.FormatInt(n, 10))
}
