// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/syslog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	parserconfig "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/syslog"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"github.com/logseal/logseal/pkg/tlsserver"
	"github.com/logseal/logseal/receiver/syslogreceiver/internal/metadata"
)

// Attributes of records that are not a whole message.
const (
	// AttributePart is the number of the part, from 1, of a message longer than max_log_size; AttributeLastPart is true on its last.
	AttributePart     = "logseal.syslog.part"
	AttributeLastPart = "logseal.syslog.last_part"
	// AttributeIncomplete is true on a message within which the connection ended.
	AttributeIncomplete = "logseal.syslog.incomplete"
)

const (
	// A batch is what has arrived whole, up to these bounds: one request.
	maxBatch      = 100
	maxBatchBytes = 1 << 20

	// A stop goes on reading what senders have written already until nothing has come for drainTime, and for drainAtMost if they go on writing.
	// What takes time is the pipeline, not the reading: on a busy machine what lies in a connection's buffer can take it seconds.
	drainTime   = 250 * time.Millisecond
	drainAtMost = stopTime - time.Second
	// stopTime is how long a stop waits for the pipeline to take that.
	stopTime = 5 * time.Second
)

// inputConfig builds an input with the options of the stock syslog_input.
type inputConfig struct {
	*syslog.Config
	report func(error) // whether senders are taken
}

func (c *inputConfig) Build(set component.TelemetrySettings) (operator.Operator, error) {
	if err := c.check(set); err != nil {
		return nil, err
	}
	base, err := c.InputConfig.Build(set)
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	in := &input{
		InputOperator: base,
		health:        health{report: c.report},
		telemetry:     telemetry,
		report:        newReport(base.Logger()),
		drop:          strings.HasPrefix(c.OnError, helper.DropOnError),
		parser: parser{
			location: time.UTC, now: time.Now,
			rfc5424: c.Protocol != parserconfig.None, rfc3164: c.Protocol != parserconfig.None,
		},
	}
	if c.Location != "" {
		if in.parser.location, err = time.LoadLocation(c.Location); err != nil {
			return nil, fmt.Errorf("location: %w", err)
		}
	}
	name := ""
	if c.TCP != nil {
		name = c.TCP.Encoding
		in.maxMessage = int(c.TCP.MaxLogSize)
		if in.maxMessage == 0 {
			in.maxMessage = tcp.DefaultMaxLogSize
		}
		in.tcp = c.TCP
		in.nul = c.NonTransparentFramingTrailer != nil && *c.NonTransparentFramingTrailer == parserconfig.NULTrailer
		if c.TCP.TLS != nil {
			if _, err = loadTLS(*c.TCP.TLS); err != nil {
				return nil, err
			}
		}
		in.maxConnections = cmp.Or(c.TCP.MaxConnections, defaultMaxConnections)
	} else {
		name = c.UDP.Encoding
		in.udp = c.UDP
	}
	if in.encoding, err = lookUp(name); err != nil {
		return nil, err
	}
	in.addAttributes = c.TCP != nil && c.TCP.AddAttributes || c.UDP != nil && c.UDP.AddAttributes
	return in, nil
}

// check refuses what the stock receiver refuses, and what detection leaves no room for.
func (c *inputConfig) check(set component.TelemetrySettings) error {
	const remedy = "the messages of a connection are told apart by how each is framed; remove the option"
	stock := *c.Config
	switch {
	case c.TCP != nil && c.UDP != nil:
		return errors.New("tcp and udp: a receiver has one of them; configure two, syslog/tcp and syslog/udp")
	case c.TCP != nil:
		if s := c.TCP.SplitConfig; s.LineStartPattern != "" || s.LineEndPattern != "" {
			return errors.New("tcp.multiline: " + remedy)
		}
		if c.TCP.OneLogPerPacket {
			return errors.New("tcp.one_log_per_packet: " + remedy)
		}
		checked := *c.TCP
		checked.TLS, checked.AddAttributes = nil, false // files and a resolver are for what runs
		stock.TCP = &checked
		if c.Protocol != parserconfig.RFC5424 { // these are of RFC 5424 for the stock receiver only
			stock.NonTransparentFramingTrailer = nil
		}
	case c.UDP != nil:
		checked := *c.UDP
		checked.AddAttributes = false
		stock.UDP = &checked
	}
	_, err := stock.Build(set)
	return err
}

