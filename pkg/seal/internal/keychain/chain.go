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

// anchorKey is the second key of a later seal, and in a post-quantum stream the third.
type anchorKey struct {
	number uint64
	*KeyPair
	mldsa *MLDSAKey // nil in a stream of Ed25519 keys alone
	name  seal.AnchorKey
}

// newAnchorKey makes the keys of an anchor.
func newAnchorKey(number uint64, postQuantum bool, random io.Reader) (a anchorKey, err error) {
	a.number = number
	if a.KeyPair, err = NewKeyPair(random); err != nil {
		return a, err
	}
	if postQuantum {
		if a.mldsa, err = NewMLDSAKey(random); err != nil {
			return a, err
		}
	}
	a.setName()
	return a, nil
}

// setName sets what seals name the keys by.
func (a *anchorKey) setName() {
	if a.mldsa == nil {
		a.name = seal.Ed25519Anchor(&a.KeyPair.Public)
	} else {
		a.name = seal.HybridAnchor(&a.KeyPair.Public, a.mldsa.Public)
	}
}

func (a *anchorKey) erase() {
	a.KeyPair.erase()
	if a.mldsa != nil {
		a.mldsa.erase()
	}
}

// Chain is where a stream stands: what it needs to make seal number, and nothing
// that could make an earlier one.
type Chain struct {
	Number  uint64
	Key     *KeyPair
	Anchors []anchorKey // named by seals so far, ascending; number itself included if it is one
	Prev    seal.Hash   // of the text of seal number-1
	tree    seal.Tree   // of the blocks of the seals before

	// PostQuantum is a property of the stream: anchors are signed with an ML-DSA-44 key too, and so is seal 0, with First.
	PostQuantum bool
	First       *MLDSAKey // of seal 0; nil from seal 1 on
}

// New returns the chain of a new stream.
func New(postQuantum bool, random io.Reader) (*Chain, error) {
	key, err := NewKeyPair(random)
	if err != nil {
		return nil, err
	}
	c := &Chain{Key: key, PostQuantum: postQuantum}
	if postQuantum {
		c.First, err = NewMLDSAKey(random)
	}
	return c, err
}

// Next completes s as the chain's next seal, and returns its text and the chain
// after it. The receiver keeps its keys, since the seal is not signed yet. A seal that no reader
// would take is an error.
func (c *Chain) Next(s *seal.Seal, random io.Reader) (string, *Chain, error) {
	after := &Chain{Number: c.Number + 1, tree: c.tree.Clone(), PostQuantum: c.PostQuantum}
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
		a := c.anchor(number)
		if a == nil {
			made, err := newAnchorKey(number, c.PostQuantum, random)
			if err != nil {
				return "", nil, err
			}
			a = &made
		}
		after.Anchors = append(after.Anchors, *a)
		s.Anchors = append(s.Anchors, seal.Anchor{Number: number, Key: a.name})
	}
	s.MLDSA, s.OwnAnchor = nil, seal.PublicKey{}
	if key := c.mldsa(); key != nil {
		s.MLDSA = key.Public
		if a := c.anchor(c.Number); a != nil {
			s.OwnAnchor = a.KeyPair.Public
		}
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
	if key := c.mldsa(); key != nil {
		signatures = append(signatures, seal.Signature{Name: origin + seal.MLDSASuffix, MLDSA: key.Public, Sig: key.Sign(text)})
		key.erase()
	}
	return seal.MarshalNote(text, signatures)
}

// Anchor returns the Ed25519 key of the anchor of that number, or nil.
func (c *Chain) Anchor(number uint64) *KeyPair {
	if a := c.anchor(number); a != nil {
		return a.KeyPair
	}
	return nil
}

func (c *Chain) anchor(number uint64) *anchorKey {
	for i := range c.Anchors {
		if c.Anchors[i].number == number {
			return &c.Anchors[i]
		}
	}
	return nil
}

