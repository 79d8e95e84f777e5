// SPDX-License-Identifier: Apache-2.0

//go:build !race

package verifier_test

const sampled = false
