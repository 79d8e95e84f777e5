// SPDX-License-Identifier: Apache-2.0

package configreloadextension

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// stops keeps a request to end (SIGTERM, SIGINT) that comes while otelcol does not listen for one.
//
// otelcol listens once its components run, and no more when a reload has failed. Components report that they are well before
// that; whoever waits for it and then ends the process would end it like a crash, with files open and requests under way.
type stops struct {
	listening atomic.Int64 // since when otelcol listens, in Unix nanoseconds; 0: it does not
	asked     atomic.Bool
}

const (
	// otelcol asks for SIGHUP, which is how we know that it listens, and for the others right after that. For so long a signal
	// is taken for one that it may have missed.
	stopGrace = time.Second
	// A signal is repeated so often, for so long.
	stopAgain = 20 * time.Millisecond
)

// serve takes requests until the process ends or the function that it returns is called.
func (s *stops) serve() (end func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case sig := <-signals:
				s.asked.Store(true)
				if s.missed(time.Now()) && !s.repeat(sig.(syscall.Signal), signals, done) {
					return
				}
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

func (s *stops) missed(now time.Time) bool {
	since := s.listening.Load()
	return since == 0 || now.Sub(time.Unix(0, since)) < stopGrace
}

// repeat sends a signal again when otelcol listens, until it cannot have missed it. Who asks twice before that, because a start
// hangs, is obeyed at once.
func (s *stops) repeat(sig syscall.Signal, signals chan os.Signal, done <-chan struct{}) bool {
	tick := time.NewTicker(stopAgain)
	defer tick.Stop()
	for s.missed(time.Now()) {
		select {
		case <-done:
			return false
		case again := <-signals:
			if s.listening.Load() == 0 {
				signal.Reset(again)
				sig = again.(syscall.Signal)
				_ = syscall.Kill(os.Getpid(), sig)
				return false
			}
		case <-tick.C:
			if s.listening.Load() != 0 {
				_ = syscall.Kill(os.Getpid(), sig)
			}
		}
	}
	return true
}
