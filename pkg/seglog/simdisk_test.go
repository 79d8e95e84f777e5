// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	errCrashed = errors.New("simulated: the machine is off")
	errIO      = errors.New("simulated: input/output error")
)

// simDisk is a disk as POSIX promises one: what was not synced may be there after a loss of power, or not, or in part, in
// any order; names of files likewise.
type simDisk struct {
	mu       sync.Mutex
	rng      *rand.Rand
	dirs     map[string]*simDir
	capacity int64
	step     int // operations that change something
	crashAt  int // the step during which the process ends; 0: never
	failAt   int // the step that fails
	crashed  bool
	readFail func(name string, off int64) bool
	// fate says whether the nth of a file's or folder's changes that were not synced reaches the disk. nil: by chance, and torn.
	fate func(n, of int) bool
	// named says that all changes of a folder do, whatever becomes of the files'.
	named bool
}

type simDir struct {
	names, durable map[string]*simFile
	pending        []func(map[string]*simFile)
}

type simFile struct {
	disk          *simDisk
	name          string
	data, durable []byte
	pending       []simWrite
}

type simWrite struct {
	off  int64
	data []byte
}

func newSimDisk(seed uint64) *simDisk {
	return &simDisk{rng: rand.New(rand.NewPCG(seed, 1)), dirs: map[string]*simDir{}, capacity: 1 << 40}
}

// change counts a step. It returns false if the step must not happen.
func (d *simDisk) change() error {
	if d.crashed {
		return errCrashed
	}
	d.step++
	switch d.step {
	case d.crashAt:
		d.crashed = true
		return fmt.Errorf("%w, and this step was the last", errCrashed)
	case d.failAt:
		return errIO
	}
	return nil
}

func (d *simDisk) MkdirAll(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ; dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if d.dirs[dir] == nil {
			d.dirs[dir] = &simDir{names: map[string]*simFile{}, durable: map[string]*simFile{}}
		}
	}
	return nil
}

type simEntry struct {
	name string
	size int64
	dir  bool
}

func (e simEntry) Name() string               { return e.name }
func (e simEntry) IsDir() bool                { return e.dir }
func (e simEntry) Type() fs.FileMode          { return 0 }
func (e simEntry) Info() (fs.FileInfo, error) { return e, nil }
func (e simEntry) Size() int64                { return e.size }
func (e simEntry) Mode() fs.FileMode          { return 0 }
func (e simEntry) ModTime() time.Time         { return time.Time{} }
func (e simEntry) Sys() any                   { return nil }

func (d *simDisk) ReadDir(dir string) ([]os.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dirs[dir] == nil {
		return nil, fs.ErrNotExist
	}
	var entries []os.DirEntry
	for name, f := range d.dirs[dir].names {
		entries = append(entries, simEntry{name: name, size: int64(len(f.data))})
	}
	for sub := range d.dirs {
		if filepath.Dir(sub) == dir {
			entries = append(entries, simEntry{name: filepath.Base(sub), dir: true})
		}
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

func (d *simDisk) used() (n int64) {
	for _, dir := range d.dirs {
		for _, f := range dir.names {
			n += int64(len(f.data))
		}
	}
	return n
}

func (d *simDisk) Create(name string, size int64) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return nil, err
	}
	if d.used()+size > d.capacity {
		return nil, errDiskFull
	}
	f := &simFile{disk: d, name: name, data: make([]byte, size)}
	d.rename(filepath.Dir(name), func(names map[string]*simFile) { names[filepath.Base(name)] = f })
	return f, nil
}

// rename changes a directory now, and on the disk some time.
func (d *simDisk) rename(dir string, f func(map[string]*simFile)) {
	f(d.dirs[dir].names)
	d.dirs[dir].pending = append(d.dirs[dir].pending, f)
}

