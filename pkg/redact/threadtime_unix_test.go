// SPDX-License-Identifier: Apache-2.0

//go:build unix

package redact

import (
	"testing"

	"golang.org/x/sys/unix"
)

// threadTime is the CPU time that this thread has used, in nanoseconds.
func threadTime(t testing.TB) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}
