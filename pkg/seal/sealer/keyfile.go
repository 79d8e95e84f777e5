// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
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

// A key file has three pages. The first never changes: a tag, pk0, the stream's name, and the hash of its first ML-DSA-44 key. The others are slots that hold the chain in turns, so that a write which
// is torn or lost leaves the other one whole. Everything is overwritten in place:
// a file that is replaced leaves its old blocks, with used keys, on the disk. Behind
// the pages is the stream's endorsement, if it has one: no secret, and written once.
const (
	keyFileTag     = "logseal key file 1\n"
	pageSize       = 4096
	slotCount      = 2
	endorsementAt  = (1 + slotCount) * pageSize
	endorsementTag = "endorsement 1\n"
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
	f           File
	trust       seal.Trust
	slots       [slotCount]*keychain.Chain
	endorsement *seal.Endorsement
}

// NewStream says what a new key file is to be.
type NewStream struct {
	Name string // of the stream, in trust lines and reports
	// PostQuantum makes the stream's first seal and its anchors carry ML-DSA-44 signatures too.
	PostQuantum bool
	// Endorse vouches for the stream by certificate, as endorse.Sign does; nil if nothing does.
	Endorse func(seal.Trust) (*seal.Endorsement, error)
}

// CreateKeyFile makes a new stream: a key file that only its owner may read, and
// the trust line that goes with it. It never replaces a file: errors.Is(err,
// fs.ErrExist).
func CreateKeyFile(path string, stream NewStream) (seal.Trust, error) {
	if err := seal.CheckName(stream.Name); err != nil {
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
	if err := InitKeyFile(f, stream); err != nil {
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
func InitKeyFile(f File, stream NewStream) error { return initKeyFile(f, stream, rand.Reader) }

func initKeyFile(f File, stream NewStream, random io.Reader) error {
	name := stream.Name
	if err := seal.CheckName(name); err != nil {
		return err
	}
	c, err := keychain.New(stream.PostQuantum, random)
	if err != nil {
		return err
	}
	header := make([]byte, 0, pageSize)
	header = append(header, keyFileTag...)
	header = append(header, c.Key.Public[:]...)
	header = append(header, byte(len(name)))
	header = append(header, name...)
	trust := seal.Trust{Name: name, Key: c.Key.Public}
	if stream.PostQuantum {
		trust.PostQuantum = seal.MLDSAHash(c.First.Public)
		header = append(header, trust.PostQuantum[:]...) // zeros in a file of a stream without
	}
	if _, err := f.WriteAt(sumPage(header), 0); err != nil {
		return err
	}
	k := &KeyFile{f: f, trust: trust}
	if stream.Endorse != nil {
		e, err := stream.Endorse(k.trust)
		if err != nil {
			return err
		}
		if err := k.writeEndorsement(e); err != nil {
			return err
		}
	}
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
	copy(k.trust.PostQuantum[:], rest[1+int(rest[0]):])
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
	k.endorsement, err = k.readEndorsement()
	return k, err
}

// Trust returns the stream's trust line.
func (k *KeyFile) Trust() seal.Trust { return k.trust }

// Begun reports whether a seal of the stream was made.
func (k *KeyFile) Begun() bool {
	for _, c := range k.slots {
		if c != nil && c.Number > 0 {
			return true
		}
	}
	return false
}

// Endorsed reports whether the stream's first seal carries an endorsement, or will.
func (k *KeyFile) Endorsed() bool { return k.endorsement != nil }

// ErrBegun is returned by [KeyFile.Endorse] for a stream whose first seal was made: only that can carry an endorsement.
var ErrBegun = errors.New("the stream has begun")

// Endorse puts an endorsement into the key file, for the stream's first seal.
func (k *KeyFile) Endorse(e *seal.Endorsement) error {
	if k.Begun() {
		return ErrBegun
	}
	if err := k.writeEndorsement(e); err != nil {
		return err
	}
	k.endorsement = e
	return k.f.Sync()
}

// writeEndorsement writes tag, length, checksum and content. A write that is torn is as good as none.
func (k *KeyFile) writeEndorsement(e *seal.Endorsement) error {
	if err := e.Check(); err != nil {
		return err
	}
	content := appendBytes(nil, e.Signature)
	for _, der := range e.Certificates {
		content = appendBytes(content, der)
	}
	sum := sha256.Sum256(content)
	b := binary.BigEndian.AppendUint32([]byte(endorsementTag), uint32(len(content)))
	b = append(append(b, sum[:]...), content...)
	_, err := k.f.WriteAt(b, endorsementAt)
	return err
}

// readEndorsement returns nil if there is no whole one.
func (k *KeyFile) readEndorsement() (*seal.Endorsement, error) {
	const most = 2 * seal.MaxCertificateBytes
	b := make([]byte, most)
	n, err := k.f.ReadAt(b, endorsementAt)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	b, tagged := bytes.CutPrefix(b[:n], []byte(endorsementTag))
	if !tagged || len(b) < 4+seal.HashSize {
		return nil, nil
	}
	size, sum, b := binary.BigEndian.Uint32(b), [seal.HashSize]byte(b[4:]), b[4+seal.HashSize:]
	if uint64(size) > uint64(len(b)) || sha256.Sum256(b[:size]) != sum {
		return nil, nil
	}
	r := varReader{b: b[:size]}
	e := &seal.Endorsement{Signature: r.bytes(int(r.count()))}
	for len(r.b) > 0 {
		e.Certificates = append(e.Certificates, r.bytes(int(r.count())))
	}
	if r.failed || e.Check() != nil {
		return nil, nil
	}
	return e, nil
}

func appendBytes(b, field []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

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
