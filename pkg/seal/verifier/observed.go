// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/record"
)

// Observed is a log record as a verifier found it, read strictly and changed in nothing. The package archive makes them
// from files.
type Observed struct {
	Place finding.Place

	// Fault says why the record is malformed: it has no meaning that two readers would agree on. Empty when it is well-formed.
	// A fault of the code UNCHECKABLE says that a store gave it back otherwise than it was; Lost then says what is missing, as a clause.
	Fault finding.Reason
	Lost  string

	// ID is the record's stamp. A malformed record may have one too.
	ID    seal.ID
	HasID bool

	// Otherwise says what a store shows in another way than the record, its original, says: a noun, empty when nothing is known to differ.
	Otherwise string

	// Beside is the record as a store of OTLP shows it, where Otherwise says that it differs; nil elsewhere. What the stream excludes may differ.
	Beside *canonical.Record

	// Record is unset when the record is malformed.
	canonical.Record

	// Note is the body of a record that claims to be a seal (see [seal.IsSeal]), nil for any other.
	Note []byte

	digest record.Digest
}
