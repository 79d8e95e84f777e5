// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/logseal/logseal/extension/tlspinextension/internal/metadata"
)

// NewFactory returns the factory of tls_pin.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		metadata.Type,
		createDefaultConfig,
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return newPinner(set, cfg.(*Config))
		},
		metadata.ExtensionStability,
	)
}
