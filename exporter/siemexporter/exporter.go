// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.uber.org/zap"
)

// partialLogInterval is how often a server's remarks on requests that it took are logged.
const partialLogInterval = time.Minute

type siemExporter struct {
	config    *Config
	queue     configoptional.Optional[exporterhelper.QueueBatchConfig] // what exporterhelper sees
	maxBytes  int64                                                    // of a request to the server
	set       exporter.Settings
	logger    *zap.Logger
	telemetry *telemetry

	targets  targets
	renewer  *renewer
	prober   *prober
	letters  *deadLetters
	health   *health
	ages     *ages
	delivery *delivery

	stopping    atomic.Bool
	stop        chan struct{} // closed when stopping is set
	nextRemark  atomic.Int64  // Unix nanoseconds before which a remark of the server is not logged
	initialized bool
}

func newExporter(cfg *Config, set exporter.Settings) (*siemExporter, error) {
	telemetry, err := newTelemetry(set)
	if err != nil {
		return nil, err
	}
	e := &siemExporter{config: cfg, set: set, logger: set.Logger, telemetry: telemetry, ages: newAges(), stop: make(chan struct{})}
	e.health = &health{logger: e.logger, outlook: zap.Skip}
	e.queue, e.maxBytes = takeBound(cfg.QueueConfig)
	return e, nil
}

// start makes the clients. Only here are the host's extensions known, which authentication and storage need.
func (e *siemExporter) start(ctx context.Context, host component.Host) error {
	if queue := e.config.QueueConfig.Get(); queue != nil && queue.StorageID != nil {
		if _, ok := host.GetExtensions()[*queue.StorageID]; !ok {
			return fmt.Errorf("sending_queue.storage names %q, which does not run; declare it under extensions and list it in service.extensions", queue.StorageID)
		}
	}
	e.warn()

	var err error
	if e.letters, err = newDeadLetters(e.config.DeadLetter, e.set.ID); err != nil {
		return err
	}
	e.health.host, e.health.linger = host, 2*e.config.RetryConfig.MaxInterval
	if e.targets, err = e.newTargets(newDialer(e.config, e.set, host, e.stop)); err != nil {
		return err
	}
	e.renewer = newRenewer(e.config.tls(), e.targets, e.logger)
	before := e.renewer.fingerprint()
	if err = e.targets.renew(ctx); err != nil {
		return errors.Join(err, e.targets.close())
	}
	if err = e.telemetry.observe(e.health, e.ages, e.targets); err != nil {
		return errors.Join(err, e.targets.close())
	}
	e.delivery = &delivery{maxBytes: int(e.maxBytes), send: e.targets.export, bury: e.bury, partial: e.partial, stopped: e.stopping.Load}
	e.renewer.start(before)
	e.prober = startProber(e.targets)
	e.initialized = true
	return nil
}

// warn says what the operator has chosen against our advice.
func (e *siemExporter) warn() {
	for _, endpoint := range e.config.endpoints() {
		if len(endpoint.Pins) == 1 {
			e.logger.Warn("Only one pin is configured: when the server's key changes, delivery stops until the configuration does. Add the pin of a backup key.",
				zap.String("endpoint", endpoint.Endpoint))
		}
	}
	if e.config.tls().MinVersion == "1.2" {
		e.logger.Warn("tls.min_version is 1.2: an observer of the network learns the server's certificate, and keys are exchanged without protection from quantum computers. Remove it as soon as the server speaks TLS 1.3.")
	}
	if queue := e.config.QueueConfig.Get(); queue == nil || queue.StorageID == nil {
		e.logger.Warn("The queue is in memory: a crash or a restart loses what it holds. Write sending_queue.storage and remove allow_memory_queue.")
	}
	if e.config.Protocol == ProtocolSyslog {
		e.logger.Warn("syslog has no acknowledgement: a record counts as sent when the receiver's system has it, and a crash there can lose what its program has not read. That much is kept and repeated after a break; nothing is when this host crashes at the same time.")
		e.warnOfShortMessages()
	}
	if e.config.writesText() {
		e.logger.Warn("format is text: the SIEM receives bodies and not the records, so nothing that comes back from it can be verified. Remove it to send originals.")
	}
	if e.config.DeadLetter.Directory == "" {
		e.logger.Warn("dead_letter.directory is not set: records that the SIEM will never take wait in the queue for ever, and records that it rejects out of a request are counted and not kept.")
	}
}

