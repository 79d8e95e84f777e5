// SPDX-License-Identifier: Apache-2.0

package export

import (
	"cmp"
	"slices"
	"strconv"
)

// says reports whether the value at a path says something of an answer.
func (l *layout) says(path string) bool {
	return path == l.offset || slices.Contains(l.total, path) || slices.Contains(l.partial, path)
}

// note takes in what an answer says of itself.
func (r *reader) note(path string, raw []byte) {
	switch {
	case path == "":
	case slices.Contains(r.layout.total, path):
		if n, err := strconv.Atoi(string(raw)); err == nil {
			r.page.total = n
		}
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

// lackingPages reports whether answers say that records are missing from them: one is partial, there are fewer records than answers with one total
// say that there are, or there is a hole before one that says how many stand before it.
func lackingPages(pages []page) bool {
	totals := map[int]int{}
	var offsets []page
	for _, p := range pages {
		if p.partial {
			return true
		}
		if p.total >= 0 {
			totals[p.total] += p.rows
		}
		if p.offset >= 0 {
			offsets = append(offsets, p)
		}
	}
	for total, rows := range totals {
		if rows < total {
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
