// SPDX-License-Identifier: Apache-2.0

// Package sha256x2 computes the SHA-256 of many short messages, two at a time.
//
// A record's digest and a node of a tree are a few blocks each, and there are many of them at once. On amd64 with the SHA extensions two
// take little longer than one; BenchmarkRecords and BenchmarkNodes compare that with crypto/sha256. Elsewhere, and in FIPS 140 mode, it is crypto/sha256
// that computes them. The result is the same, which the tests compare.
package sha256x2
