// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
)

const (
	frameHeaderSize = 24
	nonceSize       = 12
	tagSize         = 16
	frameAlign      = 8
	// frameOverhead is what a frame adds to its text, but for the alignment.
	frameOverhead = frameHeaderSize + nonceSize + tagSize
	// maxFrame bounds a frame: offsets inside a segment are 32 bits.
	maxFrame = 1 << 30
)

// What a frame's text is.
const (
	frameBatch    = 1
	frameIndex    = 2
	frameManifest = 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("seglog: damaged")

func align(n int64) int64 { return (n + frameAlign - 1) &^ (frameAlign - 1) }

// frameLen returns how much room a text takes.
func frameLen(text int) int64 { return align(int64(text) + frameOverhead) }

// A frame's header: mark 4, sealed length 4, number 4, kind 1, zero 3, checksum of these and the offset 4, zero 4.
func putFrameHeader(b []byte, mark uint32, off int64, sealed int, number uint32, kind byte) {
	le := binary.LittleEndian
	le.PutUint32(b, mark)
	le.PutUint32(b[4:], uint32(sealed))
	le.PutUint32(b[8:], number)
	le.PutUint32(b[12:], uint32(kind))
	le.PutUint32(b[16:], frameChecksum(b, off))
	le.PutUint32(b[20:], 0)
}

func frameChecksum(b []byte, off int64) uint32 {
	return crc32.Update(crc32.Checksum(b[:16], castagnoli), castagnoli, binary.LittleEndian.AppendUint64(nil, uint64(off)))
}

type frameHeader struct {
	sealed int // nonce, text and tag
	number uint32
	kind   byte
}

// parseFrameHeader returns false when no frame begins here.
func parseFrameHeader(b []byte, mark uint32, off int64) (frameHeader, bool) {
	le := binary.LittleEndian
	if len(b) < frameHeaderSize || le.Uint32(b) != mark || le.Uint32(b[16:]) != frameChecksum(b, off) || le.Uint32(b[20:]) != 0 {
		return frameHeader{}, false
	}
	h := frameHeader{sealed: int(le.Uint32(b[4:])), number: le.Uint32(b[8:]), kind: b[12]}
	if h.sealed < nonceSize+tagSize || h.sealed > maxFrame {
		return frameHeader{}, false
	}
	return h, true
}

// place is the associated data of a segment's frames: client and segment, and room for offset and header.
type place struct{ aad []byte }

func newPlace(client string, number uint64) place {
	aad := binary.LittleEndian.AppendUint64(nil, number)
	aad = append(append(aad, client...), 0)
	return place{append(aad, make([]byte, 8+16)...)}
}

func (p place) at(off int64, header []byte) []byte {
	binary.LittleEndian.PutUint64(p.aad[len(p.aad)-24:], uint64(off))
	copy(p.aad[len(p.aad)-16:], header)
	return p.aad
}

// sealFrame seals a frame in place, where b has the capacity. b is the room for header and nonce, then the text. The
// nonces are random rather than counted: a virtual machine that is put back to a snapshot would repeat a counter.
func sealFrame(b []byte, key *segmentKey, p place, off int64, number uint32, kind byte) []byte {
	b = slices.Grow(b, tagSize+frameAlign)
	text := b[frameHeaderSize+nonceSize:]
	putFrameHeader(b, key.mark, off, nonceSize+len(text)+tagSize, number, kind)
	nonce := b[frameHeaderSize : frameHeaderSize+nonceSize]
	_, _ = rand.Read(nonce) // never returns an error
	sealed := key.aead.Seal(text[:0], nonce, text, p.at(off, b[:16]))
	b = b[:frameHeaderSize+nonceSize+len(sealed)]
	for len(b)%frameAlign != 0 {
		b = append(b, 0)
	}
	return b
}

// openFrame appends the text of the frame in b, whose header has been parsed, to dst.
func openFrame(dst, b []byte, h frameHeader, aead cipher.AEAD, p place, off int64) ([]byte, error) {
	if frameHeaderSize+h.sealed > len(b) {
		return nil, errDamaged
	}
	nonce := b[frameHeaderSize : frameHeaderSize+nonceSize]
	sealed := b[frameHeaderSize+nonceSize : frameHeaderSize+h.sealed]
	text, err := aead.Open(dst, nonce, sealed, p.at(off, b[:16]))
	if err != nil {
		return nil, errDamaged
	}
	return text, nil
}

// nextMark returns where the next frame may begin, at off or behind it, or len(b).
func nextMark(b []byte, off int, mark uint32) int {
	pattern := binary.LittleEndian.AppendUint32(nil, mark)
	for off < len(b) {
		i := bytes.Index(b[off:], pattern)
		if i < 0 {
			break
		}
		if off += i; off%frameAlign == 0 {
			return off
		}
		off++
	}
	return len(b)
}
