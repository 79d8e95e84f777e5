// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// What OCSF 1.7.0 says of the class Detection Finding (2004) and of the objects in it that we write: facts of the published schema
// (github.com/ocsf/ocsf-schema, tag 1.7.0: events/base_event.json, events/findings/finding.json,
// events/findings/detection_finding.json, objects/*.json, dictionary.json). An attribute that is not here is one that the
// published class has not, or that we do not write.

type kind int

const (
	text      kind = iota // string_t
	integer               // integer_t, long_t
	timestamp             // timestamp_t: milliseconds since the Epoch
	boolean               // boolean_t
	object
	objects // an array of them
	texts   // an array of string_t
	anyJSON // json_t
)

type attribute struct {
	kind     kind
	required bool
	enum     []int64
	of       map[string]attribute
	oneOf    []string // at least one of these must be there, in each object
}

var product = map[string]attribute{
	"name": {kind: text}, "vendor_name": {kind: text}, "version": {kind: text}, "uid": {kind: text},
}

var detectionFinding = map[string]attribute{
	"activity_id":   {kind: integer, required: true, enum: []int64{0, 1, 2, 3, 99}}, // Unknown, Create, Update, Close, Other
	"activity_name": {kind: text},
	"category_uid":  {kind: integer, required: true, enum: []int64{2}}, // Findings
	"category_name": {kind: text},
	"class_uid":     {kind: integer, required: true, enum: []int64{2004}},
	"class_name":    {kind: text},
	"type_uid":      {kind: integer, required: true, enum: []int64{200400, 200401, 200402, 200403, 200499}},
	"type_name":     {kind: text},
	"severity_id":   {kind: integer, required: true, enum: []int64{0, 1, 2, 3, 4, 5, 6, 99}},
	"severity":      {kind: text},
	"status_id":     {kind: integer, enum: []int64{0, 1, 2, 3, 4, 5, 6, 99}}, // 1 New, 4 Resolved
	"status":        {kind: text},
	"is_alert":      {kind: boolean},
	"message":       {kind: text},
	"time":          {kind: timestamp, required: true},
	"start_time":    {kind: timestamp},
	"end_time":      {kind: timestamp},
	"count":         {kind: integer},
	"metadata": {kind: object, required: true, of: map[string]attribute{
		"version":     {kind: text, required: true},
		"product":     {kind: object, required: true, of: product},
		"logged_time": {kind: timestamp},
		"event_code":  {kind: text},
	}},
	"finding_info": {kind: object, required: true, of: map[string]attribute{
		"uid":             {kind: text, required: true},
		"title":           {kind: text},
		"desc":            {kind: text},
		"created_time":    {kind: timestamp},
		"modified_time":   {kind: timestamp},
		"first_seen_time": {kind: timestamp},
		"last_seen_time":  {kind: timestamp},
		"analytic": {kind: object, of: map[string]attribute{
			"uid":     {kind: text},
			"name":    {kind: text},
			"type_id": {kind: integer, required: true, enum: []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99}}, // 1 Rule
			"type":    {kind: text},
		}},
	}},
	"evidences": {kind: objects, oneOf: []string{
		"actor", "api", "connection_info", "data", "database", "databucket", "device", "dst_endpoint", "email", "file", "process",
		"query", "resources", "src_endpoint", "url", "user", "job", "script",
	}, of: map[string]attribute{"data": {kind: anyJSON}}},
	"resources": {kind: objects, of: map[string]attribute{
		"name":     {kind: text},
		"uid":      {kind: text},
		"hostname": {kind: text},
		"type":     {kind: text},
		"role_id":  {kind: integer, enum: []int64{0, 1, 2, 3, 4, 99}}, // 3 Affected
		"role":     {kind: text},
	}},
	"remediation": {kind: object, of: map[string]attribute{
		"desc":       {kind: text, required: true},
		"references": {kind: texts},
	}},
}

// captions are those of the enumerations whose siblings we write.
var captions = map[string]map[int64]string{
	"activity": {1: "Create", 2: "Update", 3: "Close"},
	"severity": {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical", 6: "Fatal"},
	"status":   {1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved", 5: "Archived", 6: "Deleted"},
	"role":     {1: "Target", 2: "Actor", 3: "Affected", 4: "Related"},
	"analytic": {1: "Rule"},
}

// check returns what in m is not as the schema says.
func check(m pcommon.Map, schema map[string]attribute, path string) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	for name, a := range schema {
		if _, found := m.Get(name); a.required && !found {
			add("%s is required", name)
		}
	}
	for name, v := range m.All() {
		a, known := schema[name]
		if !known {
			add("there is no attribute %s", name)
			continue
		}
		wrong = append(wrong, checkValue(v, a, path+"."+name)...)
	}
	return wrong
}

func checkValue(v pcommon.Value, a attribute, path string) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	want := map[kind]pcommon.ValueType{
		text: pcommon.ValueTypeStr, integer: pcommon.ValueTypeInt, timestamp: pcommon.ValueTypeInt, boolean: pcommon.ValueTypeBool,
		object: pcommon.ValueTypeMap, objects: pcommon.ValueTypeSlice, texts: pcommon.ValueTypeSlice, anyJSON: pcommon.ValueTypeMap,
	}[a.kind]
	if v.Type() != want {
		add("is a %s", v.Type())
		return wrong
	}
	switch a.kind {
	case text:
		if v.Str() == "" {
			add("is empty")
		}
	case integer:
		if a.enum != nil && !slices.Contains(a.enum, v.Int()) {
			add("%d is none of %v", v.Int(), a.enum)
		}
	case timestamp: // of this century: neither seconds nor nanoseconds
		if v.Int() < 946_684_800_000 || v.Int() > 4_102_444_800_000 {
			add("%d are no milliseconds since the Epoch", v.Int())
		}
	case object:
		wrong = append(wrong, check(v.Map(), a.of, path)...)
	case objects:
		for i, item := range v.Slice().All() {
			at := fmt.Sprintf("%s[%d]", path, i)
			if item.Type() != pcommon.ValueTypeMap {
				add("[%d] is a %s", i, item.Type())
				continue
			}
			wrong = append(wrong, check(item.Map(), a.of, at)...)
			if a.oneOf != nil && !slices.ContainsFunc(a.oneOf, func(name string) bool { _, found := item.Map().Get(name); return found }) {
				wrong = append(wrong, at+": needs one of "+strings.Join(a.oneOf, ", "))
			}
		}
	case texts:
		for i, item := range v.Slice().All() {
			if item.Type() != pcommon.ValueTypeStr || item.Str() == "" {
				add("[%d] is no text", i)
			}
		}
	case boolean, anyJSON:
	}
	return wrong
}
