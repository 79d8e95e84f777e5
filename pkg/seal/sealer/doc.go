// SPDX-License-Identifier: Apache-2.0

// Package sealer is the host's side of the stamp format: it puts an id on every record and seals all of them.
//
// [Open] gives a [Sealer] from a key file and a [Store]; [Sealer.Stamp] puts an id on every record of a batch and stores its leaf
// hash before anything is forwarded, [Batch.Settle] says what became of the batch, and [Sealer.Seal] makes seals: log
// records whose body is a signed note over a Merkle tree of what was settled since the last one. Each seal is signed by
// a key of its own, named by the seal before and overwritten after use, so that whoever takes the host later can
// re-sign nothing.
//
//	keys, err := sealer.OpenKeyFile(path) // or CreateKeyFile, at the very first start
//	s, err := sealer.Open(ctx, sealer.Config{Keys: keys, Store: store})
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
// A batch that cannot be taken now is refused with [ErrBusy], and after Close with [ErrClosed]: nothing of it is stamped.
//
// The package knows OpenTelemetry's pdata and nothing else of the collector.
package sealer
