// SPDX-License-Identifier: Apache-2.0

package original

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// ErrForm is returned for a request that is damaged, or is encoded otherwise than pdata does it: with a field twice that may be there once.
// What pdata decodes and encodes again is of the right form.
var ErrForm = errors.New("the request is not encoded as the collector does it")

// Reader goes through the records of requests in their encoding: decoding them costs several times what the original itself does. The zero
// value is one. It is for one goroutine at a time.
type Reader struct {
	// Quoted makes originals what stands of them within a JSON string: each quotation mark and each backslash has a backslash before it.
	Quoted bool

	head, tail []byte // what stands around each record of the scope
	resource   Attributes
	scope      Attributes
	record     Record
}

// Read goes through an ExportLogsServiceRequest. It calls source with the resource of the records that follow, once for each scope, and
// record with each record in the order in which they stand, until that returns false. What they are given is parts of the request, and holds
// until they return. Unknown fields are left out, as pdata does.
func (r *Reader) Read(request []byte, source func(resource Attributes), record func(*Record) bool) error {
	r.record.reader = r
	all := fields{rest: request}
	for all.next() {
		if all.number != requestResourceLogs {
			continue
		}
		if all.kind != protowire.BytesType {
			return ErrForm
		}
		if more, err := r.readResource(all.value, source, record); !more {
			return err
		}
	}
	if all.bad {
		return ErrForm
	}
	return nil
}

// readResource reads a ResourceLogs, and reports whether to go on behind it.
func (r *Reader) readResource(message []byte, source func(Attributes), record func(*Record) bool) (more bool, err error) {
	var resource described
	var url []byte
	var seen once
	f := fields{rest: message}
	for f.next() {
		switch f.number {
		case resourceLogsResource:
			if seen.again(&f, protowire.BytesType) || !resource.readResource(f.value, &r.resource) {
				return false, ErrForm
			}
		case resourceLogsSchemaURL:
			if seen.again(&f, protowire.BytesType) {
				return false, ErrForm
			}
			url = f.value
		case resourceLogsScopeLogs:
			if f.kind != protowire.BytesType {
				return false, ErrForm
			}
		}
	}
	if f.bad {
		return false, ErrForm
	}
	if seen&(1<<resourceLogsResource) == 0 {
		r.resource = r.resource[:0]
	}
	f = fields{rest: message}
	for f.next() {
		if f.number != resourceLogsScopeLogs {
			continue
		}
		if more, err := r.readScope(f.value, resource, url, source, record); !more {
			return false, err
		}
	}
	return true, nil
}

// readScope reads a ScopeLogs.
func (r *Reader) readScope(message []byte, resource described, resourceURL []byte, source func(Attributes), record func(*Record) bool) (more bool, err error) {
	var scope described
	var url []byte
	var seen once
	f := fields{rest: message}
	for f.next() {
		switch f.number {
		case scopeLogsScope:
			if seen.again(&f, protowire.BytesType) || !scope.readScope(f.value, &r.scope) {
				return false, ErrForm
			}
		case scopeLogsSchemaURL:
			if seen.again(&f, protowire.BytesType) {
				return false, ErrForm
			}
			url = f.value
		case scopeLogsRecords:
			if f.kind != protowire.BytesType {
				return false, ErrForm
			}
		}
	}
	if f.bad {
		return false, ErrForm
	}
	if !r.setSource(resource, scope, resourceURL, url) {
		return false, ErrForm
	}
	source(r.resource)
	f = fields{rest: message}
	for f.next() {
		if f.number != scopeLogsRecords {
			continue
		}
		if !r.record.read(f.value) {
			return false, ErrForm
		}
		more := record(&r.record)
		if r.record.bad {
			return false, ErrForm
		}
		if !more {
			return false, nil
		}
	}
	return true, nil
}

// described is what resources and scopes have.
type described struct {
	name, version []byte // of a scope
	attributes    Attributes
	dropped       uint32
}

func (d *described) readResource(message []byte, into *Attributes) (ok bool) {
	*into = (*into)[:0]
	var seen once
	f := fields{rest: message}
	for f.next() {
		switch f.number {
		case resourceAttributes:
			if !into.add(&f) {
				return false
			}
		case resourceDropped:
			if seen.again(&f, protowire.VarintType) {
				return false
			}
			d.dropped = uint32(f.n)
		}
	}
	d.attributes = *into
	return !f.bad
}

