// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

var updateVectors = flag.Bool("update-vectors", false, "write testdata/vectors anew")

// fixedRandom is a source of bytes that anybody can compute: SHA-256 of a label and a counter.
type fixedRandom struct {
	label   string
	counter uint64
	rest    []byte
}

func (r *fixedRandom) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		if len(r.rest) == 0 {
			sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(r.label), r.counter))
			r.counter++
			r.rest = sum[:]
		}
		c := copy(p[n:], r.rest)
		n, r.rest = n+c, r.rest[c:]
	}
	return len(p), nil
}

// TestVectors makes the vectors again and compares them with testdata/vectors. An
// archive's verdict is checked by TestVectorArchives.
func TestVectors(t *testing.T) {
	files := map[string][]byte{}
	files["names.json"] = vectorNames(t)
	files["records.json"] = vectorRecords(t)
	files["trees.json"] = vectorTrees(t)
	files["notes.json"] = vectorNotes(t)
	vectorArchives(t, files)

	dir := filepath.Join("testdata", "vectors")
	if *updateVectors {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "archives")))
		for name, data := range files {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
	for name, data := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(got, data), "%s is not what the code makes: the format changed. If that is meant, -update-vectors", name)
	}
}

func encode(t *testing.T, v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	require.NoError(t, enc.Encode(v))
	return b.Bytes()
}

func hexOf(h Hash) string { return hex.EncodeToString(h[:]) }

// vectorNames are keys, streams, sessions, ids, ranges and trust lines.
func vectorNames(t *testing.T) []byte {
	type name struct {
		Seed     string `json:"seed"`
		Public   string `json:"public_key"`
		StreamID string `json:"stream_id"`
		Nonce    string `json:"nonce"`
		Handle   string `json:"handle"`
		Name     string `json:"name"`
		Trust    string `json:"trust_line"`
	}
	out := struct {
		Streams    []name            `json:"streams"`
		GoodIDs    map[string]uint64 `json:"good_ids"`
		BadIDs     []string          `json:"bad_ids"`
		GoodRanges map[string]uint64 `json:"good_ranges"`
		BadRanges  []string          `json:"bad_ranges"`
		BadTrust   []string          `json:"bad_trust_lines"`
	}{
		GoodIDs:    map[string]uint64{"k3x2a2qd-0": 0, "aaaaaaaa-10": 10, "zzzz7777-999999999999999999": 999999999999999999},
		BadIDs:     []string{"", "k3x2a2qd", "k3x2a2qd-", "k3x2a2qd-00", "k3x2a2qd-01", "k3x2a2qd-+1", "k3x2a2qd--1", "K3X2A2QD-1", "k3x9a2qd-1", "k3x2a2q-1", "k3x2a2qda-1", " k3x2a2qd-1", "k3x2a2qd-1\n", "k3x2a2qd-1000000000000000000"},
		GoodRanges: map[string]uint64{"0": 1, "7-8": 2, "0-99,104,200-300": 202},
		BadRanges:  []string{"", ",", "1,", "1-1", "2-1", "1-2,3", "1-3,3", "5,1", "01", "1 - 2", "-1", "1-", "1-2-3"},
	}
	random := &fixedRandom{label: "names"}
	for _, n := range []string{"a", "web-17", "Web-17/audit@eu:1_x.y"} {
		key, err := newKeyPair(random)
		require.NoError(t, err)
		var nonce [16]byte
		_, _ = random.Read(nonce[:])
		trust := Trust{Name: n, Key: key.public}
		out.Streams = append(out.Streams, name{
			hex.EncodeToString(key.seed[:]), hex.EncodeToString(key.public[:]), StreamID(&key.public),
			hex.EncodeToString(nonce[:]), NewHandle(&key.public, &nonce), n, trust.String(),
		})
		_, err = ParseTrustLine(trust.String())
		require.NoError(t, err)
	}
	line := out.Streams[1].Trust
	out.BadTrust = []string{"", "web-17", line + " required", line + " optional optional", "x" + line, strings.Replace(line, "+", " ", 1), line[:len(line)-1], "-" + line}
	for id := range out.GoodIDs {
		_, err := ParseID(id)
		require.NoError(t, err)
	}
	for _, id := range out.BadIDs {
		_, err := ParseID(id)
		require.Error(t, err, id)
	}
	for s, n := range out.GoodRanges {
		rs, err := parseRanges(s, 10)
		require.NoError(t, err)
		require.Equal(t, n, rs.Len())
	}
	for _, s := range out.BadRanges {
		_, err := parseRanges(s, 10)
		require.Error(t, err, s)
	}
	for _, s := range out.BadTrust {
		_, err := ParseTrustLine(s)
		require.Error(t, err, s)
	}
	return encode(t, out)
}

