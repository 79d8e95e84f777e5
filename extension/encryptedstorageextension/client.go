// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/logseal/logseal/pkg/seglog"
)

// plainClient is the storage of anything but a queue: positions, the stamp's state.
type plainClient struct{ log *seglog.Log }

var _ storage.Client = plainClient{}

func (c plainClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c plainClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c plainClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch applies the operations in their order; its writes are there as a whole after a kill, or not at all.
func (c plainClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	writes := make([]seglog.Op, 0, len(ops))
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			value, err := get(c.log, writes, op.Key)
			if err != nil {
				return err
			}
			op.Value = value
		case storage.Set:
			writes = append(writes, seglog.Op{Kind: seglog.Set, Key: op.Key, Value: op.Value})
		case storage.Delete:
			writes = append(writes, seglog.Op{Kind: seglog.Delete, Key: op.Key})
		default:
			return fmt.Errorf("storage operation of unknown type %d", op.Type)
		}
	}
	return full(c.log.Apply(writes...))
}

// get reads a value as it is behind the writes of the same batch. One that is lost is none: the loss has been reported, and
// a receiver without a position begins anew, while one with an error does not start.
func get(log *seglog.Log, writes []seglog.Op, key string) ([]byte, error) {
	for i := len(writes) - 1; i >= 0; i-- {
		if writes[i].Key == key {
			return writes[i].Value, nil
		}
	}
	value, err := log.Get(key)
	if errors.Is(err, seglog.ErrLost) {
		return nil, nil
	}
	return value, err
}

func (c plainClient) Close(context.Context) error { return c.log.Close() }

// full says it in the words that the collector's components know.
func full(err error) error {
	if errors.Is(err, seglog.ErrFull) {
		return errors.Join(storage.ErrStorageFull, err)
	}
	return err
}
