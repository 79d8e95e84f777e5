// SPDX-License-Identifier: Apache-2.0

// Package journaldreceiver is the stock journald receiver (the same type and options) with an input of its own, which
// reads the journal's export format instead of its JSON: a field of bytes stays text or bytes, where the JSON has a list
// of numbers, and a long one stays whole, where the JSON has null. What is marked as read has been accepted by the next
// consumer; a journal vacuumed behind the saved cursor is read from its first entry on.
package journaldreceiver

import (
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/journaldreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

// NewFactory returns the factory of journald.
func NewFactory() receiver.Factory {
	newFactory := func(report func(error)) receiver.Factory { return newReceiverFactory(stock.NewFactory(), report) }
	return lossless.NewFactory(newFactory(nil), lossless.Reporting(newFactory))
}

// createDefaultConfig is the stock default, with no entry and no field left out.
func createDefaultConfig() component.Config {
	cfg := stock.NewFactory().CreateDefaultConfig().(*stock.JournaldConfig)
	cfg.InputConfig.Priority = everyPriority
	cfg.InputConfig.All = true
	return cfg
}

// everyPriority is the one priority with which journalctl does not filter: any other hides the entries without a
// PRIORITY too, audit records among them.
const everyPriority = "debug"