// vectorRecords are records in OTLP JSON, their canonical bytes and digests.
func vectorRecords(t *testing.T) []byte {
	type record struct {
		Name      string          `json:"name"`
		OTLP      json.RawMessage `json:"otlp"`
		Exclude   []string        `json:"exclude,omitempty"`
		Resource  string          `json:"resource_digest"`
		Scope     string          `json:"scope_digest"`
		Canonical string          `json:"canonical"`
		Digest    string          `json:"digest"`
		Leaf      string          `json:"leaf"`
	}
	var out []record
	add := func(name string, ld plog.Logs, exclude ...string) {
		data, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		policy, err := NewPolicy(exclude, nil)
		require.NoError(t, err)
		var h Hasher
		rl := ld.ResourceLogs().At(0)
		resource, err := h.Resource(rl, &policy)
		require.NoError(t, err)
		scope, err := h.Scope(rl.ScopeLogs().At(0))
		require.NoError(t, err)
		canonical, err := h.Canonical(&resource, &scope, rl.ScopeLogs().At(0).LogRecords().At(0), &policy)
		require.NoError(t, err)
		digest := Hash(sha256.Sum256(canonical))
		out = append(out, record{name, data, exclude, hexOf(resource), hexOf(scope), hex.EncodeToString(canonical), hexOf(digest), hexOf(LeafHash(&digest))})
	}
	logs := distinct()
	for _, name := range slices.Sorted(mapKeys(logs)) {
		add(name, logs[name])
	}
	rich := one(func(rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord) {
		rl.SetSchemaUrl("https://opentelemetry.io/schemas/1.38.0")
		rl.Resource().Attributes().PutStr("service.name", "web")
		rl.Resource().Attributes().PutStr("host.name", "web-17")
		sl.Scope().SetName("receiver")
		sl.Scope().SetVersion("0.160.0")
		lr.SetObservedTimestamp(math.MaxUint64)
		lr.SetSeverityNumber(plog.SeverityNumberFatal4)
		lr.SetSeverityText("näher — 近い")
		lr.SetEventName("login")
		lr.SetTraceID(pcommon.TraceID(fixed16(1)))
		lr.SetSpanID([8]byte{1, 2, 3, 4, 5, 6, 7, 8})
		lr.SetFlags(plog.DefaultLogRecordFlags.WithIsSampled(true))
		m := lr.Body().SetEmptyMap()
		m.PutStr("zz", "last")
		m.PutInt("a", -1)
		m.PutDouble("d", 0.1)
		m.PutDouble("e", 1e300)
		m.PutDouble("f", 5e-324)
		s := m.PutEmptySlice("s")
		s.AppendEmpty().SetBool(true)
		s.AppendEmpty()
		s.AppendEmpty().SetEmptyBytes().FromRaw([]byte{0, 255, 10})
		m.PutEmptyMap("é").PutStr("", "empty key")
		a := lr.Attributes()
		a.PutStr(IDKey, "k3x2a2qd-12")
		a.PutStr("k8s.pod.name", "web-1")
		a.PutStr("k8s", "not excluded")
		a.PutStr("a.b", "x")
		a.PutInt("a", 1)
		a.PutStr("B", "upper case sorts first")
	})
	add("rich", rich)
	add("rich, some excluded", rich, "a.b", "k8s.*")
	deep := one(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { nest(lr.Body(), MaxDepth-1) })
	add("64 deep", deep)
	return encode(t, out)
}

