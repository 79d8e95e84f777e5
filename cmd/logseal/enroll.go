// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/sealer"
)

func newEnrollCommand() *cobra.Command {
	var name, out string
	cmd := &cobra.Command{
		Use:   "enroll --name NAME --out FILE",
		Short: "Make a stream's key file and print its trust line",
		Long: `Make the key file of a new stream, and print the line by which auditors trust it.

A stream is one stamp processor with its state. Put the key file where that processor's key_file points, on the host
that will stamp, and the printed line into the trust file of everybody who verifies. The file is readable by its
owner only, and never to be copied or backed up: two hosts that stamp with one key show as FORKED.

A host without a key file makes its own at its first start and logs the trust line. Enrolling beforehand lets the line
reach the auditors another way than through the host's logs.

Exit status: 0 the key file is written; 1 it or the trust line cannot be written; 2 usage, or the file exists: enroll never replaces one.`,
		Example: `  logseal enroll --name web-17 --out /var/lib/logseal/agent/stamp.key >> trust.txt`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runEnroll(cmd.OutOrStdout(), name, out)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the operator's `name` for the stream: letters, digits and . _ : @ / -")
	cmd.Flags().StringVar(&out, "out", "", "write the key file to this `file`, which must not exist")
	return cmd
}

func runEnroll(stdout io.Writer, name, out string) error {
	if out == "" {
		return exitError{exitUsage, errors.New("--out says where to write the key file")}
	}
	if err := seal.CheckName(name); err != nil {
		return exitError{exitUsage, fmt.Errorf("--name: %w", err)}
	}
	trust, err := sealer.CreateKeyFile(out, name)
	switch {
	case errors.Is(err, fs.ErrExist):
		return exitError{exitUsage, fmt.Errorf("%w; its stream would end here. To begin a new one, move the file away first, and trust the new line beside the old", err)}
	case err != nil:
		return exitError{exitFailed, err}
	}
	if _, err := fmt.Fprintln(stdout, trust); err != nil {
		return exitError{exitFailed, fmt.Errorf("the trust line could not be printed: %w; nothing else has it, so remove %s and enroll again", err, out)}
	}
	return nil
}
