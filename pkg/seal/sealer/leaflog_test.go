// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const logStream = "0123456789abcdef"

func openLog(t testing.TB, dir string) *LeafLog {
	t.Helper()
	l, err := OpenLeafLog(dir, logStream)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func put(t testing.TB, l *LeafLog, number uint64, chunk string) {
	t.Helper()
	require.NoError(t, l.Append(t.Context(), number, []byte(chunk)))
}

func drop(t testing.TB, l *LeafLog, numbers ...uint64) {
	t.Helper()
	require.NoError(t, l.Drop(t.Context(), numbers...))
}

func loaded(t testing.TB, l *LeafLog, number uint64) []byte {
	t.Helper()
	chunk, err := l.Load(t.Context(), number)
	require.NoError(t, err)
	return chunk
}

func segments(t testing.TB, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return len(entries)
}

func TestLeafLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "leaves")
	l := openLog(t, dir)
	require.Nil(t, loaded(t, l, 99))
	big := strings.Repeat("b", segmentSize+5)
	put(t, l, 1, "1")
	put(t, l, 2, big)
	put(t, l, 3, "")
	put(t, l, 1, "2")
	check := func(l *LeafLog) {
		t.Helper()
		require.Equal(t, "2", string(loaded(t, l, 1)))
		require.True(t, string(loaded(t, l, 2)) == big)
		require.NotNil(t, loaded(t, l, 3), "an empty chunk is a chunk")
		require.Nil(t, loaded(t, l, 99))
	}
	check(l)
	again := openLog(t, dir) // as after a SIGKILL
	check(again)
	put(t, again, 4, "4")
	check(again)
	drop(t, again, 2, 99)
	require.Nil(t, loaded(t, again, 2))

	other, err := OpenLeafLog(dir, "another stream's")
	require.NoError(t, err)
	require.Nil(t, loaded(t, other, 1), "the stream that was enrolled before had it")
	require.NoError(t, other.Close())

	require.NoError(t, again.Forget(t.Context()))
	require.Zero(t, segments(t, dir))
	require.Nil(t, loaded(t, again, 1))
	put(t, again, 5, "5")
	require.Equal(t, "5", string(loaded(t, openLog(t, dir), 5)))
}

// What is dropped makes room, whatever stays between.
func TestLeafLogStaysSmall(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir)
	chunk := strings.Repeat("c", 10_000)
	put(t, l, 1_000_000, chunk)
	for i := range uint64(3000) {
		put(t, l, i, chunk)
		if i >= 50 {
			drop(t, l, i-50)
		}
		require.LessOrEqual(t, segments(t, dir), 3)
	}
	require.Equal(t, chunk, string(loaded(t, l, 1_000_000)))
}

// A write that was cut short loses itself and nothing else, wherever it was cut.
func TestLeafLogTornWrite(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir)
	put(t, l, 1, "first")
	put(t, l, 2, "second")
	path := l.path(l.segment)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := len(whole) - 1; n >= len(whole)/2; n-- {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		cut := openLog(t, dir)
		require.Equal(t, "first", string(loaded(t, cut, 1)), n)
		require.Nil(t, loaded(t, cut, 2), n)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-1]++
	require.NoError(t, os.WriteFile(path, damaged, 0o600))
	require.Nil(t, loaded(t, openLog(t, dir), 2))
}

// After a write that failed, as on a full disk, the next one takes its place.
func TestLeafLogWriteFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "leaves")
	l := openLog(t, dir)
	require.NoError(t, os.Remove(dir))
	require.Error(t, l.Append(t.Context(), 1, []byte("1")))
	require.NoError(t, os.Mkdir(dir, 0o700))
	put(t, l, 1, "1")
	file := l.file
	readOnly, err := os.Open(l.path(l.segment))
	require.NoError(t, err)
	l.file = readOnly
	require.Error(t, l.Append(t.Context(), 2, []byte("lost")))
	l.file = file
	require.NoError(t, readOnly.Close())
	put(t, l, 3, "3")
	again := openLog(t, dir)
	require.Equal(t, "1", string(loaded(t, again, 1)))
	require.Nil(t, loaded(t, again, 2))
	require.Equal(t, "3", string(loaded(t, again, 3)))
}

func TestLeafLogForeignFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	_, err := OpenLeafLog(dir, logStream)
	require.ErrorContains(t, err, "notes.txt")
	require.ErrorContains(t, err, dir)
}

// FuzzLeafLog: whatever a segment holds, what is read of it lies in it.
func FuzzLeafLog(f *testing.F) {
	l := openLog(f, f.TempDir())
	put(f, l, 1, "chunk")
	put(f, l, 2, "")
	put(f, l, 1, "another")
	data, err := os.ReadFile(l.path(l.segment))
	require.NoError(f, err)
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Add([]byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		end := int64(0)
		for key, p := range entriesOf(data) {
			require.GreaterOrEqual(t, p.offset, end+entryHeader+int64(len(key)))
			end = p.offset + int64(p.size)
			require.LessOrEqual(t, end, int64(len(data)))
		}
	})
}
