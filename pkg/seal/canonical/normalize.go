// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/logseal/logseal/pkg/seal"
)

// tooDeep stands for an array or map at [MaxDepth] that held anything.
const tooDeep = "logseal: nested deeper than 64"

// Leaves computes the digests of all records of ld, normalising resources and
// scopes, and those records that have no digest as they are. Whatever is
// normalised has a digest; if not, the batch is refused rather than the process lost.
func (h *Hasher) Leaves(ld plog.Logs, policy *seal.Policy, dst []seal.Hash) error {
	h.batch.Reset()
	for r := range ld.ResourceLogs().Len() {
		rl := ld.ResourceLogs().At(r)
		normalizeResource(rl)
		for c := range rl.ScopeLogs().Len() {
			sl := rl.ScopeLogs().At(c)
			normalizeScope(sl)
			source, err := h.Source(rl, sl, policy)
			if err != nil {
				return fmt.Errorf("no digest after normalising: %w", err)
			}
			records := sl.LogRecords()
			for n := range records.Len() {
				full, err := h.addNormal(&source, records.At(n), policy)
				if err != nil {
					return fmt.Errorf("no digest after normalising: %w", err)
				}
				if full {
					dst = dst[h.Digests(dst):]
				}
			}
		}
	}
	h.Digests(dst)
	return nil
}

// addNormal is [Hasher.Add] of a record that is normalised first if it has no digest, or has what a digest does not cover.
func (h *Hasher) addNormal(source *seal.Hash, lr plog.LogRecord, policy *seal.Policy) (full bool, err error) {
	if b, err := h.appendRecord(h.batch.Buffer(), source, lr, policy); err == nil && !h.hidesFields(lr) {
		return h.addEncoded(b), nil
	}
	normalizeRecord(lr)
	return h.Add(source, lr, policy)
}

// normalizeRecord changes a record into one that has a digest: duplicate keys
// collapse to the last, each invalid UTF-8 byte becomes U+FFFD, references into a
// string table that logs do not have become empty values, and what nests deeper
// than [MaxDepth] a tombstone.
func normalizeRecord(lr plog.LogRecord) {
	lr.SetSeverityText(validUTF8(lr.SeverityText()))
	lr.SetEventName(validUTF8(lr.EventName()))
	normalizeValue(lr.Body(), 1)
	normalizeMap(lr.Attributes(), 0)
}

func normalizeResource(rl plog.ResourceLogs) {
	entity.ResourceEntityRefs(rl.Resource()).RemoveIf(func(entity.EntityRef) bool { return true })
	rl.SetSchemaUrl(validUTF8(rl.SchemaUrl()))
	normalizeMap(rl.Resource().Attributes(), 0)
}

func normalizeScope(sl plog.ScopeLogs) {
	sl.SetSchemaUrl(validUTF8(sl.SchemaUrl()))
	scope := sl.Scope()
	scope.SetName(validUTF8(scope.Name()))
	scope.SetVersion(validUTF8(scope.Version()))
	normalizeMap(scope.Attributes(), 0)
}

// normalizeMap normalises a map whose values are at depth+1. It builds the map
// anew, since nothing else clears what pdata does not show of a pair.
func normalizeMap(m pcommon.Map, depth int) {
	if m.Len() == 0 {
		return
	}
	last := make(map[string]int, m.Len())
	i := 0
	for key := range m.All() {
		last[validUTF8(key)] = i
		i++
	}
	old := pcommon.NewMap()
	m.MoveTo(old)
	m.EnsureCapacity(len(last) + 1) // and an id
	i = 0
	for key, value := range old.All() {
		if key = validUTF8(key); last[key] == i {
			to := m.PutEmpty(key)
			value.MoveTo(to)
			normalizeValue(to, depth+1)
		}
		i++
	}
}

func normalizeValue(v pcommon.Value, depth int) {
	if depth == MaxDepth && holdsValues(v) {
		v.SetStr(tooDeep)
		return
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if s := v.Str(); !utf8.ValidString(s) {
			v.SetStr(validUTF8(s))
		}
	case pcommon.ValueTypeSlice:
		s := v.Slice()
		for i := range s.Len() {
			normalizeValue(s.At(i), depth+1)
		}
	case pcommon.ValueTypeMap:
		normalizeMap(v.Map(), depth)
	case pcommon.ValueTypeEmpty:
		pcommon.NewValueEmpty().CopyTo(v)
	}
}

func holdsValues(v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeSlice:
		return v.Slice().Len() > 0
	case pcommon.ValueTypeMap:
		return v.Map().Len() > 0
	}
	return false
}

// validUTF8 replaces each invalid byte by U+FFFD: byte by byte, so that the
// result does not depend on how a decoder groups them.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for _, r := range s { // ranging yields U+FFFD for each invalid byte
		b.WriteRune(r)
	}
	return b.String()
}
