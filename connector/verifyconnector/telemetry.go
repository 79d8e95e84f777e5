// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/logseal/logseal/connector/verifyconnector/internal/metadata"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// telemetry reads the watcher's figures when somebody looks.
type telemetry struct {
	*metadata.TelemetryBuilder
}

// statsOf reads the figures once for all metrics of a scrape: there is a line for every stream.
type statsOf struct {
	read func() watch.Stats

	mu    sync.Mutex
	at    time.Time
	stats watch.Stats
}

func (s *statsOf) now() watch.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.at) >= time.Second {
		s.at, s.stats = now, s.read()
	}
	return s.stats
}

// maxAges bounds the series of seal_age: whoever sends seals of invented streams must not invent series.
const maxAges = 1000

func newTelemetry(v *verify) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(v.set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	connector := attribute.String("connector", v.set.ID.String())
	with := func(more ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(more, connector)...))
	}
	plain := with()
	stats := &statsOf{read: v.watcher.Stats}
	integer := func(value func() int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(value(), plain)
			return nil
		}
	}
	err = errors.Join(
		builder.RegisterConnectorVerifyRecordsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for verdict, n := range verdicts(stats.now()) {
				o.Observe(n, with(attribute.String("verdict", verdict)))
			}
			return nil
		}),
		builder.RegisterConnectorVerifyFoundCallback(func(_ context.Context, o metric.Int64Observer) error {
			for code, n := range found(stats.now()) {
				o.Observe(n, with(attribute.String("code", string(code))))
			}
			return nil
		}),
		builder.RegisterConnectorVerifyOpenFindingsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for code, n := range openFindings(stats.now()) {
				o.Observe(int64(n), with(attribute.String("code", string(code))))
			}
			return nil
		}),
		builder.RegisterConnectorVerifyStreamsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for state, n := range streamStates(stats.now()) {
				o.Observe(int64(n), with(attribute.String("state", state)))
			}
			return nil
		}),
		builder.RegisterConnectorVerifySealAgeCallback(func(_ context.Context, o metric.Float64Observer) error {
			for _, age := range sealAges(stats.now(), time.Now()) {
				o.Observe(age.age.Seconds(), with(attribute.String("stream", age.stream)))
			}
			return nil
		}),
		builder.RegisterConnectorVerifyPendingRecordsCallback(integer(func() int64 { return int64(stats.now().Pending) })),
		builder.RegisterConnectorVerifyLagRecordsCallback(integer(func() int64 { return int64(stats.now().LagCount) })),
		builder.RegisterConnectorVerifyLagTimeCallback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(stats.now().LagSum.Seconds(), plain)
			return nil
		}),
		builder.RegisterConnectorVerifyQueueBytesCallback(integer(v.queue.bytes.Load)),
		builder.RegisterConnectorVerifyWatchingCallback(integer(func() int64 {
			if v.health.good() {
				return 1
			}
			return 0
		})),
		builder.RegisterConnectorVerifyEventsCallback(integer(func() int64 {
			sent, _ := v.eventCounts()
			return int64(sent)
		})),
		builder.RegisterConnectorVerifyEventsWaitingCallback(integer(func() int64 {
			_, waiting := v.eventCounts()
			return int64(waiting)
		})),
	)
	if err != nil {
		return nil, err
	}
	return &telemetry{builder}, nil
}

func (v *verify) eventCounts() (sent uint64, waiting int) {
	if v.findings == nil {
		return 0, 0
	}
	return v.findings.counts()
}

// verdicts are the records by what is known of them; those that findings are on are counted by code.
func verdicts(s watch.Stats) map[string]int64 {
	return map[string]int64{"verified": int64(s.Verified), "duplicate": int64(s.Duplicates), "unchecked": int64(s.Unchecked)}
}

// found and openFindings have every code of the table, so that the series are there before the first finding: the increase of one that
// begins at 1 is 0.
func found(s watch.Stats) map[finding.Code]int64 {
	all := make(map[finding.Code]int64, len(finding.Table()))
	for _, e := range finding.Table() {
		all[e.Code] = int64(s.Found[e.Code])
	}
	return all
}

func openFindings(s watch.Stats) map[finding.Code]int {
	open := make(map[finding.Code]int, len(finding.Table()))
	for _, e := range finding.Table() {
		open[e.Code] = s.Open[e.Code]
	}
	return open
}

func streamStates(s watch.Stats) map[string]int {
	states := map[string]int{"sealing": 0, "silent": 0, "closed": 0}
	for i := range s.Streams {
		switch of := &s.Streams[i]; {
		case of.Closed:
			states["closed"]++
		case of.Silent:
			states["silent"]++
		case !of.LastSeal.IsZero():
			states["sealing"]++
		}
	}
	return states
}

type sealAge struct {
	stream string
	age    time.Duration
}

// sealAges are the ages of the last seals, the oldest first. Where several streams have a name, as after a host was enrolled
// anew, the youngest counts.
func sealAges(s watch.Stats, now time.Time) []sealAge {
	byName := map[string]time.Duration{}
	for i := range s.Streams {
		of := &s.Streams[i]
		if of.Closed || of.LastSeal.IsZero() {
			continue
		}
		age := max(0, now.Sub(of.LastSeal))
		if before, twice := byName[of.Name]; !twice || age < before {
			byName[of.Name] = age
		}
	}
	ages := make([]sealAge, 0, len(byName))
	for name, age := range byName {
		ages = append(ages, sealAge{name, age})
	}
	slices.SortFunc(ages, func(a, b sealAge) int { return cmp.Or(cmp.Compare(b.age, a.age), cmp.Compare(a.stream, b.stream)) })
	return ages[:min(len(ages), maxAges)]
}
