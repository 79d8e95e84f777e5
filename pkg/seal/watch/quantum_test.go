// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// TestAnchorUnsigned: an anchor from which somebody has cut off the ML-DSA signature is a finding that stays, though a later anchor vouches
// for its text, as it is of an archive. The whole seal resolves it, whenever it comes.
func TestAnchorUnsigned(t *testing.T) {
	made, err := sealtest.NewHostOf(sealer.NewStream{Name: "web-17", PostQuantum: true}, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	h := &host{Host: made, t: t}
	h.start()
	for range 140 {
		h.stamp(1).seal()
	}
	genuine := h.stop().take()
	cut := func(number uint64) (list, whole records) {
		list = slices.Clone(genuine)
		for _, i := range list.seals() {
			note, err := seal.ParseNote(record(list[i]).Body().Str())
			require.NoError(t, err)
			if note.Seal.Number != number {
				continue
			}
			whole = records{list[i]}
			text := record(list[i]).Body().Str()
			before, rest, found := strings.Cut(text, "\n\u2014 logseal.v1/"+note.Seal.StreamID+seal.MLDSASuffix+" ")
			require.True(t, found)
			_, after, _ := strings.Cut(rest, "\n")
			list[i] = clone(list[i])
			record(list[i]).Body().SetStr(before + "\n" + after)
		}
		return list, whole
	}
	broken := "BROKEN_CHAIN anchor_unsigned web-17 1"
	for name, c := range map[string]struct {
		feed func(s *seen, list, whole records)
		want []string
	}{
		"cut off": {func(s *seen, list, _ records) { s.feed(list) }, []string{broken}},
		"cut off, and a restart": {func(s *seen, list, _ records) {
			s.feed(list)
			s.pass(time.Minute)
			s.save(true)
			s.load()
		}, []string{broken}},
		"the whole seal is there too": {func(s *seen, list, whole records) { s.feed(append(slices.Clone(list), whole...)) }, nil},
		"the whole seal comes first":  {func(s *seen, list, whole records) { s.feed(append(slices.Clone(whole), list...)) }, nil},
		"the whole seal comes when it was found": {func(s *seen, list, whole records) {
			s.feed(list)
			s.pass(time.Minute)
			s.want(broken)
			s.feed(whole)
		}, nil},
		"the whole seal comes after a restart": {func(s *seen, list, whole records) {
			s.feed(list)
			s.pass(time.Minute)
			s.save(true)
			s.load()
			s.feed(whole)
		}, nil},
		"the whole one comes without its signature again": {func(s *seen, list, _ records) {
			s.feed(list)
			s.pass(time.Minute)
			s.feed(list)
		}, []string{broken}},
	} {
		t.Run(name, func(t *testing.T) {
			list, whole := cut(64)
			require.Len(t, whole, 1)
			s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
			s.save(false)
			c.feed(s, list, whole)
			s.pass(time.Minute)
			s.want(c.want...)
		})
	}
	t.Run("as of an archive", func(t *testing.T) {
		list, _ := cut(64)
		report := offline(t, list, h.Trust)
		require.Equal(t, finding.AnchorUnsigned, report.Findings[0].Reason)
	})
	t.Run("another gateway may have seen it", func(t *testing.T) {
		list, _ := cut(64)
		s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}, Partial: true})
		s.feed(list)
		s.pass(time.Minute)
		for _, e := range s.open {
			require.Equal(t, finding.Unchecked, e.Finding.Code, "%s", s)
		}
	})
}
