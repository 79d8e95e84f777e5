// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
)

// reserve knows which records a share of the budgets is kept for.
type reserve struct {
	min        plog.SeverityNumber // 0: severity alone is not enough
	conditions *ottl.ConditionSequence[*ottllog.TransformContext]
}

func newReserve(cfg ReserveConfig, set component.TelemetrySettings) (*reserve, error) {
	r := &reserve{min: severities[cfg.MinSeverity]}
	if len(cfg.Conditions) == 0 {
		return r, nil
	}
	parser, err := ottllog.NewParser(ottlfuncs.StandardConverters[*ottllog.TransformContext](), set)
	if err != nil {
		return nil, err
	}
	conditions, err := parser.ParseConditions(cfg.Conditions)
	if err != nil {
		return nil, fmt.Errorf("reserve.conditions: %w", err)
	}
	// A condition that fails does not hold, and says nothing: its error may quote the record.
	sequence := ottllog.NewConditionSequence(conditions, set, ottllog.WithConditionSequenceErrorMode(ottl.SilentError))
	r.conditions = &sequence
	return r, nil
}

// holds says whether the reserve is for the record.
func (r *reserve) holds(ctx context.Context, rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord) bool {
	if r.min > 0 && lr.SeverityNumber() >= r.min {
		return true
	}
	if r.conditions == nil {
		return false
	}
	tc := ottllog.NewTransformContextPtr(rl, sl, lr)
	defer tc.Close()
	holds, err := r.conditions.Eval(ctx, tc)
	return err == nil && holds
}
