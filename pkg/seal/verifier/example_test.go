// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// A SIEM that has logs as pdata hands them to a verifier, records and seals alike, in any order. Files are better read by package archive, which
// is stricter than any parser of pdata.
func Example() {
	trust, err := seal.ParseTrust(strings.NewReader("web-17+7f3b7e96+AScH2Uh3vpjgWGqAc81AbharxpQlUjD+8h0eSb0mmCkV\n"))
	if err != nil {
		log.Fatal(err)
	}
	data, err := os.ReadFile("../testdata/vectors/archives/conflict.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	verify := func(v *verifier.Verifier) *verifier.Report {
		n := 0
		for line := range bytes.Lines(data) {
			ld, err := new(plog.JSONUnmarshaler).UnmarshalLogs(line)
			if err != nil {
				log.Fatal(err)
			}
			n++
			v.AddLogs(ld, finding.Place{File: "conflict.jsonl", Line: n})
		}
		report, err := v.Finish(time.Time{})
		if err != nil {
			log.Fatal(err) // verifier.ErrOutOfOrder
		}
		return report
	}
	v := verifier.New(trust)
	report := verify(v)
	if again := v.Again(); again != nil { // the first pass cannot tell without a second
		report = verify(again)
	}
	fmt.Println(report.Verdict, report.Verified, "of", report.Records)
	for _, f := range report.Findings {
		fmt.Println(f.Code, f.Stream, f.Place.Line, f.Message())
	}
	// Output:
	// tampered 77 of 78
	// CONFLICT web-17 83 has the id of another record that says something else; the seal backs the other one, at conflict.jsonl:5
}
