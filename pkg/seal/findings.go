// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"cmp"
	"slices"
	"time"
)

// Verdict is what a verifier says of a record, a range of records, a seal or a stream. docs/verify.md says what each
// means to whoever reads a report.
type Verdict string

// Something is wrong.
const (
	Altered       Verdict = "ALTERED"        // the record is not what was sealed under its id
	Unresolved    Verdict = "UNRESOLVED"     // one of a group that does not verify as a whole; it may be the bad one
	Missing       Verdict = "MISSING"        // sealed, and not there
	Inserted      Verdict = "INSERTED"       // an id that its session never gave out
	Conflict      Verdict = "CONFLICT"       // an id that another record has too, with other content
	Unstamped     Verdict = "UNSTAMPED"      // no id
	Orphan        Verdict = "ORPHAN"         // an id of no authenticated session
	Malformed     Verdict = "MALFORMED"      // not readable in one way only
	Late          Verdict = "LATE"           // sealed, but nothing vouches for the seal but a later one
	Absent        Verdict = "ABSENT"         // a trusted stream without an authentic seal
	UnknownStream Verdict = "UNKNOWN_STREAM" // seals of a stream that nobody trusts
	BadSeal       Verdict = "BAD_SEAL"       // looks like a seal; no key that was expected signed it
	MissingSeal   Verdict = "MISSING_SEAL"   // a seal number is not there
	Forked        Verdict = "FORKED"         // two authentic seals have one number
	BrokenChain   Verdict = "BROKEN_CHAIN"   // authentic seals contradict each other
	Unsupported   Verdict = "UNSUPPORTED"    // seals of a format version that is not known here
	Silent        Verdict = "SILENT"         // the stream ends before the time up to which it must be complete
)

// Nothing is wrong, but something cannot be known.
const (
	Unsealed        Verdict = "UNSEALED"          // no seal covers the record yet, or the one that did is missing
	StateRolledBack Verdict = "STATE_ROLLED_BACK" // the host's storage fell behind its keys
	Doubt           Verdict = "DOUBT"             // was on its way when the host stopped; may never have left it
	Voided          Verdict = "VOIDED"            // an id that the host declared void; anybody could have put it there
	OpenEnd         Verdict = "OPEN_END"          // the stream was running where the archive ends
)

// wrong reports whether the verdict is that something is wrong.
func (v Verdict) wrong() bool {
	switch v {
	case Unsealed, StateRolledBack, Doubt, Voided, OpenEnd:
		return false
	}
	return true
}

// Outcome is the verdict on a whole archive or stream.
type Outcome string

// The outcomes, and the exit status of "logseal verify" for each.
const (
	OK         Outcome = "ok"         // 0: every record verified, none missing
	Incomplete Outcome = "incomplete" // 3: nothing is wrong, but something cannot be known
	Tampered   Outcome = "tampered"   // 1: something is wrong
)

func (o Outcome) worse(other Outcome) Outcome {
	if o == Tampered || other == Tampered {
		return Tampered
	}
	if o == Incomplete || other == Incomplete {
		return Incomplete
	}
	return OK
}

// Finding is one thing that is not in order: of a record, of a run of records with ids that follow each other, of a seal or of
// a stream.
type Finding struct {
	Verdict Verdict
	Stream  string // the operator's name of the trusted stream; empty where it is of none
	ID      string // of the first record; empty where it has none
	LastID  string // of the last record of a run; empty for one record
	Count   uint64 // how many records or seals
	Place   Place  // of the first; the zero Place for what is not there
	Message string // one sentence

	outcome Outcome
	handle  *handle
	seq     uint64
	last    uint64
}

// StreamReport is what there is to say of one stream.
type StreamReport struct {
	Name     string
	StreamID string
	Outcome  Outcome

	Records    uint64    // with an id of the stream's sessions, duplicates included
	Verified   uint64    // of them: exactly what was sealed
	Duplicates uint64    // benign: the same record again
	Voided     uint64    // present though the host voided their ids; they prove nothing
	Voids      uint64    // ids that were given out and never forwarded
	From, To   time.Time // the earliest and latest time that the records give

	Seals        uint64    // authentic seals
	CompleteAsOf time.Time // the time of the last of them
	Closed       bool      // the last of them closes its session
	Excluded     []string  // attributes that no digest covers, as the stream declares
}

// Report is the result of a verification.
type Report struct {
	Outcome    Outcome
	FirstUse   bool   // the keys are those that the archive itself names: see [NewFirstUseVerifier]
	Records    uint64 // all that are not seals
	Verified   uint64
	Duplicates uint64
	Streams    []StreamReport
	Findings   []Finding
	Omitted    uint64 // records and seals with findings that are not listed, beyond the first 2,000 of each verdict
}

// maxFindings bounds the memory and the length of a report on a ruined archive, for each verdict: many findings of one kind
// must not hide those of another. What is beyond is counted.
const maxFindings = 2000

// findings collects what is found, and joins runs of the same.
type findings struct {
	list    []Finding
	groups  map[findingKey]int // findings that are joined wherever they are
	listed  map[Verdict]int
	omitted uint64
	outcome Outcome
	streams map[string]Outcome // by name
}

// findingKey is what makes findings without ids the same.
type findingKey struct {
	verdict         Verdict
	stream, message string
	file            string
}

func (fs *findings) note(f *Finding) {
	if f.outcome == "" {
		f.outcome = Incomplete
		if f.Verdict.wrong() {
			f.outcome = Tampered
		}
	}
	fs.outcome = fs.outcome.worse(f.outcome)
	if f.Stream != "" {
		if fs.streams == nil {
			fs.streams = map[string]Outcome{}
		}
		fs.streams[f.Stream] = fs.streams[f.Stream].worse(f.outcome)
	}
}

// record adds a finding on a record with an id; it joins the finding before when it goes on from there.
func (fs *findings) record(f Finding) {
	fs.note(&f)
	f.Count = 1
	f.last = f.seq
	if n := len(fs.list); n > 0 {
		last := &fs.list[n-1]
		if last.Verdict == f.Verdict && last.handle == f.handle && last.Message == f.Message && last.Place.File == f.Place.File &&
			last.handle != nil && last.last+1 == f.seq {
			last.last = f.seq
			last.Count++
			last.LastID = f.ID
			return
		}
	}
	fs.append(f)
}

// other adds a finding without an id; all in one file that say the same become one.
func (fs *findings) other(f Finding) {
	fs.note(&f)
	f.Count = max(f.Count, 1)
	key := findingKey{f.Verdict, f.Stream, f.Message, f.Place.File}
	if i, ok := fs.groups[key]; ok {
		fs.list[i].Count += f.Count
		return
	}
	if fs.append(f) {
		if fs.groups == nil {
			fs.groups = map[findingKey]int{}
		}
		fs.groups[key] = len(fs.list) - 1
	}
}

// append lists a finding, or only counts it when there are enough of its kind.
func (fs *findings) append(f Finding) bool {
	if fs.listed[f.Verdict] >= maxFindings {
		fs.omitted += f.Count
		return false
	}
	if fs.listed == nil {
		fs.listed = map[Verdict]int{}
	}
	fs.listed[f.Verdict]++
	fs.list = append(fs.list, f)
	return true
}

// sorted returns the findings in the order of a report: streams first, the gravest first in each.
func (fs *findings) sorted() []Finding {
	slices.SortStableFunc(fs.list, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(rank(a.outcome), rank(b.outcome)),
			cmp.Compare(a.Stream, b.Stream),
		)
	})
	return fs.list
}

func rank(o Outcome) int {
	if o == Tampered {
		return 0
	}
	return 1
}