func (d *described) readScope(message []byte, into *Attributes) (ok bool) {
	*into = (*into)[:0]
	var seen once
	f := fields{rest: message}
	for f.next() {
		switch f.number {
		case scopeName:
			if seen.again(&f, protowire.BytesType) {
				return false
			}
			d.name = f.value
		case scopeVersion:
			if seen.again(&f, protowire.BytesType) {
				return false
			}
			d.version = f.value
		case scopeAttributes:
			if !into.add(&f) {
				return false
			}
		case scopeDropped:
			if seen.again(&f, protowire.VarintType) {
				return false
			}
			d.dropped = uint32(f.n)
		}
	}
	d.attributes = *into
	return !f.bad
}

// Record is a record of a request. Its slices are parts of the request.
type Record struct {
	Timestamp         uint64 // nanoseconds since 1970, as in OTLP; 0 for none
	ObservedTimestamp uint64
	SeverityNumber    plog.SeverityNumber
	SeverityText      []byte
	Body              Value
	Attributes        Attributes
	EventName         []byte

	dropped, flags  uint32
	traceID, spanID []byte

	reader *Reader
	bad    bool // a value is not of pdata's form
}

func (r *Record) read(message []byte) (ok bool) {
	*r = Record{Attributes: r.Attributes[:0], reader: r.reader}
	var seen once
	f := fields{rest: message}
	for f.next() {
		if f.number == recordAttributes {
			if !r.Attributes.add(&f) {
				return false
			}
			continue
		}
		kind := protowire.BytesType
		switch f.number {
		case recordTime:
			kind, r.Timestamp = protowire.Fixed64Type, f.n
		case recordObservedTime:
			kind, r.ObservedTimestamp = protowire.Fixed64Type, f.n
		case recordSeverityNumber:
			kind, r.SeverityNumber = protowire.VarintType, plog.SeverityNumber(int32(f.n))
		case recordSeverityText:
			r.SeverityText = f.value
		case recordBody:
			r.Body = f.value
		case recordDropped:
			kind, r.dropped = protowire.VarintType, uint32(f.n)
		case recordFlags:
			kind, r.flags = protowire.Fixed32Type, uint32(f.n)
		case recordTraceID:
			r.traceID = f.value
		case recordSpanID:
			r.spanID = f.value
		case recordEventName:
			r.EventName = f.value
		default:
			continue
		}
		if seen.again(&f, kind) {
			return false
		}
	}
	return !f.bad && isID(r.traceID, 16) && isID(r.spanID, 8)
}

// isID reports whether an id has its length, or is not there.
func isID(id []byte, size int) bool { return len(id) == 0 || len(id) == size }

// Attributes are attributes in the order in which they stand.
type Attributes []Attribute

// Attribute is a name and what is under it.
type Attribute struct {
	Key   []byte
	Value Value
}

// Get returns the first value under a name.
func (a Attributes) Get(key string) (Value, bool) {
	for i := range a {
		if string(a[i].Key) == key {
			return a[i].Value, true
		}
	}
	return nil, false
}

// add reads a KeyValue.
func (a *Attributes) add(f *fields) (ok bool) {
	if f.kind != protowire.BytesType {
		return false
	}
	key, value, ok := readPair(f.value)
	*a = append(*a, Attribute{key, value})
	return ok
}

func readPair(message []byte) (key []byte, value Value, ok bool) {
	var seen once
	f := fields{rest: message}
	for f.next() {
		switch f.number {
		case pairKey:
			key = f.value
		case pairValue:
			value = f.value
		default:
			continue
		}
		if seen.again(&f, protowire.BytesType) {
			return nil, nil, false
		}
	}
	return key, value, !f.bad
}

// Value is an AnyValue in its encoding.
type Value []byte

// Text returns the string that a value is, and false where it is another kind of value, or none.
func (v Value) Text() (text []byte, ok bool) {
	f := fields{rest: v}
	if f.next() && f.number == valueString && f.kind == protowire.BytesType && len(f.rest) == 0 {
		return f.value, true
	}
	return nil, false
}

// AsString returns any value as text, as [pcommon.Value.AsString] does.
func (v Value) AsString() string {
	if text, ok := v.Text(); ok {
		return string(text)
	}
	if len(v) == 0 {
		return ""
	}
	// The body of the one record of a request: pdata decodes nothing smaller.
	message := []byte(v)
	for _, number := range []protowire.Number{recordBody, scopeLogsRecords, resourceLogsScopeLogs, requestResourceLogs} {
		message = protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), message)
	}
	logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(message)
	if err != nil {
		return ""
	}
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().AsString()
}

// Int returns the integer that a value is.
func (v Value) Int() (n int64, ok bool) {
	f := fields{rest: v}
	if f.next() && f.number == valueInt && f.kind == protowire.VarintType && len(f.rest) == 0 {
		return int64(f.n), true
	}
	return 0, false
}
