// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
)

// quantumStream is a post-quantum stream with n records, each under a seal of its own from seal 1 on, and closed.
func quantumStream(t *testing.T, n int) *vectorStream {
	v := newVectorStream(t, "quantum")
	v.postQuantum = true
	v.begin()
	for range n {
		v.log(1, true, true, true)
		v.tock()
	}
	v.end()
	return v
}

// cut takes the signature line of a key off a seal.
func (v *vectorStream) cut(number int, suffix string) *vectorStream {
	i := v.sealLine(number)
	before, rest, found := strings.Cut(v.lines[i], "— "+v.origin()+suffix+" ")
	require.True(v.t, found)
	_, after, _ := strings.Cut(rest, `\n`)
	v.lines[i] = before + after
	return v
}

// quantum are archives of post-quantum streams.
func (s *vectorSet) quantum() {
	t := s.t
	add := func(file, what string, v *vectorStream, outcome string, verified int, want verdicts, until int) *vectorArchive {
		a := s.add("quantum"+file+".jsonl", what, v, outcome, v.serial, verified, want)
		if until >= 0 {
			a.PostQuantum = &until
		}
		return a
	}
	withoutKey := func(a *vectorArchive) *vectorArchive {
		a.Trust, _, _ = strings.Cut(a.Trust, " ")
		return a
	}
	add("", "a post-quantum stream: the proof is post-quantum up to its last anchor", quantumStream(t, 66), ok, 66, verdicts{}, 64)
	add("-required", "the same, and what nothing but Ed25519 vouches for is a finding", quantumStream(t, 66), incomplete, 66, verdicts{"NOT_POST_QUANTUM_YET": 1}, 64).Quantum = true
	withoutKey(add("-old-line", "a trust line without the ML-DSA key", quantumStream(t, 66), ok, 66, verdicts{}, -1))
	withoutKey(add("-old-line-required", "the same, and what nothing but Ed25519 vouches for is a finding", quantumStream(t, 66), tampered, 66, verdicts{"NOT_POST_QUANTUM": 1}, -1)).Quantum = true
	add("-none-required", "a stream without ML-DSA keys, and what nothing but Ed25519 vouches for is a finding", shortStream(t, "quantum-none"), tampered, 5, verdicts{"NOT_POST_QUANTUM": 1}, -1).Quantum = true
	gap := quantumStream(t, 66)
	gap.drop(gap.sealLine(30))
	add("-gap-required", "a seal below the anchor is missing", gap, tampered, 32, verdicts{"MISSING_SEAL": 1, "LATE": 33, "UNSEALED": 1, "NOT_POST_QUANTUM": 1}, 0).Quantum = true

	lost := verdicts{"BAD_SEAL": 4, "UNSEALED": 3, "OPEN_END": 1}
	add("-unsigned", "the anchor's ML-DSA signature is cut off", quantumStream(t, 66).cut(64, seal.MLDSASuffix), tampered, 63, lost, 0)
	spoilt := quantumStream(t, 66)
	spoilt.spoil(64, seal.MLDSASuffix)
	add("-spoilt", "the anchor's ML-DSA signature does not hold", spoilt, tampered, 63, lost, 0)
	add("-anchor-unsigned", "the anchor's Ed25519 signature is cut off, and the ML-DSA signature is there", quantumStream(t, 66).cut(64, seal.AnchorSuffix), tampered, 63, lost, 0)
	copies := quantumStream(t, 66).cut(64, seal.AnchorSuffix)
	other64 := quantumStream(t, 66).cut(64, "")
	copies.lines = append(copies.lines, other64.lines[other64.sealLine(64)])
	add("-anchor-copies", "two copies of the anchor, one without its own signature, the other without the anchor's: neither counts", copies, tampered, 63, verdicts{"BAD_SEAL": 5, "UNSEALED": 3, "OPEN_END": 1}, 0)
	add("-vouched", "the anchor's ML-DSA signature is cut off, and the next anchor vouches for it", quantumStream(t, 130).cut(64, seal.MLDSASuffix), tampered, 130, verdicts{"BROKEN_CHAIN": 1}, 128)
	none := verdicts{"BAD_SEAL": 68, "ORPHAN": 66, "ABSENT": 2}
	add("-first-unsigned", "the ML-DSA signature of seal 0 is cut off", quantumStream(t, 66).cut(0, seal.MLDSASuffix), tampered, 0, none, -1)
	withoutKey(add("-first-unsigned-old-line", "the same, and a trust line without the ML-DSA key", quantumStream(t, 66).cut(0, seal.MLDSASuffix), tampered, 0, none, -1))
	other := quantumStream(t, 66)
	hash := seal.MLDSAHash([]byte("another key"))
	line := other.Trust()
	line.PostQuantum = hash
	add("-first-other", "the trust line names another ML-DSA key", other, tampered, 0, none, -1).Trust = line.String()
	classical := shortStream(t, "quantum-none")
	line = classical.Trust()
	line.PostQuantum = hash
	add("-first-without", "the trust line names an ML-DSA key, and seal 0 carries none", classical, tampered, 0, verdicts{"BAD_SEAL": 4, "ORPHAN": 5, "ABSENT": 2}, -1).Trust = line.String()

	mixed := newVectorStream(t, "quantum-mixed")
	mixed.postQuantum = true
	mixed.begin()
	mixed.log(3, true, true, true)
	mixed.tock()
	f := mixed.thief()
	f.add(f.tip, func(s *seal.Seal) {
		for i := range s.Anchors {
			s.Anchors[i].Key = seal.Ed25519Anchor(s.Anchors[i].Key.Ed25519())
		}
	})
	add("-mixed", "a heartbeat that names its anchors as another stream does", mixed, tampered, 3, verdicts{"BROKEN_CHAIN": 1, "OPEN_END": 1}, 0)

	// Somebody who can forge every Ed25519 signature, and no other, seals from seal 4 on.
	forged := func(edit func(*seal.Seal)) *vectorStream {
		v := newVectorStream(t, "quantum")
		v.postQuantum = true
		v.begin()
		v.log(3, true, true, true)
		v.tock()
		f := v.thief()
		f.Chain.LoseMLDSA(f.Random)
		for f.Number() < 66 {
			if f.Number() == 64 {
				f.add(f.tip, edit)
			} else {
				f.add(f.tip, nil)
			}
		}
		return v
	}
	caught := verdicts{"BAD_SEAL": 2, "OPEN_END": 1}
	add("-forged", "all Ed25519 signatures from seal 2 on are forged, and the anchor carries another ML-DSA key", forged(nil), tampered, 3, caught, 0)
	add("-forged-downgrade", "the same, and the anchor is that of a stream without ML-DSA keys", forged(func(s *seal.Seal) {
		for i := range s.Anchors {
			s.Anchors[i].Key = seal.Ed25519Anchor(s.Anchors[i].Key.Ed25519())
		}
		s.MLDSA = nil
	}), tampered, 3, caught, 0)
}
