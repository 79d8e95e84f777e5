// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/pref"

	"github.com/logseal/logseal/pkg/clientid"
	"github.com/logseal/logseal/pkg/seal/watch"
)

const (
	// maxQueueBytes bounds what waits to be looked at, as OTLP encodes it; in memory it takes up to three times as much.
	maxQueueBytes = 32 << 20
	// maxQueueRequests bounds it for requests with next to nothing in them.
	maxQueueRequests = 4096
	// overflowStatus is how long it is said that requests were not looked at.
	overflowStatus = time.Minute
)

// request is what came, and from where.
type request struct {
	logs    plog.Logs
	address string
	bytes   int64
	shared  bool // logs are of all who got them, and nobody changes them any more; else they are a copy
}

// queue holds requests until there is time to look at them. Who puts one in never waits.
type queue struct {
	requests chan request
	bytes    atomic.Int64
	sizer    plog.ProtoMarshaler
	watcher  *watch.Watcher
	overflow atomic.Int64 // when a request did not fit, the last time; Unix nanoseconds
}

func newQueue(watcher *watch.Watcher) *queue {
	return &queue{requests: make(chan request, maxQueueRequests), watcher: watcher}
}

// offer puts the logs in, or tells the watcher that they cannot be looked at. Where several components got them, as in the shipped
// configurations, they cannot be changed any more; only otherwise is a copy needed.
func (q *queue) offer(ctx context.Context, ld plog.Logs) {
	r := request{bytes: int64(q.sizer.LogsSize(ld))}
	if addr := client.FromContext(ctx).Addr; addr != nil {
		r.address = addr.String()
	}
	if q.bytes.Add(r.bytes) <= maxQueueBytes {
		if r.shared = ld.IsReadOnly(); r.shared {
			r.logs = ld
			pref.RefLogs(ld)
		} else {
			r.logs = plog.NewLogs()
			ld.CopyTo(r.logs)
		}
		select {
		case q.requests <- r:
			return
		default:
			r.release()
		}
	}
	q.bytes.Add(-r.bytes)
	q.overflow.Store(time.Now().UnixNano())
	for _, part := range byPeer(ld, r.address) {
		q.watcher.Skip(part.logs, part.peer)
	}
}

// done takes a request off the account.
func (q *queue) done(r request) {
	r.release()
	q.bytes.Add(-r.bytes)
}

// release says that logs which are shared are not needed here any more: the collector can be told to use their memory again.
func (r request) release() {
	if r.shared {
		pref.UnrefLogs(r.logs)
	}
}

// drain looks at what is left, once nothing is put in any more.
func (q *queue) drain(look func(request)) {
	for {
		select {
		case r := <-q.requests:
			look(r)
		default:
			return
		}
	}
}

var errOverflow = errors.New("more comes than can be looked at: some records of the last minute are unchecked; `logseal verify` over the archive checks them")

// trouble says whether requests were not looked at in the last minute.
func (q *queue) trouble(now time.Time) error {
	if last := q.overflow.Load(); last != 0 && now.Sub(time.Unix(0, last)) < overflowStatus {
		return errOverflow
	}
	return nil
}

// part is what of a request came from one peer.
type part struct {
	logs plog.Logs
	peer watch.Peer
}

// byPeer splits a request by the certificate that the receiver has written on its resources. Behind a gateway a request has the
// records of many hosts.
func byPeer(ld plog.Logs, address string) []part {
	resources := ld.ResourceLogs()
	one := true
	first := ""
	for i, rl := range resources.All() {
		name := identity(rl)
		if i == 0 {
			first = name
		}
		one = one && name == first
	}
	if one {
		return []part{{ld, watch.Peer{Address: address, Identity: first}}}
	}
	var parts []part
	at := map[string]int{}
	for _, rl := range resources.All() {
		name := identity(rl)
		i, found := at[name]
		if !found {
			i = len(parts)
			at[name] = i
			parts = append(parts, part{plog.NewLogs(), watch.Peer{Address: address, Identity: name}})
		}
		rl.CopyTo(parts[i].logs.ResourceLogs().AppendEmpty())
	}
	return parts
}

func identity(rl plog.ResourceLogs) string {
	if name, found := rl.Resource().Attributes().Get(clientid.AttributeName); found {
		return name.AsString()
	}
	return ""
}
