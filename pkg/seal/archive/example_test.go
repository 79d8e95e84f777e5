// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"context"
	"fmt"
	"log"
	"path/filepath"
	"strings"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// A store of logs that checks what it holds.
func ExampleVerify() {
	trust, err := seal.ParseTrust(strings.NewReader("web-17+7f3b7e96+AScH2Uh3vpjgWGqAc81AbharxpQlUjD+8h0eSb0mmCkV\n"))
	if err != nil {
		log.Fatal(err)
	}
	files, _, err := archive.Files([]string{"../testdata/vectors/archives/altered.jsonl"}) // or a folder
	if err != nil {
		log.Fatal(err)
	}
	var until time.Time // complete up to here; zero: as of the last seal
	report, err := archive.Verify(context.Background(), files, verifier.New(trust), until, archive.Options{})
	if err != nil {
		log.Fatal(err) // of files that could not be read; report may tell of the others
	}
	fmt.Println(report.Verdict, report.Verified, "of", report.Records)
	for _, f := range report.Findings {
		fmt.Println(f.Code, f.Stream, f.Count, filepath.Base(f.Place.File), f.Place.Line)
	}
	// Output:
	// tampered 61 of 77
	// UNRESOLVED web-17 7 altered.jsonl 2
	// ALTERED web-17 1 altered.jsonl 9
	// UNRESOLVED web-17 8 altered.jsonl 10
}
