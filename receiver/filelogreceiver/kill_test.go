// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/container"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var storageID = component.MustNewID("memory")

// disk is a storage extension; what it holds when it is frozen is what a SIGKILL at that moment would leave.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	mu     sync.Mutex
	values map[string][]byte
	frozen bool
	full   bool // refuses to write
}

var errFull = errors.New("no space left on device")

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return diskClient{storage.NewNopClient(), d}, nil
}

func (d *disk) freeze() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.frozen = true
}

type diskClient struct {
	storage.Client
	*disk
}

func (c diskClient) Get(_ context.Context, key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[key], nil
}

func (c diskClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, op := range ops {
		switch {
		case op.Type != storage.Set || c.frozen:
		case c.full:
			return errFull
		default:
			c.values[op.Key] = op.Value
		}
	}
	return nil
}

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// place is a directory of log files, and what has been accepted of them.
type place struct {
	t       *testing.T
	dir     string
	factory receiver.Factory
	config  func(*stock.FileLogConfig)
	values  map[string][]byte // in the storage
	full    bool

	mu       sync.Mutex
	accepted map[string]int // bodies, and how often
	records  []map[string]any
	onAccept func() // called after each batch
	last     string // what the record that n counts contains; "": n counts all

	// What the next consumer does with a batch whose first record is this; nil: it takes it.
	holds, refuses func(first string) bool
}

func newPlace(t *testing.T) *place {
	return &place{t: t, dir: t.TempDir(), factory: newFactory(everySaveIsDue(), 5), values: map[string][]byte{}, accepted: map[string]int{}}
}

// everySaveIsDue is a clock that makes every save due but a poll's first.
func everySaveIsDue() func() time.Time {
	var mu sync.Mutex
	clock := time.Unix(0, 0)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		clock = clock.Add(time.Hour)
		return clock
	}
}

func (p *place) write(name, text string) {
	p.t.Helper()
	f, err := os.OpenFile(filepath.Join(p.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(p.t, err)
	_, err = f.WriteString(text)
	require.NoError(p.t, err)
	require.NoError(p.t, f.Close())
}

func (p *place) rename(from, to string) {
	require.NoError(p.t, os.Rename(filepath.Join(p.dir, from), filepath.Join(p.dir, to)))
}

func (p *place) compress(from, to string) {
	text, err := os.ReadFile(filepath.Join(p.dir, from))
	require.NoError(p.t, err)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(text)
	require.NoError(p.t, err)
	require.NoError(p.t, z.Close())
	require.NoError(p.t, os.WriteFile(filepath.Join(p.dir, to), b.Bytes(), 0o600))
	require.NoError(p.t, os.Remove(filepath.Join(p.dir, from)))
}

// end is how a run ends.
type end int

const (
	kill             end = iota // while the next consumer has a batch
	killRefused                 // while the next consumer refuses
	shutdownRefused             // likewise
	shutdown                    // after n records
	shutdownComplete            // after n different records, of all runs
)

var errRefused = errors.New("try again")

// run starts a receiver, takes about n records and ends it. The next start finds what is on disk then.
func (p *place) run(n int, how end) {
	p.t.Helper()
	d := &disk{values: maps.Clone(p.values), full: p.full}
	taken, enough, dead := 0, make(chan struct{}), make(chan struct{})
	var once sync.Once
	next, err := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error {
		records := records(ld)
		if len(records) == 0 {
			return nil
		}
		first := records[0]["body"].(string)
		switch {
		case p.refuses != nil && p.refuses(first):
			return errRefused
		case p.holds != nil && p.holds(first):
			<-dead
			return errRefused
		}
		p.mu.Lock()
		if taken >= n && how < shutdown {
			p.mu.Unlock()
			once.Do(func() { close(enough) })
			if how == kill {
				<-dead
			}
			return errRefused
		}
		for _, r := range records {
			p.accepted[r["body"].(string)]++
		}
		p.records = append(p.records, records...)
		for _, r := range records {
			if strings.Contains(r["body"].(string), p.last) {
				taken++
			}
		}
		done := how == shutdown && taken >= n || how == shutdownComplete && len(p.accepted) >= n
		p.mu.Unlock()
		if p.onAccept != nil {
			p.onAccept()
		}
		if done {
			once.Do(func() { close(enough) })
		}
		return nil
	})
	require.NoError(p.t, err)

	cfg := p.factory.CreateDefaultConfig().(*stock.FileLogConfig)
	cfg.InputConfig.Include = []string{filepath.Join(p.dir, "*")}
	cfg.InputConfig.StartAt = "beginning"
	cfg.InputConfig.PollInterval = time.Millisecond
	cfg.StorageID = &storageID
	cfg.RetryOnFailure.Enabled = true
	cfg.RetryOnFailure.InitialInterval = time.Millisecond
	cfg.RetryOnFailure.MaxElapsedTime = 0
	if p.config != nil {
		p.config(cfg)
	}
	r, err := p.factory.CreateLogs(p.t.Context(), receivertest.NewNopSettings(p.factory.Type()), cfg, next)
	require.NoError(p.t, err)
	require.NoError(p.t, r.Start(p.t.Context(), host{storageID: d}))
	select {
	case <-enough:
	case <-time.After(time.Minute):
		p.t.Errorf("waiting for %d records", n)
	}
	if how == kill || how == killRefused {
		d.freeze()
	}
	close(dead)
	require.NoError(p.t, r.Shutdown(p.t.Context()))
	p.values = d.values
}

func records(ld plog.Logs) (all []map[string]any) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				all = append(all, map[string]any{
					"body": lr.Body().AsString(), "type": lr.Body().Type(), "attributes": lr.Attributes().AsRaw(), "resource": rl.Resource().Attributes().AsRaw(),
					"scope": sl.Scope().Name(), "time": lr.Timestamp(), "severity": lr.SeverityNumber(), "severity text": lr.SeverityText(),
				})
			}
		}
	}
	return all
}

