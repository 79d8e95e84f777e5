// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/flood"
)

// Config of a flood_guard. Everything has a default.
type Config struct {
	// Key names what tells sources apart; the first that is known of a record counts. See keys.go for the names.
	Key []string `mapstructure:"key"`

	// Rate is the budget of a source, Total that of all together.
	Rate  RateConfig `mapstructure:"rate"`
	Total RateConfig `mapstructure:"total"`

	Reserve ReserveConfig `mapstructure:"reserve"`

	// OnExceed is drop, which sheds the records above a limit, or hold, which refuses their batch retryably.
	OnExceed string `mapstructure:"on_exceed"`

	// MaxKeys is how many sources have a state of their own. The others share one budget.
	MaxKeys int `mapstructure:"max_keys"`

	// ReportInterval is how often a source that goes on shedding is reported.
	ReportInterval time.Duration `mapstructure:"report_interval"`

	// AcceptReports leaves records of others that look like a report as they are: what stands behind agents that guard and stamp
	// themselves must not alter what they have sealed. Otherwise they are renamed.
	AcceptReports bool `mapstructure:"accept_reports"`

	// Overrides give sources other rates. The first whose pattern matches counts.
	Overrides []Override `mapstructure:"overrides"`

	// Storage is the storage extension that keeps what is counted and not reported yet. Without it a kill loses that.
	Storage *component.ID `mapstructure:"storage"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RateConfig is a limit. 0 is none.
type RateConfig struct {
	Records  float64       `mapstructure:"records"`   // a second
	BytesMiB float64       `mapstructure:"bytes_mib"` // a second, as OTLP encodes them
	Burst    time.Duration `mapstructure:"burst"`     // how many seconds' worth may come at once

	// prevent unkeyed literal initialization
	_ struct{}
}

// ReserveConfig says what a share of each budget is kept for.
type ReserveConfig struct {
	Share       float64  `mapstructure:"share"`        // of each budget, 0 to below 1
	MinSeverity string   `mapstructure:"min_severity"` // for records that are at least as severe
	Conditions  []string `mapstructure:"conditions"`   // and for those that one of these OTTL conditions holds for

	// prevent unkeyed literal initialization
	_ struct{}
}

// Override gives the sources whose key matches a pattern another rate. What it does not set is as in rate.
type Override struct {
	Key  string     `mapstructure:"key"` // as in path.Match: * does not match a slash
	Rate RateConfig `mapstructure:"rate"`

	// prevent unkeyed literal initialization
	_ struct{}
}

const (
	onExceedDrop = "drop"
	onExceedHold = "hold"

	mib = 1 << 20

	minReportInterval = time.Second
	maxMaxKeys        = 1_000_000
)

func createDefaultConfig() component.Config {
	return &Config{
		Key:            []string{"k8s.pod.uid", "log.file.path", keyJournalUnit, keyClientName, keyClientAddress},
		Rate:           RateConfig{Records: 2000, BytesMiB: 2, Burst: 10 * time.Second},
		Total:          RateConfig{Records: 50_000, Burst: 10 * time.Second},
		Reserve:        ReserveConfig{Share: 0.2, MinSeverity: "warn"},
		OnExceed:       onExceedDrop,
		MaxKeys:        10_000,
		ReportInterval: 10 * time.Second,
	}
}

// Unmarshal gives an override what it does not set.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := conf.Unmarshal(c); err != nil {
		return err
	}
	overrides, _ := conf.Get("overrides").([]any)
	for i := range c.Overrides {
		c.Overrides[i].Rate = c.Rate
		set, _ := overrides[i].(map[string]any)
		rate, _ := set["rate"].(map[string]any)
		if err := confmap.NewFromStringMap(rate).Unmarshal(&c.Overrides[i].Rate); err != nil {
			return fmt.Errorf("overrides[%d].rate: %w", i, err)
		}
	}
	return nil
}

var severities = map[string]plog.SeverityNumber{
	"":      plog.SeverityNumberUnspecified,
	"trace": plog.SeverityNumberTrace, "debug": plog.SeverityNumberDebug, "info": plog.SeverityNumberInfo,
	"warn": plog.SeverityNumberWarn, "error": plog.SeverityNumberError, "fatal": plog.SeverityNumberFatal,
}

// Validate says what to write for everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Key) == 0 {
		add("key is empty: name what tells sources apart, for example key: [log.file.path, client.address]")
	}
	for i, name := range c.Key {
		switch {
		case name == "":
			add("key[%d] is empty: name an attribute that the receiver sets, such as log.file.path", i)
		case slices.Contains(c.Key[:i], name):
			add("key[%d]: %q is there twice", i, name)
		case strings.HasPrefix(name, clientPrefix) && name != keyClientName && name != keyClientAddress:
			add("key[%d]: there is no %q: of a client, write %s or %s", i, name, keyClientName, keyClientAddress)
		}
	}
	c.Rate.validate("rate", add)
	c.Total.validate("total", add)
	if c.Reserve.Share < 0 || c.Reserve.Share >= 1 {
		add("reserve.share: %v: write 0 (none) to below 1; 0.2 is the default", c.Reserve.Share)
	}
	if _, found := severities[c.Reserve.MinSeverity]; !found {
		add("reserve.min_severity: %q: write one of %s, or \"\" if severity alone is not enough", c.Reserve.MinSeverity,
			strings.Join(slices.DeleteFunc(slices.Sorted(maps.Keys(severities)), func(s string) bool { return s == "" }), ", "))
	}
	if c.OnExceed != onExceedDrop && c.OnExceed != onExceedHold {
		add("on_exceed: %q: write drop (what is above a limit is shed, and reported) or hold (the receiver waits)", c.OnExceed)
	}
	if c.MaxKeys < 1 || c.MaxKeys > maxMaxKeys {
		add("max_keys: %d: write 1 to %d; 10000 is the default", c.MaxKeys, maxMaxKeys)
	}
	if c.ReportInterval < minReportInterval {
		add("report_interval: %s: write at least %s; 10s is the default", c.ReportInterval, minReportInterval)
	}
	for i, o := range c.Overrides {
		if _, err := path.Match(o.Key, ""); err != nil || o.Key == "" {
			add("overrides[%d].key: %q is no pattern: write, for example, /var/log/audit/*", i, o.Key)
		}
		o.Rate.validate(fmt.Sprintf("overrides[%d].rate", i), add)
	}
	return errors.Join(errs...)
}

func (r RateConfig) validate(name string, add func(string, ...any)) {
	if r.Records < 0 {
		add("%s.records: %v: write records a second, or 0 for no limit", name, r.Records)
	}
	if r.BytesMiB < 0 {
		add("%s.bytes_mib: %v: write MiB a second, or 0 for no limit", name, r.BytesMiB)
	}
	if r.Burst < time.Second || r.Burst > 24*time.Hour {
		add("%s.burst: %s: write 1s to 24h: how many seconds' worth may come at once", name, r.Burst)
	}
}

func (r RateConfig) rate() flood.Rate {
	return flood.Rate{Records: r.Records, Bytes: r.BytesMiB * mib, Burst: r.Burst}
}

func (c *Config) engine() flood.Config {
	return flood.Config{
		Rate: c.Rate.rate(), Total: c.Total.rate(), Reserve: c.Reserve.Share, MaxKeys: c.MaxKeys, Hold: c.OnExceed == onExceedHold,
		RateOf: func(key flood.Key) (flood.Rate, bool) {
			for _, o := range c.Overrides {
				if match, err := path.Match(o.Key, key.Value); err == nil && match {
					return o.Rate.rate(), true
				}
			}
			return flood.Rate{}, false
		},
	}
}
