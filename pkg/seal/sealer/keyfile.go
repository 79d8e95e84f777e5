// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
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
	trust seal.Trust
	slots [slotCount]*keychain.Chain
}

// CreateKeyFile makes a new stream: a key file that only its owner may read, and
// the trust line that goes with it. It never replaces a file: errors.Is(err,
// fs.ErrExist).
func CreateKeyFile(path, name string) (seal.Trust, error) {
	if err := seal.CheckName(name); err != nil {
		return seal.Trust{}, err
	}
	if _, err := os.Lstat(path); err == nil {
		return seal.Trust{}, fmt.Errorf("key file %s: %w", path, fs.ErrExist)
	}
	// Written under another name first, so that path is a whole key file or none;
	// linked rather than renamed, so that nobody's key file is replaced.
	f, err := os.CreateTemp(filepath.Dir(path), ".logseal-key-*")
	if err != nil {
		return seal.Trust{}, fmt.Errorf("key file %s: %w", path, err)
	}
	defer func() {
		f.Close()
		_ = os.Remove(f.Name()) // a second name of the key file by then, or nothing worth keeping
	}()
	if err := InitKeyFile(f, name); err != nil {
		return seal.Trust{}, fmt.Errorf("key file %s: %w", path, err)
	}
	k, err := LoadKeyFile(f)
	if err != nil {
		return seal.Trust{}, fmt.Errorf("key file %s: %w", path, err)
	}
	if err := os.Link(f.Name(), path); err != nil {
		return seal.Trust{}, fmt.Errorf("key file %s: %w", path, err)
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
	if err := seal.CheckName(name); err != nil {
		return err
	}
	c, err := keychain.New(random)
	if err != nil {
		return err
	}
	header := make([]byte, 0, pageSize)
	header = append(header, keyFileTag...)
	header = append(header, c.Key.Public[:]...)
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
		if k.slots[i] = keychain.Unmarshal(page); k.slots[i] != nil {
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
func (k *KeyFile) Trust() seal.Trust { return k.trust }

// Close closes the file and with it the lock.
func (k *KeyFile) Close() error { return k.f.Close() }

var errDamaged = errors.New("it is damaged: enroll again, and trust the new line beside the old")

// page reads a page and returns its content if its checksum holds.
func (k *KeyFile) page(n int) ([]byte, error) {
	page := make([]byte, pageSize)
	if _, err := k.f.ReadAt(page, int64(n)*pageSize); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	content := page[:pageSize-seal.HashSize]
	if sha256.Sum256(content) != [seal.HashSize]byte(page[pageSize-seal.HashSize:]) {
		clear(page)
		return nil, errDamaged
	}
	return content, nil
}

// sumPage fills content up to a page and puts its checksum at the end. It reuses
// the memory of content, which has the capacity of a page.
func sumPage(content []byte) []byte {
	page := content[:pageSize]
	sum := sha256.Sum256(page[:pageSize-seal.HashSize])
	copy(page[pageSize-seal.HashSize:], sum[:])
	return page
}

// write puts the chain into a slot. When it returns nil it is on the disk.
func (k *KeyFile) write(slot int, c *keychain.Chain) error {
	page := sumPage(keychain.Marshal(c, pageSize))
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
