// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
)

// records are what a host sent, one record each.
type records []plog.Logs

func flatten(all []plog.Logs) (list records) {
	for _, ld := range all {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					one := plog.NewLogs()
					to := one.ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(to.Resource())
					scope := to.ScopeLogs().AppendEmpty()
					sl.Scope().CopyTo(scope.Scope())
					lr.CopyTo(scope.LogRecords().AppendEmpty())
					list = append(list, one)
				}
			}
		}
	}
	return list
}

func record(ld plog.Logs) plog.LogRecord {
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

func idOf(ld plog.Logs) string {
	id, _ := record(ld).Attributes().Get(seal.IDKey)
	if record(ld).EventName() == seal.EventName {
		return ""
	}
	return id.Str()
}

// copies returns the indexes of all copies of a record or a seal.
func (r records) copies(i int) (list []int) {
	for j := range r {
		if id := idOf(r[i]); id == idOf(r[j]) && (id != "" || record(r[i]).Body().Str() == record(r[j]).Body().Str()) {
			list = append(list, j)
		}
	}
	return list
}

// attacks are what somebody in the middle may do to records and seals. Each returns what is delivered, and what was done.
var attacks = []func(rng *rand.Rand, r records, i int) (records, string){
	func(_ *rand.Rand, r records, i int) (records, string) { // alter
		for _, c := range r.copies(i) {
			record(r[c]).Body().SetStr("altered")
		}
		return r, "alter"
	},
	func(_ *rand.Rand, r records, i int) (records, string) { // drop
		var list records
		gone := r.copies(i)
		for j := range r {
			if !slices.Contains(gone, j) {
				list = append(list, r[j])
			}
		}
		return list, "drop"
	},
	func(rng *rand.Rand, r records, i int) (records, string) { // drop a stretch
		n := min(len(r)-i, 1+rng.IntN(200))
		return slices.Concat(r[:i], r[i+n:]), fmt.Sprintf("drop %d", n)
	},
	func(rng *rand.Rand, r records, i int) (records, string) { // replay
		at := rng.IntN(len(r) + 1)
		return slices.Insert(r, at, clone(r[i])), "replay"
	},
	func(rng *rand.Rand, r records, i int) (records, string) { // another with the same id
		other := clone(r[i])
		record(other).Body().SetStr("forged")
		return slices.Insert(r, rng.IntN(len(r)+1), other), "forge"
	},
	func(rng *rand.Rand, r records, i int) (records, string) { // with an id that was not given out
		other := clone(r[i])
		id, err := seal.ParseID(idOf(r[i]))
		if err != nil {
			return r, "nothing"
		}
		id.Seq += 1<<40 + rng.Uint64N(1<<50)
		record(other).Attributes().PutStr(seal.IDKey, id.String())
		return slices.Insert(r, i, other), "insert"
	},
	func(rng *rand.Rand, r records, i int) (records, string) { // two change their contents
		j := rng.IntN(len(r))
		if idOf(r[i]) == "" || idOf(r[j]) == "" || len(r.copies(i))+len(r.copies(j)) > 2 {
			return r, "nothing"
		}
		body := record(r[i]).Body().AsString()
		record(r[i]).Body().SetStr(record(r[j]).Body().AsString())
		record(r[j]).Body().SetStr(body)
		return r, fmt.Sprintf("swap with %d", j)
	},
	func(rng *rand.Rand, r records, i int) (records, string) { // all seals of a stretch
		n := min(len(r)-i, 1+rng.IntN(400))
		stretch := slices.DeleteFunc(slices.Clone(r[i:i+n]), func(ld plog.Logs) bool { return idOf(ld) == "" })
		return slices.Concat(r[:i], stretch, r[i+n:]), fmt.Sprintf("drop seals of %d", n)
	},
	func(_ *rand.Rand, r records, i int) (records, string) { // without its id
		for _, c := range r.copies(i) {
			record(r[c]).Attributes().Remove(seal.IDKey)
		}
		return r, "strip"
	},
	func(rng *rand.Rand, r records, i int) (records, string) { // one character of a seal, or of a record's body: its numbers, its signatures
		for _, c := range r.copies(i) {
			body := []byte(record(r[c]).Body().AsString())
			at, other := rng.IntN(len(body)), "0123456789abcdefghijklmnopqrstuvwxyz-"
			body[at] = other[rng.IntN(len(other))]
			record(r[c]).Body().SetStr(string(body))
		}
		return r, "edit"
	},
	func(rng *rand.Rand, r records, i int) (records, string) { // reorder
		n := min(len(r)-i, 1+rng.IntN(100))
		rng.Shuffle(n, func(a, b int) { r[i+a], r[i+b] = r[i+b], r[i+a] })
		return r, "reorder"
	},
}

func clone(ld plog.Logs) plog.Logs {
	other := plog.NewLogs()
	ld.CopyTo(other)
	return other
}
