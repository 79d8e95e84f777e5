// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// Stream redacts text line by line. A private key that goes on over several lines is followed to its end, or to what cannot be part of
// one. The zero value is not valid: Engine is required.
type Stream struct {
	Engine   *Engine
	Recorder Recorder // may be nil
	// Found, if set, is called for every match, with its line and column, counted in bytes from 1.
	Found func(rule string, line, column int)
	// Explained, if set, is called likewise, with the reason. It holds nothing of the text.
	Explained func(x Explanation, line, column int)

	key keyState
}

// Copy reads src to its end and writes what is left of each line to dst. Line endings are kept as they are; a rule
// that drops records drops the line. Memory is bounded by the longest text that is examined: a longer line is
// treated as the limits say.
func (s *Stream) Copy(dst io.Writer, src io.Reader) error {
	in := bufio.NewReaderSize(src, 64<<10)
	out := bufio.NewWriterSize(dst, 64<<10)
	limit := s.Engine.MaxValueBytes()
	var line []byte
	for number := 1; ; number++ {
		line = line[:0]
		var err error
		for {
			var part []byte
			part, err = in.ReadSlice('\n')
			// One byte over the limit is enough to be over it: the rest is read and not kept.
			line = append(line, part[:min(len(part), max(limit+3-len(line), 0))]...)
			if len(part) > 0 && part[len(part)-1] == '\n' && line[len(line)-1] != '\n' {
				line = append(line, '\n')
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if len(line) > 0 {
			if err := s.line(out, string(line), number); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return out.Flush()
		case err != nil:
			return errors.Join(err, out.Flush())
		}
		if in.Buffered() == 0 {
			// Nothing more is there yet: whoever reads on the other side gets what is.
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func (s *Stream) line(out *bufio.Writer, line string, number int) error {
	text, ending := line, ""
	for _, e := range []string{"\r\n", "\n"} {
		if t, ok := strings.CutSuffix(line, e); ok {
			text, ending = t, e
			break
		}
	}
	inKey := s.key.open
	redacted, matches, keep := s.Engine.text(text, s.Recorder, &s.key)
	for _, m := range matches {
		if s.Found != nil {
			s.Found(m.Rule, number, m.Start+1)
		}
		if s.Explained != nil {
			x := s.Engine.Explain(text, m)
			if inKey && m.Rule == rules.All()[rules.PrivateKey].ID {
				x.Why = "it goes on with the key of the line before"
			}
			s.Explained(x, number, m.Start+1)
		}
	}
	if !keep {
		return nil
	}
	_, err := out.WriteString(redacted + ending)
	return err
}