func fixed16(first byte) (b [16]byte) {
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// vectorTrees are trees over leaves whose data are the numbers from 0 on.
func vectorTrees(t *testing.T) []byte {
	type tree struct {
		Size   int      `json:"size"`
		Root   string   `json:"root"`
		Groups []string `json:"groups"`
	}
	out := struct {
		Note  string `json:"note"`
		Trees []tree `json:"trees"`
	}{Note: "leaf i is over 32 bytes: i as u64 big-endian, then 24 zero bytes"}
	leaves, _ := numbered(MaxBlock)
	for n := 0; n <= MaxBlock; n++ {
		if n > 40 && n%97 != 0 && n < MaxBlock-1 {
			continue
		}
		v := tree{Size: n, Root: hexOf(Root(leaves[:n])), Groups: []string{}}
		for _, g := range AppendGroups(nil, leaves[:n], GroupSize) {
			v.Groups = append(v.Groups, hexOf(g))
		}
		out.Trees = append(out.Trees, v)
	}
	return encode(t, out)
}

// vectorNotes are bodies of seals, good and bad.
func vectorNotes(t *testing.T) []byte {
	type vector struct {
		Name     string `json:"name"`
		Body     string `json:"body"`
		OK       bool   `json:"ok"`
		TextHash string `json:"text_hash,omitempty"`
		Key      string `json:"key,omitempty"`
		Signed   bool   `json:"signed,omitempty"`
		Anchor   string `json:"anchor_key,omitempty"`
		Anchored bool   `json:"anchored,omitempty"`
	}
	var out []vector
	var key, anchor PublicKey
	add := func(name, body string, ok bool) {
		n, err := ParseNote(body)
		require.Equal(t, ok, err == nil, "%s: %v", name, err)
		v := vector{Name: name, Body: body, OK: ok}
		if ok {
			v.TextHash = hexOf(n.TextHash())
			v.Key, v.Signed = hex.EncodeToString(key[:]), n.SignedBy(&key)
			if n.Seal.HasAnchor() {
				v.Anchor, v.Anchored = hex.EncodeToString(anchor[:]), n.AnchoredBy(&anchor)
			}
		}
		out = append(out, v)
	}
	random := &fixedRandom{label: "notes"}
	c, err := newChain(random)
	require.NoError(t, err)
	pk0 := c.key.public
	samples := sampleSeals()
	for _, name := range slices.Sorted(mapKeys(samples)) {
		s := samples[name]
		s.StreamID = StreamID(&pk0)
		if s.Kind == KindOpen {
			s.Key = pk0
		}
		k, err := newKeyPair(random)
		require.NoError(t, err)
		key = k.public
		signatures := []noteSignature{{s.Origin(), &k.public, k.sign(s.Text())}}
		if s.HasAnchor() {
			t.Fatal("samples are no anchors")
		}
		add(name, string(marshalNote(s.Text(), signatures)), true)
	}
	// An anchor, and what stores and people do to it.
	s := samples["heartbeat"]
	s.StreamID, s.Number, s.Anchors = StreamID(&pk0), 64, nil
	for _, n := range AnchorsAfter(64) {
		s.Anchors = append(s.Anchors, Anchor{n, fill(byte(n))})
	}
	k, err := newKeyPair(random)
	require.NoError(t, err)
	a, err := newKeyPair(random)
	require.NoError(t, err)
	key, anchor = k.public, a.public
	text := s.Text()
	own := noteSignature{s.Origin(), &k.public, k.sign(text)}
	second := noteSignature{s.Origin() + anchorSuffix, &a.public, a.sign(text)}
	note := string(marshalNote(text, []noteSignature{own, second}))
	junk := "— example.com/other " + b64(make([]byte, 68)) + "\n"
	add("anchor", note, true)
	add("anchor, signatures the other way round", string(marshalNote(text, []noteSignature{second, own})), true)
	add("anchor without the second signature", string(marshalNote(text, []noteSignature{own})), true)
	wrong := own
	wrong.sig = slices.Clone(wrong.sig)
	wrong.sig[3] ^= 1
	add("anchor, wrong signature first", string(marshalNote(text, []noteSignature{wrong, own, second})), true)
	add("anchor, wrong signature last", string(marshalNote(text, []noteSignature{own, wrong, second})), true)
	add("junk signature after", note+junk, true)
	add("junk signature before", strings.Replace(note, "\n\n", "\n\n"+junk, 1), true)
	add("CRLF", strings.ReplaceAll(note, "\n", "\r\n"), true)
	add("escaped newlines", strings.ReplaceAll(note, "\n", `\n`), true)
	add("escaped CRLF", strings.ReplaceAll(note, "\n", `\r\n`), true)
	add("final newline lost", strings.TrimSuffix(note, "\n"), true)
	for name, body := range map[string]string{
		"empty":                     "",
		"text only":                 text,
		"no signature":              text + "\n",
		"no empty line":             strings.Replace(note, "\n\n", "\n", 1),
		"line that is no signature": note + "junk\n",
		"signature not base64":      note + "— a ???\n",
		"tab":                       strings.Replace(note, "kind heartbeat", "kind\theartbeat", 1),
		"version 2":                 strings.ReplaceAll(note, "logseal.v1/", "logseal.v2/"),
		"unknown kind":              strings.Replace(note, "kind heartbeat", "kind sleep", 1),
		"extra line":                strings.Replace(note, "prev ", "more x\nprev ", 1),
		"missing anchor":            strings.Replace(note, "anchor 128 ", "anchor 129 ", 1),
		"space at end of line":      strings.Replace(note, "kind heartbeat\n", "kind heartbeat \n", 1),
		"leading zero":              strings.Replace(note, "seal 64\n", "seal 064\n", 1),
		"base64 with spare bits":    strings.Replace(note, "AgI=\nnext", "AgJ=\nnext", 1),
	} {
		require.NotEqual(t, note, body, name)
		out = append(out, vector{Name: name, Body: body})
		_, err := ParseNote(body)
		require.Error(t, err, name)
	}
	slices.SortStableFunc(out, func(a, b vector) int { return strings.Compare(boolKey(a.OK)+a.Name, boolKey(b.OK)+b.Name) })
	return encode(t, out)
}

func boolKey(ok bool) string {
	if ok {
		return "0"
	}
	return "1"
}

// vectorArchive is an archive and what a verifier must say of it.
type vectorArchive struct {
	File     string         `json:"file"`
	What     string         `json:"what"`
	Trust    string         `json:"trust"`
	Outcome  string         `json:"outcome"` // ok, incomplete, tampered
	Records  int            `json:"records"`
	Verified int            `json:"verified"`
	Verdicts map[string]int `json:"verdicts"` // how many records, seqs, seals or streams a verdict is on
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
	v.now.Time = time.Date(2026, 11, 23, 5, 22, 20, 123456789, time.UTC)
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
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("host.name", "web-17")
		sl := rl.ScopeLogs().AppendEmpty()
		sl.Scope().SetName(ScopeName)
		lr := sl.LogRecords().AppendEmpty()
		lr.SetEventName(EventName)
		lr.SetTimestamp(pcommon.NewTimestampFromTime(n.Seal.Time))
		lr.Body().SetStr(v.bodies[since+i])
		v.add(ld)
	}
}

