// SPDX-License-Identifier: Apache-2.0

// Package seal is the Logseal stamp format, version 1: what makes a log record's alteration, deletion, insertion, reordering
// or replay visible to anyone who holds the stream's public key. docs/stamp-format.md is the specification; this package
// follows it and does not add to it.
//
// It holds what anyone needs who reads or writes the format: the [ID] that is put on a record, the [Seal] and the signed [Note]
// it travels in, the [Trust] line that names a stream's first key, the [Policy] that says which attributes do not count, the
// [Hash] trees over records, and the sets of numbers ([Ranges]) in seals. Parsing is strict: each thing has one spelling.
//
// An error of a note is [ErrUnsupported] where another version of the format is meant, [ErrNote] where it is no signed note, and [ErrText] where what
// is signed is not as a seal's text is; it says what is wrong.
//
// What is done with them is elsewhere, and imports this package, never the other way round:
//
//   - canonical: the one canonical encoding of a record, whose SHA-256 is its digest
//   - sealer: the host's side, which stamps records and makes seals
//   - verifier: the auditor's side, which judges records and seals
//   - archive: strict readers of files, for the verifier
//   - finding: the table of what can be wrong
package seal
