// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// crashes are sessions that end without a close seal, and what is there of them under ids that no seal settles.
func (s *vectorSet) crashes() {
	crashed := func(boot bool) *vectorStream {
		v := newVectorStream(s.t, "crash").begin()
		v.log(3, true, true, true)
		v.tock()
		v.log(2, true, true, true)
		if boot {
			v.now.BootID[0]++
		}
		return v.begin() // seal 2 opens, seal 3 adopts
	}
	v := crashed(false)
	v.log(1, true, true, true)
	v.end()
	v.again(4, "5")
	s.add("crash-inserted.jsonl", "a record past what a session that was killed gave out", v, tampered, 7, 6, verdicts{"INSERTED": 1})

	v = crashed(true)
	v.log(1, true, true, true)
	v.end()
	v.again(4, "5")
	s.add("crash-boot.jsonl", "the same after a loss of power: the record may not have been stored", v, incomplete, 7, 6, verdicts{"UNSEALED": 1})

	v = crashed(false)
	v.again(4, "5")
	s.add("crash-open.jsonl", "the same, and the archive ends before it is known that no more is adopted", v, incomplete, 6, 5, verdicts{"UNSEALED": 1, "OPEN_END": 1})

	v = crashed(false)
	v.begin() // killed before it did anything
	v.end()
	v.again(4, "5")
	s.add("crash-idle.jsonl", "the same, and the next session was killed idle: the one after that adopts nothing of the first", v, tampered, 6, 5, verdicts{"INSERTED": 1})

	v = newVectorStream(s.t, "doubt").begin()
	v.log(3, true, false, false)
	v.begin()
	v.end()
	v.replace(v.record(1), "line 1", "line X")
	s.add("doubt-altered.jsonl", "a record that was in doubt says something else", v, tampered, 3, 2, verdicts{"ALTERED": 1})
}

// ids are archives in which ids were changed, or are there more than once.
func (s *vectorSet) ids() {
	v := shortStream(s.t, "short")
	v.replace(v.record(2), v.idAt(v.record(2)), v.idAt(v.record(1)))
	v.drop(v.record(1))
	s.add("renumbered.jsonl", "a record is gone, and the next bears its id", v, tampered, 4, 2, verdicts{"ALTERED": 1, "MISSING": 1, "UNRESOLVED": 1})

	v = shortStream(s.t, "short")
	v.again(1, "1")
	v.replace(len(v.lines)-1, "line 1", "line X")
	v.replace(v.record(2), "line 2", "line Y")
	s.add("conflict-altered.jsonl", "two records have one id in a group that does not hold together: one is taken for it", v, tampered, 6, 2, verdicts{"ALTERED": 1, "UNRESOLVED": 2, "CONFLICT": 1})

	v = shortStream(s.t, "short")
	v.again(1, "1")
	v.replace(len(v.lines)-1, "line 1", "line X")
	v.lines = v.lines[1:]
	v.lines = slices.DeleteFunc(v.lines, func(line string) bool { return strings.Contains(line, seal.EventName) })
	s.add("conflict-orphan.jsonl", "two records have one id, and no seal tells of their session", v, tampered, 6, 0, verdicts{"ORPHAN": 5, "CONFLICT": 1, "ABSENT": 2})

	v = newVectorStream(s.t, "short").begin()
	v.log(3, true, true, true)
	v.again(1, "1")
	v.replace(len(v.lines)-1, "line 1", "line X")
	s.add("conflict-unsealed.jsonl", "two records have one id, and no seal covers it yet", v, tampered, 4, 0, verdicts{"UNSEALED": 3, "CONFLICT": 1, "OPEN_END": 1})

	v = shortStream(s.t, "short")
	s.alike(v, 0, 1)
	s.alike(v, 1, 1)
	s.alike(v, 2, 2)
	s.add("conflict-digests.jsonl", "four forged records have the short digests of those whose ids they bear: of 12 combinations one holds", v, tampered, 9, 5, verdicts{"CONFLICT": 4})

	v = shortStream(s.t, "short")
	i := v.record(1)
	s.alike(v, 1, 1)
	v.drop(i)
	s.add("unresolved.jsonl", "a record says something else and has the same short digest: nothing tells which of the group", v, tampered, 5, 2, verdicts{"UNRESOLVED": 3})

	v = newVectorStream(s.t, "void").begin()
	v.log(1, true, true, true)
	v.log(2, true, true, false)
	v.end()
	for range 2 {
		v.again(1, "1")
	}
	v.replace(len(v.lines)-1, "line 1", "line X")
	s.add("void-conflict.jsonl", "three records under a void id, two of them equal, and one under another", v, incomplete, 5, 1, verdicts{"VOIDED": 3}).Repeated = 1

	v = shortStream(s.t, "short")
	v.again(1, "1")
	v.replace(len(v.lines)-1, `,"value":{"stringValue":"access.log"}`, `,"value":null`)
	s.add("malformed-copy.jsonl", "a copy of a record that cannot be read: the record stands", v, tampered, 6, 5, verdicts{"MALFORMED": 1})

	s.shared()
}

