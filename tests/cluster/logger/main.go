// SPDX-License-Identifier: Apache-2.0

// Command logger is what the pods of the cluster test run: it writes numbered lines whose text follows from name and number, so that
// whoever reads the archive knows every byte that must be in it.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/logseal/logseal/tests/cluster/lines"
)

func main() {
	name := flag.String("name", "", "what every line starts with")
	count := flag.Int("lines", 100, "how many lines, alternating between standard output and standard error")
	pace := flag.Duration("pace", 0, "pause after each line")
	long := flag.Int("long", 0, "make every tenth line this long, in bytes: the runtime cuts lines at 16 KiB")
	status := flag.Int("exit", 0, "exit status")
	sleep := flag.Bool("sleep", false, "stay after the last line")
	flag.Parse()
	for i := range *count {
		out := os.Stdout
		if i%2 == 1 {
			out = os.Stderr
		}
		fmt.Fprintln(out, lines.Line(*name, i, *long))
		time.Sleep(*pace)
	}
	if *sleep {
		select {}
	}
	os.Exit(*status)
}
