// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type losses struct{ all []Loss }

func (l *losses) add(loss Loss) { l.all = append(l.all, loss) }

func openOn(t testing.TB, d disk, dir string, o Options) *Store {
	t.Helper()
	if o.Keys == nil {
		o.Keys = [][]byte{testKey}
	}
	if o.Interval == 0 {
		o.Interval = time.Hour
	}
	s, err := open(dir, o, d)
	require.NoError(t, err)
	return s
}

func set(key, value string) Op { return Op{Kind: Set, Key: key, Value: []byte(value)} }

func get(t testing.TB, l *Log, key string) string {
	t.Helper()
	v, err := l.Get(key)
	require.NoError(t, err)
	return string(v)
}

func TestStoreOnARealDisk(t *testing.T) {
	dir := t.TempDir()
	s := openOn(t, system{}, dir, Options{Interval: 5 * time.Millisecond})
	l, err := s.Log("exporter_siem__logs")
	require.NoError(t, err)
	_, err = s.Log("exporter_siem__logs")
	require.ErrorContains(t, err, "open already")
	_, err = s.Log("../x")
	require.Error(t, err)
	_, err = Open(dir, Options{Keys: [][]byte{testKey}})
	require.ErrorIs(t, err, ErrLocked)

	planted := "password=hunter2-" + strings.Repeat("x", 3000)
	for i := range 500 {
		require.NoError(t, l.Apply(Op{Kind: Set, Key: strconv.Itoa(i), Value: []byte(planted + strconv.Itoa(i)), Bulk: true}, set("meta", strconv.Itoa(i))))
		if i >= 20 {
			require.Equal(t, planted+strconv.Itoa(i-20), get(t, l, strconv.Itoa(i-20)))
			require.NoError(t, l.Apply(Op{Kind: Delete, Key: strconv.Itoa(i - 20)}))
		}
	}
	require.Equal(t, "499", get(t, l, "meta"))
	require.Equal(t, 21, l.Len())
	require.NoError(t, s.Sync())
	require.NoError(t, s.Sync())
	require.NoError(t, s.Sync())
	stats := s.Stats()
	assert.Less(t, stats.Bytes, int64(8<<20), "what has been deleted gives its space back")
	require.NoError(t, s.Close())
	require.ErrorIs(t, l.Apply(set("a", "b")), ErrClosed)

	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		assert.Zero(t, info.Mode().Perm()&0o077, path)
		b, err := os.ReadFile(path)
		assert.NotContains(t, string(b), "hunter2", path)
		return err
	}))

	var lost losses
	s = openOn(t, system{}, dir, Options{OnLoss: lost.add})
	l, err = s.Log("exporter_siem__logs")
	require.NoError(t, err)
	require.Empty(t, lost.all)
	for i := 480; i < 500; i++ {
		require.Equal(t, planted+strconv.Itoa(i), get(t, l, strconv.Itoa(i)))
	}
	require.Empty(t, get(t, l, "479"))
	require.NoError(t, s.Close())
}

