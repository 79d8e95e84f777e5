// SPDX-License-Identifier: Apache-2.0

package sha256x2

import (
	"crypto/sha256"
	"encoding/binary"
)

// BlockSize is the block of SHA-256.
const BlockSize = sha256.BlockSize

// lengthSize is what stands at the end of the last block: the length in bits.
const lengthSize = 8

// Batch is messages that lie one behind the other, for [Batch.Sum]. The zero value is ready. It is not safe for concurrent use.
type Batch struct {
	buf      []byte // the messages, each padded to whole blocks
	messages []message
}

type message struct{ start, end, padded int } // in buf; padded is where its padding ends

// Buffer returns the buffer to append a message to. What is in it is not to be changed.
func (b *Batch) Buffer() []byte { return b.buf }

// Add takes what was appended to [Batch.Buffer], as one message. It has less than 2^61 bytes, as everything that fits into memory.
func (b *Batch) Add(with []byte) {
	start := len(b.buf)
	b.messages = append(b.messages, message{start, len(with), 0})
	b.buf = appendPadding(with, len(with)-start)
	b.messages[len(b.messages)-1].padded = len(b.buf)
}

// Len returns how many messages there are, and Size how many bytes they have, with their padding.
func (b *Batch) Len() int { return len(b.messages) }

// Size is described at Len.
func (b *Batch) Size() int { return len(b.buf) }

// Message returns the message of that index, valid until [Batch.Sum].
func (b *Batch) Message(i int) []byte { return b.buf[b.messages[i].start:b.messages[i].end] }

// Sum writes the digest of each message into dst, in the order in which they were added, and forgets them. dst has [Batch.Len] elements or more.
func Sum[H ~[sha256.Size]byte](b *Batch, dst []H) {
	if !accelerated {
		for i := range b.messages {
			dst[i] = H(sha256.Sum256(b.Message(i)))
		}
		b.Reset()
		return
	}
	lanes := [2]lane{{of: -1}, {of: -1}}
	next := 0
	for {
		for i := range lanes {
			l := &lanes[i]
			if len(l.rest) > 0 {
				continue
			}
			if l.of >= 0 {
				dst[l.of] = H(l.state.digest())
				l.of = -1
			}
			if next < len(b.messages) {
				m := b.messages[next]
				*l = lane{initial, b.buf[m.start:m.padded], next}
				next++
			}
		}
		x, y := &lanes[0], &lanes[1]
		switch {
		case len(x.rest) > 0 && len(y.rest) > 0:
			n := min(len(x.rest), len(y.rest)) / BlockSize
			blocks2(&x.state, &y.state, &x.rest[0], &y.rest[0], n)
			x.rest, y.rest = x.rest[n*BlockSize:], y.rest[n*BlockSize:]
		case len(x.rest) > 0:
			x.alone()
		case len(y.rest) > 0:
			y.alone()
		default:
			b.Reset()
			return
		}
	}
}

// Reset forgets the messages.
func (b *Batch) Reset() { b.buf, b.messages = b.buf[:0], b.messages[:0] }

// lane is a message under way.
type lane struct {
	state state
	rest  []byte // whole blocks
	of    int    // index of the message, -1 for none
}

// alone goes on to the end with no other beside it.
func (l *lane) alone() {
	var unused state
	blocks2(&l.state, &unused, &l.rest[0], &l.rest[0], len(l.rest)/BlockSize)
	l.rest = nil
}

// SumEqual writes into dst the digest of each message of size bytes. They lie in padded one behind the other, each with the padding that [Pad] has
// written behind it.
func SumEqual[H ~[sha256.Size]byte](dst []H, padded []byte, size int) {
	step := PaddedSize(size)
	n := len(padded) / step
	if !accelerated {
		for i := range n {
			dst[i] = H(sha256.Sum256(padded[i*step:][:size]))
		}
		return
	}
	for i := 0; i < n; i += 2 {
		x, y := initial, initial
		other := min(i+1, n-1) // the last one alone is beside itself
		blocks2(&x, &y, &padded[i*step], &padded[other*step], step/BlockSize)
		dst[i], dst[other] = H(x.digest()), H(y.digest())
	}
}

// PaddedSize returns how long a message of size bytes is with its padding: whole blocks.
func PaddedSize(size int) int { return (size + 1 + lengthSize + BlockSize - 1) / BlockSize * BlockSize }

// Pad writes the padding of the message of size bytes that b begins with. b has [PaddedSize] bytes.
func Pad(b []byte, size int) {
	clear(b[size:])
	b[size] = 0x80
	binary.BigEndian.PutUint64(b[len(b)-lengthSize:], uint64(size)*8)
}

func appendPadding(b []byte, size int) []byte {
	var padding [BlockSize + lengthSize + 1]byte
	n := PaddedSize(size) - size
	padding[0] = 0x80
	binary.BigEndian.PutUint64(padding[n-lengthSize:], uint64(size)*8)
	return append(b, padding[:n]...)
}
