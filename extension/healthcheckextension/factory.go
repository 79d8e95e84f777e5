// SPDX-License-Identifier: Apache-2.0

// Package healthcheckextension is the stock health_check extension (the same type and options), whose answer is the status
// of the components: a collector that runs and delivers nothing, or reads nothing, is not healthy.
//
// The stock extension answers "Server available" as long as the process runs, unless feature gate
// extension.healthcheck.useComponentStatus is opened with a flag and the configuration is written in another way. Here the
// gate is open, and what is not written has these values:
//
//	health_check:
//	  http:
//	    endpoint: localhost:13133
//	    status: {enabled: true, path: /}
//	  component_health:
//	    include_permanent_errors: true
//	    include_recoverable_errors: true
//	    recovery_duration: 1m
//
// `endpoint` and the other keys of the HTTP server may stand beside `http` as they always did, instead of it.
package healthcheckextension

import (
	"context"
	"errors"
	"fmt"
	"maps"

	stock "github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/featuregate"
)

const statusGate = "extension.healthcheck.useComponentStatus"

// Config is the stock extension's.
type Config struct {
	Stock stock.Config `mapstructure:",squash"`
}

// NewFactory returns the factory of health_check. It opens the gate for the process: only this extension asks for it, when
// its configuration is validated and when it is made.
func NewFactory() extension.Factory {
	inner := stock.NewFactory()
	gateErr := featuregate.GlobalRegistry().Set(statusGate, true)
	return extension.NewFactory(inner.Type(),
		func() component.Config {
			cfg := &Config{Stock: *inner.CreateDefaultConfig().(*stock.Config)}
			// An empty section is a section with our defaults.
			if err := cfg.Unmarshal(confmap.New()); err != nil {
				panic(err) // a stock version with other keys; every test of this package meets it
			}
			return cfg
		},
		func(ctx context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			if gateErr != nil {
				return nil, fmt.Errorf("health_check cannot show the status of components: %w", gateErr)
			}
			return inner.Create(ctx, set, &cfg.(*Config).Stock)
		},
		inner.Stability())
}

// without says why keys of the stock extension are refused.
var without = map[string]string{
	"check_collector_pipeline": "the status of every component counts here",
	"response_body":            "the answer names the status, and with ?verbose every component",
	"use_v2":                   "it is always so here",
}

// Unmarshal implements confmap.Unmarshaler: it writes the section in the form that shows the components' status, and adds
// the defaults.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	written := map[string]any{}
	maps.Copy(written, conf.ToStringMap())
	for key, why := range without {
		if _, ok := written[key]; ok {
			return fmt.Errorf("%s has no effect: %s; remove it", key, why)
		}
	}
	section := map[string]any{"component_health": withDefaults(written["component_health"], map[string]any{
		"include_permanent_errors":   true,
		"include_recoverable_errors": true,
		"recovery_duration":          "1m",
	})}
	delete(written, "component_health")

	_, hasHTTP := written["http"]
	_, hasGRPC := written["grpc"]
	switch {
	case !hasHTTP && !hasGRPC:
		path, ok := written["path"]
		if !ok {
			path = "/"
		}
		delete(written, "path")
		if _, ok := written["endpoint"]; ok {
			// As text: an address in brackets that comes from ${env:…} is a list to YAML, and only a field that is a string gets it as written.
			var flat struct {
				Endpoint string `mapstructure:"endpoint"`
			}
			if err := conf.Unmarshal(&flat, confmap.WithIgnoreUnused()); err != nil {
				return err
			}
			written["endpoint"] = flat.Endpoint
		}
		written["status"] = map[string]any{"enabled": true, "path": path}
		section["http"] = written
	default:
		server := maps.Clone(written)
		delete(server, "http")
		delete(server, "grpc")
		for key := range server {
			return fmt.Errorf("%s stands beside http or grpc, where it has no effect; write it under http", key)
		}
		maps.Copy(section, written)
		if http, ok := written["http"].(map[string]any); hasHTTP && (ok || written["http"] == nil) {
			section["http"] = withDefaults(http, map[string]any{"status": map[string]any{"enabled": true, "path": "/"}})
		}
	}
	return confmap.NewFromStringMap(section).Unmarshal(&c.Stock)
}

// withDefaults returns section with the defaults for what is not written in it.
func withDefaults(section any, defaults map[string]any) map[string]any {
	merged := maps.Clone(defaults)
	if written, ok := section.(map[string]any); ok {
		maps.Copy(merged, written)
	}
	return merged
}

// Validate implements confmap.Validator.
func (c *Config) Validate() error {
	if c.Stock.Config.HTTPConfig == nil && c.Stock.Config.GRPCConfig == nil {
		return errors.New("neither http nor grpc is written; write `endpoint: localhost:13133`")
	}
	return nil
}
