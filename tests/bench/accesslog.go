// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

var userAgents = []string{
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
	"curl/8.4.0",
	"kube-probe/1.28",
}

// accessLog writes lines of a web server's log, 157 bytes on average; 0.8 % of them hold a card number, an address, a
// password or a key.
type accessLog struct {
	rng *rand.Rand
	n   int
}

func newAccessLog(seed uint64) *accessLog {
	return &accessLog{rng: rand.New(rand.NewPCG(seed, 1))}
}

func (l *accessLog) writeLine(w io.Writer) error {
	r, i := l.rng, l.n
	l.n++
	var path string
	switch r.IntN(6) {
	case 0:
		path = "/api/v1/login"
	case 1:
		path = fmt.Sprintf("/api/v1/orders/%d", 1+r.IntN(999999))
	case 2:
		path = fmt.Sprintf("/static/js/app.%x.js", 1+r.IntN(999999))
	case 3:
		path = "/healthz"
	case 4:
		path = fmt.Sprintf("/api/v2/users/%d/profile", 1+r.IntN(999999))
	case 5:
		path = fmt.Sprintf("/search?q=term%d", 1+r.IntN(999999))
	}
	status := []int{200, 200, 200, 404, 500}[r.IntN(5)]
	_, err := fmt.Fprintf(w, `%d.%d.%d.%d - user%d [23/Nov/2026:04:%02d:%02d +0000] "GET %s HTTP/1.1" %d %d "-" "%s" rt=%.3f`,
		1+r.IntN(254), r.IntN(256), r.IntN(256), 1+r.IntN(254), 1+r.IntN(5000), i/60%60, i%60, path,
		status, 100+r.IntN(99900), userAgents[r.IntN(3)], r.Float64())
	if err != nil {
		return err
	}
	switch p := r.Float64(); {
	case p < 0.002:
		_, err = io.WriteString(w, " card=4111 1111 1111 1111")
	case p < 0.004:
		_, err = fmt.Fprintf(w, " email=john.doe%d@example.com", i)
	case p < 0.006:
		_, err = fmt.Fprintf(w, " password=hunter2%d", i)
	case p < 0.008:
		_, err = io.WriteString(w, " AKIAIOSFODNN7EXAMPLE")
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

func writeAccessLog(path string, lines int, seed uint64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for log := newAccessLog(seed); log.n < lines; {
		if err := log.writeLine(w); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(w.Flush(), f.Close())
}

// writeSlowly writes 50 lines a second for so long and returns how many that were.
func writeSlowly(ctx context.Context, f io.Writer, length time.Duration) (lines int, err error) {
	w := bufio.NewWriter(f)
	log := newAccessLog(uint64(time.Now().UnixNano()))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(length); time.Now().Before(end); <-tick.C {
		if err := errors.Join(ctx.Err(), log.writeLine(w), w.Flush()); err != nil {
			return log.n, err
		}
	}
	return log.n, nil
}
