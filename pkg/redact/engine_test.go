// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// tally is a Recorder that remembers.
type tally struct {
	matches, suppressed, failures map[string]int64
	bytes                         int64
}

func newTally() *tally {
	return &tally{map[string]int64{}, map[string]int64{}, map[string]int64{}, 0}
}

func (t *tally) Matches(rule, action, location string, n int64) {
	t.matches[rule+" "+action+" "+location] += n
}
func (t *tally) Suppressed(rule string, n int64) { t.suppressed[rule] += n }
func (t *tally) Failures(reason string, n int64) { t.failures[reason] += n }
func (t *tally) Scanned(n int64)                 { t.bytes += n }

func (t *tally) String() string { return fmt.Sprint(t.matches, t.suppressed, t.failures) }

func keyFile(t testing.TB, b byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pseudonym.key")
	require.NoError(t, os.WriteFile(name, []byte(strings.Repeat(string(b), 32)), 0o600))
	return name
}

// raw makes a batch of one record with these attributes and redacts it.
func raw(t testing.TB, e *Engine, attrs map[string]any) map[string]any {
	t.Helper()
	ld := one(func(lr plog.LogRecord) { require.NoError(t, lr.Attributes().FromRaw(attrs)) })
	e.Logs(ld, nil)
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
}

func TestNumbers(t *testing.T) {
	e := newEngine(t)
	out := raw(t, e, map[string]any{
		"int": int64(4111111111111111), "float": float64(5555555555554444), "small": int64(12345), "time": int64(1763871082123456789),
		"ratio": 0.4111111111111111, "yes": true, "in": []any{int64(378282246310005)},
	})
	assert.Equal(t, map[string]any{
		"int": "[REDACTED:pan]", "float": "[REDACTED:pan]", "small": int64(12345), "time": int64(1763871082123456789),
		"ratio": 0.4111111111111111, "yes": true, "in": []any{"[REDACTED:pan]"},
	}, out)
}

// What flood_guard reports is about a source, such as a file: it arrives whole, unless the source's name holds a secret itself.
func TestFloodReportsArriveWhole(t *testing.T) {
	e := newEngine(t)
	report := func(source string) plog.Logs {
		return one(func(lr plog.LogRecord) {
			lr.Body().SetStr("log.file.path " + source + " is above 200 records/s: of 12345678 records received, 2000 were kept, 12343678 shed and 0 held back")
			lr.SetEventName("logseal.flood")
			a := lr.Attributes()
			a.PutStr("logseal.flood.processor", "flood_guard")
			a.PutStr("logseal.flood.phase", "begin")
			a.PutStr("logseal.flood.key.name", "log.file.path")
			a.PutStr("logseal.flood.key", source)
			a.PutInt("logseal.flood.shed.bytes", 4234567890123)
			a.PutStr("logseal.flood.first", "2026-11-28T09:00:00.123456789Z")
		})
	}
	for _, source := range []string{
		"/var/log/pods/shop_web-6d5f7c9b8-x2k4p_0f9b1c2e-3a4d-4e5f-8a6b-7c8d9e0f1a2b/web/0.log",
		"/var/log/pods/ns_app_1234567890/app/0.log",
		"/var/log/pods/kube-system_etcd-cp1_a3b1f0c2d4e5968778695a4b3c2d1e0f/etcd/0.log",
		"/tmp/TestQuietFile2345678901/001/flood.log",
		"/var/lib/docker/containers/4f6d01a293be4c7f8a15d20b7e64c9f34f6d01a293be4c7f8a15d20b7e64c9f3/4f6d01a293be-json.log",
		"/var/log/app-20261128-1795845.log",
	} {
		ld := report(source)
		before := everything(ld)
		e.Logs(ld, nil)
		assert.Equal(t, before, everything(ld))
	}
	ld := report("/var/log/jo.doe@example.com/" + pan + ".log")
	e.Logs(ld, nil)
	assert.NotContains(t, everything(ld), "jo.doe")
	assert.NotContains(t, everything(ld), pan)
}

