// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/rand"
	"io"
)

// Forger makes seals with the keys of a key file: whatever somebody could make who has taken the host.
type Forger struct {
	chain  *chain
	random io.Reader
}

// NewForger takes the keys out of a key file.
func NewForger(k *KeyFile) *Forger {
	f := &Forger{random: rand.Reader}
	for _, c := range k.slots {
		if c != nil && (f.chain == nil || c.number > f.chain.number) {
			f.chain = c
		}
	}
	return f
}

// Number is that of the next seal.
func (f *Forger) Number() uint64 { return f.chain.number }

// Seal signs what s says as the next seal, and returns the note. Checkpoint, prev, next and anchors are filled in, and then edit
// may change them.
func (f *Forger) Seal(s Seal, edit func(*Seal)) string {
	text, after, err := f.chain.next(&s, f.random)
	if err != nil {
		panic(err)
	}
	if edit != nil {
		edit(&s)
		text = s.Text()
		after.prev = sumText(text)
	}
	note := f.chain.sign(text, s.Origin())
	f.chain = after
	return string(note)
}

func sumText(text string) Hash { return (&Note{Text: text}).TextHash() }

// Rewind goes back to behind a seal that was sent, with the anchors' keys that are there still, and new ones for the seals.
func (f *Forger) Rewind(to *Note) {
	key, err := newKeyPair(f.random)
	if err != nil {
		panic(err)
	}
	f.chain = &chain{number: to.Seal.Number + 1, key: key, anchors: f.chain.anchors, prev: to.TextHash()}
}
