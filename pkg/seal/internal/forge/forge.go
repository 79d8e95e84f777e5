// SPDX-License-Identifier: Apache-2.0

package forge

import (
	"crypto/rand"
	"errors"
	"io"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// Forger makes seals with the keys of a key file: whatever somebody could make who has taken the host.
type Forger struct {
	Chain  *keychain.Chain
	Random io.Reader
}

// NewForger takes the keys out of a key file, which has the chain in the second or third of its pages, or in both.
func NewForger(keyFile io.ReaderAt) *Forger {
	f := &Forger{Random: rand.Reader}
	for slot := range int64(2) {
		page := make([]byte, 4096)
		if _, err := keyFile.ReadAt(page, (1+slot)*4096); err != nil && !errors.Is(err, io.EOF) {
			panic(err)
		}
		if c := keychain.Unmarshal(page); c != nil && (f.Chain == nil || c.Number > f.Chain.Number) {
			f.Chain = c
		}
	}
	return f
}

// Number is that of the next seal.
func (f *Forger) Number() uint64 { return f.Chain.Number }

// Seal signs what s says as the next seal, and returns the note. Checkpoint, prev, next and anchors are filled in, and then edit
// may change them.
func (f *Forger) Seal(s seal.Seal, edit func(*seal.Seal)) string {
	text, after, err := f.Chain.Next(&s, f.Random)
	if err != nil {
		panic(err)
	}
	if edit != nil {
		edit(&s)
		text = s.Text()
		after.Prev = sumText(text)
	}
	note := f.Chain.Sign(text, s.Origin())
	f.Chain = after
	return string(note)
}

func sumText(text string) seal.Hash { return (&seal.Note{Text: text}).TextHash() }

// Rewind goes back to behind a seal that was sent, with the anchors' keys that are there still, and new ones for the seals.
func (f *Forger) Rewind(to *seal.Note) {
	key, err := keychain.NewKeyPair(f.Random)
	if err != nil {
		panic(err)
	}
	f.Chain = &keychain.Chain{Number: to.Seal.Number + 1, Key: key, Anchors: f.Chain.Anchors, Prev: to.TextHash(), PostQuantum: f.Chain.PostQuantum}
}
