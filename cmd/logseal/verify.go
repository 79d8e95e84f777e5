// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/export"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

type verifyOptions struct {
	trust    string
	trustCA  string
	firstUse bool
	until    string
	format   string
	strict   bool
	quantum  bool

	from     string // a store; empty for an archive
	fromTime string

	fromSeal   string
	checkpoint string
}

func newVerifyCommand() *cobra.Command {
	var opts verifyOptions
	cmd := &cobra.Command{
		Use:   "verify (--trust FILE | --trust-ca FILE | --trust-on-first-use) PATH...",
		Short: "Check that an archive holds exactly what its hosts wrote",
		Long: `verify reads an archive of logs and says whether every record is what its host wrote, and all are there, or
exactly which are not. It works offline, and needs nothing but the archive and the trust lines of its streams.

PATH is a file, a folder (read with all below it, in order of name) or "-" for standard input: OTLP JSON, an object a line or
printed over many, or OTLP protobuf messages as the collector's file exporter writes them, plain or compressed with gzip
or zstd.

The trust file has one line for each stream, as "logseal enroll" prints it. With "optional" at its end, a line does not ask
that the stream be in the archive.

--trust-ca, alone or beside a trust file, trusts every stream whose first seal carries a certificate below one of these CAs
(the stamp's endorse): under the certificate's first URI, else its first DNS name, else its common name, if it is for client
authentication and was valid when the stream began. It asks for no stream: which hosts there should be it does not know. And
whoever has the CA's key, or a host's certificate, can begin a stream; two of one identity and name are a finding unless the
first was closed before.

Without either, --trust-on-first-use takes the keys from the archive itself: that
shows whether the archive is consistent, but not whose it is. Whoever could replace all of it could have made the keys.

Where a trust line names an ML-DSA key, the report says up to which seal the proof is post-quantum: it holds even where somebody can
forge Ed25519 signatures. --require-post-quantum makes the rest a finding.

An archive must reach back to a stream's first seal, unless --from-seal says from which seal on it is verified: with a
checkpoint that --checkpoint wrote after what came before was verified, or with a seal, where an archive begins later than
the stream, as after the move to another SIEM. Whoever gives a seal vouches for it, as for a trust line: keep the file
where whoever can write to the archive cannot.

--from STORE reads what the search of a log store gave back, as it came, instead of an archive: splunk, elastic (OpenSearch
too), loki, victorialogs, or otlp for any that answers in OTLP JSON. What is verified is each record's original, which "siem" with
splunk_hec or syslog sends as the event, and "stamp: {carry: true}" puts beside the record; where the store kept none the record is
UNCHECKABLE, never ALTERED. Export the seals too, from the stream's first one on or from that of --from-seal: they are few. An
export covers an interval: --from-time and --until say which part of it is asked for, by the time of the seals, and what was sealed
outside need not be there. Let the search reach some minutes further at both ends. docs/export.md has the search for each store.

A file that "logseal prove" wrote, the evidence of one record, is verified with --trust, or without under the trust line in it.

Exit status:
  0  every record is verified, and none is missing
  1  something is wrong: altered, missing, inserted, forged, …
  2  usage, or input that cannot be read or recognised
  3  nothing is wrong, but something cannot be known: records newer than the last seal, a stream that was running where the
     archive ends, a crash or a loss of power. With --strict this is 1
  4  logseal itself failed, and there is no verdict

docs/verify.md explains every finding, and what to do about it.`,
		Example: `  # a folder of files that a gateway wrote
  logseal verify --trust streams.trust /var/log/archive

  # a fleet, by its CA, and two hosts that must be there
  logseal verify --trust-ca fleet-ca.pem --trust important.trust /var/log/archive

  # it must be complete up to midnight
  logseal verify --trust streams.trust --until 2026-11-23T00:00:00Z /var/log/archive

  # every day what came since, and nothing twice
  logseal verify --trust streams.trust --checkpoint state.json monday/
  logseal verify --trust streams.trust --from-seal state.json --checkpoint state.json tuesday/

  # what yesterday's search in VictoriaLogs gave back, and all seals
  logseal verify --trust streams.trust --from victorialogs --from-time 2026-11-23T00:00:00Z --until 2026-11-24T00:00:00Z \
    yesterday.json seals.json

  # for a program
  zstd -dc logs.json.zst | logseal verify --trust streams.trust --format json -`,
		Args: cobra.MinimumNArgs(1),
		RunE: opts.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.trust, "trust", "", "`file` with the trust lines of the streams")
	flags.StringVar(&opts.trustCA, "trust-ca", "", "PEM `file` with the CAs whose certificates vouch for streams")
	flags.BoolVar(&opts.firstUse, "trust-on-first-use", false, "take the streams' keys from the archive: shows consistency, not origin")
	flags.StringVar(&opts.until, "until", "", "`time` (RFC 3339) up to which every stream must be complete")
	flags.StringVar(&opts.from, "from", "", "read what the search of a `store` gave back: "+strings.Join(export.Stores(), ", "))
	flags.StringVar(&opts.fromTime, "from-time", "", "with --from: `time` (RFC 3339) from which on everything that was sealed must be there, up to --until")
	flags.StringVar(&opts.format, "format", "text", "text or json")
	flags.BoolVar(&opts.strict, "strict", false, "exit with 1 instead of 3")
	flags.BoolVar(&opts.quantum, "require-post-quantum", false, "report what nothing but Ed25519 vouches for: see docs/verify.md")
	flags.StringVar(&opts.fromSeal, "from-seal", "", "`file` with a checkpoint or a seal of a stream: verify the stream from there on")
	flags.StringVar(&opts.checkpoint, "checkpoint", "", "`file` to write where a later run can go on, with --from-seal")
	cmd.MarkFlagsMutuallyExclusive("trust", "trust-on-first-use")
	cmd.MarkFlagsMutuallyExclusive("from-seal", "trust-on-first-use")
	cmd.MarkFlagsMutuallyExclusive("trust-ca", "trust-on-first-use")
	return cmd
}

