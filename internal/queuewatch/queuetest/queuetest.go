// SPDX-License-Identifier: Apache-2.0

// Package queuetest has a storage extension for tests of exporters' queues, whose disk is full when a test says so.
package queuetest

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Disk is a storage extension that takes nothing while its disk is full.
type Disk struct {
	storage.Extension
	Full *atomic.Bool
}

// GetClient implements storage.Extension.
func (d Disk) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := d.Extension.GetClient(ctx, kind, id, name)
	return diskClient{client, d.Full}, err
}

type diskClient struct {
	storage.Client
	full *atomic.Bool
}

// Batch implements storage.Client. A queue stores requests with it.
func (c diskClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	if c.full.Load() {
		return &os.PathError{Op: "write", Path: "queue", Err: syscall.ENOSPC}
	}
	return c.Client.Batch(ctx, ops...)
}
