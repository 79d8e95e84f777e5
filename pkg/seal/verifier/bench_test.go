// SPDX-License-Identifier: Apache-2.0

//go:build unix

package verifier_test

import (
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// BenchmarkVerifyJSONLines is the whole of "logseal verify": reading, strict decoding, digests, trees and signatures. Run it with -cpu 1
// for the figure of one core; both times are those of one record, and cpu-ns/record is what counts on a
// machine that is not idle.
func BenchmarkVerifyJSONLines(b *testing.B) { benchmarkVerify(b, newAccessLogs(b, max(b.N, 1000))) }

// BenchmarkVerifyProtobuf is the same for length-prefixed protobuf messages.
func BenchmarkVerifyProtobuf(b *testing.B) {
	a := newAccessLogs(b, max(b.N, 1000))
	a.proto = true
	benchmarkVerify(b, a)
}

// BenchmarkVerifyClients is that with attributes of the resource that no digest covers: those that a gateway writes.
func BenchmarkVerifyClients(b *testing.B) {
	a := newClientLogs(b, max(b.N, 1000))
	a.proto = true
	benchmarkVerify(b, a)
}

func benchmarkVerify(b *testing.B, a *accessLogs) {
	data, err := io.ReadAll(a)
	require.NoError(b, err)
	b.SetBytes(int64(len(data) / max(b.N, 1000)))
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	v := verifier.New([]seal.Trust{a.host.Trust})
	report, err := archive.Verify(b.Context(), []string{archive.Stdin}, v, time.Time{}, archive.Options{Stdin: &reader{data: data}})
	require.NoError(b, err)
	require.Equal(b, finding.OK, report.Verdict, show(report))
	b.ReportMetric(float64(cpuTime(b)-before)/float64(report.Records), "cpu-ns/record")
}

// cpuTime returns the CPU time of the process so far. Unlike the clock it does not count what others run on the machine.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDecodeJSONLines is the part of it that is not verification: reading and strict decoding to canonical bytes.
func BenchmarkDecodeJSONLines(b *testing.B) {
	data, err := io.ReadAll(newAccessLogs(b, max(b.N, 1000)))
	require.NoError(b, err)
	b.SetBytes(int64(len(data) / max(b.N, 1000)))
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	require.NoError(b, archive.Read(b.Context(), []string{archive.Stdin}, archive.Options{Stdin: &reader{data: data}}, func(*verifier.Observed) error { return nil }))
	b.ReportMetric(float64(cpuTime(b)-before)/float64(max(b.N, 1000)), "cpu-ns/record")
}

type reader struct{ data []byte }

func (r *reader) Read(b []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.data)
	r.data = r.data[n:]
	return n, nil
}

// TestMemoryIsFlat verifies many records in order, and looks at the memory in between: it depends on what is out of order and not on how
// long the archive is.
func TestMemoryIsFlat(t *testing.T) {
	if sampled {
		t.Skip("the race detector's own memory is none of the verifier's")
	}
	const records = 800_000
	a := newAccessLogs(t, records)
	a.proto = true
	v := verifier.New([]seal.Trust{a.host.Trust})
	var early, most uint64
	n := 0
	err := archive.Read(t.Context(), []string{archive.Stdin}, archive.Options{Stdin: a, Prepare: v.Prepare}, func(o *verifier.Observed) error {
		v.Add(o)
		if n++; n%(records/10) == 0 {
			heap := liveHeap()
			if early == 0 && n > 300_000 { // the window of verified leaves is full by then
				early = heap
			}
			most = max(most, heap)
		}
		return nil
	})
	require.NoError(t, err)
	report, err := v.Finish(time.Time{})
	require.NoError(t, err)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, records, report.Verified)
	t.Logf("live heap %d KiB after the first part, at most %d KiB", early>>10, most>>10)
	// Frames that are being decoded come and go; the leaves alone of what was read in between would be 20 MB.
	require.Less(t, most, early+8<<20)
	require.Less(t, most, uint64(64<<20))
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
