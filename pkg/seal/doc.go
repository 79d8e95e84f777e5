// SPDX-License-Identifier: Apache-2.0

// Package seal implements the Logseal stamp format, version 1: what makes a log
// record's alteration, deletion, insertion, reordering or replay visible to
// anyone who holds the stream's public key. docs/stamp-format.md is the
// specification; this package follows it and does not add to it.
//
// There are two sides.
//
// A host stamps. [Open] gives a [Sealer] from a key file and a [Store];
// [Sealer.Stamp] puts an id on every record of a batch and stores its leaf hash
// before anything is forwarded, [Batch.Settle] says what became of the batch, and
// [Sealer.Seal] makes seals: log records whose body is a signed note over a
// Merkle tree of what was settled since the last one. Each seal is signed by a
// key of its own, named by the seal before and overwritten after use, so that
// whoever takes the host later can re-sign nothing.
//
//	keys, err := seal.OpenKeyFile(path) // or CreateKeyFile, at the very first start
//	s, err := seal.Open(ctx, seal.Config{Keys: keys, Store: store})
//	err = s.Seal(ctx, emit) // sends the open seal, without which nothing is stamped
//
//	batch, err := s.Stamp(ctx, logs) // for each batch, from any goroutine
//	err = next(ctx, logs)
//	batch.Settle(err == nil)
//
//	time.Sleep(s.Due()) // in a loop of its own; s.Ready() says when to look again
//	err = s.Seal(ctx, emit)
//
//	err = s.Close(ctx, emit)
//
// An auditor verifies. [ParseTrust] reads the streams that are trusted, and a
// [Verifier] takes records and seals in any order and reports what is not as it was
// sealed. It never normalises: what could be read in two ways is malformed. The
// package archive reads files for it. [ParseNote] and [Hasher] are what it is made of.
//
// The package knows OpenTelemetry's pdata and nothing else of the collector.
package seal
