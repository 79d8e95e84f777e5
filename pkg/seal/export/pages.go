// SPDX-License-Identifier: Apache-2.0

package export

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strconv"
)

// says reports whether the value at a path says something of an answer.
func (l *layout) says(path string) bool {
	return path == l.offset || slices.Contains(l.total, path) || slices.Contains(l.atLeast, path) || slices.Contains(l.partial, path)
}

// note takes in what an answer says of itself.
func (r *reader) note(path string, raw []byte) {
	switch {
	case path == "":
	case slices.Contains(r.layout.total, path):
		if n, err := strconv.Atoi(string(raw)); err == nil {
			r.page.total = n
		}
	case slices.Contains(r.layout.atLeast, path):
		r.page.more = string(raw) == `"gte"`
	case path == r.layout.offset:
		if n, err := strconv.Atoi(string(raw)); err == nil {
			r.page.offset = n
		}
	case slices.Contains(r.layout.partial, path):
		if s := string(raw); s != "false" && s != "0" && s != "null" {
			r.page.partial = true
		}
	}
}

// seed is of the hashes by which rows are told apart. Nobody can make two with one hash, who does not know it.
var seed = maphash.MakeSeed()

// count notes a row of an answer. Where the store says how many there are, a row that comes again, in a page that was fetched twice, counts once.
func (r *reader) count(raw []byte) {
	r.rows++
	if len(r.layout.total) > 0 {
		r.page.distinct = append(r.page.distinct, maphash.Bytes(seed, raw))
	}
}

// lackingPages reports whether answers say that records are missing from them: one is partial, there are fewer records than answers with one total
// say that there are, or there is a hole before one that says how many stand before it.
func lackingPages(pages []page) bool {
	totals := map[int]map[uint64]bool{}
	var offsets []page
	for _, p := range pages {
		if p.partial {
			return true
		}
		if p.total >= 0 {
			if totals[p.total] == nil {
				totals[p.total] = map[uint64]bool{}
			}
			for _, row := range p.distinct {
				totals[p.total][row] = true
			}
		}
		if p.offset >= 0 {
			offsets = append(offsets, p)
		}
	}
	for total, rows := range totals {
		if len(rows) < total {
			return true
		}
	}
	slices.SortFunc(offsets, func(a, b page) int { return cmp.Compare(a.offset, b.offset) })
	reached := 0
	for _, p := range offsets {
		if p.offset > reached {
			return true
		}
		reached = max(reached, p.offset+p.rows)
	}
	return false
}
