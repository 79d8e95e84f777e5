// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/timeparser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
)

// What docs/bundle.md says of times with the name of a zone, and of the remedy.
func TestZonesOfTimes(t *testing.T) {
	read := func(text string, locations map[string]any) (time.Time, error) {
		cfg := timeparser.NewConfig()
		require.NoError(t, cfg.Unmarshal(confmap.NewFromStringMap(map[string]any{
			"parse_from": "body", "layout": "%Y-%m-%d %H:%M:%S.%L %Z", "time_zone_locations": locations,
		})))
		op, err := cfg.Build(componenttest.NewNopTelemetrySettings())
		require.NoError(t, err)
		e := entry.New()
		e.Body = text
		err = op.(*timeparser.Parser).TimeParser.Parse(e)
		return e.Timestamp.UTC(), err
	}
	_, err := read("2026-07-28 09:12:44.250 CEST", nil)
	require.ErrorContains(t, err, "CEST", "the stock parser knows the zones of summer now: docs/bundle.md, Times with the name of a zone")
	for text, hour := range map[string]int{"2026-01-28 09:12:44.250 CET": 8, "2026-07-28 09:12:44.250 CEST": 7} {
		at, err := read(text, map[string]any{"CET": "Europe/Berlin", "CEST": "Europe/Berlin"})
		require.NoError(t, err, text)
		assert.Equal(t, hour, at.Hour(), text)
	}
}
