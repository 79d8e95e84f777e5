// SPDX-License-Identifier: Apache-2.0

//go:build !amd64 || purego

package sha256x2

const accelerated = false

func blocks2(_, _ *state, _, _ *byte, _ int) { panic("sha256x2: not on this processor") }