func TestKeysCondemnSubtrees(t *testing.T) {
	e := newEngine(t, func(c *Config) {
		c.Keys = Keys{Sensitive: []string{"*session*"}, Ignore: []string{"session.count"}}
	})
	const p, k, s = "[REDACTED:password]", "[REDACTED:api_key]", "[REDACTED:sensitive_key]"
	for _, tt := range []struct{ in, want map[string]any }{
		{map[string]any{"password": map[string]any{"old": "abc", "new": []any{"def", int64(7)}}}, map[string]any{"password": map[string]any{"old": p, "new": []any{p, p}}}},
		{map[string]any{"userPassword": "x"}, map[string]any{"userPassword": p}},
		{map[string]any{"x-api-key": "abcdef123"}, map[string]any{"x-api-key": k}},
		{map[string]any{"http.request.header.x-api-key": []any{"abcdef123"}}, map[string]any{"http.request.header.x-api-key": []any{k}}},
		{map[string]any{"http.request.header.authorization": []any{"Bearer abcdef123"}}, map[string]any{"http.request.header.authorization": []any{"[REDACTED:authorization]"}}},
		{map[string]any{"sessionData": "plain"}, map[string]any{"sessionData": s}},
		{map[string]any{"session.count": int64(4)}, map[string]any{"session.count": int64(4)}},
		{map[string]any{"password": ""}, map[string]any{"password": ""}},
		{map[string]any{"has_secret": true, "secret": nil}, map[string]any{"has_secret": true, "secret": nil}},
		{map[string]any{"password_policy": "strong", "token_count": int64(12345678), "secretName": "db"}, map[string]any{"password_policy": "strong", "token_count": int64(12345678), "secretName": "db"}},
		{map[string]any{"gen_ai.usage.input_tokens": int64(1234567), "compass": "north", "author": "bob", "monkey": "george"}, map[string]any{"gen_ai.usage.input_tokens": int64(1234567), "compass": "north", "author": "bob", "monkey": "george"}},
		{map[string]any{"cvv": int64(737), "card.cvc2": "123"}, map[string]any{"cvv": "[REDACTED:card_code]", "card.cvc2": "[REDACTED:card_code]"}},
		{map[string]any{"pw": []byte("hunter2x")}, map[string]any{"pw": []byte(p)}},
	} {
		got := raw(t, e, tt.in)
		assert.Equal(t, tt.want, got)
		assert.Equal(t, tt.want, raw(t, e, got), "a second pass changes nothing")
	}
}

func TestAllow(t *testing.T) {
	e := newEngine(t, func(c *Config) {
		c.Allow = []Allow{{Rule: "email", Match: "*@Corp.example"}, {Rule: "pan", Match: "4111*"}}
	})
	rec := newTally()
	out, _, _ := e.Text("a@corp.example card 5555 5555 5555 4444 b@other.example 4111 1111 1111 1111", rec)
	assert.Equal(t, "a@corp.example card [REDACTED:pan] [REDACTED:email] 4111 1111 1111 1111", out)
	assert.Equal(t, map[string]int64{"email": 1, "pan": 1}, rec.suppressed)
	// The allow-list exempts the match, not the value that it is in.
	out, _, _ = e.Text("password=a@corp.example", nil)
	assert.Equal(t, "password=[REDACTED:password]", out)

	// A token inside of what another rule has matched is looked for if its rule does more.
	e = newEngine(t, func(c *Config) {
		c.Rules = []Rule{{ID: "password", Action: "partial", KeepFirst: 2}, {ID: "vendor_token", Action: "drop_record"}}
	})
	_, _, keep := e.Text("password=ghp_16C7e42F292c6912E7710c838347Ae178B4a", nil)
	assert.False(t, keep)
}

