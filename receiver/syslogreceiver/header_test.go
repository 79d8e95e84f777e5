// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)

func newParser() parser {
	return parser{location: time.UTC, now: func() time.Time { return noon }, rfc5424: true, rfc3164: true}
}

// The corpus holds messages in the forms that programs and devices send, of our own making. A line is a message; those behind it that
// begin with "= " are the header that is read, and one without them is not understood at all.
func TestCorpus(t *testing.T) {
	text, err := os.ReadFile("testdata/corpus.txt")
	require.NoError(t, err)
	p := newParser()
	messages := 0
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" || strings.HasPrefix(lines[i], "# ") {
			continue
		}
		message := lines[i]
		want := map[string]string{}
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "= ") {
			i++
			name, value, ok := strings.Cut(lines[i][2:], " ")
			require.True(t, ok, lines[i])
			want[name] = value
		}
		h := p.parse(message)
		got := map[string]string{}
		for name, value := range map[string]string{"host": h.hostname, "app": h.appname, "pid": h.procID, "id": h.msgID} {
			if value != "" {
				got[name] = value
			}
		}
		if !h.time.IsZero() {
			got["time"] = h.time.UTC().Format(time.RFC3339Nano)
		}
		if h.priority >= 0 {
			got["severity"] = severities[h.priority%8].text
		}
		assert.Equal(t, want, got, message)
		messages++
	}
	assert.Greater(t, messages, 60)
}

func TestYearOfATimeWithoutOne(t *testing.T) {
	for _, tt := range []struct{ now, message, want string }{
		{"2027-01-01T00:00:30Z", "<13>Dec 31 23:59:50 h a: x", "2026-12-31T23:59:50Z"},
		{"2026-12-31T23:59:50Z", "<13>Jan  1 00:00:10 h a: x", "2027-01-01T00:00:10Z"},
		{"2026-11-28T12:00:00Z", "<13>Nov 28 13:00:00 h a: x", "2026-11-28T13:00:00Z"},
		{"2028-03-01T00:00:00Z", "<13>Feb 29 13:00:00 h a: x", "2028-02-29T13:00:00Z"},
		{"2027-01-10T00:00:00Z", "<13>Feb 29 13:00:00 h a: x", "2028-02-29T13:00:00Z"},
		{"2030-03-01T00:00:00Z", "<13>Feb 29 13:00:00 h a: x", "0001-01-01T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		require.NoError(t, err)
		p := newParser()
		p.now = func() time.Time { return now }
		h := p.parse(tt.message)
		assert.Equal(t, tt.want, h.time.UTC().Format(time.RFC3339), tt.message)
	}
}

func TestLocationOfATimeWithoutOne(t *testing.T) {
	p := newParser()
	var err error
	p.location, err = time.LoadLocation("Europe/Vienna")
	require.NoError(t, err)
	for message, want := range map[string]string{
		"<13>Nov 28 10:00:00 h a: x":                             "2026-11-28T09:00:00Z",
		"<13>Nov 28 2026 10:00:00: %ASA-6-302013: x":             "2026-11-28T09:00:00Z",
		"<13>Nov 28 10:00:00 UTC: %SYS-5-CONFIG_I: x":            "2026-11-28T10:00:00Z",
		"<13>2026-11-28T10:00:00+03:00 h a: x":                   "2026-11-28T07:00:00Z",
		"<13>date=2026-11-28 time=10:00:00 devname=\"f\"":        "2026-11-28T09:00:00Z",
		"<13>date=2026-07-28 time=10:00:00 tz=\"-0500\" devid=f": "2026-07-28T15:00:00Z",
	} {
		h := p.parse(message)
		assert.Equal(t, want, h.time.UTC().Format(time.RFC3339), message)
	}
}

// Whatever comes, a header is read without a panic, and of the message itself.
func FuzzHeader(f *testing.F) {
	text, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f.Add(strings.TrimSuffix(line, "\n"))
	}
	p := newParser()
	f.Fuzz(func(t *testing.T, s string) {
		h := p.parse(s)
		for _, part := range []string{h.hostname, h.appname, h.procID, h.msgID} {
			if !strings.Contains(s, part) {
				t.Fatalf("%q is not in %q", part, s)
			}
		}
		if h.priority > 191 {
			t.Fatalf("priority %d", h.priority)
		}
	})
}

func BenchmarkHeader(b *testing.B) {
	p := newParser()
	for name, message := range map[string]string{
		"rfc5424": `<165>1 2026-11-28T10:00:00.003Z host app 8710 ID47 [ex@32473 iut="3"] An application event`,
		"rfc3164": `<34>Nov 28 10:00:00 host su[231]: 'su root' failed for lonvick on /dev/pts/8`,
		"cisco":   `<189>29: rtr1: 000028: *Nov 28 10:00:00.483 UTC: %SYS-5-CONFIG_I: Configured from console`,
		"text":    `<13>no header at all, only words`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.parse(message)
			}
		})
	}
}

func TestHeadersBehindMarksAndTasks(t *testing.T) {
	p := parser{location: time.UTC, now: func() time.Time { return time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC) }, rfc5424: true, rfc3164: true}
	for _, tt := range []struct {
		message, host, app string
		priority           int
	}{
		{"\ufeff<13>Nov 28 10:00:00 h x: y", "h", "x", 13},
		{"<13>\ufeffNov 28 10:00:00 h x: y", "h", "x", 13},
		{"\ufeff<191>1 2026-11-28T10:00:00Z h x - - - y", "h", "x", 191},
		{"<134>WLC1: *spamApTask2: Nov 28 10:00:00.123: %CAPWAP-6-X: [SA]capwap.c:1 y", "WLC1", "%CAPWAP-6-X", 134},
		{"<134>*spamApTask2: Nov 28 10:00:00.123: %CAPWAP-6-X: y", "", "%CAPWAP-6-X", 134},
		{"<134>name: *not a task: text", "", "", 134},
	} {
		h := p.parse(tt.message)
		assert.Equal(t, tt.host, h.hostname, tt.message)
		assert.Equal(t, tt.app, h.appname, tt.message)
		assert.Equal(t, tt.priority, h.priority, tt.message)
		assert.Equal(t, tt.host+tt.app != "", !h.time.IsZero(), tt.message)
	}
}
