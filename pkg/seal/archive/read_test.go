// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// found is what a test keeps of an observed record.
type found struct {
	file  string
	line  int
	id    string
	fault string
}

func readFiles(t *testing.T, paths ...string) ([]found, error) {
	t.Helper()
	files, _, err := Files(paths)
	require.NoError(t, err)
	var list []found
	err = Read(t.Context(), files, Options{Stdin: strings.NewReader("")}, func(o *verifier.Observed) error {
		f := found{o.Place.File, o.Place.Line, "", string(o.Fault)}
		if o.HasID {
			f.id = o.ID.String()
		}
		list = append(list, f)
		return nil
	})
	return list, err
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func asJSON(t *testing.T, ld plog.Logs) []byte {
	data, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	return data
}

func asProto(t *testing.T, ld plog.Logs) []byte {
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	return data
}

func zstandard(data []byte) []byte {
	e, _ := zstd.NewWriter(nil)
	return e.EncodeAll(data, nil)
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func framed(messages ...[]byte) []byte {
	var b []byte
	for _, m := range messages {
		b = binary.BigEndian.AppendUint32(b, uint32(len(m)))
		b = append(b, m...)
	}
	return b
}

// TestFormats reads the same records from everything that an archive can be.
func TestFormats(t *testing.T) {
	one, two := accessLogs(3), accessLogs(2)
	lines := append(append(asJSON(t, one), '\n'), append(asJSON(t, two), '\n')...)
	messages := framed(asProto(t, one), asProto(t, two))
	for name, data := range map[string][]byte{
		"JSON lines":                      lines,
		"without the last end of line":    bytes.TrimRight(lines, "\n"),
		"with CRLF":                       bytes.ReplaceAll(lines, []byte("\n"), []byte("\r\n")),
		"JSON lines, gzip":                gzipped(lines),
		"JSON lines, gzip in two members": append(gzipped(append(asJSON(t, one), '\n')), gzipped(asJSON(t, two))...),
		"JSON lines, zstd":                zstandard(lines),
		"JSON lines, a zstd frame each":   append(zstandard(append(asJSON(t, one), '\n')), zstandard(asJSON(t, two))...),
		"messages":                        messages,
		"messages, gzip":                  gzipped(messages),
		"messages, zstd":                  zstandard(messages),
		"messages, each zstd":             framed(zstandard(asProto(t, one)), zstandard(asProto(t, two))),
		"JSON messages, each zstd":        framed(zstandard(asJSON(t, one)), zstandard(asJSON(t, two))),
		"JSON messages":                   framed(asJSON(t, one), asJSON(t, two)),
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "any.name", data)
			list, err := readFiles(t, path)
			require.NoError(t, err)
			require.Equal(t, []found{
				{path, 1, "k3x7a2qd-100000", ""},
				{path, 1, "k3x7a2qd-100001", ""},
				{path, 1, "k3x7a2qd-100002", ""},
				{path, 2, "k3x7a2qd-100000", ""},
				{path, 2, "k3x7a2qd-100001", ""},
			}, list)
		})
	}
}

func TestEmptyFiles(t *testing.T) {
	for name, data := range map[string][]byte{"nothing": nil, "blank lines": []byte("\n \r\n\n"), "nothing, gzip": gzipped(nil), "nothing, zstd": zstandard(nil), "an empty message": {0, 0, 0, 0}} {
		t.Run(name, func(t *testing.T) {
			list, err := readFiles(t, write(t, "a", data))
			require.NoError(t, err)
			require.Empty(t, list)
		})
	}
}

