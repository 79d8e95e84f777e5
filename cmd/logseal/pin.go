// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/logseal/logseal/pkg/tlspin"
)

type pinOptions struct {
	certFile   string
	caFile     string
	serverName string
	json       bool
	timeout    time.Duration
}

func newPinCommand() *cobra.Command {
	var opts pinOptions
	cmd := &cobra.Command{
		Use:   "pin HOST:PORT | pin --cert FILE",
		Short: "Print the pins of a server's certificate chain",
		Long: `Print the pins of the certificate chain that a server presents, or that a PEM file holds: one line for each
certificate, with its place in the chain, subject, issuer, expiry, and whether to choose it.

A pin is the SHA-256 digest of a certificate's public key. Write two in the siem exporter's configuration: the key in
use, and a backup whose private key lies in a safe place, so that a lost key does not stop delivery.

HOST:PORT is asked for its chain and nothing else is sent. Whoever answers there is described, an impostor too:
compare the pins with what the server's owner tells you in another way, or take them from the certificate file.

Exit status: 0 the chain is printed and verifies; 1 it is printed and does not verify (the reason stands on standard
error); 2 usage, or there is no chain to print.`,
		Example: `  logseal pin siem.example.com:4317
  logseal pin --ca ca.pem siem.example.com:4317
  logseal pin --cert server.pem
  logseal pin --cert server.pem --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPin(cmd.Context(), cmd.OutOrStdout(), args, opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.certFile, "cert", "", "read the chain from this PEM `file` instead of a server")
	flags.StringVar(&opts.caFile, "ca", "", "trust the authorities in this PEM `file` instead of the system's")
	flags.StringVar(&opts.serverName, "server-name", "", "ask for, and verify, this `name` instead of HOST")
	flags.BoolVar(&opts.json, "json", false, "print JSON")
	flags.DurationVar(&opts.timeout, "timeout", 10*time.Second, "give up after this `time`")
	return cmd
}

func runPin(ctx context.Context, out io.Writer, args []string, opts pinOptions) error {
	if (len(args) == 1) == (opts.certFile != "") {
		return exitError{exitUsage, errors.New("name either a server, `logseal pin HOST:PORT`, or a file, `logseal pin --cert FILE`")}
	}
	if opts.certFile != "" && (opts.caFile != "" || opts.serverName != "") {
		return exitError{exitUsage, errors.New("--ca and --server-name verify a server's chain; a file's chain is not verified")}
	}
	if len(args) == 1 {
		if _, _, err := net.SplitHostPort(args[0]); err != nil {
			return exitError{exitUsage, fmt.Errorf("%w; write HOST:PORT, like siem.example.com:4317", err)}
		}
	}
	chain, unverified, err := readChain(ctx, args, opts)
	if err != nil {
		return exitError{exitUsage, err}
	}
	entries := tlspin.Describe(chain)
	if opts.json {
		err = printPinsJSON(out, entries)
	} else {
		err = printPins(out, entries)
	}
	if err != nil {
		return exitError{exitFailed, err}
	}
	if unverified != nil {
		return exitError{exitFailed, fmt.Errorf("the chain does not verify, so a pin of it is not enough: %w", unverified)}
	}
	return nil
}

// readChain returns the chain to print, and why it does not verify if it came from a server and does not.
func readChain(ctx context.Context, args []string, opts pinOptions) (chain []*x509.Certificate, unverified, err error) {
	if opts.certFile != "" {
		if chain, err = tlspin.ReadChain(opts.certFile); err != nil {
			return nil, nil, fmt.Errorf("--cert: %w", err)
		}
		return chain, nil, nil
	}
	var roots *x509.CertPool
	if opts.caFile != "" {
		authorities, err := tlspin.ReadChain(opts.caFile)
		if err != nil {
			return nil, nil, fmt.Errorf("--ca: %w", err)
		}
		roots = x509.NewCertPool()
		for _, authority := range authorities {
			roots.AddCert(authority)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, opts.timeout)
	defer cancel()
	fetched, err := tlspin.Fetch(ctx, args[0], opts.serverName, roots)
	if err != nil {
		return nil, nil, err
	}
	return fetched.Chain, fetched.Verify, nil
}

func printPins(out io.Writer, entries []tlspin.Entry) error {
	for _, e := range entries {
		if _, err := fmt.Fprintf(out, "%s  %s  subject %s  issuer %s  expires %s  %s\n",
			e.Pin, e.Role, printable(e.Subject), printable(e.Issuer), e.NotAfter.Format(time.DateOnly), e.Advice); err != nil {
			return err
		}
	}
	return nil
}

// printable quotes a name: whoever made the certificate chose it, and a terminal obeys escape sequences.
func printable(name string) string {
	return strconv.QuoteToASCII(name)
}

func printPinsJSON(out io.Writer, entries []tlspin.Entry) error {
	type entry struct {
		Pin      string    `json:"pin"`
		Role     string    `json:"role"`
		Subject  string    `json:"subject"`
		Issuer   string    `json:"issuer"`
		NotAfter time.Time `json:"not_after"`
		Advice   string    `json:"advice"`
	}
	list := make([]entry, len(entries))
	for i, e := range entries {
		list[i] = entry{e.Pin.String(), e.Role, e.Subject, e.Issuer, e.NotAfter, e.Advice}
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}
