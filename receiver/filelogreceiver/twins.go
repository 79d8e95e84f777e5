// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/matcher"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
)

const (
	twinInterval = 30 * time.Second
	twinStep     = 1 << 20 // bytes of a pair that are compared at a time
)

// twins looks for files that the file consumer takes for one: their first bytes are the same, as of Debian's syslog and
// messages after a boot. Only one of them is read. A copy that a rotation has made is no twin: it holds nothing of its own.
type twins struct {
	matcher         *matcher.Matcher // nil: the receiver refuses the configuration
	fingerprintSize int
	pairs           map[[2]fileID]*pair
	looked          time.Time
	found           error
}

// fileID tells files apart, whatever they are called and hold.
type fileID struct{ device, inode uint64 }

type pair struct {
	same   int64 // so many first bytes are known to be the same
	differ bool  // what follows them
	seen   bool  // in the last look
}

type candidate struct {
	path string
	id   fileID
}

func newTwins(cfg *stock.FileLogConfig) *twins {
	m, _ := matcher.New(criteriaOf(cfg))
	return &twins{matcher: m, fingerprintSize: int(cfg.InputConfig.FingerprintSize), pairs: map[[2]fileID]*pair{}}
}

// look says which files are not read because they are taken for others. It looks every half a minute.
func (w *twins) look() error {
	if w.matcher == nil || time.Since(w.looked) < twinInterval {
		return w.found
	}
	w.looked, w.found = time.Now(), nil
	paths, _ := w.matcher.MatchFiles() // what cannot be looked into is said by reachable
	first := map[[sha256.Size]byte]candidate{}
	head := make([]byte, w.fingerprintSize)
	var found []error
	for _, path := range paths {
		c, ok := identify(path, head)
		if !ok {
			continue
		}
		key := sha256.Sum256(head)
		other, ok := first[key]
		if !ok {
			first[key] = c
		} else if other.id != c.id {
			found = append(found, w.compare(other, c))
		}
	}
	for ids, p := range w.pairs {
		if !p.seen {
			delete(w.pairs, ids)
		}
		p.seen = false
	}
	w.found = errors.Join(found...)
	return w.found
}

// identify reads the first bytes of a file; not ok: it has fewer, or cannot be read.
func identify(path string, head []byte) (candidate, bool) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return candidate{}, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return candidate{}, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return candidate{}, false
	}
	if _, err := f.ReadAt(head, 0); err != nil {
		return candidate{}, false
	}
	return candidate{path: path, id: fileID{stat.Dev, stat.Ino}}, true
}

// compare says so when two files that begin alike are not the same.
func (w *twins) compare(a, b candidate) error {
	ids := [2]fileID{a.id, b.id}
	p := w.pairs[ids]
	if p == nil {
		p = &pair{same: int64(w.fingerprintSize)}
		w.pairs[ids] = p
	}
	p.seen = true
	if !p.differ {
		p.same, p.differ = commonBytes(a.path, b.path, p.same)
	}
	if !p.differ {
		return nil
	}
	return fmt.Errorf("include: %s and %s begin with the same %d bytes and are taken for one file, so one of them is not read; set fingerprint_size, now %d, above that",
		a.path, b.path, p.same, w.fingerprintSize)
}

// commonBytes compares two files from an offset on, up to twinStep bytes, and says how far they are the same, and whether
// they differ then.
func commonBytes(a, b string, from int64) (same int64, differ bool) {
	var chunks [2][]byte
	for i, path := range []string{a, b} {
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return from, false
		}
		chunks[i] = make([]byte, twinStep)
		n, err := f.ReadAt(chunks[i], from)
		_ = f.Close()
		if err != nil && !errors.Is(err, io.EOF) {
			return from, false
		}
		chunks[i] = chunks[i][:n]
	}
	n := min(len(chunks[0]), len(chunks[1]))
	if bytes.Equal(chunks[0][:n], chunks[1][:n]) {
		return from + int64(n), false
	}
	for i := range n {
		if chunks[0][i] != chunks[1][i] {
			return from + int64(i), true
		}
	}
	return from + int64(n), false
}
