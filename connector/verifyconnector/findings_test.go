// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.uber.org/zap"

	"github.com/logseal/logseal/connector/verifyconnector/internal/metadata"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/watch"
)

func event(uid string, state watch.State) watch.Event {
	return watch.Event{UID: uid, State: state, Finding: finding.New(finding.RecordMissing)}
}

// TestFindingsAreSentUntilTaken: what the next consumer refuses is sent again, in order, and the status says so meanwhile.
func TestFindingsAreSentUntilTaken(t *testing.T) {
	next := &taker{refusing: assert.AnError}
	f := newFindings(next, connectortest.NewNopSettings(metadata.Type))
	health := &health{host: componenttest.NewNopHost(), logger: zap.NewNop()}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.run(ctx, health) }()
	defer func() { cancel(); <-done }()

	f.add([]watch.Event{event("a", watch.Opened)})
	eventually(t, func() bool { return next.wasAsked() > 0 && !health.good() }, "a refusal")
	f.add([]watch.Event{event("b", watch.Opened), event("a", watch.Resolved)})
	assert.False(t, f.idle(), "nothing is stored before it is taken")
	next.refuse(nil)
	eventually(t, f.idle, "everything is taken")
	assert.Equal(t, []string{"opened", "opened", "resolved"}, next.attributes(ocsf.AttributeState))
	eventually(t, health.good, "all is well again")
	sent, waiting := f.counts()
	assert.Equal(t, uint64(3), sent)
	assert.Zero(t, waiting)
}

// TestUpdatesOfWhatWaits: an alarm that waits for hours is one record, and says what is so at the end.
func TestUpdatesOfWhatWaits(t *testing.T) {
	next := &taker{}
	f := newFindings(next, connectortest.NewNopSettings(metadata.Type))
	for range 1000 {
		f.add([]watch.Event{event("a", watch.Opened), event("a", watch.Updated)}[1:])
	}
	f.add([]watch.Event{event("b", watch.Opened)})
	more := event("b", watch.Updated)
	more.Finding.Count = 7
	f.add([]watch.Event{more, event("b", watch.Resolved), event("b", watch.Opened)})
	require.True(t, f.flush(t.Context()))
	assert.Equal(t, []string{"updated", "opened", "resolved", "opened"}, next.attributes(ocsf.AttributeState))
	count, _ := next.taken[1].Body().Map().Get("count")
	assert.Equal(t, int64(7), count.Int())
}

// TestWaitingFindingsAreBounded: when nobody takes anything and there is no end of findings, those that are open are sent in the end.
func TestWaitingFindingsAreBounded(t *testing.T) {
	next := &taker{refusing: assert.AnError}
	f := newFindings(next, connectortest.NewNopSettings(metadata.Type))
	f.open = func() []watch.Event { return []watch.Event{event("open", watch.Opened)} }
	for i := range 3 * maxWaiting {
		f.add([]watch.Event{event(fmt.Sprint(i), watch.Opened)})
		_, waiting := f.counts()
		require.LessOrEqual(t, waiting, maxWaiting)
	}
	assert.False(t, f.flush(t.Context()))
	next.refuse(nil)
	require.True(t, f.flush(t.Context()))
	states := next.attributes(ocsf.AttributeState)
	assert.LessOrEqual(t, len(states), maxWaiting+1)
	assert.NotEmpty(t, states)
}
