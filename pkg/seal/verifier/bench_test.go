// SPDX-License-Identifier: Apache-2.0

//go:build unix

package verifier_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// accessLogs is an archive of access-log records as a file exporter writes it: requests of 100 records a line, a seal for every 1,000. It is
// made piece by piece while it is read, so that it takes no memory itself.
type accessLogs struct {
	t       testing.TB
	records int // to come
	host    *sealtest.Host
	buf     []byte
	rest    []byte
	since   int
	done    bool
	proto   bool
}

func newAccessLogs(t testing.TB, records int) *accessLogs {
	h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, err)
	require.NoError(t, h.Start(t.Context()))
	return &accessLogs{t: t, records: records, host: h}
}

func (a *accessLogs) Read(b []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.done {
			return 0, io.EOF
		}
		a.more()
		a.rest = a.buf
	}
	n := copy(b, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

func (a *accessLogs) more() {
	a.buf = a.buf[:0]
	ctx := a.t.Context()
	if a.records == 0 {
		require.NoError(a.t, a.host.Seal(ctx))
		require.NoError(a.t, a.host.Stop(ctx))
		a.done = true
	} else {
		n := min(a.records, 100)
		a.records -= n
		ld := accessLog(n, a.records)
		batch, err := a.host.Sealer().Stamp(ctx, ld)
		require.NoError(a.t, err)
		batch.Settle(true)
		a.line(ld)
		if a.since += n; a.since >= 1000 {
			a.since = 0
			require.NoError(a.t, a.host.Seal(ctx))
		}
	}
	for _, ld := range a.host.Received {
		a.line(ld)
	}
	a.host.Received = nil
}

func (a *accessLogs) line(ld plog.Logs) {
	if a.proto {
		data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(a.t, err)
		a.buf = append(a.buf, byte(len(data)>>24), byte(len(data)>>16), byte(len(data)>>8), byte(len(data)))
		a.buf = append(a.buf, data...)
		return
	}
	data, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(a.t, err)
	a.buf = append(append(a.buf, data...), '\n')
}

// accessLog returns n records of 157 bytes of text and the attributes that file_log adds.
func accessLog(n, serial int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "web")
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetObservedTimestamp(1795412345123456789 + pcommon.Timestamp(serial*100+i))
		lr.Body().SetStr(fmt.Sprintf(`203.0.113.%03d - - [23/Nov/2026:05:22:20 +0000] "GET /shop/item/%09d?ref=mail HTTP/1.1" 200 5316 "https://example.com/shop" "Mozilla/5.0 (X11; Linux x86_64)"`, i%256, serial+i))
		lr.Attributes().PutStr("log.file.name", "access.log")
	}
	return ld
}

// BenchmarkVerifyJSONLines is the whole of "logseal verify": reading, strict decoding, digests, trees and signatures. Run it with -cpu 1
// for the figure of one core; both times are those of one record, and cpu-ns/record is what counts on a
// machine that is not idle.
func BenchmarkVerifyJSONLines(b *testing.B) { benchmarkVerify(b, false) }

// BenchmarkVerifyProtobuf is the same for length-prefixed protobuf messages.
func BenchmarkVerifyProtobuf(b *testing.B) { benchmarkVerify(b, true) }

func benchmarkVerify(b *testing.B, proto bool) {
	a := newAccessLogs(b, max(b.N, 1000))
	a.proto = proto
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

// TestMemoryIsFlat verifies two million records in order, and looks at the memory in between: it depends on what is out of order and not on how
// long the archive is.
func TestMemoryIsFlat(t *testing.T) {
	records := 2_000_000
	if testing.Short() {
		records = 400_000
	}
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
	// Frames that are being decoded come and go; the leaves alone of what was read in between would be 50 MB.
	require.Less(t, most, early+8<<20)
	require.Less(t, most, uint64(64<<20))
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
