// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/sealer"
)

func newEnrollCommand() *cobra.Command {
	var opts enrollOptions
	cmd := &cobra.Command{
		Use:   "enroll --name NAME --out FILE [--endorse-cert FILE --endorse-key FILE]",
		Short: "Make a stream's key file and print its trust line",
		Long: `Make the key file of a new stream, and print the line by which auditors trust it.

A stream is one stamp processor with its state. Put the key file where that processor's key_file points, on the host
that will stamp, and the printed line into the trust file of everybody who verifies. The file is readable by its
owner only, and never to be copied or backed up: two hosts that stamp with one key show as FORKED.

A host without a key file makes its own at its first start and logs the trust line. Enrolling beforehand lets the line
reach the auditors another way than through the host's logs.

With --endorse-cert and --endorse-key the stream's first seal carries what a certificate says of it, as with the stamp's
endorse. Who trusts the certificate's CA ("logseal verify --trust-ca") then needs no trust line. The certificate must be for
client authentication and valid when the seal is made; the key is not kept.

Exit status: 0 the key file is written; 1 it or the trust line cannot be written; 2 usage, or the file exists: enroll never replaces one.`,
		Example: `  logseal enroll --name web-17 --out /var/lib/logseal/agent/stamp.key >> trust.txt

  # the fleet's CA vouches for it
  logseal enroll --name web-17 --out stamp.key --endorse-cert agent.pem --endorse-key agent.key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.endorse = cmd.Flags().Changed("endorse-cert") // an empty one is a script's mistake, and must not do less
			return opts.run(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.name, "name", "", "the operator's `name` for the stream: letters, digits and . _ : @ / -")
	flags.StringVar(&opts.out, "out", "", "write the key file to this `file`, which must not exist")
	flags.BoolVar(&opts.quantum, "post-quantum", true, "the stream has ML-DSA-44 keys too, for archives that are kept longer than Ed25519 holds")
	flags.StringVar(&opts.cert, "endorse-cert", "", "PEM `file` with a certificate chain that vouches for the stream, the host's own first")
	flags.StringVar(&opts.key, "endorse-key", "", "PEM `file` with the key of that certificate")
	cmd.MarkFlagsRequiredTogether("endorse-cert", "endorse-key")
	return cmd
}

type enrollOptions struct {
	name, out string
	quantum   bool
	endorse   bool
	cert, key string
}

func (o *enrollOptions) run(stdout io.Writer) error {
	if o.out == "" {
		return exitError{exitUsage, errors.New("--out says where to write the key file")}
	}
	if err := seal.CheckName(o.name); err != nil {
		return exitError{exitUsage, fmt.Errorf("--name: %w", err)}
	}
	stream := sealer.NewStream{Name: o.name, PostQuantum: o.quantum}
	if o.endorse {
		cert, err := endorse.Load(o.cert, o.key)
		if err != nil {
			return exitError{exitUsage, fmt.Errorf("--endorse-cert, --endorse-key: %w", err)}
		}
		stream.Endorse = func(trust seal.Trust) (*seal.Endorsement, error) {
			e, err := endorse.Sign(cert, trust, time.Now())
			if err != nil {
				return nil, exitError{exitUsage, fmt.Errorf("--endorse-cert %s: %w", o.cert, err)}
			}
			return e, nil
		}
	}
	trust, err := sealer.CreateKeyFile(o.out, stream)
	var refused exitError
	switch {
	case errors.Is(err, fs.ErrExist):
		return exitError{exitUsage, fmt.Errorf("%w; its stream would end here. To begin a new one, move the file away first, and trust the new line beside the old", err)}
	case errors.As(err, &refused):
		return exitError{refused.code, err}
	case err != nil:
		return exitError{exitFailed, err}
	}
	if _, err := fmt.Fprintln(stdout, trust); err != nil {
		return exitError{exitFailed, fmt.Errorf("the trust line could not be printed: %w; nothing else has it, so remove %s and enroll again", err, o.out)}
	}
	return nil
}
