// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"context"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/logseal/logseal/pkg/seal/sealer"
)

// store lends a storage client to the sealer.
type store struct{ client storage.Client }

var opTypes = map[sealer.OpKind]storage.OpType{
	sealer.OpGet: storage.Get, sealer.OpSet: storage.Set, sealer.OpDelete: storage.Delete,
}

// Batch implements [seal.Store].
func (s store) Batch(ctx context.Context, ops ...*sealer.Op) error {
	operations := make([]storage.Operation, len(ops))
	pointers := make([]*storage.Operation, len(ops))
	for i, op := range ops {
		operations[i] = storage.Operation{Type: opTypes[op.Kind], Key: op.Key, Value: op.Value}
		pointers[i] = &operations[i]
	}
	if err := s.client.Batch(ctx, pointers...); err != nil {
		return err
	}
	for i, op := range ops {
		if op.Kind == sealer.OpGet {
			op.Value = operations[i].Value
		}
	}
	return nil
}
