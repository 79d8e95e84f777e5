// SPDX-License-Identifier: Apache-2.0

package lossless

import (
	"context"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// A receiver with an operator of its own saves more often than the stock one, because it knows which records a save
// covers. It needs two words with the position for that, and both travel in the context.
type (
	answerKey  struct{}
	partialKey struct{}
)

// Answer is what became of the records that were emitted under one context. Emission is synchronous: the answer is there
// when the emitting call returns, and belongs to its goroutine.
type Answer struct {
	accepted, refused bool // the last answer of the next consumer; neither: nothing has reached it
}

// Accepted says that the next consumer has taken the records, or that the receiver has given them up with an error that
// no repetition mends.
func (a *Answer) Accepted() bool { return a.accepted }

// Refused says that the next consumer has not taken the records and might later.
func (a *Answer) Refused() bool { return a.refused }

// AwaitAnswer returns a context to emit under, and the answer to that emission.
func AwaitAnswer(ctx context.Context) (context.Context, *Answer) {
	a := &Answer{}
	return context.WithValue(ctx, answerKey{}, a), a
}

func noteAnswer(ctx context.Context, err error) {
	if a, ok := ctx.Value(answerKey{}).(*Answer); ok {
		a.refused = err != nil && !consumererror.IsPermanent(err)
		a.accepted = !a.refused
	}
}

// PartialSave marks a save that covers accepted records only, and not all that were read. It is not made once a stop has
// begun: batches are given up then, and only the receiver's last save knows whether any was.
func PartialSave(ctx context.Context) context.Context {
	return context.WithValue(ctx, partialKey{}, true)
}

func isPartial(ctx context.Context) bool { return ctx.Value(partialKey{}) != nil }
