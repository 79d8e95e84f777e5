// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/verifier"
)

// TestManyFiles reads hundreds of files of all sizes, from nothing to many chunks, in every format side by side: each record comes
// once, in order, and holds until emit returns what stands in its file.
func TestManyFiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	wraps := []func([]byte) []byte{bytes.Clone, gzipped, zstandard}
	type record struct {
		file string
		line int
		sum  [sha256.Size]byte
	}
	var files []string
	var want []record
	lines := make([][]byte, 40)
	messages := make([][]byte, len(lines))
	sums := make([][][sha256.Size]byte, len(lines))
	for i := range lines {
		ld := accessLogs(1 + i%7)
		ld.ResourceLogs().At(0).Resource().Attributes().PutInt("file", int64(i))
		lines[i], messages[i] = asJSON(t, ld), asProto(t, ld)
		var d decoder
		d.begin()
		d.decodeProto(messages[i])
		for _, o := range d.records {
			require.Empty(t, o.Fault)
			sums[i] = append(sums[i], sha256.Sum256(o.Canonical))
		}
	}
	for n := range 200 {
		name := filepath.Join(dir, fmt.Sprintf("%03d", n))
		size := rng.IntN(12)
		if n%29 == 0 {
			size = 300 + rng.IntN(300) // several chunks
		}
		binary := n%3 == 0
		var data []byte
		for line := range size {
			i := rng.IntN(len(lines))
			switch {
			case !binary:
				data = append(append(data, lines[i]...), '\n')
			case line%5 == 4:
				data = append(data, framed(zstandard(messages[i]))...)
			default:
				data = append(data, framed(messages[i])...)
			}
			for _, sum := range sums[i] {
				want = append(want, record{name, line + 1, sum})
			}
		}
		require.NoError(t, os.WriteFile(name, wraps[rng.IntN(len(wraps))](data), 0o600))
		files = append(files, name)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for procs := 1; procs <= 8; procs++ {
		runtime.GOMAXPROCS(procs)
		var got []record
		err := Read(t.Context(), files, Options{}, func(o *verifier.Observed) error {
			if o.Fault != "" {
				return errors.New(string(o.Fault))
			}
			got = append(got, record{o.Place.File, o.Place.Line, sha256.Sum256(o.Canonical)})
			return nil
		})
		require.NoError(t, err)
		require.True(t, len(want) == len(got), "GOMAXPROCS %d: %d records of %d", procs, len(got), len(want))
		for i := range want {
			if want[i] != got[i] {
				t.Fatalf("GOMAXPROCS %d: record %d is of %s:%d, and not as it stands at %s:%d", procs, i, got[i].file, got[i].line, want[i].file, want[i].line)
			}
		}
	}
}

// TestPanicsAreErrors: a fault of ours, in whichever goroutine, is an error with a stack, and leaves no goroutine behind.
func TestPanicsAreErrors(t *testing.T) {
	path := write(t, "a", bytes.Repeat(append(asJSON(t, accessLogs(10)), '\n'), 3000))
	files := []string{path, path, path}
	fail := func(*verifier.Observed) { panic("here") }
	for name, read := range map[string]func() error{
		"a worker": func() error {
			return Read(t.Context(), files, Options{Prepare: fail}, func(*verifier.Observed) error { return nil })
		},
		"the reader": func() error {
			return Read(t.Context(), files, Options{Progress: func(int) { panic("here") }}, func(*verifier.Observed) error { return nil })
		},
		"emit": func() error {
			return Read(t.Context(), files, Options{}, func(o *verifier.Observed) error { fail(o); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := read()
			var internal *InternalError
			require.True(t, errors.As(err, &internal), "%v", err)
			require.Equal(t, "internal error: here", internal.Error())
			require.Contains(t, string(internal.Stack), "many_test.go")
		})
	}
}
