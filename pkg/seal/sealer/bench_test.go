// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sealer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"golang.org/x/sys/unix"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

// BenchmarkDigest is the cost of one record up to its leaf hash.
func BenchmarkDigest(b *testing.B) {
	ld := samples.AccessLogs(1000)
	var h canonical.Hasher
	leaves := make([]seal.Hash, 1000)
	b.ReportAllocs()
	before := cpuTime(b)
	for n := 0; n < b.N; n += 1000 {
		require.NoError(b, h.Leaves(ld, &seal.Policy{}, leaves))
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkDigestAndTree adds a record's share of the block: groups, root, prefixes.
func BenchmarkDigestAndTree(b *testing.B) {
	ld := samples.AccessLogs(seal.MaxBlock)
	var h canonical.Hasher
	leaves := make([]seal.Hash, seal.MaxBlock)
	groups := make([]seal.Hash, 0, seal.MaxBlock/seal.GroupSize)
	b.ReportAllocs()
	before := cpuTime(b)
	for n := 0; n < b.N; n += seal.MaxBlock {
		require.NoError(b, h.Leaves(ld, &seal.Policy{}, leaves))
		groups = seal.AppendGroups(groups[:0], leaves, seal.GroupSize)
		seal.Root(groups)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkSeal is the cost of a seal of 1,000 records, both fsyncs included. Every 64th is an anchor: run it for a multiple of 64.
func BenchmarkSeal(b *testing.B) {
	for _, keys := range []string{"ed25519", "post-quantum"} {
		b.Run(keys, func(b *testing.B) {
			s := benchStream(b, NewStream{Name: "bench", PostQuantum: keys == "post-quantum"})
			ld := samples.AccessLogs(1000)
			b.ReportAllocs()
			before := cpuTime(b)
			for range b.N {
				batch, err := s.Stamp(b.Context(), ld)
				require.NoError(b, err)
				batch.Settle(true)
				sealNow(b, s)
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(1000*b.N), "cpu-ns/record")
		})
	}
}

// sealNow makes the seals over what is settled, due or not.
func sealNow(b *testing.B, s *Sealer) {
	s.sealing.Lock()
	defer s.sealing.Unlock()
	s.round = s.take()
	require.NoError(b, s.finish(b.Context()))
	s.unsent = nil
}

func benchSealer(b *testing.B) *Sealer { return benchStream(b, NewStream{Name: "bench"}) }

func benchStream(b *testing.B, stream NewStream) *Sealer {
	path := filepath.Join(b.TempDir(), "key")
	_, err := CreateKeyFile(path, stream)
	require.NoError(b, err)
	keys, err := OpenKeyFile(path)
	require.NoError(b, err)
	s, err := Open(b.Context(), Config{Keys: keys, Store: newMemStore(), MaxUnsealed: 1 << 22})
	require.NoError(b, err)
	require.NoError(b, s.Seal(b.Context(), func(context.Context, plog.Logs) error { return nil }))
	b.Cleanup(func() {
		require.NoError(b, s.Close(context.Background(), func(context.Context, plog.Logs) error { return nil }))
	})
	return s
}

// BenchmarkStream is a whole stream under load: several sources stamp batches at
// once, everything is sealed as in production. It reports records a second.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := benchSealer(b)
			discard := func(context.Context, plog.Logs) error { return nil }
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for {
					t := time.NewTimer(s.Due())
					select {
					case <-stop:
						return
					case <-t.C:
						if err := s.Seal(context.Background(), discard); err != nil {
							b.Error(err)
						}
					case <-s.Ready():
					}
				}
			}()
			// What is stamped was in the processor's caches a moment ago, as what a receiver has just made.
			arrived := make([][]plog.Logs, runtime.GOMAXPROCS(0))
			for g := range arrived {
				for range 1000 / size {
					arrived[g] = append(arrived[g], samples.AccessLogs(size))
				}
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			b.ReportAllocs()
			before := cpuTime(b)
			b.ResetTimer()
			for g := range arrived {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for i := 0; left.Add(int64(-size)) > int64(-size); i++ {
						batch, err := s.Stamp(context.Background(), arrived[g][i%len(arrived[g])])
						if err != nil {
							b.Error(err)
							return
						}
						batch.Settle(true)
					}
				}()
			}
			wg.Wait()
			close(stop)
			<-done
			sealNow(b, s) // what is left
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime returns what this process has used of all processors, which other
// processes on the machine change less than they change the time that passes.
func cpuTime(b *testing.B) time.Duration {
	var usage unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkCarry is what it costs to put originals beside the records of a batch of 1,000, and how long these are in OTLP protobuf without and with them,
// plain and with gzip.
func BenchmarkCarry(b *testing.B) {
	size := func(ld plog.Logs) (plain, packed float64) {
		data, err := new(plog.ProtoMarshaler).MarshalLogs(ld)
		require.NoError(b, err)
		var out bytes.Buffer
		w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
		require.NoError(b, err)
		_, err = w.Write(data)
		require.NoError(b, errors.Join(err, w.Close()))
		return float64(len(data)) / 1000, float64(out.Len()) / 1000
	}
	s := benchSealer(b)
	ld := samples.AccessLogs(1000)
	s.putIDs(ld, 0)
	plain, packed := size(ld)
	b.ReportMetric(plain, "B/record")
	b.ReportMetric(packed, "gzip-B/record")
	b.ReportAllocs()
	before := cpuTime(b)
	for n := 0; n < b.N; n += 1000 {
		takeOffOriginals(ld)
		carry(ld)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
	plain, packed = size(ld)
	b.ReportMetric(plain, "carried-B/record")
	b.ReportMetric(packed, "carried-gzip-B/record")
}
