// SPDX-License-Identifier: Apache-2.0

package keychain

import (
	"io"

	"filippo.io/mldsa"
)

// MLDSAKey is an ML-DSA-44 key (FIPS 204), held as its seed like [KeyPair].
type MLDSAKey struct {
	Seed   Seed   // the ξ of FIPS 204, 32 bytes as RFC 8032's
	Public []byte // 1,312 bytes
}

// NewMLDSAKey makes a key from fresh random bytes.
func NewMLDSAKey(random io.Reader) (*MLDSAKey, error) {
	k := new(MLDSAKey)
	if _, err := io.ReadFull(random, k.Seed[:]); err != nil {
		return nil, err
	}
	k.derive()
	return k, nil
}

func (k *MLDSAKey) private() *mldsa.PrivateKey {
	private, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), k.Seed[:])
	if err != nil {
		panic("keychain: " + err.Error()) // of a seed of another length
	}
	return private
}

// derive sets the public half.
func (k *MLDSAKey) derive() {
	private := k.private()
	k.Public = private.PublicKey().Bytes()
	*private = mldsa.PrivateKey{}
}

// Sign signs a text, with no context. The signature is the deterministic one: a key signs one text, ever.
func (k *MLDSAKey) Sign(text string) []byte {
	private := k.private()
	defer func() { *private = mldsa.PrivateKey{} }()
	signature, err := private.SignDeterministic([]byte(text), nil)
	if err != nil {
		panic("keychain: " + err.Error()) // of options, and there are none
	}
	return signature
}

func (k *MLDSAKey) erase() { clear(k.Seed[:]) }
