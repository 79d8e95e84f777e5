// SPDX-License-Identifier: Apache-2.0

// Package journaldreceiver is the stock journald receiver (the same type and configuration), made to lose nothing that it
// has marked as read. A start repeats the last entry before the stop.
package journaldreceiver

import (
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/journaldreceiver"
	"go.opentelemetry.io/collector/receiver"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

// NewFactory returns the factory of journald.
func NewFactory() receiver.Factory {
	return lossless.NewFactory(stock.NewFactory(), lossless.CursorBeforeWrite())
}
