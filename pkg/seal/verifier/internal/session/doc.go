// SPDX-License-Identifier: Apache-2.0

// Package session turns the genuine seals of a stream into its sessions: which of their ids are covered, void or open, and what that means for a record
// that bears one (docs/stamp-format.md, sections 6 and 8.2). It takes seals from package chain and tells its [Listener] of sessions and what
// settles their ids. It knows no record.
package session
