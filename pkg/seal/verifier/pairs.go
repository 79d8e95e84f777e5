// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// checkpoint is what a seal says of the stream tree.
type checkpoint struct {
	size   uint64
	root   seal.Hash
	block  seal.Hash // the root of its own block, if it covers
	covers bool
}

func checkpointOf(s *seal.Seal) checkpoint {
	c := checkpoint{size: s.Size, root: s.Root, covers: len(s.Covered) > 0}
	if c.covers {
		c.block = seal.Root(s.Groups)
	}
	return c
}

// checkTree checks size and root while all blocks are known.
func (v *Verifier) checkTree(st *stream, r *run, number uint64, c checkpoint) {
	if r.tree == nil {
		return
	}
	if c.covers {
		r.tree.Append(c.block)
	}
	if r.tree.Size() != c.size || r.tree.Root() != c.root {
		st.broken(number, finding.TreeDiffers)
		r.tree = nil // said once
	}
}

// checkPair checks what must hold between an authentic seal and the next (section 6.1).
func (v *Verifier) checkPair(st *stream, before, s *seal.Seal) {
	size := before.Size
	if len(s.Covered) > 0 {
		size++
	}
	if s.Size != size || len(s.Covered) == 0 && s.Root != before.Root {
		st.broken(s.Number, finding.TreeJumps)
	}
	same := s.Nonce == before.Nonce
	switch {
	case s.Kind == seal.KindOpen && same: // opened has said so
	case s.Kind == seal.KindOpen:
		v.link(st, st.sessions[before.Nonce], st.sessions[s.Nonce])
	case !same:
		st.broken(s.Number, finding.SessionNotOpened)
	case before.Kind == seal.KindClose:
		st.broken(s.Number, finding.SessionWasClosed)
	case s.Kind == seal.KindAdopt && before.Kind != seal.KindOpen && before.Kind != seal.KindAdopt:
		st.broken(s.Number, finding.AdoptsLate)
	}
}
