// SPDX-License-Identifier: Apache-2.0

// Command logseal is the operator's and the auditor's side of Logseal: it prints pins, runs the demonstration, and proves
// what the collector promises. The collector itself is otelcol-logseal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// version is stamped by the Makefile from builder-config.yaml.
var version = "dev"

// Exit codes, the same for every command.
const (
	exitFailed = 1 // something is wrong
	exitUsage  = 2 // usage, or input that cannot be read
)

// exitError carries the process's exit status; err may be nil when everything was already said.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

func main() {
	os.Exit(run(context.Background(), newRootCommand(), os.Stderr))
}

// run executes the command and maps its error to an exit code: an error that carries none is one of usage.
func run(ctx context.Context, root *cobra.Command, stderr io.Writer) int {
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var exit exitError
	if !errors.As(err, &exit) {
		exit = exitError{code: exitUsage, err: err}
	}
	if exit.err != nil {
		fmt.Fprintf(stderr, "logseal: %v\n", exit.err)
	}
	return exit.code
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "logseal",
		Short: "Prove what Logseal promises: pins, the demonstration, the archive",
		Long: `logseal is the operator's and the auditor's side of Logseal.

The collector itself is otelcol-logseal; this command makes and checks what surrounds it.
Exit status: 0 all is well, 1 something is wrong, 2 usage or input that cannot be read; verify adds 3, not known yet.`,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newDemoCommand(), newEnrollCommand(), newPinCommand(), newRedactCommand(), newVerifyCommand(), newVersionCommand(),
	)
	root.SetFlagErrorFunc(seeHelp)
	for _, cmd := range append(root.Commands(), root) {
		check := cmd.Args
		cmd.Args = func(cmd *cobra.Command, args []string) error { return seeHelp(cmd, check(cmd, args)) }
	}
	return root
}

// seeHelp names the remedy of an error in the arguments.
func seeHelp(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath())
}
