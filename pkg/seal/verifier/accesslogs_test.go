// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
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
	client  bool
}

func newAccessLogs(t testing.TB, records int) *accessLogs {
	return accessLogsUnder(t, records, seal.Policy{})
}

// newClientLogs returns the same behind a gateway that writes whose certificate the records came with, which the host leaves out.
func newClientLogs(t testing.TB, records int) *accessLogs {
	a := accessLogsUnder(t, records, seal.Usual())
	a.client = true
	return a
}

func accessLogsUnder(t testing.TB, records int, policy seal.Policy) *accessLogs {
	h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, err)
	h.Policy = policy
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
		if a.client {
			attributes := ld.ResourceLogs().At(0).Resource().Attributes()
			attributes.PutStr("logseal.client.name", "web-17.example.com")
			attributes.PutStr("logseal.client.serial", "3f:a8:11:0c:52:9b:47:e6")
		}
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
