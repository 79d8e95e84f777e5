// SPDX-License-Identifier: Apache-2.0

package journaldreceiver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxEntryBytes bounds the memory that one entry takes. journald itself takes fields of 768 MiB.
	maxEntryBytes = 16 << 20
	// maxNameBytes is far above the 64 that journald allows for a field's name.
	maxNameBytes = 1 << 10
	// fieldOverhead is what a field costs beside its bytes.
	fieldOverhead = 64
)

var errFormat = errors.New("this is not the journal export format")

// journalEntry is one entry of a journal.
type journalEntry struct {
	// fields holds a string for a value that is UTF-8, []byte for one that is not, and []any for a field that the entry
	// has more than once, in the journal's order.
	fields   map[string]any
	cursor   string
	realtime time.Time // when journald received it; zero if the entry does not say
	size     int       // bytes of memory, about
	cut      int64     // bytes that were left out, because the entry was larger than the reader's bound
}

// exportReader reads the Journal Export Format (https://systemd.io/JOURNAL_EXPORT_FORMATS).
type exportReader struct {
	r        *bufio.Reader
	maxEntry int
}

func newExportReader(r io.Reader, maxEntry int) *exportReader {
	return &exportReader{r: bufio.NewReaderSize(r, 64<<10), maxEntry: maxEntry}
}

// buffered reports whether the next entry has begun to arrive.
func (x *exportReader) buffered() bool { return x.r.Buffered() > 0 }

// next returns the next entry, io.EOF at the end, io.ErrUnexpectedEOF inside an entry, or errFormat.
func (x *exportReader) next() (journalEntry, error) {
	var e journalEntry
	for {
		name, text, err := x.name()
		switch {
		case errors.Is(err, io.EOF) && e.fields != nil:
			return journalEntry{}, io.ErrUnexpectedEOF
		case err != nil:
			return journalEntry{}, err
		case name == "" && text:
			return journalEntry{}, errFormat
		case e.fields == nil && !text && strings.HasPrefix(name, "-- "):
			continue // "-- No entries --": journalctl has words of its own between entries
		case name == "" && e.fields == nil:
			continue // an empty line before the first entry
		case name == "":
			return e, nil
		}
		if e.fields == nil {
			e.fields = make(map[string]any, 32)
		}
		if err := x.field(&e, name, text); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return journalEntry{}, err
		}
	}
}

// name reads a field's name up to "=", behind which text follows, or up to the end of the line, behind which a size and bytes
// follow.
func (x *exportReader) name() (name string, text bool, err error) {
	buf := make([]byte, 0, 32)
	for len(buf) <= maxNameBytes {
		b, err := x.r.ReadByte()
		switch {
		case err == io.EOF && len(buf) > 0:
			return "", false, io.ErrUnexpectedEOF
		case err != nil:
			return "", false, err
		case b == '=' || b == '\n':
			return string(buf), b == '=', nil
		}
		buf = append(buf, b)
	}
	return "", false, errFormat
}

func (x *exportReader) field(e *journalEntry, name string, text bool) error {
	room := x.maxEntry - e.size - len(name) - fieldOverhead
	var value []byte
	var size int64
	var err error
	if text {
		value, size, err = x.line(room)
	} else {
		value, size, err = x.bytes(room)
	}
	if err != nil {
		return err
	}
	whole := int64(len(value)) == size
	if !whole {
		value = wholeCharacters(value)
		e.cut += size - int64(len(value))
	}
	if room < 0 {
		return nil
	}
	e.size += len(name) + fieldOverhead + len(value)
	e.put(name, value)
	return nil
}

// line reads up to the end of the line and keeps at most room bytes of it. size is its length.
func (x *exportReader) line(room int) (value []byte, size int64, err error) {
	for {
		part, err := x.r.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full {
			return nil, 0, err
		}
		if !full {
			part = part[:len(part)-1]
		}
		size += int64(len(part))
		if n := min(room-len(value), len(part)); n > 0 {
			value = append(value, part[:n]...)
		}
		if !full {
			return value, size, nil
		}
	}
}

// bytes reads a size, as many bytes and the end of the line, and keeps at most room bytes.
func (x *exportReader) bytes(room int) (value []byte, size int64, err error) {
	var prefix [8]byte
	if _, err := io.ReadFull(x.r, prefix[:]); err != nil {
		return nil, 0, err
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > 1<<40 {
		return nil, 0, errFormat
	}
	size = int64(n)
	for rest := size; rest > 0; {
		part, err := x.r.Peek(int(min(rest, int64(x.r.Size()))))
		if len(part) == 0 {
			return nil, 0, err
		}
		if n := min(room-len(value), len(part)); n > 0 {
			value = append(value, part[:n]...)
		}
		rest -= int64(len(part))
		_, _ = x.r.Discard(len(part)) // they are in the buffer
	}
	switch b, err := x.r.ReadByte(); {
	case err != nil:
		return nil, 0, err
	case b != '\n':
		return nil, 0, errFormat
	}
	return value, size, nil
}

// put adds a field as the stock receiver has it: without __REALTIME_TIMESTAMP, which is the record's time.
func (e *journalEntry) put(name string, value []byte) {
	switch name {
	case "__REALTIME_TIMESTAMP":
		if us, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			e.realtime = time.UnixMicro(us)
			return
		}
	case "__CURSOR":
		e.cursor = string(value)
	}
	var v any = value
	if utf8.Valid(value) {
		v = string(value)
	}
	switch before := e.fields[name].(type) {
	case nil:
		e.fields[name] = v
	case []any:
		e.fields[name] = append(before, v)
	default:
		e.fields[name] = []any{before, v}
	}
}

// wholeCharacters takes off what the cut has left of a character.
func wholeCharacters(b []byte) []byte {
	for i := 1; i <= utf8.UTFMax && i <= len(b); i++ {
		if last := b[len(b)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}