// alike adds forged records under the id of the n-th, whose digests begin with the same two bytes.
func (s *vectorSet) alike(v *vectorStream, n, count int) {
	want := v.leaf(v.record(n))
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(v.lines[v.record(n)]))
	require.NoError(s.t, err)
	lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	leaves := make([]seal.Hash, 1)
	var h canonical.Hasher
	for try := 0; count > 0; try++ {
		lr.Body().SetStr(fmt.Sprintf("forged %d", try))
		require.NoError(s.t, h.Leaves(ld, &seal.Policy{}, leaves))
		if leaves[0][0] == want[0] && leaves[0][1] == want[1] {
			v.add(ld)
			count--
		}
	}
}

// nonces is a source of bytes that gives chosen nonces, and else what the other one gives.
type nonces struct {
	*fixedRandom
	list []uint64
}

func (r *nonces) Read(p []byte) (int, error) {
	if len(p) != 16 {
		return r.fixedRandom.Read(p)
	}
	clear(p)
	binary.BigEndian.PutUint64(p[8:], r.list[0])
	r.list = r.list[1:]
	return len(p), nil
}

// shared are archives of two sessions with one handle: two nonces that somebody who worked at it could find.
func (s *vectorSet) shared() {
	shared := func() *vectorStream {
		v := newVectorStream(s.t, "shared")
		v.cfg.random = &nonces{v.cfg.random.(*fixedRandom), []uint64{361421, 673784}}
		for range 2 {
			v.begin()
			v.log(3, true, true, true)
			v.end()
		}
		require.Equal(s.t, v.notes[0].Seal.Handle, v.last().Handle)
		require.Equal(s.t, v.idAt(v.record(0)), v.idAt(v.record(3)))
		return v
	}
	s.add("shared.jsonl", "two sessions have one handle, and their records the same ids", shared(), ok, 6, 6, verdicts{})

	v := shared()
	v.drop(v.record(4))
	s.add("shared-deleted.jsonl", "the same, and a record of the second session is gone", v, tampered, 5, 3, verdicts{"MISSING": 1, "UNRESOLVED": 2})

	v = shared()
	v.again(4, "1")
	v.replace(len(v.lines)-1, "line 4", "line X")
	s.add("shared-conflict.jsonl", "the same, and a third record under an id of both", v, tampered, 7, 6, verdicts{"CONFLICT": 1})

	for _, first := range []string{"records", "seals"} {
		v = newVectorStream(s.t, "shared")
		v.cfg.random = &nonces{v.cfg.random.(*fixedRandom), []uint64{361421, 673784}}
		v.cfg.Policy, _ = seal.NewPolicy([]string{"added"}, nil)
		v.begin()
		v.log(1, true, true, true)
		v.log(2, false, true, false)
		v.end()
		v.cfg.Policy = seal.Policy{}
		v.begin()
		v.log(3, true, true, true)
		v.end()
		v.replace(v.record(0), `"attributes":[{"key":"log.file.name"`, `"attributes":[{"key":"added"},{"key":"log.file.name"`)
		slices.SortStableFunc(v.lines, func(a, b string) int {
			return strings.Compare(boolKey(strings.Contains(a, seal.EventName) == (first == "seals")), boolKey(strings.Contains(b, seal.EventName) == (first == "seals")))
		})
		if first == "seals" {
			other := &vectorStream{testStream: v.testStream, lines: slices.Clone(v.lines)}
			other.replace(other.record(4), `"attributes":[{"key":"log.file.name"`, `"attributes":[{"key":"added"},{"key":"log.file.name"`)
			s.add("shared-excluded.jsonl", "the same, and a record of the second session has an attribute more that only the first excludes", other, tampered, 4, 1, verdicts{"ALTERED": 1, "UNRESOLVED": 2})
		}
		s.add("shared-void-"+first+".jsonl", "two sessions have one handle: the first excludes an attribute, and voids ids that the second covers; "+first+" come first", v, ok, 4, 4, verdicts{})
	}

	v = shared()
	v.again(4, "3")
	s.add("shared-inserted.jsonl", "the same, and a record past the end of both", v, tampered, 7, 6, verdicts{"INSERTED": 1})
}

