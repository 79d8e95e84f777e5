// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

const (
	segmentMagic  = "seglog1\n"
	headerSize    = 256
	headerCopy    = 4096 // another sector than the first
	framesStart   = headerCopy + headerSize
	trailerSize   = 16
	minSegment    = 64 << 10
	maxSegment    = 16 << 20
	segmentSuffix = ".seg"
)

// segment is one file of a log.
type segment struct {
	number  uint64
	name    string // of the file
	f       file
	size    int64
	created time.Time
	keyID   KeyID
	key     segmentKey
	place   place

	end    int64  // where the next frame goes
	frames uint32 // how many there are
	index  []byte // text of the index frame, of a segment that is still written
	closed bool   // no frame is added any more

	unsynced bool  // written since the last sync
	drops    bool  // has an entry that drops another segment
	failure  error // why it could not be opened
	bad      bool  // the disk failed to read or write it: its file is not used again

	live       int // keys whose value is here
	liveBefore int
	changed    time.Time
	liveBytes  int64 // of their frames
	// tombs are deletions of values in older segments: they are needed as long as one of those is there.
	tombs []tomb
}

type tomb struct {
	key            string
	oldest, newest uint64 // segments that may hold a value of it
}

func segmentName(number uint64) string { return fmt.Sprintf("%016x%s", number, segmentSuffix) }

// header is what a segment begins with.
type header struct {
	number, created uint64
	key             KeyID
	salt            [saltSize]byte
	commit          [commitSize]byte
}

func (h *header) marshal() []byte {
	b := make([]byte, headerSize)
	le := binary.LittleEndian
	copy(b, segmentMagic)
	le.PutUint64(b[8:], h.number)
	le.PutUint64(b[16:], h.created)
	copy(b[24:], h.key[:])
	copy(b[32:], h.salt[:])
	copy(b[64:], h.commit[:])
	le.PutUint32(b[96:], crc32.Checksum(b[:96], castagnoli))
	return b
}

func parseHeader(b []byte) (header, bool) {
	le := binary.LittleEndian
	if len(b) < headerSize || string(b[:8]) != segmentMagic || le.Uint32(b[96:]) != crc32.Checksum(b[:96], castagnoli) {
		return header{}, false
	}
	h := header{number: le.Uint64(b[8:]), created: le.Uint64(b[16:])}
	copy(h.key[:], b[24:])
	copy(h.salt[:], b[32:])
	copy(h.commit[:], b[64:])
	return h, true
}

// startSegment makes a segment of the spare file f.
func startSegment(f file, name string, size int64, number uint64, client string, storeKey []byte, now time.Time) (*segment, error) {
	h := header{number: number, created: uint64(now.Unix()), key: IDOfKey(storeKey)}
	_, _ = rand.Read(h.salt[:]) // never returns an error
	key, err := deriveSegmentKey(storeKey, h.salt, client, number, h.created)
	if err != nil {
		return nil, err
	}
	h.commit = key.commit
	b := h.marshal()
	for _, off := range [...]int64{headerCopy, 0} {
		if _, err := f.WriteAt(b, off); err != nil {
			return nil, err
		}
	}
	return &segment{
		number: number, name: name, f: f, size: size, created: now, keyID: h.key, key: key,
		place: newPlace(client, number), end: framesStart, unsynced: true,
	}, nil
}

var (
	errUnused     = errors.New("seglog: a segment that was never written, or has drained")
	errUnknownKey = errors.New("seglog: sealed under a key that is not given")
)

