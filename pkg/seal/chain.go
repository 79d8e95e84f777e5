// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"io"
)

// seed is the private half of a key: what RFC 8032 calls the private key. It is
// kept in byte arrays that are overwritten after use, never in a string. That is
// the best Go offers: the runtime may have copied it, and crypto/ed25519 keeps an
// expanded key until the garbage collector takes it.
type seed [ed25519.SeedSize]byte

// keyPair is one key of the chain. It is held by pointer, so that there is one
// copy to overwrite.
type keyPair struct {
	seed   seed
	public PublicKey
}

// newKeyPair makes a key from fresh random bytes.
func newKeyPair(random io.Reader) (*keyPair, error) {
	k := new(keyPair)
	if _, err := io.ReadFull(random, k.seed[:]); err != nil {
		return nil, err
	}
	k.derive()
	return k, nil
}

// derive sets the public half.
func (k *keyPair) derive() {
	private := ed25519.NewKeyFromSeed(k.seed[:])
	copy(k.public[:], private[ed25519.SeedSize:])
	clear(private)
}

func (k *keyPair) sign(text string) []byte {
	// What ed25519.NewKeyFromSeed would return, without deriving the public half again.
	private := make(ed25519.PrivateKey, 0, ed25519.PrivateKeySize)
	private = append(append(private, k.seed[:]...), k.public[:]...)
	defer clear(private)
	return ed25519.Sign(private, []byte(text))
}

func (k *keyPair) erase() { clear(k.seed[:]) }

// anchorKey is the second key of a later seal.
type anchorKey struct {
	number uint64
	*keyPair
}

// chain is where a stream stands: what it needs to make seal number, and nothing
// that could make an earlier one.
type chain struct {
	number  uint64
	key     *keyPair
	anchors []anchorKey // named by seals so far, ascending; number itself included if it is one
	prev    Hash        // of the text of seal number-1
	tree    Tree        // of the blocks of the seals before
}

// newChain returns the chain of a new stream.
func newChain(random io.Reader) (*chain, error) {
	key, err := newKeyPair(random)
	if err != nil {
		return nil, err
	}
	return &chain{key: key}, nil
}

// next completes s as the chain's next seal, and returns its text and the chain
// after it. The receiver keeps its keys, since the seal is not signed yet.
func (c *chain) next(s *Seal, random io.Reader) (string, *chain, error) {
	after := &chain{number: c.number + 1, tree: c.tree.Clone()}
	if len(s.Groups) > 0 {
		after.tree.Append(Root(s.Groups))
	}
	var err error
	if after.key, err = newKeyPair(random); err != nil {
		return "", nil, err
	}
	s.Number, s.Size, s.Root, s.Prev, s.Next = c.number, after.tree.Size(), after.tree.Root(), c.prev, after.key.public
	s.Anchors = nil
	for _, number := range AnchorsAfter(c.number) {
		key := c.anchor(number)
		if key == nil {
			if key, err = newKeyPair(random); err != nil {
				return "", nil, err
			}
		}
		after.anchors = append(after.anchors, anchorKey{number, key})
		s.Anchors = append(s.Anchors, Anchor{number, key.public})
	}
	text := s.Text()
	after.prev = sha256.Sum256([]byte(text))
	return text, after, nil
}

// sign signs the text of seal c.number, and overwrites the keys that did: they
// have no other use.
func (c *chain) sign(text, origin string) []byte {
	signatures := []noteSignature{{origin, &c.key.public, c.key.sign(text)}}
	c.key.erase()
	if key := c.anchor(c.number); key != nil {
		signatures = append(signatures, noteSignature{origin + anchorSuffix, &key.public, key.sign(text)})
		key.erase()
	}
	return marshalNote(text, signatures)
}

// anchor returns the key of the anchor of that number, or nil.
func (c *chain) anchor(number uint64) *keyPair {
	for _, a := range c.anchors {
		if a.number == number {
			return a.keyPair
		}
	}
	return nil
}

// erase overwrites all keys of a chain that is not used any more.
func (c *chain) erase() {
	c.key.erase()
	for _, a := range c.anchors {
		a.erase()
	}
}
