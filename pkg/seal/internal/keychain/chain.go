// SPDX-License-Identifier: Apache-2.0

package keychain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/logseal/logseal/pkg/seal"
)

// Seed is the private half of a key: what RFC 8032 calls the private key. It is
// kept in byte arrays that are overwritten after use, never in a string. That is
// the best Go offers: the runtime may have copied it, and crypto/ed25519 keeps an
// expanded key until the garbage collector takes it.
type Seed [ed25519.SeedSize]byte

// KeyPair is one key of the chain. It is held by pointer, so that there is one
// copy to overwrite.
type KeyPair struct {
	Seed   Seed
	Public seal.PublicKey
}

// NewKeyPair makes a key from fresh random bytes.
func NewKeyPair(random io.Reader) (*KeyPair, error) {
	k := new(KeyPair)
	if _, err := io.ReadFull(random, k.Seed[:]); err != nil {
		return nil, err
	}
	k.Derive()
	return k, nil
}

// Derive sets the public half.
func (k *KeyPair) Derive() {
	private := ed25519.NewKeyFromSeed(k.Seed[:])
	copy(k.Public[:], private[ed25519.SeedSize:])
	clear(private)
}

func (k *KeyPair) Sign(text string) []byte {
	// What ed25519.NewKeyFromSeed would return, without deriving the public half again.
	private := make(ed25519.PrivateKey, 0, ed25519.PrivateKeySize)
	private = append(append(private, k.Seed[:]...), k.Public[:]...)
	defer clear(private)
	return ed25519.Sign(private, []byte(text))
}

func (k *KeyPair) erase() { clear(k.Seed[:]) }

// anchorKey is the second key of a later seal.
type anchorKey struct {
	number uint64
	*KeyPair
}

// Chain is where a stream stands: what it needs to make seal number, and nothing
// that could make an earlier one.
type Chain struct {
	Number  uint64
	Key     *KeyPair
	Anchors []anchorKey // named by seals so far, ascending; number itself included if it is one
	Prev    seal.Hash   // of the text of seal number-1
	tree    seal.Tree   // of the blocks of the seals before
}

// New returns the chain of a new stream.
func New(random io.Reader) (*Chain, error) {
	key, err := NewKeyPair(random)
	if err != nil {
		return nil, err
	}
	return &Chain{Key: key}, nil
}

// Next completes s as the chain's next seal, and returns its text and the chain
// after it. The receiver keeps its keys, since the seal is not signed yet. A seal that no reader
// would take is an error.
func (c *Chain) Next(s *seal.Seal, random io.Reader) (string, *Chain, error) {
	after := &Chain{Number: c.Number + 1, tree: c.tree.Clone()}
	if len(s.Groups) > 0 {
		after.tree.Append(seal.Root(s.Groups))
	}
	var err error
	if after.Key, err = NewKeyPair(random); err != nil {
		return "", nil, err
	}
	s.Number, s.Size, s.Root, s.Prev, s.Next = c.Number, after.tree.Size(), after.tree.Root(), c.Prev, after.Key.Public
	s.Anchors = nil
	for _, number := range seal.AnchorsAfter(c.Number) {
		key := c.Anchor(number)
		if key == nil {
			if key, err = NewKeyPair(random); err != nil {
				return "", nil, err
			}
		}
		after.Anchors = append(after.Anchors, anchorKey{number, key})
		s.Anchors = append(s.Anchors, seal.Anchor{Number: number, Key: key.Public})
	}
	text := s.Text()
	if err := seal.CheckText(text); err != nil {
		return "", nil, fmt.Errorf("seal %d would not be readable: %w", c.Number, err)
	}
	after.Prev = sha256.Sum256([]byte(text))
	return text, after, nil
}

// Sign signs the text of seal c.number, and overwrites the keys that did: they
// have no other use.
func (c *Chain) Sign(text, origin string) []byte {
	signatures := []seal.Signature{{Name: origin, Key: &c.Key.Public, Sig: c.Key.Sign(text)}}
	c.Key.erase()
	if key := c.Anchor(c.Number); key != nil {
		signatures = append(signatures, seal.Signature{Name: origin + seal.AnchorSuffix, Key: &key.Public, Sig: key.Sign(text)})
		key.erase()
	}
	return seal.MarshalNote(text, signatures)
}

// Anchor returns the key of the anchor of that number, or nil.
func (c *Chain) Anchor(number uint64) *KeyPair {
	for _, a := range c.Anchors {
		if a.number == number {
			return a.KeyPair
		}
	}
	return nil
}

// Erase overwrites all keys of a chain that is not used any more.
func (c *Chain) Erase() {
	c.Key.erase()
	for _, a := range c.Anchors {
		a.erase()
	}
}

// Marshal returns what a chain is on disk, in memory of room bytes.
func Marshal(c *Chain, room int) []byte {
	b := make([]byte, 0, room)
	b = append(b, 1) // an erased slot has 0 here
	b = binary.BigEndian.AppendUint64(b, c.Number)
	b = append(b, c.Key.Seed[:]...)
	b = append(b, c.Prev[:]...)
	b = append(b, byte(len(c.Anchors)))
	for _, a := range c.Anchors {
		b = binary.BigEndian.AppendUint64(b, a.number)
		b = append(b, a.Seed[:]...)
	}
	b = binary.BigEndian.AppendUint64(b, c.tree.Size())
	for _, root := range c.tree.Subtrees() {
		b = append(b, root[:]...)
	}
	return b
}

// Unmarshal returns nil unless page holds a chain.
func Unmarshal(page []byte) *Chain {
	r := reader{page}
	if r.byte() != 1 {
		return nil
	}
	c := &Chain{Key: new(KeyPair)}
	c.Number = r.uint64()
	r.copy(c.Key.Seed[:])
	r.copy(c.Prev[:])
	c.Key.Derive()
	for range min(int(r.byte()), 8) {
		a := anchorKey{number: r.uint64(), KeyPair: new(KeyPair)}
		r.copy(a.Seed[:])
		a.Derive()
		c.Anchors = append(c.Anchors, a)
	}
	size := r.uint64()
	subtrees := make([]seal.Hash, bits.OnesCount64(size))
	for i := range subtrees {
		r.copy(subtrees[i][:])
	}
	c.tree = seal.TreeOf(size, subtrees)
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
