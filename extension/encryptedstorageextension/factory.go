// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/logseal/logseal/extension/encryptedstorageextension/internal/metadata"
)

// NewFactory returns the factory of encrypted_storage.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		metadata.Type,
		createDefaultConfig,
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &encryptedStorage{config: cfg.(*Config), set: set}, nil
		},
		metadata.ExtensionStability,
	)
}
