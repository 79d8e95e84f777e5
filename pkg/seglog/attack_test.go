// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// framesOf returns where the frames of a segment begin, as anybody can tell who reads the file.
func framesOf(data []byte) (offsets []int) {
	mark := le32(data[framesStart:])
	for off := framesStart; ; {
		h, ok := parseFrameHeader(data[off:], mark, int64(off))
		if !ok {
			return offsets
		}
		offsets = append(offsets, off)
		off += int(align(frameHeaderSize + int64(h.sealed)))
	}
}

// rewriteHeader gives the frame at off a header with that number and kind, and a checksum that fits: no key is needed for it.
func rewriteHeader(data []byte, off int, number uint32, kind byte) {
	b := data[off:]
	putFrameHeader(b, le32(b), int64(off), int(le32(b[4:])), number, kind)
}

// Whoever edits a file without the key, and knows the format, replays no entry: each is bound to its place, and what stands in
// another's is reported as a loss.
func TestAnEntryIsBoundToItsPlace(t *testing.T) {
	for name, edit := range map[string]func(data []byte, frames []int){
		"an older one over a newer one": func(data []byte, frames []int) {
			newer := le32(data[frames[2]+8:])
			copy(data[frames[2]:frames[3]], data[frames[1]:frames[2]])
			rewriteHeader(data, frames[2], newer, frameBatch)
		},
		"two swapped": func(data []byte, frames []int) {
			first, second := slices.Clone(data[frames[1]:frames[2]]), slices.Clone(data[frames[2]:frames[3]])
			one, two := le32(first[8:]), le32(second[8:])
			copy(data[frames[1]:], second)
			copy(data[frames[2]:], first)
			rewriteHeader(data, frames[1], one, frameBatch)
			rewriteHeader(data, frames[2], two, frameBatch)
		},
		"another kind": func(data []byte, frames []int) {
			rewriteHeader(data, frames[2], le32(data[frames[2]+8:]), frameManifest)
		},
		"another number": func(data []byte, frames []int) {
			rewriteHeader(data, frames[3], le32(data[frames[3]+8:])+1, frameBatch)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newSimDisk(1)
			s := openOn(t, d, "/s", Options{})
			l, err := s.Log("c")
			require.NoError(t, err)
			for _, op := range []Op{set("a", "old"), set("a", "new"), set("b", "between"), set("b", "behind"), set("b", "the end")} {
				require.NoError(t, l.Apply(op))
			}
			crashed := d.restart(false) // before an index is written, so that the frames themselves are read
			require.NoError(t, s.Close())

			data := crashed.dirs["/s/c"+logSuffix].names[segmentsOf(crashed)[0]].data
			frames := framesOf(data)
			require.Len(t, frames, 6, "a manifest and five entries")
			edit(data, frames)
			var lost losses
			s = openOn(t, crashed, "/s", Options{OnLoss: lost.add})
			l, err = s.Log("c")
			require.NoError(t, err)
			require.NotEmpty(t, slices.DeleteFunc(lost.all, func(l Loss) bool { return l.Torn }))
			require.Equal(t, "the end", get(t, l, "b"), "the others stay readable")
			require.NoError(t, s.Close())
		})
	}
}

// Requests leave room for what must always be written: of the disk for everybody, and of the bound for other clients.
func TestBulkLeavesRoom(t *testing.T) {
	const size = 64 << 20
	for name, o := range map[string]Options{"disk": {}, "bound": {MaxBytes: size}} {
		t.Run(name, func(t *testing.T) {
			d := newSimDisk(1)
			if o.MaxBytes == 0 {
				d.capacity = size
			}
			s := openOn(t, d, "/s", o)
			queue, err := s.Log("queue")
			require.NoError(t, err)
			request := make([]byte, 100_000)
			for n := 0; err == nil; n++ {
				err = queue.Apply(Op{Kind: Set, Key: string(rune('a' + n)), Value: request, Bulk: true})
			}
			require.ErrorIs(t, err, ErrFull)
			require.LessOrEqual(t, d.used(), int64(size)-headroom(size))

			positions, err := s.Log("positions")
			require.NoError(t, err, "a client that comes now finds room")
			require.NoError(t, positions.Apply(set("knownFiles", "here")))
			require.NoError(t, s.Close())
		})
	}
}

// On a disk whose last byte is taken by something else, a stamp stores the seals of all that waited for one, in one entry, and starts again.
func TestReserveTakesManySeals(t *testing.T) {
	d := newSimDisk(1)
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("stamp")
	require.NoError(t, err)
	require.NoError(t, l.Apply(set("state", "small")))
	require.NoError(t, s.Sync()) // the housekeeping
	d.capacity = d.used()
	require.NoError(t, l.Apply(set("seals", strings.Repeat("s", 200_000))))
	require.NoError(t, s.Close())
	s = openOn(t, d, "/s", Options{})
	l, err = s.Log("stamp")
	require.NoError(t, err)
	require.NoError(t, l.Apply(set("state", "again")))
	require.NoError(t, s.Close())
}
