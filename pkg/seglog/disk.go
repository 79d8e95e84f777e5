// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// disk is what a store asks of a file system. The tests have one that loses power, tears writes and is full.
type disk interface {
	MkdirAll(dir string) error
	ReadDir(dir string) ([]os.DirEntry, error)
	// Create makes a file of that size whose blocks are all there; a full disk is an error that isFull knows.
	Create(name string, size int64) (file, error)
	Open(name string) (file, error)
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(dir string) error
	// Free returns the bytes that can still be allocated, and all there are.
	Free(dir string) (free, total int64, err error)
	// Lock takes the folder for this process alone.
	Lock(name string) (io.Closer, error)
}

type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
	Size() (int64, error)
}

var errDiskFull = errors.New("no space left on the disk")

// system is the operating system's disk.
type system struct{ readOnly bool }

func (s system) MkdirAll(dir string) error {
	if s.readOnly {
		return nil
	}
	return os.MkdirAll(dir, 0o700)
}
func (system) ReadDir(dir string) ([]os.DirEntry, error) { return os.ReadDir(dir) }
func (system) Rename(from, to string) error              { return os.Rename(from, to) }
func (system) Remove(name string) error                  { return os.Remove(name) }

func (system) Create(name string, size int64) (file, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fullError(err)
	}
	if err := allocate(f, size); err != nil {
		return nil, errors.Join(fullError(err), f.Close(), os.Remove(name))
	}
	return osFile{f}, nil
}

func (s system) Open(name string) (file, error) {
	flag := os.O_RDWR
	if s.readOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(name, flag, 0)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (system) SyncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	return n, fullError(err)
}

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// writeZeros allocates where the file system has no call for it.
func writeZeros(f *os.File, size int64) error {
	zeros := make([]byte, 1<<16)
	for off := int64(0); off < size; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-off)], off); err != nil {
			return err
		}
	}
	return nil
}
