// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/attrs"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

const (
	compressedKey = "compressedFiles" // where those are kept that are not read to their end yet

	compressedSaves = time.Second
)

var errNotAccepted = errors.New("not accepted by the next component")

// compressed reads files to their end that were compressed while nobody read them: a file of the checkpoint that is under
// no name that is read any more, if there is a .gz beside it that begins with its first bytes. The file consumer could read .gz files, but
// would read every old one from its start, and takes one that a stop interrupts for read.
type compressed struct {
	files     *files
	paths     func() []string // that are read
	logger    *zap.Logger
	maxLine   int // bytes; longer ones are cut
	persister operator.Persister
}

// find returns the files of the checkpoint that have to be looked for in .gz files, those of an earlier start first, and saves them:
// the file consumer forgets them soon.
func (c *compressed) find(ctx context.Context) ([]*knownFile, error) {
	var behind []*knownFile
	for _, key := range []string{compressedKey, checkpointKey} {
		saved, err := c.persister.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		known, err := decodeCheckpoint(saved)
		if err != nil {
			return behind, nil // an encoding that we do not know
		}
		for _, f := range known.files {
			if !slices.ContainsFunc(behind, func(b *knownFile) bool { return bytes.Equal(b.fingerprint, f.fingerprint) }) {
				behind = append(behind, f)
			}
		}
	}
	for _, path := range c.paths() {
		if len(behind) == 0 {
			break
		}
		head := readHead(path, c.files.positions.fingerprintSize)
		behind = slices.DeleteFunc(behind, func(f *knownFile) bool { return bytes.HasPrefix(head, f.fingerprint) })
	}
	behind = slices.DeleteFunc(behind, func(f *knownFile) bool { return len(f.fingerprint) == 0 || compressedOf(f) == "" })
	if err := c.save(ctx, behind); err != nil {
		c.logger.Error("save offsets of compressed files", zap.Error(err)) // as the file consumer says of its own
	}
	return behind, nil
}

func (c *compressed) save(ctx context.Context, behind []*knownFile) error {
	return c.persister.Batch(ctx, storage.SetOperation(compressedKey, (&checkpoint{files: behind}).encode()))
}

// read reads them one after the other, until ctx ends.
func (c *compressed) read(ctx context.Context, behind []*knownFile) {
	for len(behind) > 0 {
		path := compressedOf(behind[0])
		if path != "" {
			if err := c.readFile(ctx, path, behind); err != nil {
				if ctx.Err() == nil {
					c.logger.Error("A file that was compressed before it was read cannot be read to its end. The next start tries again.",
						zap.String("file", path), zap.Error(err))
				}
				return
			}
		}
		behind = behind[1:]
		if err := c.save(lossless.PartialSave(ctx), behind); err != nil {
			c.logger.Error("save offsets of compressed files", zap.Error(err))
		}
	}
}

func (c *compressed) readFile(ctx context.Context, path string, behind []*knownFile) error {
	f := behind[0]
	content, err := openGzip(path)
	if err != nil {
		return err
	}
	defer content.Close()
	if _, err := io.CopyN(io.Discard, content, f.accepted.offset); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // it is shorter: nothing is left
		}
		return err
	}
	attributes := attributesOf(f)
	attributes[attrs.LogFileName], attributes[attrs.LogFilePath] = filepath.Base(path), path
	split := splitChunks(c.maxLine, c.files.lines.parts, c.files.lines.spans.released)
	buffer := make([]byte, 0, bufferSize)
	saved := time.Now()
	for end := false; !end || len(buffer) > 0; {
		advance, token, _ := split(buffer, end)
		if advance == 0 && end {
			advance, token = len(buffer), buffer // there is nothing more to wait for
		}
		if advance > 0 {
			b := batch{tokens: [][]byte{bytes.Clone(token)}, offsets: []int64{f.accepted.offset, f.accepted.offset + int64(advance)}}
			awaiting, answer := lossless.AwaitAnswer(ctx)
			if err := c.files.emitLines(awaiting, c.files.lines.read(path, b), attributes); err != nil {
				return err
			}
			if answer.Refused() {
				return errNotAccepted
			}
			f.accepted.offset += int64(advance)
			buffer = append(buffer[:0], buffer[advance:]...)
			if time.Since(saved) > compressedSaves {
				if err := c.save(lossless.PartialSave(ctx), behind); err != nil {
					return err
				}
				saved = time.Now()
			}
			continue
		}
		if len(buffer) == cap(buffer) {
			buffer = slices.Grow(buffer, len(buffer))
		}
		n, err := content.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case errors.Is(err, io.EOF):
			end = true
		case err != nil:
			return err
		}
	}
	return nil
}

// compressedOf returns the newest .gz beside a file's last path that begins with its first bytes, "" if there is none.
func compressedOf(f *knownFile) string {
	path, _ := attributesOf(f)[attrs.LogFilePath].(string)
	if path == "" {
		return ""
	}
	dir, name := filepath.Split(path)
	name = rotatedAlready.ReplaceAllString(name, "") // app.log.1 was app.log, and is app.log.2.gz
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	newest, found := time.Time{}, ""
	for _, entry := range entries {
		if ok, _ := filepath.Match(name+"*.gz", entry.Name()); !ok || !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if err != nil || !info.ModTime().After(newest) {
			continue
		}
		content, err := openGzip(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue
		}
		head := make([]byte, len(f.fingerprint))
		if _, err := io.ReadFull(content, head); err == nil && bytes.Equal(head, f.fingerprint) {
			newest, found = info.ModTime(), filepath.Join(dir, entry.Name())
		}
		_ = content.Close()
	}
	return found
}

// attributesOf returns the attributes that the file consumer keeps with a file.
func attributesOf(f *knownFile) map[string]any {
	attributes := map[string]any{}
	_ = eachField(f.encoded, func(number protowire.Number, typ protowire.Type, _, value []byte) error {
		if number == fieldAttributes && typ == protowire.BytesType {
			saved := map[string]any{}
			if json.Unmarshal(value, &saved) == nil {
				maps.Copy(attributes, saved)
			}
		}
		return nil
	})
	return attributes
}

type gzipFile struct {
	*gzip.Reader
	file *os.File
}

func (g gzipFile) Close() error { return errors.Join(g.Reader.Close(), g.file.Close()) }

func openGzip(path string) (gzipFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return gzipFile{}, err
	}
	r, err := gzip.NewReader(file)
	if err != nil {
		return gzipFile{}, errors.Join(err, file.Close())
	}
	return gzipFile{r, file}, nil
}

func readHead(path string, size int) []byte {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	head := make([]byte, size)
	n, _ := io.ReadFull(file, head)
	return head[:n]
}
