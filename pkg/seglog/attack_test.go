// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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

// spareFiles makes a disk on which a log's folder has spare files of these sizes and nothing else.
func spareFiles(t *testing.T, client string, sizes ...int64) *simDisk {
	d := newSimDisk(1)
	dir := "/s/" + client + logSuffix
	require.NoError(t, d.MkdirAll("/s"))
	require.NoError(t, d.MkdirAll(dir))
	for i, size := range sizes {
		_, err := d.Create(fmt.Sprintf("%s/%s%d", dir, spareName, i+1), size)
		require.NoError(t, err)
	}
	return d
}

// On a disk that something else has filled, a queue that is drained goes on: it writes into what it has drained, and leaves the reserve alone.
func TestQueueGoesOnOnAFullDisk(t *testing.T) {
	for name, d := range map[string]*simDisk{
		"as it comes": spareFiles(t, "queue"), "small ones": spareFiles(t, "queue", minSegment, minSegment), "the reserve last": spareFiles(t, "queue", minSegment, minSegment, reserve),
	} {
		t.Run(name, func(t *testing.T) {
			s := openOn(t, d, "/s", Options{})
			l, err := s.Log("queue")
			require.NoError(t, err)
			for n := range 300 {
				if n >= 30 {
					d.capacity = d.used() // what is given back is taken, too
				}
				l.lastRoll = time.Time{} // segments of a host that is not fast stay small
				require.NoError(t, l.Apply(Op{Kind: Set, Key: fmt.Sprint(n), Value: make([]byte, 10_000), Bulk: true}), n)
				require.NoError(t, l.Apply(Op{Kind: Delete, Key: fmt.Sprint(n - 8)}))
				require.NoError(t, s.Sync()) // the housekeeping
			}
			require.NoError(t, s.Close())
		})
	}
}

// The reserve stays, whatever other spare files there are, and in whatever order a start finds them.
func TestReserveStays(t *testing.T) {
	for name, sizes := range map[string][]int64{"behind a small one": {minSegment, reserve}, "behind two": {minSegment, minSegment, reserve}} {
		t.Run(name, func(t *testing.T) {
			d := spareFiles(t, "queue", sizes...)
			s := openOn(t, d, "/s", Options{})
			l, err := s.Log("queue")
			require.NoError(t, err)
			for n := range 200 { // quickly, so that segments grow
				require.NoError(t, l.Apply(Op{Kind: Set, Key: fmt.Sprint(n), Value: make([]byte, 100_000), Bulk: true}))
				require.NoError(t, l.Apply(Op{Kind: Delete, Key: fmt.Sprint(n - 8)}))
				require.NoError(t, s.Sync())
			}
			require.Greater(t, l.segmentSize, int64(4*reserve))
			require.True(t, slices.ContainsFunc(l.spares, func(sp spare) bool { return sp.name == fmt.Sprint(spareName, len(sizes)) }), "the same file")
			require.NoError(t, s.Close())
		})
	}
}
