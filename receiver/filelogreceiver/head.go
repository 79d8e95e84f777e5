// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"os"
	"syscall"
)

// blanks are what the file consumer can trim from a token.
const blanks = " \t\r\n"

// proveBytes returns the bytes of the file at path that b was read from, up to the offset limit. The path alone proves
// nothing, since a rotation can have put another file there: every token has to stand in those bytes, at its place. Then
// they are the reader's bytes whichever file they come from, but for blanks around a token.
func proveBytes(path string, b batch, limit int) ([]byte, bool) {
	from, to := b.offsets[0], b.offsets[len(b.tokens)]
	if to > int64(limit) {
		to = int64(limit)
	}
	// A FIFO that somebody has put there must not stop the reader.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	raw := make([]byte, to-from)
	if _, err := f.ReadAt(raw, from); err != nil {
		return nil, false
	}
	return raw, b.standsIn(raw)
}

// standsIn says whether raw, which starts where the batch starts and may end before it ends, is what the batch was read from.
func (b batch) standsIn(raw []byte) bool {
	for i, token := range b.tokens {
		start, end := b.offsets[i]-b.offsets[0], b.offsets[i+1]-b.offsets[0]
		if start >= int64(len(raw)) {
			break
		}
		token = bytes.Trim(token, blanks)
		if end <= int64(len(raw)) {
			if !bytes.Equal(bytes.Trim(raw[start:end], blanks), token) {
				return false
			}
			continue
		}
		cut := bytes.TrimLeft(raw[start:], blanks)
		inToken := len(cut) > 0 && bytes.HasPrefix(token, cut)
		if behind := bytes.Equal(bytes.TrimRight(cut, blanks), token); !inToken && !behind {
			return false
		}
	}
	return true
}
