// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// What a member of a map or list is, another one may say: as a native value it is found as in a text.
func TestMembers(t *testing.T) {
	list := func(words ...string) func(pcommon.Value) {
		return func(v pcommon.Value) {
			for _, w := range words {
				v.Slice().AppendEmpty().SetStr(w)
			}
		}
	}
	pair := func(name, text, value string) func(pcommon.Value) {
		return func(v pcommon.Value) {
			v.Map().PutStr(name, text)
			v.Map().PutStr("type", "string")
			v.Map().PutStr(value, "tulip77x")
		}
	}
	for name, tt := range map[string]struct {
		fill   func(pcommon.Value)
		secret string
		list   bool
	}{
		"key and value":        {pair("key", "db.password", "value"), "tulip77x", false},
		"name and stringValue": {pair("name", "password", "stringValue"), "tulip77x", false},
		"k and v":              {pair("k", "API_KEY", "v"), "tulip77x", false},
		"field and new":        {pair("field", "passphrase", "new"), "tulip77x", false},
		"mysql":                {list("mysql", "-u", "root", "-ptulip77x"), "tulip77x", true},
		"curl":                 {list("curl", "-u", "bob:tulip77x", "https://h/"), "tulip77x", true},
		"option and value":     {list("app", "--password", "tulip77x", "--host", "h"), "tulip77x", true},
		"quotes beside":        {list("app", "--name", `a"b\c`, "--password", "tulip77x"), "tulip77x", true},
	} {
		t.Run(name, func(t *testing.T) {
			for place, at := range map[string]func(plog.LogRecord) pcommon.Value{
				"body":      func(lr plog.LogRecord) pcommon.Value { return lr.Body() },
				"attribute": func(lr plog.LogRecord) pcommon.Value { return lr.Attributes().PutEmpty("x") },
				"nested": func(lr plog.LogRecord) pcommon.Value {
					return lr.Attributes().PutEmptyMap("x").PutEmptySlice("y").AppendEmpty()
				},
			} {
				ld := one(func(lr plog.LogRecord) {
					v := at(lr)
					if tt.list {
						v.SetEmptySlice()
					} else {
						v.SetEmptyMap()
					}
					tt.fill(v)
				})
				e := newEngine(t)
				e.Logs(ld, nil)
				once := everything(ld)
				assert.NotContains(t, once, tt.secret, place)
				assert.Contains(t, once, "[REDACTED:", place)
				e.Logs(ld, nil)
				assert.Equal(t, once, everything(ld), "a second pass changes nothing")
			}
		})
	}
	for name, tt := range map[string]struct {
		fill func(pcommon.Value)
		list bool
	}{
		"no name":         {pair("key", "db.host", "value"), false},
		"a property":      {pair("name", "password_policy", "value"), false},
		"no value":        {pair("name", "password", "message"), false},
		"no option":       {list("id", "password", "tulip77x"), true},
		"another program": {list("git", "-p", "log"), true},
	} {
		ld := one(func(lr plog.LogRecord) {
			if tt.list {
				lr.Body().SetEmptySlice()
			} else {
				lr.Body().SetEmptyMap()
			}
			tt.fill(lr.Body())
		})
		before := everything(ld)
		newEngine(t).Logs(ld, nil)
		assert.Equal(t, before, everything(ld), name)
	}
}

// Native numbers are looked at under a telling name, with a fraction, too.
func TestNumbersUnderNames(t *testing.T) {
	for name, fill := range map[string]func(pcommon.Value){
		"int":      func(v pcommon.Value) { v.SetInt(77123499) },
		"double":   func(v pcommon.Value) { v.SetDouble(77123499) },
		"fraction": func(v pcommon.Value) { v.SetDouble(771234.25) },
	} {
		for _, key := range []string{"password", "db.passwd", "clientSecret"} {
			ld := one(func(lr plog.LogRecord) { fill(lr.Body().SetEmptyMap().PutEmptySlice(key).AppendEmpty()) })
			newEngine(t).Logs(ld, nil)
			assert.NotContains(t, everything(ld), "7712", "%s under %s", name, key)
		}
	}
	ld := one(func(lr plog.LogRecord) { lr.Attributes().PutDouble("password_ratio", 0.25) })
	before := everything(ld)
	newEngine(t).Logs(ld, nil)
	assert.Equal(t, before, everything(ld))
}
