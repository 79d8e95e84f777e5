// SPDX-License-Identifier: Apache-2.0

package grpcgzip

import (
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	grpcgzip "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
)

// request is n access-log records as an agent sends them.
func request(n int) plogotlp.ExportRequest {
	rng := rand.New(rand.NewPCG(1, 1))
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		r := records.AppendEmpty()
		r.SetObservedTimestamp(1_795_000_000_000_000_000 + 41_234_567_000)
		r.Body().SetStr(fmt.Sprintf(`10.%d.%d.%d - - [28/Nov/2026:07:12:%02d +0000] "GET /api/v1/orders/%d?page=%d HTTP/1.1" 200 %d "-" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"`,
			rng.IntN(256), rng.IntN(256), rng.IntN(256), i%60, rng.IntN(1_000_000), rng.IntN(40), rng.IntN(90_000)))
		r.Attributes().PutStr("log.file.path", "/var/log/nginx/access.log")
		r.Attributes().PutStr("logseal.id", fmt.Sprintf("k3v9q2x7-%d", 4_000+i))
	}
	return plogotlp.NewExportRequestFromLogs(ld)
}

func TestItIsTheOneInUse(t *testing.T) {
	require.IsType(t, &compressor{}, encoding.GetCompressor(grpcgzip.Name))
}

// Each reads what the other writes.
func TestBothWays(t *testing.T) {
	text, err := request(100).MarshalProto()
	require.NoError(t, err)
	c := encoding.GetCompressor(grpcgzip.Name)
	for range 3 { // from the pool, too
		var b bytes.Buffer
		w, err := c.Compress(&b)
		require.NoError(t, err)
		_, err = w.Write(text)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.Equal(t, []byte{0, 0, 0, 0}, b.Bytes()[4:8], "no time")
		std, err := stdgzip.NewReader(bytes.NewReader(b.Bytes()))
		require.NoError(t, err)
		back, err := io.ReadAll(std)
		require.NoError(t, err)
		require.Equal(t, text, back)

		b.Reset()
		zw := stdgzip.NewWriter(&b)
		_, err = zw.Write(text)
		require.NoError(t, err)
		require.NoError(t, zw.Close())
		r, err := c.Decompress(&b)
		require.NoError(t, err)
		back, err = io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, text, back)
		require.NoError(t, r.(io.Closer).Close())
	}
	_, err = c.Decompress(bytes.NewReader([]byte("no gzip")))
	require.Error(t, err)
}

type sink struct {
	plogotlp.UnimplementedGRPCServer
}

func (*sink) Export(context.Context, plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	return plogotlp.NewExportResponse(), nil
}

// A request that unpacks to a gigabyte is refused at the bound, and costs no more memory than that.
func TestBombIsRefused(t *testing.T) {
	const bound = 4 << 20
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(bound))
	plogotlp.RegisterGRPCServer(server, &sink{})
	go func() { _ = server.Serve(l) }()
	defer server.Stop()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()

	_, err = plogotlp.NewGRPCClient(conn).Export(t.Context(), request(100), grpc.UseCompressor(grpcgzip.Name))
	require.NoError(t, err)

	var before, after runtime.MemStats
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	_, err = w.Write(make([]byte, 1<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	packed := bytes.Repeat(member.Bytes(), 1024) // gzip's members are one text
	require.Less(t, len(packed), bound, "it passes what is looked at before it is unpacked")
	runtime.ReadMemStats(&before)
	//nolint:staticcheck // the only way to send what is packed already
	bomber, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithCompressor(packedAlready{packed}))
	require.NoError(t, err)
	defer bomber.Close()
	_, err = plogotlp.NewGRPCClient(bomber).Export(t.Context(), request(1))
	runtime.ReadMemStats(&after)
	require.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16*bound))
}

// packedAlready sends the same bytes for whatever it is given, as gzip.
type packedAlready struct{ bytes []byte }

func (p packedAlready) Do(w io.Writer, _ []byte) error {
	_, err := w.Write(p.bytes)
	return err
}
func (packedAlready) Type() string { return grpcgzip.Name }

// BenchmarkLevels compares the levels of both libraries on requests of 100 records: MB/s, and bytes a record.
func BenchmarkLevels(b *testing.B) {
	text, err := request(100).MarshalProto()
	require.NoError(b, err)
	type resetter interface {
		io.WriteCloser
		Reset(io.Writer)
	}
	run := func(name string, w resetter) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				w.Reset(&out)
				_, _ = w.Write(text)
				_ = w.Close()
			}
			b.ReportMetric(float64(out.Len())/100, "bytes/record")
		})
	}
	std, _ := stdgzip.NewWriterLevel(io.Discard, 6)
	run("compress/gzip-6", std)
	std1, _ := stdgzip.NewWriterLevel(io.Discard, 1)
	run("compress/gzip-1", std1)
	for _, level := range []int{gzip.StatelessCompression, 1, 2, 3, 4, 5, 6} {
		w, err := gzip.NewWriterLevel(io.Discard, level)
		require.NoError(b, err)
		run(fmt.Sprintf("klauspost/gzip%d", level), w)
	}
}