// lines renders the numbered lines from..to-1.
func lines(format string, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}

func TestKill(t *testing.T) {
	const plain = "line %d of some length, as they are"
	for _, tt := range []struct {
		name   string
		config func(*stock.FileLogConfig)
		steps  func(p *place)
		want   int // different records; 1000 if not said
		repeat int // records at most
	}{
		{name: "a new file", steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.run(500, kill)
		}},
		{name: "again and again", steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			for range 4 {
				p.run(200, kill)
			}
		}},
		{name: "while the SIEM refuses", steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.run(500, killRefused)
		}},
		{name: "a stop while the SIEM refuses", steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.run(500, shutdownRefused)
		}},
		{name: "a file known from before", steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 300))
			p.run(300, shutdown)
			p.write("app.log", lines(plain, 300, 1000))
			p.run(300, kill)
		}},
		{name: "a file known by less than a fingerprint", steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 3))
			p.run(3, shutdown)
			p.write("app.log", lines(plain, 3, 1000))
			p.run(300, kill)
		}},
		{name: "rotated while down", want: 1500, steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.run(500, kill)
			p.rename("app.log", "app.log.1")
			p.write("app.log", lines(plain, 1000, 1500))
		}},
		{name: "rotated while it is read", want: 2000, steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			var once sync.Once
			p.onAccept = func() {
				once.Do(func() {
					p.rename("app.log", "app.log.1")
					p.write("app.log", lines("another %d of some length, as it is", 0, 1000))
				})
			}
			p.run(500, kill)
		}},
		{name: "rotated before its first bytes are proven", want: 2000, repeat: 500, steps: func(p *place) {
			p.write("app.log", lines("%03d", 0, 1000)) // 100 of them are 400 bytes
			var once sync.Once
			p.onAccept = func() {
				once.Do(func() {
					p.rename("app.log", "app.log.1")
					p.write("app.log", lines("%03d of another kind", 0, 1000))
				})
			}
			p.run(500, kill)
		}},
		{name: "compressed while down", repeat: 700, config: func(c *stock.FileLogConfig) { c.InputConfig.Exclude = []string{"/**/*.gz"} }, steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.run(300, kill)
			p.compress("app.log", "app.log.1.gz")
			p.run(200, kill)
			p.run(200, shutdownRefused)
		}},
		{name: "two files", want: 2000, repeat: 100, steps: func(p *place) {
			p.write("a.log", lines("a "+plain, 0, 1000))
			p.write("b.log", lines("b "+plain, 0, 1000))
			p.run(1000, kill)
		}},
		{name: "one file waits while another flows", want: 2000, repeat: 100, steps: func(p *place) {
			p.write("a.log", lines("a "+plain, 0, 1000))
			p.write("b.log", lines("b "+plain, 0, 1000))
			p.holds = func(first string) bool { return strings.HasPrefix(first, "a line 200") }
			p.run(1100, kill)
			p.holds = nil
		}},
		{name: "a refusal that is not repeated", repeat: 500, config: func(c *stock.FileLogConfig) { c.RetryOnFailure.Enabled = false }, steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.refuses = func(first string) bool { return strings.HasPrefix(first, "line 200 ") }
			p.run(500, kill)
			p.refuses = nil
		}},
		{name: "two files with the same mark", want: 2000, repeat: 700, steps: func(p *place) {
			p.write("a.log", lines("a %03d", 0, 300))
			p.write("b.log", lines("b %03d", 0, 300))
			p.run(600, shutdown)
			p.write("a.log", lines("a %03d", 300, 1000))
			p.write("b.log", lines("b %03d", 300, 1000))
			p.run(700, kill)
		}},
		{name: "short lines", want: 2000, steps: func(p *place) {
			p.write("app.log", lines("%d", 0, 2000))
			p.run(1000, kill)
		}},
		{name: "a line longer than a fingerprint", want: 1001, steps: func(p *place) {
			p.write("app.log", strings.Repeat("long ", 1000)+"\n"+lines(plain, 0, 1000))
			p.run(500, kill)
		}},
		{name: "empty lines, blanks and CRLF", steps: func(p *place) {
			p.write("app.log", "\n\n"+lines("  %d \t\r\n\r", 0, 1000))
			p.run(500, kill)
		}},
		{name: "blanks kept", config: func(c *stock.FileLogConfig) {
			c.InputConfig.TrimConfig.PreserveLeading = true
			c.InputConfig.TrimConfig.PreserveTrailing = true
		}, steps: func(p *place) {
			p.write("app.log", lines("  %d \t", 0, 1000))
			p.run(500, kill)
		}},
		{name: "records of several lines", config: func(c *stock.FileLogConfig) {
			c.InputConfig.SplitConfig.LineStartPattern = "^line"
			c.InputConfig.FlushPeriod = time.Millisecond // the last one has no successor to end it
		}, steps: func(p *place) {
			p.write("app.log", lines(plain+"\n  at some place", 0, 1000))
			p.run(500, kill)
		}},
		{name: "UTF-16", config: func(c *stock.FileLogConfig) { c.InputConfig.Encoding = "utf-16" }, repeat: 500, steps: func(p *place) {
			var b strings.Builder
			for _, r := range lines(plain, 0, 1000) {
				b.WriteByte(byte(r))
				b.WriteByte(0)
			}
			p.write("app.log", b.String())
			p.run(500, kill)
		}},
		{name: "bytes that are no UTF-8 at the start", want: 1001, repeat: 500, steps: func(p *place) {
			p.write("app.log", "\xff\xfe\n"+lines(plain, 0, 1000))
			p.run(500, kill)
		}},
		{name: "a disk that is full", repeat: 500, steps: func(p *place) {
			p.full = true
			p.write("app.log", lines(plain, 0, 1000))
			p.run(500, kill)
			p.full = false
		}},
		{name: "path not wanted", config: func(c *stock.FileLogConfig) { c.InputConfig.IncludeFilePath = false }, steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.run(500, kill)
		}},
		{name: "containers' lines in parts", config: func(c *stock.FileLogConfig) {
			c.Operators = []operator.Config{operator.NewConfig(container.NewConfig())}
			c.Operators[0].Builder.(*container.Config).AddMetadataFromFilePath = false
		}, steps: func(p *place) {
			var b strings.Builder
			for i := range 1000 {
				fmt.Fprintf(&b, "%sstdout P line %d, \n%sstderr P error %d, \n%sstdout F its end\n%sstderr F its end\n", cri, i, cri, i, cri, cri)
			}
			p.write("app.log", b.String())
			for range 4 {
				p.run(300, kill)
			}
		}, want: 2000},
		{name: "an option that forbids it", config: func(c *stock.FileLogConfig) { c.InputConfig.Compression = "auto" }, repeat: 500, steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.run(500, kill)
		}},
		{name: "the stock receiver goes on", steps: func(p *place) {
			p.write("app.log", lines(plain, 0, 1000))
			p.run(500, kill)
			p.factory = stock.NewFactory()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			p.config = tt.config
			tt.steps(p)
			p.onAccept = nil
			want := tt.want
			if want == 0 {
				want = 1000
			}
			p.run(want, shutdownComplete)

			repeated := 0
			for _, n := range p.accepted {
				repeated += n - 1
			}
			assert.Len(t, p.accepted, want, "different records")
			assert.LessOrEqual(t, repeated, tt.repeat, "repeated")
		})
	}
}
