// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/request"

	"github.com/logseal/logseal/pkg/seglog"
)

func newQueueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Look into a state folder of encrypted_storage, export what waits, or mend it",
		Long: `A collector starts on whatever its state folder holds, and says what is lost. These commands are for looking at it from
outside, for taking out what waits when that collector will not run again, and for a disk that is failing.`,
	}
	cmd.AddCommand(newQueueInspectCommand(), newQueueExportCommand(), newQueueRepairCommand())
	return cmd
}

// queueFolder is what each of the commands is given.
type queueFolder struct{ dir, keyFile string }

func (q *queueFolder) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&q.keyFile, "key-file", "", "the storage's key `file`, or - for standard input (default: storage.key in DIR)")
}

// open opens the store. What is lost is printed, a line each.
func (q *queueFolder) open(cmd *cobra.Command, readOnly bool) (*seglog.Store, error) {
	if info, err := os.Stat(q.dir); err != nil || !info.IsDir() {
		return nil, exitError{exitUsage, fmt.Errorf("%s is no folder that can be read", q.dir)}
	}
	path := q.keyFile
	if path == "" {
		path = filepath.Join(q.dir, "storage.key")
	}
	var text []byte
	var err error
	if path == "-" {
		text, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), 1<<16))
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, exitError{exitUsage, fmt.Errorf("key file: %w; --key-file says where it is", err)}
	}
	keys, err := seglog.ParseKeys(string(text))
	if err != nil {
		return nil, exitError{exitUsage, fmt.Errorf("key file: %w", err)}
	}
	store, err := seglog.Open(q.dir, seglog.Options{
		Keys: keys, Sync: seglog.SyncAlways, ReadOnly: readOnly,
		OnLoss: func(l seglog.Loss) {
			kind := "lost"
			if l.Torn {
				kind = "cut off"
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: client %s, segment %d, offset %d, %d entries: %s\n", kind, l.Client, l.Segment, l.Offset, l.Entries, l.Reason)
		},
	})
	switch {
	case errors.Is(err, seglog.ErrLocked):
		return nil, exitError{exitUsage, fmt.Errorf("%w: stop the collector first", err)}
	case err != nil:
		return nil, exitError{exitFailed, err}
	}
	return store, nil
}

func newQueueInspectCommand() *cobra.Command {
	var q queueFolder
	cmd := &cobra.Command{
		Use:   "inspect DIR",
		Short: "Print what waits in a state folder, since when, and how much",
		Long: `Print for each component what its part of the state folder holds. It changes nothing, and may be used while the collector
runs: what is written meanwhile may be missing.

Every value is read. What cannot be is named on standard error.

Exit status: 0 all of it is readable; 1 something is lost; 2 usage, or a folder or key that cannot be read.`,
		Example: "  logseal queue inspect /var/lib/logseal/agent",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.dir = args[0]
			store, err := q.open(cmd, true)
			if err != nil {
				return err
			}
			defer store.Close()
			return inspectQueue(cmd.OutOrStdout(), store)
		},
	}
	q.flags(cmd)
	return cmd
}

// eachLog calls visit with the log of every client of a store.
func eachLog(store *seglog.Store, visit func(client string, log *seglog.Log) error) error {
	clients, err := store.Clients()
	if err != nil {
		return exitError{exitFailed, err}
	}
	for _, client := range clients {
		log, err := store.Log(client)
		if err != nil {
			return exitError{exitFailed, err}
		}
		if err := visit(client, log); err != nil {
			return err
		}
	}
	return nil
}

