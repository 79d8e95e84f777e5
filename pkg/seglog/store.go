// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Errors that Store and Log return.
var (
	// ErrFull refuses a bulk write: the bound of the store or the disk is reached. Nothing was stored. It ends by itself
	// when values have been deleted. Writes that are not bulk still have the spare segment of their log, and the room
	// that bulk writes leave free.
	ErrFull = errors.New("the storage is full")
	// ErrLocked says that another process has the folder.
	ErrLocked = errors.New("in use by another process")
	// ErrWrongKey says that the folder was sealed under a key that is not among those given.
	ErrWrongKey = errors.New("sealed under a key that is not given")
	// ErrLost is returned once for a value that was altered, or that the disk cannot read any more.
	ErrLost = errors.New("the stored value is damaged, and is lost")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the storage is closed")
)

// SyncPolicy says when writes are forced to the disk. A kill of the process loses nothing under any of them; they differ
// in what a loss of power takes.
type SyncPolicy string

// The policies.
const (
	// SyncNever leaves it to the operating system: some 30 seconds, in any order.
	SyncNever SyncPolicy = "never"
	// SyncInterval forces them once in an interval.
	SyncInterval SyncPolicy = "interval"
	// SyncAlways forces each before it is acknowledged.
	SyncAlways SyncPolicy = "always"
)

// Loss is something that was stored and cannot be read.
type Loss struct {
	Client  string
	Segment uint64
	Offset  int64 // in the segment; 0 if the whole of it is lost
	Entries int   // how many batches; 0 if that is not known
	Key     string
	Torn    bool // the last write, of which a kill leaves a part: then it had not been acknowledged
	Reason  string
}

// Options of a store.
type Options struct {
	// Keys are of KeySize bytes. The first seals; the others only open what was sealed before.
	Keys [][]byte
	// Sync is SyncInterval if it is empty.
	Sync SyncPolicy
	// Interval of SyncInterval, and of the housekeeping under every policy; a second if 0.
	Interval time.Duration
	// MaxBytes bounds the files. 0: only the disk bounds them.
	MaxBytes int64
	// OnLoss is called for whatever is lost, from within calls of Store and Log; it must not call them.
	OnLoss func(Loss)
	// ReadOnly neither locks nor changes anything, and may look at a folder that is in use.
	ReadOnly bool
}

// Store is a folder of logs. Its methods may be called concurrently.
type Store struct {
	dir  string
	disk disk
	opts Options
	lock io.Closer

	used                          atomic.Int64
	lost                          atomic.Int64
	fullSince                     atomic.Int64 // Unix nanoseconds; 0: not
	failure                       atomic.Pointer[error]
	refused, written, moved, sync atomic.Int64

	mu     sync.Mutex
	logs   map[string]*Log
	closed bool
	stop   chan struct{}
	done   chan struct{}
}

// Stats are counters since Open, and sizes.
type Stats struct {
	Bytes        int64 // of the files, with what is allocated ahead
	LiveBytes    int64 // of what can be read
	Entries      int64 // keys
	Lost         int64 // entries
	Refused      int64 // writes, with ErrFull
	WrittenBytes int64
	MovedBytes   int64 // of values that were in the way of freeing a segment
	Syncs        int64
	OldKey       int // segments under a key that is not the first
	Segments     int
	FullSince    time.Time // zero if it is not full
	Failing      error     // of the disk, until a write or sync succeeds
}

const (
	logSuffix       = ".seglog"
	lockName        = "lock"
	defaultInterval = time.Second
)

// Open opens the store in dir, and makes it if it is not there. A store that is sealed under none of the keys is
// ErrWrongKey, and left as it is.
func Open(dir string, o Options) (*Store, error) { return open(dir, o, system{readOnly: o.ReadOnly}) }

func open(dir string, o Options, d disk) (*Store, error) {
	if len(o.Keys) == 0 {
		return nil, errors.New("seglog: no key")
	}
	for _, key := range o.Keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("seglog: a key of %d bytes instead of %d", len(key), KeySize)
		}
	}
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.Sync == "" {
		o.Sync = SyncInterval
	}
	s := &Store{dir: dir, disk: d, opts: o, logs: map[string]*Log{}, stop: make(chan struct{}), done: make(chan struct{})}
	if err := d.MkdirAll(dir); err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		var err error
		if s.lock, err = d.Lock(filepath.Join(dir, lockName)); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	if err := s.survey(); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	if o.ReadOnly {
		close(s.done)
	} else {
		go s.housekeeping()
	}
	return s, nil
}

