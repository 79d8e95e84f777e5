// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/tlspin"
)

// The paths of Splunk's HTTP Event Collector (Splunk Enterprise 9, "HTTP Event Collector REST API endpoints"). A token whose acknowledgement is
// switched on demands a channel, and any other ignores it: it is always sent.
const (
	hecEventPath  = "/services/collector/event"
	hecAckPath    = "/services/collector/ack"
	channelHeader = "X-Splunk-Request-Channel"
)

// Codes of the collector's answers ("Troubleshoot HTTP Event Collector", possible error codes).
const (
	hecSuccess       = 0
	hecNoData        = 5
	hecInvalidFormat = 6
	hecIncorrect     = 7
	hecEventMissing  = 12
	hecEventBlank    = 13
	hecFields        = 15
)

// hecCauses are words for the codes that an operator does something about.
var hecCauses = map[int]string{
	1:            "hec_token_disabled",
	2:            "hec_token_required",
	3:            "hec_invalid_authorization",
	4:            "hec_invalid_token",
	hecIncorrect: "hec_incorrect_index",
	9:            "hec_busy",
	10:           "hec_channel_missing",
	11:           "hec_channel_invalid",
}

// hecReply is what the collector says.
type hecReply struct {
	Text string `json:"text"`
	Code *int   `json:"code"`
	// InvalidEvent is the number of the first event that it does not take. It has taken those before it, and nothing behind it. It counts
	// from 0, but from 1 where the index is incorrect.
	InvalidEvent *int    `json:"invalid-event-number"`
	AckID        *uint64 `json:"ackId"`
}

// hecClient sends to an HTTP Event Collector of Splunk.
type hecClient struct {
	*httpLine
	base     string // the address without a path
	config   *Config
	header   http.Header
	ofEvents http.Header // of a request with events, which may be compressed
	told     func(acknowledges bool)
	writers  sync.Pool // of *eventWriter

	channel atomic.Pointer[hecChannel]
}

// hecChannel is within which the collector counts its acknowledgements.
type hecChannel struct {
	id      string
	highest atomic.Uint64 // number so far
	// doubtful is set when a number has come twice: several collectors count in the channel, and each acknowledges the others' numbers.
	doubtful atomic.Bool
}

// numberSlack is how far behind the highest number another one may be that was given at the same time.
const numberSlack = 10 * maxTurns

func (d *dialer) dialHEC(ctx context.Context, endpoint string, policy tlspin.Policy, watch *handshakeWatch) (client, error) {
	cfg := d.config.http
	cfg.Compression = "" // confighttp's gzip costs several times as much
	line, err := d.newHTTPLine(ctx, cfg, policy, watch)
	if err != nil {
		return nil, err
	}
	base := strings.TrimRight(endpoint, "/")
	for _, path := range []string{hecEventPath, strings.TrimSuffix(hecEventPath, "/event")} {
		base = strings.TrimSuffix(base, path)
	}
	c := &hecClient{
		httpLine: line, base: base, config: d.config,
		header: http.Header{"Authorization": {"Splunk " + string(d.config.hec.Token)}, "Content-Type": {jsonType}},
		told:   func(acknowledges bool) { d.tellAcknowledgement(endpoint, acknowledges) },
	}
	c.ofEvents = c.header
	level := gzip.NoCompression
	if d.config.http.Compression == configcompression.TypeGzip {
		level = hecLevel(d.config.http.CompressionParams.Level)
		c.ofEvents = c.header.Clone()
		c.ofEvents.Set("Content-Encoding", "gzip")
	}
	c.writers.New = func() any {
		w, err := newEventWriter(d.config.hec, d.config.format, level)
		if err != nil {
			panic(err) // the level is validated
		}
		return w
	}
	c.channel.Store(newHECChannel())
	return c, nil
}

// tellAcknowledgement logs whether a collector acknowledges what it has stored: at its first answer, and when that changes.
func (d *dialer) tellAcknowledgement(endpoint string, acknowledges bool) {
	if before, known := d.acknowledges.Swap(endpoint, acknowledges); known && before == acknowledges {
		return
	}
	if acknowledges {
		d.settings.Logger.Info("The indexer acknowledges what it has stored: a request leaves the queue then, and not before", zap.String("endpoint", endpoint))
		return
	}
	d.settings.Logger.Warn("The indexer does not acknowledge: what it takes is in its memory for a while, and a crash there loses it. Switch on indexer acknowledgement for the token.",
		zap.String("endpoint", endpoint))
}

func newHECChannel() *hecChannel {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return &hecChannel{id: fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])}
}

// leave replaces a channel, if it is the one in use, in which numbers may come twice: after a break nobody knows whether the collector was
// restarted, and counts anew.
func (c *hecClient) leave(id string) {
	if old := c.channel.Load(); old.id == id {
		c.channel.CompareAndSwap(old, newHECChannel())
	}
}

