// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/logseal/logseal/pkg/seglog"
)

// What exporterhelper's persistent queue keeps, at v0.160.0: each request under its number, and which numbers there are
// under metadataKey. Queues of older versions have legacyKey instead, and are left to exporterhelper.
const (
	metadataKey = "qmv0"
	legacyKey   = "ri"
)

// queueClient is the storage of an exporter's queue. It differs from a plain one in that it knows what the requests mean,
// and makes up for what the queue gets wrong:
//
//   - At a start the queue deletes the requests that were under way, and then puts them in again at its end. A kill or a
//     full disk between the two loses them. Here the queue is told that nothing was under way: those requests stand before
//     the others, where they were. Nothing is written for it.
//   - Numbers that do not fit the requests that are there, as a lost entry leaves them, would make the queue write over
//     requests. The numbers are made from what is there.
//   - The queue writes its numbers with each request three times. Since they follow from the requests, they are written
//     once a second, for the counts of records in them, and at the end.
type queueClient struct {
	log *seglog.Log

	mu       sync.Mutex
	plain    bool              // a queue of an older version, or no queue at all
	metadata []byte            // as the queue last set it
	unsaved  bool              // and whether that is not in the log yet
	saved    time.Time         // when it last was
	moved    map[string]string // number by which the queue knows a request → key in the log
}

var _ storage.Client = (*queueClient)(nil)

const saveInterval = time.Second

func newQueueClient(log *seglog.Log, logger *zap.Logger) (*queueClient, error) {
	c := &queueClient{log: log}
	var numbers []uint64
	var bytes int64
	log.Range(func(key string, length int) bool {
		if n, ok := requestNumber(key); ok {
			numbers = append(numbers, n)
			bytes += int64(length)
		}
		c.plain = c.plain || key == legacyKey
		return true
	})
	if c.plain {
		return c, nil
	}
	stored, err := get(log, nil, metadataKey)
	if err != nil {
		return nil, err
	}
	m, err := parseQueueMetadata(stored)
	if err != nil {
		logger.Warn("The numbers of the queue cannot be read, and are made from the requests that are there", zap.Error(err))
	}
	if len(numbers) == 0 && stored == nil {
		return c, nil
	}
	slices.Sort(numbers)
	under := m.settle(numbers)
	m.bytes = bytes
	if len(numbers) == 0 {
		m.items, m.bytes = 0, 0
	}
	c.moved = make(map[string]string, len(under))
	for i, n := range under {
		c.moved[strconv.FormatUint(m.read+uint64(i), 10)] = strconv.FormatUint(n, 10)
	}
	c.metadata = m.marshal()
	if len(numbers) > 0 {
		fields := []zap.Field{zap.Int("requests", len(numbers)), zap.Int64("bytes", bytes), zap.Int("under_way_at_the_last_stop", len(under)), zap.Time("since", log.Since())}
		if missing := m.write - m.read - uint64(len(numbers)); missing > 0 {
			// Lost ones, or numbers that a full storage refused.
			fields = append(fields, zap.Uint64("numbers_without_request", missing))
		}
		logger.Info("Requests wait in the queue", fields...)
	}
	return c, nil
}

func requestNumber(key string) (uint64, bool) {
	n, err := strconv.ParseUint(key, 10, 64)
	return n, err == nil && len(key) > 0 && key[0] != '+'
}