func TestActions(t *testing.T) {
	key := keyFile(t, 'k')
	e := newEngine(t, func(c *Config) {
		c.PseudonymKey.ID, c.PseudonymKey.File = "k3", key
		c.Rules = []Rule{
			{ID: "pan", Action: "partial", KeepFirst: 6, KeepLast: 4},
			{ID: "email", Action: "pseudonymize"},
			{ID: "password", Action: "drop_field"},
			{ID: "track", Action: "drop_record"},
			{ID: "phone", Action: "off"},
			{ID: "account", Regex: `ACCT-\d{8}`},
			{ID: "ipv4", Action: "mask"},
			{ID: "ipv6", Action: "mask"},
			{ID: "mac", Action: "mask"},
			{ID: "high_entropy", Action: "mask"},
		}
	})
	text := func(s string) string { out, _, _ := e.Text(s, nil); return out }
	assert.Equal(t, "n 411111******1111.", text("n 4111111111111111."))
	assert.Equal(t, "n 4111-11**-****-1111", text("n 4111-1111-1111-1111"))
	assert.Equal(t, "call +44 20 7946 0958", text("call +44 20 7946 0958"), "switched off")
	assert.Equal(t, "for [REDACTED:account]!", text("for ACCT-12345678!"))
	assert.Equal(t, "from [REDACTED:ipv4] and [REDACTED:ipv6] by [REDACTED:mac]", text("from 203.0.113.7 and 2001:db8::7334 by 00:16:3e:5e:6c:0a"))
	assert.Equal(t, "wwn 50:06:01:60:3b:20:19:48 v1.2.3.4.5 at 12:30:45", text("wwn 50:06:01:60:3b:20:19:48 v1.2.3.4.5 at 12:30:45"))
	assert.Equal(t, "x [REDACTED:high_entropy] y", text("x q7Zp2mW9xT4vK8sB1nD6fJ3hL5gR0cYe y"))

	// Pseudonyms: equal values give equal ones, however they are written; a second pass leaves them; so does one in another view.
	a := text("Alice@Example.com")
	assert.Regexp(t, regexp.MustCompile(`^\[ps:email:k3:[a-z2-7]{26}:[a-z2-7]{8}\]$`), a)
	assert.Equal(t, a, text("alice@example.com"))
	assert.Equal(t, "user="+a+"&x", text("user=alice%40example.com&x"))
	assert.NotEqual(t, a, text("bob@example.com"))
	assert.Equal(t, a, text(a))
	assert.Equal(t, `mail: "`+a+`" password`, text(`mail: "`+a+`" password`))
	forged := strings.Replace(a, "[ps:email:k3:", "[ps:email:k3:a@b.example", 1)
	assert.NotContains(t, text(forged), "b.example", "a pseudonym without its proof is text like any other")

	// Dropped fields and records.
	assert.Equal(t, map[string]any{"kept": "x", "map": map[string]any{"b": "y"}, "list": []any{"z"}}, raw(t, e, map[string]any{
		"kept": "x", "password": "hunter2x", "map": map[string]any{"note": "password=hunter2x", "b": "y"}, "list": []any{"password=hunter2x", "z"},
	}))
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("password=hunter2x")
	records.AppendEmpty().Body().SetStr("a ;4111111111111111=29121011000012300? b")
	records.AppendEmpty().Body().SetStr("kept")
	e.Logs(ld, nil)
	require.Equal(t, 2, records.Len())
	assert.Equal(t, pcommon.ValueTypeEmpty, records.At(0).Body().Type())
	assert.Equal(t, "kept", records.At(1).Body().Str())

	only := one(func(lr plog.LogRecord) { lr.Body().SetStr(";4111111111111111=29121011000012300?") })
	e.Logs(only, nil)
	assert.Zero(t, only.ResourceLogs().Len(), "nothing is left of a batch of dropped records")
}

