// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// batchOf splits content into lines as the file consumer does.
func batchOf(content string) batch {
	b := batch{offsets: []int64{0}}
	for line := range bytes.Lines([]byte(content)) {
		b.tokens = append(b.tokens, bytes.Trim(line, blanks))
		b.offsets = append(b.offsets, b.offsets[len(b.offsets)-1]+int64(len(line)))
	}
	b.lastRecord = int64(len(b.tokens))
	return b
}

func TestProveBytes(t *testing.T) {
	const content = "first\n\n  third\r\nfourth is longer\n"
	for _, tt := range []struct {
		name   string
		onDisk string
		limit  int
		want   string // "" if nothing is proven
	}{
		{name: "the same file", onDisk: content, limit: 1000, want: content},
		{name: "grown", onDisk: content + "fifth\n", limit: 1000, want: content},
		{name: "more than a fingerprint, cut in a token", onDisk: content, limit: 20, want: content[:20]},
		{name: "more than a fingerprint, cut behind a token", onDisk: content, limit: 7, want: content[:7]},
		{name: "another file in its place", onDisk: "other\n\n  third\r\nfourth is longer\n", limit: 1000},
		{name: "different in the last record", onDisk: "first\n\n  third\r\nfourth is LONGER\n", limit: 1000},
		{name: "different where it is cut", onDisk: "first\n\n  third\r\nfour8h is longer\n", limit: 21},
		{name: "different in blanks", onDisk: "first\n \n third\r\nfourth is longer\n\n", limit: 10, want: "first\n \n t"},
		{name: "text where a line was empty", onDisk: "first\nX  third\r\nfourth is longer\n", limit: 1000},
		{name: "blanks where text was cut", onDisk: "first\n\n  third\r\n                 \n", limit: 20},
		{name: "truncated", onDisk: "first\n", limit: 1000},
		{name: "truncated, within a fingerprint", onDisk: "first\n", limit: 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "app.log")
			require.NoError(t, os.WriteFile(path, []byte(tt.onDisk), 0o600))
			got, ok := proveBytes(path, batchOf(content), tt.limit)
			require.Equal(t, tt.want != "", ok)
			if ok {
				assert.Equal(t, tt.want, string(got))
			}
		})
	}
}

func TestProveBytesDoesNotWaitForAFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, ok := proveBytes(path, batchOf("a\n"), 1000)
	assert.False(t, ok)
	_, ok = proveBytes(path+".gone", batchOf("a\n"), 1000)
	assert.False(t, ok)
}

// Whatever stands in a file's place: bytes that are taken for the reader's differ from them in blanks at most.
func FuzzStandsIn(f *testing.F) {
	f.Add("first\nsecond\n", "first\nsecond\n")
	f.Add("first\nsecond\n", "first\nsec")
	f.Add("\n\n\n", "a\n\n")
	f.Add(" a \r\nb\n", "\ta\n\n\nb\n")
	f.Add("abc def\n", "abc    ")
	f.Add("abc\n\n\n\n", "abc d")
	f.Fuzz(func(t *testing.T, content, candidate string) {
		if len(candidate) > len(content) {
			candidate = candidate[:len(content)] // proveBytes reads no more
		}
		if candidate == "" || !batchOf(content).standsIn([]byte(candidate)) {
			return
		}
		text := func(s string) string { return strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(s) }
		if !strings.HasPrefix(text(content), text(candidate)) {
			t.Fatalf("%q passes for %q", candidate, content)
		}
	})
}
