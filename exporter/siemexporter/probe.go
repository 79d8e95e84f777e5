// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"time"
)

// prober asks SIEMs that nothing was sent to for an interval whether they would take something: a standby that cannot take
// over is to be known before it has to.
//
// It sends a request without records, which a server answers with success, over the connection that a request with records
// would take: the name, the port, the pins and this host's certificate are tried, and a server that answers at all is up.
type prober struct {
	targets targets
	stop    context.CancelFunc
	done    chan struct{}
}

// startProber starts one, or returns nil when there is no standby.
func startProber(ts targets) *prober {
	if len(ts.list) < 2 {
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &prober{targets: ts, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.run(ctx)
	}()
	return p
}

func (p *prober) run(ctx context.Context) {
	ticker := time.NewTicker(p.targets.pause)
	defer ticker.Stop()
	for {
		for _, t := range p.targets.list {
			if time.Since(time.Unix(0, t.asked.Load())) >= p.targets.pause && ctx.Err() == nil {
				p.probe(ctx, t)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *prober) probe(ctx context.Context, t *target) {
	_, refused := t.export(ctx, nil)
	switch {
	case ctx.Err() != nil:
	case refused == nil || refused.verdict != held:
		t.setRest(time.Time{})
		t.setDown(nil)
	case refused.delay == 0:
		t.setRest(time.Now().Add(p.targets.pause))
	}
}

func (p *prober) close() {
	if p == nil {
		return
	}
	p.stop()
	<-p.done
}