// The more severe action wins where rules overlap, on the whole of what they found.
func TestOverlap(t *testing.T) {
	e := newEngine(t, func(c *Config) {
		c.Rules = []Rule{{ID: "pan", Action: "partial", KeepLast: 4}}
	})
	out, _, _ := e.Text("password=4111111111111111", nil)
	assert.Equal(t, "password=[REDACTED:password]", out)
}

func TestAudit(t *testing.T) {
	e := newEngine(t, func(c *Config) {
		c.Mode = ModeAudit
		c.Rules = []Rule{{ID: "email", Action: "drop_record"}}
		c.Limits.MaxValueBytes = 1000
	})
	ld := one(func(lr plog.LogRecord) {
		lr.Body().SetStr("\x1bcard " + pan + " a@b.example")
		lr.Attributes().PutStr("password", "hunter2x")
		lr.Attributes().PutStr("long", strings.Repeat("x", 2000))
	})
	before := everything(ld)
	rec := newTally()
	e.Logs(ld, rec)
	assert.Equal(t, before, everything(ld))
	assert.Equal(t, map[string]int64{"pan mask body": 1, "email drop_record body": 1, "control mask body": 1, "password mask attributes": 1}, rec.matches)
	assert.Equal(t, map[string]int64{"value_bytes": 1}, rec.failures)
}

func TestAnnotate(t *testing.T) {
	e := newEngine(t, func(c *Config) { c.Annotate = AnnotateCounts })
	ld := one(func(lr plog.LogRecord) {
		lr.Body().SetStr("a@b.example c@d.example " + pan)
		lr.SetEventName("x@y.example")
	})
	lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	e.Logs(ld, nil)
	v, ok := lr.Attributes().Get(AttributeRedacted)
	require.True(t, ok)
	assert.Equal(t, "email:3 pan:1", v.Str())
	e.Logs(ld, nil)
	v, _ = lr.Attributes().Get(AttributeRedacted)
	assert.Equal(t, "email:3 pan:1", v.Str(), "a second pass changes nothing")
	clean := one(func(lr plog.LogRecord) { lr.Body().SetStr("nothing") })
	e.Logs(clean, nil)
	assert.Zero(t, clean.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Len())
}

func TestPacks(t *testing.T) {
	in := "password=hunter2x card " + pan + " a@b.example"
	for pack, want := range map[string]string{
		PackSecrets: "password=[REDACTED:password] card " + pan + " a@b.example",
		PackPCI:     "password=hunter2x card [REDACTED:pan] a@b.example",
		PackPII:     "password=hunter2x card " + pan + " [REDACTED:email]",
	} {
		e := newEngine(t, func(c *Config) { c.Packs = []string{pack} })
		out, _, _ := e.Text(in, nil)
		assert.Equal(t, want, out)
	}
}

func TestDuplicateKeys(t *testing.T) {
	// FromRaw cannot make duplicate keys; the wire can.
	ld := one(func(lr plog.LogRecord) {
		lr.Attributes().PutStr("password", "hunter2x")
		lr.Attributes().PutStr("passwore", "hunter2y")
	})
	wire, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	twice := strings.Replace(string(wire), "passwore", "password", 1)
	ld, err = (&plog.ProtoUnmarshaler{}).UnmarshalLogs([]byte(twice))
	require.NoError(t, err)
	require.Equal(t, 2, ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Len())
	newEngine(t).Logs(ld, nil)
	assert.NotContains(t, everything(ld), "hunter2")
	assert.Equal(t, 2, strings.Count(everything(ld), "[REDACTED:password]"))
}

// Keys that become equal when they are redacted keep their values apart.
func TestRedactedKeysStayApart(t *testing.T) {
	out := raw(t, newEngine(t), map[string]any{"a@b.example": "1", "c@d.example": "2", "plain": "3"})
	assert.Len(t, out, 3)
	assert.Contains(t, out, "[REDACTED:email]")
	assert.Contains(t, out, "[REDACTED:email]#2")
	assert.Equal(t, "3", out["plain"])
}

