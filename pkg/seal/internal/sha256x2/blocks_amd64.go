// SPDX-License-Identifier: Apache-2.0

//go:build !purego

package sha256x2

import "crypto/fips140"

// accelerated says that blocks2 runs on this processor, and may: in FIPS 140 mode only the certified module computes hashes.
var accelerated = hasSHA() && !fips140.Enabled()

// blocks2 takes n blocks, at least one, of two messages into their states.
//
//go:noescape
func blocks2(stateA, stateB *state, a, b *byte, n int)

func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

// hasSHA reports whether the processor has the instructions that blocks2 uses: SSSE3 and the SHA extensions.
func hasSHA() bool {
	const ssse3, sha = 1 << 9, 1 << 29
	if last, _, _, _ := cpuid(0, 0); last < 7 {
		return false
	}
	_, _, features, _ := cpuid(1, 0)
	_, extended, _, _ := cpuid(7, 0)
	return features&ssse3 != 0 && extended&sha != 0
}