func TestKeys(t *testing.T) {
	old, next := testKey, []byte("another key, which is of 32 bytes")[:32]
	d := newSimDisk(1)
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("c")
	require.NoError(t, err)
	require.NoError(t, l.Apply(set("a", "1"), set("b", "2")))
	require.NoError(t, s.Close())

	_, err = open("/s", Options{Keys: [][]byte{next}}, d)
	require.ErrorIs(t, err, ErrWrongKey)
	require.ErrorContains(t, err, IDOfKey(old).String(), "it says which key is needed")
	_, err = open("/s", Options{Keys: [][]byte{[]byte("short")}}, d)
	require.Error(t, err)

	// Rotation: what is written from now on is under the new key, and the old one is still needed.
	s = openOn(t, d, "/s", Options{Keys: [][]byte{next, old}})
	l, err = s.Log("c")
	require.NoError(t, err)
	require.Equal(t, "1", get(t, l, "a"))
	require.NoError(t, l.Apply(set("b", "3")))
	require.Equal(t, 1, s.Stats().OldKey)
	require.NoError(t, s.Close())
	s = openOn(t, d, "/s", Options{Keys: [][]byte{next}})
	_, err = s.Log("c")
	require.ErrorIs(t, err, ErrWrongKey, "the old key is still needed")
	require.NoError(t, s.Close())

	s = openOn(t, d, "/s", Options{Keys: [][]byte{next, old}})
	l, err = s.Log("c")
	require.NoError(t, err)
	require.NoError(t, l.Apply(Op{Kind: Delete, Key: "a"}))
	for range 3 {
		require.NoError(t, s.Sync())
	}
	require.Zero(t, s.Stats().OldKey, "the old segment has drained")
	require.NoError(t, s.Close())
	s = openOn(t, d, "/s", Options{Keys: [][]byte{next}})
	l, err = s.Log("c")
	require.NoError(t, err)
	require.Equal(t, "3", get(t, l, "b"))
	require.NoError(t, s.Close())
}

// Without its salt a segment cannot be read, not with the store's key either.
func TestDrainedSegmentsAreErased(t *testing.T) {
	d := newSimDisk(1)
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("c")
	require.NoError(t, err)
	require.NoError(t, l.Apply(set("a", "secret")))
	copied := bytes.Clone(l.active.f.(*simFile).data)
	file := l.active.f.(*simFile)
	require.NoError(t, l.Apply(Op{Kind: Delete, Key: "a"}))
	l.lastWrite = time.Now().Add(-time.Hour)
	l.active.end = 10_000 // as if more had been written
	l.active.liveBefore = 0
	for range 4 {
		require.NoError(t, s.Sync())
	}
	before, err := openSegment(&simFile{disk: d, data: copied}, "", 1, "c", [][]byte{testKey})
	require.NoError(t, err)
	c, err := before.load()
	require.NoError(t, err)
	require.Len(t, c.changes, 1)
	_, err = openSegment(file, "", 1, "c", [][]byte{testKey})
	require.Error(t, err)
	require.NoError(t, s.Close())
}

func TestFullStorePushesBack(t *testing.T) {
	for _, tt := range []struct {
		name     string
		capacity int64
		maxBytes int64
	}{
		{"bound", 1 << 40, 8 << 20},
		{"disk", 8 << 20, 0},
	} {
		for _, policy := range []SyncPolicy{SyncNever, SyncInterval, SyncAlways} {
			t.Run(tt.name+" "+string(policy), func(t *testing.T) {
				d := newSimDisk(1)
				d.capacity = tt.capacity
				o := Options{MaxBytes: tt.maxBytes, Sync: policy}
				s := openOn(t, d, "/s", o)
				queue, err := s.Log("queue")
				require.NoError(t, err)
				positions, err := s.Log("positions")
				require.NoError(t, err)
				write, read := 0, 0
				fill := func() {
					for {
						err := queue.Apply(Op{Kind: Set, Key: strconv.Itoa(write), Value: make([]byte, 5000), Bulk: true})
						if err != nil {
							require.ErrorIs(t, err, ErrFull)
							return
						}
						write++
					}
				}
				fill()
				require.Greater(t, write, 800)
				require.False(t, s.Stats().FullSince.IsZero())
				if tt.maxBytes == 0 {
					d.capacity = d.used() // somebody else takes the rest
				}
				for i := range 2000 { // others can still write, as often as they like
					require.NoError(t, positions.Apply(set("position", fmt.Sprint(i, strings.Repeat("p", 200)))))
					if i%100 == 0 {
						require.NoError(t, s.Sync())
					}
				}
				require.NoError(t, s.Close())
				s = openOn(t, d, "/s", o) // a restart on the full disk
				queue, err = s.Log("queue")
				require.NoError(t, err)
				require.Equal(t, write, queue.Len())
				positions, err = s.Log("positions")
				require.NoError(t, err)
				require.Contains(t, get(t, positions, "position"), "1999")
				require.NoError(t, positions.Apply(set("position", "2000")))
				if tt.maxBytes == 0 {
					d.capacity = tt.capacity
				}
				for ; read < write/2; read++ {
					v, err := queue.Get(strconv.Itoa(read))
					require.NoError(t, err)
					require.Len(t, v, 5000)
					require.NoError(t, queue.Apply(Op{Kind: Delete, Key: strconv.Itoa(read)}))
				}
				before := write
				fill()
				require.Greater(t, write-before, 100, "space that was given back is used again")
				require.Equal(t, write-read, queue.Len())
				for ; read < write; read++ {
					require.NoError(t, queue.Apply(Op{Kind: Delete, Key: strconv.Itoa(read)}))
				}
				for range 3 {
					require.NoError(t, s.Sync())
				}
				require.Less(t, s.Stats().Bytes, int64(3<<20))
				require.NoError(t, s.Close())
			})
		}
	}
}

