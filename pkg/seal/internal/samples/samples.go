// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
)

// One returns logs of one record, and that record.
func One(change func(plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord)) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	sl := rl.ScopeLogs().AppendEmpty()
	lr := sl.LogRecords().AppendEmpty()
	lr.SetTimestamp(1_800_000_000_123_456_789)
	lr.Body().SetStr("body")
	lr.Attributes().PutStr("k", "v")
	if change != nil {
		change(rl, sl, lr)
	}
	return ld
}

// Distinct are records that must all have different digests.
func Distinct() map[string]plog.Logs {
	type change = func(plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord)
	body := func(set func(pcommon.Value)) change {
		return func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			pcommon.NewValueEmpty().CopyTo(lr.Body())
			set(lr.Body())
		}
	}
	record := func(set func(plog.LogRecord)) change {
		return func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { set(lr) }
	}
	logs := map[string]plog.Logs{}
	for name, c := range map[string]change{
		"plain":              nil,
		"body, empty":        body(func(pcommon.Value) {}),
		"body, empty string": body(func(v pcommon.Value) { v.SetStr("") }),
		"body, empty bytes":  body(func(v pcommon.Value) { v.SetEmptyBytes() }),
		"body, empty array":  body(func(v pcommon.Value) { v.SetEmptySlice() }),
		"body, empty map":    body(func(v pcommon.Value) { v.SetEmptyMap() }),
		"body, bytes":        body(func(v pcommon.Value) { v.SetEmptyBytes().FromRaw([]byte("body")) }),
		"body, array":        body(func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetStr("body") }),
		"body, map":          body(func(v pcommon.Value) { v.SetEmptyMap().PutStr("body", "") }),
		"body, true":         body(func(v pcommon.Value) { v.SetBool(true) }),
		"body, false":        body(func(v pcommon.Value) { v.SetBool(false) }),
		"body, text true":    body(func(v pcommon.Value) { v.SetStr("true") }),
		"body, 1":            body(func(v pcommon.Value) { v.SetInt(1) }),
		"body, 1.0":          body(func(v pcommon.Value) { v.SetDouble(1) }),
		"body, text 1":       body(func(v pcommon.Value) { v.SetStr("1") }),
		"body, 0":            body(func(v pcommon.Value) { v.SetInt(0) }),
		"body, 0.0":          body(func(v pcommon.Value) { v.SetDouble(0) }),
		"body, -0.0":         body(func(v pcommon.Value) { v.SetDouble(math.Copysign(0, -1)) }),
		"body, Inf":          body(func(v pcommon.Value) { v.SetDouble(math.Inf(1)) }),
		"body, -Inf":         body(func(v pcommon.Value) { v.SetDouble(math.Inf(-1)) }),
		"body, NaN":          body(func(v pcommon.Value) { v.SetDouble(math.NaN()) }),
		"body, 2^53":         body(func(v pcommon.Value) { v.SetInt(1 << 53) }),
		"body, 2^53+1":       body(func(v pcommon.Value) { v.SetInt(1<<53 + 1) }),
		"body, smallest int": body(func(v pcommon.Value) { v.SetInt(math.MinInt64) }),
		"body, two parts": body(func(v pcommon.Value) {
			s := v.SetEmptySlice()
			s.AppendEmpty().SetStr("a")
			s.AppendEmpty().SetStr("b")
		}),
		"body, other order": body(func(v pcommon.Value) {
			s := v.SetEmptySlice()
			s.AppendEmpty().SetStr("b")
			s.AppendEmpty().SetStr("a")
		}),
		"body, one part":       body(func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetStr("ab") }),
		"body, nested":         body(func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetEmptySlice().AppendEmpty().SetStr("a") }),
		"body, U+FFFD":         body(func(v pcommon.Value) { v.SetStr("\uFFFD") }),
		"time":                 record(func(lr plog.LogRecord) { lr.SetTimestamp(lr.Timestamp() + 1) }),
		"time, absent":         record(func(lr plog.LogRecord) { lr.SetTimestamp(0) }),
		"observed time":        record(func(lr plog.LogRecord) { lr.SetObservedTimestamp(1) }),
		"severity":             record(func(lr plog.LogRecord) { lr.SetSeverityNumber(9) }),
		"severity, negative":   record(func(lr plog.LogRecord) { lr.SetSeverityNumber(-9) }),
		"severity text":        record(func(lr plog.LogRecord) { lr.SetSeverityText("INFO") }),
		"event name":           record(func(lr plog.LogRecord) { lr.SetEventName("INFO") }),
		"trace id":             record(func(lr plog.LogRecord) { lr.SetTraceID([16]byte{15: 1}) }),
		"span id":              record(func(lr plog.LogRecord) { lr.SetSpanID([8]byte{7: 1}) }),
		"flags":                record(func(lr plog.LogRecord) { lr.SetFlags(1) }),
		"dropped":              record(func(lr plog.LogRecord) { lr.SetDroppedAttributesCount(1) }),
		"attribute, none":      record(func(lr plog.LogRecord) { lr.Attributes().Clear() }),
		"attribute, two":       record(func(lr plog.LogRecord) { lr.Attributes().PutStr("k2", "v") }),
		"attribute, other key": record(func(lr plog.LogRecord) { lr.Attributes().Clear(); lr.Attributes().PutStr("kv", "") }),
		"attribute, a.b":       record(func(lr plog.LogRecord) { lr.Attributes().Clear(); lr.Attributes().PutInt("a.b", 1) }),
		"attribute, a{b}":      record(func(lr plog.LogRecord) { lr.Attributes().Clear(); lr.Attributes().PutEmptyMap("a").PutInt("b", 1) }),
		"attribute, nested id": record(func(lr plog.LogRecord) { lr.Attributes().PutEmptyMap("m").PutStr(seal.IDKey, "x") }),
		"attribute, near id":   record(func(lr plog.LogRecord) { lr.Attributes().PutStr(seal.IDKey+" ", "x") }),
		"resource attribute": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			rl.Resource().Attributes().PutStr("k", "v")
		},
		"resource id": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			rl.Resource().Attributes().PutStr(seal.IDKey, "v")
		},
		"resource dropped": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			rl.Resource().SetDroppedAttributesCount(1)
		},
		"resource schema": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) { rl.SetSchemaUrl("u") },
		"scope schema":    func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.SetSchemaUrl("u") },
		"scope name":      func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.Scope().SetName("u") },
		"scope version":   func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.Scope().SetVersion("u") },
		"scope attribute": func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) {
			sl.Scope().Attributes().PutStr("k", "v")
		},
		"scope dropped": func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) {
			sl.Scope().SetDroppedAttributesCount(1)
		},
	} {
		logs[name] = One(c)
	}
	return logs
}

