// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/logseal/logseal/pkg/seal/finding"
)

// Observed is a log record as a verifier found it, read strictly and changed in nothing. The package archive makes them
// from files.
type Observed struct {
	Place finding.Place

	// Fault says why the record is malformed: it has no meaning that two readers would agree on. Empty when it is well-formed.
	Fault finding.Reason

	// ID is the record's stamp. A malformed record may have one too.
	ID    ID
	HasID bool

	// Canonical is the record's canonical encoding with every attribute but the id, and Attributes where in it the pairs of
	// the record's own attributes begin. Both are unset when the record is malformed.
	Canonical  []byte
	Attributes int

	// Source is the canonical encoding of the record's resource, with every attribute, and scope: what the source digest in
	// Canonical is of.
	Source []byte

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
	o.policy = policy
	if policy.plain() {
		o.leaf = sha256.Sum256(o.Canonical)
	} else {
		o.leaf = o.digestWithout(policy)
	}
}

// digestWithout leaves out what the policy excludes of the record, whose pairs are the last part of its encoding, and of the
// resource, whose pairs are the first part of its source's.
func (o *Observed) digestWithout(policy *Policy) Hash {
	b := append([]byte(nil), o.Canonical[:o.Attributes]...)
	b, _ = appendPairsWithout(b, o.Canonical[o.Attributes:], &policy.record)
	if len(policy.resource.names) > 0 {
		source, rest := appendPairsWithout([]byte(sourceTag), o.Source[len(sourceTag):], &policy.resource)
		digest := sha256.Sum256(append(source, rest...))
		copy(b[len(recordTag):], digest[:])
	}
	return sha256.Sum256(b)
}

// appendPairsWithout appends the pairs that from begins with, but for those that are left out, and returns what follows them.
func appendPairsWithout(b, from []byte, leaveOut *excluded) (with, rest []byte) {
	pairs, kept, countAt := binary.BigEndian.Uint32(from), uint32(0), len(b)
	from = from[4:]
	b = append(b, 0, 0, 0, 0)
	for range pairs {
		key := binary.BigEndian.Uint32(from)
		size := 4 + int(key) + valueSize(from[4+key:])
		if !leaveOut.has(string(from[4 : 4+key])) {
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

// timeOf returns the time that a record gives, or else when it was observed, in nanoseconds since 1970; 0 when it gives none.
func (o *Observed) timeOf() uint64 {
	const at = len(recordTag) + HashSize
	if t := binary.BigEndian.Uint64(o.Canonical[at:]); t != 0 {
		return t
	}
	return binary.BigEndian.Uint64(o.Canonical[at+8:])
}
