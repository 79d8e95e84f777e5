// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/matcher"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
)

// newCheck returns what says why not all of what `include` names is read.
func newCheck(cfg component.Config) func() error {
	twins := newTwins(cfg.(*stock.FileLogConfig))
	return func() error { return errors.Join(reachable(cfg), twins.look()) }
}

// reachable says why not all of what `include` names can be read. The stock receiver says nothing of a pattern without a
// file and of a folder that it may not look into, and goes on as if all were well.
func reachable(cfg component.Config) error {
	c := cfg.(*stock.FileLogConfig)
	criteria := c.InputConfig.Criteria
	criteria.Include, criteria.Exclude = splitList(criteria.Include), splitList(criteria.Exclude)
	find, err := matcher.New(criteria)
	if err != nil {
		return nil // the receiver has refused it already
	}
	var reasons []error
	for _, include := range criteria.Include {
		_, err := doublestar.FilepathGlob(include, doublestar.WithFilesOnly(), doublestar.WithFailOnIOErrors())
		var at *fs.PathError
		if !errors.As(err, &at) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		base, _ := doublestar.SplitPattern(include)
		if folder := filepath.Join(base, at.Path); !excludes(criteria, include, folder) {
			reasons = append(reasons, fmt.Errorf("include: %s cannot be looked into: %w; let the collector's user read it, or exclude it", folder, at.Err))
		}
	}
	paths, _ := find.MatchFiles()
	if len(paths) == 0 {
		return errors.Join(append(reasons, fmt.Errorf("include: no file matches %q, so nothing is read", criteria.Include))...)
	}
	closed := 0
	for _, path := range paths {
		why := canRead(path)
		if why == nil {
			continue
		}
		if closed++; closed == 1 {
			reasons = append(reasons, fmt.Errorf("include: %w; let the collector's user read it, or exclude it", why))
		}
	}
	if closed > 1 {
		reasons = append(reasons, fmt.Errorf("include: %d of %d files cannot be read", closed, len(paths)))
	}
	return errors.Join(reasons...)
}

// excludes says whether the files that an include pattern would find in a folder are excluded.
func excludes(criteria matcher.Criteria, include, folder string) bool {
	for _, exclude := range criteria.Exclude {
		// A pattern matches itself: `*` is a name that `*` fits.
		if ok, err := doublestar.PathMatch(exclude, filepath.Join(folder, filepath.Base(include))); err == nil && ok {
			return true
		}
	}
	return false
}

// canRead opens a file as the receiver does. What is not a regular file is not touched: a pipe would block.
func canRead(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !info.Mode().IsRegular()) {
		return nil // rotated away
	}
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}
