// SPDX-License-Identifier: Apache-2.0

// Package finding is the one table of what can be wrong with an archive, or cannot be known of it: for each case a code for
// programs, a reason below it, the verdict that follows, a sentence for people, the section of the specification, and what to
// do. Reports, their JSON, the table in docs/verify.md and alarms are made of it.
//
//	f := finding.New(finding.RecordMissing)
//	f.Stream = "web-17"
//	f.SetID("k3x7a2qd", 17)
//	fmt.Println(f.Code, f.Verdict(), f.Message())
//
// To add a finding: a [Reason], and its line in the table (table.go). docs/verify.md is compared with the table by a test,
// and written anew by `go test ./pkg/seal/finding -update`.
package finding