// openSegment opens the segment in f, which is named for its number. Its frames have not been looked at yet.
func openSegment(f file, name string, number uint64, client string, keys [][]byte) (*segment, error) {
	size, err := f.Size()
	s := &segment{number: number, name: name, f: f, size: size, end: framesStart, place: newPlace(client, number)}
	if err != nil {
		return s, err
	}
	blank := true
	err = errDamaged
	for _, off := range [...]int64{0, headerCopy} {
		b := make([]byte, headerSize)
		n, readErr := f.ReadAt(b, off)
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			err = errors.Join(errDamaged, readErr)
		}
		blank = blank && len(bytes.Trim(b[:n], "\x00")) == 0
		h, ok := parseHeader(b[:n])
		if !ok {
			continue
		}
		s.keyID = h.key
		storeKey := keyOf(keys, h.key)
		if storeKey == nil {
			err = errUnknownKey
			continue
		}
		if s.key, err = deriveSegmentKey(storeKey, h.salt, client, number, h.created); err != nil {
			return s, err
		}
		if h.number != number || !s.key.commitsTo(h.commit) {
			err = errDamaged
			continue
		}
		s.created = time.Unix(int64(h.created), 0)
		return s, nil
	}
	if blank {
		err = errUnused
	}
	return s, err
}

func keyOf(keys [][]byte, id KeyID) []byte {
	for _, key := range keys {
		if IDOfKey(key) == id {
			return key
		}
	}
	return nil
}

// erase destroys the salt: nothing in the segment can be read any more.
func (s *segment) erase() error {
	zeros := make([]byte, headerSize)
	var errs []error
	for _, off := range [...]int64{0, headerCopy} {
		_, err := s.f.WriteAt(zeros, off)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// room returns how many bytes of frames still fit in, with the index and the trailer behind them.
func (s *segment) room() int64 {
	if s.closed {
		return 0
	}
	return s.size - trailerSize - s.end - frameLen(len(s.index)) - frameAlign
}

// read returns the text of the frame that c is in.
func (s *segment) read(off, frame uint32) ([]byte, error) {
	b := make([]byte, frame)
	if _, err := s.f.ReadAt(b, int64(off)); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errDamaged // the file was cut
		}
		return nil, err
	}
	h, ok := parseFrameHeader(b, s.key.mark, int64(off))
	if !ok {
		return nil, errDamaged
	}
	return openFrame(b[frameHeaderSize+nonceSize:][:0], b, h, s.key.aead, s.place, int64(off))
}

// writeIndex adds the index and where it is, so that the next start need not read the rest. Without an index, as behind a
// failed write, the next start does.
func (s *segment) writeIndex() {
	if s.index == nil || s.bad {
		return
	}
	b := make([]byte, frameHeaderSize+nonceSize, int64(len(s.index))+frameOverhead+frameAlign+trailerSize)
	b = sealFrame(append(b, s.index...), &s.key, s.place, s.end, s.frames, frameIndex)
	if _, err := s.f.WriteAt(b, s.end); err != nil {
		s.bad = true
		return
	}
	if _, err := s.f.WriteAt(trailer(s.key.mark, s.end), s.size-trailerSize); err != nil {
		s.bad = true
	}
	s.end += int64(len(b))
	s.index, s.unsynced = nil, true
}

// A trailer: where the index is 8, mark 4, checksum 4.
func trailer(mark uint32, at int64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(at))
	b = binary.LittleEndian.AppendUint32(b, mark)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// content is what a look at a segment's frames brought.
type content struct {
	changes  []change
	manifest []listed
	// missing is the number of frames that must have been there and cannot be read. lostAt is the offset of the first.
	missing int
	lostAt  int64
	// torn is set when there is something behind the last good frame that is none.
	torn bool
}

// load returns what is in the segment: from its index if there is one, else from its frames.
func (s *segment) load() (content, error) {
	if c, ok := s.loadIndex(); ok {
		return c, nil
	}
	return s.scan()
}

