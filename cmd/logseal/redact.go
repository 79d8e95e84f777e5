// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"

	"github.com/logseal/logseal/pkg/redact"
)

func newRedactCommand() *cobra.Command {
	var config string
	var stats, audit, explain bool
	cmd := &cobra.Command{
		Use:   "redact [--config FILE] [--stats] [--audit | --explain]",
		Short: "Take secrets and personal data out of text, as the redact processor does",
		Long: `Read standard input line by line, take the secrets and personal data out, and write the rest to standard output: what the
redact processor would do with these lines as the bodies of log records. So a policy can be tried on a sample.

Without --config all packs of rules are used. With it, the processor named redact of a collector's configuration
is, with all its rules, keys and lists.

With --explain it says of every match which rule took it, where, what is done with it, what it is made of and why, and
never the value: that is what to send when a rule takes something that it should not.

Exit status: 0 done; 1 something could not be examined and was replaced or dropped; 2 usage, or input or configuration that
cannot be read.`,
		Example: `  logseal redact --stats < app.log > clean.log
  logseal redact --audit < app.log
  logseal redact --explain < app.log
  logseal redact --config /etc/logseal/agent.yaml < app.log`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := redact.DefaultConfig()
			if cmd.Flags().Changed("config") {
				if err := loadRedact(cmd.Context(), config, &cfg); err != nil {
					return fmt.Errorf("--config %s: %w", config, err)
				}
			}
			return runRedact(cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), cfg, stats, audit, explain)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&config, "config", "", "use the redact processor of this collector configuration `file`")
	flags.BoolVar(&stats, "stats", false, "print matches by rule to standard error")
	flags.BoolVar(&audit, "audit", false, "print what would be redacted, as rule, line and column, and nothing else")
	flags.BoolVar(&explain, "explain", false, "print of every match the rule, the place, what it is made of and why it was taken, never the value")
	cmd.MarkFlagsMutuallyExclusive("audit", "explain")
	return cmd
}

// loadRedact reads the redact section of a collector's configuration into cfg.
func loadRedact(ctx context.Context, file string, cfg *redact.Config) error {
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{"file:" + file},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	if err != nil {
		return err
	}
	conf, err := resolver.Resolve(ctx)
	if err != nil {
		return err
	}
	processors, err := conf.Sub("processors")
	if err != nil {
		return err
	}
	var names []string
	for name := range processors.ToStringMap() {
		if name == "redact" || strings.HasPrefix(name, "redact/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return errors.New("processors: holds no redact; add one, or leave --config out to use the default")
	case len(names) > 1 && names[0] != "redact":
		return fmt.Errorf("processors: holds %s; rename the one to use to redact", strings.Join(names, ", "))
	}
	section, err := processors.Sub(names[0])
	if err != nil {
		return err
	}
	err = section.Unmarshal(cfg)
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		return fmt.Errorf("processors::%s: %w", names[0], err)
	}
	return nil
}

func runRedact(in io.Reader, out, stderr io.Writer, cfg redact.Config, stats, audit, explain bool) error {
	places := out
	if audit || explain {
		cfg.Mode = redact.ModeAudit
		out = io.Discard
	}
	engine, err := redact.New(cfg)
	if err != nil {
		return err
	}
	tally := redactTally{matches: map[string]int64{}, suppressed: map[string]int64{}, failures: map[string]int64{}}
	s := redact.Stream{Engine: engine, Recorder: &tally}
	var printErr error
	if audit {
		s.Found = func(rule string, line, column int) {
			if _, err := fmt.Fprintf(places, "%s\tline %d\tcolumn %d\n", rule, line, column); err != nil {
				printErr = err
			}
		}
	}
	if explain {
		s.Explained = func(x redact.Explanation, line, column int) {
			if _, err := fmt.Fprintf(places, "%s\tline %d\tcolumn %d\t%s\t%s\t%s\n", x.Rule, line, column, x.Action, x.Shape, x.Why); err != nil {
				printErr = err
			}
		}
	}
	if err := errors.Join(s.Copy(out, in), printErr); err != nil {
		return err
	}
	if stats {
		tally.print(stderr)
	}
	if len(tally.failures) > 0 {
		return exitError{code: exitFailed, err: errors.New("some of the input could not be examined and was replaced or dropped; --stats tells why")}
	}
	return nil
}

// redactTally counts what was redacted.
type redactTally struct {
	matches, suppressed, failures map[string]int64
	bytes                         int64
}

func (t *redactTally) Matches(rule, action, _ string, n int64) { t.matches[rule+"\t"+action] += n }
func (t *redactTally) Suppressed(rule string, n int64)         { t.suppressed[rule] += n }
func (t *redactTally) Failures(reason string, n int64)         { t.failures[reason] += n }
func (t *redactTally) Scanned(n int64)                         { t.bytes += n }

func (t *redactTally) print(w io.Writer) {
	table := func(what string, counts map[string]int64) {
		keys := make([]string, 0, len(counts))
		for k := range counts {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			rule, action, _ := strings.Cut(k, "\t")
			fmt.Fprintf(w, "%-12s %-18s %-13s %8d\n", what, rule, action, counts[k])
		}
	}
	table("matches", t.matches)
	table("suppressed", t.suppressed)
	table("failures", t.failures)
	fmt.Fprintf(w, "%-12s %-18s %-13s %8d\n", "bytes", "", "", t.bytes)
}
