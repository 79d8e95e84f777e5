// SPDX-License-Identifier: Apache-2.0

// Package archive reads log archives strictly: OTLP JSON lines and OTLP protobuf frames as the collector's file
// exporter writes them, plain or compressed with gzip or zstd.
//
// Ordinary readers are lenient, each in its own way: pdata's JSON reader takes the last of two members with one name, steps
// over unknown ones, and ignores what comes after the object. Whoever may write into an archive could so show one record to
// the verifier and another to the analyst. This reader accepts only what every reader understands in the same way, and
// reports everything else as malformed: the record where that is enough, else the frame (a line, or a
// length-prefixed message). Then it reads on. Nesting and sizes are bounded before anything is built.
//
// It yields records as [verifier.Observed], in the order of the archive, with their canonical encoding; [verifier.Verifier] takes it
// from there. [Verify] does both, [Files] lists a folder, [Read] is for whoever wants the records.
//
// Errors: [ErrUnrecognised] of a file that is no archive, [ErrReadTwice] where standard input or a pipe would have to be read again,
// [InternalError] instead of a panic. What is wrong within a file is a finding and no error.
package archive
