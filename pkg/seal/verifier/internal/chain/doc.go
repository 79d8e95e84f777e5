// SPDX-License-Identifier: Apache-2.0

// Package chain authenticates the seals of a stream and checks the tree over their blocks (docs/stamp-format.md, sections 8.1 and 8.2). A
// [Chain] takes notes in any order and tells its [Listener] of every seal that is genuine, with its standing. Of what seals say of
// sessions and records it knows nothing.
package chain
