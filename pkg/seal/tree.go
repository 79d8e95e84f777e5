// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/sha256"
	"math/bits"

	"github.com/logseal/logseal/pkg/seal/internal/sha256x2"
)

// HashSize is the size of every hash of the format: SHA-256.
const HashSize = sha256.Size

// GroupSize is the number of leaves under one group root of a block.
const GroupSize = 16

// Hash is a SHA-256 value: a digest, which is a leaf of a block, a node or a root.
type Hash [HashSize]byte

// leafHash is the RFC 6962 hash of a leaf with 32 bytes of data: in the stream's tree, a block's root.
func leafHash(data *Hash) Hash {
	var buf [1 + HashSize]byte
	copy(buf[1:], data[:])
	return sha256.Sum256(buf[:])
}

// An interior node is SHA-256(0x01 ‖ left ‖ right).
const (
	nodeTag  = 1
	nodeSize = 1 + 2*HashSize

	paddedNodeSize = 2 * sha256x2.BlockSize
)

// nodeHash is the RFC 6962 hash of an interior node.
func nodeHash(left, right *Hash) Hash {
	var buf [nodeSize]byte
	buf[0] = nodeTag
	copy(buf[1:], left[:])
	copy(buf[1+HashSize:], right[:])
	return sha256.Sum256(buf[:])
}

// Root returns the RFC 6962 root over nodes that are hashed already: leaf hashes,
// or the roots of groups. A group is a complete subtree wherever the tree is
// split, so the root over group roots is the root over their leaves.
// The root of nothing is the SHA-256 of nothing.
func Root(nodes []Hash) Hash {
	switch len(nodes) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return nodes[0]
	}
	if len(nodes) > GroupSize {
		// The largest power of two below len(nodes).
		k := 1 << (bits.Len(uint(len(nodes)-1)) - 1)
		left, right := Root(nodes[:k]), Root(nodes[k:])
		return nodeHash(&left, &right)
	}
	// The same tree from below: neighbours are paired, and one that is left over goes up as it is.
	var level [GroupSize / 2]Hash
	n := pairUp(level[:], nodes)
	for n > 1 {
		n = pairUp(level[:], level[:n])
	}
	return level[0]
}

// pairUp puts the next level above at most [GroupSize] nodes into dst, which may be the same memory, and returns how many nodes it has.
func pairUp(dst, nodes []Hash) int {
	n := len(nodes) / 2
	var padded [GroupSize / 2 * paddedNodeSize]byte
	for i := range n {
		node := padded[i*paddedNodeSize:][:paddedNodeSize]
		node[0] = nodeTag
		copy(node[1:], nodes[2*i][:])
		copy(node[1+HashSize:], nodes[2*i+1][:])
		sha256x2.Pad(node, nodeSize)
	}
	last := nodes[len(nodes)-1] // dst may be the same memory
	sha256x2.SumEqual(dst[:n], padded[:n*paddedNodeSize], nodeSize)
	if len(nodes)%2 == 1 {
		dst[n] = last
		n++
	}
	return n
}

// AppendGroups appends to dst the root of each group of size leaves; the last
// group holds what is left over. It returns the extended slice.
func AppendGroups(dst, leaves []Hash, size int) []Hash {
	for len(leaves) > 0 {
		n := min(size, len(leaves))
		dst = append(dst, Root(leaves[:n]))
		leaves = leaves[n:]
	}
	return dst
}

// Tree is an RFC 6962 tree that only grows: the stream's tree of block roots. It
// keeps the roots of its complete subtrees, at most 64 hashes, and no leaf.
// The zero value is the empty tree.
type Tree struct {
	size     uint64
	frontier []Hash // one complete subtree per set bit of size, the largest first
}

// Size returns the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Subtrees returns the roots of the complete subtrees, the largest first: with the size all that a tree is. They must not be changed.
func (t *Tree) Subtrees() []Hash { return t.frontier }

// TreeOf returns the tree of that size and with those subtrees, which [Tree.Subtrees] returned: one for each bit that is set in size.
func TreeOf(size uint64, subtrees []Hash) Tree { return Tree{size: size, frontier: subtrees} }

// Append adds a leaf that holds data, which for the stream's tree is a block's root.
func (t *Tree) Append(data Hash) {
	h := leafHash(&data)
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.frontier) - 1
		h = nodeHash(&t.frontier[last], &h)
		t.frontier = t.frontier[:last]
	}
	t.frontier = append(t.frontier, h)
	t.size++
}

// Root returns the tree's root.
func (t *Tree) Root() Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	h := t.frontier[len(t.frontier)-1]
	for i := len(t.frontier) - 2; i >= 0; i-- {
		h = nodeHash(&t.frontier[i], &h)
	}
	return h
}

// Clone returns an independent copy.
func (t *Tree) Clone() Tree {
	return Tree{size: t.size, frontier: append([]Hash(nil), t.frontier...)}
}
