// SPDX-License-Identifier: Apache-2.0

package export

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/logseal/logseal/pkg/seal/archive"
)

var (
	errUnfinished = errors.New("the file ends in the middle of a value")
	errTooLong    = errors.New("a record of more than 64 MiB")
)

// syntaxError says that something is no JSON.
type syntaxError struct{ what string }

func (e *syntaxError) Error() string { return e.what }

// scanner reads JSON of any length. It holds what is asked for and nothing else.
type scanner struct {
	r    *bufio.Reader
	line int // of the next byte, from 1
	buf  []byte
}

// next steps over white space and returns the byte behind it, which is still to be read. The error is io.EOF at the end.
func (s *scanner) next() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case c == '\n':
			s.line++
		case c != ' ' && c != '\t' && c != '\r':
			return c, s.r.UnreadByte()
		}
	}
}

// inner is next within a value, where the file must not end.
func (s *scanner) inner() (byte, error) {
	c, err := s.next()
	if errors.Is(err, io.EOF) {
		err = errUnfinished
	}
	return c, err
}

// take reads the byte that next has found.
func (s *scanner) take() { _, _ = s.r.ReadByte() }

func (s *scanner) unexpected(c byte) error {
	return &syntaxError{fmt.Sprintf("%q stands where JSON allows none", rune(c))}
}

// value reads a value and returns its text, valid until the next call. Where it is not wanted nothing is returned, and nothing kept.
func (s *scanner) value(wanted bool) ([]byte, error) {
	s.buf = s.buf[:0]
	c, err := s.inner()
	if err != nil {
		return nil, err
	}
	switch c {
	case '{', '[', '"':
		s.take()
		s.buf = append(s.buf, c)
		if c == '"' {
			return s.rest(wanted, 0, true)
		}
		return s.rest(wanted, 1, false)
	}
	return s.literal()
}

// literal reads a number or a name.
func (s *scanner) literal() ([]byte, error) {
	for {
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) && len(s.buf) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		if c != '+' && c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != 'E' {
			if err := s.r.UnreadByte(); err != nil {
				return nil, err
			}
			if len(s.buf) == 0 {
				return nil, s.unexpected(c)
			}
			break
		}
		if len(s.buf) > 1024 {
			return nil, &syntaxError{"a number of more than a thousand digits"}
		}
		s.buf = append(s.buf, c)
	}
	if !json.Valid(s.buf) {
		return nil, &syntaxError{"what is no number and no name of JSON"}
	}
	return s.buf, nil
}

// rest reads what is left of a value that buf begins with: so many brackets are open, and maybe a string.
func (s *scanner) rest(wanted bool, depth int, inString bool) ([]byte, error) {
	tooLong, escaped := false, false
	for depth > 0 || inString {
		c, err := s.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil, errUnfinished
		case err != nil:
			return nil, err
		case inString && c < ' ':
			// The line's end is left to who goes on at the next line.
			return nil, errors.Join(&syntaxError{"a string that does not end on its line"}, s.r.UnreadByte())
		case c == '\n':
			s.line++
		}
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		}
		switch {
		case !wanted:
		case len(s.buf) < archive.MaxFrame:
			s.buf = append(s.buf, c)
		default:
			tooLong = true
		}
	}
	if tooLong {
		return nil, errTooLong
	}
	return s.buf, nil
}

// name reads the name of a member and the colon behind it.
func (s *scanner) name() (string, error) {
	c, err := s.inner()
	if err != nil {
		return "", err
	}
	if c != '"' {
		return "", s.unexpected(c)
	}
	raw, err := s.value(true)
	if err != nil {
		return "", err
	}
	var name string
	if json.Unmarshal(raw, &name) != nil {
		return "", &syntaxError{"a name that is no string of JSON"}
	}
	if c, err = s.inner(); err != nil {
		return "", err
	}
	if c != ':' {
		return "", s.unexpected(c)
	}
	s.take()
	return name, nil
}

// each calls read for every member or element of what opens with the next byte, up to its closing bracket.
func (s *scanner) each(closing byte, read func() error) error {
	s.take()
	for first := true; ; first = false {
		c, err := s.inner()
		if err != nil {
			return err
		}
		if c == closing && first {
			s.take()
			return nil
		}
		if err := read(); err != nil {
			return err
		}
		if c, err = s.inner(); err != nil {
			return err
		}
		s.take()
		if c == closing {
			return nil
		}
		if c != ',' {
			return s.unexpected(c)
		}
	}
}

// skipLine steps over what is left of a line.
func (s *scanner) skipLine() error {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return err
		}
		if c == '\n' {
			s.line++
			return nil
		}
	}
}
