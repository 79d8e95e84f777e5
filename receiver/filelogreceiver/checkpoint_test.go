// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stockCheckpoint is what pkg/stanza v0.160.0 has saved of two files.
const stockCheckpoint = "0a3c0a0d0a0b6669727374206f6620620a100b180122197b226c6f672e66696c652e6e616d65223a22622e6c6f67227d320a08c2ba8ea0b7bcaff5183a00" +
	"0a480a190a176669727374206f6620610a7365636f6e64206f6620610a1017180222197b226c6f672e66696c652e6e616d65223a22612e6c6f67227d320a08d8ca8ca0b7bcaff5183a00"

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestDecodeCheckpoint(t *testing.T) {
	saved := unhex(t, stockCheckpoint)
	c, err := decodeCheckpoint(saved)
	require.NoError(t, err)
	require.Len(t, c.files, 2)
	assert.Equal(t, "first of b\n", string(c.files[0].fingerprint))
	assert.Equal(t, mark{offset: 11, record: 1}, c.files[0].saved)
	assert.Equal(t, "first of a\nsecond of a\n", string(c.files[1].fingerprint))
	assert.Equal(t, mark{offset: 23, record: 2}, c.files[1].saved)
	assert.Equal(t, saved, c.encode(), "unchanged while nothing has moved")

	c.files[1].accepted = mark{offset: 500, record: 40}
	c.files[1].fingerprint = []byte("first of a\nsecond of a\nthird")
	again, err := decodeCheckpoint(c.encode())
	require.NoError(t, err)
	assert.Equal(t, c.files[0].encoded, again.files[0].encoded)
	assert.Equal(t, mark{offset: 500, record: 40}, again.files[1].saved)
	assert.Equal(t, "first of a\nsecond of a\nthird", string(again.files[1].fingerprint))
	assert.Equal(t, c.files[1].rest, again.files[1].rest, "attributes, and what a later version adds")
	assert.Contains(t, string(again.files[1].rest), "a.log")
}

func TestDecodeCheckpointErrors(t *testing.T) {
	saved := unhex(t, stockCheckpoint)
	for name, in := range map[string][]byte{
		"JSON":                    []byte("1\n{\"Fingerprint\":{\"first_bytes\":\"YQ==\"},\"Offset\":1}\n"),
		"JSON without files":      []byte("0\n"),
		"cut off":                 saved[:len(saved)-1],
		"another field":           append(bytes.Clone(saved), 0x12, 0x01, 'x'),
		"a number for a file":     {0x08, 0x01},
		"an unknown fingerprint":  {0x0a, 0x04, 0x0a, 0x02, 0x10, 0x01},
		"a fingerprint cut short": {0x0a, 0x04, 0x0a, 0x02, 0x0a, 0x05},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeCheckpoint(in)
			assert.Error(t, err)
		})
	}
}

func FuzzDecodeCheckpoint(f *testing.F) {
	f.Add(unhex(f, stockCheckpoint))
	f.Add([]byte("0\n"))
	f.Add([]byte{0x0a, 0x02, 0x10, 0x05})
	f.Fuzz(func(t *testing.T, saved []byte) {
		c, err := decodeCheckpoint(saved)
		if err != nil {
			return
		}
		for _, file := range c.files {
			file.accepted = mark{offset: file.saved.offset + 1, record: file.saved.record + 1}
		}
		again, err := decodeCheckpoint(c.encode())
		require.NoError(t, err)
		require.Len(t, again.files, len(c.files))
		for i, file := range again.files {
			require.Equal(t, c.files[i].accepted, file.saved)
			require.True(t, bytes.Equal(c.files[i].fingerprint, file.fingerprint))
		}
	})
}

// One file of a checkpoint.
func saved(fingerprint string, m mark) []byte {
	c := checkpoint{files: []*knownFile{{fingerprint: []byte(fingerprint), saved: mark{-1, -1}, accepted: m}}}
	return c.encode()
}

func TestRecognize(t *testing.T) {
	const size = 8 // of a fingerprint
	for _, tt := range []struct {
		name  string
		known [][]byte
		start mark
		head  string
		want  string // fingerprint of the recognized file, "" for none
		files int    // in the checkpoint afterwards
	}{
		{name: "known", known: [][]byte{saved("aaaaaaaa", mark{90, 9}), saved("bbbbbbbb", mark{80, 8})}, start: mark{90, 9}, want: "aaaaaaaa", files: 2},
		{name: "not known", known: [][]byte{saved("aaaaaaaa", mark{90, 9})}, start: mark{91, 9}, files: 1},
		{name: "the same mark twice", known: [][]byte{saved("aaaaaaaa", mark{90, 9}), saved("bbbbbbbb", mark{90, 9})}, start: mark{90, 9}, files: 2},
		{name: "no records: started at the end of the file", known: [][]byte{saved("aaaaaaaa", mark{90, 0})}, start: mark{90, 0}, files: 1},
		{name: "new", start: mark{}, head: "newnewne", want: "newnewne", files: 1},
		{name: "new, and not proven", start: mark{}, head: "newnew", files: 0},
		{name: "new, with the fingerprint of another", known: [][]byte{saved("newnewne", mark{90, 9})}, head: "newnewne", files: 1},
		{name: "known by what it began with", known: [][]byte{saved("new", mark{})}, head: "newnewne", want: "newnewne", files: 1},
		{name: "another began so", known: [][]byte{saved("old", mark{})}, head: "newnewne", want: "newnewne", files: 2},
		{name: "grown beyond its fingerprint", known: [][]byte{saved("abcd", mark{4, 1})}, start: mark{4, 1}, head: "efgh", want: "abcdefgh", files: 1},
		{name: "read less than its fingerprint", known: [][]byte{saved("abcdef", mark{4, 1})}, start: mark{4, 1}, head: "efgh", want: "abcdefgh", files: 1},
		{name: "read more than its fingerprint", known: [][]byte{saved("ab", mark{4, 1})}, start: mark{4, 1}, head: "efgh", files: 1},
		{name: "a fingerprint that was configured shorter", known: [][]byte{saved("abcd", mark{90, 9})}, start: mark{90, 9}, files: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := decodeCheckpoint(bytes.Join(tt.known, nil))
			require.NoError(t, err)
			f := c.recognize(&reader{start: tt.start, head: []byte(tt.head)}, size)
			require.Len(t, c.files, tt.files)
			require.Equal(t, tt.want != "", f != nil)
			if f != nil {
				assert.Equal(t, tt.want, string(f.fingerprint))
				assert.Nil(t, c.recognize(&reader{start: tt.start, head: []byte(tt.head)}, size), "one reader a file")
			}
		})
	}
}