func TestLimits(t *testing.T) {
	for _, exceed := range []string{Tombstone, Drop} {
		e := newEngine(t, func(c *Config) { c.Limits.OnExceed = exceed })
		huge := strings.Repeat("password=hunter2x ", 16<<20/18)
		nested := func(depth int) plog.Logs {
			return one(func(lr plog.LogRecord) {
				m := lr.Body().SetEmptyMap()
				for range depth {
					m = m.PutEmptyMap("m")
				}
				m.PutStr("password", "hunter2x")
			})
		}
		for name, ld := range map[string]plog.Logs{
			"16 MiB body":  one(func(lr plog.LogRecord) { lr.Body().SetStr(huge) }),
			"16 MiB bytes": one(func(lr plog.LogRecord) { lr.Body().SetEmptyBytes().FromRaw([]byte(huge)) }),
			"16 MiB key":   one(func(lr plog.LogRecord) { lr.Attributes().PutInt(huge, 1) }),
			"10,000 maps":  nested(10_000),
			"65 maps":      nested(65),
		} {
			other := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
			other.Body().SetStr("unharmed")
			rec := newTally()
			e.Logs(ld, rec)
			records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			if exceed == Drop {
				require.Equal(t, 1, records.Len(), name)
				assert.Equal(t, "unharmed", records.At(0).Body().Str())
			} else {
				require.Equal(t, 2, records.Len(), name)
				assert.NotContains(t, everything(ld), "hunter2", name)
				assert.Contains(t, everything(ld), "[REDACTED:limit]", name)
				assert.Equal(t, "unharmed", records.At(1).Body().Str())
			}
			assert.Len(t, rec.failures, 1, name)
		}
		ok := nested(60)
		e.Logs(ok, nil)
		assert.Contains(t, everything(ok), "[REDACTED:password]", "within the limits all is examined")
	}
}

// A detector that panics costs one record, tells nothing of it, and harms no other.
func TestPanic(t *testing.T) {
	for _, onFailure := range []string{Tombstone, Drop} {
		e := newEngine(t, func(c *Config) { c.OnFailure = onFailure })
		w := e.workers.Get().(*worker)
		e.probe = func(s string) {
			if strings.Contains(s, "boom") {
				panic(errors.New("saw " + s))
			}
		}
		e.workers.Put(w)
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		records := rl.ScopeLogs().AppendEmpty().LogRecords()
		for _, s := range []string{"first password=hunter2x", "boom hunter2x", "last password=hunter2x"} {
			lr := records.AppendEmpty()
			lr.Body().SetStr(s)
			lr.Attributes().PutStr("a", s)
			lr.SetSeverityNumber(plog.SeverityNumberError)
			lr.SetEventName("e")
			lr.SetTimestamp(7)
		}
		rec := newTally()
		e.Logs(ld, rec)
		assert.NotContains(t, everything(ld), "hunter2x")
		assert.Equal(t, map[string]int64{"panic": 1}, rec.failures)
		if onFailure == Drop {
			assert.Equal(t, 2, records.Len())
		} else {
			require.Equal(t, 3, records.Len())
			lr := records.At(1)
			assert.Equal(t, "[REDACTED:failure]", lr.Body().Str())
			assert.Equal(t, map[string]any{AttributeFailure: "panic"}, lr.Attributes().AsRaw())
			assert.Equal(t, plog.SeverityNumberError, lr.SeverityNumber())
			assert.EqualValues(t, 7, lr.Timestamp())
			assert.Empty(t, lr.EventName())
		}
		assert.Equal(t, "first password=[REDACTED:password]", records.At(0).Body().Str())

		for _, place := range []string{"resource", "scope name", "scope attribute"} {
			ld := places[place]("boom hunter2x")
			e.Logs(ld, nil)
			if onFailure == Drop {
				assert.Zero(t, ld.LogRecordCount(), place)
			} else {
				assert.Equal(t, 1, ld.LogRecordCount(), place)
				assert.NotContains(t, everything(ld), "hunter2x", place)
			}
		}
		out, _, keep := e.Text("boom hunter2x", nil)
		assert.NotContains(t, out, "hunter2x")
		assert.Equal(t, onFailure == Tombstone, keep)
	}
}

