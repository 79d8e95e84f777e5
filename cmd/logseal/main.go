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
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// version is stamped by the Makefile from builder-config.yaml.
var version = "dev"

// Exit codes, the same for every command.
const (
	exitFailed   = 1 // something is wrong
	exitUsage    = 2 // usage, or input that cannot be read
	exitInternal = 4 // a fault of this program
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
func run(ctx context.Context, root *cobra.Command, stderr io.Writer) (code int) {
	defer func() {
		if value := recover(); value != nil {
			code = internalError(stderr, &archive.InternalError{Value: value, Stack: debug.Stack()})
		}
	}()
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var internal *archive.InternalError
	if errors.As(err, &internal) {
		return internalError(stderr, internal)
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

// internalError says that the program is at fault and the input is not judged. What a panic says of itself could hold input, and a
// terminal must not obey that.
func internalError(stderr io.Writer, err *archive.InternalError) int {
	fmt.Fprintf(stderr, "logseal: %s\nThis is a fault of logseal and no verdict on its input. Please report it with what follows, and with `logseal version`.\n\n%s",
		verifier.Printable(err.Error()), err.Stack)
	return exitInternal
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "logseal",
		Short: "Prove what Logseal promises: pins, the demonstration, the archive",
		Long: `logseal is the operator's and the auditor's side of Logseal.

The collector itself is otelcol-logseal; this command makes and checks what surrounds it.
Exit status: 0 all is well, 1 something is wrong, 2 usage or input that cannot be read, 4 a fault of logseal itself;
verify adds 3, not known yet.`,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newCheckCommand(), newEnrollCommand(), newPinCommand(), newProveCommand(), newQueueCommand(), newRedactCommand(), newVerifyCommand(), newVersionCommand(),
	)
	root.AddCommand(platformCommands()...)
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
