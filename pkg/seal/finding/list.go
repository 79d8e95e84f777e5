// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"cmp"
	"slices"
)

// MaxListed bounds the memory and the length of a report on a ruined archive, for each code: many findings of one kind must not
// hide those of another. What is beyond is counted.
const MaxListed = 2000

// List collects findings: runs of records are joined, and so is what has one cause. The zero value is ready.
type List struct {
	// Instead says which reason stands for another one, because there is an explanation of that which is no tampering.
	Instead map[Reason]Reason

	list    []Finding
	groups  map[Key]int // findings that are joined wherever they are
	listed  map[Code]int
	omitted uint64
	verdict Verdict
	streams map[string]Verdict // by name
}

// Note lets a finding count for the verdicts without listing it.
func (l *List) Note(f *Finding) {
	l.verdict = l.verdict.Worse(f.Verdict())
	if f.Stream != "" {
		if l.streams == nil {
			l.streams = map[string]Verdict{}
		}
		l.streams[f.Stream] = l.streams[f.Stream].Worse(f.Verdict())
	}
}

// AddRecord adds a finding on one record with an id; it joins the finding before when it goes on from there.
func (l *List) AddRecord(f Finding) {
	l.replace(&f)
	if n := len(l.list); n > 0 && f.follows(&l.list[n-1]) {
		before := &l.list[n-1]
		l.Note(&f)
		before.SetIDs(before.handle, before.first, f.last)
		return
	}
	l.Add(f)
}

// AddCause adds a finding without an id; all of one cause in one file become one.
func (l *List) AddCause(f Finding) {
	l.replace(&f)
	key := f.Key()
	if i, ok := l.groups[key]; ok {
		l.Note(&f)
		l.list[i].Count += f.Count
		return
	}
	if l.Add(f) {
		if l.groups == nil {
			l.groups = map[Key]int{}
		}
		l.groups[key] = len(l.list) - 1
	}
}

// Add adds a finding as it is, and reports whether it is listed: there may be enough of its code.
func (l *List) Add(f Finding) bool {
	l.replace(&f)
	l.Note(&f)
	if l.listed[f.Code] >= MaxListed {
		l.omitted += f.Count
		return false
	}
	if l.listed == nil {
		l.listed = map[Code]int{}
	}
	l.listed[f.Code]++
	l.list = append(l.list, f)
	return true
}

func (l *List) replace(f *Finding) {
	if reason, ok := l.Instead[f.Reason]; ok {
		f.Reason, f.Code = reason, reason.Code()
	}
}

// Omit counts a finding on one record without listing it.
func (l *List) Omit(f *Finding) {
	l.replace(f)
	l.Note(f)
	l.omitted++
}

// Omitted returns how many records and seals have findings that are not listed.
func (l *List) Omitted() uint64 { return l.omitted }

// Verdict returns the verdict on everything.
func (l *List) Verdict() Verdict { return l.verdict.Worse(OK) }

// StreamVerdict returns the verdict on a stream.
func (l *List) StreamVerdict(name string) Verdict { return l.streams[name].Worse(OK) }

// Sorted returns the findings in the order of a report: what is wrong first, then by stream, and within one as they came.
func (l *List) Sorted() []Finding {
	rank := map[Verdict]int{Tampered: 0, Incomplete: 1}
	slices.SortStableFunc(l.list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Verdict()], rank[b.Verdict()]), cmp.Compare(a.Stream, b.Stream))
	})
	return l.list
}