// warnOfShortMessages says which receivers take no seal of the shipped agent.
func (e *siemExporter) warnOfShortMessages() {
	for _, endpoint := range e.config.endpoints() {
		if limit := e.config.maxMessageBytes(endpoint); limit < sealBytes && e.config.format == FormatOriginal {
			e.logger.Warn("max_message_bytes leaves no room for every seal: a seal that does not fit is a dead letter, and what it covers cannot be verified. Raise the receiver's limit, and then this one, to 16384 or more.",
				zap.String("endpoint", endpoint.Endpoint), zap.Int("max_message_bytes", limit))
		}
	}
}

func (e *siemExporter) newTargets(d *dialer) (targets, error) {
	ts := targets{pause: e.config.RetryConfig.MaxInterval}
	endpoints := e.config.endpoints()
	logger := e.logger
	if len(endpoints) == 1 {
		logger = zap.NewNop() // the exporter's health says the same
	}
	for _, endpoint := range endpoints {
		policy, err := newPolicy(e.config, endpoint.Pins)
		if err != nil {
			return targets{}, err
		}
		t := &target{
			protocol: e.config.Protocol,
			endpoint: endpoint.Endpoint,
			policy:   policy,
			watch:    &handshakeWatch{endpoint: endpoint.Endpoint, telemetry: e.telemetry},
			timeout:  e.config.timeout(),
			logger:   logger,
			turns:    make(chan struct{}, e.config.turns()),
			dial:     d.dial,

			maxMessageBytes: e.config.maxMessageBytes(endpoint),
		}
		t.receipts.ask, t.receipts.patience, t.receipts.grace = t.askForStored, e.config.hec.AckTimeout, t.timeout
		t.receipts.stopping = e.stop
		ts.list = append(ts.list, t)
	}
	return ts, nil
}

func (e *siemExporter) shutdown(context.Context) error {
	if e.initialized {
		e.renewer.close()
		e.prober.close()
	}
	e.telemetry.builder.Shutdown()
	return e.targets.close()
}

// beginStop makes whoever waits for a server's word wait no longer than it takes.
func (e *siemExporter) beginStop() {
	if !e.stopping.Swap(true) {
		close(e.stop)
	}
}

// push sends one request, and returns an error when anything of it has to wait. exporterhelper holds what waits, for
// as long as it takes: no error from here is a permanent one.
func (e *siemExporter) push(ctx context.Context, queued xexporterhelper.Request) error {
	if !e.initialized {
		return errors.New("the exporter was not started")
	}
	r := queued.(*request)
	if r.records == 0 {
		return nil // what the queue makes of a request that its storage refused: its place is counted, and empty
	}
	e.ages.begin(r.observed)
	remaining, refused := e.delivery.run(ctx, r)
	if refused == nil {
		e.ages.end(r.observed, time.Time{})
		e.health.succeeded()
		return nil
	}
	e.ages.end(r.observed, remaining.observed)
	if !e.stopping.Load() {
		e.telemetry.retry(refused.cause)
		e.health.waits(refused)
	}
	var err error = refused
	if remaining != r {
		err = &unsent{refused, remaining} // only these are sent again
	}
	if refused.delay > 0 {
		err = exporterhelper.NewThrottleRetry(err, refused.delay)
	}
	return err
}

// bury writes a dead letter and counts it.
func (e *siemExporter) bury(letter deadLetter) error {
	if err := e.letters.write(letter); err != nil {
		return err
	}
	e.telemetry.deadLettered(letter.cause, letter.request.records)
	e.remark("The SIEM will never take some records; they are in the dead letters",
		zap.String("file", e.letters.path), zap.String("cause", letter.cause), zap.String("message", letter.reason))
	return nil
}

// partial settles a request that the server took, with a remark: part of it is missing, or there is a warning.
func (e *siemExporter) partial(r *request, partial partialSuccess) error {
	if partial.rejected <= 0 {
		e.remark("The SIEM took a request with a remark", zap.String("message", partial.message))
		return nil
	}
	// The server's count is a claim, and may be none of a request of this size.
	rejected := min(partial.rejected, int64(r.records))
	if e.letters.path != "" {
		err := e.letters.write(deadLetter{request: r, cause: causePartial, reason: partial.message, rejected: rejected})
		if err != nil {
			return err
		}
		e.telemetry.deadLettered(causePartial, r.records)
	}
	e.telemetry.rejected(rejected)
	e.remark("The SIEM rejected records of a request that it took otherwise",
		zap.Int64("rejected_records", rejected), zap.String("message", partial.message), zap.String("dead_letters", e.letters.path))
	return nil
}

// remark logs what a server says about requests that it took, once an interval: the metrics count every one.
func (e *siemExporter) remark(text string, fields ...zap.Field) {
	now := time.Now().UnixNano()
	next := e.nextRemark.Load()
	if now < next || !e.nextRemark.CompareAndSwap(next, now+int64(partialLogInterval)) {
		return
	}
	e.logger.Warn(text, fields...)
}
