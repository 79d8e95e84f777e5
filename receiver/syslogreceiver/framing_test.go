// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func counted(message string) string { return fmt.Sprintf("%d %s", len(message), message) }

func frames(t testing.TB, r io.Reader, bound int, nul bool) (got []frame) {
	t.Helper()
	f := newFramer(r, bound, nul)
	for {
		m, err := f.next()
		if errors.Is(err, io.EOF) {
			return got
		}
		require.NoError(t, err)
		m.data = bytes.Clone(m.data)
		got = append(got, m)
	}
}

func TestFraming(t *testing.T) {
	const a, b, c = "<13>1 - - - - - - first", "<14>Nov 28 10:00:00 host app: second, with 12 <brackets>", "no priority: 3 blind mice"
	for _, tt := range []struct {
		name, stream string
		nul          bool
		want         []string
	}{
		{name: "nothing"},
		{name: "lines", stream: a + "\n" + b + "\n" + c + "\n", want: []string{a, b, c}},
		{name: "lines with CR", stream: a + "\r\n" + b + "\r\n", want: []string{a, b}},
		{name: "the last without LF", stream: a + "\n" + b, want: []string{a, b}},
		{name: "counted", stream: counted(a) + counted(b) + counted(a), want: []string{a, b, a}},
		{name: "counted with LF in the count", stream: counted(a+"\n") + counted(b+"\n"), want: []string{a, b}},
		{name: "counted with LF behind the count", stream: counted(a) + "\n" + counted(b) + "\n", want: []string{a, b}},
		{name: "counted with LF inside", stream: counted("<13>two\nlines") + counted(a), want: []string{"<13>two\nlines", a}},
		{name: "mixed", stream: counted(a) + b + "\n" + counted(b+"\n") + c + "\n" + counted(a), want: []string{a, b, b, c, a}},
		{name: "NUL before the next", stream: a + "\x00" + b + "\x00", want: []string{a, b}},
		{name: "NUL in a line", stream: "<13>a\x00b\n" + a + "\n", want: []string{"<13>a\x00b", a}},
		{name: "NUL as the trailer", stream: c + "\x00" + c + "\x00", nul: true, want: []string{c, c}},
		{name: "empty lines", stream: "\n\n" + a + "\n\r\n\x00\n" + b + "\n\n", want: []string{a, b}},
		{name: "numbers that are no counts", stream: "12 monkeys\n2026\n0 <13>x\n1234567890123 <13>x\n7\n12 \n", want: []string{"12 monkeys", "2026", "0 <13>x", "1234567890123 <13>x", "7", "12 "}},
		{name: "a count that ends in a message", stream: "10 <13>hello you\n" + a + "\n", want: []string{"<13>hello ", "you", a}},
		{name: "only a number", stream: "123", want: []string{"123"}},
		{name: "a count and nothing else", stream: "123 ", want: []string{"123 "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.stream), iotest.OneByteReader(strings.NewReader(tt.stream)), iotest.DataErrReader(strings.NewReader(tt.stream))} {
				var got []string
				for _, m := range frames(t, r, 1<<20, tt.nul) {
					assert.Zero(t, m.part)
					assert.False(t, m.incomplete)
					got = append(got, string(m.data))
				}
				assert.Equal(t, tt.want, got)
			}
		})
	}
}

