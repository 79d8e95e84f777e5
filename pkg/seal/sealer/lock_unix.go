// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sealer

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes the file for this open of it alone, until it is closed. Unlike
// fcntl's, this lock also holds against the same process.
func lockFile(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}
