// SPDX-License-Identifier: Apache-2.0

package otlpreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver/receivertest"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/logseal/logseal/internal/testport"
)

func TestConfig(t *testing.T) {
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	for id, want := range map[string]string{
		"otlp":                "",
		"otlp/match":          "",
		"otlp/no_protocol":    "at least one protocol",
		"otlp/match_nobody":   "protocols.grpc authenticates nobody; write `tls: {client_ca_file: …}`",
		"otlp/match_half":     "protocols.http authenticates nobody",
		"otlp/match_disabled": "remove one of them",
	} {
		t.Run(id, func(t *testing.T) {
			sub, err := all.Sub(id)
			require.NoError(t, err)
			cfg := createDefaultConfig()
			require.NoError(t, sub.Unmarshal(cfg))
			err = confmap.Validate(cfg)
			if want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

// plain starts a receiver without TLS on both protocols, and returns its addresses.
func plain(t *testing.T, next consumer.Logs) (grpcAddr, httpAddr string) {
	t.Helper()
	var addrs [2]string
	for i := range addrs {
		addrs[i] = testport.Address(t)
	}
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": addrs[0]}, "http": map[string]any{"endpoint": addrs[1]},
	}}).Unmarshal(cfg))
	r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(component.MustNewType("otlp")), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	return addrs[0], addrs[1]
}

func someLogs(attributes map[string]string) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	for k, v := range attributes {
		rl.Resource().Attributes().PutStr(k, v)
	}
	rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
	return logs
}

// send sends over the protocol and returns the gRPC code, or the HTTP status, of the answer.
func send(t *testing.T, protocol, addr string, logs plog.Logs) string {
	t.Helper()
	request := plogotlp.NewExportRequestFromLogs(logs)
	switch protocol {
	case "grpc":
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer conn.Close()
		_, err = plogotlp.NewGRPCClient(conn).Export(t.Context(), request)
		return status.Code(err).String()
	case "json":
		body, err := request.MarshalJSON()
		require.NoError(t, err)
		code, _ := post(t, "http://"+addr+"/v1/logs", jsonType, body)
		return fmt.Sprint(code)
	default:
		body, err := request.MarshalProto()
		require.NoError(t, err)
		code, _ := post(t, "http://"+addr+"/v1/logs", protobufType, body)
		return fmt.Sprint(code)
	}
}

func post(t *testing.T, url, kind string, body []byte) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", kind)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, content
}

// A sender that nobody authenticated has no name, whatever it says.
func TestClaimsOfTheUnauthenticatedAreRemoved(t *testing.T) {
	sink := new(consumertest.LogsSink)
	grpcAddr, httpAddr := plain(t, sink)
	for protocol, want := range map[string]string{"grpc": "OK", "json": "200", "protobuf": "200"} {
		sink.Reset()
		addr := httpAddr
		if protocol == "grpc" {
			addr = grpcAddr
		}
		require.Equal(t, want, send(t, protocol, addr, someLogs(map[string]string{"host.name": "a", "logseal.client.name": "b"})))
		require.Len(t, sink.AllLogs(), 1, protocol)
		assert.Equal(t, map[string]any{"host.name": "a"}, sink.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw())
	}
}

// What the pipeline says reaches the sender in its protocol, so that it tries again or gives up as it should.
func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		err        error
		grpc, http string
	}{
		"taken":     {nil, "OK", "200"},
		"full":      {errors.New("full"), "Unavailable", "503"},
		"permanent": {consumererror.NewPermanent(errors.New("never")), "Internal", "500"},
		"a status":  {status.Error(codes.ResourceExhausted, "later"), "ResourceExhausted", "429"},
		"invalid":   {status.Error(codes.InvalidArgument, "nested"), "InvalidArgument", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			grpcAddr, httpAddr := plain(t, consumertest.NewErr(tt.err))
			assert.Equal(t, tt.grpc, send(t, "grpc", grpcAddr, someLogs(nil)))
			assert.Equal(t, tt.http, send(t, "json", httpAddr, someLogs(nil)))
			assert.Equal(t, tt.http, send(t, "protobuf", httpAddr, someLogs(nil)))
		})
	}
}

func TestHTTPRefusals(t *testing.T) {
	_, addr := plain(t, consumertest.NewNop())
	url := "http://" + addr + "/v1/logs"
	response, err := http.Get(url) //nolint:noctx // a test
	require.NoError(t, err)
	_ = response.Body.Close()
	assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	code, _ := post(t, url, "text/plain", []byte("hello"))
	assert.Equal(t, http.StatusUnsupportedMediaType, code)
	code, _ = post(t, url, jsonType, []byte("{"))
	assert.Equal(t, http.StatusBadRequest, code)
	code, content := post(t, url, protobufType, []byte{0xff})
	assert.Equal(t, http.StatusBadRequest, code)
	var st spb.Status
	require.NoError(t, proto.Unmarshal(content, &st), "OTLP/HTTP asks for a Status")
	assert.Equal(t, codes.InvalidArgument, codes.Code(st.GetCode()))
	code, _ = post(t, "http://"+addr+"/v1/traces", jsonType, []byte("{}"))
	assert.Equal(t, http.StatusNotFound, code)
}
