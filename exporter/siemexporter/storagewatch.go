// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"google.golang.org/protobuf/encoding/protowire"
)

// queueStateKey is where exporterhelper keeps what its queue holds (internal/queue/meta.proto there). It says so to nobody
// but the metrics, which a component cannot read. TestQueueSizeIsExporterhelpers fails when a later version does otherwise.
const queueStateKey = "qmv0"

// trialKey is where it is tried whether the storage takes a request.
const trialKey = "logseal-trial"

// storageWatch sees what the queue's storage is told and answers: how much the queue holds, and whether it can be written.
type storageWatch struct {
	sizer   exporterhelper.RequestSizerType
	size    atomic.Int64 // in the unit of queue_size; -1 while nobody has said
	wrote   func(error)  // called with the outcome of every write
	client  atomic.Pointer[storage.Client]
	refused atomic.Bool // by the last write
}

func newStorageWatch(sizer exporterhelper.RequestSizerType, wrote func(error)) *storageWatch {
	w := &storageWatch{sizer: sizer, wrote: wrote}
	w.size.Store(-1)
	return w
}

// held returns how much the queue holds, and false while that is unknown: a queue in memory tells nobody.
func (w *storageWatch) held() (int64, bool) {
	size := w.size.Load()
	return max(0, size), size >= 0
}

// tryRoom tells whether the storage takes a request of so many bytes now, by writing as many.
// exporterhelper counts a request that was refused as held until its queue is next empty, and a queue that counts as full
// is not written any more, so that nothing would ever empty it: what will be refused must not come that far.
func (w *storageWatch) tryRoom(ctx context.Context, bytes int) error {
	client := w.client.Load()
	if client == nil {
		return nil
	}
	if err := (*client).Batch(ctx, storage.SetOperation(trialKey, make([]byte, bytes))); err != nil {
		w.wrote(err)
		return err
	}
	return (*client).Delete(ctx, trialKey)
}

// written takes note of a write's outcome.
func (w *storageWatch) written(err error) {
	w.refused.Store(err != nil)
	w.wrote(err)
}

func (w *storageWatch) saw(key string, value []byte) {
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
	watch *storageWatch
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
	watch *storageWatch
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
	watch *storageWatch
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
