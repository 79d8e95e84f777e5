// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

func TestKeyFileOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stream.key")
	trust, err := CreateKeyFile(path, NewStream{Name: "web-17"})
	require.NoError(t, err)
	_, err = CreateKeyFile(path, NewStream{Name: "web-17"})
	require.ErrorIs(t, err, fs.ErrExist)
	dangling := path + ".link"
	require.NoError(t, os.Symlink(path+".none", dangling))
	_, err = CreateKeyFile(dangling, NewStream{Name: "web-17"})
	require.ErrorIs(t, err, fs.ErrExist)

	keys, err := OpenKeyFile(path)
	require.NoError(t, err)
	require.Equal(t, trust, keys.Trust())
	_, err = OpenKeyFile(path)
	require.ErrorContains(t, err, "another stamp uses it")
	require.ErrorContains(t, err, path)
	require.NoError(t, keys.Close())
	keys, err = OpenKeyFile(path)
	require.NoError(t, err, "the lock goes with the file")
	require.NoError(t, keys.Close())

	_, err = OpenKeyFile(filepath.Dir(path))
	require.Error(t, err)
	_, err = OpenKeyFile(path + ".none")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestKeyFileOthersCanUse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	path := filepath.Join(t.TempDir(), "stream.key")
	_, err := CreateKeyFile(path, NewStream{Name: "web-17"})
	require.NoError(t, err)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := OpenKeyFile(path)
		require.ErrorContains(t, err, "chmod 600", "%o", mode)
		require.ErrorContains(t, err, path)
	}
}

// TestKeyFileTorn: whatever a torn write leaves in one slot, the other one counts.
func TestKeyFileTorn(t *testing.T) {
	var f memFile
	require.NoError(t, initKeyFile(&f, NewStream{Name: "web-17"}, rand.Reader))
	k, err := LoadKeyFile(&f)
	require.NoError(t, err)
	first := k.slots[0]
	require.Zero(t, first.Number)
	require.Nil(t, k.slots[1])
	heartbeat := samples.Seals()["heartbeat"]
	_, second, err := first.Next(&heartbeat, rand.Reader)
	require.NoError(t, err)
	require.NoError(t, k.write(1, second))
	whole := slices.Clone(f.data)
	require.Len(t, whole, 3*pageSize)

	for cut := 0; cut < pageSize; cut += 97 {
		f.data = slices.Clone(whole)
		clear(f.data[2*pageSize+cut:])
		k, err = LoadKeyFile(&f)
		require.NoError(t, err)
		require.Equal(t, first, k.slots[0])
		require.Nil(t, k.slots[1], "cut at %d", cut)
	}
	f.data = slices.Clone(whole)
	k, err = LoadKeyFile(&f)
	require.NoError(t, err)
	require.EqualValues(t, 1, k.slots[1].Number)
	require.Equal(t, second.Key, k.slots[1].Key)
	require.Equal(t, second.Anchors, k.slots[1].Anchors)
	require.Equal(t, second.Prev, k.slots[1].Prev)

	// The slot of the key that was used is overwritten, in the file itself.
	secret := first.Key.Seed
	require.True(t, bytes.Contains(f.data, secret[:]))
	require.NoError(t, k.erase(0))
	require.False(t, bytes.Contains(f.data, secret[:]))

	require.NoError(t, k.erase(1))
	_, err = LoadKeyFile(&f)
	require.ErrorIs(t, err, errDamaged)
	for name, data := range map[string][]byte{
		"empty":           nil,
		"another file":    bytes.Repeat([]byte("x"), 3*pageSize),
		"a flipped bit":   flip(whole, 5),
		"of a later kind": flip(whole, len(keyFileTag)-2),
		"short":           whole[:100],
	} {
		_, err = LoadKeyFile(&memFile{data: data})
		require.Error(t, err, name)
	}
}

func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1
	return b
}

// TestKeyFileKeepsItsSize: it never grows, so that nothing is left in freed blocks.
func TestKeyFileKeepsItsSize(t *testing.T) {
	ts := newTestStream(t).start()
	for range 200 {
		ts.send(3, true)
		require.NoError(t, ts.tick())
		require.Len(t, ts.file.data, 3*pageSize)
	}
	ts.stop()
}

