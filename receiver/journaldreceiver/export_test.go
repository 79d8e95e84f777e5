// SPDX-License-Identifier: Apache-2.0

package journaldreceiver

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// binaryField is a field as journalctl exports one that is not plain text.
func binaryField(name, value string) string {
	return name + "\n" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(value)))) + value + "\n"
}

func TestExportFormat(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream string
		want   []map[string]any
		err    error
	}{
		{name: "nothing", err: io.EOF},
		{name: "text", stream: "__CURSOR=c1\nMESSAGE=a=b\n\n", want: []map[string]any{{"__CURSOR": "c1", "MESSAGE": "a=b"}}, err: io.EOF},
		{name: "bytes that are text", stream: binaryField("MESSAGE", "\x1b[31mred\nline") + "\n", want: []map[string]any{{"MESSAGE": "\x1b[31mred\nline"}}, err: io.EOF},
		{name: "bytes that are no text", stream: binaryField("MESSAGE", "a\xff") + "\n", want: []map[string]any{{"MESSAGE": []byte("a\xff")}}, err: io.EOF},
		{name: "bytes in every field", stream: binaryField("TAG", "\x00") + binaryField("_CMDLINE", "a\x00b") + "\n", want: []map[string]any{{"TAG": "\x00", "_CMDLINE": "a\x00b"}}, err: io.EOF},
		{
			name: "a field several times", stream: "TAG=a\n" + binaryField("TAG", "b\xff") + "TAG=\n\n",
			want: []map[string]any{{"TAG": []any{"a", []byte("b\xff"), ""}}}, err: io.EOF,
		},
		{name: "an empty field", stream: "MESSAGE=\n" + binaryField("X", "") + "\n", want: []map[string]any{{"MESSAGE": "", "X": ""}}, err: io.EOF},
		{name: "several entries", stream: "\nA=1\n\n\nA=2\n\n", want: []map[string]any{{"A": "1"}, {"A": "2"}}, err: io.EOF},
		{name: "words of journalctl", stream: "-- Logs begin at x --\nA=1\n\n-- No entries --\n", want: []map[string]any{{"A": "1"}}, err: io.EOF},
		{name: "a long field", stream: "A=" + strings.Repeat("x", 200_000) + "\n\n", want: []map[string]any{{"A": strings.Repeat("x", 200_000)}}, err: io.EOF},
		{name: "cut off in an entry", stream: "A=1\n\nA=2\n", want: []map[string]any{{"A": "1"}}, err: io.ErrUnexpectedEOF},
		{name: "cut off in a name", stream: "A=1\n\nA", want: []map[string]any{{"A": "1"}}, err: io.ErrUnexpectedEOF},
		{name: "cut off in a line", stream: "A=1", err: io.ErrUnexpectedEOF},
		{name: "cut off in a size", stream: "A\n\x01\x00", err: io.ErrUnexpectedEOF},
		{name: "cut off in bytes", stream: binaryField("A", "abc")[:12], err: io.ErrUnexpectedEOF},
		{name: "bytes longer than their size", stream: "A\n\x01\x00\x00\x00\x00\x00\x00\x00xy\n", err: errFormat},
		{name: "an impossible size", stream: "A\n\xff\xff\xff\xff\xff\xff\xff\xff", err: errFormat},
		{name: "no name", stream: "=x\n", err: errFormat},
		{name: "no export", stream: strings.Repeat("x", 5000), err: errFormat},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.stream), iotest.OneByteReader(strings.NewReader(tt.stream))} {
				x := newExportReader(r, maxEntryBytes)
				var got []map[string]any
				var err error
				for {
					var e journalEntry
					if e, err = x.next(); err != nil {
						break
					}
					assert.Zero(t, e.cut)
					got = append(got, e.fields)
				}
				assert.Equal(t, tt.want, got)
				require.ErrorIs(t, err, tt.err)
			}
		})
	}
}

func TestExportTimeIsTheRecords(t *testing.T) {
	e, err := newExportReader(strings.NewReader("__REALTIME_TIMESTAMP=1764000000000001\n__CURSOR=c\n\n"), maxEntryBytes).next()
	require.NoError(t, err)
	assert.Equal(t, time.UnixMicro(1764000000000001), e.realtime)
	assert.Equal(t, "c", e.cursor)
	assert.NotContains(t, e.fields, "__REALTIME_TIMESTAMP")
}

// What does not fit is counted, whichever way it is written, and the next entry is whole.
func TestExportCutsEntriesThatAreTooLarge(t *testing.T) {
	const bound = 2*fieldOverhead + 8 + 100
	long := strings.Repeat("é", 60) // 120 bytes
	for _, field := range []string{"MESSAGE=" + long + "\n", binaryField("MESSAGE", long)} {
		x := newExportReader(strings.NewReader("B=1\n"+field+"C=lost\n\nA=2\n\n"), bound)
		e, err := x.next()
		require.NoError(t, err)
		assert.Equal(t, "1", e.fields["B"])
		kept, ok := e.fields["MESSAGE"].(string)
		require.True(t, ok, "the cut leaves whole characters")
		assert.True(t, strings.HasPrefix(long, kept))
		assert.InDelta(t, 99, len(kept), 2)
		assert.EqualValues(t, len(long)-len(kept)+len("lost"), e.cut)
		assert.NotContains(t, e.fields, "C")
		e, err = x.next()
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"A": "2"}, e.fields)
		assert.Zero(t, e.cut)
	}
}

// Whatever the stream is, the reader ends, and stays within its bound. What it has read, written and read again is the same.
func FuzzExport(f *testing.F) {
	f.Add([]byte("__CURSOR=c1\nMESSAGE=a\n\n"))
	f.Add([]byte(binaryField("MESSAGE", "\x1b\xff\n") + "T=1\nT=2\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		const bound = 4096
		x := newExportReader(bytes.NewReader(stream), bound)
		for {
			e, err := x.next()
			if err != nil {
				return
			}
			if e.size > bound {
				t.Fatalf("%d bytes of at most %d", e.size, bound)
			}
			if e.cut > 0 {
				continue
			}
			var again strings.Builder
			for name, value := range e.fields {
				values, ok := value.([]any)
				if !ok {
					values = []any{value}
				}
				for _, v := range values {
					again.WriteString(binaryField(name, fmt.Sprintf("%s", v)))
				}
			}
			if again.Len() == 0 {
				continue // nothing but a time
			}
			second, err := newExportReader(strings.NewReader(again.String()+"\n"), maxEntryBytes).next()
			if err != nil {
				t.Fatal(err)
			}
			if !assert.ObjectsAreEqual(e.fields, second.fields) {
				t.Fatalf("%q, then %q", e.fields, second.fields)
			}
		}
	})
}