func inspectQueue(stdout io.Writer, store *seglog.Store) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tREQUESTS\tRECORDS\tBYTES\tOTHER KEYS\tSINCE")
	err := eachLog(store, func(client string, log *seglog.Log) error {
		requests, records, bytes, others := 0, 0, 0, 0
		for _, key := range keysOf(log) {
			value, err := log.Get(key)
			if err != nil {
				continue // named by OnLoss, or counted below
			}
			bytes += len(value)
			if _, isRequest := requestNumber(key); !isRequest {
				others++
				continue
			}
			requests++
			if logs, err := decodeRequest(value); err == nil {
				records += logs.LogRecordCount()
			}
		}
		since := "-"
		if at := log.Since(); !at.IsZero() {
			since = at.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%s\n", client, requests, records, bytes, others, since)
		return nil
	})
	if err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if lost := store.Stats().Lost; lost > 0 {
		return exitError{exitFailed, fmt.Errorf("%d entries are lost", lost)}
	}
	return nil
}

// keysOf returns a log's keys; requests in the order of their numbers, the others before them.
func keysOf(log *seglog.Log) []string {
	var keys []string
	log.Range(func(key string, _ int) bool {
		keys = append(keys, key)
		return true
	})
	slices.SortFunc(keys, func(a, b string) int {
		na, aIs := requestNumber(a)
		nb, bIs := requestNumber(b)
		switch {
		case aIs && bIs && na != nb:
			if na < nb {
				return -1
			}
			return 1
		case aIs != bIs:
			if bIs {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return keys
}

// requestNumber tells a request of an exporter's queue from its other keys.
func requestNumber(key string) (uint64, bool) {
	n, err := strconv.ParseUint(key, 10, 64)
	return n, err == nil && key[0] != '+'
}

// decodeRequest decodes what exporterhelper's queue stores.
func decodeRequest(value []byte) (plog.Logs, error) {
	_, logs, err := request.UnmarshalLogs(value)
	if errors.Is(err, request.ErrInvalidFormat) {
		return (&plog.ProtoUnmarshaler{}).UnmarshalLogs(value)
	}
	return logs, err
}

func newQueueExportCommand() *cobra.Command {
	var q queueFolder
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write the requests that wait as OTLP JSON lines",
		Long: `Write the requests that wait in the exporters' queues to standard output, one line of OTLP JSON each, in their order: what
"logseal verify" and the collector's own OTLP JSON receivers read. It changes nothing. A request whose delivery was under
way may have arrived already.

What it writes is in the clear.

Exit status: 0 all that waits is written; 1 something is lost, and the rest is written; 2 usage, or a folder or key that cannot be read.`,
		Example: `  logseal queue export /var/lib/logseal/agent > waiting.jsonl`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.dir = args[0]
			store, err := q.open(cmd, true)
			if err != nil {
				return err
			}
			defer store.Close()
			return exportQueue(cmd.OutOrStdout(), cmd.ErrOrStderr(), store)
		},
	}
	q.flags(cmd)
	return cmd
}

func exportQueue(stdout, stderr io.Writer, store *seglog.Store) error {
	requests, records, bad := 0, 0, 0
	marshaler := &plog.JSONMarshaler{}
	err := eachLog(store, func(client string, log *seglog.Log) error {
		if !strings.HasPrefix(client, "exporter_") {
			return nil
		}
		for _, key := range keysOf(log) {
			if _, isRequest := requestNumber(key); !isRequest {
				continue
			}
			value, err := log.Get(key)
			if err != nil {
				bad++
				continue
			}
			logs, err := decodeRequest(value)
			if err != nil {
				bad++
				fmt.Fprintf(stderr, "lost: client %s, request %s: no logs of OTLP\n", client, key)
				continue
			}
			line, err := marshaler.MarshalLogs(logs)
			if err != nil {
				return exitError{exitFailed, err}
			}
			if _, err := stdout.Write(append(line, '\n')); err != nil {
				return exitError{exitFailed, fmt.Errorf("writing: %w", err)}
			}
			requests++
			records += logs.LogRecordCount()
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%d requests with %d records\n", requests, records)
	if lost := store.Stats().Lost; lost > 0 || bad > 0 {
		return exitError{exitFailed, errors.New("something is lost, and named above; the rest is written")}
	}
	return nil
}