func Nest(v pcommon.Value, depth int) {
	for range depth {
		v = v.SetEmptySlice().AppendEmpty()
	}
	v.SetStr("deep")
}

// Duplicate adds a key that may be there already, as a decoder does.
func Duplicate(m pcommon.Map, key, value string) {
	m.PutStr("placeholder of "+key, value)
	data, _ := (&plog.ProtoMarshaler{}).MarshalLogs(func() plog.Logs {
		ld := plog.NewLogs()
		lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		m.CopyTo(lr.Attributes())
		return ld
	}())
	// The two keys differ in length, so the bytes are built again by hand: a
	// KeyValue of the wanted key is appended to the record.
	ld, _ := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	attributes := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	attributes.Remove("placeholder of " + key)
	record, _ := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	// ResourceLogs{2: ScopeLogs{2: LogRecord{6: KeyValue{1: key, 2: AnyValue{1: value}}}}}
	kv := Field(1, []byte(key))
	kv = append(kv, Field(2, Field(1, []byte(value)))...)
	inner := unwrap(unwrap(unwrap(record, 1), 2), 2)
	inner = append(inner, Field(6, kv)...)
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(Field(1, Field(2, Field(2, inner))))
	if err != nil {
		panic(err)
	}
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().CopyTo(m)
}

