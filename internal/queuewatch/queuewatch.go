// SPDX-License-Identifier: Apache-2.0

// Package queuewatch stands between exporterhelper's queue and the storage that it keeps on: it sees how much the queue holds, and whether it can be
// written, and keeps a storage that was full from leaving a queue that counts as full for ever.
package queuewatch

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// queueStateKey is where exporterhelper keeps what its queue holds (internal/queue/meta.proto there). It says so to nobody
// but the metrics, which a component cannot read. siem's TestQueueSizeIsExporterhelpers fails when a later version does otherwise.
const queueStateKey = "qmv0"

// trialKey is where it is tried whether the storage takes a request.
const trialKey = "logseal-trial"

// Watch sees what a queue's storage is told and answers.
type Watch struct {
	sizer   exporterhelper.RequestSizerType
	size    atomic.Int64 // in the unit of queue_size; -1 while nobody has said
	wrote   func(error)
	client  atomic.Pointer[storage.Client]
	refused atomic.Bool // by the last write
}

// New returns a watch for a queue whose size is in the unit of sizer. wrote is called with the outcome of every write; nil for nobody.
func New(sizer exporterhelper.RequestSizerType, wrote func(error)) *Watch {
	if wrote == nil {
		wrote = func(error) {}
	}
	w := &Watch{sizer: sizer, wrote: wrote}
	w.size.Store(-1)
	return w
}

// Host returns the collector's host, with the storage extension of that id watched: for exporterhelper's Start.
func (w *Watch) Host(host component.Host, id component.ID) component.Host {
	return watchedHost{host, id, w}
}

// Held returns how much the queue holds, in the unit of its sizer, and false while that is unknown: a queue in memory tells nobody.
func (w *Watch) Held() (int64, bool) {
	size := w.size.Load()
	return max(0, size), size >= 0
}

// Admit is called before logs go to the queue. After a write that the storage refused it tries whether that takes as many bytes now, by writing
// them elsewhere, and returns the storage's error if it does not.
//
// exporterhelper counts a request that was refused as held until its queue is next empty, and a queue that counts as full is not
// written any more, so that nothing would ever empty it: what will be refused must not come that far.
func (w *Watch) Admit(ctx context.Context, logs plog.Logs) error {
	client := w.client.Load()
	if client == nil || !w.refused.Load() {
		return nil
	}
	trial := make([]byte, new(plog.ProtoMarshaler).LogsSize(logs))
	if err := (*client).Batch(ctx, storage.SetOperation(trialKey, trial)); err != nil {
		w.wrote(err)
		return err
	}
	return (*client).Delete(ctx, trialKey)
}

// written takes note of a write's outcome.
func (w *Watch) written(err error) {
	w.refused.Store(err != nil)
	w.wrote(err)
}

func (w *Watch) saw(key string, value []byte) {
	if key != queueStateKey {
		return
	}
	if size, ok := queueSize(value, w.sizer); ok {
		w.size.Store(size)
	}
}

// queueSize reads the size out of the queue's state.
func queueSize(state []byte, sizer exporterhelper.RequestSizerType) (int64, bool) {
	var items, bytes, read, write, dispatched uint64
	for len(state) > 0 {
		number, kind, n := protowire.ConsumeTag(state)
		if n < 0 {
			return 0, false
		}
		state = state[n:]
		switch kind {
		case protowire.Fixed64Type:
			value, n := protowire.ConsumeFixed64(state)
			if n < 0 {
				return 0, false
			}
			state = state[n:]
			switch number {
			case 1:
				items = value
			case 2:
				bytes = value
			case 3:
				read = value
			case 4:
				write = value
			case 5:
				dispatched++
			}
		default:
			value, n := protowire.ConsumeBytes(state)
			if kind != protowire.BytesType || n < 0 {
				return 0, false
			}
			state = state[n:]
			if number == 5 { // packed
				dispatched += uint64(len(value) / binary.Size(uint64(0)))
			}
		}
	}
	switch sizer {
	case exporterhelper.RequestSizerTypeBytes:
		return int64(bytes), true
	case exporterhelper.RequestSizerTypeItems:
		return int64(items), true
	default:
		return int64(write - read + dispatched), true
	}
}

// watchedHost is the collector's host with the queue's storage extension watched.
type watchedHost struct {
	component.Host
	id    component.ID
	watch *Watch
}

// Report passes a status on: embedding hides that the host takes it.
func (h watchedHost) Report(event *componentstatus.Event) {
	componentstatus.ReportStatus(h.Host, event)
}

func (h watchedHost) GetExtensions() map[component.ID]component.Component {
	all := h.Host.GetExtensions()
	watched := make(map[component.ID]component.Component, len(all))
	for id, extension := range all {
		if s, ok := extension.(storage.Extension); ok && id == h.id {
			extension = watchedStorage{s, h.watch}
		}
		watched[id] = extension
	}
	return watched
}

type watchedStorage struct {
	storage.Extension
	watch *Watch
}

func (s watchedStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	s.watch.client.Store(&client)
	return watchedClient{client, s.watch}, nil
}

type watchedClient struct {
	storage.Client
	watch *Watch
}

func (c watchedClient) Get(ctx context.Context, key string) ([]byte, error) {
	value, err := c.Client.Get(ctx, key)
	if err == nil {
		c.watch.saw(key, value)
	}
	return value, err
}

func (c watchedClient) Set(ctx context.Context, key string, value []byte) error {
	err := c.Client.Set(ctx, key, value)
	c.watch.written(err)
	if err == nil {
		c.watch.saw(key, value)
	}
	return err
}

func (c watchedClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	err := c.Client.Batch(ctx, ops...)
	c.watch.written(err)
	if err == nil {
		for _, op := range ops {
			if op.Type == storage.Set {
				c.watch.saw(op.Key, op.Value)
			}
		}
	}
	return err
}