func (o *verifyOptions) run(cmd *cobra.Command, paths []string) error {
	if len(paths) == 1 && isEvidence(paths[0]) {
		return o.evidence(cmd, paths[0])
	}
	v, err := o.verifier()
	if err != nil {
		return err
	}
	if o.quantum {
		v.RequirePostQuantum()
	}
	until, err := timeFlag(cmd, "until", o.until)
	if err != nil {
		return err
	}
	from, err := timeFlag(cmd, "from-time", o.fromTime)
	if err != nil {
		return err
	}
	if err := checkFrom(cmd, o.from); err != nil {
		return err
	}
	switch {
	case o.from != "" && o.checkpoint != "" && (!from.IsZero() || !until.IsZero()):
		return errors.New("--checkpoint says that everything up to a seal was verified, and with --from-time or --until that is not so of what was sealed outside: leave out one or the other")
	case o.from == "" && !from.IsZero():
		return errors.New("--from-time is for what the search of a store gave back: add --from STORE; where an archive begins later than its streams, --from-seal says with which seal")
	case !from.IsZero() && !until.IsZero() && !from.Before(until):
		return fmt.Errorf("--from-time %s is not before --until %s", o.fromTime, o.until)
	}
	if o.format != "text" && o.format != "json" {
		return fmt.Errorf("--format %q: write text or json", o.format)
	}
	if o.fromSeal != "" {
		list, err := archive.ReadCheckpoints(cmd.Context(), o.fromSeal)
		if err == nil {
			err = v.From(list, finding.Place{File: o.fromSeal, Line: 1})
		}
		if err != nil {
			return unreadable(fmt.Errorf("--from-seal: %w", err))
		}
	}
	files, size, err := archive.Files(paths)
	if err != nil {
		return unreadable(err)
	}
	bar := newProgress(cmd.ErrOrStderr(), size)
	var report *verifier.Report
	var readErr error
	if options := (archive.Options{Stdin: cmd.InOrStdin(), Progress: bar.add}); o.from == "" {
		report, readErr = archive.Verify(cmd.Context(), files, v, until, options)
	} else {
		report, readErr = export.Verify(cmd.Context(), o.from, files, v, from, until, options)
	}
	bar.done()
	var internal *archive.InternalError
	if errors.As(readErr, &internal) {
		return readErr
	}
	if report == nil {
		return unreadable(readErr)
	}
	if err := o.write(cmd.OutOrStdout(), report); err != nil {
		return err
	}
	if o.checkpoint != "" && readErr == nil { // it must not step over what could not be read
		if err := writeCheckpoint(o.checkpoint, report.Checkpoints); err != nil {
			return unreadable(fmt.Errorf("--checkpoint: %w", err))
		}
	}
	switch {
	case readErr != nil: // part of what was asked for was not verified at all
		return unreadable(readErr)
	case report.Verdict == finding.OK:
		return nil
	case o.strict:
		return exitError{code: exitFailed}
	}
	return exitError{code: report.Verdict.ExitStatus()}
}

