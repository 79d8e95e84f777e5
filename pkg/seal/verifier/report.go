// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/logseal/logseal/pkg/seal/finding"
)

// StreamReport is what there is to say of one stream.
type StreamReport struct {
	Name     string
	StreamID string
	Verdict  finding.Verdict

	Records    uint64    // with an id of the stream's sessions, duplicates included
	Verified   uint64    // of them: exactly what was sealed
	Duplicates uint64    // benign: the same record again
	Voided     uint64    // present though the host voided their ids; they prove nothing
	Voids      uint64    // ids that were given out and never forwarded
	Elsewhere  uint64    // sealed outside the interval that was asked for, and not here: see [Coverage]
	Unjudged   uint64    // here, of no time in the interval, and not to be judged without others that are not here
	From, To   time.Time // the earliest and latest time that the records give

	Seals        uint64    // authentic seals
	CompleteAsOf time.Time // the time of the last of them
	Closed       bool      // the last of them closes its session
	Excluded     []string  // attributes that no digest covers, as the stream declares

	// PostQuantum says up to which seal the proof does not rest on Ed25519, if NotPostQuantum is empty: that says why it does from the beginning.
	PostQuantum    uint64
	NotPostQuantum finding.Reason

	Identity string // of the certificate that vouches for the stream, if one does
	GoesOn   string // the id of the stream of the same identity and name that was closed before this one began; empty if there is none
}

// Report is the result of a verification.
type Report struct {
	Verdict     finding.Verdict
	FirstUse    bool   // the keys are those that the archive itself names: see [NewFirstUse]
	Records     uint64 // all that are not seals
	Verified    uint64
	Duplicates  uint64
	Unjudged    uint64 // of no stream: of sessions from before the seal that a stream is verified from. Streams have theirs
	Streams     []StreamReport
	Findings    []finding.Finding
	Checkpoints []Checkpoint // where a later verification can go on, of each stream that has an authentic seal
	Omitted     uint64       // records and seals with findings that are not listed, beyond the first [finding.MaxListed] of each code
}

// report puts the report together.
func (v *Verifier) report(streams []*stream) *Report {
	r := &Report{Records: v.count, Verdict: v.findings.Verdict(), FirstUse: v.firstUse, Duplicates: v.records.Duplicates()}
	for _, st := range streams {
		if !st.chain.Begun() && st.chain.Trust().Optional || v.isStrange(st) {
			continue
		}
		sr := v.streamReport(st)
		r.Streams = append(r.Streams, sr)
		r.Verified += sr.Verified
	}
	r.Verified -= v.records.Repeats()
	r.Unjudged = v.records.UnjudgedStrangers()
	r.Checkpoints = v.checkpoints()
	r.Findings, r.Omitted = v.findings.Sorted(), v.findings.Omitted()
	return r
}

// sortedStreams returns the streams by name.
func (v *Verifier) sortedStreams() []*stream {
	return slices.SortedFunc(maps.Values(v.streams), func(a, b *stream) int { return cmp.Compare(a.chain.Name(), b.chain.Name()) })
}

func (v *Verifier) streamReport(st *stream) StreamReport {
	c := st.chain
	sr := StreamReport{Name: c.Name(), StreamID: c.StreamID(), Verdict: v.findings.StreamVerdict(c.Name()), Seals: c.Seals(), Excluded: st.sessions.Excluded(), Identity: st.identity, GoesOn: st.goesOn}
	if c.Begun() {
		sr.CompleteAsOf, sr.Closed = c.End().Time, c.Closed()
		sr.PostQuantum, sr.NotPostQuantum = c.PostQuantum()
	}
	var from, to uint64
	for _, s := range st.sessions.All() {
		t := v.records.Tally(s)
		sr.Verified += t.Verified
		sr.Voids += s.Voids()
		sr.Records += t.Records
		sr.Duplicates += t.Duplicates
		sr.Voided += t.Voided
		sr.Elsewhere += t.Elsewhere
		sr.Unjudged += t.Unjudged
		if t.From != 0 && (from == 0 || t.From < from) {
			from = t.From
		}
		to = max(to, t.To)
	}
	if to != 0 {
		sr.From, sr.To = time.Unix(0, int64(from)).UTC(), time.Unix(0, int64(to)).UTC()
	}
	return sr
}