func TestUnrecognised(t *testing.T) {
	good := write(t, "good", asJSON(t, accessLogs(1)))
	for name, data := range map[string][]byte{
		"text": []byte("Nov 23 05:22:20 web-17 sshd[1]: hello\n"), "a picture": []byte("\x89PNG\r\n\x1a\n"), "random": []byte("\xde\xad\xbe\xef\x00\x01"),
		"gzip of text": gzipped([]byte("hello")), "a broken gzip header": {0x1f, 0x8b, 0x99, 0x00}, "an array": []byte("[1]"),
	} {
		t.Run(name, func(t *testing.T) {
			bad := write(t, "bad", data)
			list, err := readFiles(t, bad, good)
			require.ErrorIs(t, err, ErrUnrecognised)
			require.ErrorContains(t, err, bad)
			require.Len(t, list, 1, "the other file is read")
		})
	}
	_, _, err := Files([]string{filepath.Join(t.TempDir(), "none")})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestDamagedFiles: what is damaged is named by its place, and the rest is read.
func TestDamagedFiles(t *testing.T) {
	line := asJSON(t, accessLogs(1))
	message := asProto(t, accessLogs(1))
	id := "k3x7a2qd-100000"
	good := func(n int) found { return found{line: n, id: id} }
	bad := func(n int, fault string) found { return found{line: n, fault: fault} }
	long := bytes.Repeat(append(line, '\n'), 5000)
	for _, c := range []struct {
		name string
		data []byte
		want []found
	}{
		{"a broken line", bytes.Join([][]byte{line, line[:40], line}, []byte("\n")), []found{good(1), bad(2, "broken_json"), good(3)}},
		{"a first line that is text", bytes.Join([][]byte{[]byte("hello"), line}, []byte("\n")), []found{bad(1, "no_object"), good(2)}},
		{"a message cut short", framed(message, message)[:len(message)+20], []found{good(1), bad(2, "message_unfinished")}},
		{"a length cut short", append(framed(message), 0, 0), []found{good(1), bad(2, "message_unfinished")}},
		{"a message of nonsense", framed(message, []byte("\x0a\xff\xff\xff"), message), []found{good(1), bad(2, "broken_protobuf"), good(3)}},
		{"a huge length", append(framed(message), 0xff, 0xff, 0xff, 0xff, 1, 2, 3), []found{good(1), bad(2, "too_long")}},
		{"broken zstd in a message", framed(zstandard(message), append(zstandard(message)[:20], 1), zstandard(message)), []found{good(1), bad(2, "compression_damaged"), good(3)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, "a", c.data)
			list, err := readFiles(t, path)
			require.NoError(t, err)
			require.Len(t, list, len(c.want), "%v", list)
			for i, want := range c.want {
				require.Equal(t, want.line, list[i].line)
				require.Equal(t, want.id, list[i].id)
				require.Contains(t, list[i].fault, want.fault)
				require.Equal(t, want.fault == "", list[i].fault == "")
			}
		})
	}
	for name, packed := range map[string][]byte{"gzip": gzipped(long), "zstd": zstandard(long)} {
		t.Run("a cut "+name, func(t *testing.T) {
			list, err := readFiles(t, write(t, "a", packed[:len(packed)*2/3]))
			require.NoError(t, err)
			require.NotEmpty(t, list)
			require.Equal(t, string(finding.FileUnfinished), list[len(list)-1].fault)
		})
	}
}

// TestHugeLine: a line beyond the limit is stepped over without being held in memory.
func TestHugeLine(t *testing.T) {
	line := asJSON(t, accessLogs(1))
	huge := append(append([]byte(`{"resourceLogs":["`), bytes.Repeat([]byte("a"), MaxFrame)...), `"]}`...)
	list, err := readFiles(t, write(t, "a", bytes.Join([][]byte{line, huge, line}, []byte("\n"))))
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, "too_long", list[1].fault)
	require.Equal(t, 3, list[2].line)
}

