// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
)

// vectorArchive is an archive and what a verifier must say of it.
type vectorArchive struct {
	File     string         `json:"file"`
	What     string         `json:"what"`
	Trust    string         `json:"trust"`              // a trust file
	TrustCA  string         `json:"trust_ca,omitempty"` // PEM
	Until    string         `json:"until,omitempty"`    // the time up to which the archive must be complete
	From     string         `json:"from,omitempty"`     // the body of the seal that it is verified from
	Outcome  string         `json:"outcome"`            // ok, incomplete, tampered
	Records  int            `json:"records"`
	Verified int            `json:"verified"`
	Verdicts map[string]int `json:"verdicts"` // how many records, seqs, seals or streams a verdict is on
	Repeated int            `json:"duplicates,omitempty"`

	Quantum     bool `json:"require_post_quantum,omitempty"`
	PostQuantum *int `json:"post_quantum_until,omitempty"` // a seal
}

const ok, incomplete, tampered = "ok", "incomplete", "tampered"

type verdicts = map[string]int

// vectorSet collects the archives and their manifest.
type vectorSet struct {
	t        *testing.T
	files    map[string][]byte
	manifest []*vectorArchive
}

// add adds the lines of a stream as an archive, to be verified with its trust line.
func (s *vectorSet) add(file, what string, v *vectorStream, outcome string, records, verified int, want verdicts) *vectorArchive {
	a := &vectorArchive{File: file, What: what, Trust: v.Trust().String(), Outcome: outcome, Records: records, Verified: verified, Verdicts: want}
	s.manifest = append(s.manifest, a)
	s.files["archives/"+file] = []byte(strings.Join(v.lines, "\n") + "\n")
	return a
}

// vectorStream is a stream whose random bytes and clocks are fixed, and the lines it sends.
type vectorStream struct {
	*testStream
	lines  []string
	serial int
}

func newVectorStream(t *testing.T, label string) *vectorStream {
	v := &vectorStream{testStream: newTestStream(t)}
	v.cfg.random = &fixedRandom{label: label}
	v.now.Time = vectorBegin
	return v
}

func (v *vectorStream) begin() *vectorStream {
	sent := len(v.notes)
	v.start()
	v.seals(sent)
	return v
}

// seals adds a line for each note since the one with that index.
func (v *vectorStream) seals(since int) {
	for i, n := range v.notes[since:] {
		v.addNote(v.bodies[since+i], n.Seal.Time)
	}
}

// addNote adds a record that claims to be a seal.
func (v *vectorStream) addNote(note string, at time.Time) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(seal.ScopeName)
	lr := sl.LogRecords().AppendEmpty()
	lr.SetEventName(seal.EventName)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(at))
	lr.Body().SetStr(note)
	v.add(ld)
}

func (v *vectorStream) add(ld plog.Logs) {
	line, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(v.t, err)
	v.lines = append(v.lines, string(line))
}

// log stamps n records as one batch, each a line of its own, and adds them if they arrive.
func (v *vectorStream) log(n int, arrive, settle, forwarded bool) {
	b := v.stamp(n, arrive, func(plog.LogRecord) {})
	if settle {
		b.Settle(forwarded)
	}
}

// logs does that with records that are edited first, and all arrive.
func (v *vectorStream) logs(n int, edit func(plog.LogRecord)) { v.stamp(n, true, edit).Settle(true) }

func (v *vectorStream) stamp(n int, arrive bool, edit func(plog.LogRecord)) *Batch {
	ld := plog.NewLogs()
	for range n {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("host.name", "web-17")
		lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.Timestamp(1_800_000_000_000_000_000 + v.serial))
		lr.Body().SetStr(fmt.Sprintf("line %d", v.serial))
		lr.Attributes().PutStr("log.file.name", "access.log")
		edit(lr)
		v.serial++
	}
	b, err := v.Stamp(v.t.Context(), ld)
	require.NoError(v.t, err)
	if arrive {
		for _, rl := range ld.ResourceLogs().All() {
			single := plog.NewLogs()
			rl.CopyTo(single.ResourceLogs().AppendEmpty())
			v.add(single)
		}
	}
	return b
}

func (v *vectorStream) tock() {
	v.now.Time = v.now.Time.Add(v.Due())
	sent := len(v.notes)
	require.NoError(v.t, v.tick())
	v.seals(sent)
}

func (v *vectorStream) end() {
	sent := len(v.notes)
	v.stop()
	v.seals(sent)
}

// find returns the index of the first line that holds text.
func (v *vectorStream) find(text string) int {
	i := slices.IndexFunc(v.lines, func(line string) bool { return strings.Contains(line, text) })
	require.GreaterOrEqual(v.t, i, 0, text)
	return i
}

