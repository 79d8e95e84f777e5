// SPDX-License-Identifier: Apache-2.0

package nestinglimitextension

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/pkg/nesting"
)

// GetGRPCServerOptions puts a check in front of the server's codec. A codec's error would reach the client as Internal,
// which asks to be retried for ever; so a refused request is left empty, and an interceptor answers InvalidArgument.
func (*limiter) GetGRPCServerOptions(context.Context) ([]grpc.ServerOption, error) {
	inner := encoding.GetCodecV2("proto")
	if inner == nil {
		return nil, errors.New("gRPC has no proto codec to check requests for")
	}
	codec := &limitedCodec{CodecV2: inner}
	// UnaryInterceptor runs before every chained one: authentication could otherwise end the call first, and the refusal
	// would stay in the map.
	return []grpc.ServerOption{grpc.ForceServerCodecV2(codec), grpc.UnaryInterceptor(codec.intercept)}, nil
}

type limitedCodec struct {
	encoding.CodecV2
	refused sync.Map // request (a pointer) → error, from Unmarshal until the interceptor has seen it
}

func (c *limitedCodec) Unmarshal(data mem.BufferSlice, v any) error {
	// The collector's request types are internal; those of traces and metrics are not ours to bound.
	if strings.HasSuffix(fmt.Sprintf("%T", v), ".ExportLogsServiceRequest") {
		buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
		err := nesting.Check(buf.ReadOnlyData(), nesting.MaxDepth)
		buf.Free()
		if err != nil {
			c.refused.Store(v, err)
			return nil
		}
	}
	return c.CodecV2.Unmarshal(data, v)
}

func (c *limitedCodec) intercept(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if err, refused := c.refused.LoadAndDelete(req); refused {
		return nil, status.Error(codes.InvalidArgument, err.(error).Error())
	}
	return handler(ctx, req)
}
