// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bufio"
	"bytes"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/trim"
	"golang.org/x/text/encoding/unicode"
)

const (
	// A chunk is several lines. The file consumer hands on a hundred chunks at a time; the more they hold, the longer other
	// files wait for their turn.
	chunkLines = 20
	chunkSize  = 16 * 1024 // bytes, unless it is one line
	bufferSize = 64 * 1024

	// What a request costs beside its records, in every component and in the queue, is shared by up to 500 lines. It is also
	// what one damaged entry of the queue costs.
	requestChunks = 25
	requestSize   = 256 * 1024 // bytes, unless it is one chunk

	// A line that is too long is cut between words, and the next part repeats the end of the one before: a name and its value,
	// or a secret with its context, are in one of them.
	cutReach  = 4096
	cutRepeat = 1024

	tailSize  = 64 * 1024 // bytes of an unfinished line that are kept until the rest of it comes
	tailFiles = 256       // files of which they are kept
)

// line is what becomes a record.
type line struct {
	body    string
	number  int64 // of the record in its file, from 1
	offset  int64 // in bytes
	partial bool  // a part of a line: it was cut, or is not finished yet

	earlier []uint64 // the first parts of it in files before this one, as spans knows them
}

// splitChunks returns a split function whose tokens are several whole lines, terminators included. What the file consumer
// does for each token it then does for twenty lines. With joinParts, the parts that a container's runtime makes of a line
// are never in two tokens, unless they are longer than maxSize together, or lie in two files. Released says of the last lines of a file
// that nothing has to be waited for.
func splitChunks(maxSize int, joinParts bool, released func(lines []byte) bool) bufio.SplitFunc {
	return func(data []byte, atEOF bool) (advance int, token []byte, err error) {
		end, whole, lines, enough := 0, 0, 0, false
		var open openParts
		for {
			i := bytes.IndexByte(data[end:], '\n')
			if enough = whole > 0 && (lines >= chunkLines || i >= 0 && end+i >= chunkSize); i < 0 || enough {
				break
			}
			if joinParts {
				open.add(data[end : end+i])
			}
			end += i + 1
			lines++
			if !open.any() {
				whole = end
			}
		}
		full := len(data) >= maxSize
		switch {
		case whole > 0 && (enough || atEOF || full || len(data) >= chunkSize):
			return whole, data[:whole], nil
		case !full && atEOF && joinParts && end > 0 && released(data[:end]):
			return end, data[:end], nil
		case !full:
			return 0, nil, nil // there may be more to read
		case end > 0:
			return end, data[:end], nil // parts that are too many
		}
		end, next := cut(data[:maxSize])
		return next, data[:end], nil
	}
}

// endOfRequest returns how many of the chunks make the next request; most is a bound.
func endOfRequest(chunks [][]byte, most int) int {
	size := 0
	for i, chunk := range chunks {
		if size += len(chunk); i == most || i > 0 && size > requestSize {
			return i
		}
	}
	return len(chunks)
}

// cut says where a part of a line that is too long ends, and where the next begins.
func cut(data []byte) (end, next int) {
	end = cutBefore(data, len(data), cutReach)
	return end, cutBefore(data, end-cutRepeat, cutReach)
}

// cutBefore returns the end of the last blank in the reach before a place, or else the last start of a character.
func cutBefore(data []byte, place, reach int) int {
	if place <= 0 {
		return len(data) // a limit so low that nothing can be repeated
	}
	from := max(0, place-reach)
	if i := bytes.LastIndexAny(data[from:place], " \t"); i > 0 {
		return from + i + 1
	}
	for i := place; i > place-utf8.UTFMax && i > 0; i-- {
		if i == len(data) {
			if r, size := utf8.DecodeLastRune(data); r != utf8.RuneError || size != 1 {
				return i
			}
		} else if utf8.RuneStart(data[i]) {
			return i
		}
	}
	return place
}

