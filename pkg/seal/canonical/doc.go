// SPDX-License-Identifier: Apache-2.0

// Package canonical is the one canonical encoding of a log record (docs/stamp-format.md, section 3): the bytes whose SHA-256 is the
// record's digest, and so its leaf in a seal's tree.
//
// [Hasher] writes it of pdata, for hosts that stamp. A strict reader of another encoding writes the same bytes with [Fields], [Maps] and the
// Append and Begin functions; layout.go alone says what comes in which order and where. [Record] is what a verifier keeps of one: its
// [Record.Digest] leaves out what a policy does, and what is computed of a [Source] is computed once for all records of it.
//
// What has two readings has no digest: [ErrDuplicateKey], [ErrInvalidUTF8], [ErrTooDeep], [ErrEntityRefs]. [Fault] is the finding for each.
package canonical