// WriteText writes the report for people: a line for each stream, then the findings. What comes from the archive or its
// file names cannot move the cursor or forge a line: control characters are escaped.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if len(r.Streams) > 0 {
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "STREAM\tVERDICT\tRECORDS\tVERIFIED\tFROM\tTO\tSEALS\tCOMPLETE AS OF")
		for _, s := range r.Streams {
			fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\t%d\t%s\n", Printable(s.Name), s.Verdict, s.Records, s.Verified, when(s.From), when(s.To), s.Seals, when(s.CompleteAsOf))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		for _, s := range r.Streams {
			for _, line := range s.remarks() {
				fmt.Fprintf(&b, "%s: %s\n", Printable(s.Name), line)
			}
		}
		b.WriteByte('\n')
	}
	for i := range r.Findings {
		b.WriteString(findingText(&r.Findings[i]))
		b.WriteByte('\n')
	}
	if r.Omitted > 0 {
		fmt.Fprintf(&b, "and findings on %d more records or seals, which are not listed\n", r.Omitted)
	}
	if len(r.Findings) > 0 {
		b.WriteByte('\n')
	}
	if r.Unjudged > 0 {
		fmt.Fprintf(&b, "%d records are from outside the interval and of sessions that no seal here tells of: they are not judged\n\n", r.Unjudged)
	}
	fmt.Fprintf(&b, "%s: %d of %d records verified\n", r.Verdict, r.Verified, r.Records)
	if r.FirstUse {
		b.WriteString("The keys were taken from the archive itself: this shows whether it is consistent, not whose it is.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// remarks are what there is to know of a stream that is no finding.
func (s *StreamReport) remarks() []string {
	var list []string
	if len(s.Excluded) > 0 {
		list = append(list, "no digest covers the attributes "+Printable(strings.Join(s.Excluded, ", "))+", as the stream declares")
	}
	switch {
	case s.Seals == 0:
	case s.NotPostQuantum == "":
		list = append(list, fmt.Sprintf("the proof is post-quantum up to seal %d", s.PostQuantum))
	case s.NotPostQuantum == finding.LineWithoutMLDSA:
		list = append(list, "not post-quantum: what the stream is trusted by does not name its ML-DSA key")
	}
	if s.GoesOn != "" {
		list = append(list, "goes on under the identity and name of stream "+s.GoesOn+", which was closed before it began")
	}
	if s.Elsewhere > 0 {
		list = append(list, fmt.Sprintf("%d records were sealed outside the interval and are not here", s.Elsewhere))
	}
	if s.Unjudged > 0 {
		list = append(list, fmt.Sprintf("%d records that are here are from outside the interval, and are not judged: what was sealed with them, or their seal, is not here", s.Unjudged))
	}
	if s.Duplicates > 0 {
		list = append(list, fmt.Sprintf("%d records are here more than once, each time the same (DUPLICATE)", s.Duplicates))
	}
	if s.Voids > 0 {
		list = append(list, fmt.Sprintf("%d ids were given to records that the host then could not pass on (VOIDED); %d of them are here", s.Voids, s.Voided))
	}
	return list
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// findingText is one line: code, what it is about, where it is, what happened.
func findingText(f *finding.Finding) string {
	parts := []string{string(f.Code)}
	if f.Stream != "" {
		parts = append(parts, f.Stream)
	}
	if f.ID != "" {
		id := f.ID
		if f.LastID != "" {
			id += " to " + f.LastID
		}
		parts = append(parts, id)
	}
	if f.Count > 1 {
		parts = append(parts, fmt.Sprintf("(%d)", f.Count))
	}
	if f.Place.Line > 0 {
		parts = append(parts, f.Place.String())
	}
	return Printable(strings.Join(parts, "  ") + ": " + f.Message())
}

// Printable escapes what a terminal would act on, and what would make text look like other text: for whatever an archive or a
// file's name may hold.
func Printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}

// MarshalJSON writes the report for programs: docs/verify.md says what is in it.
func (r *Report) MarshalJSON() ([]byte, error) {
	type stream struct {
		Stream       string          `json:"stream"`
		ID           string          `json:"id"`
		Verdict      finding.Verdict `json:"verdict"`
		Records      uint64          `json:"records"`
		Verified     uint64          `json:"verified"`
		Duplicates   uint64          `json:"duplicates"`
		Voided       uint64          `json:"voided"`
		Voids        uint64          `json:"voids"`
		Elsewhere    uint64          `json:"outside_interval,omitempty"`
		Unjudged     uint64          `json:"not_judged,omitempty"`
		From         *time.Time      `json:"from,omitempty"`
		To           *time.Time      `json:"to,omitempty"`
		Seals        uint64          `json:"seals"`
		CompleteAsOf *time.Time      `json:"complete_as_of,omitempty"`
		Closed       bool            `json:"closed"`
		Excluded     []string        `json:"excluded,omitempty"`
		Identity     string          `json:"identity,omitempty"`
		GoesOn       string          `json:"goes_on,omitempty"`
		PostQuantum  *uint64         `json:"post_quantum_until,omitempty"`
	}
	type object struct {
		Code     finding.Code     `json:"code"`
		Reason   finding.Reason   `json:"reason"`
		Further  []finding.Reason `json:"further_reasons,omitempty"`
		Verdict  finding.Verdict  `json:"verdict"`
		Stream   string           `json:"stream,omitempty"`
		ID       string           `json:"id,omitempty"`
		LastID   string           `json:"last_id,omitempty"`
		Count    uint64           `json:"count"`
		File     string           `json:"file,omitempty"`
		Line     int              `json:"line,omitempty"`
		Seal     *uint64          `json:"seal,omitempty"`
		LastSeal *uint64          `json:"last_seal,omitempty"`
		Message  string           `json:"message"`
	}
	out := struct {
		Verdict    finding.Verdict `json:"verdict"`
		FirstUse   bool            `json:"first_use,omitempty"`
		Records    uint64          `json:"records"`
		Verified   uint64          `json:"verified"`
		Duplicates uint64          `json:"duplicates"`
		Unjudged   uint64          `json:"not_judged,omitempty"`
		Streams    []stream        `json:"streams"`
		Findings   []object        `json:"findings"`
		Omitted    uint64          `json:"omitted,omitempty"`
	}{r.Verdict, r.FirstUse, r.Records, r.Verified, r.Duplicates, r.Unjudged, []stream{}, []object{}, r.Omitted}
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	for i := range r.Streams {
		s := &r.Streams[i]
		var quantum *uint64
		if s.NotPostQuantum == "" && s.Seals > 0 {
			quantum = &s.PostQuantum
		}
		out.Streams = append(out.Streams, stream{
			s.Name, s.StreamID, s.Verdict, s.Records, s.Verified, s.Duplicates, s.Voided, s.Voids, s.Elsewhere, s.Unjudged,
			at(s.From), at(s.To), s.Seals, at(s.CompleteAsOf), s.Closed, s.Excluded, s.Identity, s.GoesOn, quantum,
		})
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		o := object{f.Code, f.Reason, f.Further, f.Verdict(), f.Stream, f.ID, f.LastID, f.Count, f.Place.File, f.Place.Line, nil, nil, f.Message()}
		if seals := f.Detail.Seals; seals.Any {
			o.Seal, o.LastSeal = &seals.First, &seals.Last
		}
		out.Findings = append(out.Findings, o)
	}
	return json.Marshal(out)
}
