// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal/finding"
)

// AddLogs takes in records and seals as pdata has read them, and gives all of them the same place. What pdata lets through
// without a trace, such as repeated members in JSON, cannot be seen any more: for archives use the package archive.
func (v *Verifier) AddLogs(ld plog.Logs, place finding.Place) {
	h := hashers.Get().(*Hasher)
	defer func() {
		h.release()
		hashers.Put(h)
	}()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			encoding, err := h.source(rl, sl, v.plain)
			encoding = slices.Clone(encoding)
			source := Hash(sha256.Sum256(encoding))
			for _, lr := range sl.LogRecords().All() {
				o := Observed{Place: place, Source: encoding}
				o.observe(h, &source, lr, v.plain, err)
				v.Add(&o)
			}
		}
	}
}

// observe fills in an observed record from pdata. err is what is wrong with its source.
func (o *Observed) observe(h *Hasher, source *Hash, lr plog.LogRecord, plain *Policy, err error) {
	ids := 0
	for key, value := range lr.Attributes().All() {
		if key != IDKey {
			continue
		}
		ids++
		id, idErr := ParseID(value.Str())
		if value.Type() != pcommon.ValueTypeStr || idErr != nil || ids > 1 {
			err = errID
			continue
		}
		o.ID, o.HasID = id, true
	}
	if err == nil {
		o.Canonical, err = h.Canonical(source, lr, plain)
	}
	if err != nil {
		o.Fault, o.Canonical = faultOf(err), nil
		return
	}
	o.Attributes = attributesAt(o.Canonical)
	if IsSeal(lr) {
		o.Note = []byte(lr.Body().Str())
	}
}

// faultOf says why a record that pdata has read is malformed.
func faultOf(err error) finding.Reason {
	switch {
	case errors.Is(err, errID):
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

// attributesAt returns where in a canonical encoding the pairs of the record's own attributes begin.
func attributesAt(b []byte) int {
	at := len(recordTag) + HashSize + 8 + 8 + 4
	for range 2 { // severity text and event name
		at += 4 + int(binary.BigEndian.Uint32(b[at:]))
	}
	at += 16 + 8 + 4 + 4
	return at + valueSize(b[at:])
}