// tails remembers lines that were handed on unfinished because nothing more came for force_flush_period. When the rest
// comes, the line is handed on again, whole: neither of its halves is what the program wrote, or what a redactor can judge.
type tails struct {
	mu    sync.Mutex
	files map[string]tail
}

type tail struct {
	end  int64  // offset behind it
	text string // empty when it is too long to be kept
}

// take returns the unfinished line that ends at an offset of a file.
func (t *tails) take(path string, offset int64) (text string, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, ok := t.files[path]
	delete(t.files, path)
	return kept.text, ok && kept.end == offset
}

func (t *tails) keep(path string, end int64, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.files == nil {
		t.files = map[string]tail{}
	}
	if len(t.files) >= tailFiles {
		for other := range t.files {
			delete(t.files, other)
			break
		}
	}
	if len(text) > tailSize {
		text = ""
	}
	t.files[path] = tail{end: end, text: text}
}

// lineReader turns the file consumer's tokens into lines.
type lineReader struct {
	chunks bool // tokens are several lines
	decode bool // tokens are what is in the file, and may be no UTF-8
	trim   trim.Func
	parts  bool // of a line are joined
	tails  tails
	spans  spans
}

// read returns the lines of a batch, without empty ones.
func (l *lineReader) read(path string, b batch) []line {
	if !l.chunks {
		lines := make([]line, 0, len(b.tokens))
		for i, token := range b.tokens {
			if len(token) > 0 {
				lines = append(lines, line{body: asString(token), number: b.start().record + int64(i) + 1, offset: b.offsets[i]})
			}
		}
		return lines
	}
	lines := make([]line, 0, len(b.tokens)*chunkLines)
	for i, token := range b.tokens {
		lines = l.readChunk(lines, path, token, b.offsets[i], b.offsets[i+1])
	}
	return lines
}

func (l *lineReader) readChunk(lines []line, path string, token []byte, start, end int64) []line {
	before, continues := l.tails.take(path, start)
	var joiner partJoiner
	if l.parts {
		joiner = l.spans.before(path, start, token)
	}
	for rest := l.decoded(token); len(rest) > 0; {
		text, behind, finished := bytes.Cut(rest, []byte{'\n'})
		rest = behind
		if finished {
			text = bytes.TrimSuffix(text, []byte{'\r'})
		}
		partial := !finished
		if continues {
			partial = partial || before == ""
			text, continues = asBytes(before+asString(text)), false
		}
		var earlier []uint64
		if !finished {
			l.tails.keep(path, end, asString(text))
		} else if l.parts {
			if text, earlier = joiner.join(text); text == nil {
				continue
			}
		}
		lines = l.appendTrimmed(lines, line{partial: partial, earlier: earlier}, text)
	}
	if !l.parts {
		return lines
	}
	for stream := range joiner.held {
		held := &joiner.held[stream]
		if held.head == nil || held.told {
			continue
		}
		held.told = true
		if l.spans.isAccepted(path, held.first) {
			continue
		}
		if whole := l.spans.finish(path, start, end, token, stream, *held); whole != nil {
			lines = l.appendTrimmed(lines, line{}, whole)
		} else {
			lines = l.appendTrimmed(lines, line{partial: true}, held.text())
		}
	}
	l.spans.behind(path, end, joiner)
	return lines
}

// decoded returns text as UTF-8.
func (l *lineReader) decoded(text []byte) []byte {
	if l.decode && !utf8.Valid(text) {
		text, _ = unicode.UTF8.NewDecoder().Bytes(text) // which replaces what is none, and has no errors
	}
	return text
}

// appendTrimmed appends made with a text, unless that is empty.
func (l *lineReader) appendTrimmed(lines []line, made line, text []byte) []line {
	if text = l.trim(text); len(text) > 0 {
		made.body = asString(text)
		lines = append(lines, made)
	}
	return lines
}

// asString returns bytes as a string: the reader has decoded them into memory of its own and does not touch it again.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// asBytes returns a string's bytes, which must not be written to.
func asBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
