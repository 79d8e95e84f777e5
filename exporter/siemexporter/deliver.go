// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"
)

// delivery sends the records of one request, in parts where the server refuses the whole.
type delivery struct {
	maxBytes int // of a request with more than one record, as protobuf; 0 for no bound
	send     func(ctx context.Context, wire []byte) (partialSuccess, *refusal)
	bury     func(deadLetter) error // writes a dead letter; an error means that it was not written
	partial  func(*request, partialSuccess) error
	stopped  func() bool
}

// span is a range of the request's records, counted in the order in which they stand.
type span struct{ from, to int }

func (s span) size() int { return s.to - s.from }

// run returns nil when every record was taken by the server or written to the dead letters. Otherwise it returns those
// that were not, and why.
//
// The request is tried as it is; nothing here costs per record. Only when it is larger than the bound, or the server refuses
// it for what is in it, it is decoded and halved, or cut where the server says, from the front, until the parts are small enough and the
// records are known that the server does not take.
func (d *delivery) run(ctx context.Context, r *request) (remaining *request, why *refusal) {
	refused := d.sendOne(ctx, r)
	if refused == nil {
		return nil, nil
	}
	if refused.verdict == held {
		return r, refused
	}
	logs, err := r.logs()
	if r.records == 1 || err != nil {
		// What the server and we cannot decode is one dead letter.
		if why = d.single(r, refused); why != nil {
			return r, why
		}
		return nil, nil
	}

	rest := func(spans []span, why *refusal) (*request, *refusal) {
		waits, err := newRequest(ctx, pick(logs, spans))
		if err != nil {
			return r, why // all of it again: better twice than not at all
		}
		return waits, why
	}
	all := span{0, r.records}
	var kept []span // records that wait, although the server answers
	for pending := parts(nil, all, refused); len(pending) > 0; {
		part := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if d.stopped() {
			return rest(append(kept, span{part.from, all.to}), &refusal{cause: "shutdown", message: "the exporter stops"})
		}
		piece, err := newRequest(ctx, pick(logs, []span{part}))
		if err != nil {
			return rest(append(kept, span{part.from, all.to}), &refusal{cause: "encoding", message: clip(err.Error())})
		}
		refused := d.sendOne(ctx, piece)
		switch {
		case refused == nil:
		case refused.verdict == held:
			return rest(append(kept, span{part.from, all.to}), refused)
		case part.size() > 1:
			pending = parts(pending, part, refused)
		// A single record, and the server still lacks something: it is not the size. All that follows would meet the same.
		case refused.verdict == exhausted:
			return rest(append(kept, span{part.from, all.to}), refused)
		default:
			if r := d.single(piece, refused); r != nil {
				kept, why = append(kept, part), r
			}
		}
	}
	if len(kept) == 0 {
		return nil, nil
	}
	return rest(kept, why)
}

// sendOne sends a request as it is. Records that the server took only in part are dead letters, because nobody knows which
// ones are missing.
func (d *delivery) sendOne(ctx context.Context, r *request) *refusal {
	if d.maxBytes > 0 && r.records > 1 && len(r.wire) > d.maxBytes {
		return &refusal{verdict: tooLarge, message: "larger than sending_queue.batch.max_size"}
	}
	partial, refused := d.send(ctx, r.wire)
	if refused != nil {
		return refused
	}
	if partial.rejected == 0 && partial.message == "" {
		return nil
	}
	if err := d.partial(r, partial); err != nil {
		return &refusal{cause: causeDeadLetter, message: err.Error()}
	}
	return nil
}

// single settles what the server does not take and what cannot be halved. It returns nil when that is a dead letter now, and
// why it waits otherwise.
func (d *delivery) single(r *request, refused *refusal) *refusal {
	if refused.verdict == exhausted {
		return refused
	}
	letter := deadLetter{request: r, cause: causeInvalid, reason: refused.message}
	if refused.verdict == tooLarge {
		letter.cause = causeTooLarge
	}
	if err := d.bury(letter); err != nil {
		return &refusal{cause: causeDeadLetter, message: err.Error() + "; the server says: " + refused.message}
	}
	return nil
}

// parts puts what a refused part is sent in next on the stack, the first one on top: what lies before and behind the record that the
// server names, with that one by itself, and its halves where it names none. Each is smaller than the part: a server that
// names the wrong record costs requests, and nothing else.
func parts(stack []span, part span, refused *refusal) []span {
	at := part.from + refused.record - 1
	if at < part.from || at >= part.to {
		at = part.from + part.size()/2
		return append(stack, span{at, part.to}, span{part.from, at})
	}
	// What is too large is so from that record on, and as many as fit behind it may go together.
	if refused.verdict == tooLarge && at > part.from {
		return append(stack, span{at, part.to}, span{part.from, at})
	}
	if at+1 < part.to {
		stack = append(stack, span{at + 1, part.to})
	}
	stack = append(stack, span{at, at + 1})
	if at > part.from {
		stack = append(stack, span{part.from, at})
	}
	return stack
}

// pick copies the records of the spans, which are in ascending order, with their resources and scopes.
func pick(logs plog.Logs, spans []span) plog.Logs {
	out := plog.NewLogs()
	at := 0 // the number of the next record
	for _, resource := range logs.ResourceLogs().All() {
		var resourceOut plog.ResourceLogs
		hasResource := false
		for _, scope := range resource.ScopeLogs().All() {
			var scopeOut plog.ScopeLogs
			hasScope := false
			for _, record := range scope.LogRecords().All() {
				for len(spans) > 0 && spans[0].to <= at {
					spans = spans[1:]
				}
				if len(spans) == 0 {
					return out
				}
				wanted := at >= spans[0].from
				at++
				if !wanted {
					continue
				}
				if !hasResource {
					hasResource = true
					resourceOut = out.ResourceLogs().AppendEmpty()
					resource.Resource().CopyTo(resourceOut.Resource())
					resourceOut.SetSchemaUrl(resource.SchemaUrl())
				}
				if !hasScope {
					hasScope = true
					scopeOut = resourceOut.ScopeLogs().AppendEmpty()
					scope.Scope().CopyTo(scopeOut.Scope())
					scopeOut.SetSchemaUrl(scope.SchemaUrl())
				}
				record.CopyTo(scopeOut.LogRecords().AppendEmpty())
			}
		}
	}
	return out
}
