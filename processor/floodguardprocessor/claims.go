// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

// claimedName is the event name that a record gets which calls itself a report and is none of this process's: whoever can
// send a record with an event name could otherwise have it sealed as what this host says of itself.
const claimedName = eventName + ".claimed"

// ownReport marks the context of reports, for another flood_guard of this process on their way.
type ownReport struct{}

// isClaim is asked about every record.
func isClaim(lr plog.LogRecord) bool { return lr.EventName() == eventName }

// disclaims reports whether claims of this batch are to be renamed.
func (f *floodGuard) disclaims(ctx context.Context) bool {
	return !f.config.AcceptReports && ctx.Value(ownReport{}) == nil
}

// disclaim renames the claims of a batch that is nobody else's.
func (f *floodGuard) disclaim(ld plog.Logs) {
	n := 0
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if isClaim(lr) {
					lr.SetEventName(claimedName)
					n++
				}
			}
		}
	}
	f.set.Logger.Warn("Records that call themselves reports of a flood and came from outside are renamed; behind agents with a flood_guard and a stamp of their own set accept_reports: true",
		zap.String("event name", claimedName), zap.Int("records", n))
}