// streams are archives with several trust lines, and with a time up to which they must be complete.
func (s *vectorSet) streams() {
	a, b := shortStream(s.t, "a"), shortStream(s.t, "b")
	other := b.Trust()
	other.Name = "db-3"
	both := &vectorStream{testStream: a.testStream, lines: append(slices.Clone(a.lines), b.lines...)}
	two := func(v *vectorArchive, second string) { v.Trust += "\n" + second + "\n" }
	two(s.add("streams.jsonl", "two streams", both, ok, 10, 10, verdicts{}), other.String())
	s.add("streams-comments.jsonl", "the same, and comments, empty lines, CRLF and white space in the trust file", both, ok, 10, 10, verdicts{}).Trust = "# of the site\r\n\r\n \t" + a.Trust().String() + " \r\n#\r\n" + other.String() + "\t optional\r\n"
	two(s.add("streams-one-name.jsonl", "the same under one name: a host that was enrolled anew", both, ok, 10, 10, verdicts{}), b.Trust().String())
	two(s.add("streams-absent.jsonl", "the second of two streams is not there", a, tampered, 5, 5, verdicts{"ABSENT": 1}), other.String())
	two(s.add("streams-optional.jsonl", "the same, and it is optional", a, ok, 5, 5, verdicts{}), other.String()+" optional")
	s.add("streams-optional-alone.jsonl", "the one stream of the trust file is optional, and nothing of it is there", &vectorStream{testStream: a.testStream}, tampered, 0, 0, verdicts{"ABSENT": 1}).Trust += " optional"

	v := shortStream(s.t, "a")
	forged := b.thief()
	forged.Chain.Key, _ = keychain.NewKeyPair(forged.Random)
	v.addNote(forged.Seal(forged.tip, nil), forged.tip.Time)
	two(s.add("streams-optional-forged.jsonl", "an optional stream is not there, and somebody made a seal in its name", v, tampered, 5, 5, verdicts{"BAD_SEAL": 1}), other.String()+" optional")

	v = shortStream(s.t, "a")
	v.lines = append(v.lines, strings.ReplaceAll(v.lines[v.sealLine(1)], "logseal.v1/", "logseal.v2/"))
	s.add("unsupported.jsonl", "a seal of another version of the format", v, tampered, 5, 5, verdicts{"UNSUPPORTED": 1})

	until := func(v *vectorArchive, at time.Time) { v.Until = at.Format("2006-01-02T15:04:05.000000000Z") }
	v = shortStream(s.t, "a")
	v.drop(len(v.lines) - 1)
	last := v.notes[2].Seal.Time
	until(s.add("until.jsonl", "cut off, and complete up to the time for which it is asked: that of its last seal", v, ok, 5, 5, verdicts{}), last)
	until(s.add("silent.jsonl", "cut off before the time up to which it must be complete", v, tampered, 5, 5, verdicts{"SILENT": 1}), last.Add(1))
	a = shortStream(s.t, "a")
	until(s.add("silent-closed.jsonl", "closed before that time", a, tampered, 5, 5, verdicts{"SILENT": 1}), a.last().Time.Add(time.Nanosecond))

	v = shortStream(s.t, "a")
	for i := range v.lines {
		if strings.Contains(v.lines[i], seal.EventName) {
			v.replace(i, `"scope":{"name":"logseal"}`, `"scope":{"name":"x"}`)
			v.replace(i, `"logRecords":[{`, `"logRecords":[{"severityNumber":17,"attributes":[{"key":"added"}],`)
		}
	}
	s.add("seals-relabelled.jsonl", "scope, severity and attributes of seals were changed: nothing of that is signed", v, ok, 5, 5, verdicts{})

	v = shortStream(s.t, "a")
	lines := slices.Clone(v.lines)
	for n := range 4 {
		v.spoil(n, "")
	}
	v.lines = append(slices.DeleteFunc(v.lines, func(line string) bool { return !strings.Contains(line, seal.EventName) }), lines...)
	s.add("seals-spoiled.jsonl", "before every seal a copy of it with a spoiled signature", v, ok, 5, 5, verdicts{})

	v = newVectorStream(s.t, "shape").begin()
	v.logs(1, func(lr plog.LogRecord) {
		lr.SetEventName(seal.EventName)
		lr.Body().SetStr(b.bodies[0])
	})
	v.end()
	s.add("seal-shaped.jsonl", "a stamped record that looks like a seal is a record", v, ok, 1, 1, verdicts{})
}

