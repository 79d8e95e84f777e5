// SPDX-License-Identifier: Apache-2.0

//go:build windows

package sealer

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes the file for this open of it alone, until it is closed. The lock
// is on a byte beyond the content, since Windows enforces locks on reads.
func lockFile(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: 1}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
}
