// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seal/watch"
)

// figuresInterval is how often figures are sent to a pipeline of metrics.
const figuresInterval = 15 * time.Second

// figures sends the figures that are on the collector's own page of metrics to a pipeline.
type figures struct {
	next    consumer.Metrics
	set     connector.Settings
	started time.Time
}

func (f *figures) run(ctx context.Context, v *verify) {
	f.started = time.Now()
	ticker := time.NewTicker(figuresInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			f.send(ctx, v.watcher.Stats(), now)
		}
	}
}

// send sends the figures of now. What is not taken is not tried again: the next ones say more.
func (f *figures) send(ctx context.Context, s watch.Stats, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := f.next.ConsumeMetrics(ctx, f.metrics(s, now)); err != nil {
		f.set.Logger.Debug("Figures are not taken", zap.Error(err))
	}
}

func (f *figures) metrics(s watch.Stats, now time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	resource(rm.Resource(), f.set)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(scopeName)
	sm.Scope().SetVersion(f.set.BuildInfo.Version)

	start, at := pcommon.NewTimestampFromTime(f.started), pcommon.NewTimestampFromTime(now)
	point := func(p pmetric.NumberDataPoint, key, value string) pmetric.NumberDataPoint {
		p.SetStartTimestamp(start)
		p.SetTimestamp(at)
		if key != "" {
			p.Attributes().PutStr(key, value)
		}
		return p
	}
	sum := func(name, unit string) pmetric.NumberDataPointSlice {
		m := sm.Metrics().AppendEmpty()
		m.SetName("logseal.verify." + name)
		m.SetUnit(unit)
		to := m.SetEmptySum()
		to.SetIsMonotonic(true)
		to.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		return to.DataPoints()
	}
	gauge := func(name, unit string) pmetric.NumberDataPointSlice {
		m := sm.Metrics().AppendEmpty()
		m.SetName("logseal.verify." + name)
		m.SetUnit(unit)
		return m.SetEmptyGauge().DataPoints()
	}

	records := sum("records", "{record}")
	for verdict, n := range verdicts(s) {
		point(records.AppendEmpty(), "verdict", verdict).SetIntValue(n)
	}
	concerned := sum("found", "{record}")
	for code, n := range found(s) {
		point(concerned.AppendEmpty(), "code", string(code)).SetIntValue(n)
	}
	open := gauge("open_findings", "{finding}")
	for code, n := range openFindings(s) {
		point(open.AppendEmpty(), "code", string(code)).SetIntValue(int64(n))
	}
	streams := gauge("streams", "{stream}")
	for state, n := range streamStates(s) {
		point(streams.AppendEmpty(), "state", state).SetIntValue(int64(n))
	}
	if ages := sealAges(s, now); len(ages) > 0 {
		points := gauge("seal_age", "s")
		for _, age := range ages {
			point(points.AppendEmpty(), "stream", age.stream).SetDoubleValue(age.age.Seconds())
		}
	}
	point(gauge("pending_records", "{record}").AppendEmpty(), "", "").SetIntValue(int64(s.Pending))
	point(sum("lag_records", "{record}").AppendEmpty(), "", "").SetIntValue(int64(s.LagCount))
	point(sum("lag_time", "s").AppendEmpty(), "", "").SetDoubleValue(s.LagSum.Seconds())
	return md
}
