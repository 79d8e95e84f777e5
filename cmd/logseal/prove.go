// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/export"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/verifier/evidence"
)

type proveOptions struct {
	archive                []string
	from, trust, out, html string
}

func newProveCommand() *cobra.Command {
	var opts proveOptions
	cmd := &cobra.Command{
		Use:   "prove ID --archive PATH --trust FILE",
		Short: "Put the proof of one record into one file",
		Long: `prove looks for a record in an archive, and writes what proves it into one file: the record, the up to 15 others that were sealed
together with it, the seals of its stream from the first to the one that covers it, and the trust line. Years later, on
another machine and without the archive, "logseal verify FILE" says whether it holds.

ID is what stands in the record's attribute logseal.id. The archive is read twice, so standard input will not do. With --from STORE
it is what the search of a log store gave back, as for verify: the records that were sealed together, and the stream's seals. Nothing is
written unless the proof holds. The others that were sealed together with the record are in the file in full: look at them before you
give it away. The file has about 1 KB for each seal, so 90 MB for a day in which the host logged all the time.

--html writes a page for people beside it, with the record, what proves it and what is not proven. It has no scripts and
loads nothing. The page itself proves nothing: the file does.

Exit status:
  0  the record is proven, and the file is written
  1  the archive does not prove it, and the message says why
  2  usage, or an archive that cannot be read or recognised
  4  logseal itself failed

docs/evidence.md says what is in the file.`,
		Example: `  logseal prove k3x7a2qd-104233 --archive /var/log/archive --trust streams.trust --html login.html

  # of what a search in VictoriaLogs gave back
  logseal prove k3x7a2qd-104233 --from victorialogs --archive day.json --archive seals.json --trust streams.trust

  # by whoever is given the file, with a trust line of his own or with the one in the file
  logseal verify --trust streams.trust evidence.json
  logseal verify evidence.json`,
		Args: cobra.ExactArgs(1),
		RunE: opts.run,
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&opts.archive, "archive", nil, "`path` of the archive: a file or a folder, as for verify; may be repeated")
	flags.StringVar(&opts.from, "from", "", "the archive is what the search of a `store` gave back: "+strings.Join(export.Stores(), ", "))
	flags.StringVar(&opts.trust, "trust", "", "`file` with the trust line of the record's stream")
	flags.StringVar(&opts.out, "out", "evidence.json", "`file` to write")
	flags.StringVar(&opts.html, "html", "", "`file` to write a page for people to")
	_ = cmd.MarkFlagRequired("archive")
	_ = cmd.MarkFlagRequired("trust")
	return cmd
}

func (o *proveOptions) run(cmd *cobra.Command, args []string) error {
	id, err := seal.ParseID(args[0])
	if err != nil {
		return fmt.Errorf("%q is no id: write what stands in the record's attribute logseal.id, such as k3x7a2qd-104233", args[0])
	}
	trust, err := readTrust(o.trust)
	if err != nil {
		return err
	}
	if err := checkFrom(cmd, o.from); err != nil {
		return err
	}
	files, size, err := archive.Files(o.archive)
	if err != nil {
		return unreadable(err)
	}
	if archive.ReadOnce(files) {
		return fmt.Errorf("--archive %s: the archive is read twice; give a file or a folder", strings.Join(o.archive, " "))
	}
	bar := newProgress(cmd.ErrOrStderr(), 2*size)
	options := archive.Options{Progress: bar.add}
	e, proof, err := evidence.Build(func(emit func(*verifier.Observed) error) error {
		if o.from == "" {
			return archive.Read(cmd.Context(), files, options, emit)
		}
		_, err := export.Read(cmd.Context(), o.from, files, options, emit)
		return err
	}, trust, id)
	bar.done()
	var internal *archive.InternalError
	switch {
	case errors.Is(err, evidence.ErrRefused):
		return exitError{code: exitFailed, err: errors.New(verifier.Printable(err.Error()))}
	case errors.As(err, &internal):
		return err
	case err != nil:
		return unreadable(err)
	}
	if err := replaceFile(o.out, e.Write); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if o.html != "" {
		if err := replaceFile(o.html, proof.WriteHTML); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
	}
	return writeProof(cmd.OutOrStdout(), proof)
}

// replaceFile writes a file, or leaves it as it was.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".logseal-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already once it has its name
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// writeProof says what is proven, without a word of the record.
func writeProof(w io.Writer, p *evidence.Proof) error {
	quantum := fmt.Sprintf("post-quantum up to seal %d", p.PostQuantum)
	if p.NotPostQuantum != "" {
		quantum = "not post-quantum"
	}
	_, err := fmt.Fprintf(w, "ok: %s\nby seal %d, with %d others; %d seals from the stream's first one on, without a gap; %s\n",
		verifier.Printable(p.String()), p.Seal.Number, len(p.Group)-1, p.Seals, quantum)
	for _, remark := range p.Remark {
		if err == nil {
			_, err = fmt.Fprintf(w, "the stream %s\n", verifier.Printable(remark))
		}
	}
	if err == nil && !p.Given {
		_, err = fmt.Fprintf(w, "The trust line is the one in the evidence. Compare it with what the host's operator tells you, or give yours with --trust:\n%s\n", verifier.Printable(p.Trust.String()))
	}
	return err
}

// isEvidence reports whether a file is meant to be evidence. What cannot be read is not, and of a pipe nothing may be read to see.
func isEvidence(path string) bool {
	if archive.ReadOnce([]string{path}) {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 64)
	n, _ := io.ReadFull(f, head)
	return evidence.Is(head[:n])
}

// verifyEvidence verifies one file of evidence, under trust lines or, without any, under its own.
func verifyEvidence(w io.Writer, path string, trust []seal.Trust) error {
	f, err := os.Open(path)
	if err != nil {
		return unreadable(err)
	}
	defer f.Close()
	e, err := evidence.Read(f)
	if err != nil {
		return unreadable(fmt.Errorf("%s: %w", path, err))
	}
	p, err := e.Check(trust)
	if err != nil {
		return exitError{code: exitFailed, err: errors.New(verifier.Printable(path + ": " + err.Error()))}
	}
	return writeProof(w, p)
}
