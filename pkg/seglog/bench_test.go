// SPDX-License-Identifier: Apache-2.0

//go:build unix

package seglog

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// BenchmarkQueue is what a queue does with a request of 100 records (28 kB): stores it, reads it, deletes it. The backlog
// is what waits meanwhile: with one, requests are read from the disk.
func BenchmarkQueue(b *testing.B) {
	for _, backlog := range []int{0, 2000} {
		b.Run("backlog "+strconv.Itoa(backlog), func(b *testing.B) {
			s := openOn(b, system{}, b.TempDir(), Options{Interval: time.Second})
			l, err := s.Log("queue")
			require.NoError(b, err)
			value := make([]byte, 28_000)
			for i := range value {
				value[i] = byte(rand.Uint32())
			}
			for i := range backlog {
				require.NoError(b, l.Apply(Op{Kind: Set, Key: strconv.Itoa(i), Value: value, Bulk: true}))
			}
			b.SetBytes(int64(len(value)))
			b.ReportAllocs()
			before := cpu()
			for i := 0; b.Loop(); i++ {
				if err := l.Apply(Op{Kind: Set, Key: strconv.Itoa(i + backlog), Value: value, Bulk: true}); err != nil {
					b.Fatal(err)
				}
				if v, err := l.Get(strconv.Itoa(i)); err != nil || len(v) != len(value) {
					b.Fatal(err, len(v))
				}
				if err := l.Apply(Op{Kind: Delete, Key: strconv.Itoa(i)}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N)/100, "cpu-ns/record")
			require.NoError(b, s.Close())
		})
	}
}

// cpu is the processor time of this process, which the disk's speed does not change.
func cpu() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkOpen is a start with a backlog: it reads an index a segment, and the segment that was written last.
func BenchmarkOpen(b *testing.B) {
	for _, mib := range []int{16, 1024} {
		b.Run(strconv.Itoa(mib)+" MiB", func(b *testing.B) {
			dir := b.TempDir()
			s := openOn(b, system{}, dir, Options{})
			l, err := s.Log("queue")
			require.NoError(b, err)
			value := make([]byte, 256<<10)
			for i := range mib * 4 {
				require.NoError(b, l.Apply(Op{Kind: Set, Key: strconv.Itoa(i), Value: value, Bulk: true}))
			}
			require.NoError(b, s.Sync())
			require.NoError(b, s.Close())
			for b.Loop() {
				s := openOn(b, system{}, dir, Options{})
				l, err := s.Log("queue")
				require.NoError(b, err)
				require.Equal(b, mib*4, l.Len())
				b.StopTimer()
				require.NoError(b, s.Close())
				b.StartTimer()
			}
		})
	}
}
