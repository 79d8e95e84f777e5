// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/chain"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/session"
)

// ErrRefused says that evidence proves nothing. The error that wraps it says why, and repeats nothing of a record.
var ErrRefused = errors.New("refused: the evidence does not prove the record")

// Proof is what evidence proves.
type Proof struct {
	ID    string
	Trust seal.Trust
	Given bool // the trust line is the reader's own; else it is the one in the evidence

	Record   []byte            // the record's original, written anew from what its digest covers
	Shown    []canonical.Shown // its values
	Times    [2]time.Time      // the record's own, and when it was observed; zero where it has none
	Excluded []string          // names of attributes that no digest covers, and that are therefore not in Record

	Seal   *seal.Seal // that covers it
	Seals  uint64     // of the stream that were checked, from its first one
	Began  time.Time  // when that was made
	Group  []string   // ids of the records that were sealed together, this one included
	Remark []string   // what is known of the stream and is no fault: a crash, a storage that fell behind

	PostQuantum    uint64         // the seal up to which the proof does not rest on Ed25519,
	NotPostQuantum finding.Reason // or why it does from the beginning
}

// refuse returns an [ErrRefused].
func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// Check verifies the evidence: under the given trust lines, of which one must be of its stream, or under the one in it, if none is given: then
// the reader has to compare that. The error is [ErrRefused].
func (e *Evidence) Check(trust []seal.Trust) (*Proof, error) {
	p, w, err := e.checkSeals(trust)
	if err != nil {
		return nil, err
	}
	return p, p.addGroup(e, w)
}

// checkSeals is Check without the records.
func (e *Evidence) checkSeals(trust []seal.Trust) (*Proof, *witness, error) {
	p := &Proof{ID: e.ID.String(), Trust: e.Trust}
	if len(trust) > 0 {
		i := slices.IndexFunc(trust, func(t seal.Trust) bool { return t.Key == e.Trust.Key })
		if i < 0 {
			return nil, nil, refuse("its stream, %s, is not among those that are trusted", e.Trust.StreamID())
		}
		p.Trust, p.Given = trust[i], true
	}
	p.Trust.Optional = false
	w := &witness{id: e.ID}
	var findings finding.List
	var memory chain.Memory
	c := chain.New(chain.Config{Trust: p.Trust, StreamID: p.Trust.StreamID(), Memory: &memory, Findings: &findings})
	sessions := session.New(c, w)
	for i, body := range e.Seals {
		n, err := chain.ParseNote(body, finding.Place{File: "seals", Line: i + 1})
		if err != nil {
			return nil, nil, refuse("seal %d of the list is none: %v", i+1, err)
		}
		if n.Seal.StreamID != p.Trust.StreamID() {
			return nil, nil, refuse("seal %d of the list is of another stream", i+1)
		}
		if i == 0 {
			p.Began = n.Seal.Time
		}
		c.Add(n)
	}
	if err := memory.Err(); err != nil {
		return nil, nil, refuse("its seals are out of order: %v", err)
	}
	if c.FinishSeals() {
		sessions.CheckClosed()
		c.FinishContradictions()
		sessions.FinishRollbacks(&findings)
	}
	for _, f := range findings.Sorted() {
		if f.Verdict() == finding.Tampered {
			subject := "its stream"
			if f.Stream == "" {
				subject = "its seals"
			}
			return nil, nil, refuse("%s: %s %s", f.Code, subject, f.Message())
		}
		p.Remark = append(p.Remark, f.Message())
	}
	if w.seal == nil {
		return nil, nil, refuse("none of its seals covers %s", p.ID)
	}
	if w.policy() == nil {
		return nil, nil, refuse("the open seal of the record's session is not in it")
	}
	p.Seal, p.Seals, p.Excluded = w.seal, c.Seals(), sessions.Excluded()
	p.PostQuantum, p.NotPostQuantum = c.PostQuantum()
	return p, w, nil
}

// addGroup holds the records against the seal. Section 8.3, "in a block".
func (p *Proof) addGroup(e *Evidence, w *witness) error {
	seqs, index := groupOf(w.seal, e.ID.Seq)
	if len(e.Records) != len(seqs) {
		return refuse("it has %d records, and %d were sealed together", len(e.Records), len(seqs))
	}
	policy := w.policy()
	leaves := make([]seal.Hash, len(seqs))
	var decoder archive.Decoder
	for i, text := range e.Records {
		records := decoder.Decode(text)
		want := seal.ID{Handle: e.ID.Handle, Seq: seqs[i]}
		if len(records) != 1 || records[0].Fault != "" || !records[0].HasID || records[0].ID != want {
			return refuse("record %d of the list is not the one with the id %s, and that alone", i+1, want)
		}
		o := &records[0]
		if o.LeavesOut(policy) {
			return refuse("record %s has an attribute that no digest covers, and whoever had the file could have written that: logseal prove leaves it out", want)
		}
		leaves[i] = o.Digest(policy)
		p.Group = append(p.Group, want.String())
		if seqs[i] == e.ID.Seq {
			p.Record = o.AppendOTLP(nil, want.String())
			p.Times = o.Times()
			o.Shown(func(s canonical.Shown) { p.Shown = append(p.Shown, s) })
		}
	}
	if seal.Root(leaves) != w.seal.Groups[index] {
		return refuse("one of the %d records that were sealed together, %s to %s, is not what was sealed", len(seqs), p.Group[0], p.Group[len(p.Group)-1])
	}
	return nil
}

// groupOf returns the numbers of the records that a seal covers together with one, and which of its groups they are. Section 4.
func groupOf(s *seal.Seal, seq uint64) (seqs []uint64, index int) {
	size := s.GroupSize()
	n := 0
	for _, r := range s.Covered {
		for number := r.First; number <= r.Last; number++ {
			if n%size == 0 {
				if slices.Contains(seqs, seq) {
					return seqs, n/size - 1
				}
				seqs = seqs[:0]
			}
			seqs = append(seqs, number)
			n++
		}
	}
	return seqs, (n - 1) / size
}

// witness waits for the seal that settles one id. It is a [session.Listener].
type witness struct {
	id       seal.ID
	seal     *seal.Seal
	session  *session.Session
	policies map[*session.Session]seal.Policy
}

func (w *witness) SessionFound(*session.Session) {}

func (w *witness) PolicyKnown(s *session.Session, policy seal.Policy) {
	if w.policies == nil {
		w.policies = map[*session.Session]seal.Policy{}
	}
	w.policies[s] = policy
}

// policy returns what the session of the id excludes, nil if that is not known.
func (w *witness) policy() *seal.Policy {
	policy, known := w.policies[w.session]
	if !known {
		return nil
	}
	return &policy
}

func (w *witness) Settled(st session.Settlement) {
	if w.seal == nil && !st.Late && st.Session.Handle() == w.id.Handle && st.Seal.Covered.Contains(w.id.Seq) {
		w.seal, w.session = st.Seal, st.Session
	}
}
