// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"encoding/json"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of the file consumer's checkpoint that matter here, from checkpoint.proto of pkg/stanza v0.160.0.
const (
	fieldFile = 1 // of the list: one file's metadata

	fieldFingerprint   = 1 // of a file
	fieldOffset        = 2
	fieldRecordNum     = 3
	fieldAttributes    = 4 // JSON
	fieldFlushState    = 6
	fieldTokenLenState = 7

	fieldFirstBytes = 1 // of a fingerprint
)

var errCheckpoint = errors.New("not a checkpoint that can be edited")

// checkpoint is what the file consumer saves: its files.
type checkpoint struct {
	files  []*knownFile
	byMark map[mark][]*knownFile // as saved
}

// knownFile is one file of a checkpoint.
type knownFile struct {
	fingerprint []byte // the file's first bytes, by which the file consumer knows it again
	saved       mark
	accepted    mark
	reader      *reader // which has read it since
	encoded     []byte  // as the file consumer encoded it
	rest        []byte  // encoded, without the fields that change while the file is read
}

// decodeCheckpoint decodes what the file consumer saved. Nothing saved is a checkpoint without files. One in JSON, of an
// older version or with feature gate filelog.protobufCheckpointEncoding closed, is an error.
func decodeCheckpoint(saved []byte) (*checkpoint, error) {
	c := &checkpoint{byMark: map[mark][]*knownFile{}}
	err := eachField(saved, func(number protowire.Number, typ protowire.Type, _, value []byte) error {
		if number != fieldFile || typ != protowire.BytesType {
			return errCheckpoint
		}
		f, err := decodeFile(value)
		if err != nil {
			return err
		}
		c.files = append(c.files, f)
		c.byMark[f.saved] = append(c.byMark[f.saved], f)
		return nil
	})
	return c, err
}

func decodeFile(encoded []byte) (*knownFile, error) {
	f := &knownFile{encoded: encoded}
	err := eachField(encoded, func(number protowire.Number, typ protowire.Type, field, value []byte) error {
		switch {
		case number == fieldFingerprint && typ == protowire.BytesType:
			return eachField(value, func(number protowire.Number, typ protowire.Type, _, value []byte) error {
				if number != fieldFirstBytes || typ != protowire.BytesType {
					return errCheckpoint
				}
				f.fingerprint = value
				return nil
			})
		case number == fieldOffset && typ == protowire.VarintType:
			f.saved.offset = varint(value)
		case number == fieldRecordNum && typ == protowire.VarintType:
			f.saved.record = varint(value)
		case number == fieldFlushState, number == fieldTokenLenState:
			// How long an unfinished record behind the saved mark has waited, and the buffer that it needs.
		default:
			f.rest = append(f.rest, field...)
		}
		return nil
	})
	f.accepted = f.saved
	return f, err
}

// eachField calls do with each field of an encoded message: the whole field, and its value, for BytesType without its length.
func eachField(message []byte, do func(number protowire.Number, typ protowire.Type, field, value []byte) error) error {
	for len(message) > 0 {
		number, typ, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return errCheckpoint
		}
		size := protowire.ConsumeFieldValue(number, typ, message[tag:])
		if size < 0 {
			return errCheckpoint
		}
		field, value := message[:tag+size], message[tag:tag+size]
		if typ == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		if err := do(number, typ, field, value); err != nil {
			return err
		}
		message = message[tag+size:]
	}
	return nil
}

func varint(value []byte) int64 {
	v, _ := protowire.ConsumeVarint(value) // eachField has found its end
	return int64(v)
}

// encode encodes the checkpoint with the accepted marks.
func (c *checkpoint) encode() []byte {
	var b, file []byte
	for _, f := range c.files {
		encoded := f.encoded
		if f.accepted != f.saved {
			fingerprint := protowire.AppendTag(nil, fieldFirstBytes, protowire.BytesType)
			fingerprint = protowire.AppendBytes(fingerprint, f.fingerprint)
			file = protowire.AppendTag(file[:0], fieldFingerprint, protowire.BytesType)
			file = protowire.AppendBytes(file, fingerprint)
			file = protowire.AppendTag(file, fieldOffset, protowire.VarintType)
			file = protowire.AppendVarint(file, uint64(f.accepted.offset))
			file = protowire.AppendTag(file, fieldRecordNum, protowire.VarintType)
			file = protowire.AppendVarint(file, uint64(f.accepted.record))
			file = append(file, f.rest...)
			encoded = file
		}
		b = protowire.AppendTag(b, fieldFile, protowire.BytesType)
		b = protowire.AppendBytes(b, encoded)
	}
	return b
}

// countFiles returns how many files an encoded checkpoint holds, -1 if it cannot be read.
func countFiles(encoded []byte) (n int) {
	for ; len(encoded) > 0; n++ {
		number, wireType, size := protowire.ConsumeField(encoded)
		if size < 0 || number != fieldFile || wireType != protowire.BytesType {
			return -1
		}
		encoded = encoded[size:]
	}
	return n
}

// encodeAttributes encodes a reader's attributes as the file consumer does: where the file lies is among them.
func encodeAttributes(attributes map[string]any) []byte {
	if len(attributes) == 0 {
		return nil
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return nil
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, fieldAttributes, protowire.BytesType), text)
}

// recognize returns the file that r reads, nil if that is not beyond doubt. A reader inherits its mark from the checkpoint,
// so the mark tells which file it reads, unless two files have the same. A file that is read from its start is new; its
// proven first bytes make its fingerprint.
func (c *checkpoint) recognize(r *reader, fingerprintSize int) *knownFile {
	before := int(min(r.start.offset, int64(fingerprintSize))) // bytes of the fingerprint that r did not read itself
	if before+len(r.head) < fingerprintSize {
		return nil
	}
	var f *knownFile
	if r.start == (mark{}) {
		f = &knownFile{}
		for _, unread := range c.byMark[mark{}] {
			if len(unread.fingerprint) > 0 && bytes.HasPrefix(r.head, unread.fingerprint) {
				f = unread
			}
		}
	} else if same := c.byMark[r.start]; r.start.record > 0 && len(same) == 1 && len(same[0].fingerprint) >= before {
		f = same[0]
	}
	if f == nil || f.reader != nil {
		return nil
	}
	fingerprint := append(bytes.Clone(f.fingerprint[:before]), r.head...)[:fingerprintSize]
	for _, other := range c.files {
		if other != f && bytes.Equal(other.fingerprint, fingerprint) {
			return nil // they would be taken for one another
		}
	}
	if len(f.encoded) == 0 {
		f.rest = encodeAttributes(r.attributes)
		c.files = append(c.files, f)
	}
	f.fingerprint, f.reader = fingerprint, r
	return f
}
