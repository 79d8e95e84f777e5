// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"

	"filippo.io/mldsa"
)

// MLDSAKeySize is the size of an ML-DSA-44 public key (FIPS 204), in bytes.
const MLDSAKeySize = mldsa.MLDSA44PublicKeySize

// MLDSASuffix is what the name of an ML-DSA-44 key has behind the stream's origin.
const MLDSASuffix = "/ml-dsa-44"

// mldsaType is the signature type of our ML-DSA-44 signatures. C2SP has assigned none: its 0x06 is of cosignatures, which cover a
// checkpoint's origin, size and root only. 0xff stands before a longer identifier that is one's own.
const mldsaType = "\xfflogseal.v1/ml-dsa-44"

// AnchorKey is what seals name the key of an anchor by: a type byte, and the Ed25519 key itself or, in a post-quantum stream, the hash of
// that and of the anchor's ML-DSA-44 key. The type is part of it: who can find the private key of any Ed25519 key must not find
// one in a hash.
type AnchorKey [1 + HashSize]byte

const hybridKey = 0xff

// Ed25519Anchor returns what an anchor's key is named by in a stream that has Ed25519 keys alone.
func Ed25519Anchor(key *PublicKey) AnchorKey { return anchorKey(algEd25519, key[:]) }

// HybridAnchor returns what an anchor's keys are named by in a post-quantum stream.
func HybridAnchor(key *PublicKey, mldsaKey []byte) AnchorKey {
	h := sha256.New()
	h.Write(key[:])
	h.Write(mldsaKey)
	return anchorKey(hybridKey, h.Sum(nil))
}

func anchorKey(kind byte, value []byte) (k AnchorKey) {
	k[0] = kind
	copy(k[1:], value)
	return k
}

// Ed25519 returns the key itself, of one that is not hybrid.
func (k *AnchorKey) Ed25519() *PublicKey { return (*PublicKey)(k[1:]) }

// Hybrid reports whether it is of a post-quantum stream.
func (k *AnchorKey) Hybrid() bool { return k[0] == hybridKey }

// PostQuantum reports whether the seal is of a post-quantum stream.
func (s *Seal) PostQuantum() bool { return len(s.Anchors) > 0 && s.Anchors[0].Key.Hybrid() }

// carriesMLDSA reports whether a seal of a post-quantum stream with this number carries an ML-DSA-44 key.
func (s *Seal) carriesMLDSA() bool { return s.Number == 0 || s.HasAnchor() }

// MLDSAHash is what a trust line names the first ML-DSA-44 key of a stream by.
func MLDSAHash(key []byte) Hash { return sha256.Sum256(key) }

// SignedPostQuantum reports whether the note carries the ML-DSA-44 signature of the key that its seal carries. Whose key that is says the trust
// line of the stream, or the seals that name the anchor: see [Note.AnchoredBy].
func (n *Note) SignedPostQuantum() bool {
	if len(n.Seal.MLDSA) == 0 {
		return false
	}
	key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), n.Seal.MLDSA)
	if err != nil {
		return false
	}
	name := n.Seal.Origin() + MLDSASuffix
	id := mldsaKeyID(name, n.Seal.MLDSA)
	for _, s := range n.signatures {
		if s.name == name && s.id == id {
			return mldsa.Verify(key, []byte(n.Text), s.sig, nil) == nil
		}
	}
	return false
}

// Begins reports whether the note is that of a stream's first seal, by its trust line: signed with pk0, and with the ML-DSA-44 key that the
// line names. A seal that carries such a key must be signed with it, whether the line names it or not.
func (n *Note) Begins(trust *Trust) bool {
	switch {
	case !n.SignedBy(&trust.Key):
		return false
	case !n.Seal.PostQuantum():
		return trust.PostQuantum == Hash{}
	case trust.PostQuantum != (Hash{}) && trust.PostQuantum != MLDSAHash(n.Seal.MLDSA):
		return false
	}
	return n.SignedPostQuantum()
}

// FirstTrust returns the trust line that a stream's first seal, which is an open seal, claims for itself.
func (s *Seal) FirstTrust() Trust {
	t := Trust{Name: s.Name, Key: s.Key}
	if s.PostQuantum() {
		t.PostQuantum = MLDSAHash(s.MLDSA)
	}
	return t
}

func mldsaKeyID(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"+mldsaType), key...))
	return binary.BigEndian.Uint32(sum[:])
}

// keys reads the lines that name keys.
func (p *parser) keys(s *Seal) {
	p.base64(p.field("next"), s.Next[:])
	if p.err != nil {
		return
	}
	hybrid := p.has("anchor-hash")
	if s.carriesMLDSA() {
		if hybrid = p.has("anchor-key") || p.has("ml-dsa-44"); hybrid {
			p.ownKeys(s)
		}
	}
	field, kind := "anchor", byte(algEd25519)
	if hybrid {
		field, kind = "anchor-hash", hybridKey
	}
	for _, number := range AnchorsAfter(s.Number) {
		anchor := Anchor{Number: number, Key: AnchorKey{kind}}
		written, key, _ := strings.Cut(p.field(field), " ")
		if p.number(written) != number {
			p.fail(errAnchorNumber)
		}
		p.base64(key, anchor.Key[1:])
		s.Anchors = append(s.Anchors, anchor)
	}
}

var errAnchorNumber = errors.New("an anchor with another number belongs here")

// ownKeys reads the keys of seal 0, or of an anchor, of a post-quantum stream.
func (p *parser) ownKeys(s *Seal) {
	if s.HasAnchor() {
		p.base64(p.field("anchor-key"), s.OwnAnchor[:])
	}
	s.MLDSA = make([]byte, MLDSAKeySize)
	p.base64(p.field("ml-dsa-44"), s.MLDSA)
}

// appendKeys writes what keys reads.
func (s *Seal) appendKeys(line func(parts ...string)) {
	line("next", b64(s.Next[:]))
	field := "anchor"
	if s.PostQuantum() {
		field = "anchor-hash"
		if s.HasAnchor() {
			line("anchor-key", b64(s.OwnAnchor[:]))
		}
		if s.carriesMLDSA() {
			line("ml-dsa-44", b64(s.MLDSA))
		}
	}
	for i := range s.Anchors {
		line(field, decimal(s.Anchors[i].Number), b64(s.Anchors[i].Key[1:]))
	}
}
