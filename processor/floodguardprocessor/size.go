// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

var sizer plog.ProtoMarshaler

// resourceSize is about what a resource takes, which its first record is charged with; scopeSize likewise. Otherwise whatever
// is put there would be free.
func resourceSize(rl plog.ResourceLogs) int {
	return mapSize(rl.Resource().Attributes()) + len(rl.SchemaUrl())
}

func scopeSize(sl plog.ScopeLogs) int {
	scope := sl.Scope()
	return len(scope.Name()) + len(scope.Version()) + len(sl.SchemaUrl()) + mapSize(scope.Attributes())
}

// overhead of a value: tags and lengths.
const overhead = 4

func mapSize(m pcommon.Map) int {
	n := 0
	for key, value := range m.All() {
		n += len(key) + overhead + valueSize(value)
	}
	return n
}

func valueSize(v pcommon.Value) int {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return overhead + len(v.Str())
	case pcommon.ValueTypeBytes:
		return overhead + v.Bytes().Len()
	case pcommon.ValueTypeMap:
		return overhead + mapSize(v.Map())
	case pcommon.ValueTypeSlice:
		n := overhead
		for _, element := range v.Slice().All() {
			n += valueSize(element)
		}
		return n
	}
	return overhead + 8
}