func (v *vectorStream) add(ld plog.Logs) {
	line, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(v.t, err)
	v.lines = append(v.lines, string(line))
}

// log stamps n records as one batch, each a line of its own, and adds them if they arrive.
func (v *vectorStream) log(n int, arrive, settle, forwarded bool) {
	ld := plog.NewLogs()
	for range n {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("host.name", "web-17")
		lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.Timestamp(1_800_000_000_000_000_000 + v.serial))
		lr.Body().SetStr(fmt.Sprintf("line %d", v.serial))
		lr.Attributes().PutStr("log.file.name", "access.log")
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
	if settle {
		b.Settle(forwarded)
	}
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
	type verdicts = map[string]int
	var manifest []vectorArchive
	add := func(file, what string, v *vectorStream, outcome string, records, verified int, want verdicts) {
		trust := v.Trust()
		manifest = append(manifest, vectorArchive{file, what, trust.String(), outcome, records, verified, want})
		files["archives/"+file] = []byte(strings.Join(v.lines, "\n") + "\n")
	}
	const ok, incomplete, tampered = "ok", "incomplete", "tampered"

	add("plain.jsonl", "one session, closed", plainStream(t), ok, 77, 77, verdicts{})

	v := plainStream(t)
	slices.Reverse(v.lines)
	add("reversed.jsonl", "the same in reverse order", v, ok, 77, 77, verdicts{})

	v = plainStream(t)
	v.lines = append(v.lines, v.lines...)
	add("twice.jsonl", "every line twice", v, ok, 154, 77, verdicts{})

	v = plainStream(t)
	for i := range v.lines {
		if strings.Contains(v.lines[i], EventName) {
			v.lines[i] = strings.ReplaceAll(v.lines[i], `\n`, `\r\n`)
		}
	}
	add("crlf.jsonl", "a store turned the newlines of seals into CRLF", v, ok, 77, 77, verdicts{})

	v = plainStream(t)
	for i := range v.lines {
		if strings.Contains(v.lines[i], EventName) {
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
	v.cfg.Policy, err = NewPolicy([]string{"k8s.*", "added"}, nil)
	require.NoError(t, err)
	v.begin()
	v.log(5, true, true, true)
	v.end()
	for i := range 5 {
		v.replace(v.record(i), `"attributes":[{"key":"log.file.name"`, `"attributes":[{"key":"k8s.pod.name","value":{"stringValue":"later"}},{"key":"added","value":{"intValue":"1"}},{"key":"log.file.name"`)
	}
	add("excluded.jsonl", "attributes that the open seal excludes were added later", v, ok, 5, 5, verdicts{})

	v = newVectorStream(t, "rollback").begin()
	v.log(3, true, true, true)
	older := map[string][]byte{}
	for key, value := range v.store.m {
		older[key] = slices.Clone(value)
	}
	v.tock()
	v.log(4, true, true, true)
	v.store.m = older
	v.now.BootID[0]++
	v.begin()
	v.log(2, true, true, true)
	v.end()
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
	add("void.jsonl", "a record under a void id: it proves nothing", v, ok, 78, 77, verdicts{})

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

	v = plainStream(t)
	v.drop(v.sealLine(0))
	add("lost-first-seal.jsonl", "seal 0 is gone, and nothing can be authenticated", v, tampered, 77, 0, verdicts{"ABSENT": 2, "BAD_SEAL": 4, "ORPHAN": 77})

	v = plainStream(t)
	v.replace(v.sealLine(2), `\nkind block\n`, `\nkind heartbeat\n`)
	add("edited-seal.jsonl", "another kind in a seal: no seal, and what follows hangs in the air", v, tampered, 77, 20, verdicts{"BAD_SEAL": 3, "UNSEALED": 57, "OPEN_END": 1})

	v = plainStream(t)
	v.lines = slices.DeleteFunc(v.lines, func(line string) bool { return strings.Contains(line, EventName) })
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

	// The manifest lists them in the order of their names.
	slices.SortFunc(manifest, func(a, b vectorArchive) int { return strings.Compare(a.File, b.File) })
	files["archives.json"] = encode(t, manifest)
}
