// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// accessLogs returns n records like those of a web server.
func accessLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	rl.Resource().Attributes().PutStr("service.name", "nginx")
	sl := rl.ScopeLogs().AppendEmpty()
	for i := range n {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(1795410000000000000)
		lr.SetObservedTimestamp(1795410000100000000)
		lr.Body().SetStr(fmt.Sprintf(`10.0.%d.%d - - [28/Nov/2026:09:00:00 +0000] "GET /shop/item/%d HTTP/1.1" 200 5123 "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64)"`, i/256%256, i%256, i))
		lr.Attributes().PutStr("log.file.name", "access.log")
		lr.Attributes().PutStr("log.file.path", "/var/log/nginx/access.log")
	}
	return ld
}

// BenchmarkObserve is the cost of a record, its part of a seal's included.
func BenchmarkObserve(b *testing.B) {
	const batch = 1000
	h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(1, 2)))
	require.NoError(b, err)
	require.NoError(b, h.Start(b.Context()))
	w, err := watch.New(watch.Config{Trust: []seal.Trust{h.Trust}})
	require.NoError(b, err)
	now := begin
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += batch {
		b.StopTimer()
		ld := accessLogs(batch)
		stamped, err := h.Sealer().Stamp(b.Context(), ld)
		require.NoError(b, err)
		stamped.Settle(true)
		list := h.Received
		h.Received = nil
		require.NoError(b, h.Seal(b.Context()))
		list = append(list, ld)
		list = append(list, h.Received...)
		h.Received = nil
		b.StartTimer()
		for _, ld := range list {
			w.Observe(ld, watch.Peer{}, now)
		}
		now = now.Add(time.Second)
	}
	b.StopTimer()
	require.Equal(b, w.Stats().Records, w.Stats().Verified)
}

// BenchmarkMillionPending is the memory of a million records that wait for their seal.
func BenchmarkMillionPending(b *testing.B) {
	h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(1, 2)))
	require.NoError(b, err)
	require.NoError(b, h.Start(b.Context()))
	require.NoError(b, h.Stamp(b.Context(), 1))
	h.Land(0, sealtest.Taken)
	handle := idOf(h.Received[len(h.Received)-1])[:seal.HandleSize]
	var size uint64
	for b.Loop() {
		before := heap()
		w, err := watch.New(watch.Config{Trust: []seal.Trust{h.Trust}})
		require.NoError(b, err)
		for _, ld := range h.Received {
			w.Observe(ld, watch.Peer{}, begin)
		}
		seq := 0
		for range 999 {
			w.Observe(idRecords(1000, func() string { seq++; return fmt.Sprintf("%s-%d", handle, seq) }), watch.Peer{}, begin)
		}
		require.GreaterOrEqual(b, w.Stats().Pending, 999_000)
		size = heap() - before
		runtime.KeepAlive(w)
	}
	b.ReportMetric(float64(size)/1e6, "MB")
}

// BenchmarkIdleStreams is the memory of ten thousand streams that have been seen, and the time of a Tick over them.
func BenchmarkIdleStreams(b *testing.B) {
	const streams = 10_000
	lists := make([]records, streams)
	trust := make([]seal.Trust, streams)
	for i := range streams {
		h, err := sealtest.NewHost(fmt.Sprintf("host-%d", i), rand.New(rand.NewPCG(1, 2)))
		require.NoError(b, err)
		require.NoError(b, h.Start(b.Context()))
		require.NoError(b, h.Stamp(b.Context(), 3))
		h.Land(0, sealtest.Taken)
		require.NoError(b, h.Seal(b.Context()))
		trust[i], lists[i] = h.Trust, h.Received
	}
	before := heap()
	w, err := watch.New(watch.Config{Trust: trust})
	require.NoError(b, err)
	for _, list := range lists {
		for _, ld := range list {
			w.Observe(ld, watch.Peer{}, begin)
		}
	}
	require.Equal(b, w.Stats().Records, w.Stats().Verified)
	size := heap() - before
	now := begin
	for b.Loop() {
		now = now.Add(time.Second)
		w.Tick(now)
	}
	b.ReportMetric(float64(size)/1e6, "MB")
	runtime.KeepAlive(lists)
}
