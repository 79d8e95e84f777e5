// SPDX-License-Identifier: Apache-2.0

// Package filelogreceiver is the stock file_log receiver (the same type, alias and configuration), made to lose nothing
// that it has marked as read: not on SIGKILL, and not on a stop while the pipeline refuses.
package filelogreceiver

import (
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

// NewFactory returns the factory of file_log.
func NewFactory() receiver.Factory {
	return lossless.NewFactory(stock.NewFactory(), lossless.DeprecatedType(component.MustNewType("filelog")))
}
