// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"crypto/sha256"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// AddLogs takes in records and seals as pdata has read them; see [Observe].
func (v *Verifier) AddLogs(ld plog.Logs, place finding.Place) { Observe(ld, place, v.Add) }

// Observe calls emit with each record of ld, seals included, all at one place. What pdata lets through without a trace, such as
// repeated members in JSON, cannot be seen any more: for archives use the package archive. The record is valid until emit returns.
func Observe(ld plog.Logs, place finding.Place, emit func(*Observed)) {
	var h canonical.Hasher
	var none seal.Policy
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			encoding, err := h.SourceEncoding(rl, sl, &none)
			source := &canonical.Source{Encoding: slices.Clone(encoding)}
			digest := seal.Hash(sha256.Sum256(encoding))
			for _, lr := range sl.LogRecords().All() {
				o := Observed{Place: place, Record: canonical.Record{Source: source}}
				o.observe(&h, &digest, lr, &none, err)
				emit(&o)
			}
		}
	}
}

// observe fills in an observed record from pdata. err is what is wrong with its source.
func (o *Observed) observe(h *canonical.Hasher, source *seal.Hash, lr plog.LogRecord, plain *seal.Policy, err error) {
	id, has, idErr := canonical.ReadID(lr.Attributes())
	o.ID, o.HasID = id, has
	if idErr != nil {
		err = idErr
	}
	if err == nil {
		o.Canonical, err = h.Canonical(source, lr, plain)
	}
	if err != nil {
		o.Fault, o.Canonical = canonical.Fault(err), nil
		return
	}
	o.Attributes = canonical.AttributesAt(o.Canonical)
	if seal.IsSeal(lr) {
		o.Note = []byte(lr.Body().Str())
	}
}