// encodings are archives that say the same in another way.
func (s *vectorSet) encodings() {
	v := newVectorStream(s.t, "encodings")
	v.cfg.Policy, _ = seal.NewPolicy([]string{"k8s.*"}, nil)
	v.begin()
	v.logs(3, func(lr plog.LogRecord) {
		lr.SetTraceID(pcommon.TraceID(fixed16(0xa1)))
		lr.SetSeverityNumber(plog.SeverityNumberInfo)
		m := lr.Body().SetEmptyMap()
		m.PutInt("n", int64(v.serial))
		m.PutDouble("d", 0.5)
		m.PutEmptyBytes("b").FromRaw([]byte{0, 255})
		m.PutEmptySlice("s").AppendEmpty().SetBool(true)
	})
	v.end()
	plain := slices.Clone(v.lines)
	again := func(line string) string {
		for _, r := range [][2]string{
			{`"timeUnixNano":"1800000000000000000"`, `"timeUnixNano":1800000000000000000`},
			{`"doubleValue":0.5`, `"doubleValue":5.0E-1`},
			{`"traceId":"a1a2a3a4`, `"traceId":"A1a2A3a4`},
			{`"key":"n"`, ` "key" : "\u006e" `},
			{`"scope":{},`, ``},
			{`"logRecords":[{`, `"logRecords":[{"spanId":"","flags":0,"severityText":"",`},
			{`"attributes":[{"key":"log.file.name","value":{"stringValue":"access.log"}},`, `"attributes":[{"key":"k8s.pod","value":{"stringValue":"x"}},`},
			{`}],"traceId"`, `},{"key":"log.file.name","value":{"stringValue":"access.log"}}],"traceId"`},
			{`}]}]}]}`, `}]}],"schemaUrl":""}]}` + "\t"},
		} {
			line = strings.Replace(line, r[0], r[1], 1)
		}
		return line
	}
	v.lines = nil
	for _, line := range plain {
		if v.lines = append(v.lines, line); !strings.Contains(line, seal.EventName) {
			require.NotEqual(s.t, line, again(line))
			v.lines = append(v.lines, again(line))
		}
	}
	v.lines = append(v.lines, "")
	slices.Reverse(v.lines)
	s.add("spellings.jsonl", "every record in a second spelling with an excluded attribute, and the open seal at the end", v, ok, 6, 3, verdicts{}).Repeated = 3

	v.lines = plain
	merged, list := plog.NewLogs(), []plog.Logs{}
	for _, line := range plain {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(s.t, err)
		list = append(list, ld)
		if to := merged.ResourceLogs(); to.Len() == 0 {
			ld.ResourceLogs().At(0).CopyTo(to.AppendEmpty())
		} else if from := ld.ResourceLogs().At(0).ScopeLogs().At(0); from.Scope().Name() == to.At(0).ScopeLogs().At(to.At(0).ScopeLogs().Len()-1).Scope().Name() {
			from.LogRecords().At(0).CopyTo(to.At(0).ScopeLogs().At(to.At(0).ScopeLogs().Len() - 1).LogRecords().AppendEmpty())
		} else {
			from.CopyTo(to.At(0).ScopeLogs().AppendEmpty())
		}
	}
	v.lines = nil
	v.add(merged)
	s.add("merged.jsonl", "all records in one line under one resource", v, ok, 3, 3, verdicts{})

	s.add("frames.binpb", "length-delimited protobuf messages, one of them empty", v, ok, 3, 3, verdicts{})
	var b []byte
	for _, ld := range append(list[:2:2], append([]plog.Logs{plog.NewLogs()}, list[2:]...)...) {
		b = append(b, s.frame(ld)...)
	}
	s.files["archives/frames.binpb"] = b
}

// frame is a LogsData message after its length.
func (s *vectorSet) frame(ld plog.Logs) []byte {
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(s.t, err)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
}
