// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/logseal/logseal/pkg/seal/watch"
)

// trustKey is where the trust file's last usable text is kept, beside the watcher's parts.
const trustKey = "connector/trust"

// store keeps the watcher's state. A save is one transaction.
type store struct {
	client storage.Client
	// unsaved are the parts that the storage has not taken yet: the watcher hands out each change once.
	unsaved map[string][]byte
}

func openStore(ctx context.Context, v *verify, host component.Host) (*store, error) {
	extension, found := host.GetExtensions()[*v.config.Storage]
	if !found {
		return nil, fmt.Errorf("storage: there is no extension %q: write it under extensions and under service::extensions", v.config.Storage)
	}
	storageExtension, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q keeps nothing: name a storage extension, such as encrypted_storage", v.config.Storage)
	}
	client, err := storageExtension.GetClient(ctx, component.KindConnector, v.set.ID, "")
	if err != nil {
		return nil, fmt.Errorf("storage %s: %w", v.config.Storage, err)
	}
	return &store{client: client, unsaved: map[string][]byte{}}, nil
}

func (s *store) read(ctx context.Context) func(key string) ([]byte, error) {
	return func(key string) ([]byte, error) { return s.client.Get(ctx, key) }
}

func (s *store) save(ctx context.Context, parts []watch.Part) error {
	for _, p := range parts {
		s.unsaved[p.Key] = p.Value
	}
	if len(s.unsaved) == 0 {
		return nil
	}
	ops := make([]*storage.Operation, 0, len(s.unsaved))
	for key, value := range s.unsaved {
		if value == nil {
			ops = append(ops, storage.DeleteOperation(key))
		} else {
			ops = append(ops, storage.SetOperation(key, value))
		}
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return err
	}
	clear(s.unsaved)
	return nil
}

// keepTrust puts the text of a trust file into the next save.
func (s *store) keepTrust(text []byte) {
	if s != nil && text != nil {
		s.unsaved[trustKey] = text
	}
}

// trust returns the text that was kept last, nil if there is none.
func (s *store) trust(ctx context.Context) ([]byte, error) {
	if s == nil {
		return nil, nil
	}
	return s.client.Get(ctx, trustKey)
}

func (s *store) close(ctx context.Context) error { return s.client.Close(ctx) }
