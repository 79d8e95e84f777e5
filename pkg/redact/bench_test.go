// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// accessLines returns n synthetic access-log lines of some 157 bytes, of which one in 125 holds a secret if dirty is set.
func accessLines(n int, seed uint64, dirty bool) []string {
	r := rand.New(rand.NewPCG(seed, 7))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	lines := make([]string, n)
	for i := range lines {
		path := pick("/api/v1/login", fmt.Sprintf("/api/v1/orders/%d", r.IntN(1e6)), fmt.Sprintf("/static/js/app.%x.js", r.IntN(1e6)),
			"/healthz", fmt.Sprintf("/api/v2/users/%d/profile", r.IntN(1e6)), fmt.Sprintf("/search?q=term%d", r.IntN(1e6)))
		agent := pick("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
			"curl/8.4.0", "kube-probe/1.28")
		s := fmt.Sprintf(`%d.%d.%d.%d - user%d [23/Nov/2026:04:%02d:%02d +0000] "GET %s HTTP/1.1" %s %d "-" "%s" rt=%.3f`,
			1+r.IntN(254), r.IntN(256), r.IntN(256), 1+r.IntN(254), 1+r.IntN(5000), i/60%60, i%60, path,
			pick("200", "200", "200", "404", "500"), 100+r.IntN(99900), agent, r.Float64())
		if dirty {
			switch r.IntN(500) {
			case 0:
				s += " card=4111 1111 1111 1111"
			case 1:
				s += fmt.Sprintf(" email=john.doe%d@example.com", i)
			case 2:
				s += fmt.Sprintf(" password=hunter2%d", i)
			case 3:
				s += " AKIAIOSFODNN7EXAMPLE"
			}
		}
		lines[i] = s
	}
	return lines
}

func totalBytes(lines []string) (n int64) {
	for _, l := range lines {
		n += int64(len(l))
	}
	return n
}

// BenchmarkScan is the scanner alone, one core, all packs: MB/s of access-log lines.
func BenchmarkScan(b *testing.B) {
	for _, dirty := range []bool{false, true} {
		b.Run(map[bool]string{false: "clean", true: "dirty"}[dirty], func(b *testing.B) {
			e := newEngine(b)
			w := newWorker(e)
			lines := accessLines(20000, 1, dirty)
			b.SetBytes(totalBytes(lines) / int64(len(lines)))
			b.ReportAllocs()
			i := 0
			stop := cpuTime(b)
			for b.Loop() {
				w.text(lines[i%len(lines)])
				i++
			}
			stop(int64(i), totalBytes(lines)*int64(i)/int64(len(lines)))
		})
	}
}

// cpuTime measures the CPU time of this thread, so that other work on the machine does not count. The function that it returns
// reports it for n operations over that many bytes.
func cpuTime(b *testing.B) func(n, bytes int64) {
	runtime.LockOSThread()
	start := threadTime(b)
	return func(n, bytes int64) {
		spent := threadTime(b) - start
		runtime.UnlockOSThread()
		b.ReportMetric(float64(spent)/float64(n), "cpu-ns/op")
		if bytes > 0 {
			b.ReportMetric(float64(bytes)*1e3/float64(spent), "MB/cpu-s")
		}
	}
}

// BenchmarkRecord is a batch of 100 clean records through Logs: an operation is one record.
func BenchmarkRecord(b *testing.B) {
	e := newEngine(b)
	ld := batch(accessLines(100, 1, false))
	e.Logs(ld, nil)
	b.ReportAllocs()
	b.ResetTimer()
	stop := cpuTime(b)
	for i := 0; i < b.N; i += 100 {
		e.Logs(ld, nil)
	}
	stop(int64(b.N), 0)
}

// batch makes a log batch of the lines, with the attributes that a file receiver adds.
func batch(lines []string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-7")
	sl := rl.ScopeLogs().AppendEmpty()
	for _, l := range lines {
		lr := sl.LogRecords().AppendEmpty()
		lr.Body().SetStr(l)
		lr.SetSeverityText("INFO")
		lr.Attributes().PutStr("log.file.name", "access.log")
	}
	return ld
}

// A clean record costs no allocation, whatever kinds of values it holds.
func TestCleanRecordAllocatesNothing(t *testing.T) {
	e := newEngine(t)
	ld := batch(accessLines(50, 5, false))
	for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		deep(lr.Attributes(), "nothing to see")
		lr.Attributes().PutEmptyBytes("raw").FromRaw([]byte("plain bytes"))
		lr.Attributes().PutInt("count", 1763871082123456789)
		lr.Attributes().PutDouble("ratio", 1763871082123)
	}
	e.Logs(ld, nil)
	require.LessOrEqual(t, testing.AllocsPerRun(20, func() { e.Logs(ld, nil) }), float64(poolLosses))
}
