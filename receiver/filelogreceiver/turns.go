// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bufio"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/attrs"
)

// turns ends a poll that takes too long, so that the next one looks at all files again. The file consumer reads every file to
// its end before it looks for new lines in any: a file that is written faster than it is read would otherwise keep all
// others waiting for as long as it is.
//
// A reader ends when its split function returns bufio.ErrFinalToken, as at the end of its file, and the next poll goes on from
// there. That must not happen to a reader whose file has been moved away, for there is no next poll for it. Such files are read
// before all others; so a turn ends only upon a batch that stands in the file at its path, which says that all others are at work.
type turns struct {
	maxFiles int // with more, the file consumer reads in several groups, each of which begins with files that have been moved away
	now      func() time.Time

	until atomic.Int64 // readers end up to this time, in Unix nanoseconds; 0: none

	mu      sync.Mutex
	enabled bool
	began   time.Time // of the turn; zero before it is known that files are read that have not been moved away
	tried   time.Time
}

const (
	// turn is how long a file is read before others are looked at.
	turn = 200 * time.Millisecond
	// A batch must not take long to come back for its reader to end its turn. A reader that is kept longer takes part in the next.
	turnEnds = 50 * time.Millisecond
	// How often a batch is looked for in its file, until one is found.
	tryEvery = 100 * time.Millisecond
)

// newTurns returns nil where a reader cannot be ended in the middle of its file.
func newTurns(c fileconsumer.Config, now func() time.Time) *turns {
	if c.DeleteAfterRead || (!strings.EqualFold(c.Encoding, "utf-8") && !strings.EqualFold(c.Encoding, "utf8") && c.Encoding != "") {
		return nil
	}
	return &turns{maxFiles: max(c.MaxConcurrentFiles/2, 1), now: now}
}

// wrap ends a turn before the next token is split off.
func (t *turns) wrap(split bufio.SplitFunc) bufio.SplitFunc {
	return func(data []byte, atEOF bool) (int, []byte, error) {
		if until := t.until.Load(); until != 0 && t.now().UnixNano() < until {
			return 0, nil, bufio.ErrFinalToken
		}
		return split(data, atEOF)
	}
}

// polled is told the checkpoint at the end of a poll.
func (t *turns) polled(checkpoint []byte) {
	if t == nil {
		return
	}
	files := countFiles(checkpoint)
	t.until.Store(0)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enabled, t.began = files >= 0 && files <= t.maxFiles, time.Time{}
}

// emitted is told a batch when it has come back.
func (t *turns) emitted(b batch) {
	if t == nil {
		return
	}
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.enabled || now.Sub(t.tried) < tryEvery || (!t.began.IsZero() && now.Sub(t.began) < turn) {
		return
	}
	t.tried = now
	path, _ := b.attributes[attrs.LogFilePath].(string)
	if _, stands := proveBytes(path, b, int(b.offsets[len(b.tokens)])); !stands {
		return
	}
	if !t.began.IsZero() {
		t.until.Store(now.Add(turnEnds).UnixNano())
	}
	t.began = now
}
