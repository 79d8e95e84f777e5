// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/sha256"
	"encoding/binary"
)

// Place is where a record was found.
type Place struct {
	File string // as it was named or found, "-" for standard input
	Line int    // the line, or the number of the frame in a binary file, from 1
}

// Observed is a log record as a verifier found it, read strictly and changed in nothing. The package archive makes them
// from files.
type Observed struct {
	Place Place

	// Fault says why the record is malformed: it has no meaning that two readers would agree on. Empty when it is well-formed.
	Fault string

	// ID is the record's stamp. A malformed record may have one too.
	ID    ID
	HasID bool

	// Canonical is the record's canonical encoding with every attribute but the id, and Attributes where in it the pairs of
	// the record's own attributes begin. Both are unset when the record is malformed.
	Canonical  []byte
	Attributes int

	// Note is the body of a record that claims to be a seal (see [IsSeal]), nil for any other.
	Note []byte

	policy *Policy // under which leaf was computed; nil while it was not
	leaf   Hash
}

// digest computes the leaf under a policy, unless that has been done.
func (o *Observed) digest(policy *Policy) {
	if o.policy == policy {
		return
	}
	var data Hash
	if len(policy.names) == 0 {
		data = sha256.Sum256(o.Canonical)
	} else {
		data = o.digestWithout(policy)
	}
	o.policy, o.leaf = policy, LeafHash(&data)
}

// digestWithout leaves out what the policy excludes: the pairs are the last part of the encoding, and sorted.
func (o *Observed) digestWithout(policy *Policy) Hash {
	b := append([]byte(nil), o.Canonical[:o.Attributes]...)
	pairs := o.Canonical[o.Attributes+4:]
	b = append(b, 0, 0, 0, 0)
	var count uint32
	for len(pairs) > 0 {
		key := binary.BigEndian.Uint32(pairs)
		size := 4 + int(key) + valueSize(pairs[4+key:])
		if !policy.excludes(string(pairs[4 : 4+key])) {
			b = append(b, pairs[:size]...)
			count++
		}
		pairs = pairs[size:]
	}
	binary.BigEndian.PutUint32(b[o.Attributes:], count)
	return sha256.Sum256(b)
}

// valueSize returns the length of the canonical value that b begins with.
func valueSize(b []byte) int {
	switch b[0] {
	case typeBool:
		return 2
	case typeInt, typeDouble:
		return 9
	case typeString, typeBytes:
		return 5 + int(binary.BigEndian.Uint32(b[1:]))
	case typeArray, typeMap:
		size := 5
		for range binary.BigEndian.Uint32(b[1:]) {
			if b[0] == typeMap {
				size += 4 + int(binary.BigEndian.Uint32(b[size:]))
			}
			size += valueSize(b[size:])
		}
		return size
	}
	return 1
}

// timeOf returns the time that a record gives, or else when it was observed, in nanoseconds since 1970; 0 when it gives none.
func (o *Observed) timeOf() uint64 {
	const at = len(recordTag) + 2*HashSize
	if t := binary.BigEndian.Uint64(o.Canonical[at:]); t != 0 {
		return t
	}
	return binary.BigEndian.Uint64(o.Canonical[at+8:])
}
