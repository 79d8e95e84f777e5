// SPDX-License-Identifier: Apache-2.0

package original

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Writer writes the originals of records in memory, of one scope after the other. The zero value is one, for records without resource and
// scope. It is for one goroutine at a time. [Reader] does it for records that are encoded; TestFormIsThatOfTheFileExporter and the fuzz target hold
// the two together.
type Writer struct {
	head, tail []byte // what stands around each record of the scope
}

// SetSource says where the records come from that are appended next. It reads both and keeps neither.
func (w *Writer) SetSource(resource plog.ResourceLogs, scope plog.ScopeLogs) {
	w.head = appendHead(w.head[:0], resource, scope)
	w.tail = appendTail(w.tail[:0], resource, scope)
}

// Append appends the original of a record, without a line feed. It holds none: every control character of a text is escaped.
func (w *Writer) Append(dst []byte, record plog.LogRecord) []byte {
	if len(w.head) == 0 {
		w.SetSource(plog.NewResourceLogs(), plog.NewScopeLogs())
	}
	dst = append(dst, w.head...)
	dst = appendRecord(dst, record)
	return append(dst, w.tail...)
}

func appendHead(dst []byte, resource plog.ResourceLogs, scope plog.ScopeLogs) []byte {
	dst = append(dst, `{"resourceLogs":[{"resource":{`...)
	dst = appendDescribed(dst, resource.Resource().Attributes(), resource.Resource().DroppedAttributesCount())
	dst = append(dst, `},"scopeLogs":[{"scope":{`...)
	s := scope.Scope()
	if s.Name() != "" {
		dst = AppendString(appendName(dst, "name"), s.Name())
	}
	if s.Version() != "" {
		dst = AppendString(appendName(dst, "version"), s.Version())
	}
	dst = appendDescribed(dst, s.Attributes(), s.DroppedAttributesCount())
	return append(dst, `},"logRecords":[`...)
}

func appendTail(dst []byte, resource plog.ResourceLogs, scope plog.ScopeLogs) []byte {
	dst = append(dst, ']')
	if url := scope.SchemaUrl(); url != "" {
		dst = AppendString(appendName(dst, "schemaUrl"), url)
	}
	dst = append(dst, "}]"...)
	if url := resource.SchemaUrl(); url != "" {
		dst = AppendString(appendName(dst, "schemaUrl"), url)
	}
	return append(dst, "}]}"...)
}

func appendRecord(dst []byte, record plog.LogRecord) []byte {
	dst = append(dst, '{')
	if t := record.Timestamp(); t != 0 {
		dst = appendUint64(appendName(dst, "timeUnixNano"), uint64(t))
	}
	if t := record.ObservedTimestamp(); t != 0 {
		dst = appendUint64(appendName(dst, "observedTimeUnixNano"), uint64(t))
	}
	if n := record.SeverityNumber(); n != 0 {
		dst = strconv.AppendInt(appendName(dst, "severityNumber"), int64(n), 10)
	}
	if text := record.SeverityText(); text != "" {
		dst = AppendString(appendName(dst, "severityText"), text)
	}
	dst = appendValue(appendName(dst, "body"), record.Body())
	dst = appendDescribed(dst, record.Attributes(), record.DroppedAttributesCount())
	if flags := record.Flags(); flags != 0 {
		dst = strconv.AppendUint(appendName(dst, "flags"), uint64(flags), 10)
	}
	if id := record.TraceID(); !id.IsEmpty() {
		dst = appendHex(appendName(dst, "traceId"), id[:])
	}
	if id := record.SpanID(); !id.IsEmpty() {
		dst = appendHex(appendName(dst, "spanId"), id[:])
	}
	if name := record.EventName(); name != "" {
		dst = AppendString(appendName(dst, "eventName"), name)
	}
	return append(dst, '}')
}

// appendDescribed appends the two members that resources, scopes and records share.
func appendDescribed(dst []byte, attributes pcommon.Map, dropped uint32) []byte {
	if attributes.Len() > 0 {
		dst = appendPairs(appendName(dst, "attributes"), attributes)
	}
	if dropped != 0 {
		dst = strconv.AppendUint(appendName(dst, "droppedAttributesCount"), uint64(dropped), 10)
	}
	return dst
}

// appendName appends the name of a member, behind a comma if another one stands before it.
func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendPairs(dst []byte, pairs pcommon.Map) []byte {
	separator := byte('[')
	for key, value := range pairs.All() {
		dst = append(dst, separator, '{')
		if key != "" {
			dst = AppendString(appendName(dst, "key"), key)
		}
		dst = append(appendValue(appendName(dst, "value"), value), '}')
		separator = ','
	}
	return append(dst, ']')
}

func appendValue(dst []byte, value pcommon.Value) []byte {
	dst = append(dst, '{')
	switch value.Type() {
	case pcommon.ValueTypeEmpty:
	case pcommon.ValueTypeStr:
		dst = AppendString(append(dst, `"stringValue":`...), value.Str())
	case pcommon.ValueTypeInt:
		dst = strconv.AppendInt(append(dst, `"intValue":"`...), value.Int(), 10)
		dst = append(dst, '"')
	case pcommon.ValueTypeBool:
		dst = strconv.AppendBool(append(dst, `"boolValue":`...), value.Bool())
	case pcommon.ValueTypeDouble:
		dst = appendDouble(append(dst, `"doubleValue":`...), value.Double(), `"`)
	case pcommon.ValueTypeBytes:
		dst = base64.StdEncoding.AppendEncode(append(dst, `"bytesValue":"`...), value.Bytes().AsRaw())
		dst = append(dst, '"')
	case pcommon.ValueTypeSlice:
		dst = append(dst, `"arrayValue":{`...)
		if values := value.Slice(); values.Len() > 0 {
			separator := byte('[')
			dst = append(dst, `"values":`...)
			for _, v := range values.All() {
				dst = appendValue(append(dst, separator), v)
				separator = ','
			}
			dst = append(dst, ']')
		}
		dst = append(dst, '}')
	case pcommon.ValueTypeMap:
		dst = append(dst, `"kvlistValue":{`...)
		if pairs := value.Map(); pairs.Len() > 0 {
			dst = appendPairs(append(dst, `"values":`...), pairs)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendUint64 appends a number of 64 bits: a string, in protobuf's JSON.
func appendUint64(dst []byte, n uint64) []byte {
	dst = strconv.AppendUint(append(dst, '"'), n, 10)
	return append(dst, '"')
}

func appendHex(dst, id []byte) []byte {
	dst = hex.AppendEncode(append(dst, '"'), id)
	return append(dst, '"')
}