func (s *Store) unlock() error {
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// survey sums up what is there, and refuses a store of which no segment opens.
func (s *Store) survey() error {
	opened, foreign := 0, map[KeyID]int{}
	clients, err := s.Clients()
	if err != nil {
		return err
	}
	for _, client := range clients {
		dir := s.logDir(client)
		entries, err := s.disk.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				continue
			}
			s.used.Add(info.Size())
			number, isSegment := segmentNumber(e.Name())
			if !isSegment || opened > 0 {
				continue
			}
			f, err := s.disk.Open(filepath.Join(dir, e.Name()))
			if err != nil {
				continue
			}
			seg, err := openSegment(f, e.Name(), number, client, s.opts.Keys)
			switch {
			case err == nil:
				opened++
			case errors.Is(err, errUnknownKey):
				foreign[seg.keyID]++
			}
			_ = f.Close()
		}
	}
	if opened == 0 {
		for id, n := range foreign {
			return fmt.Errorf("%s: %w: %d segments need key %s", s.dir, ErrWrongKey, n, id)
		}
	}
	return nil
}

// Clients returns the names of the logs that are there.
func (s *Store) Clients() ([]string, error) {
	entries, err := s.disk.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var clients []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), logSuffix); ok && e.IsDir() {
			clients = append(clients, name)
		}
	}
	return clients, nil
}

func (s *Store) logDir(client string) string { return filepath.Join(s.dir, client+logSuffix) }

// Log opens the client's log, and makes it if it is not there. The name is part of a file's name. It is an error to open
// one that is open.
func (s *Store) Log(client string) (*Log, error) {
	if client == "" || client != filepath.Base(client) {
		return nil, fmt.Errorf("seglog: client name %q is no file name", client)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.logs[client] != nil {
		return nil, fmt.Errorf("the storage of client %q is open already", client)
	}
	l, err := openLog(s, client)
	if err != nil {
		return nil, err
	}
	s.logs[client] = l
	return l, nil
}

// Stats returns the counters, and the sizes of the logs that are open.
func (s *Store) Stats() Stats {
	st := Stats{
		Bytes: s.used.Load(), Lost: s.lost.Load(), Refused: s.refused.Load(), WrittenBytes: s.written.Load(),
		MovedBytes: s.moved.Load(), Syncs: s.sync.Load(),
	}
	if since := s.fullSince.Load(); since != 0 {
		st.FullSince = time.Unix(0, since)
	}
	if err := s.failure.Load(); err != nil {
		st.Failing = *err
	}
	for _, l := range s.open() {
		l.mu.Lock()
		st.Entries += int64(len(l.index))
		for _, seg := range l.segments {
			st.LiveBytes += seg.liveBytes
			st.Segments++
			if seg.keyID != IDOfKey(s.opts.Keys[0]) {
				st.OldKey++
			}
		}
		l.mu.Unlock()
	}
	return st
}

func (s *Store) open() []*Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	logs := make([]*Log, 0, len(s.logs))
	for _, l := range s.logs {
		logs = append(logs, l)
	}
	return logs
}

// housekeeping syncs, frees and allocates ahead, once in an interval.
func (s *Store) housekeeping() {
	defer close(s.done)
	ticker := time.NewTicker(s.opts.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			for _, l := range s.open() {
				_ = l.tick() // told by outcome; tried again at the next
			}
		}
	}
}

// Sync forces everything to the disk, and frees what has been waiting for that.
func (s *Store) Sync() error {
	var errs []error
	for _, l := range s.open() {
		errs = append(errs, l.tick())
	}
	return errors.Join(errs...)
}

// Close closes all logs.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	if !s.opts.ReadOnly {
		close(s.stop)
	}
	<-s.done
	var errs []error
	for _, l := range s.open() {
		errs = append(errs, l.Close())
	}
	return errors.Join(append(errs, s.unlock())...)
}

func (s *Store) lose(l Loss) {
	if !l.Torn {
		s.lost.Add(int64(max(l.Entries, 1)))
	}
	if s.opts.OnLoss != nil {
		s.opts.OnLoss(l)
	}
}

// outcome keeps what Stats says of the disk.
func (s *Store) outcome(err error) {
	if err == nil {
		if s.failure.Load() != nil {
			s.failure.Store(nil)
		}
		return
	}
	s.failure.Store(&err)
}