func (s *segment) loadIndex() (content, bool) {
	var t [trailerSize]byte
	if s.size < framesStart+trailerSize {
		return content{}, false
	}
	if _, err := s.f.ReadAt(t[:], s.size-trailerSize); err != nil {
		return content{}, false
	}
	at := int64(binary.LittleEndian.Uint64(t[:]))
	if at < framesStart || at > s.size-trailerSize-frameHeaderSize || !bytes.Equal(t[:], trailer(s.key.mark, at)) {
		return content{}, false
	}
	var hb [frameHeaderSize]byte
	if _, err := s.f.ReadAt(hb[:], at); err != nil {
		return content{}, false
	}
	h, ok := parseFrameHeader(hb[:], s.key.mark, at)
	if !ok || h.kind != frameIndex || at+frameHeaderSize+int64(h.sealed) > s.size {
		return content{}, false
	}
	text, err := s.read(uint32(at), uint32(frameHeaderSize+h.sealed))
	if err != nil {
		return content{}, false
	}
	var c content
	if parseIndex(text, func(ch change) { c.changes = append(c.changes, ch) }) != nil {
		return content{}, false
	}
	// The manifest is the first frame. If it is damaged, nothing is missing but a way to notice a lost segment.
	if _, err := s.f.ReadAt(hb[:], framesStart); err == nil {
		if h, ok := parseFrameHeader(hb[:], s.key.mark, framesStart); ok && h.kind == frameManifest && int64(h.sealed) < s.size {
			if text, err := s.read(framesStart, uint32(frameHeaderSize+h.sealed)); err == nil {
				c.manifest, _ = parseManifest(text)
			}
		}
	}
	s.end, s.frames, s.closed = at+align(frameHeaderSize+int64(h.sealed)), h.number, true
	return c, true
}

// scan reads all frames, and finds the good ones behind damaged ones. It leaves the segment as one that can be written on.
func (s *segment) scan() (content, error) {
	var c content
	b := make([]byte, s.size)
	n, err := s.f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		// A sector that cannot be read: the others can, one by one.
		n = readAround(s.f, b)
	}
	b = b[:n]
	s.end, s.frames = framesStart, 0
	s.index = s.index[:0]
	var scratch []byte
	for pos := framesStart; ; {
		pos = nextMark(b, pos, s.key.mark)
		if pos >= len(b) {
			break
		}
		h, ok := parseFrameHeader(b[pos:], s.key.mark, int64(pos))
		if !ok {
			pos += frameAlign
			continue
		}
		// Not in place: what a damaged header spans may hold good frames.
		text, err := openFrame(scratch[:0], b[pos:], h, s.key.aead, s.place, int64(pos))
		scratch = text
		if err != nil || h.number < s.frames {
			pos += frameAlign
			continue
		}
		if h.number > s.frames {
			if c.missing == 0 {
				c.lostAt = s.end
			}
			c.missing += int(h.number - s.frames)
		}
		switch h.kind {
		case frameBatch:
			err = parseBatch(text, uint32(pos), uint32(frameHeaderSize+h.sealed), func(ch change) {
				c.changes = append(c.changes, ch)
				s.index = appendChange(s.index, &ch)
			})
		case frameManifest:
			c.manifest, err = parseManifest(text)
		case frameIndex:
			s.closed = true
		}
		if err != nil {
			return c, fmt.Errorf("segment %x, offset %d: a frame of a format that this version does not know", s.number, pos)
		}
		s.frames = h.number + 1
		pos += int(align(frameHeaderSize + int64(h.sealed)))
		s.end = int64(pos)
	}
	if s.closed {
		s.index = nil // it is there, but for the trailer
	}
	// Behind the end may be what a former segment left in this file. A frame of this one begins with its mark.
	if tail := b[min(s.end, int64(len(b))):]; len(tail) >= 4 && !s.closed {
		c.torn = s.almostFrame(tail) || s.frames == 0 && len(bytes.TrimLeft(tail, "\x00")) > 0
	}
	return c, nil
}

// almostFrame reports whether a frame of this segment begins here, if at most one byte of its mark was altered.
func (s *segment) almostFrame(b []byte) bool {
	differs := 0
	for diff := le32(b) ^ s.key.mark; diff != 0; diff >>= 8 {
		if diff&0xff != 0 {
			differs++
		}
	}
	return differs == 0 || differs == 1 && len(b) >= frameHeaderSize && le32(b[8:]) == s.frames
}

// readAround fills b with what can be read, and leaves zeros where nothing can.
func readAround(f file, b []byte) int {
	const block = 4096
	end := 0
	for off := 0; off < len(b); off += block {
		n, err := f.ReadAt(b[off:min(off+block, len(b))], int64(off))
		if err == nil || errors.Is(err, io.EOF) {
			end = off + n
		}
	}
	return end
}
