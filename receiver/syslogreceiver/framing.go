// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	// maxCountDigits is the longest octet count that is taken for one.
	maxCountDigits = 9
	// cutWindow is how far back from its end a part is searched for a space to end at, so that no word is torn.
	cutWindow = 4 << 10
)

// frame is a message, or a part of one that is longer than the framer's bound.
type frame struct {
	data []byte // valid until the next call of next
	// part is the number of the part, from 1, or 0 for a message in one piece; last says that no part follows.
	part int
	last bool
	// incomplete says that the connection ended within the message.
	incomplete bool
}

// framer takes a TCP stream apart (RFC 6587). Each message says for itself how it is framed: "123 <1" begins one of 123 octets,
// anything else ends at its LF, or at a NUL before the next "<". It loses nothing: what is neither is a line.
type framer struct {
	r       *bufio.Reader
	max     int
	nul     bool // NUL ends a line like LF
	buf     []byte
	counted bool
	rest    int // octets of a counted message that are still to come
	part    int // parts of the message at hand that were handed out
	within  bool
}

func newFramer(r io.Reader, maxMessage int, nul bool) *framer {
	return &framer{r: bufio.NewReaderSize(r, 64<<10), max: maxMessage, nul: nul}
}

// ready reports whether the next message is there whole, so that next will not wait for the sender.
func (f *framer) ready() bool {
	if f.within {
		return false
	}
	b, _ := f.r.Peek(f.r.Buffered())
	b = bytes.TrimLeft(b, "\r\n\x00")
	if digits, count := octetCount(b); count > 0 {
		return len(b) > digits && b[digits] == ' ' && len(b)-digits-1 >= count
	}
	return bytes.IndexByte(b, '\n') >= 0
}

// octetCount reads the decimal number at the start of b, with the leading zeros that some senders write. digits is 0 if there is none.
func octetCount(b []byte) (digits, count int) {
	for digits < len(b) && digits <= maxCountDigits && b[digits] >= '0' && b[digits] <= '9' {
		count = 10*count + int(b[digits]-'0')
		digits++
	}
	if digits > maxCountDigits {
		return 0, 0
	}
	return digits, count
}

// next returns the next message that is not empty. At the end of the stream it returns what is left, and then the error.
func (f *framer) next() (frame, error) {
	for {
		if !f.within {
			if err := f.begin(); err != nil {
				return frame{}, err
			}
		}
		done, err := f.fill()
		if err != nil && len(f.buf) == 0 && f.part == 0 {
			return frame{}, err
		}
		if !done && err == nil {
			return f.cut(), nil
		}
		out := frame{data: trimTrailer(f.buf), last: true, incomplete: err != nil && (f.counted || !errors.Is(err, io.EOF))}
		if f.part > 0 {
			out.part = f.part + 1
		}
		f.within, f.part = false, 0
		f.buf = f.buf[:len(f.buf):cap(f.buf)]
		if len(out.data) > 0 || out.part > 0 {
			return out, nil
		}
	}
}

// begin skips what stands between messages and finds out how the next one is framed.
func (f *framer) begin() error {
	f.buf = f.buf[:0]
	for {
		b, err := f.r.Peek(1)
		if len(b) == 0 {
			return err
		}
		if b[0] != '\n' && b[0] != '\r' && b[0] != 0 {
			break
		}
		_, _ = f.r.Discard(1) // it was peeked at
	}
	f.within, f.counted = true, false
	for n := 2; n <= maxCountDigits+3; n++ {
		b, _ := f.r.Peek(n) // at the end of the stream what there is
		digits, count := octetCount(b)
		switch {
		case digits == 0:
			return nil
		case digits == len(b) && len(b) == n:
			continue
		case count > 1 && len(b) == n && n == digits+2 && b[digits] == ' ' && b[digits+1] == '<':
			continue
		case count > 0 && len(b) > digits+1 && b[digits] == ' ' && b[digits+1] == '<' &&
			(count == 1 || len(b) > digits+2 && b[digits+2] >= '0' && b[digits+2] <= '9'): // "5 <b> is bold" is text
			f.counted, f.rest = true, count
			_, _ = f.r.Discard(digits + 1)
			return nil
		case len(b) == digits+1 && b[digits] == ' ' && len(b) == n:
			continue
		default:
			return nil
		}
	}
	return nil
}

// fill reads into buf until the message ends, which is done, or buf is full.
func (f *framer) fill() (done bool, err error) {
	for {
		if f.counted && f.rest == 0 {
			return true, nil
		}
		b, err := f.r.Peek(1)
		if len(b) == 0 {
			return false, err
		}
		if len(f.buf) == f.max && (f.counted || b[0] != '\n') {
			return false, nil
		}
		b, _ = f.r.Peek(f.r.Buffered())
		b = b[:min(len(b), f.max-len(f.buf)+1)]
		if f.counted {
			b = b[:min(len(b), f.max-len(f.buf), f.rest)]
			f.rest -= len(b)
		} else if end := f.lineEnd(b); end >= 0 {
			f.buf = append(f.buf, b[:end]...)
			_, _ = f.r.Discard(end + 1)
			return true, nil
		} else {
			b = b[:min(len(b), f.max-len(f.buf))]
			if n := len(b) - 1; n > 0 && b[n] == 0 {
				b = b[:n] // what comes behind a NUL tells what it is
			} else if n == 0 && b[0] == 0 {
				if next, _ := f.r.Peek(2); len(next) == 2 && next[1] == '<' {
					_, _ = f.r.Discard(1)
					return true, nil
				}
				b, _ = f.r.Peek(1) // looking further has moved it
			}
		}
		f.buf = append(f.buf, b...)
		_, _ = f.r.Discard(len(b))
	}
}

// lineEnd returns where a line ends in b, or -1.
func (f *framer) lineEnd(b []byte) int {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		end = len(b)
	}
	for i := 0; i < end; i++ {
		n := bytes.IndexByte(b[i:end], 0)
		if n < 0 {
			break
		}
		if i += n; f.nul || i+1 < len(b) && b[i+1] == '<' {
			return i
		}
	}
	if end == len(b) {
		return -1
	}
	return end
}

// cut hands out a full buffer as a part, up to the last space if there is one near.
func (f *framer) cut() frame {
	at := len(f.buf)
	if space := bytes.LastIndexAny(f.buf[max(1, at-cutWindow):], " \t,;&"); space >= 0 {
		at = max(1, at-cutWindow) + space + 1
	}
	f.part++
	out := frame{data: bytes.Clone(f.buf[:at]), part: f.part}
	f.buf = append(f.buf[:0], f.buf[at:]...)
	return out
}

// trimTrailer takes off the LF, CR LF or NUL that some senders count as a part of the message.
func trimTrailer(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	return b
}