func (v *vectorStream) record(n int) int   { return v.find(fmt.Sprintf(`"line %d"`, n)) }
func (v *vectorStream) sealLine(n int) int { return v.find(fmt.Sprintf(`\nseal %d\n`, n)) }

// body is the body of a seal's record.
func (v *vectorStream) body(number int) string {
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(v.lines[v.sealLine(number)]))
	require.NoError(v.t, err)
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
}

func (v *vectorStream) idAt(i int) string {
	_, rest, ok := strings.Cut(v.lines[i], `"logseal.id","value":{"stringValue":"`)
	require.True(v.t, ok)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

func (v *vectorStream) replace(i int, old, replacement string) {
	require.Contains(v.t, v.lines[i], old)
	v.lines[i] = strings.Replace(v.lines[i], old, replacement, 1)
}

func (v *vectorStream) drop(i int) { v.lines = slices.Delete(v.lines, i, i+1) }

// plainStream is one session with three blocks: 20 records, 5 that are refused, 40, and 17.
func plainStream(t *testing.T) *vectorStream {
	v := newVectorStream(t, "plain").begin()
	v.log(20, true, true, true)
	v.log(5, false, true, false)
	v.tock()
	v.log(40, true, true, true)
	v.tock()
	v.log(17, true, true, true)
	v.end()
	return v
}

// longStream makes 140 seals over one record each.
func longStream(t *testing.T) *vectorStream {
	v := newVectorStream(t, "long").begin()
	for range 140 {
		v.log(1, true, true, true)
		v.tock()
	}
	v.end()
	return v
}

// vectorArchives adds the archives, their trust file, and the manifest.
func vectorArchives(t *testing.T, files map[string][]byte) {
	s := &vectorSet{t: t, files: files}
	add := s.add

	add("plain.jsonl", "one session, closed", plainStream(t), ok, 77, 77, verdicts{})

	v := plainStream(t)
	slices.Reverse(v.lines)
	add("reversed.jsonl", "the same in reverse order", v, ok, 77, 77, verdicts{})

	v = plainStream(t)
	v.lines = append(v.lines, v.lines...)
	add("twice.jsonl", "every line twice", v, ok, 154, 77, verdicts{}).Repeated = 77

	v = plainStream(t)
	for i := range v.lines {
		if strings.Contains(v.lines[i], seal.EventName) {
			v.lines[i] = strings.ReplaceAll(v.lines[i], `\n`, `\r\n`)
		}
	}
	add("crlf.jsonl", "a store turned the newlines of seals into CRLF", v, ok, 77, 77, verdicts{})

	v = plainStream(t)
	for i := range v.lines {
		if strings.Contains(v.lines[i], seal.EventName) {
			v.lines[i] = strings.ReplaceAll(v.lines[i], `\n`, `\\n`)
		}
	}
	add("escaped.jsonl", "a store escaped the newlines of seals", v, ok, 77, 77, verdicts{})

	add("long.jsonl", "140 blocks of one record: two anchors", longStream(t), ok, 140, 140, verdicts{})

	v = newVectorStream(t, "restart").begin()
	v.log(3, true, true, true)
	v.tock()
	v.log(18, true, true, true)   // sent
	v.log(2, false, true, false)  // refused
	v.log(4, true, false, false)  // on their way, arrive
	v.log(2, false, false, false) // on their way, do not
	v.begin()                     // after a kill
	v.log(3, true, true, true)
	v.end()
	restart := v
	add("restart.jsonl", "a killed session: 18 adopted as sent, 6 as doubt of which 2 did not arrive, 2 void", v, incomplete, 28, 28, verdicts{"DOUBT": 2})

	v = newVectorStream(t, "excluded")
	var err error
	v.cfg.Policy, err = seal.NewPolicy([]string{"k8s.*", "added"}, []string{"cluster"})
	require.NoError(t, err)
	v.begin()
	v.log(5, true, true, true)
	v.end()
	for i := range 5 {
		v.replace(v.record(i), `{"attributes":[{"key":"host.name"`, `{"attributes":[{"key":"cluster","value":{"stringValue":"eu"}},{"key":"host.name"`)
		v.replace(v.record(i), `"attributes":[{"key":"log.file.name"`, `"attributes":[{"key":"k8s.pod.name","value":{"stringValue":"later"}},{"key":"added","value":{"intValue":"1"}},{"key":"log.file.name"`)
	}
	add("excluded.jsonl", "attributes of records and resources that the open seal excludes were added later", v, ok, 5, 5, verdicts{})

	rollback := func(boots byte) *vectorStream {
		v := newVectorStream(t, "rollback").begin()
		v.log(3, true, true, true)
		older := v.stored()
		v.tock()
		v.log(4, true, true, true)
		v.store.m = older
		v.now.BootID[0] += boots
		v.begin()
		v.log(2, true, true, true)
		v.end()
		return v
	}
	add("rollback-same-boot.jsonl", "storage fell back, and the host was not started anew", rollback(0), incomplete, 9, 5, verdicts{"STATE_ROLLED_BACK": 1, "UNSEALED": 4})
	v = rollback(1)
	add("rollback.jsonl", "storage fell back behind the key file; 4 records were not sealed", v, incomplete, 9, 5, verdicts{"STATE_ROLLED_BACK": 1, "UNSEALED": 4})

	v = plainStream(t)
	v.drop(len(v.lines) - 1)
	add("cut-1.jsonl", "without the close seal: complete as of the last block", v, incomplete, 77, 77, verdicts{"OPEN_END": 1})

	v = plainStream(t)
	v.lines = v.lines[:v.sealLine(3)]
	add("cut-3.jsonl", "without the last block and the close seal: 17 records without a seal", v, incomplete, 77, 60, verdicts{"UNSEALED": 17, "OPEN_END": 1})

	v = plainStream(t)
	v.lines = v.lines[:v.sealLine(2)+1]
	add("cut-2.jsonl", "cut off after a seal: complete as of then", v, incomplete, 60, 60, verdicts{"OPEN_END": 1})

	// From here on, what attackers do.
	v = plainStream(t)
	v.replace(v.record(7), "line 7", "line 8")
	add("altered.jsonl", "the eighth record says something else: its group of 16 cannot be told apart", v, tampered, 77, 61, verdicts{"ALTERED": 1, "UNRESOLVED": 15})

	v = plainStream(t)
	v.replace(v.record(18), "access.log", "access.lOg")
	add("altered-attribute.jsonl", "an attribute in a group of 4", v, tampered, 77, 73, verdicts{"ALTERED": 1, "UNRESOLVED": 3})

	v = plainStream(t)
	v.drop(v.record(30))
	add("deleted.jsonl", "a record is gone", v, tampered, 76, 61, verdicts{"MISSING": 1, "UNRESOLVED": 15})

	v = plainStream(t)
	i, j := v.record(25), v.record(60)
	a, b := v.idAt(i), v.idAt(j)
	v.replace(i, a, b)
	v.replace(j, b, a)
	add("swapped.jsonl", "two records changed places", v, tampered, 77, 53, verdicts{"ALTERED": 2, "UNRESOLVED": 22})

	v = plainStream(t)
	v.lines = append(v.lines, v.lines[v.record(3)])
	v.replace(len(v.lines)-1, v.idAt(len(v.lines)-1), v.handle+"-82")
	add("inserted.jsonl", "a record past the end of a closed session", v, tampered, 78, 77, verdicts{"INSERTED": 1})

	v = plainStream(t)
	v.lines = append(v.lines, v.lines[v.record(3)])
	v.replace(len(v.lines)-1, "line 3", "forged")
	add("conflict.jsonl", "another record under an id that is taken", v, tampered, 78, 77, verdicts{"CONFLICT": 1})

	v = plainStream(t)
	v.lines = append(v.lines, v.lines[v.record(3)])
	v.replace(len(v.lines)-1, v.idAt(len(v.lines)-1), v.handle+"-22")
	add("void.jsonl", "a record under a void id: it proves nothing", v, incomplete, 78, 77, verdicts{"VOIDED": 1})

	v = plainStream(t)
	v.lines = append(v.lines, v.lines[v.record(3)])
	v.replace(len(v.lines)-1, v.idAt(len(v.lines)-1), "aaaaaaaa-3")
	add("orphan.jsonl", "a record of a session that no seal knows", v, tampered, 78, 77, verdicts{"ORPHAN": 1})

	v = plainStream(t)
	v.lines = append(v.lines, v.lines[v.record(3)])
	v.replace(len(v.lines)-1, `,{"key":"logseal.id","value":{"stringValue":"`+v.idAt(len(v.lines)-1)+`"}}`, "")
	add("unstamped.jsonl", "a record without an id", v, tampered, 78, 77, verdicts{"UNSTAMPED": 1})

	for name, c := range map[string][3]string{
		"member-twice":     {"a JSON member twice", `"body":{"stringValue":"line 19"}`, `"body":{"stringValue":"forged"},"body":{"stringValue":"line 19"}`},
		"unknown-member":   {"an unknown JSON member", `"body":{"stringValue":"line 19"}`, `"body":{"stringValue":"line 19"},"note":"x"`},
		"value-twice":      {"two members in one AnyValue", `"body":{"stringValue":"line 19"}`, `"body":{"stringValue":"line 19","intValue":"1"}`},
		"attribute-twice":  {"one key twice", `"attributes":[{"key":"log.file.name"`, `"attributes":[{"key":"log.file.name","value":{"stringValue":"x"}},{"key":"log.file.name"`},
		"entity-refs":      {"entity references", `"resource":{"attributes"`, `"resource":{"entityRefs":[{"type":"host"}],"attributes"`},
		"snake-case":       {"a member in snake_case", `"timeUnixNano"`, `"time_unix_nano"`},
		"id-leading-zeros": {"an id with leading zeros", v.handle + `-19"`, v.handle + `-019"`},
	} {
		v = plainStream(t)
		v.replace(v.record(19), c[1], c[2])
		// The record's group of 4 cannot be verified without it.
		want := verdicts{"MALFORMED": 1, "UNRESOLVED": 3}
		if name == "id-leading-zeros" {
			want["MISSING"] = 1
		}
		add("malformed-"+name+".jsonl", c[0], v, tampered, 77, 73, want)
	}

	v = longStream(t)
	v.drop(v.sealLine(50))
	add("lost-seal.jsonl", "seal 50 is gone: late up to the anchor 64", v, tampered, 140, 126, verdicts{"MISSING_SEAL": 1, "UNSEALED": 1, "LATE": 13})

	v = longStream(t)
	v.drop(v.sealLine(64))
	add("lost-anchor.jsonl", "an anchor is gone: late up to the next", v, tampered, 140, 76, verdicts{"MISSING_SEAL": 1, "UNSEALED": 1, "LATE": 63})

	v = longStream(t)
	for n := 70; n < 128; n++ {
		v.drop(v.sealLine(n))
	}
	add("lost-seals.jsonl", "58 seals are gone, the last before an anchor", v, tampered, 140, 82, verdicts{"MISSING_SEAL": 58, "UNSEALED": 58})

	v = shortStream(t, "short")
	v.spoil(0, "")
	add("first-unsigned.jsonl", "the signature of seal 0 does not hold, and nothing can be authenticated", v, tampered, 5, 0, verdicts{"ABSENT": 2, "BAD_SEAL": 4, "ORPHAN": 5})

	v = plainStream(t)
	v.drop(v.sealLine(0))
	add("lost-first-seal.jsonl", "seal 0 is gone, and nothing can be authenticated", v, tampered, 77, 0, verdicts{"ABSENT": 2, "BAD_SEAL": 4, "ORPHAN": 77})

	v = plainStream(t)
	v.replace(v.sealLine(2), `\nkind block\n`, `\nkind heartbeat\n`)
	add("edited-seal.jsonl", "another kind in a seal: no seal, and what follows hangs in the air", v, tampered, 77, 20, verdicts{"BAD_SEAL": 3, "UNSEALED": 57, "OPEN_END": 1})

	v = plainStream(t)
	v.lines = slices.DeleteFunc(v.lines, func(line string) bool { return strings.Contains(line, seal.EventName) })
	add("no-seals.jsonl", "every seal is gone", v, tampered, 77, 0, verdicts{"ORPHAN": 77, "ABSENT": 2})

	v = plainStream(t)
	v.lines = nil
	add("empty.jsonl", "nothing at all", v, tampered, 0, 0, verdicts{"ABSENT": 2})

	v = plainStream(t)
	v.lines = append(v.lines, restart.lines...)
	add("unknown-stream.jsonl", "a stream that is not in the trust file", v, tampered, 77+28, 77, verdicts{"UNKNOWN_STREAM": 8, "ORPHAN": 28})

	v = newVectorStream(t, "fork").begin()
	keys, store := slices.Clone(v.file.data), map[string][]byte{}
	for key, value := range v.store.m {
		store[key] = slices.Clone(value)
	}
	v.log(3, true, true, true)
	v.end()
	v.file.data, v.store.m = keys, store
	v.begin()
	v.log(3, true, true, true)
	v.end()
	add("forked.jsonl", "storage and key file were restored from a snapshot", v, tampered, 6, 3, verdicts{"FORKED": 1, "BAD_SEAL": 2, "ORPHAN": 3})

	s.contradictions()
	s.gaps()
	s.crashes()
	s.ids()
	s.streams()
	s.encodings()
	s.faults()
	s.endorsements()
	s.quantum()
	s.fromSeals()
	s.fromAdopt()
	s.order()
	s.fields()
	s.keys()
	s.settled()
	s.sharedBest()
	s.noText()

	// The manifest lists them in the order of their names.
	slices.SortFunc(s.manifest, func(a, b *vectorArchive) int { return strings.Compare(a.File, b.File) })
	files["archives.json"] = encode(t, s.manifest)
}
