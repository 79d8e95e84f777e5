// SPDX-License-Identifier: Apache-2.0

//go:build unix

package siemexporter

import "golang.org/x/sys/unix"

// fileSystemSize returns the size in bytes of the file system that path is on.
func fileSystemSize(path string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return 0, err
	}
	return int64(stat.Blocks) * int64(stat.Bsize), nil //nolint:unconvert // not an int64 everywhere
}
