// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// firstAsk is how long after a request a server is first asked whether it has stored it, and maxAsk how long at most lies
	// between two questions: an indexer takes seconds as a rule, and up to two minutes when little is sent.
	firstAsk = 100 * time.Millisecond
	maxAsk   = 2 * time.Second
	// causeNotStored is the cause of a request that the server took, and has not said to have stored.
	causeNotStored = "not_acknowledged"
)

// receipt is a server's promise to store a request: the number that it gave it, within a channel.
type receipt struct {
	channel  string
	number   uint64
	records  int
	doubtful *atomic.Bool // of the channel: a number has come twice in it
	// leave, when set, is called when nobody waits any more for a server that said nothing: its late word on the number must not be taken
	// for one on another request that is given the same.
	leave func()
}

// receiptKey is what a receipt is known by.
type receiptKey struct {
	channel string
	number  uint64
}

// receipts are the promises of one target that wait to be kept. It asks for all of them together while there are any, and has
// no goroutine otherwise.
type receipts struct {
	// ask returns those numbers of a channel that the server says to have stored. An error is for people.
	ask func(ctx context.Context, channel string, numbers []uint64) ([]uint64, error)
	// patience is how long one waits.
	patience time.Duration
	// grace is how long one still waits when the exporter stops.
	grace time.Duration
	// stopping is closed when the exporter stops; it is not nil.
	stopping <-chan struct{}

	mu      sync.Mutex
	waiting map[receiptKey]*promise
	asking  bool  // a goroutine runs
	failure error // of the last question
	group   sync.WaitGroup
}

// promise is a receipt that waits.
type promise struct {
	records int
	kept    chan bool // true: stored; false: nobody knows
}

// await returns nil when the server has stored the request.
func (rs *receipts) await(ctx context.Context, r *receipt) error {
	p := rs.add(r)
	defer rs.forget(r, p)
	patience := time.NewTimer(rs.patience)
	defer patience.Stop()
	stopping := rs.stopping
	for {
		select {
		case stored := <-p.kept:
			if stored {
				return nil
			}
			return &refusal{cause: causeNotStored, message: "the server has given a request's number to another one: it was restarted, or there are several servers behind this address, which needs a front that keeps a sender on one of them"}
		case <-stopping:
			stopping = nil
			patience.Reset(rs.grace)
		case <-patience.C:
			if r.leave != nil {
				r.leave()
			}
			return rs.impatient()
		case <-ctx.Done():
			return &refusal{cause: "shutdown", message: "the exporter stops"}
		}
	}
}

func (rs *receipts) impatient() *refusal {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := &refusal{cause: causeNotStored, message: fmt.Sprintf("the server took a request, and has not said to have stored it within %s", rs.patience)}
	if rs.failure != nil {
		r.message += "; asking for it fails: " + clip(rs.failure.Error())
	}
	return r
}

func (rs *receipts) add(r *receipt) *promise {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	k := receiptKey{r.channel, r.number}
	p := &promise{records: r.records, kept: make(chan bool, 1)}
	if rs.waiting[k] != nil {
		r.doubtful.Store(true)
	}
	if r.doubtful.Load() {
		// Whose number is told to be stored nobody knows, neither of this request nor of any other in the channel.
		p.kept <- false
		for key, other := range rs.waiting {
			if key.channel == r.channel {
				delete(rs.waiting, key)
				other.kept <- false
			}
		}
		return p
	}
	if rs.waiting == nil {
		rs.waiting = map[receiptKey]*promise{}
	}
	rs.waiting[k] = p
	if !rs.asking {
		rs.asking = true
		rs.group.Go(rs.askWhileAnyWaits)
	}
	return p
}

func (rs *receipts) forget(r *receipt, p *promise) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if k := (receiptKey{r.channel, r.number}); rs.waiting[k] == p {
		delete(rs.waiting, k)
	}
}

// askWhileAnyWaits asks sooner after good news, and later and later without.
func (rs *receipts) askWhileAnyWaits() {
	stopping := rs.stopping
	for pause := firstAsk; ; {
		select {
		case <-time.After(pause):
		case <-stopping:
			stopping = nil
		}
		byChannel := rs.numbers()
		if byChannel == nil {
			return
		}
		if pause = min(2*pause, maxAsk); stopping == nil {
			pause = firstAsk
		}
		for channel, numbers := range byChannel {
			stored, err := rs.ask(context.Background(), channel, numbers)
			if rs.keep(channel, stored, err) {
				pause = firstAsk
			}
		}
	}
}

// numbers returns what waits, by channel; nil when nothing does, and then the next receipt needs a goroutine of its own.
func (rs *receipts) numbers() map[string][]uint64 {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if len(rs.waiting) == 0 {
		rs.asking = false
		return nil
	}
	byChannel := map[string][]uint64{}
	for k := range rs.waiting {
		byChannel[k.channel] = append(byChannel[k.channel], k.number)
	}
	for _, numbers := range byChannel {
		slices.Sort(numbers)
	}
	return byChannel
}

// keep takes the answer to a question, and reports whether anything was stored.
func (rs *receipts) keep(channel string, stored []uint64, err error) (any bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.failure = err
	for _, number := range stored {
		if p := rs.waiting[receiptKey{channel, number}]; p != nil {
			delete(rs.waiting, receiptKey{channel, number})
			p.kept <- true
			any = true
		}
	}
	return any
}

// records returns how many records wait.
func (rs *receipts) records() (n int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, p := range rs.waiting {
		n += p.records
	}
	return n
}

// close waits for the last question. Nothing may wait any more.
func (rs *receipts) close() { rs.group.Wait() }
