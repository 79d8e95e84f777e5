// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// treeClaim is what a seal says of the stream tree.
type treeClaim struct {
	size   uint64
	root   seal.Hash
	block  seal.Hash // the root of its own block, if it covers
	covers bool
}

func claimOf(s *seal.Seal) treeClaim {
	c := treeClaim{size: s.Size, root: s.Root, covers: len(s.Covered) > 0}
	if c.covers {
		c.block = seal.Root(s.Groups)
	}
	return c
}

// extendTree adds what the next seal of a run says of the stream tree. Size and root are checked as long as all blocks are known; above a gap the
// claim is kept, should that be closed. Section 8.2.
func (c *Chain) extendTree(r *run, number uint64, claim treeClaim) {
	switch {
	case r.given: // the tree below it is not known
	case r.first > 0:
		r.above = append(r.above, claim)
	case r.tree != nil:
		if claim.covers {
			r.tree.Append(claim.block)
		}
		if r.tree.Size() != claim.size || r.tree.Root() != claim.root {
			c.Contradict(number, finding.TreeDiffers)
			r.tree = nil // said once
		}
	}
}
