// SPDX-License-Identifier: Apache-2.0

package nestinglimitextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"

	"github.com/logseal/logseal/extension/nestinglimitextension/internal/metadata"
)

// Config is empty: real records are far from the limit.
type Config struct{}

// NewFactory returns the factory of nesting_limit.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		metadata.Type,
		func() component.Config { return &Config{} },
		func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
			return &limiter{}, nil
		},
		metadata.ExtensionStability,
	)
}

type limiter struct {
	component.StartFunc
	component.ShutdownFunc
}

var (
	_ extensionmiddleware.GRPCServer = (*limiter)(nil)
	_ extensionmiddleware.HTTPServer = (*limiter)(nil)
)
