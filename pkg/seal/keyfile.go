// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
)

// A key file has three pages. The first never changes: a tag, the stream's name and
// pk0. The others are slots that hold the chain in turns, so that a write which
// is torn or lost leaves the other one whole. Everything is overwritten in place:
// a file that is replaced leaves its old blocks, with used keys, on the disk.
const (
	keyFileTag = "logseal key file 1\n"
	pageSize   = 4096
	slotCount  = 2
)

// File is what a key file needs of a file: writes in place, and that they are on
// the disk when Sync returns.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
}

// KeyFile holds a stream's private keys: those of the next seal and of the next
// anchors. It is the only place they have outside memory, and is never to be
// backed up or copied.
type KeyFile struct {
	f     File
	trust Trust
	slots [slotCount]*chain
}

// CreateKeyFile makes a new stream: a key file that only its owner may read, and
// the trust line that goes with it. It never replaces a file: errors.Is(err,
// fs.ErrExist).
func CreateKeyFile(path, name string) (Trust, error) {
	if err := CheckName(name); err != nil {
		return Trust{}, err
	}
	if _, err := os.Lstat(path); err == nil {
		return Trust{}, fmt.Errorf("key file %s: %w", path, fs.ErrExist)
	}
	// Written under another name first, so that path is a whole key file or none;
	// linked rather than renamed, so that nobody's key file is replaced.
	f, err := os.CreateTemp(filepath.Dir(path), ".logseal-key-*")
	if err != nil {
		return Trust{}, fmt.Errorf("key file %s: %w", path, err)
	}
	defer func() {
		f.Close()
		_ = os.Remove(f.Name()) // a second name of the key file by then, or nothing worth keeping
	}()
	if err := InitKeyFile(f, name); err != nil {
		return Trust{}, fmt.Errorf("key file %s: %w", path, err)
	}
	k, err := LoadKeyFile(f)
	if err != nil {
		return Trust{}, fmt.Errorf("key file %s: %w", path, err)
	}
	if err := os.Link(f.Name(), path); err != nil {
		return Trust{}, fmt.Errorf("key file %s: %w", path, err)
	}
	return k.trust, syncDir(filepath.Dir(path))
}

// OpenKeyFile opens a stream's key file and locks it. It refuses a file that its
// group or others can read, and one that another stamp has open.
func OpenKeyFile(path string) (*KeyFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	k, err := openKeyFile(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return k, nil
}

func openKeyFile(f *os.File) (*KeyFile, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("mode %#o lets others than its owner use it: chmod 600, and enroll again if anyone may have copied it", info.Mode().Perm())
	}
	if err := lockFile(f); err != nil {
		return nil, fmt.Errorf("another stamp uses it: give each stamp processor, and each pipeline, a key file of its own (%w)", err)
	}
	return LoadKeyFile(f)
}

// InitKeyFile writes the key file of a new stream into f, which must be empty.
func InitKeyFile(f File, name string) error { return initKeyFile(f, name, rand.Reader) }

func initKeyFile(f File, name string, random io.Reader) error {
	if err := CheckName(name); err != nil {
		return err
	}
	c, err := newChain(random)
	if err != nil {
		return err
	}
	header := make([]byte, 0, pageSize)
	header = append(header, keyFileTag...)
	header = append(header, c.key.public[:]...)
	header = append(header, byte(len(name)))
	header = append(header, name...)
	if _, err := f.WriteAt(sumPage(header), 0); err != nil {
		return err
	}
	k := &KeyFile{f: f}
	if err := k.erase(1); err != nil {
		return err
	}
	return k.write(0, c)
}

// LoadKeyFile reads a key file from f, which it keeps, and closes with
// [Sealer.Close]. Use [OpenKeyFile] unless f is something other than a file.
func LoadKeyFile(f File) (*KeyFile, error) {
	k := &KeyFile{f: f}
	header, err := k.page(0)
	if err != nil {
		return nil, err
	}
	rest, ok := bytes.CutPrefix(header, []byte(keyFileTag))
	if !ok || len(rest) <= len(k.trust.Key) {
		return nil, errors.New(`not a key file: make one with "logseal enroll"`)
	}
	rest = rest[copy(k.trust.Key[:], rest):]
	if len(rest)-1 < int(rest[0]) {
		return nil, errDamaged
	}
	k.trust.Name = string(rest[1 : 1+int(rest[0])])
	valid := 0
	for i := range k.slots {
		page, err := k.page(1 + i)
		if errors.Is(err, errDamaged) {
			continue // a torn write
		}
		if err != nil {
			return nil, err
		}
		if k.slots[i] = unmarshalChain(page); k.slots[i] != nil {
			valid++
		}
		clear(page)
	}
	if valid == 0 {
		return nil, errDamaged
	}
	return k, nil
}

