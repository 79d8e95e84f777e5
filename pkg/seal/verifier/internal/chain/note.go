// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"cmp"
	"crypto/sha256"
	"errors"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Note is a seal as it was found.
type Note struct {
	*seal.Note
	Place finding.Place

	text  seal.Hash // of what is signed
	whole seal.Hash // of the note: a copy with other signatures may be the one that holds
	size  int
	again uint64 // how often the whole came again while it waited

	// What was tried last, so that seals nobody can authenticate cost their signature checks once.
	own    signatureCheck[seal.PublicKey]
	anchor signatureCheck[seal.AnchorKey]
	first  signatureCheck[seal.Trust]
	next   signatureCheck[seal.Hash]
}

// Count returns how often the note was found while it waited.
func (n *Note) Count() uint64 { return 1 + n.again }

type signatureCheck[Key comparable] struct {
	tried, holds bool
	key          Key
}

func (c *signatureCheck[Key]) check(key *Key, holds func(*Key) bool) bool {
	if !c.tried || c.key != *key {
		*c = signatureCheck[Key]{true, holds(key), *key}
	}
	return c.holds
}

// ParseNote reads the body of a record that claims to be a seal. The error is that of [seal.ParseNote].
func ParseNote(body []byte, place finding.Place) (*Note, error) {
	parsed, err := seal.ParseNote(string(body))
	if err != nil {
		return nil, err
	}
	return &Note{Note: parsed, Place: place, text: parsed.TextHash(), whole: sha256.Sum256(body), size: len(body)}, nil
}

// ownHolds reports whether the note carries the signature of the seal's own key.
func (n *Note) ownHolds(key *seal.PublicKey) bool {
	return n.own.check(key, n.SignedBy)
}

// anchorHolds reports whether the note carries the signature of the anchor's key, or of both.
func (n *Note) anchorHolds(key *seal.AnchorKey) bool {
	return n.anchor.check(key, n.AnchoredBy)
}

// begins reports whether the note is that of the stream's first seal. Section 8.1, rule 1, first sentence.
func (n *Note) begins(trust *seal.Trust) bool {
	return n.first.check(trust, n.Begins)
}

// goesOnFrom reports whether a seal is genuine as the next of a run. Section 8.1, rule 1.
func (n *Note) goesOnFrom(r *run) bool {
	return n.Seal.Prev == r.tip.text && n.next.check(&r.tip.text, func(prev *seal.Hash) bool {
		return n.Follows(*prev, &r.tip.Seal.Next, r.tip.Seal.Anchors)
	})
}

// restsOnAnchor reports whether a seal is genuine by its anchor signature. Whether its own signature holds is known when the seal before it is
// genuine, and must not depend on which of the two comes first: see [start]. Section 8.1, rule 2.
func (n *Note) restsOnAnchor(key *seal.AnchorKey) bool {
	return n.anchorHolds(key) && n.ClaimsOwnSignature()
}

// memory is about how much of it a note takes: its text, and what was parsed of that.
func (n *Note) memory() int { return 2*n.size + 1024 }

// maxHeld bounds the notes that wait for others to vouch for them, in bytes of memory, roughly: a day of a busy stream's.
const maxHeld = 1 << 30

// maxOrdered bounds them while an [Config.Ordered] chain waits: the leaves of the records that they settle wait too, and may take three times that.
const maxOrdered = 256 << 20

// ErrHeld says that more notes wait for others than there is memory for.
var ErrHeld = errors.New("more than 1 GiB of seals are out of order, or forged: give the files in the order in which they were written, or verify fewer streams at once")

// Memory bounds what the notes of several chains together may take while they wait. The zero value is ready.
type Memory struct {
	Max  int // bytes; maxHeld if 0
	held int
	full bool
}

// Err returns [ErrHeld] once a note could not be kept.
func (m *Memory) Err() error {
	if m.full {
		return ErrHeld
	}
	return nil
}

// hold reports whether there is memory to keep a note, and counts it.
func (m *Memory) hold(n *Note) bool {
	if limit := cmp.Or(m.Max, maxHeld); m.held+n.memory() > limit {
		m.full = true
		return false
	}
	m.held += n.memory()
	return true
}

// exceeds reports whether more is held than a limit.
func (m *Memory) exceeds(limit int) bool { return m.held > limit }

func (m *Memory) release(n *Note) { m.held -= n.memory() }
