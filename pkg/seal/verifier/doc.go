// SPDX-License-Identifier: Apache-2.0

// Package verifier is the auditor's side of the stamp format (docs/stamp-format.md, section 8): a [Verifier] takes records and seals in
// any order and reports what is not as it was sealed. It never normalises: what could be read in two ways is malformed.
//
//	trust, err := seal.ParseTrust(file)
//	v := verifier.New(trust)
//	for … {
//		v.Add(&record)
//	}
//	report, err := v.Finish(until)
//
// [Observe] makes records of pdata; the package archive reads files, more strictly than any parser of pdata. [Report] is what comes out: a
// verdict, streams, findings, and [Checkpoint] values from which a later run goes on. Finish fails with [ErrOutOfOrder] alone.
//
// Inside, three packages that each know only those before them follow the specification: internal/chain (which seals are genuine, section
// 8.1), internal/session (what they settle, 6 and 8.2), internal/record (what that makes of each record, 8.3).
package verifier
