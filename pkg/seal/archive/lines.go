// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/logseal/logseal/pkg/seal/finding"
)

// byteOrderMark is what some programs of Windows put before UTF-8. It may stand before any line: files are concatenated.
var byteOrderMark = []byte("\xef\xbb\xbf")

// topLevel begins the object of a request as writers of JSON lines write it. It is never within another object.
var topLevel = []byte(`{"resourceLogs"`)

// lines cuts a file of JSON objects into frames: one object a line as a rule, or, where it was printed for people, over many. What is
// damaged ends at the end of its line, so that it takes no other with it.
func (s *splitter) lines(r *bufio.Reader) error {
	var (
		f     frame     // the object that was begun, if one was
		open  bool      // one was
		state jsonState // at the end of what was read of it
	)
	for number := 1; ; number++ {
		c := s.chunk
		start := len(c.buf)
		line, err := s.line(r, start)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		end := errors.Is(err, io.EOF)
		if open && state.interruptedBy(line) {
			// The object before was broken off. It goes alone, and the line comes behind it.
			line = bytes.Clone(line)
			c.buf = c.buf[:start]
			f.end = start
			s.add(f)
			open = false
			c = s.chunk
			start = len(c.buf)
			c.buf = append(c.buf, line...)
			line = c.buf[start:]
		}
		c.last = number
		text := bytes.TrimSpace(line)
		if !open {
			if rest, ok := bytes.CutPrefix(text, byteOrderMark); ok {
				start += bytes.Index(line, byteOrderMark) + len(byteOrderMark)
				text = bytes.TrimSpace(rest)
			}
			f, state = frame{number: number, start: start}, jsonState{}
		}
		tooLong := len(c.buf)-f.start > MaxFrame
		switch {
		case tooLong:
			f.fault = finding.TooLong
			c.buf = c.buf[:f.start]
		case !open && len(text) == 0:
			if end {
				return nil
			}
			c.buf = c.buf[:start]
			continue
		case !open && (text[0] != '{' || text[len(text)-1] == '}'):
			// Almost every line: an object, or what is none.
		default:
			state.read(text)
			open = !end && !state.inString && state.depth > 0
			if open {
				continue
			}
		}
		f.end = len(c.buf)
		// A line that has its end was written whole, unless it is one of several that make an object.
		f.unfinished = end && (len(line) == 0 || line[len(line)-1] != '\n' || f.number < number)
		open = false
		s.add(f)
		if end {
			return nil
		}
	}
}

// line appends the next line to the chunk's buffer, which is start long, and returns it with its newline. Of one that is longer than
// a frame may be, only the beginning is kept. The error is io.EOF at the end of the file.
func (s *splitter) line(r *bufio.Reader, start int) ([]byte, error) {
	c := s.chunk
	part, err := r.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(c.buf)-start <= MaxFrame {
			c.buf = append(c.buf, part...)
		}
		part, err = r.ReadSlice('\n')
	}
	c.buf = append(c.buf, part...)
	return c.buf[start:], err
}

// jsonState is where in a JSON value a reader is. It looks at quotes and brackets only; whether the text is JSON is for the decoder to say.
type jsonState struct {
	depth    int
	inString bool
	last     byte // the last character that was no white space
}

// read goes over a line.
func (j *jsonState) read(text []byte) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case j.inString && c == '\\':
			i++
		case c == '"':
			j.inString = !j.inString
			j.last = c
		case j.inString:
		case c == '{' || c == '[':
			j.depth++
			j.last = c
		case c == '}' || c == ']':
			j.depth--
			j.last = c
		case c != ' ' && c != '\t' && c != '\r':
			j.last = c
		}
	}
}

// interruptedBy reports whether a line begins another object, so that the one before it ends unfinished.
func (j *jsonState) interruptedBy(line []byte) bool {
	line = bytes.TrimPrefix(line, byteOrderMark)
	if len(line) == 0 || line[0] != '{' {
		return false // what is printed for people is indented
	}
	return bytes.HasPrefix(line, topLevel) || j.last != ',' && j.last != '[' && j.last != ':'
}
