// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/logseal/logseal/pkg/seal"
)

// Record is a record in its canonical encoding, whoever wrote that: this package of pdata, or a strict reader of what a file holds.
type Record struct {
	// Canonical is the encoding with every attribute but the id, and Attributes where in it the pairs of the record's own
	// attributes begin.
	Canonical  []byte
	Attributes int

	// Source is where the record comes from: what the source digest in Canonical is of.
	Source *Source
}

// Digest returns the record's digest under a policy: its leaf hash.
func (r *Record) Digest(policy *seal.Policy) seal.Hash {
	record, source := r.leavesOut(policy), r.Source.leavesOut(policy)
	if !record && !source {
		return sha256.Sum256(r.Canonical)
	}
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	b := append((*scratch)[:0], r.Canonical[:r.Attributes]...)
	if attributes := r.Canonical[r.Attributes:]; record {
		b, _ = appendPairsWithout(b, attributes, &policy.Record)
	} else {
		b = append(b, attributes...)
	}
	if source {
		copy(b[sourceAt:], r.Source.digest(policy)[:])
	}
	*scratch = b
	return sha256.Sum256(b)
}

// scratches are buffers for encodings that something is left out of.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

// LeavesOut reports whether the record or its resource has an attribute that the policy leaves out.
func (r *Record) LeavesOut(policy *seal.Policy) bool {
	return r.leavesOut(policy) || r.Source.leavesOut(policy)
}

// Without returns the record without what the policy leaves out: its digest is the same under this policy and under none.
func (r *Record) Without(policy *seal.Policy) Record {
	if !r.LeavesOut(policy) {
		return *r
	}
	encoding, rest := appendPairsWithout([]byte(sourceTag), r.Source.Encoding[len(sourceTag):], &policy.Resource)
	source := &Source{Encoding: append(encoding, rest...)}
	b := append([]byte(nil), r.Canonical[:r.Attributes]...)
	b, _ = appendPairsWithout(b, r.Canonical[r.Attributes:], &policy.Record)
	digest := sha256.Sum256(source.Encoding)
	copy(b[sourceAt:], digest[:])
	return Record{Canonical: b, Attributes: r.Attributes, Source: source}
}

func (r *Record) leavesOut(policy *seal.Policy) bool {
	return hasAny(r.Canonical[r.Attributes:], &policy.Record)
}

// hasAny reports whether one of the pairs that b begins with is left out.
func hasAny(b []byte, leaveOut *seal.NameSet) bool {
	if leaveOut.Empty() {
		return false
	}
	pairs := length(b)
	b = b[lengthSize:]
	for range pairs {
		key, value := keyOf(b)
		if leaveOut.Has(string(key)) {
			return true
		}
		b = b[value+valueSize(b[value:]):]
	}
	return false
}

// appendPairsWithout appends the pairs that from begins with, but for those that are left out, and returns what follows them.
func appendPairsWithout(b, from []byte, leaveOut *seal.NameSet) (with, rest []byte) {
	pairs, kept := length(from), 0
	from = from[lengthSize:]
	b, mark := begin(b)
	for range pairs {
		key, value := keyOf(from)
		size := value + valueSize(from[value:])
		if !leaveOut.Has(string(key)) {
			b = append(b, from[:size]...)
			kept++
		}
		from = from[size:]
	}
	mark.EndCount(b, kept)
	return b, from
}

// Time returns the time that a record gives, or else when it was observed, in nanoseconds since 1970; 0 when it gives none.
func (r *Record) Time() uint64 {
	if t := binary.BigEndian.Uint64(r.Canonical[timeAt:]); t != 0 {
		return t
	}
	return binary.BigEndian.Uint64(r.Canonical[observedAt:])
}

// StringBody returns the record's body, if that is a string.
func (r *Record) StringBody() ([]byte, bool) {
	return StringPayload(r.Canonical[bodyAt(r.Canonical):])
}

// AttributesAt returns where in a canonical encoding the pairs of the record's own attributes begin.
func AttributesAt(b []byte) int {
	at := bodyAt(b)
	return at + valueSize(b[at:])
}

// Times returns the time that the record gives and the one at which it was observed; zero where it gives none, or one that is beyond year 2262.
func (r *Record) Times() (times [2]time.Time) {
	for i, at := range []int{timeAt, observedAt} {
		if t := binary.BigEndian.Uint64(r.Canonical[at:]); t != 0 && t <= math.MaxInt64 {
			times[i] = time.Unix(0, int64(t)).UTC()
		}
	}
	return times
}
