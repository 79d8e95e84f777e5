// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/logseal/logseal/pkg/seglog"
)

// readKeyFile reads the key file. made is set if there was none and it has been made.
func (c *Config) readKeyFile() (keys [][]byte, made bool, err error) {
	path := c.keyFile()
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := c.makeKeyFile(path); err != nil {
			return nil, false, fmt.Errorf("key_file: there is none, and it could not be made: %w", err)
		}
		made = true
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, false, fmt.Errorf("key_file: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, false, fmt.Errorf("key_file: %s can be read by everybody (mode %04o): chmod 0600, or defaultMode: 0440 of a Kubernetes Secret's volume", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, false, fmt.Errorf("key_file: %w", err)
	}
	if keys, err = seglog.ParseKeys(string(text)); err != nil {
		return nil, false, fmt.Errorf("key_file: %s: %w", path, err)
	}
	return keys, made, nil
}

// makeKeyFile makes a key, unless there is something sealed under one that is gone.
func (c *Config) makeKeyFile(path string) error {
	if segments, _ := filepath.Glob(filepath.Join(c.Directory, "*.seglog", "*.seg")); len(segments) > 0 {
		return fmt.Errorf("%s is gone, and %d files in %s are sealed under its key: put it back, or move those away, which gives up what waits in them", path, len(segments), c.Directory)
	}
	key := make([]byte, seglog.KeySize)
	_, _ = rand.Read(key) // never returns an error
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