func (d *simDisk) Open(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed {
		return nil, errCrashed
	}
	f := d.dirs[filepath.Dir(name)].names[filepath.Base(name)]
	if f == nil {
		return nil, fs.ErrNotExist
	}
	return f, nil
}

func (d *simDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	d.rename(filepath.Dir(from), func(names map[string]*simFile) {
		if f := names[filepath.Base(from)]; f != nil {
			names[filepath.Base(to)] = f
			delete(names, filepath.Base(from))
		}
	})
	return nil
}

func (d *simDisk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	d.rename(filepath.Dir(name), func(names map[string]*simFile) { delete(names, filepath.Base(name)) })
	return nil
}

func (d *simDisk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.change(); err != nil {
		return err
	}
	d.dirs[dir].durable, d.dirs[dir].pending = maps.Clone(d.dirs[dir].names), nil
	return nil
}

func (d *simDisk) Free(string) (free, total int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.capacity - d.used(), d.capacity, nil
}

func (d *simDisk) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// restart is what the next start finds: everything after a kill, and what reached the disk after a loss of power.
func (d *simDisk) restart(powerLost bool) *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := &simDisk{rng: d.rng, dirs: map[string]*simDir{}, capacity: d.capacity}
	files := map[*simFile]*simFile{}
	carry := func(f *simFile) *simFile {
		if files[f] == nil {
			data := slices.Clone(f.data)
			if powerLost {
				data = d.whatSurvives(f)
			}
			files[f] = &simFile{disk: next, name: f.name, data: data, durable: slices.Clone(data)}
		}
		return files[f]
	}
	for path, dir := range d.dirs {
		names := dir.names
		if powerLost {
			names = maps.Clone(dir.durable)
			for i, change := range dir.pending {
				if d.named || d.fate != nil && d.fate(i, len(dir.pending)) || d.fate == nil && d.rng.IntN(2) == 0 {
					change(names)
				}
			}
		}
		to := &simDir{names: map[string]*simFile{}}
		for name, f := range names {
			to.names[name] = carry(f)
		}
		to.durable = maps.Clone(to.names)
		next.dirs[path] = to
	}
	return next
}

const sector = 512

func (d *simDisk) whatSurvives(f *simFile) []byte {
	data := slices.Clone(f.durable)
	if data == nil && d.fate == nil && d.rng.IntN(2) == 0 {
		return nil // not even its size
	}
	if data == nil {
		data = make([]byte, len(f.data))
	}
	for i, w := range f.pending {
		if d.fate != nil {
			if d.fate(i, len(f.pending)) {
				copy(data[w.off:], w.data)
			}
			continue
		}
		switch d.rng.IntN(3) {
		case 0: // nothing of it
		case 1:
			copy(data[w.off:], w.data)
		default: // torn: some sectors
			for at := w.off; at < w.off+int64(len(w.data)); {
				end := min((at/sector+1)*sector, w.off+int64(len(w.data)))
				if d.rng.IntN(2) == 0 {
					copy(data[at:end], w.data[at-w.off:])
				}
				at = end
			}
		}
	}
	return data
}

func (f *simFile) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.crashed {
		return 0, errCrashed
	}
	if f.disk.readFail != nil && f.disk.readFail(f.name, off) {
		return 0, errIO
	}
	if off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.disk.change()
	if err == errCrashed { //nolint:errorlint // the last step wraps it, and is done in part
		return 0, err
	}
	if off+int64(len(p)) > int64(len(f.data)) {
		panic("a write behind what was allocated")
	}
	if err != nil { // in part
		p = p[:f.disk.rng.IntN(len(p)+1)]
	}
	copy(f.data[off:], p)
	f.pending = append(f.pending, simWrite{off, slices.Clone(p)})
	return len(p), err
}

func (f *simFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.change(); err != nil {
		return err
	}
	f.durable, f.pending = slices.Clone(f.data), nil
	return nil
}

func (f *simFile) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.data)), nil
}

func (f *simFile) Close() error { return nil }