func TestKeyFile(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Rules = []Rule{{ID: "email", Action: "pseudonymize"}}
	cfg.PseudonymKey.ID = "k1"
	secret := strings.Repeat("S", 31)
	write := func(text string, mode os.FileMode) string {
		name := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(name, []byte(text), mode))
		return name
	}
	for file, want := range map[string]string{
		filepath.Join(t.TempDir(), "absent"): "/dev/urandom",
		write(secret, 0o600):                 "fewer than 32 bytes",
		write(secret+"S", 0o644):             "chmod 600",
	} {
		cfg.PseudonymKey.File = file
		_, err := New(cfg)
		require.ErrorContains(t, err, "pseudonym_key.file")
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), secret)
	}

	// Another key, or the same key under another rule, gives other pseudonyms; a key that is replaced while the engine runs
	// changes nothing until it is started again.
	cfg.PseudonymKey.File = write(strings.Repeat("a", 32), 0o600)
	cfg.Rules = append(cfg.Rules, Rule{ID: "mail_too", Regex: `mail:\S+`, Action: "pseudonymize"})
	e, err := New(cfg)
	require.NoError(t, err)
	ld := batch([]string{"x a@b.example", "y a@b.example"})
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	calls := 0
	e.probe = func(string) {
		if calls++; calls == 4 {
			assert.NoError(t, os.WriteFile(cfg.PseudonymKey.File, []byte(strings.Repeat("b", 32)), 0o600))
		}
	}
	e.Logs(ld, nil)
	require.Greater(t, calls, 4)
	first := strings.TrimPrefix(records.At(0).Body().Str(), "x ")
	assert.Equal(t, first, strings.TrimPrefix(records.At(1).Body().Str(), "y "), "one batch, one key")
	cfg.PseudonymKey.ID = "k2"
	rotated, err := New(cfg)
	require.NoError(t, err)
	out, _, _ := rotated.Text("a@b.example", nil)
	assert.NotEqual(t, first, out)
	assert.Contains(t, out, ":k2:")
}

func TestConfigErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		wants  []string
	}{
		{"no packs", func(c *Config) { c.Packs = nil }, []string{"packs", "pci"}},
		{"unknown pack", func(c *Config) { c.Packs = []string{"all"} }, []string{"packs[0]", "secrets, pci, pii"}},
		{"mode", func(c *Config) { c.Mode = "on" }, []string{"mode", "enforce, audit"}},
		{"pass", func(c *Config) { c.OnFailure = "pass" }, []string{"on_failure", "no pass"}},
		{"exceed", func(c *Config) { c.Limits.OnExceed = "keep" }, []string{"limits.on_exceed", "tombstone, drop"}},
		{"bytes", func(c *Config) { c.Limits.MaxValueBytes = 0 }, []string{"limits.max_value_bytes"}},
		{"depth", func(c *Config) { c.Limits.MaxDepth = 0 }, []string{"limits.max_depth"}},
		{"annotate", func(c *Config) { c.Annotate = "all" }, []string{"annotate", "none, counts"}},
		{"seal", withRules(Rule{ID: "pan", Action: "seal"}), []string{"rules[0] (pan)", "seal", "not available"}},
		{"truncate", withRules(Rule{ID: "pan", Action: "truncate"}), []string{"partial", "keep_first"}},
		{"action", withRules(Rule{ID: "pan", Action: "hash"}), []string{"hash", "pseudonymize"}},
		{"no action", withRules(Rule{ID: "pan"}), []string{"action", "missing"}},
		{"unknown rule", withRules(Rule{ID: "cards", Action: "mask"}), []string{"cards", "regex"}},
		{"bad id", withRules(Rule{ID: "My Rule", Regex: "xy"}), []string{"rules[0].id"}},
		{"twice", withRules(Rule{ID: "email", Action: "mask"}, Rule{ID: "email", Action: "off"}), []string{"listed twice"}},
		{"truncated and pseudonymized", withRules(Rule{ID: "pan", Action: "pseudonymize"}, Rule{ID: "pan", Action: "partial", KeepLast: 4}), []string{"PCI DSS 3.5.1", "choose one"}},
		{"too much of a card", withRules(Rule{ID: "pan", Action: "partial", KeepFirst: 12}), []string{"PCI DSS 3.4.1"}},
		{"partial shows nothing", withRules(Rule{ID: "email", Action: "partial"}), []string{"keep_first"}},
		{"keep without partial", withRules(Rule{ID: "email", Action: "mask", KeepFirst: 1}), []string{"keep_first", "partial"}},
		{"card code kept", withRules(Rule{ID: "card_code", Action: "partial", KeepLast: 1}), []string{"PCI DSS 3.3.1"}},
		{"track kept", withRules(Rule{ID: "track", Action: "pseudonymize"}), []string{"PCI DSS 3.3.1"}},
		{"no key", withRules(Rule{ID: "email", Action: "pseudonymize"}), []string{"pseudonym_key.id", "pseudonym_key.file", "32 random bytes"}},
		{"regex", withRules(Rule{ID: "mine", Regex: `(?=x)y`}), []string{"rules[0] (mine).regex", "look-around"}},
		{"empty match", withRules(Rule{ID: "mine", Regex: `ab*|x?`}), []string{"empty text"}},
		{"no literal", withRules(Rule{ID: "mine", Regex: `\d{8}`}), []string{"scan_all: true"}},
		{"built-in with regex", withRules(Rule{ID: "pan", Regex: "xyz"}), []string{"another id"}},
		{"allow unknown", func(c *Config) { c.Allow = []Allow{{Rule: "mail", Match: "x"}} }, []string{"allow[0].rule", "mail"}},
		{"allow everything", func(c *Config) { c.Allow = []Allow{{Rule: "email", Match: "**"}} }, []string{"allow[0].match", "off"}},
		{"every key", func(c *Config) { c.Keys.Ignore = []string{"*"} }, []string{"keys.ignore[0]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := DefaultConfig()
			tt.change(&cfg)
			_, err := New(cfg)
			require.Error(t, err)
			for _, w := range tt.wants {
				assert.Contains(t, err.Error(), w)
			}
		})
	}
}

func withRules(r ...Rule) func(*Config) { return func(c *Config) { c.Rules = r } }

func TestRequiredLiterals(t *testing.T) {
	for expr, want := range map[string][]string{
		`ACCT-\d{8}`:          {"acct-"},
		`(?:foo|barbaz)\d+`:   {"barbaz", "foo"},
		`\d+(?:EMP|CON)-\w+`:  {"con", "emp"},
		`(?i)skunk-\d`:        {"un"},
		`(?i)acct-\d`:         {"acct-"},
		`x(abc)?y`:            nil,
		`(abc){2,}`:           {"abc"},
		`\d{16}`:              nil,
		`[ab]c`:               nil,
		`(?:foo|\d)x`:         nil,
		`^Zürich \w+ (a|b)c$`: {"zürich "},
	} {
		assert.Equal(t, want, requiredLiterals(expr), expr)
	}
}

