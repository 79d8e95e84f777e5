// SPDX-License-Identifier: Apache-2.0

package flood

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

func benchKeys(n int) []Key {
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = Key{"log.file.path", fmt.Sprintf("/var/log/pods/ns_pod-%d_0123456789/app/0.log", i)}
	}
	return keys
}

// run sends batches of 100 records. A receiver's batch is of one source (a file), or of as many as it has records.
func run(b *testing.B, cfg Config, keys []Key, perKey int) *Guard {
	g := New(cfg)
	at := time.Unix(0, 0)
	batchOf := func(i int) {
		batch := g.Begin(time.Duration(i) * time.Microsecond)
		for j := range 100 {
			batch.Admit(keys[(i+j)/perKey%len(keys)], 200, nil)
		}
		batch.Decided()
		batch.Settle(true, at)
	}
	for i := range len(keys) * perKey / 100 * 2 {
		batchOf(i * 100)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += 100 {
		batchOf(i)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	return g
}

var generous = Config{
	Rate: Rate{Records: 1e9, Bytes: 1e12, Burst: time.Minute}, Total: Rate{Records: 1e9, Burst: time.Minute}, Reserve: 0.2, MaxKeys: 10000,
}

func BenchmarkKeep(b *testing.B) {
	for _, perKey := range []int{100, 1} {
		b.Run(fmt.Sprintf("keys=1000/run=%d", perKey), func(b *testing.B) {
			if g := run(b, generous, benchKeys(1000), perKey); g.Stats().Shed.Records > 0 {
				b.Fatal("shed")
			}
		})
	}
}

func BenchmarkShed(b *testing.B) {
	cfg := generous
	cfg.Rate = Rate{Records: 1, Burst: time.Second}
	run(b, cfg, benchKeys(1), 100)
}

// A million keys, each with one record.
func BenchmarkNewKeys(b *testing.B) {
	run(b, Config{Rate: Rate{Records: 1000, Burst: time.Second}, Total: Rate{Records: 1000, Burst: time.Second}, MaxKeys: 10000}, benchKeys(1_000_000), 1)
}

// What a guard takes when every state is in use.
func TestMemoryIsBounded(t *testing.T) {
	const maxKeys = 10000
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	g := New(Config{Rate: Rate{Records: 1, Burst: time.Second}, Total: Rate{Records: 50000, Burst: time.Second}, MaxKeys: maxKeys})
	for round := range 10 {
		for i := range maxKeys {
			b := g.Begin(time.Duration(round)*time.Minute + time.Duration(i)*time.Microsecond) // by then, those before make room
			// Keys of 64 bytes, as those of files are.
			b.Admit(Key{"log.file.path", fmt.Sprintf("/var/log/pods/namespace_pod-%08d_0123456789abcdef/container/0.log", round*maxKeys+i)}, 200, nil)
			b.Decided()
			b.Settle(true, time.Unix(0, 0))
		}
	}
	grown := inUse() - before
	t.Logf("%d sources: %.1f MiB, %d bytes each", g.Stats().Sources, float64(grown)/(1<<20), grown/maxKeys)
	if got := g.Stats().Sources; got != maxKeys {
		t.Errorf("%d sources have a state, want %d", got, maxKeys)
	}
	if grown > 10<<20 {
		t.Errorf("%d bytes for %d sources", grown, maxKeys)
	}
	runtime.KeepAlive(g)
}
