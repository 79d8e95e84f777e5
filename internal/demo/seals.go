// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// kill ends the agent with SIGKILL in mid-stream, three times.
func kill(ctx context.Context, s *stage) (string, error) {
	const kills = 3
	for range kills {
		if err := s.writeFor(ctx, time.Second); err != nil {
			return "", err
		}
		s.agent.Kill()
		s.agent = nil
		if err := s.write(100); err != nil {
			return "", err
		}
		var err error
		if s.agent, err = s.site.Agent.Start(ctx); err != nil {
			return "", err
		}
	}
	if err := s.awaitAll(ctx); err != nil {
		return "", err
	}
	report, err := s.verified(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d SIGKILLs: all %d lines are in the archive (%d twice), and all its %d records verify",
		kills, s.written, s.tally.Duplicates, report.Records), nil
}

// verify verifies the SIEM's archive.
func verify(ctx context.Context, s *stage) (string, error) {
	if err := s.awaitAll(ctx); err != nil {
		return "", err
	}
	report, err := s.verified(ctx)
	if err != nil {
		return "", err
	}
	of := report.Streams[0]
	for _, other := range report.Streams { // beside the agent's there is that of the gateway's findings
		if other.Records > of.Records {
			of = other
		}
	}
	return fmt.Sprintf("%d records of stream %s are under %d seals (%d of them twice); complete as of %s",
		of.Verified, of.Name, of.Seals, report.Duplicates, of.CompleteAsOf.Format(time.TimeOnly)), nil
}

// writeTrust puts the trust lines of all that seal on the stage into one file, for whoever wants to verify the archive.
func (s *stage) writeTrust() error {
	list, err := s.site.Trust()
	if err != nil {
		return err
	}
	var lines strings.Builder
	for i := range list {
		fmt.Fprintln(&lines, list[i].String())
	}
	return os.WriteFile(filepath.Join(s.Dir, "streams.trust"), []byte(lines.String()), 0o600)
}

// verified returns the report on the archive once everything that was written is sealed.
func (s *stage) verified(ctx context.Context) (*verifier.Report, error) {
	trust, err := s.site.Trust()
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	report, err := s.archive.AwaitSealed(waiting, trust, s.wrote)
	if err != nil {
		return nil, err
	}
	if left := testbed.Unverified(report); left > 0 {
		return nil, fmt.Errorf("%d of %d records did not verify", left, report.Records)
	}
	return report, nil
}

// tamper does to copies of the archive what somebody with access to the SIEM's storage could do, and asks the verifier.
func tamper(ctx context.Context, s *stage) (string, error) {
	if err := s.write(200); err != nil {
		return "", err
	}
	if err := s.awaitAll(ctx); err != nil {
		return "", err
	}
	if _, err := s.verified(ctx); err != nil {
		return "", err
	}
	text, err := os.ReadFile(s.archive.Path)
	if err != nil {
		return "", err
	}
	line, err := s.lineToTamperWith(text)
	if err != nil {
		return "", err
	}
	altered, err := s.alterByte(ctx, text, line)
	if err != nil {
		return "", err
	}
	deleted, err := s.deleteLine(ctx, text, line)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("one byte altered in a copy: %s; one line taken out of another: %s", altered, deleted), nil
}

// span is a line of the archive and what is in it.
type span struct {
	start, end int // with its line feed
	ids        []string
}

// lineToTamperWith finds the last line that holds records of ours, no seal, and nothing that is in the archive twice.
func (s *stage) lineToTamperWith(text []byte) (span, error) {
	for end := len(text); end > 0; {
		start := bytes.LastIndexByte(text[:end-1], '\n') + 1
		line := span{start: start, end: end}
		end = start
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(text[line.start:line.end])
		if err != nil {
			return span{}, err
		}
		fit := bytes.Contains(text[line.start:line.end], []byte(s.tally.Prefix))
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					id, stamped := lr.Attributes().Get(seal.IDKey)
					if !stamped { // a seal
						fit = false
						continue
					}
					fit = fit && bytes.Count(text, []byte(`"`+id.AsString()+`"`)) == 1
					line.ids = append(line.ids, id.AsString())
				}
			}
		}
		if fit {
			return line, nil
		}
	}
	return span{}, errors.New("there is no line to tamper with: all hold seals or duplicates")
}

// alterByte changes one byte of the first record of ours in the line, and returns what the verifier says.
func (s *stage) alterByte(ctx context.Context, text []byte, line span) (string, error) {
	at := line.start + bytes.Index(text[line.start:line.end], []byte(s.tally.Prefix))
	at += bytes.Index(text[at:], []byte("/orders/")) + len("/orders/")
	copied := bytes.Clone(text)
	if copied[at]++; copied[at] > '9' {
		copied[at] = '0'
	}
	report, path, err := s.verifyCopy(ctx, "altered.jsonl", copied)
	if err != nil {
		return "", err
	}
	for _, f := range report.Findings {
		if f.Code == finding.Altered {
			if f.Count != 1 || report.Verdict != finding.Tampered {
				break
			}
			return fmt.Sprintf("ALTERED %s, line %d of %s", f.ID, f.Place.Line, path), nil
		}
	}
	return "", fmt.Errorf("the verifier did not name the altered record:\n%s", testbed.Describe(report.Findings))
}

// deleteLine takes the line out, and returns what the verifier says.
func (s *stage) deleteLine(ctx context.Context, text []byte, line span) (string, error) {
	copied := append(bytes.Clone(text[:line.start]), text[line.end:]...)
	report, path, err := s.verifyCopy(ctx, "deleted.jsonl", copied)
	if err != nil {
		return "", err
	}
	missing, named := uint64(0), ""
	for _, f := range report.Findings {
		if f.Code == finding.Missing {
			missing += f.Count
			if named == "" {
				named = f.ID
			}
		}
	}
	if missing != uint64(len(line.ids)) || report.Verdict != finding.Tampered {
		return "", fmt.Errorf("%d records were taken out, and the verifier misses %d:\n%s", len(line.ids), missing, testbed.Describe(report.Findings))
	}
	return fmt.Sprintf("MISSING %s and what follows, %d records, from %s", named, missing, path), nil
}

func (s *stage) verifyCopy(ctx context.Context, name string, text []byte) (*verifier.Report, string, error) {
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil { //nolint:gosec // in the work folder, by a name of ours
		return nil, "", err
	}
	trust, err := s.site.Trust()
	if err != nil {
		return nil, "", err
	}
	report, err := testbed.Verify(ctx, trust, time.Time{}, path)
	return report, name, err
}
