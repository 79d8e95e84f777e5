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
// The package archive reads files for it.
package verifier
