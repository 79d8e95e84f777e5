// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"fmt"
	"strings"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// subject is what a code's sentences, which are predicates, are about.
type subject int

const (
	aStream     subject = iota // "Stream web-17 lacks seals 3 to 9: …"
	aRecord                    // "Record k3x7a2qd-17 of stream web-17 is not …", "Each of the 14 records … was sealed …"
	someRecords                // "Records are seals of stream …"
	anArchive                  // "The archive ends within …"
)

var subjects = map[finding.Code]subject{
	finding.Altered: aRecord, finding.Unresolved: aRecord, finding.Missing: aRecord, finding.Inserted: aRecord,
	finding.Conflict: aRecord, finding.Unstamped: aRecord, finding.Orphan: aRecord, finding.Malformed: aRecord,
	finding.Late: aRecord, finding.Unsealed: aRecord, finding.Doubt: aRecord, finding.Before: aRecord,

	finding.MissingSeal: aStream, finding.Absent: aStream, finding.Forked: aStream, finding.BrokenChain: aStream,
	finding.FurtherStream: aStream, finding.NotPostQuantum: aStream, finding.NotPostQuantumYet: aStream,
	finding.Silent: aStream, finding.OpenEnd: aStream, finding.Voided: aStream, finding.StateRolledBack: aStream,

	finding.BadSeal: someRecords, finding.UnknownStream: someRecords, finding.Unsupported: someRecords,

	// Of package watch alone.
	finding.IdentityMismatch: someRecords, finding.Unchecked: aRecord,

	finding.Truncated: anArchive,

	// Of a store's export.
	finding.Uncheckable: aRecord, finding.NotExported: aRecord,
}

// Message is the event in one plain sentence.
func Message(e *watch.Event) string {
	f := &e.Finding
	text := f.Message()
	if f.Reason == finding.NoStream { // it has a subject of its own
		text = strings.ToUpper(text[:1]) + text[1:]
	} else {
		text = nameSubject(e) + " " + text
	}
	if e.State == watch.Resolved {
		text = "Resolved: " + text
	}
	return text + "."
}

func nameSubject(e *watch.Event) string {
	f := &e.Finding
	of := ""
	if f.Stream != "" {
		of = " of stream " + f.Stream
	}
	switch subjects[f.Code] {
	case someRecords:
		if f.Count == 1 {
			return "Records" + of // the sentences are in the plural
		}
		return fmt.Sprintf("%d records%s", f.Count, of)
	case anArchive:
		return "The archive"
	case aRecord:
		switch {
		case f.Count > 1 && f.LastID != "" && len(e.Evidence) <= 1:
			return fmt.Sprintf("Each of the %d records %s to %s%s", f.Count, f.ID, f.LastID, of)
		case f.Count > 1 && f.ID != "":
			return fmt.Sprintf("Each of %d records%s, %s the first,", f.Count, of, f.ID)
		case f.Count > 1:
			return fmt.Sprintf("Each of %d records%s", f.Count, of)
		case f.ID != "":
			return "Record " + f.ID + of
		}
		return "A record" + of
	}
	if f.Stream == "" {
		return "A stream"
	}
	return "Stream " + f.Stream
}
