// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const compressedSuffix = ".gz"

// A container's log, and what the kubelet (0.log.20261128-101112) and Docker (ID-json.log.1) rename it to.
var generationName = regexp.MustCompile(`^(.+\.log)(?:\.([0-9]{8}-[0-9]{6}|[0-9]{1,7}))?(?:\.gz)?$`)

// generations returns the files that a container's log was rotated to, itself the last, older ones first. Compressed ones
// are not among them, except path.
func generations(path string) []string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir, name := filepath.Split(path)
	of := generationName.FindStringSubmatch(name)
	if of == nil {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	type generation struct {
		path string
		age  string // sorts the older before the newer
	}
	var all []generation
	for _, entry := range entries {
		is := generationName.FindStringSubmatch(entry.Name())
		if is == nil || is[1] != of[1] || strings.HasSuffix(entry.Name(), compressedSuffix) && entry.Name() != name {
			continue
		}
		age := "9" // in use
		if number, err := strconv.Atoi(is[2]); err == nil {
			age = fmt.Sprintf("0%09d", 999_999_999-number)
		} else if is[2] != "" {
			age = is[2]
		}
		all = append(all, generation{dir + entry.Name(), age})
	}
	slices.SortFunc(all, func(a, b generation) int { return cmp.Compare(a.age, b.age) })
	paths := make([]string, len(all))
	for i, g := range all {
		paths[i] = g.path
	}
	return paths
}

// find returns which of the files token was read from: a rotation can have renamed it since. -1: none of them.
func find(paths []string, start int64, token []byte) int {
	for i := len(paths) - 1; i >= 0; i-- { // the newest is read most
		if text, err := readAt(paths[i], start, int64(len(token))); err == nil && bytes.Equal(text, token) {
			return i
		}
	}
	return -1
}

func readAt(path string, offset, size int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO must not stop the reader
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text := make([]byte, size)
	n, err := file.ReadAt(text, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return text[:n], err
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}
