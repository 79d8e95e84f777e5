// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Verdict is the verdict on an archive or a stream, and the class of a finding: what it means for the whole.
type Verdict string

// The verdicts, from good to bad.
const (
	OK         Verdict = "ok"         // every record verified, none missing; no finding has it
	Incomplete Verdict = "incomplete" // nothing is wrong, but something cannot be known
	Tampered   Verdict = "tampered"   // something is wrong
)

// ExitStatus returns the status that "logseal verify" ends with: 0, 3 or 1.
func (v Verdict) ExitStatus() int {
	switch v {
	case OK:
		return 0
	case Incomplete:
		return 3
	}
	return 1
}

// Worse returns the worse of two verdicts. The zero Verdict counts as OK.
func (v Verdict) Worse(other Verdict) Verdict {
	for _, worst := range []Verdict{Tampered, Incomplete} {
		if v == worst || other == worst {
			return worst
		}
	}
	return OK
}

// Place is where a record or a seal was found.
type Place struct {
	File string // as it was named or found, "-" for standard input; for a watcher, who sees no files, words of its own
	Line int    // the line, or the number of the frame in a binary file, from 1; 0 where there are none
}

// String returns "file:line", or the file alone where there are no lines.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Finding is one thing that is not in order: of a record, of a run of records whose ids follow each other, of seals, or of a
// stream.
type Finding struct {
	Code   Code
	Reason Reason
	Stream string // the operator's name of the trusted stream; empty where it is of none
	ID     string // of the first record; empty where it has none
	LastID string // of the last record of a run; empty for one record
	Count  uint64 // how many records or seals
	Place  Place  // of the first; the zero Place for what is not there
	Detail Detail

	// Further are more reasons of the same code that the same seal gives.
	Further []Reason

	handle      string
	first, last uint64 // numbers of ID and LastID
}

// Detail is what a finding's sentence names beside records and places. It is comparable. What does not apply is zero.
type Detail struct {
	Seals    Seals
	By       uint64 // the number of another seal that the sentence names
	N        uint64 // how many records or seals the sentence counts
	Group    string // the ids of records that were sealed together: "k3x7a2qd-16 to 31"
	Other    Place  // of the record that this one stands against
	StreamID string // that a seal claims
	Time     string // of the last seal, RFC 3339
	Lost     string // what a store does not give back of a record, a clause
}

// Seals are the numbers of one or of several seals that follow each other.
type Seals struct {
	Any         bool // false where the finding is not of seals
	First, Last uint64
}

// String returns "seal 17", or "seals 3 to 9".
func (s Seals) String() string {
	if s.First == s.Last {
		return "seal " + strconv.FormatUint(s.First, 10)
	}
	return fmt.Sprintf("seals %d to %d", s.First, s.Last)
}

// Seal is one seal, by its number.
func Seal(number uint64) Seals { return Seals{true, number, number} }

// Stamp writes a time as [Detail] holds it.
func Stamp(t time.Time) string { return t.Format(time.RFC3339Nano) }

// New returns a finding of one record, seal or stream for a reason that is in the table.
func New(reason Reason) Finding {
	return Finding{Code: reason.Code(), Reason: reason, Count: 1}
}

// Verdict returns the finding's class.
func (f *Finding) Verdict() Verdict { return f.Code.Verdict() }

// SetID says which record the finding is on.
func (f *Finding) SetID(handle string, seq uint64) { f.SetIDs(handle, seq, seq) }

// SetIDs says which run of records the finding is on, both ends included, and counts them.
func (f *Finding) SetIDs(handle string, first, last uint64) {
	f.handle, f.first, f.last = handle, first, last
	f.ID, f.LastID, f.Count = handle+"-"+strconv.FormatUint(first, 10), "", last-first+1
	if last > first {
		f.LastID = handle + "-" + strconv.FormatUint(last, 10)
	}
}

// Key is what findings of one cause have in common. It is comparable, and holds no sentence.
type Key struct {
	Code   Code
	Reason Reason
	Stream string
	File   string
	Detail Detail
}

// Key returns the finding's.
func (f *Finding) Key() Key { return Key{f.Code, f.Reason, f.Stream, f.Place.File, f.Detail} }

// follows reports whether f goes on where a run of the same cause ends.
func (f *Finding) follows(before *Finding) bool {
	return before.handle != "" && before.handle == f.handle && before.last+1 == f.first && before.Key() == f.Key()
}

// Message returns the finding's sentence: a predicate, of which the record, the seals or the stream are the subject.
func (f *Finding) Message() string {
	var b strings.Builder
	b.WriteString(f.Code.entry().Lead)
	b.WriteString(f.Reason.sentence())
	for _, more := range f.Further {
		b.WriteString(", and ")
		b.WriteString(more.sentence())
	}
	d := &f.Detail
	return strings.NewReplacer(
		"{seals}", d.Seals.String(), "{seal}", strconv.FormatUint(d.Seals.First, 10), "{by}", strconv.FormatUint(d.By, 10),
		"{n}", strconv.FormatUint(d.N, 10), "{group}", d.Group, "{other}", d.Other.String(), "{stream_id}", d.StreamID, "{time}", d.Time, "{lost}", d.Lost,
	).Replace(b.String())
}
