// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"golang.org/x/sys/unix"

	"github.com/logseal/logseal/processor/floodguardprocessor/internal/metadata"
)

type discard struct{}

func (discard) Capabilities() consumer.Capabilities          { return consumer.Capabilities{} }
func (discard) ConsumeLogs(context.Context, plog.Logs) error { return nil }

const line = `10.0.17.203 - user42 [28/Nov/2026:10:11:12 +0000] "GET /api/v1/orders/8731 HTTP/1.1" 200 5123 "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`

// batch makes 100 records of a file, as file_log makes them.
func batch() plog.Logs {
	ld := fromFile("/var/log/app/access.log", 100)
	for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		lr.Body().SetStr(line)
	}
	return ld
}

func started(b *testing.B, cfg *Config) *floodGuard {
	f, err := newFloodGuard(cfg, processortest.NewNopSettings(metadata.Type), discard{})
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Start(b.Context(), componenttest.NewNopHost()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Shutdown(context.Background()) })
	return f
}

// processorTime is what this goroutine's thread has computed, which a neighbour's load disturbs less than the clock. Lock the goroutine to it.
func processorTime(b *testing.B) time.Duration {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		b.Fatal(err)
	}
	return time.Duration(at.Nano())
}

// clockCost is the least that two looks at that clock differ by: what looking takes itself.
func clockCost(b *testing.B) time.Duration {
	least := time.Hour
	for range 1000 {
		before := processorTime(b)
		least = min(least, processorTime(b)-before)
	}
	return least
}

// What the processor costs a record of an access log when nothing is shed, with 1,000 active keys: in batches of one file
// each, as file_log makes them, and in the worst that can come, where no two records that follow each other have one key.
// As in a receiver, the records were made just before; only the processor's own time counts.
func BenchmarkKeep(b *testing.B) {
	paths := make([]string, 1000)
	for i := range paths {
		paths[i] = fmt.Sprintf("/var/log/pods/shop_web-%d_5f0c3a4e-8d1b-4c55-9f7e-2a6d1f0b7c11/web/0.log", i)
	}
	for _, run := range []int{100, 1} {
		b.Run(fmt.Sprintf("records of a key in a row=%d", run), func(b *testing.B) {
			cfg := createDefaultConfig().(*Config)
			cfg.Rate, cfg.Total = RateConfig{Records: 1e9, BytesMiB: 1e6, Burst: time.Minute}, RateConfig{Records: 1e9, Burst: time.Minute}
			f, ld := started(b, cfg), batch()
			records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			// 100,000 records a second in all, of a clock that a loaded machine does not slow down.
			var sent, took, clock time.Duration
			f.now = func() time.Duration { return sent * 10 * time.Microsecond }
			turns := func(n int) {
				for i := 0; i < n; i += 100 {
					for j, lr := range records.All() {
						lr.Attributes().PutStr("log.file.path", paths[(i+j)/run%len(paths)])
					}
					before := processorTime(b)
					if err := f.ConsumeLogs(b.Context(), ld); err != nil {
						b.Fatal(err)
					}
					took += processorTime(b) - before - clock
					sent += 100
				}
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			clock = clockCost(b)
			turns(len(paths) * run) // every source has a state
			took = 0
			b.ReportAllocs()
			b.ResetTimer()
			turns(b.N)
			b.ReportMetric(float64(took)/float64(b.N), "cpu-ns/record")
			if f.guard.Stats().Shed.Records > 0 {
				b.Fatal("shed")
			}
		})
	}
}

// How fast a flood of one file is shed.
func BenchmarkShed(b *testing.B) {
	for name, conditions := range map[string][]string{"severity": nil, "severity and a condition": {`attributes["event.name"] == "auth.failure"`}} {
		b.Run(name, func(b *testing.B) {
			cfg := createDefaultConfig().(*Config)
			cfg.Rate = RateConfig{Records: 10, Burst: time.Second}
			cfg.Reserve.Conditions = conditions
			f, ld := started(b, cfg), batch()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ReportAllocs()
			b.ResetTimer()
			before := processorTime(b)
			for i := 0; i < b.N; i += 100 {
				if err := f.ConsumeLogs(b.Context(), ld); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/(processorTime(b)-before).Seconds(), "records/cpu-s")
		})
	}
}
