// SPDX-License-Identifier: Apache-2.0

package seal

// checkpoint is what a seal says of the stream tree.
type checkpoint struct {
	size   uint64
	root   Hash
	block  Hash // the root of its own block, if it covers
	covers bool
}

func (s *Seal) checkpoint() checkpoint {
	c := checkpoint{size: s.Size, root: s.Root, covers: len(s.Covered) > 0}
	if c.covers {
		c.block = Root(s.Groups)
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
		v.broken(st, number, "its checkpoint is not that of the blocks so far")
		r.tree = nil // said once
	}
}

// checkPair checks what must hold between an authentic seal and the next (section 6.1).
func (v *Verifier) checkPair(st *stream, before, s *Seal) {
	size := before.Size
	if len(s.Covered) > 0 {
		size++
	}
	if s.Size != size || len(s.Covered) == 0 && s.Root != before.Root {
		v.broken(st, s.Number, "its checkpoint does not follow from the one before")
	}
	same := s.Nonce == before.Nonce
	switch {
	case s.Kind == KindOpen && same: // opened has said so
	case s.Kind == KindOpen:
		v.link(st, st.sessions[before.Nonce], st.sessions[s.Nonce])
	case !same:
		v.broken(st, s.Number, "it belongs to another session than the seal before, and does not open it")
	case before.Kind == KindClose:
		v.broken(st, s.Number, "it goes on with a session that was closed")
	case s.Kind == KindAdopt && before.Kind != KindOpen && before.Kind != KindAdopt:
		v.broken(st, s.Number, "it adopts records, which only the first seals of a session may")
	}
}
