// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/adapter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/syslog"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/syslogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"

	"github.com/logseal/logseal/receiver/internal/lossless"
	"github.com/logseal/logseal/receiver/syslogreceiver/internal/metadata"
)

// NewFactory returns the factory of the syslog receiver.
func NewFactory() receiver.Factory {
	// Emission is synchronous: what a sender's connection is read of has been taken by the pipeline, but for one batch.
	newFactory := func(report func(error)) receiver.Factory {
		return adapter.NewFactory(receiverType{report: report}, metadata.LogsStability)
	}
	return lossless.NewFactory(newFactory(nil), lossless.Reporting(newFactory))
}

// receiverType is the stock type with our input.
type receiverType struct {
	stock.ReceiverType
	report func(error)
}

func (t receiverType) CreateDefaultConfig() component.Config {
	cfg := t.ReceiverType.CreateDefaultConfig().(*stock.SysLogConfig)
	cfg.InputConfig.Protocol = syslog.RFC5424
	return cfg
}

func (t receiverType) InputConfig(cfg component.Config) operator.Config {
	return operator.NewConfig(&inputConfig{&cfg.(*stock.SysLogConfig).InputConfig, t.report})
}
