// SPDX-License-Identifier: Apache-2.0

package sha256x2

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// sums returns the digests of messages by this package and by the standard library.
func sums(messages [][]byte) (got, want [][sha256.Size]byte) {
	var b Batch
	for _, m := range messages {
		b.Add(append(b.Buffer(), m...))
		want = append(want, sha256.Sum256(m))
	}
	got = make([][sha256.Size]byte, len(messages))
	Sum(&b, got)
	return got, want
}

func random(rng *rand.Rand, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// Every length up to some blocks, alone and beside every other, which is where padding and lanes meet.
func TestEveryLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 3*BlockSize + 2 {
		one := random(rng, n)
		got, want := sums([][]byte{one})
		require.Equal(t, want, got, "%d bytes", n)
		for other := range 3*BlockSize + 2 {
			got, want := sums([][]byte{one, random(rng, other)})
			require.Equal(t, want, got, "%d and %d bytes", n, other)
		}
		for count := range 6 {
			padded := make([]byte, count*PaddedSize(n))
			want := make([][sha256.Size]byte, count)
			for i := range count {
				m := padded[i*PaddedSize(n):][:PaddedSize(n)]
				copy(m, random(rng, n))
				want[i] = sha256.Sum256(m[:n])
				Pad(m, n)
			}
			got := make([][sha256.Size]byte, count)
			SumEqual(got, padded, n)
			require.Equal(t, want, got, "%d of %d bytes", count, n)
		}
	}
}

// Many messages, of lengths that let now one lane and now the other go ahead; a batch is used again.
func TestManyMessages(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var b Batch
	for range 300 {
		var want [][sha256.Size]byte
		for range rng.IntN(40) {
			m := random(rng, rng.IntN(1<<rng.IntN(13)))
			b.Add(append(b.Buffer(), m...))
			require.Equal(t, m, append([]byte{}, b.Message(b.Len()-1)...))
			want = append(want, sha256.Sum256(m))
		}
		got := make([][sha256.Size]byte, b.Len())
		Sum(&b, got)
		require.Equal(t, len(want), len(got))
		for i := range want {
			require.Equal(t, want[i], got[i])
		}
		require.Zero(t, b.Len())
		require.Zero(t, b.Size())
	}
}

// FIPS 180-4's own example of a million bytes.
func TestLongMessage(t *testing.T) {
	m := make([]byte, 1_000_000)
	for i := range m {
		m[i] = 'a'
	}
	got, _ := sums([][]byte{m, []byte("abc")})
	require.Equal(t, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", fmt.Sprintf("%x", got[0]))
	require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", fmt.Sprintf("%x", got[1]))
}

func FuzzSum(f *testing.F) {
	f.Add([]byte("abc"), []byte(""), []byte("a record"))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		got, want := sums([][]byte{a, b, c})
		require.Equal(t, want, got)
	})
}

// BenchmarkRecords is sixteen records of an access log, as they are encoded: here, and by the standard library.
func BenchmarkRecords(b *testing.B) {
	const size, n = 375, 16
	m := random(rand.New(rand.NewPCG(1, 1)), size)
	dst := make([][sha256.Size]byte, n)
	b.Run("two at a time", func(b *testing.B) {
		var batch Batch
		b.ReportAllocs()
		for b.Loop() {
			for range n {
				batch.Add(append(batch.Buffer(), m...))
			}
			Sum(&batch, dst)
		}
	})
	b.Run("crypto", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range n {
				dst[i] = sha256.Sum256(m)
			}
		}
	})
}

// BenchmarkNodes is eight nodes of a tree.
func BenchmarkNodes(b *testing.B) {
	const size, n = 65, 8
	padded := make([]byte, n*PaddedSize(size))
	for i := range n {
		Pad(padded[i*PaddedSize(size):][:PaddedSize(size)], size)
	}
	dst := make([][sha256.Size]byte, n)
	b.Run("two at a time", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			SumEqual(dst, padded, size)
		}
	})
	b.Run("crypto", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range n {
				dst[i] = sha256.Sum256(padded[i*PaddedSize(size):][:size])
			}
		}
	})
}
