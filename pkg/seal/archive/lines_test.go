// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/finding"
)

func indented(t *testing.T, data []byte, indent string) []byte {
	var b bytes.Buffer
	require.NoError(t, json.Indent(&b, data, "", indent))
	return b.Bytes()
}

// TestPrinted: an object over many lines, as programs print it for people, and byte order marks, are read.
func TestPrinted(t *testing.T) {
	one, two := asJSON(t, accessLogs(3)), asJSON(t, accessLogs(2))
	bom := []byte("\xef\xbb\xbf")
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, []byte("\n")) }
	for _, indent := range []string{"  ", "\t", ""} {
		pretty := indented(t, one, indent)
		lines := bytes.Count(pretty, []byte("\n")) + 1
		for name, c := range map[string]struct {
			data []byte
			want []int // records by the line they are of: 3 of the first object, 2 of the second
		}{
			"alone":                  {pretty, []int{1, 1, 1}},
			"with an end of line":    {append(bytes.Clone(pretty), '\n'), []int{1, 1, 1}},
			"CRLF":                   {bytes.ReplaceAll(join(pretty, two), []byte("\n"), []byte("\r\n")), []int{1, 1, 1, lines + 1, lines + 1}},
			"before a line":          {join(pretty, two, nil), []int{1, 1, 1, lines + 1, lines + 1}},
			"behind a line":          {join(two, pretty, nil), []int{1, 1, 2, 2, 2}},
			"two":                    {join(pretty, indented(t, two, indent)), []int{1, 1, 1, lines + 1, lines + 1}},
			"an empty line between":  {join(pretty, nil, two), []int{1, 1, 1, lines + 2, lines + 2}},
			"BOM":                    {append(bytes.Clone(bom), pretty...), []int{1, 1, 1}},
			"BOM, lines":             {append(bytes.Clone(bom), join(one, two)...), []int{1, 1, 1, 2, 2}},
			"BOM, CRLF, gzip":        {gzipped(append(bytes.Clone(bom), bytes.ReplaceAll(join(one, two), []byte("\n"), []byte("\r\n"))...)), []int{1, 1, 1, 2, 2}},
			"files with BOMs, joint": {join(append(bytes.Clone(bom), one...), append(bytes.Clone(bom), two...)), []int{1, 1, 1, 2, 2}},
			"a BOM alone":            {bom, nil},
		} {
			t.Run(fmt.Sprintf("%s, indent %q", name, indent), func(t *testing.T) {
				list, err := readFiles(t, write(t, "a", c.data))
				require.NoError(t, err)
				var got []int
				for _, f := range list {
					require.Empty(t, f.fault)
					got = append(got, f.line)
				}
				require.Equal(t, c.want, got)
			})
		}
	}
}

// TestDamagedPrinted: what is broken in one object takes no other with it.
func TestDamagedPrinted(t *testing.T) {
	line := asJSON(t, accessLogs(1))
	pretty := indented(t, line, "  ")
	half := pretty[:bytes.LastIndexByte(pretty[:len(pretty)/2], '\n')]
	for name, c := range map[string]struct {
		data []byte
		want []string
	}{
		"cut, then a line":            {bytes.Join([][]byte{half, line, line}, []byte("\n")), []string{"broken_json", "", ""}},
		"cut, then another":           {bytes.Join([][]byte{half, pretty, line}, []byte("\n")), []string{"broken_json", "", ""}},
		"a line cut, then a line":     {bytes.Join([][]byte{line[:len(line)/2], line, line}, []byte("\n")), []string{"broken_json", "", ""}},
		"a line cut, then another":    {bytes.Join([][]byte{line[:len(line)/2], pretty, line}, []byte("\n")), []string{"broken_json", "", ""}},
		"something behind the object": {bytes.Join([][]byte{append(bytes.Clone(pretty), " x"...), line}, []byte("\n")), []string{"data_behind", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := readFiles(t, write(t, "a", c.data))
			require.NoError(t, err)
			var got []string
			for _, f := range list {
				got = append(got, f.fault)
			}
			require.Equal(t, c.want, got)
		})
	}
}

// TestUnfinished: wherever a file ends while it is written, its end is no damage, and all before it is read.
func TestUnfinished(t *testing.T) {
	line, message := asJSON(t, accessLogs(1)), asProto(t, accessLogs(1))
	pretty := indented(t, line, " ")
	lines := bytes.Join([][]byte{line, line, line}, []byte("\n"))
	for name, c := range map[string]struct {
		first, last []byte
		fault       finding.Reason
	}{
		"a line":           {append(bytes.Clone(line), '\n'), line, finding.LineUnfinished},
		"the only line":    {nil, line, finding.LineUnfinished},
		"behind a BOM":     {byteOrderMark, line, finding.LineUnfinished},
		"an object":        {append(bytes.Clone(line), '\n'), pretty, finding.LineUnfinished},
		"a message":        {framed(message), framed(message), finding.MessageUnfinished},
		"gzip":             {nil, gzipped(lines), finding.FileUnfinished},
		"zstd":             {nil, zstandard(lines), finding.FileUnfinished},
		"a second of gzip": {gzipped(append(bytes.Clone(line), '\n')), gzipped(lines), finding.FileUnfinished},
	} {
		t.Run(name, func(t *testing.T) {
			for n := 4; n < len(c.last); n += 1 + len(c.last)/100 {
				list, err := readFiles(t, write(t, "a", append(bytes.Clone(c.first), c.last[:n]...)))
				require.NoError(t, err, "%d bytes", n)
				require.NotEmpty(t, list, "%d bytes", n)
				for i, f := range list {
					want := ""
					if i == len(list)-1 {
						want = string(c.fault)
					}
					require.Equal(t, want, f.fault, "%d of %d bytes", n, len(c.last))
				}
			}
		})
	}
	t.Run("what was broken before stays so", func(t *testing.T) {
		for _, broken := range []string{`{"resourceLogs":[}`, `{"resourceLogs":[{"scopeLogs":nul, `, `{"resourceLogs":[]} {`, `{,`, `x`} {
			list, err := readFiles(t, write(t, "a", append(append(bytes.Clone(line), '\n'), broken...)))
			require.NoError(t, err)
			require.Equal(t, finding.Malformed, finding.Reason(list[len(list)-1].fault).Code(), broken)
		}
	})
}