func Fill(n byte) (h [32]byte) {
	for i := range h {
		h[i] = n
	}
	return h
}

// Seals returns one well-formed seal of each kind and shape.
func Seals() map[string]seal.Seal {
	base := seal.Seal{
		Size: 3417, Root: Fill(1), Number: 3502,
		Handle: "k3x2a2qd", Nonce: [16]byte{1, 2, 3}, Time: time.Date(2026, 11, 23, 5, 22, 20, 123456789, time.UTC),
		Uptime: 86400*time.Second + 123*time.Millisecond, BootID: [16]byte{9},
		Prev: Fill(2), Next: Fill(3),
		Anchors: []seal.Anchor{{Number: 3520, Key: anchorKey(4)}, {Number: 3584, Key: anchorKey(5)}, {Number: 4096, Key: anchorKey(6)}, {Number: 262144, Key: anchorKey(7)}},
	}
	seals := map[string]seal.Seal{}
	key := seal.PublicKey(Fill(8))
	base.StreamID = seal.StreamID(&key)
	add := func(name string, change func(*seal.Seal)) {
		s := base
		change(&s)
		if s.Kind == seal.KindOpen {
			s.Key = key
		}
		seals[name] = s
	}
	add("open", func(s *seal.Seal) {
		s.Kind, s.Name, s.Software = seal.KindOpen, "web-17/audit", "logseal/0.1.0"
		s.Interval, s.Heartbeat = time.Second, time.Minute
	})
	add("open, first", func(s *seal.Seal) {
		s.Kind, s.Name, s.Software, s.Number, s.Prev = seal.KindOpen, "w", "x", 0, seal.Hash{}
		s.Anchors = []seal.Anchor{{Number: 64, Key: anchorKey(4)}, {Number: 128, Key: anchorKey(5)}, {Number: 4096, Key: anchorKey(6)}, {Number: 262144, Key: anchorKey(7)}}
		s.Exclude, s.ExcludeResource = []string{"a.b", "k8s.*"}, []string{"cloud.*", "region"}
	})
	add("open, endorsed", func(s *seal.Seal) {
		s.Kind, s.Name, s.Software, s.Number, s.Prev = seal.KindOpen, "w", "x", 0, seal.Hash{}
		s.Anchors = []seal.Anchor{{Number: 64, Key: anchorKey(4)}, {Number: 128, Key: anchorKey(5)}, {Number: 4096, Key: anchorKey(6)}, {Number: 262144, Key: anchorKey(7)}}
		s.Endorsement = &seal.Endorsement{Signature: []byte("signature"), Certificates: [][]byte{[]byte("leaf"), []byte("CA")}}
	})
	hybrid := []seal.Anchor{{Number: 64, Key: HybridAnchor(4)}, {Number: 128, Key: HybridAnchor(5)}, {Number: 4096, Key: HybridAnchor(6)}, {Number: 262144, Key: HybridAnchor(7)}}
	add("open, post-quantum", func(s *seal.Seal) {
		s.Kind, s.Name, s.Software, s.Number, s.Prev = seal.KindOpen, "w", "x", 0, seal.Hash{}
		s.Anchors, s.MLDSA = hybrid, make([]byte, seal.MLDSAKeySize)
	})
	add("heartbeat, post-quantum", func(s *seal.Seal) {
		s.Kind, s.Number, s.Anchors = seal.KindHeartbeat, 63, hybrid
	})
	add("anchor, post-quantum", func(s *seal.Seal) {
		s.Kind, s.Number, s.OwnAnchor, s.MLDSA = seal.KindHeartbeat, 64, Fill(9), make([]byte, seal.MLDSAKeySize)
		s.Anchors = []seal.Anchor{{Number: 128, Key: HybridAnchor(5)}, {Number: 192, Key: HybridAnchor(8)}, {Number: 4096, Key: HybridAnchor(6)}, {Number: 262144, Key: HybridAnchor(7)}}
	})
	add("open, rolled back", func(s *seal.Seal) {
		s.Kind, s.Name, s.Software, s.RolledBack, s.RollbackTo = seal.KindOpen, "w", "x", true, 12
	})
	add("block", func(s *seal.Seal) {
		s.Kind, s.Covered = seal.KindBlock, seal.Ranges{{First: 0, Last: 15}, {First: 17, Last: 17}}
		s.Void, s.Groups, s.Prefixes = seal.Ranges{{First: 16, Last: 16}}, []seal.Hash{Fill(5), Fill(6)}, make([]byte, 34)
	})
	add("adopt sent", func(s *seal.Seal) {
		s.Kind, s.Adopts, s.Covered = seal.KindAdopt, "abcdefgh", seal.Ranges{{First: 3, Last: 4}}
		s.Groups, s.Prefixes = []seal.Hash{Fill(5)}, make([]byte, 4)
	})
	add("adopt doubt", func(s *seal.Seal) {
		s.Kind, s.Adopts, s.Doubt, s.Covered = seal.KindAdopt, "abcdefgh", true, seal.Ranges{{First: 3, Last: 4}}
		s.Groups = []seal.Hash{Fill(5), Fill(6)}
	})
	add("adopt void", func(s *seal.Seal) {
		s.Kind, s.Adopts, s.Void = seal.KindAdopt, "abcdefgh", seal.Ranges{{First: 7, Last: 9}}
	})
	add("heartbeat", func(s *seal.Seal) { s.Kind = seal.KindHeartbeat })
	add("close", func(s *seal.Seal) { s.Kind, s.End, s.Void = seal.KindClose, 12, seal.Ranges{{First: 7, Last: 9}} })
	return seals
}

