// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// smallStore makes a log of two segments, one closed and one that is written, with values, deletions and a straggler.
func smallStore(t testing.TB) (*simDisk, map[string]string) {
	d := newSimDisk(1)
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("c")
	require.NoError(t, err)
	want := map[string]string{}
	put := func(key, value string) {
		require.NoError(t, l.Apply(set(key, value)))
		want[key] = value
	}
	for i := range 6 {
		put(strconv.Itoa(i), strings.Repeat(strconv.Itoa(i), 40))
	}
	put("large", strings.Repeat("l", 58_000)) // leaves little room
	put("6", strings.Repeat("6", 40))
	require.NoError(t, l.Apply(Op{Kind: Delete, Key: "3"}, Op{Kind: Delete, Key: "large"}))
	delete(want, "3")
	delete(want, "large")
	put("9", strings.Repeat("9", 4000)) // in the next segment
	put("1", "one, again")
	require.NoError(t, s.Sync())
	require.NoError(t, s.Close())
	require.Len(t, segmentsOf(d), 2)
	return d, want
}

func segmentsOf(d *simDisk) (names []string) {
	for name := range d.dirs["/s/c"+logSuffix].names {
		if _, ok := segmentNumber(name); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// examine opens a copy of the store, and compares every value with what was set.
func examine(d *simDisk, want map[string]string, readOnly bool) (missing int, lost []Loss, err error) {
	var l losses
	s, err := open("/s", Options{Keys: [][]byte{testKey}, Interval: 1 << 50, OnLoss: l.add, ReadOnly: readOnly}, d)
	if err != nil {
		return 0, nil, err
	}
	defer s.Close()
	log, err := s.Log("c")
	if err != nil {
		return 0, nil, err
	}
	for key, value := range want {
		v, err := log.Get(key)
		switch {
		case errors.Is(err, ErrLost) || err == nil && v == nil:
			missing++
		case err != nil:
			return 0, nil, err
		case string(v) == value:
		case key == "1" && string(v) == strings.Repeat("1", 40): // a value that it had before
			missing++
		default:
			return 0, nil, fmt.Errorf("key %s has a value that it never had", key)
		}
	}
	if readOnly {
		return missing, l.all, nil
	}
	return missing, l.all, log.Apply(set("still", "writable"))
}

// A bit flipped anywhere costs one entry at most, which is reported, and never a start. By default it is one bit of
// every byte of headers and of one in five others; with LOGSEAL_CRASHES set, every bit.
func TestEveryBitFlipped(t *testing.T) {
	d, want := smallStore(t)
	missing, lost, err := examine(d.restart(false), want, false)
	require.NoError(t, err)
	require.Zero(t, missing)
	require.Empty(t, lost)
	every := os.Getenv("LOGSEAL_CRASHES") != ""
	for _, name := range segmentsOf(d) {
		data := d.dirs["/s/c"+logSuffix].names[name].data
		for off := range data {
			// What is unused, or inside the large value, here and there only.
			if sparse := off > headerSize && off < headerCopy || off > 9500 && off < 62_500; sparse && off%499 != 0 {
				continue
			}
			if !every && off > framesStart+600 && off%5 != 0 {
				continue
			}
			if sampled && off%17 != 0 {
				continue
			}
			for bit := range 8 {
				if !every && bit != off%8 {
					continue
				}
				from := d
				writes := off%64 == 0 // the others are looked at without a write, which spares the copy
				if writes {
					from = d.restart(false)
				}
				file := from.dirs["/s/c"+logSuffix].names[name]
				file.data[off] ^= 1 << bit
				missing, lost, err := examine(from, want, !writes)
				file.data[off] ^= 1 << bit
				if err != nil || missing > 1 || missing > 0 && len(lost) == 0 {
					t.Fatalf("%s, offset %d, bit %d: %d missing, reported %v, error %v", name, off, bit, missing, lost, err)
				}
			}
		}
	}
}

// Nothing of another client, another segment or another time is taken for what it is not.
func TestTransplants(t *testing.T) {
	d, want := smallStore(t)
	dir := "/s/c" + logSuffix
	names := segmentsOf(d)
	for _, tt := range []struct {
		name  string
		spoil func(d *simDisk)
		lost  bool
	}{
		{"segments swapped", func(d *simDisk) {
			n := d.dirs[dir].names
			n[names[0]], n[names[1]] = n[names[1]], n[names[0]]
		}, true},
		{"a segment removed", func(d *simDisk) { delete(d.dirs[dir].names, names[0]) }, true},
		{"a segment cut to nothing", func(d *simDisk) { d.dirs[dir].names[names[0]].data = nil }, true},
		{"a segment cut short", func(d *simDisk) {
			f := d.dirs[dir].names[names[0]]
			f.data = f.data[:4700]
		}, true},
		{"zeros", func(d *simDisk) { clear(d.dirs[dir].names[names[0]].data) }, true},
		{"noise", func(d *simDisk) {
			b := d.dirs[dir].names[names[0]].data
			for i := range b {
				b[i] = byte(d.rng.Uint32())
			}
		}, true},
		{"headers gone", func(d *simDisk) { clear(d.dirs[dir].names[names[0]].data[:framesStart]) }, true},
		{"frames moved", func(d *simDisk) {
			b := d.dirs[dir].names[names[0]].data
			copy(b[framesStart+64:], slices.Clone(b[framesStart:9000]))
		}, true},
		{"frames of the other segment", func(d *simDisk) {
			n := d.dirs[dir].names
			copy(n[names[1]].data[framesStart:9000], n[names[0]].data[framesStart:9000])
		}, true},
		{"something behind the end", func(d *simDisk) {
			f := d.dirs[dir].names[names[1]]
			f.data = append(f.data, make([]byte, 5000)...)
		}, false},
		{"a file of another format", func(d *simDisk) {
			d.dirs[dir].names["00000000000000f0.seg"] = &simFile{disk: d, data: []byte("hello")}
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			copied := d.restart(false)
			tt.spoil(copied)
			_, lost, err := examine(copied, want, false)
			require.NoError(t, err)
			if tt.lost {
				require.NotEmpty(t, lost)
			}
		})
	}

	// A segment of another client, and one of another store.
	s := openOn(t, d, "/s", Options{})
	other, err := s.Log("other")
	require.NoError(t, err)
	require.NoError(t, other.Apply(set("0", "forged")))
	require.NoError(t, s.Close())
	copied := d.restart(false)
	copied.dirs[dir].names[names[0]] = copied.dirs["/s/other"+logSuffix].names[segmentName(1)]
	_, lost, err := examine(copied, want, false)
	require.NoError(t, err)
	require.NotEmpty(t, lost)

	foreign := newSimDisk(2)
	s = openOn(t, foreign, "/s", Options{Keys: [][]byte{[]byte("a key of somebody else, 32 bytes")}})
	l, err := s.Log("c")
	require.NoError(t, err)
	require.NoError(t, l.Apply(set("0", "forged")))
	require.NoError(t, s.Close())
	copied = d.restart(false)
	copied.dirs[dir].names[names[0]] = foreign.restart(false).dirs[dir].names[segmentName(1)]
	copied.dirs[dir].names[names[0]].disk = copied
	_, lost, err = examine(copied, want, false)
	require.NoError(t, err)
	require.NotEmpty(t, lost)
}

// Whatever is in the file, opening it neither panics nor yields a value that was never set.
func FuzzSegment(f *testing.F) {
	d, want := smallStore(f)
	name := segmentsOf(d)[0]
	data := d.dirs["/s/c"+logSuffix].names[name].data
	f.Add(data[:6000], 0)
	f.Add(data[4000:9000], 4000)
	f.Fuzz(func(t *testing.T, patch []byte, at int) {
		copied := d.restart(false)
		file := copied.dirs["/s/c"+logSuffix].names[name]
		if at < 0 || at > len(file.data) {
			return
		}
		copy(file.data[at:], patch)
		if _, _, err := examine(copied, want, false); err != nil {
			t.Fatal(err)
		}
	})
}

// What a sealed text holds is only what we wrote, but a parser that can be made to panic is one too many.
func FuzzText(f *testing.F) {
	op := set("key", "value")
	text, _ := appendOp(nil, &op)
	f.Add(text)
	f.Add(appendChange(nil, &change{kind: Delete, key: "key"}))
	f.Add(appendManifest(nil, []listed{{number: 1}}))
	f.Fuzz(func(_ *testing.T, text []byte) {
		_ = parseBatch(text, 0, 0, func(c change) { _ = text[c.value : c.value+c.length] })
		_ = parseIndex(text, func(change) {})
		_, _ = parseManifest(text)
	})
}