// Custom rules find what the expression finds, whatever is around it.
func TestCustomRules(t *testing.T) {
	e := newEngine(t, func(c *Config) {
		c.Rules = []Rule{
			{ID: "account", Regex: `\bACCT-\d{8}\b`},
			{ID: "badge", Regex: `(?i)badge\s*#?\d+`},
			{ID: "coord", Regex: `\d{2}\.\d{4}N`, ScanAll: true},
		}
	})
	for in, want := range map[string]string{
		"ACCT-12345678 ACCT-87654321":             "[REDACTED:account] [REDACTED:account]",
		"xACCT-12345678 ACCT-123456789":           "xACCT-12345678 ACCT-123456789",
		"his Badge  #42 and BADGE7.":              "his [REDACTED:badge] and [REDACTED:badge].",
		"at 51.5007N":                             "at [REDACTED:coord]",
		`{"a":"badge\u002042"}`:                   `{"a":"[REDACTED:badge]"}`,
		strings.Repeat("z", 999) + "ACCT-1 acct-": strings.Repeat("z", 999) + "ACCT-1 acct-",
	} {
		out, _, _ := e.Text(in, nil)
		assert.Equal(t, want, out)
	}
}

func TestConcurrentUse(t *testing.T) {
	e := newEngine(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				ld := batch([]string{"card " + pan, "clean", `{"a":"alice\u0040example.com"}`})
				e.Logs(ld, newTally())
				assert.NotContains(t, everything(ld), "4111")
				assert.NotContains(t, everything(ld), "alice")
			}
		})
	}
	wg.Wait()
}

// An engine with a rule that does not find its own example does not start.
func TestSelfTest(t *testing.T) {
	pan := rules.All()[rules.PAN]
	old := pan.Gone
	defer func() { pan.Gone = old }()
	pan.Gone = []rules.Example{{Text: "card 4111 1111 1111 1112"}}
	_, err := New(DefaultConfig())
	require.ErrorContains(t, err, "self-test")
	assert.NotContains(t, err.Error(), "1112")
}

// A glob of keys.sensitive takes in text what it takes as a key, whatever its name is made of.
func TestSensitiveGlobsInText(t *testing.T) {
	globs := map[string][]string{
		"*session*":      {"session", "userSession", "SESSION_ID", "x-session-key", "session.count"},
		"plate":          {"plate", "Plate", "PLATE"},
		"customer_*":     {"customer_no", "customer_name"},
		"*_ref":          {"order_ref"},
		"kfz?":           {"kfz1", "KFZa"},
		"m?d":            {"mad", "m9d"},
		"ключ":           {"ключ"},
		"*口座*":           {"口座", "口座番号"},
		"user name":      {"user name", "User Name"},
		"app/token*":     {"app/tokens"},
		"*@internal":     {"id@internal"},
		"$*":             {"$x"},
		"größe":          {"größe"},
		"policy.*number": {"policy.number", "policy.holder.number"},
		"*token*":        {"token_count", "token"}, // in the examples that an engine tries at its start
	}
	try := func(e *Engine, names []string) {
		for _, name := range names {
			for _, value := range []string{"open", "Qz8kLm2Vx7", "17"} {
				ld := one(func(lr plog.LogRecord) { lr.Attributes().PutStr(name, value) })
				e.Logs(ld, nil)
				assert.NotContains(t, strings.ReplaceAll(everything(ld), name, ""), value, "%s as a key", name)
				for _, text := range []string{
					name + "=" + value, "x " + name + "=" + value + " y", name + ": " + value, `{"` + name + `":"` + value + `"}`, `{"a":1,"` + name + `": ` + value + `,"b":2}`,
					`{"` + name + `":["` + value + `"]}`, `{\"` + name + `\":\"` + value + `\"}`, "'" + name + "' => '" + value + "'", name + " = \"" + value + "\"",
				} {
					out, _, _ := e.Text(text, nil)
					assert.NotContains(t, strings.ReplaceAll(out, name, ""), value, "%s in text", text)
				}
			}
		}
	}
	e := newEngine(t, func(c *Config) { c.Keys.Sensitive = slices.Collect(maps.Keys(globs)) })
	for _, names := range globs {
		try(e, names)
	}
}
