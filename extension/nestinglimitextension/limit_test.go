// SPDX-License-Identifier: Apache-2.0

package nestinglimitextension

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/extension/nestinglimitextension/internal/metadata"
	"github.com/logseal/logseal/internal/testport"
	"github.com/logseal/logseal/pkg/nesting"
)

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

func nested(depth int) plogotlp.ExportRequest {
	ld := plog.NewLogs()
	v := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body()
	for range depth - 1 {
		v = v.SetEmptySlice().AppendEmpty()
	}
	v.SetStr("x")
	return plogotlp.NewExportRequestFromLogs(ld)
}

// The stock receiver, over both protocols, with the limit in front.
func TestStockReceiverWithLimit(t *testing.T) {
	ctx := t.Context()
	id := component.NewID(metadata.Type)
	ext, err := NewFactory().Create(ctx, extensiontest.NewNopSettings(metadata.Type), &Config{})
	require.NoError(t, err)

	grpcAddr, httpAddr := testport.Address(t), testport.Address(t)
	f := otlpreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	middlewares := []any{map[string]any{"id": id.String()}}
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": grpcAddr, "middlewares": middlewares},
		"http": map[string]any{"endpoint": httpAddr, "middlewares": middlewares},
	}}).Unmarshal(cfg))
	sink := new(consumertest.LogsSink)
	r, err := f.CreateLogs(ctx, receivertest.NewNopSettings(f.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(ctx, host{id: ext}))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })

	conn, err := grpc.NewClient(grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	viaGRPC := func(t *testing.T, req plogotlp.ExportRequest) bool {
		_, err := plogotlp.NewGRPCClient(conn).Export(ctx, req)
		if err != nil {
			assert.Equal(t, codes.InvalidArgument, status.Code(err), "%v", err)
			assert.ErrorContains(t, err, nesting.ErrTooDeep.Error())
		}
		return err == nil
	}
	viaHTTP := func(t *testing.T, req plogotlp.ExportRequest) bool {
		body, err := req.MarshalProto()
		require.NoError(t, err)
		resp, err := http.Post("http://"+httpAddr+"/v1/logs", "application/x-protobuf; charset=utf-8", bytes.NewReader(body))
		require.NoError(t, err)
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
		}
		return resp.StatusCode == http.StatusOK
	}
	viaJSON := func(t *testing.T, req plogotlp.ExportRequest) bool {
		body, err := req.MarshalJSON()
		require.NoError(t, err)
		resp, err := http.Post("http://"+httpAddr+"/v1/logs", "application/json", bytes.NewReader(body))
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	for name, send := range map[string]func(*testing.T, plogotlp.ExportRequest) bool{"grpc": viaGRPC, "http": viaHTTP} {
		t.Run(name, func(t *testing.T) {
			sink.Reset()
			assert.True(t, send(t, nested(nesting.MaxDepth)))
			assert.False(t, send(t, nested(nesting.MaxDepth+1)))
			assert.False(t, send(t, nested(20_000)))
			assert.True(t, send(t, nested(1)), "others are served")
			assert.Equal(t, 2, sink.LogRecordCount())
		})
	}
	t.Run("json", func(t *testing.T) {
		sink.Reset()
		assert.True(t, viaJSON(t, nested(nesting.MaxDepth)))
		assert.False(t, viaJSON(t, nested(2*nesting.MaxDepth)))
		assert.Equal(t, 1, sink.LogRecordCount())
	})
}

// A refusal leaves nothing behind, whatever ends the call.
func TestRefusalsAreForgotten(t *testing.T) {
	codec := &limitedCodec{}
	req := pcommon.NewMap()
	codec.refused.Store(&req, nesting.ErrTooDeep)
	_, err := codec.intercept(t.Context(), &req, nil, nil)
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	codec.refused.Range(func(any, any) bool { t.Error("left behind"); return false })
}
