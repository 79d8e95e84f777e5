// SPDX-License-Identifier: Apache-2.0

package seal

// Place is where a record was found.
type Place struct {
	File string // as it was named or found, "-" for standard input
	Line int    // the line, or the number of the frame in a binary file, from 1
}

// Observed is a log record as a verifier found it, read strictly and changed in nothing.
type Observed struct {
	Place Place

	// Fault says why the record is malformed: it has no meaning that two readers would agree on. Empty when it is well-formed.
	Fault string

	// ID is the record's stamp. A malformed record may have one too.
	ID    ID
	HasID bool

	// Canonical is the record's canonical encoding with every attribute but the id, and Attributes where in it the map of the
	// record's own attributes begins. Both are unset when the record is malformed.
	Canonical  []byte
	Attributes int

	// Note is the body of a record that claims to be a seal (see [IsSeal]), nil for any other.
	Note []byte
}
