// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// maxCopies bounds how many notes of one number, and how many records with one id, are tried. More than one is there where somebody has made some.
const maxCopies = 16

// Source reads an archive, or what a store's search gave back, and calls emit with every record, which is valid until emit returns.
type Source func(emit func(*verifier.Observed) error) error

// Build makes the evidence for a record of an archive, which it reads twice, and checks it. trust are the lines of the streams that the
// record may be of. The error is [ErrRefused] where the archive does not prove the record, or one of the source.
func Build(read Source, trust []seal.Trust, id seal.ID) (*Evidence, *Proof, error) {
	b := &builder{id: id, trust: map[string]seal.Trust{}, covering: map[string]uint64{}, wanted: map[uint64]bool{}, notes: map[uint64][]note{}, records: map[uint64][][]byte{}}
	for _, t := range trust {
		b.trust[t.StreamID()] = t
	}
	if err := read(b.findSeals); err != nil {
		return nil, nil, err
	}
	if b.unreadable && !b.readable {
		return nil, nil, fmt.Errorf("%w; nothing in it is a log record as it was sent. What a store's search gave back is read with --from STORE, and proves a record where its original is in it (docs/export.md)", archive.ErrUnrecognised)
	}
	if len(b.covering) == 0 {
		return nil, nil, refuse("no seal of a trusted stream covers %s: it was not sealed yet, or its seals are missing, or its stream is not trusted", id)
	}
	if len(b.covering) > 1 {
		return nil, nil, refuse("seals of several streams claim %s: trust the one that it is of, and no other", id)
	}
	for b.stream, b.last = range b.covering {
	}
	if err := read(b.collect); err != nil {
		return nil, nil, err
	}
	e := &Evidence{ID: id, Trust: b.trust[b.stream]}
	e.Trust.Optional = false
	covering, err := b.chain(e)
	if err != nil {
		return nil, nil, err
	}
	_, w, err := e.checkSeals([]seal.Trust{e.Trust})
	if err != nil {
		return nil, nil, err
	}
	if err := b.group(e, covering, w.policy()); err != nil {
		return nil, nil, err
	}
	p, err := e.Check([]seal.Trust{e.Trust})
	return e, p, err
}

// builder collects what evidence is made of.
type builder struct {
	id       seal.ID
	trust    map[string]seal.Trust
	covering map[string]uint64 // by stream, the highest number of a seal that claims to cover the id
	wanted   map[uint64]bool   // the records that such a seal says were sealed together with it

	readable, unreadable bool // whether anything in the archive is

	stream  string
	last    uint64
	notes   map[uint64][]note
	records map[uint64][][]byte // originals by their numbers
}

type note struct {
	*seal.Note
	body []byte
}

// covers reports whether a seal claims to cover the id.
func (b *builder) covers(s *seal.Seal) bool {
	handle := s.Handle
	if s.Kind == seal.KindAdopt {
		handle = s.Adopts
	}
	return handle == b.id.Handle && s.Covered.Contains(b.id.Seq)
}

func (b *builder) findSeals(o *verifier.Observed) error {
	b.readable, b.unreadable = b.readable || o.Fault == "", b.unreadable || o.Fault != ""
	if o.Note == nil || o.Fault != "" {
		return nil
	}
	n, err := seal.ParseNote(string(o.Note))
	if err != nil || !b.covers(n.Seal) {
		return nil
	}
	if _, trusted := b.trust[n.Seal.StreamID]; trusted {
		b.covering[n.Seal.StreamID] = max(b.covering[n.Seal.StreamID], n.Seal.Number)
		seqs, _ := groupOf(n.Seal, b.id.Seq)
		for _, seq := range seqs {
			if len(b.wanted) < seal.GroupSize*maxCopies {
				b.wanted[seq] = true
			}
		}
	}
	return nil
}

// anchorOf returns the number of the last seal that is wanted where one covers the id: the anchor behind it, for what that vouches for beside Ed25519.
func anchorOf(covering uint64) uint64 {
	return (covering + seal.AnchorEvery - 1) / seal.AnchorEvery * seal.AnchorEvery
}

func (b *builder) collect(o *verifier.Observed) error {
	switch {
	case o.Fault != "":
	case o.Note != nil:
		n, err := seal.ParseNote(string(o.Note))
		if err != nil || n.Seal.StreamID != b.stream || n.Seal.Number > anchorOf(b.last) {
			return nil
		}
		list := b.notes[n.Seal.Number]
		if len(list) < maxCopies && !slices.ContainsFunc(list, func(other note) bool { return bytes.Equal(other.body, o.Note) }) {
			b.notes[n.Seal.Number] = append(list, note{n, bytes.Clone(o.Note)})
		}
	case o.HasID && o.ID.Handle == b.id.Handle && b.wanted[o.ID.Seq]:
		line := o.AppendOTLP(nil, o.ID.String())
		list := b.records[o.ID.Seq]
		if len(list) < maxCopies && !slices.ContainsFunc(list, func(other []byte) bool { return bytes.Equal(other, line) }) {
			b.records[o.ID.Seq] = append(list, line)
		}
	}
	return nil
}

// chain puts the seals into the evidence, each signed with the key that the one before names, and returns the one that covers the id.
func (b *builder) chain(e *Evidence) (*seal.Seal, error) {
	key := e.Trust.Key
	var covering *seal.Seal
	end := anchorOf(b.last)
	for number := uint64(0); number <= end; number++ {
		var genuine *seal.Seal
		for _, n := range b.notes[number] {
			if n.SignedBy(&key) && (genuine == nil || n.Text == genuine.Text()) {
				genuine = n.Seal
				e.Seals = append(e.Seals, n.body)
			}
		}
		if genuine == nil {
			if covering != nil {
				break
			}
			return nil, refuse("seal %d of stream %s is not in the archive, and without it the chain does not reach the seal that covers the record", number, b.stream)
		}
		if covering == nil && b.covers(genuine) {
			covering, end = genuine, anchorOf(number)
		}
		key = genuine.Next
	}
	if covering == nil {
		return nil, refuse("the seal that covers %s is not genuine", b.id)
	}
	return covering, nil
}

// group puts the records into the evidence that were sealed together, without what no digest covers: that could be edited in the file.
func (b *builder) group(e *Evidence, s *seal.Seal, policy *seal.Policy) error {
	seqs, _ := groupOf(s, b.id.Seq)
	var decoder archive.Decoder
	for _, seq := range seqs {
		var list [][]byte
		for _, line := range b.records[seq] {
			for _, o := range decoder.Decode(line) {
				covered := o.Without(policy)
				line = covered.AppendOTLP(nil, o.ID.String())
			}
			if !slices.ContainsFunc(list, func(other []byte) bool { return bytes.Equal(other, line) }) {
				list = append(list, line)
			}
		}
		if len(list) == 0 {
			return refuse("record %s is not in the archive, or not readable, and it was sealed together with %s", seal.ID{Handle: b.id.Handle, Seq: seq}, b.id)
		}
		if len(list) > 1 {
			return refuse("there are several records with the id %s that say different things: logseal verify says which of them the seal backs", seal.ID{Handle: b.id.Handle, Seq: seq})
		}
		e.Records = append(e.Records, list[0])
	}
	return nil
}

// String says what is proven in one sentence.
func (p *Proof) String() string {
	return fmt.Sprintf("record %s is what stream %s sealed at %s", p.ID, p.Trust.Name, p.Seal.Time.Format("2006-01-02T15:04:05Z"))
}
