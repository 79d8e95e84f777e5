// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// Files are the archive's files, the one being written included, in the order of their names.
func (a *Archive) Files() ([]string, error) {
	return filepath.Glob(strings.TrimSuffix(a.Path, filepath.Ext(a.Path)) + "*" + filepath.Ext(a.Path))
}

// Mend ends what a kill of the writer left at the end of the archive: it gives a whole request its line feed, and takes
// off a torn one, which was never acknowledged. It is for the time between a kill and the next start.
func (a *Archive) Mend() (err error) {
	f, err := os.OpenFile(a.Path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	switch rest := text[whole:]; {
	case len(rest) == 0:
		return nil
	case isRequest(rest):
		_, err := f.WriteString("\n")
		return err
	}
	return f.Truncate(int64(whole))
}

func isRequest(text []byte) bool {
	_, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(text)
	return err == nil && bytes.HasSuffix(text, []byte("}"))
}

// Trust reads the trust line file that an agent of the shipped configuration keeps.
func (c Collector) Trust() ([]seal.Trust, error) { return readTrust(c.TrustFile()) }

func readTrust(path string) ([]seal.Trust, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return seal.ParseTrust(f)
}

// TrustFile is where an agent of the shipped configuration keeps its trust line.
func (c Collector) TrustFile() string {
	return filepath.Join(c.Env["LOGSEAL_STATE_DIR"], "stamp.trust")
}

// Verify verifies files as `logseal verify` does. With until the archive must be complete up to then.
func Verify(ctx context.Context, trust []seal.Trust, until time.Time, files ...string) (*verifier.Report, error) {
	return archive.Verify(ctx, files, verifier.New(trust), until, archive.Options{})
}

// AwaitSealed verifies the archive until nothing in it waits for its seal any more. Findings that time will not mend, and
// doubt about what a crash may have kept from leaving, are the caller's to judge.
func (a *Archive) AwaitSealed(ctx context.Context, trust []seal.Trust, until time.Time) (*verifier.Report, error) {
	var report *verifier.Report
	err := Until(ctx, func() (bool, error) {
		files, err := a.Files()
		if err != nil {
			return false, err
		}
		latest, err := Verify(ctx, trust, until, files...)
		if err != nil {
			return false, err
		}
		report = latest
		return len(Findings(report, finding.Doubt)) == 0, nil
	})
	if err != nil && report != nil {
		err = fmt.Errorf("the archive does not verify: %w\n%s", err, Describe(report.Findings))
	}
	return report, err
}

// Findings are the findings of a report but for those of the given verdicts.
func Findings(r *verifier.Report, but ...finding.Code) []finding.Finding {
	var left []finding.Finding
	for _, f := range r.Findings {
		if !slices.Contains(but, f.Code) {
			left = append(left, f)
		}
	}
	return left
}

// Unverified is the number of records that are neither what was sealed, nor the same again, nor declared void.
func Unverified(r *verifier.Report) uint64 {
	n := r.Records - r.Verified - r.Duplicates
	for _, of := range r.Streams {
		n -= of.Voided
	}
	return n
}

// Describe writes findings for a person, ten at most.
func Describe(findings []finding.Finding) string {
	var b strings.Builder
	for i, f := range findings {
		if i == 10 {
			fmt.Fprintf(&b, "  and %d more\n", len(findings)-i)
			break
		}
		id := f.ID
		if f.LastID != "" {
			id += " to " + f.LastID
		}
		fmt.Fprintf(&b, "  %s %s (%d): %s\n", f.Code, id, f.Count, f.Message())
	}
	return strings.TrimSuffix(b.String(), "\n")
}