// mldsa returns the ML-DSA-44 key that signs the next seal, nil if none does.
func (c *Chain) mldsa() *MLDSAKey {
	if a := c.anchor(c.Number); a != nil {
		return a.mldsa
	}
	return c.First
}

// LoseMLDSA puts other ML-DSA-44 keys in the place of the chain's, and leaves the rest: what somebody has who can forge Ed25519 signatures, and
// no others. For tests.
func (c *Chain) LoseMLDSA(random io.Reader) {
	replace := func(k **MLDSAKey) {
		if *k != nil {
			other, err := NewMLDSAKey(random)
			if err != nil {
				panic(err)
			}
			*k = other
		}
	}
	replace(&c.First)
	for i := range c.Anchors {
		replace(&c.Anchors[i].mldsa) // and seals go on naming the genuine ones
	}
}

// Rename makes seals name the anchors' keys as they are. For tests.
func (c *Chain) Rename() {
	for i := range c.Anchors {
		c.Anchors[i].setName()
	}
}

// Clone returns a copy that shares no key with the chain. For tests.
func (c *Chain) Clone() *Chain {
	clone := Unmarshal(Marshal(c, 0))
	for i := range clone.Anchors {
		clone.Anchors[i].name = c.Anchors[i].name
	}
	return clone
}

// Seeds returns the private halves of all keys, for tests that look for what was used.
func (c *Chain) Seeds() []Seed {
	seeds := []Seed{c.Key.Seed}
	if c.First != nil {
		seeds = append(seeds, c.First.Seed)
	}
	for _, a := range c.Anchors {
		seeds = append(seeds, a.Seed)
		if a.mldsa != nil {
			seeds = append(seeds, a.mldsa.Seed)
		}
	}
	return seeds
}

// Erase overwrites all keys of a chain that is not used any more.
func (c *Chain) Erase() {
	c.Key.erase()
	if c.First != nil {
		c.First.erase()
	}
	for i := range c.Anchors {
		c.Anchors[i].erase()
	}
}

// What a slot of a key file begins with. An erased slot has 0 there.
const (
	slotEd25519     = 1
	slotPostQuantum = 2 // seeds of ML-DSA-44 keys stand behind those of anchors, and the first behind the seal's own
)

// Marshal returns what a chain is on disk, in memory of room bytes.
func Marshal(c *Chain, room int) []byte {
	b := make([]byte, 0, room)
	if c.PostQuantum {
		b = append(b, slotPostQuantum)
	} else {
		b = append(b, slotEd25519)
	}
	b = binary.BigEndian.AppendUint64(b, c.Number)
	b = append(b, c.Key.Seed[:]...)
	if c.PostQuantum && c.Number == 0 {
		b = append(b, c.First.Seed[:]...)
	}
	b = append(b, c.Prev[:]...)
	b = append(b, byte(len(c.Anchors)))
	for _, a := range c.Anchors {
		b = binary.BigEndian.AppendUint64(b, a.number)
		b = append(b, a.Seed[:]...)
		if c.PostQuantum {
			b = append(b, a.mldsa.Seed[:]...)
		}
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
	kind := r.byte()
	if kind != slotEd25519 && kind != slotPostQuantum {
		return nil
	}
	c := &Chain{Key: new(KeyPair), PostQuantum: kind == slotPostQuantum}
	c.Number = r.uint64()
	r.copy(c.Key.Seed[:])
	if c.PostQuantum && c.Number == 0 {
		c.First = r.mldsa()
	}
	r.copy(c.Prev[:])
	c.Key.Derive()
	for range min(int(r.byte()), 8) {
		a := anchorKey{number: r.uint64(), KeyPair: new(KeyPair)}
		r.copy(a.Seed[:])
		a.Derive()
		if c.PostQuantum {
			a.mldsa = r.mldsa()
		}
		a.setName()
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

func (r *reader) mldsa() *MLDSAKey {
	k := new(MLDSAKey)
	r.copy(k.Seed[:])
	k.derive()
	return k
}
