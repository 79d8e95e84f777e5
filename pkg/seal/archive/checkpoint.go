// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// ReadCheckpoints reads from a file where streams are to be verified on: checkpoints as [verifier.MarshalCheckpoints] writes them, the
// signed note of a seal as it is the body of a seal's record, or an archive with seals, of which each stream's highest counts.
func ReadCheckpoints(ctx context.Context, path string) ([]verifier.Checkpoint, error) {
	head, err := readAtMost(path, 2*seal.MaxNoteSize)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(head, []byte(`"logseal_checkpoint"`)) {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		list, err := verifier.ParseCheckpoints(data)
		if err != nil {
			return nil, fmt.Errorf("%s is not a checkpoint as --checkpoint writes it: %w", path, err)
		}
		return list, nil
	}
	if note, err := seal.ParseNote(string(head)); err == nil {
		return []verifier.Checkpoint{verifier.NewCheckpoint([]*seal.Seal{note.Seal})}, nil
	}
	var order []string
	seals := map[string][]*seal.Seal{}
	err = Read(ctx, []string{path}, Options{}, func(o *verifier.Observed) error {
		if o.Note == nil || o.Fault != "" {
			return nil
		}
		note, err := seal.ParseNote(string(o.Note))
		if err != nil {
			return fmt.Errorf("%s: %w", o.Place, err)
		}
		id := note.Seal.StreamID
		if seals[id] == nil {
			order = append(order, id)
		}
		seals[id] = append(seals[id], note.Seal)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s is neither a checkpoint nor a seal: %w", path, err)
	}
	var list []verifier.Checkpoint
	for _, id := range order {
		list = append(list, verifier.NewCheckpoint(seals[id]))
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no seal and no checkpoint", path)
	}
	return list, nil
}

func readAtMost(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}