func (c *hecClient) export(ctx context.Context, wire []byte) (answer, error) {
	if len(wire) == 0 {
		return answer{}, c.probe(ctx)
	}
	body, records, err := c.body(wire)
	if err != nil {
		return answer{}, err
	}
	channel := c.channel.Load()
	if channel.doubtful.Load() {
		channel = newHECChannel() // in which nothing else is counted
	}
	reply, said, err := c.ask(ctx, channel, body)
	switch {
	case err != nil:
		c.leave(channel.id)
		return answer{}, err
	case reply.code < 200 || reply.code > 299:
		if said.Code == nil && reply.code >= 500 {
			c.leave(channel.id) // somebody in between answers, as for a collector that is being restarted
		}
		return answer{}, c.refusal(reply, said, wire, records)
	case said.Code == nil || *said.Code != hecSuccess:
		c.leave(channel.id)
		return answer{}, &refusal{cause: "not_hec", message: "the answer is none of an HTTP Event Collector; something else listens there"}
	}
	c.told(said.AckID != nil)
	if said.AckID == nil {
		return answer{}, nil
	}
	number := *said.AckID
	if highest := channel.highest.Load(); number+numberSlack < highest {
		c.leave(channel.id) // it counts anew, or is another one
	} else if number > highest {
		channel.highest.CompareAndSwap(highest, number)
	}
	return answer{receipt: &receipt{
		channel: channel.id, number: number, records: records, doubtful: &channel.doubtful, leave: func() { c.leave(channel.id) },
	}}, nil
}

// body returns the body of a request with the events of all its records, and how many these are.
func (c *hecClient) body(wire []byte) (body []byte, records int, err error) {
	w := c.writers.Get().(*eventWriter)
	defer c.writers.Put(w)
	all := false
	err = inForm(wire, func(wire []byte) (err error) {
		body, records, all, err = w.body(wire, c.config.hec.MaxContentLength)
		return err
	})
	if err == nil && !all {
		err = &refusal{verdict: tooLarge, record: records + 1, message: "larger than splunk_hec.max_content_length"}
	}
	return body, records, err
}

// probe sends no data, which a collector that knows the token complains of.
func (c *hecClient) probe(ctx context.Context) error {
	reply, said, err := c.ask(ctx, c.channel.Load(), nil)
	switch {
	case err != nil:
		return err
	case said.Code != nil && *said.Code == hecNoData:
		return nil
	case said.Code == nil:
		return &refusal{cause: "not_hec", message: "the answer is none of an HTTP Event Collector; something else listens there"}
	default:
		return c.refusal(reply, said, nil, 0)
	}
}

// ask posts a body and reads the answer as far as it is the collector's.
func (c *hecClient) ask(ctx context.Context, channel *hecChannel, body []byte) (*httpReply, hecReply, error) {
	header := c.header
	if len(body) > 0 {
		header = c.ofEvents
	}
	header = header.Clone()
	header.Set(channelHeader, channel.id)
	reply, err := c.post(ctx, c.base+hecEventPath, header, body)
	if err != nil {
		return nil, hecReply{}, err
	}
	var said hecReply
	if json.Unmarshal(reply.content, &said) != nil {
		said = hecReply{}
	}
	return reply, said, nil
}

// refusal judges an answer other than success. Only what the collector says of an event is a judgement of records; any other 400 is of
// somebody in between, or of the configuration.
func (c *hecClient) refusal(reply *httpReply, said hecReply, wire []byte, records int) *refusal {
	r := httpRefusal(reply.code, reply.header, errorMessage(reply))
	if r.verdict == invalid {
		r.verdict = held
	}
	if said.Code == nil {
		return r
	}
	r.message = clip(fmt.Sprintf("%s: %s (code %d)", reply.status, said.Text, *said.Code))
	if cause, known := hecCauses[*said.Code]; known {
		r.cause = cause
	}
	if reply.code == http.StatusUnauthorized || reply.code == http.StatusForbidden {
		r.message += "; correct splunk_hec.token, or enable the token in Splunk"
	}
	if reply.code != http.StatusBadRequest {
		return r
	}
	switch *said.Code {
	case hecInvalidFormat, hecEventMissing, hecEventBlank, hecFields:
		r.verdict = invalid
		if said.InvalidEvent != nil {
			r.record = *said.InvalidEvent + 1
		}
	case hecIncorrect:
		// A record that names an index itself must not hold up the others. One for the configured index waits until that is right.
		if records > 1 && c.config.hec.Index.Attribute != "" || namesItself(wire, c.config.hec.Index.Attribute) {
			r.verdict = invalid
		} else {
			r.message += "; allow it for the token, or correct splunk_hec.index"
		}
		if said.InvalidEvent != nil {
			r.record = max(1, *said.InvalidEvent)
		}
	}
	return r
}

// stored implements storer ("About HTTP Event Collector Indexer Acknowledgment").
func (c *hecClient) stored(ctx context.Context, channel string, numbers []uint64) ([]uint64, error) {
	body, err := json.Marshal(map[string][]uint64{"acks": numbers})
	if err != nil {
		return nil, err
	}
	header := c.header.Clone()
	header.Set(channelHeader, channel)
	reply, err := c.post(ctx, c.base+hecAckPath+"?channel="+channel, header, body)
	if err != nil {
		c.leave(channel)
		return nil, err
	}
	var said struct {
		hecReply
		Acks map[string]bool `json:"acks"`
	}
	if err := json.Unmarshal(reply.content, &said); err != nil || reply.code != http.StatusOK {
		c.leave(channel)
		return nil, fmt.Errorf("%s answers %s %s", hecAckPath, reply.status, clip(said.Text))
	}
	var stored []uint64
	for text, done := range said.Acks {
		if number, err := strconv.ParseUint(text, 10, 64); err == nil && done {
			stored = append(stored, number)
		}
	}
	return stored, nil
}
