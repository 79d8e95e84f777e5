// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package stampprocessor stamps log records as they pass and sends seals after them, so that whoever alters, drops,
// inserts or replays one later is found out. What a stamp and a seal are is in package seal and docs/stamp-format.md;
// this package gives the sealer its key file, its storage, its next consumer and its time.
//
// Nothing may change a record after it: stamp is the last processor of a pipeline.
package stampprocessor