// TestEndorsement: the first seal carries it, whether it came with the key file or before the first start, and no other seal does.
func TestEndorsement(t *testing.T) {
	endorsement := &seal.Endorsement{Signature: []byte{1, 2}, Certificates: [][]byte{[]byte("a leaf"), bytes.Repeat([]byte("c"), 5000)}}
	endorse := func(seal.Trust) (*seal.Endorsement, error) { return endorsement, nil }
	for name, prepare := range map[string]func(ts *testStream){
		"with the key file": func(ts *testStream) {
			require.NoError(t, initKeyFile(ts.file, NewStream{Name: "web-17", Endorse: endorse}, rand.Reader))
		},
		"before the first start": func(ts *testStream) {
			require.NoError(t, initKeyFile(ts.file, NewStream{Name: "web-17"}, rand.Reader))
			k, err := LoadKeyFile(ts.file)
			require.NoError(t, err)
			require.False(t, k.Endorsed())
			require.NoError(t, k.Endorse(endorsement))
			require.True(t, k.Endorsed())
		},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newTestStream(t)
			prepare(ts)
			ts.start()
			ts.send(3, true)
			ts.stop()
			ts.start().stop()
			for _, n := range ts.notes {
				if n.Seal.Number == 0 {
					require.Equal(t, endorsement, n.Seal.Endorsement)
				} else {
					require.Nil(t, n.Seal.Endorsement)
				}
			}
			k, err := LoadKeyFile(ts.file)
			require.NoError(t, err)
			require.True(t, k.Begun())
			require.True(t, k.Endorsed())
		})
	}
	ts := newTestStream(t).start()
	ts.stop()
	k, err := LoadKeyFile(ts.file)
	require.NoError(t, err)
	require.ErrorIs(t, k.Endorse(endorsement), ErrBegun)

	failed := errors.New("no such certificate")
	require.ErrorIs(t, initKeyFile(&memFile{}, NewStream{Name: "web-17", Endorse: func(seal.Trust) (*seal.Endorsement, error) { return nil, failed }}, rand.Reader), failed)
	require.Error(t, initKeyFile(&memFile{}, NewStream{Name: "web-17", Endorse: func(seal.Trust) (*seal.Endorsement, error) { return &seal.Endorsement{}, nil }}, rand.Reader))
}

// TestEndorsementTorn: one that was not written whole is none, and what is behind the pages is never taken for one.
func TestEndorsementTorn(t *testing.T) {
	var f memFile
	endorsement := &seal.Endorsement{Signature: []byte{1, 2}, Certificates: [][]byte{[]byte("a leaf"), []byte("a CA")}}
	require.NoError(t, initKeyFile(&f, NewStream{Name: "web-17", Endorse: func(seal.Trust) (*seal.Endorsement, error) { return endorsement, nil }}, rand.Reader))
	whole := slices.Clone(f.data)
	for n := len(whole) - 1; n >= 3*pageSize; n-- {
		k, err := LoadKeyFile(&memFile{data: whole[:n]})
		require.NoError(t, err)
		require.False(t, k.Endorsed())
		k, err = LoadKeyFile(&memFile{data: flip(whole, n)})
		require.NoError(t, err)
		require.False(t, k.Endorsed(), n)
	}
}

// TestKeyFileWithoutMLDSA: a key file from before streams had ML-DSA-44 keys goes on as it was, and its trust line stays what it was.
func TestKeyFileWithoutMLDSA(t *testing.T) {
	const (
		header = "bG9nc2VhbCBrZXkgZmlsZSAxCm/qUjQt3T70oGcs5uOpu3twl9/ldBw3u1l3BQ48WTQ0BndlYi0xNw=="
		slot   = "AQAAAAAAAAACo4z+v/aejtV+1MM4mHnNo7nL/ZnTDIgIaTPbvaVsC6I4smBiAvvGylAX1EqpAVF8A1AFItdXDXikXUGErRpqjwQAAAAAAAAAQC4en3jrZOi5yxP/A0YESczgkhIeJtfgQz8FNYb+WM" +
			"jGAAAAAAAAAIB7E9F1BekxluhU1oxBZHHUFZGm+nyxXU20GxkSjTAdMAAAAAAAABAAGk4ISjmJgnwMLgw/aTYRVWGhiymygBB5IsROfcpnPvsAAAAAAAQAAAqImF5of4cNKWWyyf0HzNikbH5Ok/La" +
			"P9BVJaUyAnKnAAAAAAAAAAHtd3m+3P8hAa4uoChp27C9ERvK/s19UjgarWK0bybbrQ=="
		trust = "web-17+14ab1b1d+AW/qUjQt3T70oGcs5uOpu3twl9/ldBw3u1l3BQ48WTQ0"
	)
	var f memFile
	for _, content := range []string{header, slot, ""} {
		page, err := base64.StdEncoding.DecodeString(content)
		require.NoError(t, err)
		page = append(page, make([]byte, pageSize-seal.HashSize-len(page))...)
		sum := sha256.Sum256(page)
		f.data = append(append(f.data, page...), sum[:]...)
	}
	clear(f.data[2*pageSize:])
	k, err := LoadKeyFile(&f)
	require.NoError(t, err)
	require.Equal(t, trust, k.Trust().String())
	c := k.slots[0]
	require.EqualValues(t, 2, c.Number)
	require.False(t, c.PostQuantum)
	require.Equal(t, "38b2606202fbc6ca5017d44aa901517c03500522d7570d78a45d4184ad1a6a8f", hex.EncodeToString(c.Prev[:]))

	next := samples.Seals()["heartbeat"]
	next.StreamID = k.Trust().StreamID()
	text, _, err := c.Next(&next, rand.Reader)
	require.NoError(t, err)
	key := c.Key.Public
	note, err := seal.ParseNote(string(c.Sign(text, next.Origin())))
	require.NoError(t, err)
	require.True(t, note.Follows(c.Prev, &key, nil))
	require.False(t, note.Seal.PostQuantum())
}