// lookUp returns the encoding of that name, or nil for UTF-8, which is left as it is.
func lookUp(name string) (encoding.Encoding, error) {
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8", "utf8-raw", "nop", "ascii", "us-ascii":
		return nil, nil
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return nil, fmt.Errorf("encoding: %q is not known", name)
	}
	return e, nil
}

type input struct {
	helper.InputOperator
	telemetry *metadata.TelemetryBuilder
	report    *report
	parser    parser
	encoding  encoding.Encoding // nil: UTF-8
	resolver  *helper.IPResolver
	// addAttributes says that records name both ends of their connection.
	addAttributes bool
	drop          bool // what does not parse
	maxMessage    int
	nul           bool
	tcp           *tcp.BaseConfig
	udp           *udpConfig
	tls           *tlsserver.Server // nil: in the clear
	health        health

	maxConnections int

	stopping context.CancelFunc // no more is accepted
	cancel   context.CancelFunc // what is on its way is given up
	wg       sync.WaitGroup
	stop     func() // closes the listener and lets the readers end
}

// Start listens.
func (in *input) Start(operator.Persister) error {
	listening, stopping := context.WithCancel(context.Background())
	emitting, cancel := context.WithCancel(context.Background())
	in.stopping, in.cancel = stopping, cancel
	if in.addAttributes {
		in.resolver = helper.NewIPResolver()
	}
	var err error
	if in.tcp != nil {
		in.stop, err = in.listenTCP(listening, emitting)
	} else {
		in.stop, err = in.listenUDP(listening, emitting)
	}
	if err != nil {
		stopping()
		cancel()
		return err
	}
	return nil
}

// Stop reads what has been written to open connections, and returns when the pipeline has taken it, or has had time to.
func (in *input) Stop() error {
	if in.stop != nil {
		in.stopping()
		in.stop()
		done := make(chan struct{})
		go func() {
			in.wg.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(stopTime):
			in.Logger().Error("syslog: the pipeline does not take what was read before the stop; it is lost")
		}
		in.cancel()
		<-done
		if in.tls != nil {
			in.tls.Close()
		}
		in.stop = nil
	}
	in.report.close()
	if in.resolver != nil {
		in.resolver.Stop()
		in.resolver = nil
	}
	in.telemetry.Shutdown()
	return nil
}

// source is where messages come from.
type source struct {
	transport  string // tcp or udp
	peer       string // the host, for the report
	attributes map[string]any
	split      header // of the message whose parts come
}

// batch gathers records for one request.
type batch struct {
	entries []*entry.Entry
	size    int
}

func (b *batch) full() bool { return len(b.entries) >= maxBatch || b.size >= maxBatchBytes }

// add makes a record of a frame.
func (in *input) add(ctx context.Context, b *batch, src *source, f frame) {
	text := string(f.data)
	if in.encoding != nil {
		if decoded, err := in.encoding.NewDecoder().String(text); err == nil {
			text = decoded
		}
	}
	var h header
	if f.part > 1 {
		h = src.split
	} else {
		h = in.parser.parse(text)
		if f.part == 1 {
			src.split = h
		}
		if !h.known() && (in.parser.rfc5424 || in.parser.rfc3164) {
			in.telemetry.ReceiverSyslogUnparsedRecords.Add(ctx, 1, transport(src.transport))
			in.report.unparsed(src.peer, len(f.data))
			if in.drop {
				return
			}
		}
	}
	e, err := in.NewEntry(text)
	if err != nil {
		in.Logger().Error("syslog: a record could not be made", zap.Error(err))
		return
	}
	if e.Attributes == nil {
		e.Attributes = make(map[string]any, 8)
	}
	h.apply(e)
	for name, value := range src.attributes {
		e.Attributes[name] = value
	}
	if f.part > 0 {
		e.Attributes[AttributePart] = f.part
		if f.last {
			e.Attributes[AttributeLastPart] = true
		}
		in.telemetry.ReceiverSyslogSplitRecords.Add(ctx, 1, transport(src.transport))
		in.report.split(src.peer, len(f.data))
	}
	if f.incomplete {
		e.Attributes[AttributeIncomplete] = true
	}
	b.entries = append(b.entries, e)
	b.size += len(text)
}

// emit hands the batch on. A pipeline that is full makes the sender wait.
func (in *input) emit(ctx context.Context, b *batch) {
	if len(b.entries) == 0 {
		return
	}
	if err := in.WriteBatch(ctx, b.entries); err != nil {
		in.Logger().Error("syslog: records could not be passed on", zap.Int("records", len(b.entries)), zap.Error(err))
	}
	*b = batch{}
}
