// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.yaml.in/yaml/v3"

	"github.com/logseal/logseal/pkg/tlspin"
)

const operatorsPage = "../../docs/siem-exporter.md"

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(operatorsPage)
	require.NoError(t, err)
	return string(page)
}

// section returns the part of the page under a heading.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "\n## "+heading+"\n")
	require.True(t, ok, "no section %q", heading)
	part, _, _ := strings.Cut(rest, "\n## ")
	return part
}

var tableRow = regexp.MustCompile("(?m)^\\| `(.+?)` \\| (`+)(.+?)`+ \\|$")

// TestMistakes holds the page to its table of mistakes: each one, put into the valid configuration, gets that message.
func TestMistakes(t *testing.T) {
	rows := tableRow.FindAllStringSubmatch(section(t, readPage(t), "Ten likely mistakes, and what you are told"), -1)
	require.Len(t, rows, 10)
	for _, row := range rows {
		written, message := row[1], strings.TrimSpace(row[3])
		t.Run(written, func(t *testing.T) {
			all, err := confmaptest.LoadConf("testdata/config.yaml")
			require.NoError(t, err)
			valid, err := all.Sub("siem")
			require.NoError(t, err)
			var mistake map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(written), &mistake))
			require.NoError(t, valid.Merge(confmap.NewFromStringMap(mistake)))

			cfg := createDefaultConfig().(*Config)
			err = valid.Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			require.Error(t, err)
			assert.Contains(t, strings.Join(strings.Fields(err.Error()), " "), message)
		})
	}
}

// TestPageNamesEveryMetric: the operator finds every metric, reason and verdict on the page.
func TestPageNamesEveryMetric(t *testing.T) {
	page := readPage(t)
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	metrics, err := conf.Sub("telemetry::metrics")
	require.NoError(t, err)
	for name := range metrics.ToStringMap() {
		assert.Contains(t, page, "`otelcol_"+name+"`")
	}
	for _, reason := range []string{
		tlspin.ReasonPin, tlspin.ReasonUntrusted, tlspin.ReasonName, tlspin.ReasonExpired, tlspin.ReasonCertificate,
		tlspin.ReasonVersion, tlspin.ReasonGroup, tlspin.ReasonClientCert, tlspin.ReasonNotTLS, tlspin.ReasonTimeout,
		tlspin.ReasonOther, causeInvalid, causeTooLarge, causePartial, causeDeadLetter, causeDeadline,
	} {
		assert.Contains(t, page, "`"+reason+"`")
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestPagesConfigurations: every siem exporter that the pages show is one that starts.
func TestPagesConfigurations(t *testing.T) {
	for _, file := range []string{operatorsPage, "README.md"} {
		page, err := os.ReadFile(file)
		require.NoError(t, err)
		blocks := yamlBlock.FindAllStringSubmatch(string(page), -1)
		require.NotEmpty(t, blocks, file)
		for _, block := range blocks {
			var content map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(block[1]), &content), block[1])
			exporters, err := confmap.NewFromStringMap(content).Sub("exporters")
			require.NoError(t, err)
			siem, err := exporters.Sub("siem")
			require.NoError(t, err)
			cfg := createDefaultConfig().(*Config)
			require.NoError(t, siem.Unmarshal(cfg), block[1])
			require.NoError(t, confmap.Validate(cfg), block[1])
		}
	}
}
