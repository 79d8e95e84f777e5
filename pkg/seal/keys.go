// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/ed25519"
	"crypto/rand"
)

// seed is the private half of a key: what RFC 8032 calls the private key. It is
// kept in byte arrays that are overwritten after use, never in a string. That is
// the best Go offers: the runtime may have copied it, and crypto/ed25519 keeps an
// expanded key until the garbage collector takes it.
type seed [ed25519.SeedSize]byte

// newSeed returns a fresh random seed and its public key.
func newSeed() (seed, PublicKey) {
	var s seed
	rand.Read(s[:]) // never fails: crypto/rand crashes the program instead
	return s, s.public()
}

func (s *seed) public() (pk PublicKey) {
	key := ed25519.NewKeyFromSeed(s[:])
	copy(pk[:], key[ed25519.SeedSize:])
	clear(key)
	return pk
}

func (s *seed) erase() { clear(s[:]) }

// signer signs notes with one key. It replaces note.Signer, which takes its key
// as a string that cannot be overwritten.
type signer struct {
	name   string
	seed   *seed
	public PublicKey
}

func newSigner(name string, s *seed) *signer {
	return &signer{name: name, seed: s, public: s.public()}
}

func (s *signer) sign(text []byte) []byte {
	key := ed25519.NewKeyFromSeed(s.seed[:])
	defer clear(key)
	return ed25519.Sign(key, text)
}
