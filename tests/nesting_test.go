// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/internal/testbed"
)

// nestedRequest is an ExportLogsServiceRequest of one record whose body is an array in an array in an array, and so on.
func nestedRequest(depth int) []byte {
	// Written from the inside out into the end of a buffer: every level's length is known when its header is written.
	buf := make([]byte, 16*depth+64)
	at := len(buf)
	wrap := func(tag byte) {
		var length [binary.MaxVarintLen64]byte
		n := binary.PutUvarint(length[:], uint64(len(buf)-at))
		at -= n
		copy(buf[at:], length[:n])
		at--
		buf[at] = tag
	}
	for range depth {
		wrap(1<<3 | 2) // ArrayValue.values
		wrap(5<<3 | 2) // AnyValue.array_value
	}
	wrap(5<<3 | 2) // LogRecord.body
	wrap(2<<3 | 2) // ScopeLogs.log_records
	wrap(2<<3 | 2) // ResourceLogs.scope_logs
	wrap(1<<3 | 2) // ExportLogsServiceRequest.resource_logs
	return buf[at:]
}

// rawCodec sends bytes as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// dialAs connects to a server of the site as the agent does.
func dialAs(t *testing.T, site *testbed.Site, address string) *grpc.ClientConn {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(site.Agent.Env["LOGSEAL_CERT_FILE"], site.Agent.Env["LOGSEAL_KEY_FILE"])
	require.NoError(t, err)
	ca, err := os.ReadFile(site.PKI.CAFile())
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca))
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{cert}, RootCAs: roots, MinVersion: tls.VersionTLS13,
	})))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func export(ctx context.Context, conn *grpc.ClientConn, request []byte, opts ...grpc.CallOption) error {
	var response []byte
	opts = append(opts, grpc.ForceCodecV2(rawCodec{}), grpc.MaxCallSendMsgSize(1<<30))
	return conn.Invoke(ctx, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", &request, &response, opts...)
}

// A value nested 1.6 million deep, 16 MB, kills a stock collector. Ours refuses it, as it is and compressed, and goes on
// serving others, without a bump in memory; so it does with the deepest value that fits into a request of the allowed
// size.
func TestGatewaySurvivesNesting(t *testing.T) {
	site := newSite(t)
	site.SetInclude()
	siem := start(t, site.SIEM)
	gateway := start(t, site.Gateway)
	conn := dialAs(t, site, site.Gateway.Env["LOGSEAL_LISTEN"])
	ctx := deadline(t, 2*time.Minute)

	bomb := nestedRequest(1_600_000)
	require.Greater(t, len(bomb), 12<<20)
	err := export(ctx, conn, bomb)
	assert.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)
	err = export(ctx, conn, slices.Clone(bomb), grpc.UseCompressor(gzip.Name))
	assert.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)

	// As deep as the allowed size permits, many at a time: without the limit each takes hundreds of megabytes of stack.
	deepest := nestedRequest(470_000)
	require.Less(t, len(deepest), 4<<20)
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() {
			err := export(ctx, conn, deepest)
			assert.Equal(t, codes.InvalidArgument, status.Code(err), "%v", err)
		})
	}
	clients.Wait()
	assert.NoError(t, export(ctx, conn, nestedRequest(1)))

	logFile := site.Dir + "/app.log"
	tally := testbed.Tally{Prefix: "after line "}
	appendFile(t, logFile, lines(tally.Prefix, 0, 1000))
	site.SetInclude(logFile)
	start(t, site.Agent)
	archive := testbed.Archive{Path: site.ArchivePath()}
	awaitLines(t, &archive, &tally, 1000, time.Minute)
	for _, p := range []*testbed.Process{gateway, siem} {
		require.NoError(t, p.Stop(time.Minute), "%s died", p.Name)
		_, rss := p.Usage()
		t.Logf("%s: %d MiB at the most", p.Name, rss>>20)
		assert.Less(t, rss, int64(512<<20))
	}
}
