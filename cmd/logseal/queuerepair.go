// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/logseal/logseal/pkg/seglog"
)

func newQueueRepairCommand() *cobra.Command {
	var q queueFolder
	var out string
	cmd := &cobra.Command{
		Use:   "repair DIR --out NEW",
		Short: "Copy what can be read of a state folder into a new one",
		Long: `Copy what can be read of the encrypted storage in DIR into NEW, which must not exist, under the same key. DIR stays as it is,
so that it may lie on a disk that is failing. A collector needs no repair to start; this is for when its disk cannot be
written any more, or makes it wait for every read.

Copy the other files of the state folder, such as stamp.key and its .leaves, with cp; then point the collector at NEW, and
never start one on DIR again: the stamp's stream would fork.

Exit status: 0 everything was copied; 1 something is lost, and named on standard error; 2 usage, or a folder or key that cannot be read.`,
		Example: "  logseal queue repair /var/lib/logseal/agent --out /srv/logseal/agent",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.dir = args[0]
			if out == "" {
				return exitError{exitUsage, errors.New("--out names the new folder")}
			}
			if _, err := os.Lstat(out); err == nil {
				return exitError{exitUsage, fmt.Errorf("--out: %s exists; name a folder that does not", out)}
			}
			from, err := q.open(cmd, true)
			if err != nil {
				return err
			}
			defer from.Close()
			if err := os.MkdirAll(out, 0o700); err != nil {
				return exitError{exitFailed, err}
			}
			if q.keyFile == "" {
				if err := copyKey(filepath.Join(q.dir, "storage.key"), filepath.Join(out, "storage.key")); err != nil {
					return exitError{exitFailed, err}
				}
				q.keyFile = filepath.Join(out, "storage.key")
			}
			target := q
			target.dir = out
			to, err := target.open(cmd, false)
			if err != nil {
				return err
			}
			return errors.Join(repairQueue(cmd.ErrOrStderr(), from, to), to.Close())
		},
	}
	q.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "the new `folder`, which must not exist")
	return cmd
}

func copyKey(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600) //nolint:gosec // the operator names both files
}

func repairQueue(stderr io.Writer, from, to *seglog.Store) error {
	entries, lost := 0, 0
	last := time.Now()
	err := eachLog(from, func(client string, source *seglog.Log) error {
		target, err := to.Log(client)
		if err != nil {
			return exitError{exitFailed, err}
		}
		for _, key := range keysOf(source) {
			value, err := source.Get(key)
			if err != nil {
				lost++
				if !errors.Is(err, seglog.ErrLost) { // those are named already
					fmt.Fprintf(stderr, "lost: client %s, key %s: %v\n", client, key, err)
				}
				continue
			}
			if err := target.Apply(seglog.Op{Kind: seglog.Set, Key: key, Value: value}); err != nil {
				return exitError{exitFailed, fmt.Errorf("writing: %w", err)}
			}
			entries++
			if time.Since(last) > 5*time.Second {
				last = time.Now()
				fmt.Fprintf(stderr, "%d entries copied\n", entries)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%d entries copied\n", entries)
	if more := from.Stats().Lost; lost > 0 || more > 0 {
		return exitError{exitFailed, errors.New("something is lost, and named above; the rest is copied")}
	}
	return nil
}
