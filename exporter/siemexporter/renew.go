// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/sha256"
	"os"
	"time"

	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"
)

// pollInterval is how often the files are looked at. They are read rather than watched: Kubernetes replaces them by
// swinging a symbolic link two directories up, which a watch on the file does not see, and three small files cost
// nothing.
const pollInterval = 5 * time.Second

// renewer makes new connections when a certificate, key or authority changes on disk, when a certificate expires that they
// rest on, and every interval in any case: what else an authority has withdrawn shows in a new handshake only.
type renewer struct {
	files    []string
	interval time.Duration // 0: on changes only
	targets  targets
	logger   *zap.Logger

	stop chan struct{}
	done chan struct{}
}

func newRenewer(tls *configtls.ClientConfig, ts targets, logger *zap.Logger) *renewer {
	r := &renewer{
		interval: tls.ReloadInterval, targets: ts, logger: logger,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	for _, file := range []string{tls.CAFile, tls.CertFile, tls.KeyFile} {
		if file != "" {
			r.files = append(r.files, file)
		}
	}
	return r
}

// start watches until close is called. before is what fingerprint returned ahead of the first client: a file that
// changed in between is noticed.
func (r *renewer) start(before [sha256.Size]byte) {
	go func() {
		defer close(r.done)
		r.run(before)
	}()
}

func (r *renewer) close() {
	close(r.stop)
	<-r.done
}

func (r *renewer) run(seen [sha256.Size]byte) {
	poll := pollInterval
	if r.interval > 0 {
		poll = min(poll, r.interval)
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	renewed := time.Now()
	complaint := ""
	for {
		select {
		case <-r.stop:
			return
		case <-ticker.C:
		}
		current := r.fingerprint()
		due := r.interval > 0 && time.Since(renewed) >= r.interval
		if current == seen && !due {
			r.targets.renewExpired(context.Background(), r.logger)
			continue
		}
		if err := r.targets.renew(context.Background()); err != nil {
			// A certificate and its key are seldom replaced in the same instant: said once, and tried at every poll.
			if complaint != err.Error() {
				complaint = err.Error()
				r.logger.Warn("Certificates cannot be loaded anew; the connections stay as they are, and it is tried again", zap.Error(err))
			}
			continue
		}
		if current != seen {
			r.logger.Info("Certificates changed on disk; connections are made anew")
		}
		seen, renewed, complaint = current, time.Now(), ""
	}
}

// fingerprint returns a digest of the files' contents. A file that cannot be read counts as one that is empty.
func (r *renewer) fingerprint() [sha256.Size]byte {
	digest := sha256.New()
	for _, file := range r.files {
		content, _ := os.ReadFile(file)
		each := sha256.Sum256(content)
		digest.Write(each[:])
	}
	return [sha256.Size]byte(digest.Sum(nil))
}
