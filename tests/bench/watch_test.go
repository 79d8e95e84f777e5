// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/logseal/logseal/distributions"
)

// The two sides of watch differ in the connector, and in nothing that records pass.
func TestWithoutVerify(t *testing.T) {
	type pipeline struct{ Receivers, Processors, Exporters []string }
	type config struct {
		Connectors map[string]any
		Receivers  map[string]any
		Exporters  map[string]any
		Service    struct{ Pipelines map[string]pipeline }
	}
	read := func(text []byte) (c config) {
		require.NoError(t, yaml.Unmarshal(text, &c))
		return c
	}
	text, err := withoutVerify(distributions.Gateway)
	require.NoError(t, err)
	shipped, without := read(distributions.Gateway), read(text)

	logs := shipped.Service.Pipelines["logs"]
	require.Equal(t, []string{"siem", "verify"}, logs.Exporters)
	logs.Exporters = []string{"siem"}
	assert.Equal(t, map[string]pipeline{"logs": logs}, without.Service.Pipelines)
	assert.Empty(t, without.Connectors)
	assert.Equal(t, shipped.Receivers, without.Receivers)
	assert.Equal(t, shipped.Exporters, without.Exporters)
}
