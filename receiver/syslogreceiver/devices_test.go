// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// Every byte that a device sends is in a body exactly once, wherever its stream is cut into reads, and however small a message may be.
func TestFramingOfDevices(t *testing.T) {
	counted := func(s string) string { return strconv.Itoa(len(s)) + " " + s }
	for _, tt := range []struct {
		name, stream string
		want         []string
	}{
		{"Cisco ISE, CRLF", "<181>Nov 28 10:00:00 ise CISE_Passed: 1\r\n<181>Nov 28 10:00:01 ise CISE_Passed: 2\r\n", []string{"<181>Nov 28 10:00:00 ise CISE_Passed: 1", "<181>Nov 28 10:00:01 ise CISE_Passed: 2"}},
		{"NUL as the trailer", "<0>a\x00<191>b\x00", []string{"<0>a", "<191>b"}},
		{"ESXi, several lines in a count", counted("<14>x Hostd: one\n--> two\n--> three") + counted("<14>next"), []string{"<14>x Hostd: one\n--> two\n--> three", "<14>next"}},
		{"a count that includes CRLF", counted("<14>a\r\n") + counted("<14>b\r\n"), []string{"<14>a", "<14>b"}},
		{"counts, then lines, then a count", counted("<1>a") + "<2>b\n" + counted("<3>c") + "\n<4>d\n", []string{"<1>a", "<2>b", "<3>c", "<4>d"}},
		{"a count with leading zeros is one", "007 <13>abc007 <13>def", []string{"<13>abc", "<13>def"}},
		{"zeros that are a line", "0 <13>abc\n000\n", []string{"0 <13>abc", "000"}},
		{"a count of messages without a priority, from a sender that counts", counted("<13>a") + "5 hello\n", []string{"<13>a", "5 hello"}},
		{"only a priority", "<13>\n<13>\n", []string{"<13>", "<13>"}},
		{"empty messages", "\n\r\n\n<13>a\n\n", []string{"<13>a"}},
		{"frames of one byte", "a\nb\n1 <1 <", []string{"a", "b", "<", "<"}},
		{"a byte order mark", "<13>1 - h a - - - \xef\xbb\xbfhi\n\xef\xbb\xbf<13>x\n", []string{"<13>1 - h a - - - \xef\xbb\xbfhi", "\xef\xbb\xbf<13>x"}},
		{"UTF-16", "\xff\xfe<\x001\x003\x00>\x00a\x00\n", []string{"\xff\xfe<\x001\x003\x00>\x00a"}},
		{"Snare, tabs", "<14>host\tMSWinEventLog\t1\tSecurity\t7\n", []string{"<14>host\tMSWinEventLog\t1\tSecurity\t7"}},
		{"no end", "<13>whole\n<13>the last", []string{"<13>whole", "<13>the last"}},
		{"a year that looks like a count", "2026 <b>\n", []string{"2026 <b>"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for chunk := 1; chunk <= len(tt.stream); chunk++ {
				f := newFramer(&chunks{tt.stream, chunk}, 1<<10, false)
				require.Equal(t, tt.want, bodies(t, f), "reads of %d", chunk)
			}
			require.Equal(t, tt.want, bodies(t, newFramer(iotest.DataErrReader(strings.NewReader(tt.stream)), 1<<10, false)))
		})
	}
}

type chunks struct {
	rest string
	size int
}

func (c *chunks) Read(b []byte) (int, error) {
	if c.rest == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), c.size)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func bodies(t *testing.T, f *framer) (all []string) {
	t.Helper()
	for {
		m, err := f.next()
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return all
		}
		all = append(all, string(m.data))
	}
}
