// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Causes of dead letters, and the cause of data that waits because a dead letter cannot be written.
const (
	causeInvalid    = "invalid"
	causeTooLarge   = "too_large"
	causePartial    = "partial_success"
	causeDeadLetter = "dead_letter_not_written"
)

// deadLetter is what the server will never take.
type deadLetter struct {
	request  *request
	cause    string
	reason   string // what the server says
	rejected int64  // partial success: how many of the records the server did not take, by its own count
}

// deadLetters is the file that dead letters go to: one JSON object a line, with the members of line. An operator moves it
// away at any time; the next dead letter begins a new one.
type deadLetters struct {
	path    string // "" when no directory is configured
	maxSize int64

	mu sync.Mutex
}

// line is one line of the file.
type line struct {
	Time     time.Time `json:"time"`
	Cause    string    `json:"cause"`
	Reason   string    `json:"reason"`
	Records  int       `json:"records"`
	Rejected int64     `json:"rejected,omitempty"`
	// Logs are the records in OTLP's JSON encoding, with resource and scope; null when there is no such encoding of them.
	Logs json.RawMessage `json:"logs"`
	// Protobuf are the same records in OTLP's binary encoding, present when JSON cannot hold them as they are: a string
	// that is not UTF-8 is the commonest reason for a server to refuse a record.
	Protobuf []byte `json:"protobuf,omitempty"`
}

// newDeadLetters makes the directory if need be, and finds out whether the file can be written, so that a mistake shows
// at the start and not when the first dead letter is lost.
func newDeadLetters(cfg DeadLetterConfig, id component.ID) (*deadLetters, error) {
	d := &deadLetters{maxSize: cfg.MaxSizeMiB << 20}
	if cfg.Directory == "" {
		return d, nil
	}
	if err := os.MkdirAll(cfg.Directory, 0o700); err != nil {
		return nil, fmt.Errorf("dead_letter.directory: %w", err)
	}
	// Escaped, so that no two exporters share a file.
	d.path = filepath.Join(cfg.Directory, url.PathEscape(id.String())+".jsonl")
	file, err := d.open()
	if err != nil {
		return nil, fmt.Errorf("dead_letter.directory: %w", err)
	}
	return d, file.Close()
}

func (d *deadLetters) open() (*os.File, error) {
	return os.OpenFile(d.path, os.O_RDWR|os.O_CREATE, 0o600)
}

// write appends a dead letter and returns when it is on disk. After an error, nothing of it is in the file.
func (d *deadLetters) write(letter deadLetter) error {
	if d.path == "" {
		return errors.New("the server will never take these records; write `dead_letter: {directory: …}` to set them aside")
	}
	encoded, err := encode(letter)
	if err != nil {
		return fmt.Errorf("the dead letter cannot be encoded: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	file, err := d.open()
	if err != nil {
		return fmt.Errorf("the dead letters cannot be opened: %w", err)
	}
	defer file.Close()
	end, err := endOfLines(file)
	if err != nil {
		return fmt.Errorf("the dead letters cannot be read: %w", err)
	}
	if end+int64(len(encoded)) > d.maxSize {
		return fmt.Errorf("%s would grow beyond dead_letter.max_size_mib (%d); move it away, or raise that bound", d.path, d.maxSize>>20)
	}
	if _, err = file.WriteAt(encoded, end); err == nil {
		err = file.Sync()
	}
	if err == nil && end == 0 {
		err = syncDirectory(filepath.Dir(d.path)) // the file may be a new one
	}
	if err != nil {
		// Half a line must not be taken for a record, nor its rest for another one.
		return fmt.Errorf("the dead letter cannot be written: %w", errors.Join(err, file.Truncate(end)))
	}
	return nil
}

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// endOfLines returns where the next line begins, and cuts off half a line that a crash left behind: its records are still
// in the queue, because write had not returned.
func endOfLines(file *os.File) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return 0, err
	}
	const step = 64 << 10
	for end := size; end > 0; {
		begin := max(0, end-step)
		block := make([]byte, end-begin)
		if _, err := file.ReadAt(block, begin); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(block, '\n'); i >= 0 {
			end = begin + int64(i) + 1
			if end < size {
				err = file.Truncate(end)
			}
			return end, err
		}
		end = begin
	}
	return 0, file.Truncate(0)
}

func encode(letter deadLetter) ([]byte, error) {
	out := line{
		Time: time.Now().UTC(), Cause: letter.cause, Reason: letter.reason,
		Records: letter.request.records, Rejected: letter.rejected,
	}
	logs, err := letter.request.logs()
	if err == nil {
		out.Logs, err = new(plog.JSONMarshaler).MarshalLogs(logs)
	}
	// JSON is for people, and for tools that send the record again. Where it cannot hold the record it may be
	// approximate: the binary encoding stands beside it.
	if err != nil || !holds(out.Logs, letter.request.wire) {
		out.Protobuf = letter.request.wire
		if out.Logs = bytes.ToValidUTF8(out.Logs, []byte("\uFFFD")); !json.Valid(out.Logs) {
			out.Logs = nil
		}
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return append(encoded, '\n'), nil
}

// holds reports whether the JSON encoding is one that any reader takes, and gives the same bytes on the wire again.
func holds(logs, wire []byte) bool {
	if !utf8.Valid(logs) {
		return false
	}
	again, err := new(plog.JSONUnmarshaler).UnmarshalLogs(logs)
	if err != nil {
		return false
	}
	back, err := new(plog.ProtoMarshaler).MarshalLogs(again)
	return err == nil && bytes.Equal(back, wire)
}
