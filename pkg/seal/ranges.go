// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Range is a run of sequence numbers, both ends included.
type Range struct{ First, Last uint64 }

// Len returns how many numbers the range holds.
func (r Range) Len() uint64 { return r.Last - r.First + 1 }

// Ranges is a set of sequence numbers in its one form: ascending, and no two
// ranges overlap or touch.
type Ranges []Range

// Len returns how many numbers the set holds.
func (rs Ranges) Len() uint64 {
	var n uint64
	for _, r := range rs {
		n += r.Len()
	}
	return n
}

// Contains reports whether seq is in the set.
func (rs Ranges) Contains(seq uint64) bool {
	_, found := slices.BinarySearchFunc(rs, seq, func(r Range, seq uint64) int {
		switch {
		case r.Last < seq:
			return -1
		case r.First > seq:
			return 1
		}
		return 0
	})
	return found
}

// Add returns the set with r in it. Adding at the end, the common case, is cheap;
// the receiver's memory may be reused, as with append.
func (rs Ranges) Add(r Range) Ranges {
	if n := len(rs); n == 0 || rs[n-1].Last < r.First {
		if n > 0 && rs[n-1].Last+1 == r.First {
			rs[n-1].Last = r.Last
			return rs
		}
		return append(rs, r)
	}
	// The ranges that overlap or touch r are replaced by their union with it.
	lo, _ := slices.BinarySearchFunc(rs, r.First, func(x Range, first uint64) int {
		if x.Last+1 < first {
			return -1
		}
		return 1
	})
	hi := lo
	for hi < len(rs) && rs[hi].First <= r.Last+1 {
		r.First, r.Last = min(r.First, rs[hi].First), max(r.Last, rs[hi].Last)
		hi++
	}
	return slices.Replace(rs, lo, hi, r)
}

// Union returns the set with all of other in it, reusing memory as Add does.
func (rs Ranges) Union(other Ranges) Ranges {
	for _, r := range other {
		rs = rs.Add(r)
	}
	return rs
}

// Remove returns the set without the numbers of r, in new memory.
func (rs Ranges) Remove(r Range) Ranges {
	out := make(Ranges, 0, len(rs)+1)
	for _, x := range rs {
		if x.Last < r.First || x.First > r.Last {
			out = append(out, x)
			continue
		}
		if x.First < r.First {
			out = append(out, Range{x.First, r.First - 1})
		}
		if x.Last > r.Last {
			out = append(out, Range{r.Last + 1, x.Last})
		}
	}
	return out
}

// Overlaps reports whether the two sets have a number in common.
func (rs Ranges) Overlaps(other Ranges) bool {
	for i, j := 0, 0; i < len(rs) && j < len(other); {
		switch {
		case rs[i].Last < other[j].First:
			i++
		case other[j].Last < rs[i].First:
			j++
		default:
			return true
		}
	}
	return false
}

// String writes the set as a seal does: "0-99,104,200-300".
func (rs Ranges) String() string {
	var b []byte
	for i, r := range rs {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, r.First, 10)
		if r.Last > r.First {
			b = append(b, '-')
			b = strconv.AppendUint(b, r.Last, 10)
		}
	}
	return string(b)
}

var errRanges = errors.New("not ranges like 0-99,104,200-300: ascending, apart, in their shortest form")

// ParseRanges parses the one spelling of at most limit ranges, at least one.
func ParseRanges(s string, limit int) (Ranges, error) {
	if strings.Count(s, ",") >= limit {
		return nil, errors.New("more ranges than a seal may hold")
	}
	var rs Ranges
	for part := range strings.SplitSeq(s, ",") {
		first, last, two := strings.Cut(part, "-")
		r := Range{}
		var err error
		if r.First, err = parseNumber(first); err != nil {
			return nil, errRanges
		}
		r.Last = r.First
		if two {
			if r.Last, err = parseNumber(last); err != nil || r.Last <= r.First {
				return nil, errRanges
			}
		}
		if n := len(rs); n > 0 && rs[n-1].Last+1 >= r.First {
			return nil, errRanges
		}
		rs = append(rs, r)
	}
	return rs, nil
}
