// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal/verifier"
)

// ErrReadTwice says that standard input, or a pipe, would have to be read a second time; see [verifier.Verifier.Again].
var ErrReadTwice = errors.New("this archive has to be read twice, because records come before the seal that says which of their attributes count, or come again long after the first time, or because seals contradict each other that did not come in their order: give it as a file, not on standard input or through a pipe")

// ReadOnce reports whether one of the files is standard input or a pipe, which has nothing more when it is opened again.
func ReadOnce(files []string) bool {
	return slices.ContainsFunc(files, func(name string) bool {
		if name == Stdin {
			return true
		}
		info, err := os.Stat(name)
		return err == nil && !info.Mode().IsRegular()
	})
}

// Verify reads the files, as [Files] lists them, into v and returns its report. It reads them a second time if it must.
//
// When some files cannot be read or recognised, Verify returns the report on the others together with an error. It does not panic:
// see [InternalError].
func Verify(ctx context.Context, files []string, v *verifier.Verifier, until time.Time, opts Options) (report *verifier.Report, err error) {
	defer Recover(&err)
	for {
		opts.Prepare = v.Prepare
		readErr := Read(ctx, files, opts, func(o *verifier.Observed) error {
			v.Add(o)
			return nil
		})
		var internal *InternalError
		if ctx.Err() != nil || errors.As(readErr, &internal) {
			return nil, readErr
		}
		report, err := v.Finish(until)
		if err != nil {
			return nil, err
		}
		next := v.Again()
		if next == nil || readErr != nil {
			return report, readErr
		}
		if ReadOnce(files) {
			return nil, ErrReadTwice
		}
		v = next
	}
}