// Trust returns the stream's trust line.
func (k *KeyFile) Trust() Trust { return k.trust }

// Close closes the file and with it the lock.
func (k *KeyFile) Close() error { return k.f.Close() }

var errDamaged = errors.New("it is damaged: enroll again, and trust the new line beside the old")

// page reads a page and returns its content if its checksum holds.
func (k *KeyFile) page(n int) ([]byte, error) {
	page := make([]byte, pageSize)
	if _, err := k.f.ReadAt(page, int64(n)*pageSize); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	content := page[:pageSize-HashSize]
	if sha256.Sum256(content) != [HashSize]byte(page[pageSize-HashSize:]) {
		clear(page)
		return nil, errDamaged
	}
	return content, nil
}

// sumPage fills content up to a page and puts its checksum at the end. It reuses
// the memory of content, which has the capacity of a page.
func sumPage(content []byte) []byte {
	page := content[:pageSize]
	sum := sha256.Sum256(page[:pageSize-HashSize])
	copy(page[pageSize-HashSize:], sum[:])
	return page
}

// write puts the chain into a slot. When it returns nil it is on the disk.
func (k *KeyFile) write(slot int, c *chain) error {
	page := sumPage(marshalChain(c))
	defer clear(page)
	if _, err := k.f.WriteAt(page, int64(1+slot)*pageSize); err != nil {
		return err
	}
	return k.f.Sync()
}

// erase overwrites a slot. When it returns nil the disk has been told to.
func (k *KeyFile) erase(slot int) error {
	if _, err := k.f.WriteAt(make([]byte, pageSize), int64(1+slot)*pageSize); err != nil {
		return err
	}
	return k.f.Sync()
}

// marshalChain returns the content of a slot, in memory of a page's capacity.
func marshalChain(c *chain) []byte {
	b := make([]byte, 0, pageSize)
	b = append(b, 1) // an erased slot has 0 here
	b = binary.BigEndian.AppendUint64(b, c.number)
	b = append(b, c.key.seed[:]...)
	b = append(b, c.prev[:]...)
	b = append(b, byte(len(c.anchors)))
	for _, a := range c.anchors {
		b = binary.BigEndian.AppendUint64(b, a.number)
		b = append(b, a.seed[:]...)
	}
	b = binary.BigEndian.AppendUint64(b, c.tree.size)
	for i := range c.tree.frontier {
		b = append(b, c.tree.frontier[i][:]...)
	}
	return b
}

// unmarshalChain returns nil unless page holds a chain.
func unmarshalChain(page []byte) *chain {
	r := reader{page}
	if r.byte() != 1 {
		return nil
	}
	c := &chain{key: new(keyPair)}
	c.number = r.uint64()
	r.copy(c.key.seed[:])
	r.copy(c.prev[:])
	c.key.derive()
	for range min(int(r.byte()), 8) {
		a := anchorKey{number: r.uint64(), keyPair: new(keyPair)}
		r.copy(a.seed[:])
		a.derive()
		c.anchors = append(c.anchors, a)
	}
	c.tree.size = r.uint64()
	c.tree.frontier = make([]Hash, bits.OnesCount64(c.tree.size))
	for i := range c.tree.frontier {
		r.copy(c.tree.frontier[i][:])
	}
	return c
}

// reader takes fixed-width fields off a byte slice; beyond its end it yields zeros.
type reader struct{ b []byte }

func (r *reader) copy(dst []byte) { r.b = r.b[copy(dst, r.b):] }

func (r *reader) byte() byte {
	var b [1]byte
	r.copy(b[:])
	return b[0]
}

func (r *reader) uint64() uint64 {
	var b [8]byte
	r.copy(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// syncDir makes a new file's name durable. Not every platform can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
