// SPDX-License-Identifier: Apache-2.0

package finding_test

import (
	"fmt"

	"github.com/logseal/logseal/pkg/seal/finding"
)

// A finding has a code and a reason for programs, a verdict, and a sentence for people.
func ExampleNew() {
	f := finding.New(finding.RecordMissing)
	f.Stream = "web-17"
	f.SetIDs("k3x5a2qd", 17, 19)
	fmt.Println(f.Code, f.Reason, f.Verdict(), f.Verdict().ExitStatus())
	fmt.Println(f.Stream, f.ID, f.LastID, f.Count)
	fmt.Println(f.Message())
	// Output:
	// MISSING record_missing tampered 1
	// web-17 k3x5a2qd-17 k3x5a2qd-19 3
	// was sealed and is not here: it was deleted, or lost after the host had sent it
}

// The table says of each code what may be done about it.
func ExampleTable() {
	for _, entry := range finding.Table() {
		if entry.Code == finding.Truncated {
			fmt.Println(entry.Verdict, len(entry.Reasons) > 0, entry.Remedy != "")
		}
	}
	// Output:
	// incomplete true true
}
