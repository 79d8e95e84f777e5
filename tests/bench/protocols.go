// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/logseal/logseal/internal/hectest"
	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
)

const benchToken = "00000000-0000-0000-0000-000000000000"

// prepareHEC is the agent as it is shipped, with Splunk as its SIEM, whose indexer acknowledges.
func prepareHEC(o options, site *testbed.Site, input string) (command, sink, error) {
	sink, err := newHECSink(pki(site))
	if err != nil {
		return command{}, nil, err
	}
	return prepareProtocol(o, site, input, sink,
		"{protocol: splunk_hec, endpoint: 'https://"+sink.Addr().String()+"', splunk_hec: {token: "+benchToken+"}}")
}

// prepareSyslog is the same with a receiver of syslog.
func prepareSyslog(o options, site *testbed.Site, input string) (command, sink, error) {
	sink, err := newFrameSink(pki(site))
	if err != nil {
		return command{}, nil, err
	}
	return prepareProtocol(o, site, input, sink,
		"{protocol: syslog, endpoint: '"+sink.Addr().String()+"', syslog: {max_message_bytes: 65536}}")
}

// prepareProtocol is the shipped agent with other keys of its exporter.
func prepareProtocol(o options, site *testbed.Site, input string, to sink, keys string) (command, sink, error) {
	c, otlp, err := prepareAgent(o, site, input)
	if err != nil {
		return command{}, nil, errors.Join(err, to.Close())
	}
	c.args = append(c.args, "--config", "yaml:exporters: {siem: "+keys+"}")
	return c, to, otlp.Close()
}

// hecSink is an HTTP Event Collector that counts events which are no seals.
type hecSink struct {
	*wire
	server *http.Server
	events atomic.Int64
}

func newHECSink(pki string) (*hecSink, error) {
	w, config, err := listen(pki)
	if err != nil {
		return nil, err
	}
	s := &hecSink{wire: w}
	s.server = &http.Server{ReadHeaderTimeout: time.Minute, TLSConfig: config, Handler: &hectest.Server{
		Token: benchToken, Acknowledge: true,
		Skim: func(body []byte) { s.events.Add(eventsIn(body)) },
	}}
	go func() { _ = s.server.ServeTLS(w, "", "") }() // until Close
	return s, nil
}

// eventsIn counts the events of a body that are no seals. Within a JSON string each quotation mark has a backslash before it, so that what is
// counted cannot stand in one.
func eventsIn(body []byte) int64 {
	return int64(bytes.Count(body, []byte(`,"event":"`)) - bytes.Count(body, sealInString))
}

var (
	sealMark     = []byte(`"eventName":"` + seal.EventName + `"`)
	sealInString = bytes.ReplaceAll(sealMark, []byte(`"`), []byte(`\"`))
)

func (s *hecSink) lines() (int64, error) { return s.events.Load(), nil }

func (s *hecSink) Close() error { return s.server.Close() }

// frameSink is a TLS server that counts syslog messages in octet counting which are no seals.
type frameSink struct {
	*wire
	messages atomic.Int64
}

func newFrameSink(pki string) (*frameSink, error) {
	w, config, err := listen(pki)
	if err != nil {
		return nil, err
	}
	s := &frameSink{wire: w}
	go acceptEach(tls.NewListener(w, config), func(conn net.Conn) { _ = s.read(bufio.NewReaderSize(conn, 1<<16)) })
	return s, nil
}

func (s *frameSink) read(r *bufio.Reader) error {
	var message []byte
	for {
		length, err := r.ReadString(' ')
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil {
			return err
		}
		message = append(message[:0], make([]byte, n)...)
		if _, err := io.ReadFull(r, message); err != nil {
			return err
		}
		if !bytes.Contains(message, sealMark) {
			s.messages.Add(1)
		}
	}
}

func (s *frameSink) lines() (int64, error) { return s.messages.Load(), nil }
