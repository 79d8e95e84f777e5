// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/logseal/logseal/internal/demo"
)

func newDemoCommand() *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch this machine's logs travel from an agent through a gateway into a SIEM",
		Long: `demo creates keys and certificates in a work folder, starts a stand-in SIEM, a gateway and an agent as real
processes from the configurations that ship, on free loopback ports, and ships real logs: the files under
/var/log that you may read, and a file that it appends to. Then it runs the drills:

  ` + strings.Join(demo.DrillNames(), "\n  ") + `

The drill "store" needs VictoriaLogs, a log store: "make store" builds it, and without it that drill is left out.
It needs neither root nor a network, takes a minute or two, and leaves the work folder for you to look at.
Exit status: 0 all drills held, 1 one did not, 2 the demonstration could not run.`,
		Example: `  logseal demo
  logseal demo --drill impostor
  logseal demo --keep-running`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Collector == "" {
				found, err := findCollector()
				if err != nil {
					return err
				}
				o.Collector = found
			}
			if o.VictoriaLogs == "" {
				o.VictoriaLogs = findVictoriaLogs()
			}
			o.Out = cmd.OutOrStdout()
			if info, err := os.Stdout.Stat(); err == nil {
				o.Terminal = info.Mode()&os.ModeCharDevice != 0
			}
			// Only here is there something to end in order; a second signal does not wait for that.
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop)
			err := demo.Run(ctx, o)
			if errors.Is(err, demo.ErrFailed) {
				return exitError{code: exitFailed}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&o.Collector, "collector", "", "the collector's program (default: otelcol-logseal beside this one, or in PATH)")
	cmd.Flags().StringVar(&o.VictoriaLogs, "victorialogs", "", "VictoriaLogs' program (default: $LOGSEAL_VICTORIALOGS, or where make store puts it, or victoria-logs in PATH)")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "work folder (default: a new one in the temporary folder)")
	cmd.Flags().StringArrayVar(&o.Drills, "drill", nil, "run this drill only; may be repeated")
	cmd.Flags().BoolVar(&o.KeepRunning, "keep-running", false, "leave everything up until Ctrl-C")
	return cmd
}

// findVictoriaLogs looks for the log store's program, which need not be there.
func findVictoriaLogs() string {
	const name = "victoria-logs"
	if named := os.Getenv("LOGSEAL_VICTORIALOGS"); named != "" {
		return named
	}
	if self, err := os.Executable(); err == nil {
		built := filepath.Join(filepath.Dir(self), "..", ".tools", name)
		if _, err := os.Stat(built); err == nil {
			return built
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return found
}
