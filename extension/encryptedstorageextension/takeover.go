// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seglog"
)

// takeOver brings what file_storage has kept for a client into its log, and removes file_storage's file, which is in the
// clear. A kill in between leaves the file, and the next start does it again.
func (e *encryptedStorage) takeOver(client string, log *seglog.Log) error {
	path := filepath.Join(e.config.Directory, client)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	taken, damage, err := copyBolt(path, log)
	switch {
	case errors.Is(err, seglog.ErrFull):
		return fmt.Errorf("%s, of file_storage, is to be taken over, and needs %d MiB more than there are: make room, or keep file_storage until its queue has drained. Nothing was changed: %w", path, info.Size()>>20, err)
	case err != nil:
		return fmt.Errorf("%s, of file_storage, could not be taken over: %w", path, err)
	}
	if err := e.store.Sync(); err != nil {
		return err
	}
	fields := []zap.Field{zap.String("file", path), zap.Int("entries", taken)}
	if damage != nil {
		e.set.Logger.Error("A damaged file of file_storage was taken over as far as it can be read; it is kept with the ending .damaged, in the clear", append(fields, zap.Error(damage))...)
		return os.Rename(path, path+".damaged")
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("%s, of file_storage, was taken over, and could not be removed: remove it, or its requests are sent again: %w", path, err)
	}
	for _, left := range glob(filepath.Join(e.config.Directory, "tempdb*")) { // of an interrupted compaction: copies
		_ = os.Remove(left)
	}
	e.set.Logger.Info("The state of file_storage was taken over, and its file removed", fields...)
	return nil
}

func glob(pattern string) []string {
	names, _ := filepath.Glob(pattern)
	return names
}

const takeOverBatch = 1 << 20

// copyBolt copies what file_storage's bucket holds. damage is what ended it early.
func copyBolt(path string, log *seglog.Log) (taken int, damage, err error) {
	// bbolt maps the file into memory, and panics on a damaged one; behind the end of a truncated one lies a fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var ops []seglog.Op
	size := 0
	flush := func() error {
		err := log.Apply(ops...)
		if err == nil {
			taken += len(ops)
			ops, size = ops[:0], 0
		}
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			damage = fmt.Errorf("%v", p)
			err = flush()
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		if errors.Is(err, bolterrors.ErrTimeout) {
			return 0, nil, errors.New("another process has it open")
		}
		return 0, err, nil
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte("default"))
		if bucket == nil {
			return nil
		}
		return bucket.ForEach(func(key, value []byte) error {
			ops = append(ops, seglog.Op{Kind: seglog.Set, Key: string(key), Value: append([]byte{}, value...)})
			if size += len(value); size < takeOverBatch {
				return nil
			}
			return flush()
		})
	})
	if err != nil {
		return taken, nil, err
	}
	return taken, nil, flush()
}
