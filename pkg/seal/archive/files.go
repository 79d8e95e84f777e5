// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Files returns the files that paths name, and their size in bytes. A folder stands for the files in it and below, in the
// order of their names, so that rotated files come before the one that is written now; names that begin with a dot are
// left out.
func Files(paths []string) (files []string, size int64, err error) {
	for _, path := range paths {
		if path == Stdin {
			files = append(files, path)
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, 0, err
		}
		if !info.IsDir() {
			files, size = append(files, path), size+info.Size()
			continue
		}
		root, err := filepath.EvalSymlinks(path) // a link that was named is followed
		if err != nil {
			return nil, 0, err
		}
		err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name != root && strings.HasPrefix(entry.Name(), "."):
				if entry.IsDir() {
					return filepath.SkipDir
				}
				return nil
			case entry.IsDir():
				return nil
			}
			info, err := os.Stat(name)
			if err != nil {
				return err
			}
			if !info.Mode().IsRegular() {
				return fmt.Errorf("%s: not a regular file; links to folders are not followed, name the folder itself", name)
			}
			files, size = append(files, name), size+info.Size()
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return files, size, nil
}
