// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	xrequest "go.opentelemetry.io/collector/pdata/xpdata/request"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/logseal/logseal/pkg/seal/original"
)

// request is logs as they travel. They are encoded once, when they come in: the queue stores these bytes, and they are what
// is sent. They are decoded only when the server refuses the request for what is in it.
type request struct {
	stored   []byte // as exporterhelper's queue has stored requests since v0.132: what travels, with its context beside it; nil where it was merged
	wire     []byte // the part of it that is an ExportLogsServiceRequest
	grows    bool   // nobody else writes behind the end of wire
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

// inForm has a request read from its encoding, and once more from what pdata makes of it where that is not of pdata's form. Such a request came
// from a queue that nobody here has written.
func inForm(wire []byte, read func(wire []byte) error) error {
	err := read(wire)
	if !errors.Is(err, original.ErrForm) {
		return err
	}
	logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(wire)
	if err == nil {
		if wire, err = new(plog.ProtoMarshaler).MarshalLogs(logs); err == nil {
			err = read(wire)
		}
	}
	var refused *refusal
	if err != nil && !errors.As(err, &refused) {
		return &refusal{verdict: invalid, cause: "encoding", message: "the records cannot be decoded"}
	}
	return err
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
	if maxSize == 0 {
		if other == nil {
			return []xexporterhelper.Request{r}, nil
		}
		return []xexporterhelper.Request{r.with(other.(*request))}, nil
	}
	encoding := xexporterhelper.NewLogsQueueBatchSettings().Encoding
	decode := func(r *request) (xexporterhelper.Request, error) {
		stored, err := r.encode(ctx)
		if err != nil {
			return nil, err
		}
		_, stock, err := encoding.Unmarshal(stored)
		return stock, err
	}
	stock, err := decode(r)
	if err != nil {
		return nil, err
	}
	var stockOther xexporterhelper.Request
	if other != nil {
		if stockOther, err = decode(other.(*request)); err != nil {
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

// with returns both as one request, and may write behind the end of this one's bytes: what is merged with many others is copied now and
// then, and not each time. r is not merged again.
func (r *request) with(other *request) *request {
	wire := r.wire
	if !r.grows {
		wire = append(make([]byte, 0, 2*(len(r.wire)+len(other.wire))), r.wire...)
	}
	r.grows = false
	merged := &request{wire: append(wire, other.wire...), records: r.records + other.records, observed: r.observed, grows: true}
	if merged.observed.IsZero() {
		merged.observed = other.observed
	}
	return merged
}

// encode returns the request as the queue stores it.
func (r *request) encode(ctx context.Context) ([]byte, error) {
	if r.stored != nil {
		return r.stored, nil
	}
	stored, err := xrequest.MarshalLogs(ctx, plog.NewLogs())
	if err != nil {
		return nil, err
	}
	return protowire.AppendBytes(protowire.AppendTag(stored, storedLogs, protowire.BytesType), r.wire), nil
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
func (encoding) Marshal(ctx context.Context, r xexporterhelper.Request) ([]byte, error) {
	return r.(*request).encode(ctx)
}

// Unmarshal implements exporterhelper.QueueBatchEncoding.
func (encoding) Unmarshal(stored []byte) (context.Context, xexporterhelper.Request, error) {
	r, err := readRequest(stored)
	if err != nil {
		return context.Background(), nil, fmt.Errorf("a request of the queue: %w", err)
	}
	return contextOf(stored), r, nil
}
