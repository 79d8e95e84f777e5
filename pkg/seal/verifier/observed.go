// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Observed is a log record as a verifier found it, read strictly and changed in nothing. The package archive makes them
// from files.
type Observed struct {
	Place finding.Place

	// Fault says why the record is malformed: it has no meaning that two readers would agree on. Empty when it is well-formed.
	Fault finding.Reason

	// ID is the record's stamp. A malformed record may have one too.
	ID    seal.ID
	HasID bool

	// Record is unset when the record is malformed.
	canonical.Record

	// Note is the body of a record that claims to be a seal (see [IsSeal]), nil for any other.
	Note []byte

	policy *seal.Policy // under which leaf was computed; nil while it was not
	leaf   seal.Hash
}

// digest computes the leaf under a policy, unless that has been done.
func (o *Observed) digest(policy *seal.Policy) {
	if o.policy != policy {
		o.policy, o.leaf = policy, o.Digest(policy)
	}
}
