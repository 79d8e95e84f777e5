// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

var errNoID = errors.New("its id is no id, or is there twice")

// ReadID returns the id among a record's own attributes, if there is one. The error says that the record has no one id; one that can be
// read is returned all the same.
func ReadID(attributes pcommon.Map) (id seal.ID, has bool, err error) {
	ids := 0
	for key, value := range attributes.All() {
		if key != seal.IDKey {
			continue
		}
		ids++
		read, idErr := seal.ParseID(value.Str())
		if value.Type() != pcommon.ValueTypeStr || idErr != nil || ids > 1 {
			err = errNoID
			continue
		}
		id, has = read, true
	}
	return id, has, err
}

// Fault says why a record that pdata has read is malformed, by the error of [ReadID] or of a [Hasher].
func Fault(err error) finding.Reason {
	switch {
	case errors.Is(err, errNoID):
		return finding.BadID
	case errors.Is(err, ErrDuplicateKey):
		return finding.AttributeRepeated
	case errors.Is(err, ErrInvalidUTF8):
		return finding.InvalidUTF8
	case errors.Is(err, ErrTooDeep):
		return finding.TooDeep
	}
	return finding.EntityRefs
}
