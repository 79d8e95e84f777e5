// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	xrequest "go.opentelemetry.io/collector/pdata/xpdata/request"
	"google.golang.org/protobuf/encoding/protowire"
)

// request is logs as they travel. They are encoded once, when they come in: the queue stores these bytes, and they are what
// is sent. They are decoded only when the server refuses the request for what is in it.
type request struct {
	stored   []byte // as exporterhelper's queue has stored requests since v0.132: what travels, with its context beside it
	wire     []byte // the part of it that is an ExportLogsServiceRequest
	records  int
	observed time.Time // of the first record, see [summary]
}

var (
	_ xexporterhelper.Request             = (*request)(nil)
	_ xexporterhelper.RequestErrorHandler = (*request)(nil)
)

func newRequest(ctx context.Context, logs plog.Logs) (*request, error) {
	stored, err := xrequest.MarshalLogs(ctx, logs)
	if err != nil {
		return nil, err
	}
	return readRequest(stored)
}

// readRequest reads what newRequest has stored, or logs alone, which older queues stored.
func readRequest(stored []byte) (*request, error) {
	wire, err := logsOf(stored)
	if err != nil {
		return nil, err
	}
	s, err := summarize(wire)
	if err != nil {
		return nil, err
	}
	return &request{stored: stored, wire: wire, records: s.records, observed: s.observed}, nil
}

// logs decodes the request.
func (r *request) logs() (plog.Logs, error) {
	return new(plog.ProtoUnmarshaler).UnmarshalLogs(r.wire)
}

// ItemsCount implements xexporterhelper.Request.
func (r *request) ItemsCount() int { return r.records }

// BytesSize implements xexporterhelper.Request.
func (r *request) BytesSize() int { return len(r.wire) }

// OnError returns what of a request has to be sent again.
func (r *request) OnError(err error) xexporterhelper.Request {
	var rest *unsent
	if errors.As(err, &rest) {
		return rest.request
	}
	return r
}

// MergeSplit is used only where sending_queue.batch.min_size makes requests wait for others. Two of them make one by standing one after the
// other, as protobuf has it; what is to be cut is for exporterhelper's own.
func (r *request) MergeSplit(ctx context.Context, maxSize int, sizer exporterhelper.RequestSizerType, other xexporterhelper.Request) ([]xexporterhelper.Request, error) {
	if maxSize == 0 && other != nil {
		merged, err := r.with(ctx, other.(*request))
		if err != nil {
			return nil, err
		}
		return []xexporterhelper.Request{merged}, nil
	}
	encoding := xexporterhelper.NewLogsQueueBatchSettings().Encoding
	_, stock, err := encoding.Unmarshal(r.stored)
	if err != nil {
		return nil, err
	}
	var stockOther xexporterhelper.Request
	if other != nil {
		if _, stockOther, err = encoding.Unmarshal(other.(*request).stored); err != nil {
			return nil, err
		}
	}
	merged, err := stock.MergeSplit(ctx, maxSize, sizer, stockOther)
	if err != nil {
		return nil, err
	}
	for i, m := range merged {
		stored, err := encoding.Marshal(ctx, m)
		if err != nil {
			return nil, err
		}
		if merged[i], err = readRequest(stored); err != nil {
			return nil, err
		}
	}
	return merged, nil
}

// with returns both as one request.
func (r *request) with(ctx context.Context, other *request) (*request, error) {
	stored, err := xrequest.MarshalLogs(ctx, plog.NewLogs())
	if err != nil {
		return nil, err
	}
	stored = slices.Grow(stored, len(r.wire)+len(other.wire)+2*binary.MaxVarintLen64)
	stored = protowire.AppendTag(stored, storedLogs, protowire.BytesType)
	stored = protowire.AppendVarint(stored, uint64(len(r.wire)+len(other.wire)))
	start := len(stored)
	stored = append(append(stored, r.wire...), other.wire...)
	merged := &request{stored: stored, wire: stored[start:], records: r.records + other.records, observed: r.observed}
	if merged.observed.IsZero() {
		merged.observed = other.observed
	}
	return merged, nil
}

// unsent is an error that says which part of a request has to be sent again.
type unsent struct {
	error
	request *request
}

func (u *unsent) Unwrap() error { return u.error }

// encoding is how the queue stores requests. Older queues and exporterhelper's own read each other's.
type encoding struct{}

var _ exporterhelper.QueueBatchEncoding[xexporterhelper.Request] = encoding{}

// Marshal implements exporterhelper.QueueBatchEncoding.
func (encoding) Marshal(_ context.Context, r xexporterhelper.Request) ([]byte, error) {
	return r.(*request).stored, nil
}

// Unmarshal implements exporterhelper.QueueBatchEncoding.
func (encoding) Unmarshal(stored []byte) (context.Context, xexporterhelper.Request, error) {
	r, err := readRequest(stored)
	if err != nil {
		return context.Background(), nil, fmt.Errorf("a request of the queue: %w", err)
	}
	return contextOf(stored), r, nil
}