// Get implements storage.Client.
func (c *queueClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

// Set implements storage.Client.
func (c *queueClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

// Delete implements storage.Client.
func (c *queueClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch implements storage.Client.
func (c *queueClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.plain {
		return plainClient{c.log}.Batch(ctx, ops...)
	}
	writes := make([]seglog.Op, 0, len(ops)+1)
	for _, op := range ops {
		_, request := requestNumber(op.Key)
		key := op.Key
		if request && len(c.moved) > 0 {
			if moved, ok := c.moved[key]; ok {
				key = moved
			}
		}
		switch {
		case op.Type == storage.Set && op.Key == metadataKey:
			c.metadata, c.unsaved = op.Value, true
		case op.Type == storage.Get && op.Key == metadataKey:
			op.Value = c.metadata
		case op.Type == storage.Get && request:
			value, err := c.request(ctx, key)
			if err != nil {
				return err
			}
			if value == nil && len(ops) > 1 {
				// The queue would take none for an empty request.
				return fmt.Errorf("request %s is not in the storage", op.Key)
			}
			op.Value = value
		case op.Type == storage.Get:
			value, err := get(c.log, writes, key)
			if err != nil {
				return err
			}
			op.Value = value
		case op.Type == storage.Set:
			writes = append(writes, seglog.Op{Kind: seglog.Set, Key: key, Value: op.Value, Bulk: request})
		case op.Type == storage.Delete:
			writes = append(writes, seglog.Op{Kind: seglog.Delete, Key: key})
			if key != op.Key {
				delete(c.moved, op.Key)
			}
		default:
			return fmt.Errorf("storage operation of unknown type %d", op.Type)
		}
	}
	if len(writes) == 0 {
		return nil
	}
	if now := time.Now(); c.unsaved && now.Sub(c.saved) >= saveInterval {
		writes = append(writes, seglog.Op{Kind: seglog.Set, Key: metadataKey, Value: c.metadata})
		c.unsaved, c.saved = false, now
	}
	return full(c.log.Apply(writes...))
}

// request reads a request. The queue deletes one that it gets an error for, so an error of the disk is given some time.
func (c *queueClient) request(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	var err error
	for wait := 10 * time.Millisecond; wait < time.Second; wait *= 4 {
		value, err = c.log.Get(key)
		if err == nil || errors.Is(err, seglog.ErrLost) || errors.Is(err, seglog.ErrClosed) {
			return value, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
	}
	c.log.GiveUp(key, err)
	return nil, err
}

// Close implements storage.Client.
func (c *queueClient) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.unsaved {
		err = c.log.Apply(seglog.Op{Kind: seglog.Set, Key: metadataKey, Value: c.metadata})
		if errors.Is(err, seglog.ErrFull) {
			err = nil // it follows from the requests
		}
	}
	return errors.Join(err, c.log.Close())
}

// queueMetadata is exporterhelper's PersistentMetadata.
type queueMetadata struct {
	items, bytes int64
	read, write  uint64 // numbers: of the next request to be read, and of the next one to be written
	underWay     []uint64
}

// settle makes the numbers fit the requests that are there, whose numbers are given in their order. It returns the requests
// that stand before the one to be read next: they get the numbers from m.read on.
func (m *queueMetadata) settle(numbers []uint64) (before []uint64) {
	m.underWay = nil
	if len(numbers) == 0 {
		m.read = m.write
		return nil
	}
	m.write = max(m.write, numbers[len(numbers)-1]+1)
	i, _ := slices.BinarySearch(numbers, m.read)
	before = numbers[:i]
	next := m.write
	if i < len(numbers) {
		next = numbers[i]
	}
	m.read = next - uint64(len(before))
	return before
}

func parseQueueMetadata(b []byte) (m queueMetadata, err error) {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return queueMetadata{}, protowire.ParseError(n)
		}
		b = b[n:]
		var value uint64
		switch {
		case kind == protowire.Fixed64Type:
			value, n = protowire.ConsumeFixed64(b)
		case number == 5 && kind == protowire.BytesType:
			var packed []byte
			if packed, n = protowire.ConsumeBytes(b); n >= 0 {
				for ; len(packed) >= 8; packed = packed[8:] {
					m.underWay = append(m.underWay, binary.LittleEndian.Uint64(packed))
				}
			}
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return queueMetadata{}, protowire.ParseError(n)
		}
		b = b[n:]
		if kind != protowire.Fixed64Type {
			continue
		}
		switch number {
		case 1:
			m.items = int64(value)
		case 2:
			m.bytes = int64(value)
		case 3:
			m.read = value
		case 4:
			m.write = value
		case 5:
			m.underWay = append(m.underWay, value)
		}
	}
	return m, nil
}

func (m *queueMetadata) marshal() []byte {
	var b []byte
	for number, value := range []uint64{1: uint64(m.items), 2: uint64(m.bytes), 3: m.read, 4: m.write} {
		if value != 0 {
			b = protowire.AppendTag(b, protowire.Number(number), protowire.Fixed64Type)
			b = protowire.AppendFixed64(b, value)
		}
	}
	return b
}
