// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/original"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

const vectors = "../../pkg/seal/testdata/vectors"

// vectorLogs are the records of an archive of the stamp format's vectors, as far as pdata reads them.
func vectorLogs(t *testing.T, file string) plog.Logs {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(vectors, "archives", file))
	require.NoError(t, err)
	all := plog.NewLogs()
	for text := range bytes.Lines(content) {
		if logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(text); err == nil {
			logs.ResourceLogs().MoveAndAppendTo(all.ResourceLogs())
		}
	}
	return all
}

// redactionLogs are the lines of the redactor's corpus, each a record.
func redactionLogs(t *testing.T) plog.Logs {
	t.Helper()
	files, err := filepath.Glob("../../pkg/redact/testdata/lines/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	logs := plog.NewLogs()
	for _, name := range files {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("host.name", "web-17")
		records := resource.ScopeLogs().AppendEmpty().LogRecords()
		file, err := os.Open(name)
		require.NoError(t, err)
		lines := bufio.NewScanner(file)
		for n := 1; lines.Scan(); n++ {
			record := records.AppendEmpty()
			record.SetTimestamp(pcommon.Timestamp(1764324672_000000001 + n))
			record.Body().SetStr(lines.Text())
			record.Attributes().PutStr("log.file.path", name)
		}
		require.NoError(t, lines.Err())
		file.Close()
	}
	return logs
}

// originalsOf are what has to arrive.
func originalsOf(logs plog.Logs) (lines []string) {
	eachRecord(logs, func(record *original.Record) {
		lines = append(lines, string(record.AppendOriginal(nil)))
	})
	return lines
}

// eachRecord goes through records as the exporter does.
func eachRecord(logs plog.Logs, f func(*original.Record)) {
	wire, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
	if err != nil {
		panic(err)
	}
	if err := new(original.Reader).Read(wire, func(original.Attributes) {}, func(record *original.Record) bool {
		f(record)
		return true
	}); err != nil {
		panic(err)
	}
}

// inbox is what a receiver of text got.
type inbox struct {
	mu    sync.Mutex
	lines []string
}

func (b *inbox) put(lines ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, lines...)
}

func (b *inbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines)
}

// testCorpora sends everything that the redactor and the seals are tested with, and has it back byte for byte. received returns what arrived
// so far.
func testCorpora(t *testing.T, exp exporter.Logs, received func() []string) {
	before := 0
	roundTrip := func(t *testing.T, logs plog.Logs) []string {
		want := originalsOf(logs)
		require.NoError(t, exp.ConsumeLogs(context.Background(), logs))
		require.Eventually(t, func() bool { return len(received()) >= before+len(want) }, 60*time.Second, 5*time.Millisecond)
		got := received()[before:]
		before += len(got)
		arrived := slices.Clone(got)
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(t, want, got)
		return arrived
	}
	t.Run("redaction", func(t *testing.T) { roundTrip(t, redactionLogs(t)) })

	content, err := os.ReadFile(filepath.Join(vectors, "archives.json"))
	require.NoError(t, err)
	var archives []struct {
		File, Trust, Outcome string
		TrustCA              string `json:"trust_ca"`
		From, Until          string
		Quantum              bool `json:"require_post_quantum"`
		Records, Verified    uint64
	}
	require.NoError(t, json.Unmarshal(content, &archives))
	verified := 0
	for _, a := range archives {
		if !strings.HasSuffix(a.File, ".jsonl") {
			continue
		}
		logs := vectorLogs(t, a.File)
		if logs.LogRecordCount() == 0 {
			continue
		}
		got := roundTrip(t, logs)
		if a.Outcome != "ok" || a.Trust == "" || a.TrustCA+a.From+a.Until != "" || a.Quantum {
			continue
		}
		// What a search gives back is an archive.
		name := filepath.Join(t.TempDir(), a.File)
		require.NoError(t, os.WriteFile(name, []byte(strings.Join(got, "\n")+"\n"), 0o600))
		trust, err := seal.ParseTrust(strings.NewReader(a.Trust))
		require.NoError(t, err)
		report, err := archive.Verify(t.Context(), []string{name}, verifier.New(trust), time.Time{}, archive.Options{})
		require.NoError(t, err)
		assert.Equal(t, finding.OK, report.Verdict, a.File)
		assert.Equal(t, a.Verified, report.Verified, a.File)
		verified++
	}
	assert.Positive(t, verified)
}
