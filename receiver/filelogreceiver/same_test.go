// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/transformer/noop"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

const lastLine = "the last line END"

// randomText is lines of all kinds: what there is in logs, and what there should not be.
func randomText(r *rand.Rand) string {
	pieces := []string{
		"a word ", "password=hunter2 ", "ä€😀", " ", "\t", "  ", "\r", "\x00", "\x1b[31m", "\xff", "\xe2\x82", "\xf0\x9f\x98", "\xc3", "\xed\xa0\x80", "\ufeff",
		"\u2028", "END", "2026-11-28 ", `{"log":"x"}`, "2026-11-28T10:11:12.1Z stdout P ",
	}
	ends := []string{"\n", "\n", "\n", "\n", "\r\n", "\n\n", "\r\r\n", " \n", "\t\n"}
	var b strings.Builder
	for range r.IntN(400) {
		for range r.IntN(12) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		if r.IntN(150) == 0 {
			b.WriteString(strings.Repeat("long ", r.IntN(30_000)))
		}
		b.WriteString(ends[r.IntN(len(ends))])
	}
	b.WriteString(lastLine + "\n")
	return b.String()
}

// The way without entries, the way with operators and the stock receiver make the same records of the same files, with the
// same attributes and in the same order in each file.
func TestEveryWayMakesTheSameRecords(t *testing.T) {
	seed := uint64(os.Getpid())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	pages, err := filepath.Glob("../../docs/s*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)

	for name, config := range map[string]func(*stock.FileLogConfig){
		"default": func(*stock.FileLogConfig) {},
		"raw":     func(c *stock.FileLogConfig) { c.InputConfig.Encoding = "utf-8-raw" },
		"latin1":  func(c *stock.FileLogConfig) { c.InputConfig.Encoding = "latin1" },
		"utf-16":  func(c *stock.FileLogConfig) { c.InputConfig.Encoding = "utf-16" },
		"every attribute": func(c *stock.FileLogConfig) {
			c.InputConfig.IncludeFilePath = true
			c.InputConfig.IncludeFileNameResolved = true
			c.InputConfig.IncludeFilePathResolved = true
			c.InputConfig.IncludeFileOwnerName = true
			c.InputConfig.IncludeFileOwnerGroupName = true
			c.InputConfig.IncludeFilePermissions = true
		},
		"numbers and offsets": func(c *stock.FileLogConfig) {
			c.InputConfig.IncludeFileRecordNumber = true
			c.InputConfig.IncludeFileRecordOffset = true
		},
		"no attribute": func(c *stock.FileLogConfig) { c.InputConfig.IncludeFileName = false },
		"blanks kept": func(c *stock.FileLogConfig) {
			c.InputConfig.TrimConfig.PreserveLeading, c.InputConfig.TrimConfig.PreserveTrailing = true, true
		},
		"leading blanks": func(c *stock.FileLogConfig) { c.InputConfig.TrimConfig.PreserveLeading = true },
		"line end":       func(c *stock.FileLogConfig) { c.InputConfig.SplitConfig.LineEndPattern = "END" },
		"short records":  func(c *stock.FileLogConfig) { c.InputConfig.MaxLogSize = 100 },
		"small buffer":   func(c *stock.FileLogConfig) { c.InputConfig.InitialBufferSize = 128 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			texts := map[string]string{}
			for i := range 6 {
				texts[fmt.Sprintf("random%d.log", i)] = randomText(random)
			}
			for _, page := range pages {
				text, err := os.ReadFile(page)
				require.NoError(t, err)
				texts[filepath.Base(page)] = string(text) + lastLine + "\n"
			}
			for file, text := range texts {
				if name == "utf-16" {
					var b strings.Builder
					for _, c := range []byte(text) {
						b.Write([]byte{c, 0})
					}
					text = b.String()
				}
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
			}
			read := func(what func(p *place)) map[string][]map[string]any {
				p := newPlace(t)
				p.dir, p.config, p.last = dir, config, lastLine
				what(p)
				p.run(len(texts), shutdown)
				byFile := map[string][]map[string]any{}
				for _, r := range p.records {
					file, _ := r["attributes"].(map[string]any)["log.file.name"].(string)
					byFile[file] = append(byFile[file], r)
				}
				return byFile
			}
			// Synchronous, because the stock emitter mixes up the order of batches.
			want := read(func(p *place) { p.factory = lossless.NewFactory(stock.NewFactory()) })
			if name == "no attribute" {
				assert.ElementsMatch(t, want[""], read(func(*place) {})[""])
				return
			}
			require.Equal(t, want, read(func(*place) {}), "direct")
			require.Equal(t, want, read(func(p *place) {
				p.config = func(c *stock.FileLogConfig) {
					config(c)
					c.Operators = []operator.Config{operator.NewConfig(noop.NewConfig())}
				}
			}), "with an operator")
		})
	}
}
