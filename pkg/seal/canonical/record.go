// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/logseal/logseal/pkg/seal"
)

// Record is a record in its canonical encoding, whoever wrote that: this package of pdata, or a strict reader of what a file holds.
type Record struct {
	// Canonical is the encoding with every attribute but the id, and Attributes where in it the pairs of the record's own
	// attributes begin.
	Canonical  []byte
	Attributes int

	// Source is the canonical encoding of the record's resource, with every attribute, and scope: what the source digest in
	// Canonical is of.
	Source []byte
}

// Digest returns the record's digest under a policy: its leaf hash.
func (r *Record) Digest(policy *seal.Policy) seal.Hash {
	if !r.LeavesOut(policy) {
		return sha256.Sum256(r.Canonical)
	}
	return r.digestWithout(policy)
}

// LeavesOut reports whether the record or its resource has an attribute that the policy leaves out.
func (r *Record) LeavesOut(policy *seal.Policy) bool {
	return hasAny(r.Canonical[r.Attributes:], &policy.Record) || hasAny(r.Source[len(sourceTag):], &policy.Resource)
}

// hasAny reports whether one of the pairs that b begins with is left out.
func hasAny(b []byte, leaveOut *seal.NameSet) bool {
	if leaveOut.Empty() {
		return false
	}
	pairs := binary.BigEndian.Uint32(b)
	b = b[4:]
	for range pairs {
		key := binary.BigEndian.Uint32(b)
		if leaveOut.Has(string(b[4 : 4+key])) {
			return true
		}
		b = b[4+int(key)+valueSize(b[4+key:]):]
	}
	return false
}

// digestWithout leaves out what the policy excludes of the record, whose pairs are the last part of its encoding, and of the
// resource, whose pairs are the first part of its source's.
func (r *Record) digestWithout(policy *seal.Policy) seal.Hash {
	b := append([]byte(nil), r.Canonical[:r.Attributes]...)
	b, _ = appendPairsWithout(b, r.Canonical[r.Attributes:], &policy.Record)
	if !policy.Resource.Empty() {
		source, rest := appendPairsWithout([]byte(sourceTag), r.Source[len(sourceTag):], &policy.Resource)
		digest := sha256.Sum256(append(source, rest...))
		copy(b[len(recordTag):], digest[:])
	}
	return sha256.Sum256(b)
}

// appendPairsWithout appends the pairs that from begins with, but for those that are left out, and returns what follows them.
func appendPairsWithout(b, from []byte, leaveOut *seal.NameSet) (with, rest []byte) {
	pairs, kept, countAt := binary.BigEndian.Uint32(from), uint32(0), len(b)
	from = from[4:]
	b = append(b, 0, 0, 0, 0)
	for range pairs {
		key := binary.BigEndian.Uint32(from)
		size := 4 + int(key) + valueSize(from[4+key:])
		if !leaveOut.Has(string(from[4 : 4+key])) {
			b = append(b, from[:size]...)
			kept++
		}
		from = from[size:]
	}
	binary.BigEndian.PutUint32(b[countAt:], kept)
	return b, from
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

// Time returns the time that a record gives, or else when it was observed, in nanoseconds since 1970; 0 when it gives none.
func (r *Record) Time() uint64 {
	const at = len(recordTag) + seal.HashSize
	if t := binary.BigEndian.Uint64(r.Canonical[at:]); t != 0 {
		return t
	}
	return binary.BigEndian.Uint64(r.Canonical[at+8:])
}

// AttributesAt returns where in a canonical encoding the pairs of the record's own attributes begin.
func AttributesAt(b []byte) int {
	at := len(recordTag) + seal.HashSize + 8 + 8 + 4
	for range 2 { // severity text and event name
		at += 4 + int(binary.BigEndian.Uint32(b[at:]))
	}
	at += 16 + 8 + 4 + 4
	return at + valueSize(b[at:])
}
