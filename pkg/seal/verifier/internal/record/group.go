// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/session"
)

// maxCombinations bounds the work on a group whose ids several records claim.
const maxCombinations = 256

// account is what the records of one session come to.
type account struct {
	*session.Session
	handle *handle
	policy *seal.Policy // what it excludes; nil until the open seal is genuine

	groups   map[uint64]*group // the groups that do not verify, by each of their seqs
	verified uint64            // late ones included
	late     []*lateSeal

	elsewhere uint64 // not here, and sealed outside the interval that is asked for
}

// lateSeal collects what was verified with a seal that lies between a gap and an anchor.
type lateSeal struct {
	number   uint64
	verified seal.Ranges
	stands   bool // it is late in the end
}

// isLate reports whether what was verified for a seq is late in the end.
func (a *account) isLate(seq uint64) bool {
	for _, late := range a.late {
		if late.stands && late.verified.Contains(seq) {
			return true
		}
	}
	return false
}

// verify counts a group's records as verified, or as late.
func (a *account) verify(g *group) {
	a.verified += uint64(len(g.seqs))
	if g.late != nil {
		for _, seq := range g.seqs {
			g.late.verified = g.late.verified.Add(seal.Range{First: seq, Last: seq})
		}
	}
}

// group is a run of leaves under one root of a seal (section 4). It is kept while it does not verify: leaves are missing, so far or for good, or wrong.
type group struct {
	account *account
	late    *lateSeal // nil unless the seal is late
	sealed  time.Time // when the seal was made, as that says
	doubt   bool
	root    seal.Hash
	seqs    []uint64
	prefix  []byte // two bytes a leaf; nil in a block of doubt

	have  uint16      // which of leaf there are, by index in seqs
	found []candidate // of each of seqs
}

// keep makes a copy of the group that stays.
func (g *group) keep() *group {
	kept := *g
	kept.seqs, kept.prefix = slices.Clone(g.seqs), slices.Clone(g.prefix)
	kept.found = make([]candidate, len(g.seqs))
	for _, seq := range kept.seqs {
		kept.account.groups[seq] = &kept
	}
	return &kept
}

// settle forgets a group that has verified.
func (g *group) settle() {
	for _, seq := range g.seqs {
		delete(g.account.groups, seq)
	}
	g.account.verify(g)
}

func (g *group) index(seq uint64) int {
	for i, s := range g.seqs {
		if s == seq {
			return i
		}
	}
	panic("seal: a seq is registered with a group that it is not in")
}

// complete reports whether there is a leaf for every seq.
func (g *group) complete() bool { return g.have == uint16(1)<<len(g.seqs)-1 }

// fits reports whether a leaf may be the one at index i. It may be another even so, unless it is a group of one. Section 8.3, "in a block".
func (g *group) fits(i int, leaf *seal.Hash) bool {
	if g.doubt {
		return *leaf == g.root
	}
	return leaf[0] == g.prefix[2*i] && leaf[1] == g.prefix[2*i+1]
}

// detail says in a finding which records the group is of.
func (g *group) detail() finding.Detail {
	first, last := g.seqs[0], g.seqs[len(g.seqs)-1]
	return finding.Detail{N: uint64(len(g.seqs)), Group: fmt.Sprintf("%s-%d to %d", g.account.handle.name, first, last)}
}

// combine looks for the one choice for each leaf that gives the group's root, nil if there is none. Section 8.3, "several records with one id".
func (g *group) combine(choices [][]candidate) []candidate {
	combinations := 1
	for i := range choices {
		if combinations *= len(choices[i]); combinations == 0 || combinations > maxCombinations {
			return nil
		}
	}
	picked, leaves := make([]candidate, len(choices)), make([]seal.Hash, len(choices))
	for n := range combinations {
		rest := n
		for i := range choices {
			picked[i] = choices[i][rest%len(choices[i])]
			leaves[i] = picked[i].leaf
			rest /= len(choices[i])
		}
		if seal.Root(leaves) == g.root {
			return picked
		}
	}
	return nil
}
