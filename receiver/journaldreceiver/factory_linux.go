// SPDX-License-Identifier: Apache-2.0

package journaldreceiver

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/adapter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/journaldreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
)

func newReceiverFactory(stockFactory receiver.Factory, report func(error)) receiver.Factory {
	return adapter.NewFactory(receiverType{stockFactory.Type(), report}, stockFactory.LogsStability())
}

// receiverType is the stock type with our input.
type receiverType struct {
	name   component.Type
	report func(error)
}

func (t receiverType) Type() component.Type { return t.name }

func (receiverType) CreateDefaultConfig() component.Config { return createDefaultConfig() }

func (receiverType) BaseConfig(cfg component.Config) adapter.BaseConfig {
	return cfg.(*stock.JournaldConfig).BaseConfig
}

func (t receiverType) InputConfig(cfg component.Config) operator.Config {
	return operator.NewConfig(&inputConfig{&cfg.(*stock.JournaldConfig).InputConfig, t.report})
}
