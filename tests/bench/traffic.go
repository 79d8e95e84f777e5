// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/logseal/logseal/internal/testbed"
)

const (
	agents = 4

	// consumers is how many requests an agent has under way: the default of siem's queue.
	consumers = 10
)

// traffic is what the shipped agents of some hosts have sent, sealed and compressed, to be sent once more as fast as it is taken.
type traffic []sender

// sender is one agent: its certificate, and its requests as gRPC messages, in their order.
type sender struct {
	id       testbed.Identity
	requests [][]byte
	records  int // in them; what an agent had to send again counts again
	err      error
}

// records is how many records there are in all requests, without seals.
func (t traffic) records() (n int) {
	for i := range t {
		n += t[i].records
	}
	return n
}

// record runs the shipped agents on new lines, side by side, and keeps what they send until they have stopped.
func record(ctx context.Context, o options, site *testbed.Site) (traffic, error) {
	t := make(traffic, agents)
	var running sync.WaitGroup
	for i := range t {
		running.Go(func() {
			t[i].err = t[i].record(ctx, site, fmt.Sprintf("web-%d", i), o.lines/agents, uint64(time.Now().UnixNano())+uint64(i))
		})
	}
	running.Wait()
	var errs []error
	for i := range t {
		errs = append(errs, t[i].err)
	}
	return t, errors.Join(errs...)
}

func (s *sender) record(ctx context.Context, site *testbed.Site, host string, lines int, seed uint64) (err error) {
	if s.id, err = site.PKI.Issue(host); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(site.Dir, host+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	input := filepath.Join(dir, "input.log")
	if err := writeAccessLog(input, lines, seed); err != nil {
		return err
	}
	sink, err := newOTLPSink(pki(site), s.keep)
	if err != nil {
		return err
	}
	defer sink.Close()
	agent, err := elsewhere(site.Agent, dir)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"LOGSEAL_INCLUDE": "['" + input + "']", "LOGSEAL_HOST_NAME": host, "LOGSEAL_STREAM_NAME": host,
		"LOGSEAL_CERT_FILE": s.id.CertFile, "LOGSEAL_KEY_FILE": s.id.KeyFile, "LOGSEAL_SIEM_ENDPOINT": sink.Addr().String(),
	} {
		agent.Env[name] = value
	}
	process, err := agent.Start(ctx)
	if err != nil {
		return err
	}
	if err := awaitRecords(ctx, process, sink, lines); err != nil {
		process.Kill()
		return err
	}
	err = process.Stop(time.Minute)
	s.records = int(sink.records.Load())
	return err
}

// keep takes a request in.
func (s *sender) keep(request plogotlp.ExportRequest) error {
	encoded, err := request.MarshalProto()
	if err != nil {
		return err
	}
	var compressed bytes.Buffer
	z, err := gzip.NewWriterLevel(&compressed, gzip.BestSpeed) // as agents do
	if err != nil {
		return err
	}
	if _, err := z.Write(encoded); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	s.requests = append(s.requests, testbed.Message(compressed.Bytes(), true))
	return nil
}

// replay sends everything to the server at addr.
func (t traffic) replay(ctx context.Context, site *testbed.Site, addr string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for i := range t {
		client, err := site.NewClient(t[i].id.CertFile, t[i].id.KeyFile, addr)
		if err != nil {
			return err
		}
		defer client.Close()
		requests := make(chan []byte, len(t[i].requests))
		for _, request := range t[i].requests {
			requests <- request
		}
		close(requests)
		for range consumers {
			running.Go(func() {
				for request := range requests {
					if err := client.Export(ctx, request); err != nil {
						cancel(err)
						return
					}
				}
			})
		}
	}
	running.Wait()
	return context.Cause(ctx)
}

// elsewhere is a collector with a folder, a state and ports of its own.
func elsewhere(c testbed.Collector, dir string) (testbed.Collector, error) {
	ports, err := testbed.FreePorts(2)
	if err != nil {
		return c, err
	}
	c.Dir, c.HealthPort, c.MetricsPort = dir, ports[0], ports[1]
	c.Env = maps.Clone(c.Env)
	c.Env["LOGSEAL_STATE_DIR"] = filepath.Join(dir, "state")
	return c, nil
}

// awaitRecords waits until so many records have arrived.
func awaitRecords(ctx context.Context, from *testbed.Process, at *otlpSink, records int) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	err := testbed.Until(ctx, func() (bool, error) {
		select {
		case <-from.Done():
			return false, errors.New("the process ended early")
		default:
		}
		return at.records.Load() >= int64(records), nil
	})
	if err != nil {
		return fmt.Errorf("%d of %d records arrived: %w; see %s", at.records.Load(), records, err, from.LogFile())
	}
	return nil
}