// checkFrom checks the flag --from. An empty one is a script's mistake.
func checkFrom(cmd *cobra.Command, store string) error {
	if store == "" && cmd.Flags().Changed("from") || store != "" && !slices.Contains(export.Stores(), store) {
		return fmt.Errorf("--from %q: write one of %s; an archive needs no --from", store, strings.Join(export.Stores(), ", "))
	}
	return nil
}

// timeFlag reads a flag that is a time; the zero time is none. An empty one is a script's mistake, and must not check less.
func timeFlag(cmd *cobra.Command, name, text string) (t time.Time, err error) {
	if !cmd.Flags().Changed(name) {
		return t, nil
	}
	if t, err = time.Parse(time.RFC3339Nano, text); err != nil {
		return t, fmt.Errorf("--%s %q: write a time like 2026-11-23T00:00:00Z", name, text)
	}
	return t, nil
}

// writeCheckpoint replaces the file, or leaves it as it was.
func writeCheckpoint(path string, list []verifier.Checkpoint) error {
	data, err := verifier.MarshalCheckpoints(list)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".logseal-checkpoint-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already once it has its name
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// unreadable is the error of input that cannot be read or recognised. The names of files are in it.
func unreadable(err error) error {
	var lines []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			lines = append(lines, verifier.Printable(one.Error()))
		}
	} else {
		lines = append(lines, verifier.Printable(err.Error()))
	}
	return exitError{code: exitUsage, err: errors.New(strings.Join(lines, "\nlogseal: "))}
}

func (o *verifyOptions) verifier() (*verifier.Verifier, error) {
	if o.firstUse {
		return verifier.NewFirstUse(), nil
	}
	if o.trust == "" && o.trustCA == "" {
		return nil, errors.New(`whose logs are these? Give --trust with the lines that "logseal enroll" printed, or --trust-ca with the CA of the fleet's certificates; --trust-on-first-use takes the keys from the archive itself, which shows that it is consistent but not whose it is`)
	}
	var trust []seal.Trust
	if o.trust != "" {
		var err error
		if trust, err = readTrust(o.trust); err != nil {
			return nil, err
		}
	}
	v := verifier.New(trust)
	if o.trustCA != "" {
		data, err := os.ReadFile(o.trustCA)
		if err != nil {
			return nil, fmt.Errorf("--trust-ca: %w", err)
		}
		roots, err := endorse.ParseRoots(data)
		if err != nil {
			return nil, fmt.Errorf("--trust-ca %s: %w", o.trustCA, err)
		}
		v.TrustCA(roots)
	}
	return v, nil
}

// readTrust reads a trust file.
func readTrust(path string) ([]seal.Trust, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--trust: %w", err)
	}
	defer file.Close()
	trust, err := seal.ParseTrust(file)
	if err != nil {
		return nil, fmt.Errorf("trust file %s: %w", path, err)
	}
	return trust, nil
}

// evidence verifies what logseal prove wrote.
func (o *verifyOptions) evidence(cmd *cobra.Command, path string) error {
	for _, name := range []string{"trust-ca", "until", "format", "require-post-quantum", "from", "from-time", "from-seal", "checkpoint"} {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s is for an archive, and %s is the evidence of one record: only --trust goes with it", name, path)
		}
	}
	var trust []seal.Trust
	if cmd.Flags().Changed("trust") {
		var err error
		if trust, err = readTrust(o.trust); err != nil {
			return err
		}
		if len(trust) == 0 {
			return fmt.Errorf("trust file %s has no line", o.trust)
		}
	}
	return verifyEvidence(cmd.OutOrStdout(), path, trust)
}

func (o *verifyOptions) write(w io.Writer, report *verifier.Report) error {
	if o.format == "text" {
		return report.WriteText(w)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, size int64) progress {
	file, ok := w.(*os.File)
	if !ok {
		return progress{}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return progress{}
	}
	if size == 0 {
		size = -1 // not known: a spinner
	}
	return progress{progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(file),
		progressbar.OptionSetDescription("verifying"),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

func (p progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

func (p progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
