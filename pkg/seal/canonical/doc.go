// SPDX-License-Identifier: Apache-2.0

// Package canonical is the one canonical encoding of a log record (docs/stamp-format.md, section 3): the bytes whose SHA-256 is the
// record's digest, and so its leaf in a seal's tree.
//
// [Hasher] writes it of pdata, for hosts that stamp; [Record] knows where in it things lie, for verifiers.
package canonical
