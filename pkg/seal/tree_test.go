// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

// TestTreesAgainstMerkle compares all of our trees, at every size to 5,000, with
// another implementation of RFC 6962.
func TestTreesAgainstMerkle(t *testing.T) {
	leaves, data := samples.Numbered(5000)
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	theirs := factory.NewEmptyRange(0)
	var ours seal.Tree
	var groups []seal.Hash
	empty := ours.Root()
	require.Equal(t, rfc6962.DefaultHasher.EmptyRoot(), empty[:])
	require.Equal(t, seal.AppendGroups(nil, leaves, seal.GroupSize), seal.AppendGroups(seal.AppendGroups(nil, leaves[:4000], seal.GroupSize), leaves[4000:], seal.GroupSize))
	for n := 1; n <= len(leaves); n++ {
		require.NoError(t, theirs.Append(rfc6962.DefaultHasher.HashLeaf(data[n-1][:]), nil))
		want, err := theirs.GetRootHash(nil)
		require.NoError(t, err)
		ours.Append(data[n-1])
		require.EqualValues(t, n, ours.Size())
		require.Equal(t, seal.Hash(want), ours.Root(), "tree of %d", n)
		require.Equal(t, seal.Hash(want), seal.Root(leaves[:n]), "root over %d leaves", n)
		// The groups before the last are those of the size before.
		last := (n - 1) / seal.GroupSize
		groups = seal.AppendGroups(groups[:last], leaves[last*seal.GroupSize:n], seal.GroupSize)
		require.Equal(t, seal.Hash(want), seal.Root(groups), "root over the groups of %d leaves", n)
	}
}

// TestTreesAgainstTlog does so for larger sizes, with the Go checksum database's code.
func TestTreesAgainstTlog(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		n := 5000 + rng.IntN(60_000)
		leaves, data := samples.Numbered(n)
		var stored []tlog.Hash
		reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
			for _, i := range indexes {
				out = append(out, stored[i])
			}
			return out, nil
		})
		var ours seal.Tree
		for i := range data {
			hashes, err := tlog.StoredHashesForRecordHash(int64(i), tlog.Hash(leaves[i]), reader)
			require.NoError(t, err)
			stored = append(stored, hashes...)
			ours.Append(data[i])
		}
		want, err := tlog.TreeHash(int64(n), reader)
		require.NoError(t, err)
		require.Equal(t, seal.Hash(want), ours.Root())
		require.Equal(t, seal.Hash(want), seal.Root(leaves))
	}
}
