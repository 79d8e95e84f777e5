// SPDX-License-Identifier: Apache-2.0

package seglog

import "encoding/binary"

// Kind is what an operation does.
type Kind uint8

// The kinds of operations.
const (
	Set Kind = iota + 1
	Delete
	// drop says that a segment is not needed any more. Its key is the number.
	drop
)

// Op is one operation of a batch.
type Op struct {
	Kind  Kind
	Key   string
	Value []byte
	// Bulk marks a Set that may be refused so that the space which is left stays for others: see [ErrFull].
	Bulk bool
}

// appendOp appends an operation to the text of a batch, and returns where its value begins.
func appendOp(b []byte, op *Op) (text []byte, value int) {
	b = append(b, byte(op.Kind))
	b = binary.AppendUvarint(b, uint64(len(op.Key)))
	b = append(b, op.Key...)
	if op.Kind != Set {
		return b, 0
	}
	b = binary.AppendUvarint(b, uint64(len(op.Value)))
	return append(b, op.Value...), len(b)
}

// change is an operation as the index knows it: where a value is, instead of the value.
type change struct {
	kind   Kind
	key    string
	off    uint32 // of the frame
	frame  uint32 // length of the frame, without alignment
	value  uint32 // where the value begins in the frame's text
	length uint32 // of the value
}

// parseBatch calls f for each operation of a batch's text.
func parseBatch(text []byte, off, frame uint32, f func(change)) error {
	at := 0
	number := func() (uint64, bool) {
		n, size := binary.Uvarint(text[at:])
		if size <= 0 || n > uint64(len(text)) {
			return 0, false
		}
		at += size
		return n, true
	}
	for at < len(text) {
		c := change{kind: Kind(text[at]), off: off, frame: frame}
		at++
		n, ok := number()
		if !ok || n > uint64(len(text)-at) || c.kind < Set || c.kind > drop {
			return errDamaged
		}
		c.key = string(text[at : at+int(n)])
		at += int(n)
		if c.kind == Set {
			if n, ok = number(); !ok || n > uint64(len(text)-at) {
				return errDamaged
			}
			c.value, c.length = uint32(at), uint32(n)
			at += int(n)
		}
		f(c)
	}
	return nil
}

// appendChange appends a change to the text of an index.
func appendChange(b []byte, c *change) []byte {
	b = append(b, byte(c.kind))
	b = binary.AppendUvarint(b, uint64(len(c.key)))
	b = append(b, c.key...)
	for _, n := range [...]uint32{c.off, c.frame, c.value, c.length} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// parseIndex calls f for each change of an index's text.
func parseIndex(text []byte, f func(change)) error {
	for len(text) > 0 {
		c := change{kind: Kind(text[0])}
		if c.kind < Set || c.kind > drop {
			return errDamaged
		}
		text = text[1:]
		n, size := binary.Uvarint(text)
		if size <= 0 || n > uint64(len(text)-size) {
			return errDamaged
		}
		c.key = string(text[size : size+int(n)])
		text = text[size+int(n):]
		for _, to := range [...]*uint32{&c.off, &c.frame, &c.value, &c.length} {
			n, size := binary.Uvarint(text)
			if size <= 0 || n > maxFrame*2 {
				return errDamaged
			}
			*to = uint32(n)
			text = text[size:]
		}
		f(c)
	}
	return nil
}

// listed is a segment in a manifest: its number, by which of the store's keys it is sealed, and how many frames it has.
type listed struct {
	number uint64
	key    KeyID
	frames uint32
}

const listedSize = 8 + len(KeyID{}) + 4

func appendManifest(b []byte, segments []listed) []byte {
	for _, s := range segments {
		b = binary.LittleEndian.AppendUint64(b, s.number)
		b = append(b, s.key[:]...)
		b = binary.LittleEndian.AppendUint32(b, s.frames)
	}
	return b
}

func parseManifest(text []byte) ([]listed, error) {
	if len(text)%listedSize != 0 {
		return nil, errDamaged
	}
	segments := make([]listed, 0, len(text)/listedSize)
	for ; len(text) > 0; text = text[listedSize:] {
		segments = append(segments, listed{binary.LittleEndian.Uint64(text), KeyID(text[8:16]), binary.LittleEndian.Uint32(text[16:])})
	}
	return segments, nil
}

func dropKey(number uint64) string { return string(binary.LittleEndian.AppendUint64(nil, number)) }

func droppedNumber(key string) (uint64, bool) {
	if len(key) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64([]byte(key)), true
}
