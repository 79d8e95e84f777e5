// SPDX-License-Identifier: Apache-2.0

package journaldreceiver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/journaldreceiver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestArguments(t *testing.T) {
	folder, none := "/j", ""
	for _, tt := range []struct {
		name   string
		change func(*stock.JournaldConfig)
		cursor string
		want   string

		catchesUp bool
	}{
		{name: "default", want: "--lines=0"},
		{name: "from the beginning", change: func(c *stock.JournaldConfig) { c.InputConfig.StartAt = "beginning" }, want: "--no-tail", catchesUp: true},
		{name: "from a cursor", cursor: "s=1;i=2", want: "--no-tail --cursor=s=1;i=2", catchesUp: true},
		{name: "info", change: func(c *stock.JournaldConfig) { c.InputConfig.Priority = "info" }, want: "--lines=0 --priority=info"},
		{name: "debug by its number", change: func(c *stock.JournaldConfig) { c.InputConfig.Priority = "7" }, want: "--lines=0"},
		{name: "a folder", change: func(c *stock.JournaldConfig) { c.InputConfig.Directory = &folder }, want: "--lines=0 --directory=/j --merge"},
		{name: "an empty folder is none", change: func(c *stock.JournaldConfig) { c.InputConfig.Directory = &none }, want: "--lines=0"},
		{name: "the kernel's, which are of this boot", cursor: "c", change: func(c *stock.JournaldConfig) {
			c.InputConfig.Dmesg, c.InputConfig.Directory = true, &folder
		}, want: "--no-tail --cursor=c --dmesg --directory=/j"},
		{name: "everything else", change: func(c *stock.JournaldConfig) {
			in := &c.InputConfig
			in.Units, in.Identifiers, in.Grep, in.Namespace, in.Merge = []string{"a", "b"}, []string{"i"}, "-x", "n", true
			in.Files = []string{"f"}
			in.Matches = append(in.Matches, map[string]string{"_UID": "0", "_PID": "1"}, map[string]string{"A": "b"})
		}, want: "--lines=0 --unit=a --unit=b --identifier=i --grep=-x --namespace=n --file=f --merge _PID=1 _UID=0 + A=b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*stock.JournaldConfig)
			if tt.change != nil {
				tt.change(cfg)
			}
			c := &inputConfig{Config: &cfg.InputConfig}
			assert.Equal(t, "--utc --output=export --all --follow "+tt.want, strings.Join(c.args(tt.cursor, true), " "))
			assert.Equal(t, tt.catchesUp, c.catchesUp(tt.cursor))
		})
	}
}

// fakeJournalctl is a program that prints a file, and with a cursor the rest of it from that entry on, and then waits.
func fakeJournalctl(t *testing.T, entries string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "export"), []byte(entries), 0o600))
	program := filepath.Join(dir, "journalctl")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\ncat "+dir+"/export\nexec sleep 600\n"), 0o700))
	return program
}

// Without the retry that the stock receiver needs, what is refused is read again.
func TestRefusedEntriesAreReadAgain(t *testing.T) {
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*stock.JournaldConfig)
	cfg.InputConfig.JournalctlPath = fakeJournalctl(t, "__CURSOR=1\nMESSAGE=first\n\n__CURSOR=2\nMESSAGE=second\n\n")
	cfg.BaseConfig.RetryOnFailure.Enabled = false
	var mu sync.Mutex
	var calls int
	var got []string
	next, err := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls == 1 {
			return errors.New("full")
		}
		for _, rl := range ld.ResourceLogs().All() {
			for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
				message, _ := lr.Body().Map().Get("MESSAGE")
				got = append(got, message.Str())
			}
		}
		return nil
	})
	require.NoError(t, err)
	r, err := f.CreateLogs(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	assert.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) == 2
	}, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Equal(t, []string{"first", "second"}, got)
}

func TestWhatCannotBeDoneIsSaidAtTheStart(t *testing.T) {
	for _, tt := range []struct {
		name          string
		change        func(*stock.JournaldConfig)
		create, start string
	}{
		{name: "no journalctl", change: func(c *stock.JournaldConfig) { c.InputConfig.JournalctlPath = "/none/journalctl" }, start: "part of systemd"},
		{name: "the original", change: func(c *stock.JournaldConfig) { c.InputConfig.IncludeLogRecordOriginal = true }, create: "include_log_record_original"},
		{name: "what the stock receiver refuses", change: func(c *stock.JournaldConfig) { c.InputConfig.StartAt = "middle" }, create: "start_at"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFactory()
			cfg := f.CreateDefaultConfig().(*stock.JournaldConfig)
			tt.change(cfg)
			r, err := f.CreateLogs(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, consumertest.NewNop())
			if tt.create != "" {
				require.ErrorContains(t, err, tt.create)
				return
			}
			require.NoError(t, err)
			require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), tt.start)
			require.NoError(t, r.Shutdown(t.Context()))
		})
	}
}