// One value that stays for ever does not hold the space of everything behind it.
func TestStragglersAreMoved(t *testing.T) {
	d := newSimDisk(1)
	d.capacity = 16 << 20
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("queue")
	require.NoError(t, err)
	require.NoError(t, l.Apply(set("stays", "here")))
	for i := range 4000 {
		require.NoError(t, l.Apply(Op{Kind: Set, Key: strconv.Itoa(i), Value: make([]byte, 5000), Bulk: true}))
		require.NoError(t, l.Apply(Op{Kind: Delete, Key: strconv.Itoa(i)}))
		if i%50 == 0 {
			require.NoError(t, s.Sync())
		}
	}
	for i := range l.segments {
		l.segments[i].changed = time.Time{} // as if it had rested
	}
	for range 5 {
		require.NoError(t, s.Sync())
	}
	require.Equal(t, "here", get(t, l, "stays"))
	require.NotZero(t, s.Stats().MovedBytes)
	require.NoError(t, s.Close())
	s = openOn(t, d, "/s", Options{})
	l, err = s.Log("queue")
	require.NoError(t, err)
	require.Equal(t, 1, l.Len())
	require.Equal(t, "here", get(t, l, "stays"))
	require.NoError(t, s.Close())
}

func TestUnreadableSector(t *testing.T) {
	d := newSimDisk(1)
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("c")
	require.NoError(t, err)
	for i := range 10 {
		require.NoError(t, l.Apply(set(strconv.Itoa(i), strings.Repeat(strconv.Itoa(i), 6000))))
	}
	require.NoError(t, s.Close())
	bad := int64(20480)
	d.readFail = func(name string, off int64) bool {
		return strings.HasPrefix(filepath.Base(name), "spare") && off == bad
	}
	var lost losses
	s = openOn(t, d, "/s", Options{OnLoss: lost.add})
	l, err = s.Log("c")
	require.NoError(t, err)
	missing := 0
	for i := range 10 {
		v, err := l.Get(strconv.Itoa(i))
		if err != nil || v == nil {
			missing++
			continue
		}
		require.Equal(t, strings.Repeat(strconv.Itoa(i), 6000), string(v))
	}
	require.LessOrEqual(t, missing, 1)
	require.NoError(t, s.Close())
}

func TestReadErrorIsNotALoss(t *testing.T) {
	d := newSimDisk(1)
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("c")
	require.NoError(t, err)
	require.NoError(t, l.Apply(set("a", "1")))
	d.readFail = func(string, int64) bool { return true }
	_, err = l.Get("a")
	require.ErrorIs(t, err, errIO)
	require.False(t, errors.Is(err, ErrLost))
	d.readFail = nil
	require.Equal(t, "1", get(t, l, "a"))
	l.GiveUp("a", errIO)
	require.Empty(t, get(t, l, "a"))
	require.EqualValues(t, 1, s.Stats().Lost)
	require.NoError(t, s.Close())
}
