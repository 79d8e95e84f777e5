// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/sealer"
)

func openLog(t testing.TB, dir string) *leafLog {
	t.Helper()
	l, err := openLeafLog(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.close()) })
	return l
}

func do(t testing.TB, l *leafLog, ops ...*sealer.Op) {
	t.Helper()
	require.NoError(t, l.Batch(t.Context(), ops...))
}

func set(key string, value []byte) *sealer.Op {
	return &sealer.Op{Kind: sealer.OpSet, Key: key, Value: value}
}
func remove(key string) *sealer.Op { return &sealer.Op{Kind: sealer.OpDelete, Key: key} }

func value(t testing.TB, l *leafLog, key string) []byte {
	t.Helper()
	op := &sealer.Op{Kind: sealer.OpGet, Key: key}
	do(t, l, op)
	return op.Value
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
	require.Nil(t, value(t, l, "none"))
	big := bytes.Repeat([]byte("b"), segmentSize+5)
	do(t, l, set("a", []byte("1")), set("b", big), set("c", nil), set("a", []byte("2")))
	check := func(l *leafLog) {
		t.Helper()
		require.Equal(t, "2", string(value(t, l, "a")))
		require.True(t, bytes.Equal(big, value(t, l, "b")))
		require.NotNil(t, value(t, l, "c"), "an empty value is a value")
		require.Nil(t, value(t, l, "none"))
	}
	check(l)
	again := openLog(t, dir) // as after a SIGKILL
	check(again)
	do(t, again, set("d", []byte("4")))
	check(again)
	do(t, again, remove("b"), remove("none"))
	require.Nil(t, value(t, again, "b"))
	require.NoError(t, again.forget())
	require.Zero(t, segments(t, dir))
	require.Nil(t, value(t, again, "a"))
	do(t, again, set("e", []byte("5")))
	require.Equal(t, "5", string(value(t, openLog(t, dir), "e")))
}

// What is deleted makes room, whatever stays between.
func TestLeafLogStaysSmall(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir)
	chunk := make([]byte, 10_000)
	do(t, l, set("stays", chunk))
	for i := range 3000 {
		do(t, l, set(fmt.Sprint(i), chunk))
		if i >= 50 {
			do(t, l, remove(fmt.Sprint(i-50)))
		}
		require.LessOrEqual(t, segments(t, dir), 3)
	}
	require.Equal(t, chunk, value(t, l, "stays"))
}

// A write that was cut short loses itself and nothing else, wherever it was cut.
func TestLeafLogTornWrite(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir)
	do(t, l, set("a", []byte("first")), set("b", []byte("second")))
	path := l.path(l.segment)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := len(whole) - 1; n >= len(whole)/2; n-- {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		cut := openLog(t, dir)
		require.Equal(t, "first", string(value(t, cut, "a")), n)
		require.Nil(t, value(t, cut, "b"), n)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-1]++
	require.NoError(t, os.WriteFile(path, damaged, 0o600))
	require.Nil(t, value(t, openLog(t, dir), "b"))
}

// After a write that failed, as on a full disk, the next one takes its place.
func TestLeafLogWriteFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "leaves")
	l := openLog(t, dir)
	require.NoError(t, os.Remove(dir))
	require.Error(t, l.Batch(t.Context(), set("a", []byte("1"))))
	require.NoError(t, os.Mkdir(dir, 0o700))
	do(t, l, set("a", []byte("1")))
	file := l.file
	readOnly, err := os.Open(l.path(l.segment))
	require.NoError(t, err)
	l.file = readOnly
	require.Error(t, l.Batch(t.Context(), set("b", []byte("lost"))))
	l.file = file
	require.NoError(t, readOnly.Close())
	do(t, l, set("c", []byte("3")))
	again := openLog(t, dir)
	require.Equal(t, "1", string(value(t, again, "a")))
	require.Nil(t, value(t, again, "b"))
	require.Equal(t, "3", string(value(t, again, "c")))
}

func TestLeafLogForeignFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	_, err := openLeafLog(dir)
	require.ErrorContains(t, err, "notes.txt")
	require.ErrorContains(t, err, dir)
}

// FuzzLeafLog: whatever a segment holds, what is read of it lies in it.
func FuzzLeafLog(f *testing.F) {
	l := openLog(f, f.TempDir())
	do(f, l, set("key", []byte("value")), set("", nil), set("key", []byte("another")))
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

// What a session leaves in the log is of no use once the next has begun.
func TestLeavesOfTheSessionBeforeAreRemoved(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(4)))
	require.Equal(t, 1, segments(t, p.leaves.dir))
	require.NoError(t, p.Shutdown(t.Context()))
	again := b.start(t, b.config())
	require.Zero(t, segments(t, again.leaves.dir))
	require.NoError(t, again.Shutdown(t.Context()))
	b.verify(t)
}