// HybridAnchor is what the keys of an anchor of a post-quantum stream are named by.
func HybridAnchor(b byte) seal.AnchorKey {
	key := seal.PublicKey(Fill(b))
	return seal.HybridAnchor(&key, nil)
}

func anchorKey(b byte) seal.AnchorKey {
	key := seal.PublicKey(Fill(b))
	return seal.Ed25519Anchor(&key)
}

// Numbered returns n leaf hashes, and the data under them.
func Numbered(n int) (leaves, data []seal.Hash) {
	for i := range n {
		var d seal.Hash
		binary.BigEndian.PutUint64(d[:], uint64(i))
		leaves, data = append(leaves, leafOf(&d)), append(data, d)
	}
	return leaves, data
}

// AccessLogs returns n records as a file receiver makes them of a web server's
// access log: a 157-byte line, and the file's name.
func AccessLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "web")
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.LogRecords().EnsureCapacity(n)
	for i := range n {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i))
		lr.SetObservedTimestamp(pcommon.Timestamp(1_700_000_000_000_100_000 + i))
		lr.Attributes().PutStr("log.file.name", "access.log")
		line := fmt.Sprintf(`192.0.2.%03d - - [23/Nov/2026:05:22:20 +0000] "GET /products/%06d?ref=home HTTP/1.1" 200 %05d "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64)"`, i%256, i%1_000_000, i%100_000)
		lr.Body().SetStr(fmt.Sprintf("%-157.157s", line))
	}
	return ld
}

// Field returns a length-delimited protobuf field.
func Field(number int, data []byte) []byte {
	b := []byte{byte(number<<3 | 2)}
	for n := len(data); ; n >>= 7 {
		if n < 0x80 {
			return append(append(b, byte(n)), data...)
		}
		b = append(b, byte(n)|0x80)
	}
}

// Unwrap returns the content of the first length-delimited field of that number.
func unwrap(b []byte, number int) []byte {
	for len(b) > 0 {
		tag, size, shift := b[0], 0, 0
		i := 1
		for ; b[i] >= 0x80; i++ {
			size |= int(b[i]&0x7f) << shift
			shift += 7
		}
		size |= int(b[i]) << shift
		i++
		if tag == byte(number<<3|2) {
			return b[i : i+size]
		}
		b = b[i+size:]
	}
	return nil
}

// leafOf is the RFC 6962 hash of a leaf.
func leafOf(data *seal.Hash) seal.Hash { return sha256.Sum256(append([]byte{0}, data[:]...)) }
