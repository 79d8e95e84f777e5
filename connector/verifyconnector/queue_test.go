// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/clientid"
	"github.com/logseal/logseal/pkg/seal/watch"
)

func newTestQueue(t *testing.T) *queue {
	t.Helper()
	watcher, err := watch.New(watch.Config{})
	require.NoError(t, err)
	return newQueue(watcher)
}

// of returns logs of the named clients, a resource each.
func of(bodySize int, clients ...string) plog.Logs {
	ld := plog.NewLogs()
	for _, name := range clients {
		rl := ld.ResourceLogs().AppendEmpty()
		if name != "" {
			rl.Resource().Attributes().PutStr(clientid.AttributeName, name)
		}
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(strings.Repeat("x", bodySize))
	}
	return ld
}

// TestQueueIsBounded: who hands logs on never waits and never fails, and what is held does not grow without end.
func TestQueueIsBounded(t *testing.T) {
	q := newTestQueue(t)
	ld := of(1<<20, "web-17") // nobody looks at what is put in
	for range 2 * maxQueueBytes / (1 << 20) {
		q.offer(t.Context(), ld)
	}
	assert.LessOrEqual(t, q.bytes.Load(), int64(maxQueueBytes))
	assert.Equal(t, maxQueueBytes/(1<<20)-1, len(q.requests), "a request is a little more than its body")
	require.ErrorIs(t, q.trouble(time.Now()), errOverflow)
	assert.NoError(t, q.trouble(time.Now().Add(2*overflowStatus)), "what was so long ago is no trouble of now")

	looked := 0
	q.drain(func(r request) { looked++; q.done(r) })
	assert.Equal(t, maxQueueBytes/(1<<20)-1, looked)
	assert.Zero(t, q.bytes.Load())

	small := of(0, "web-17")
	for range 2 * maxQueueRequests {
		q.offer(t.Context(), small)
	}
	assert.Len(t, q.requests, maxQueueRequests)
}

// TestQueueHasACopy: what comes behind in the other pipeline may change its own, and ours is read later.
func TestQueueHasACopy(t *testing.T) {
	q := newTestQueue(t)
	ld := of(1, "web-17")
	q.offer(t.Context(), ld)
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr(clientid.AttributeName, "other")
	assert.Equal(t, "web-17", byPeer((<-q.requests).logs, "")[0].peer.Identity)
}

// TestQueueSharesWhatCannotChange: where the exporter beside it has got the same logs, nothing is copied.
func TestQueueSharesWhatCannotChange(t *testing.T) {
	q := newTestQueue(t)
	ld := of(1, "web-17")
	ld.MarkReadOnly()
	q.offer(t.Context(), ld)
	r := <-q.requests
	assert.True(t, r.shared)
	assert.Equal(t, ld, r.logs)
	q.done(r)
	assert.Equal(t, 1, ld.LogRecordCount())
	q.offer(t.Context(), of(1, "web-17"))
	assert.False(t, (<-q.requests).shared)
}

func TestQueueKnowsThePeer(t *testing.T) {
	q := newTestQueue(t)
	ctx := client.NewContext(t.Context(), client.Info{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}})
	q.offer(ctx, of(1, "web-17"))
	assert.Equal(t, "192.0.2.7:4711", (<-q.requests).address)
	q.offer(context.Background(), of(1, "web-17"))
	assert.Empty(t, (<-q.requests).address)
}

func TestByPeer(t *testing.T) {
	for name, tt := range map[string]struct {
		clients []string
		want    map[string]int // resources by identity
	}{
		"one":     {[]string{"a", "a"}, map[string]int{"a": 2}},
		"none":    {[]string{""}, map[string]int{"": 1}},
		"several": {[]string{"a", "b", "a", ""}, map[string]int{"a": 2, "b": 1, "": 1}},
		"empty":   {nil, map[string]int{"": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			ld := of(1, tt.clients...)
			got := map[string]int{}
			for _, part := range byPeer(ld, "192.0.2.7:4711") {
				assert.Equal(t, "192.0.2.7:4711", part.peer.Address)
				got[part.peer.Identity] += part.logs.ResourceLogs().Len()
				for _, rl := range part.logs.ResourceLogs().All() {
					assert.Equal(t, part.peer.Identity, identity(rl))
				}
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, len(tt.clients), ld.ResourceLogs().Len(), "it is left as it is")
		})
	}
}