// TestZstdBomb: a message that unpacks to more than the limit is malformed.
func TestZstdBomb(t *testing.T) {
	bomb := zstandard(make([]byte, MaxFrame+1))
	require.Less(t, len(bomb), 1<<20)
	list, err := readFiles(t, write(t, "a", framed(bomb, asProto(t, accessLogs(1)))))
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Contains(t, list[0].fault, "compression_damaged")
	require.Empty(t, list[1].fault)
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	line := asJSON(t, accessLogs(1))
	for _, name := range []string{"logs.json", "logs-2026-11-22.json", "b/x.json", ".hidden", ".git/config"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, line, 0o600))
	}
	list, err := readFiles(t, dir)
	require.NoError(t, err)
	var names []string
	for _, f := range list {
		rel, err := filepath.Rel(dir, f.file)
		require.NoError(t, err)
		names = append(names, rel)
	}
	require.Equal(t, []string{"b/x.json", "logs-2026-11-22.json", "logs.json"}, names)

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	list, err = readFiles(t, link)
	require.NoError(t, err)
	require.Len(t, list, 3)

	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "loop")))
	_, _, err = Files([]string{dir})
	require.ErrorContains(t, err, "not a regular file")
}

func TestReadStops(t *testing.T) {
	path := write(t, "a", bytes.Repeat(append(asJSON(t, accessLogs(10)), '\n'), 20000))
	stop := errors.New("stop")
	n := 0
	err := Read(t.Context(), []string{path, path}, Options{}, func(*verifier.Observed) error {
		if n++; n == 25 {
			return stop
		}
		return nil
	})
	require.ErrorIs(t, err, stop)
	require.Equal(t, 25, n)

	ctx, cancel := context.WithCancel(t.Context())
	err = Read(ctx, []string{path}, Options{}, func(*verifier.Observed) error {
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
}

// TestDeepNesting: a value nested a million times deep is malformed, in either format, and crashes nobody.
func TestDeepNesting(t *testing.T) {
	nested := func(depth int) plog.Logs {
		ld := plog.NewLogs()
		v := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body()
		for range depth - 1 {
			v = v.SetEmptySlice().AppendEmpty()
		}
		v.SetStr("here")
		return ld
	}
	var d decoder
	for _, depth := range []int{1, 63, 64, 65, 66, 200} {
		fault := finding.Reason("")
		if depth > canonical.MaxDepth {
			fault = finding.TooDeep
		}
		d.begin()
		d.decodeJSON(asJSON(t, nested(depth)))
		d.decodeProto(asProto(t, nested(depth)))
		require.Len(t, d.records, 2)
		require.Equal(t, fault, d.records[0].Fault, "JSON, depth %d", depth)
		require.Equal(t, fault, d.records[1].Fault, "protobuf, depth %d", depth)
	}

	const deep = 1_600_000
	d.begin()
	d.decodeJSON([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, deep)))
	d.decodeJSON([]byte(`{"resourceLogs":` + strings.Repeat("[", deep)))
	d.decodeJSON([]byte(strings.Repeat(`{"resourceLogs":[`, deep)))
	d.decodeJSON([]byte(`{"note":` + strings.Repeat(`{"a":`, deep)))

	// From the inside out: an array_value with one value, a million times over.
	sizes := make([]int, deep)
	size := 0
	for i := range sizes {
		sizes[i] = size
		size += 2 + 2*uvarintLen(size) + uvarintLen(size+1+uvarintLen(size)) - uvarintLen(size)
	}
	var message []byte
	for i := deep - 1; i >= 0; i-- {
		message = append(message, byte(5<<3|wireLen))
		message = binary.AppendUvarint(message, uint64(1+uvarintLen(sizes[i])+sizes[i]))
		message = append(message, byte(1<<3|wireLen))
		message = binary.AppendUvarint(message, uint64(sizes[i]))
	}
	for _, field := range []byte{5, 2, 2, 1} { // body, log_records, scope_logs, resource_logs
		outer := append([]byte{field<<3 | byte(wireLen)}, binary.AppendUvarint(nil, uint64(len(message)))...)
		message = append(outer, message...)
	}
	d.decodeProto(message)
	require.Len(t, d.records, 5)
	for i := range d.records {
		require.NotEmpty(t, d.records[i].Fault, fmt.Sprint(i))
	}
	require.Equal(t, finding.TooDeep, d.records[4].Fault)
}

func uvarintLen(n int) int { return len(binary.AppendUvarint(nil, uint64(n))) }
