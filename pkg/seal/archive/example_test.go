// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// A store of logs that checks what it holds.
func ExampleVerify() {
	file, err := os.Open("/etc/siem/streams.trust")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	trust, err := seal.ParseTrust(file)
	if err != nil {
		log.Fatal(err)
	}
	files, _, err := archive.Files([]string{"/var/lib/siem/2026/11"})
	if err != nil {
		log.Fatal(err)
	}
	until := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	report, err := archive.Verify(context.Background(), files, verifier.New(trust), until, archive.Options{})
	if err != nil {
		log.Fatal(err) // of files that could not be read; report may tell of the others
	}
	for _, f := range report.Findings {
		fmt.Println(f.Code, f.Stream, f.ID, f.Place.File, f.Place.Line, f.Message())
	}
}