// What is too long comes in parts, and what stands around it comes whole.
func TestFramingSplitsWhatIsTooLong(t *testing.T) {
	const bound = 5000
	long := "<13>" + strings.Repeat("word ", 3000) + strings.Repeat("x", 10_000)
	for _, stream := range []string{
		"<13>before\n" + long + "\n<13>after\n",
		counted("<13>before") + counted(long) + counted("<13>after"),
		counted("<13>before\n") + counted(long+"\n") + counted("<13>after\n"),
		"<13>before\n" + long + "\n" + counted("<13>after"),
	} {
		for _, r := range []io.Reader{strings.NewReader(stream), iotest.OneByteReader(strings.NewReader(stream))} {
			got := frames(t, r, bound, false)
			assert.Equal(t, "<13>before", string(got[0].data))
			assert.Equal(t, "<13>after", string(got[len(got)-1].data))
			var whole strings.Builder
			for i, m := range got[1 : len(got)-1] {
				assert.Equal(t, i+1, m.part)
				assert.Equal(t, i == len(got)-3, m.last)
				assert.LessOrEqual(t, len(m.data), bound)
				whole.Write(m.data)
			}
			assert.Equal(t, long, whole.String())
			assert.True(t, strings.HasSuffix(string(got[1].data), "word "), "no word is torn that need not be")
		}
	}
	exact := "<13>" + strings.Repeat("x", bound-4)
	for _, stream := range []string{exact + "\n", counted(exact), exact} {
		got := frames(t, strings.NewReader(stream), bound, false)
		require.Len(t, got, 1)
		assert.Zero(t, got[0].part, "as long as allowed")
	}
}

func TestFramingSaysWhatIsIncomplete(t *testing.T) {
	got := frames(t, strings.NewReader(counted("<13>a")+"100 <13>cut off"), 1<<20, false)
	require.Len(t, got, 2)
	assert.Equal(t, "<13>cut off", string(got[1].data))
	assert.True(t, got[1].incomplete)

	f := newFramer(io.MultiReader(strings.NewReader("<13>whole\n<13>half"), iotest.ErrReader(iotest.ErrTimeout)), 1<<20, false)
	m, err := f.next()
	require.NoError(t, err)
	assert.False(t, m.incomplete)
	m, err = f.next()
	require.NoError(t, err)
	assert.Equal(t, "<13>half", string(m.data))
	assert.True(t, m.incomplete)
	_, err = f.next()
	require.ErrorIs(t, err, iotest.ErrTimeout)
}

// Whatever comes, in whatever pieces, is handed out: every byte that is no trailer, count or separator, in order and within the bound.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("<13>a\n5 <13>b\n"), 100, false)
	f.Add([]byte("12 <13>a\x00<13>b\x007 <13>abc"), 7, true)
	f.Fuzz(func(t *testing.T, stream []byte, bound int, nul bool) {
		bound = 1 + (bound&0x7fffffff)%5000
		whole := frames(t, bytes.NewReader(stream), bound, nul)
		slow := frames(t, iotest.OneByteReader(bytes.NewReader(stream)), bound, nul)
		i := 0
		for _, m := range whole {
			if len(m.data) > bound {
				t.Fatalf("%d bytes of at most %d", len(m.data), bound)
			}
			at := bytes.Index(stream[i:], m.data)
			if at < 0 {
				t.Fatalf("%q is not in %q behind %d", m.data, stream, i)
			}
			if left := stream[i : i+at]; len(bytes.Trim(left, "\r\n\x000123456789 ")) > 0 {
				t.Fatalf("%q was left out of %q", left, stream)
			}
			i += at + len(m.data)
		}
		if left := stream[i:]; len(bytes.Trim(left, "\r\n\x000123456789 ")) > 0 {
			t.Fatalf("%q was left out at the end of %q", left, stream)
		}
		// A NUL at the end of a part may be read before or behind the cut.
		text := func(all []frame) (text []byte) {
			for _, m := range all {
				text = append(text, bytes.ReplaceAll(bytes.ReplaceAll(bytes.ReplaceAll(m.data, []byte{0}, nil), []byte("\r"), nil), []byte("\n"), nil)...)
			}
			return text
		}
		if !bytes.Equal(text(whole), text(slow)) {
			t.Fatalf("at once %v, byte by byte %v", whole, slow)
		}
		if !nul && !bytes.Contains(stream, []byte{0}) && !assert.ObjectsAreEqual(whole, slow) {
			t.Fatalf("at once %v, byte by byte %v", whole, slow)
		}
	})
}
