// SPDX-License-Identifier: Apache-2.0

package lossless

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
)

// errStopped answers a receiver that goes on emitting after its Shutdown returned.
var errStopped = errors.New("the receiver is stopped")

// position decides whether the receiver may save how far it has read.
type position struct {
	status *status

	mu       sync.Mutex
	idle     sync.Cond
	inFlight int
	stopping bool
	drained  bool
	refused  bool // a batch was refused, retryably, after the last save
}

func newPosition() *position {
	p := &position{}
	p.idle.L = &p.mu
	return p
}

// consume passes batches to next and remembers refusals. A permanent error is no refusal: the receiver drops such a batch
// and says so, running or stopping.
func (p *position) consume(next consumer.Logs) consumer.ConsumeLogsFunc {
	return func(ctx context.Context, ld plog.Logs) error {
		p.mu.Lock()
		if p.drained {
			p.mu.Unlock()
			return errStopped
		}
		p.inFlight++
		p.mu.Unlock()

		err := next.ConsumeLogs(ctx, ld)
		noteAnswer(ctx, err)
		refused := err != nil && !consumererror.IsPermanent(err)

		p.mu.Lock()
		defer p.mu.Unlock()
		p.inFlight--
		if refused {
			p.refused = true
		}
		if !refused {
			p.status.answered(ctx, nil)
		} else if !p.stopping {
			p.status.answered(ctx, err)
		}
		p.idle.Broadcast()
		return err
	}
}

func (p *position) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopping = true
}

func (p *position) isStopping() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

func (p *position) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drained = true
	for p.inFlight > 0 {
		p.idle.Wait()
	}
}

// due returns the operations to carry out now for a save of ops; none when the position must stay where it is. A partial
// save leaves what is refused as it is: it does not cover it.
func (p *position) due(ops []*storage.Operation, partial bool) []*storage.Operation {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping && (p.refused || partial) {
		return nil
	}
	if partial {
		return ops
	}
	p.refused = false
	return ops
}

// watchedHost is the collector's host, with every storage extension wrapped.
type watchedHost struct {
	component.Host
	position *position
}

func (h watchedHost) GetExtensions() map[component.ID]component.Component {
	extensions := h.Host.GetExtensions()
	watched := make(map[component.ID]component.Component, len(extensions))
	for id, ext := range extensions {
		if s, ok := ext.(storage.Extension); ok {
			ext = watchedStorage{Extension: s, position: h.position}
		}
		watched[id] = ext
	}
	return watched
}

type watchedStorage struct {
	storage.Extension
	position *position
}

func (s watchedStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	return &watchedClient{Client: client, position: s.position, stored: map[string][]byte{}}, nil
}

// watchedClient asks position before it writes. Reads pass.
//
// It writes nothing that is there already: file_log saves what it knows of all its files five times a second, also while nobody writes to
// them, which with a thousand files is 5 MB/s.
type watchedClient struct {
	storage.Client
	position *position

	mu     sync.Mutex
	stored map[string][]byte // what was written last
}

func (c *watchedClient) Set(ctx context.Context, key string, value []byte) error {
	return c.write(ctx, []*storage.Operation{storage.SetOperation(key, value)})
}

func (c *watchedClient) Delete(ctx context.Context, key string) error {
	return c.write(ctx, []*storage.Operation{storage.DeleteOperation(key)})
}

func (c *watchedClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	for _, op := range ops {
		if op.Type == storage.Get {
			// The stock receivers write and read in separate batches; a mixed one could not be held back.
			return c.Client.Batch(ctx, ops...)
		}
	}
	return c.write(ctx, ops)
}

func (c *watchedClient) write(ctx context.Context, ops []*storage.Operation) error {
	if ops = c.position.due(ops, isPartial(ctx)); len(ops) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(ops, c.changes) {
		return nil
	}
	err := c.Client.Batch(ctx, ops...)
	for _, op := range ops {
		if delete(c.stored, op.Key); err == nil && op.Type == storage.Set {
			c.stored[op.Key] = op.Value
		}
	}
	c.position.status.saved(err)
	return err
}

// changes reports whether op changes what is stored.
func (c *watchedClient) changes(op *storage.Operation) bool {
	value, ok := c.stored[op.Key]
	return op.Type != storage.Set || !ok || !bytes.Equal(value, op.Value)
}
