// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
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
	files["endorsements.json"] = vectorEndorsements(t)
	vectorArchives(t, files)

	dir := filepath.Join("..", "testdata", "vectors")
	if *updateVectors {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "archives")))
		for name, data := range files {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
	archives, err := os.ReadDir(filepath.Join(dir, "archives"))
	require.NoError(t, err)
	for _, entry := range archives {
		require.Contains(t, files, "archives/"+entry.Name(), "nothing makes it")
	}
	for name, data := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(got, data), "%s is not what the code makes: the format changed. If that is meant, -update-vectors", name)
	}
}

// TestVectorsOfRules: README says of each vector which rule it holds, names none that is not there, and has a row for each section of the specification
// that a verifier must keep.
func TestVectorsOfRules(t *testing.T) {
	dir := filepath.Join("..", "testdata", "vectors")
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(readme), "| section |")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	named := map[string]bool{} // each vector: whether a row names it
	for _, file := range []string{"archives.json", "notes.json"} {
		var list []struct{ File, Name string }
		data, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &list))
		for _, v := range list {
			named[v.File+v.Name] = false
		}
	}
	sections := map[string]bool{}
	rows := strings.Split(table, "\n")[2:]
	require.NotEmpty(t, rows)
	for _, row := range rows {
		cells := strings.Split(row, "|")
		for _, section := range regexp.MustCompile(`\d+(\.\d)?`).FindAllString(cells[1], -1) {
			sections[section] = true
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[3], -1) {
			name := m[1]
			if name == "ok" {
				continue
			}
			if strings.HasSuffix(name, ".json") {
				require.FileExists(t, filepath.Join(dir, name))
				continue
			}
			pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, ".*") + "$")
			matches := 0
			for vector := range named {
				if pattern.MatchString(vector) {
					named[vector] = true
					matches++
				}
			}
			require.Positive(t, matches, "no vector %s", name)
		}
	}
	for vector, is := range named {
		if strings.HasSuffix(vector, ".jsonl") || strings.HasSuffix(vector, ".binpb") { // the notes that no row names are those of section 6
			require.True(t, is, "%s is in no row: which rule does it hold?", vector)
		}
	}
	spec, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "stamp-format.md"))
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^##+ (\d+(?:\.\d)?)`).FindAllStringSubmatch(string(spec), -1) {
		switch section := m[1]; section {
		case "1", "8.5", "9": // an overview, an annex, and what later versions may be
		default:
			require.True(t, sections[section], "no row is of section %s", section)
		}
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

func hexOf(h seal.Hash) string { return hex.EncodeToString(h[:]) }

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
		BadFiles   []string          `json:"bad_trust_files"`
	}{
		GoodIDs:    map[string]uint64{"k3x2a2qd-0": 0, "aaaaaaaa-10": 10, "zzzz7777-999999999999999999": 999999999999999999},
		BadIDs:     []string{"", "k3x2a2qd", "k3x2a2qd-", "k3x2a2qd-00", "k3x2a2qd-01", "k3x2a2qd-+1", "k3x2a2qd--1", "K3X2A2QD-1", "k3x9a2qd-1", "k3x2a2q-1", "k3x2a2qda-1", " k3x2a2qd-1", "k3x2a2qd-1\n", "k3x2a2qd-1000000000000000000"},
		GoodRanges: map[string]uint64{"0": 1, "7-8": 2, "0-99,104,200-300": 202},
		BadRanges:  []string{"", ",", "1,", "1-1", "2-1", "1-2,3", "1-3,3", "5,1", "01", "1 - 2", "-1", "1-", "1-2-3"},
	}
	random := &fixedRandom{label: "names"}
	for _, n := range []string{"a", "web-17", "Web-17/audit@eu:1_x.y"} {
		key, err := keychain.NewKeyPair(random)
		require.NoError(t, err)
		var nonce [16]byte
		_, _ = random.Read(nonce[:])
		trust := seal.Trust{Name: n, Key: key.Public}
		out.Streams = append(out.Streams, name{
			hex.EncodeToString(key.Seed[:]), hex.EncodeToString(key.Public[:]), seal.StreamID(&key.Public),
			hex.EncodeToString(nonce[:]), seal.NewHandle(&key.Public, &nonce), n, trust.String(),
		})
		_, err = seal.ParseTrustLine(trust.String())
		require.NoError(t, err)
	}
	line := out.Streams[1].Trust
	out.BadTrust = []string{
		"", "web-17", line + " required", line + " optional optional", "x" + line, strings.Replace(line, "+", " ", 1), line[:len(line)-1], "-" + line, strings.Replace(line, "+6fdf60fd+", "+6FDF60FD+", 1),
		line + " optional ml-dsa-44:" + b64(bytes.Repeat([]byte{1}, 32)), line + " ml-dsa-44:" + b64zeros(31), line + " ml-dsa-44:" + b64zeros(32), line + " ml-dsa-44",
	}
	out.BadFiles = []string{"", "# " + line + "\n", line + "\n" + line + " optional\n", line + "\nweb-18\n"}
	for id := range out.GoodIDs {
		_, err := seal.ParseID(id)
		require.NoError(t, err)
	}
	for _, id := range out.BadIDs {
		_, err := seal.ParseID(id)
		require.Error(t, err, id)
	}
	for s, n := range out.GoodRanges {
		rs, err := seal.ParseRanges(s, 10)
		require.NoError(t, err)
		require.Equal(t, n, rs.Len())
	}
	for _, s := range out.BadRanges {
		_, err := seal.ParseRanges(s, 10)
		require.Error(t, err, s)
	}
	for _, s := range out.BadFiles {
		_, err := seal.ParseTrust(strings.NewReader(s))
		require.Error(t, err, s)
	}
	for _, s := range out.BadTrust {
		_, err := seal.ParseTrustLine(s)
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
		ExcludeR  []string        `json:"exclude_resource,omitempty"`
		Source    string          `json:"source_digest"`
		Canonical string          `json:"canonical"`
		Digest    string          `json:"digest"`
	}
	var out []record
	add := func(name string, ld plog.Logs, exclude, excludeResource []string) {
		data, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		policy, err := seal.NewPolicy(exclude, excludeResource)
		require.NoError(t, err)
		var h canonical.Hasher
		rl := ld.ResourceLogs().At(0)
		source, err := h.Source(rl, rl.ScopeLogs().At(0), &policy)
		require.NoError(t, err)
		canonical, err := h.Canonical(&source, rl.ScopeLogs().At(0).LogRecords().At(0), &policy)
		require.NoError(t, err)
		digest := seal.Hash(sha256.Sum256(canonical))
		out = append(out, record{name, data, exclude, excludeResource, hexOf(source), hex.EncodeToString(canonical), hexOf(digest)})
	}
	logs := samples.Distinct()
	for _, name := range slices.Sorted(mapKeys(logs)) {
		add(name, logs[name], nil, nil)
	}
	rich := samples.One(func(rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord) {
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
		a.PutStr(seal.IDKey, "k3x2a2qd-12")
		a.PutStr("k8s.pod.name", "web-1")
		a.PutStr("k8s", "not excluded")
		a.PutStr("a.b", "x")
		a.PutInt("a", 1)
		a.PutStr("B", "upper case sorts first")
	})
	add("rich", rich, nil, nil)
	add("rich, some excluded", rich, []string{"a.b", "k8s.*"}, nil)
	add("rich, resource attribute excluded", rich, []string{"service.name"}, []string{"service.*"})
	deep := samples.One(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
		samples.Nest(lr.Body(), canonical.MaxDepth-1)
	})
	add("64 deep", deep, nil, nil)
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
	leaves, _ := samples.Numbered(seal.MaxBlock)
	for n := 0; n <= seal.MaxBlock; n++ {
		if n > 40 && n%97 != 0 && n < seal.MaxBlock-1 {
			continue
		}
		v := tree{Size: n, Root: hexOf(seal.Root(leaves[:n])), Groups: []string{}}
		for _, g := range seal.AppendGroups(nil, leaves[:n], seal.GroupSize) {
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
	var key, anchor seal.PublicKey
	add := func(name, body string, ok bool) {
		n, err := seal.ParseNote(body)
		require.Equal(t, ok, err == nil, "%s: %v", name, err)
		v := vector{Name: name, Body: body, OK: ok}
		if ok {
			v.TextHash = hexOf(n.TextHash())
			v.Key, v.Signed = hex.EncodeToString(key[:]), n.SignedBy(&key)
			if n.Seal.HasAnchor() {
				named := seal.Ed25519Anchor(&anchor)
				if n.Seal.PostQuantum() {
					named = seal.HybridAnchor(&anchor, n.Seal.MLDSA)
				}
				v.Anchor, v.Anchored = hex.EncodeToString(anchor[:]), n.AnchoredBy(&named)
			}
		}
		out = append(out, v)
	}
	addFaulty := func(name, body string) {
		out = append(out, vector{Name: name, Body: body})
		_, err := seal.ParseNote(body)
		require.Error(t, err, name)
	}
	random := &fixedRandom{label: "notes"}
	c, err := keychain.New(false, random)
	require.NoError(t, err)
	pk0 := c.Key.Public
	list := samples.Seals()
	addSample := func(name string) {
		s := list[name]
		s.StreamID = seal.StreamID(&pk0)
		if s.Kind == seal.KindOpen {
			s.Key = pk0
		}
		k, err := keychain.NewKeyPair(random)
		require.NoError(t, err)
		key = k.Public
		signatures := []seal.Signature{{Name: s.Origin(), Key: &k.Public, Sig: k.Sign(s.Text())}}
		if s.HasAnchor() {
			t.Fatal("these are no anchors")
		}
		add(name, string(seal.MarshalNote(s.Text(), signatures)), true)
	}
	later := []string{"open, endorsed", "open, post-quantum", "heartbeat, post-quantum"} // drawn last, so that the keys of the others stay what they were
	for _, name := range slices.Sorted(mapKeys(list)) {
		if !slices.Contains(later, name) && name != "anchor, post-quantum" {
			addSample(name)
		}
	}
	// An anchor, and what stores and people do to it.
	s := list["heartbeat"]
	s.StreamID, s.Number, s.Anchors = seal.StreamID(&pk0), 64, nil
	for _, n := range seal.AnchorsAfter(64) {
		s.Anchors = append(s.Anchors, seal.Anchor{Number: n, Key: anchorKey(byte(n))})
	}
	k, err := keychain.NewKeyPair(random)
	require.NoError(t, err)
	a, err := keychain.NewKeyPair(random)
	require.NoError(t, err)
	key, anchor = k.Public, a.Public
	text := s.Text()
	own := seal.Signature{Name: s.Origin(), Key: &k.Public, Sig: k.Sign(text)}
	second := seal.Signature{Name: s.Origin() + seal.AnchorSuffix, Key: &a.Public, Sig: a.Sign(text)}
	note := string(seal.MarshalNote(text, []seal.Signature{own, second}))
	junk := "— example.com/other " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
	add("anchor", note, true)
	add("anchor, signatures the other way round", string(seal.MarshalNote(text, []seal.Signature{second, own})), true)
	add("anchor without the second signature", string(seal.MarshalNote(text, []seal.Signature{own})), true)
	wrong := own
	wrong.Sig = slices.Clone(wrong.Sig)
	wrong.Sig[3] ^= 1
	add("anchor, wrong signature first", string(seal.MarshalNote(text, []seal.Signature{wrong, own, second})), true)
	add("anchor, wrong signature last", string(seal.MarshalNote(text, []seal.Signature{own, wrong, second})), true)
	add("junk signature after", note+junk, true)
	add("junk signature before", strings.Replace(note, "\n\n", "\n\n"+junk, 1), true)
	add("CRLF", strings.ReplaceAll(note, "\n", "\r\n"), true)
	add("escaped newlines", strings.ReplaceAll(note, "\n", `\n`), true)
	add("escaped CRLF", strings.ReplaceAll(note, "\n", `\r\n`), true)
	add("final newline lost", strings.TrimSuffix(note, "\n"), true)
	for _, name := range later {
		addSample(name)
	}
	endorsed := out[len(out)-len(later)].Body
	quantum := out[len(out)-2].Body
	// An anchor of a post-quantum stream.
	hybrid := list["heartbeat, post-quantum"]
	hybrid.StreamID, hybrid.Number, hybrid.Anchors = seal.StreamID(&pk0), 64, nil
	for _, n := range seal.AnchorsAfter(64) {
		hybrid.Anchors = append(hybrid.Anchors, seal.Anchor{Number: n, Key: samples.HybridAnchor(byte(n))})
	}
	m, err := keychain.NewMLDSAKey(random)
	require.NoError(t, err)
	hybrid.OwnAnchor, hybrid.MLDSA = a.Public, m.Public
	hybridText := hybrid.Text()
	third := seal.Signature{Name: hybrid.Origin() + seal.MLDSASuffix, MLDSA: m.Public, Sig: m.Sign(hybridText)}
	own.Sig, second.Sig = k.Sign(hybridText), a.Sign(hybridText)
	hybridNote := string(seal.MarshalNote(hybridText, []seal.Signature{own, second, third}))
	add("anchor, post-quantum", hybridNote, true)
	add("anchor, post-quantum, without its ML-DSA signature", string(seal.MarshalNote(hybridText, []seal.Signature{own, second})), true)
	add("anchor, post-quantum, without its Ed25519 signature", string(seal.MarshalNote(hybridText, []seal.Signature{own, third})), true)
	third.Sig[5] ^= 1
	add("anchor, post-quantum, with an ML-DSA signature that does not hold", string(seal.MarshalNote(hybridText, []seal.Signature{own, second, third})), true)
	for name, body := range map[string]string{
		"first seal without its ML-DSA key": regexp.MustCompile("ml-dsa-44 .*\n").ReplaceAllString(quantum, ""),
		"anchor without its ML-DSA key":     regexp.MustCompile("ml-dsa-44 .*\n").ReplaceAllString(hybridNote, ""),
		"anchor without its Ed25519 key":    regexp.MustCompile("anchor-key .*\n").ReplaceAllString(hybridNote, ""),
		"anchors of both kinds":             strings.Replace(hybridNote, "anchor-hash 192", "anchor 192", 1),
		"ML-DSA key in a seal between":      strings.Replace(out[len(out)-5].Body, "anchor-hash", "ml-dsa-44 "+strings.Repeat("AAAA", 437)+"AA==\nanchor-hash", 1),
		"ML-DSA key too short":              regexp.MustCompile("ml-dsa-44 .*\n").ReplaceAllString(hybridNote, "ml-dsa-44 AAAA\n"),
		"nine certificates":                 strings.Replace(endorsed, "next ", strings.Repeat("certificate AAAA\n", 7)+"next ", 1),
		"certificate without endorsement":   regexp.MustCompile("endorsement .*\n").ReplaceAllString(endorsed, ""),
		"endorsement without certificate":   regexp.MustCompile("certificate .*\n").ReplaceAllString(endorsed, ""),
		"endorsement in a later seal":       strings.Replace(note, "prev ", "endorsement AAAA\ncertificate AAAA\nprev ", 1),
		"too much of certificates":          strings.Replace(endorsed, "next ", "certificate "+strings.Repeat("AAAA", 17<<10/3)+"\nnext ", 1),
		"endorsement too long":              strings.Replace(endorsed, "endorsement ", "endorsement "+strings.Repeat("AAAA", 342), 1),
		"empty":                             "",
		"text only":                         text,
		"no signature":                      text + "\n",
		"no empty line":                     strings.Replace(note, "\n\n", "\n", 1),
		"line that is no signature":         note + "junk\n",
		"signature not base64":              note + "— a ???\n",
		"signature with spare bits":         strings.TrimSuffix(note, "g=\n") + "h=\n",
		"signature name with plus":          note + strings.Replace(junk, "example.com", "example+com", 1),
		"signature name with space":         note + strings.Replace(junk, "example.com", "example\u00a0com", 1),
		"tab":                               strings.Replace(note, "kind heartbeat", "kind\theartbeat", 1),
		"version 2":                         strings.ReplaceAll(note, "logseal.v1/", "logseal.v2/"),
		"unknown kind":                      strings.Replace(note, "kind heartbeat", "kind sleep", 1),
		"extra line":                        strings.Replace(note, "prev ", "more x\nprev ", 1),
		"missing anchor":                    strings.Replace(note, "anchor 128 ", "anchor 129 ", 1),
		"space at end of line":              strings.Replace(note, "kind heartbeat\n", "kind heartbeat \n", 1),
		"leading zero":                      strings.Replace(note, "seal 64\n", "seal 064\n", 1),
		"base64 with spare bits":            strings.Replace(note, "AgI=\nnext", "AgJ=\nnext", 1),
	} {
		require.NotEqual(t, note, body, name)
		addFaulty(name, body)
	}
	good := map[string]string{}
	for _, v := range out {
		good[v.Name] = v.Body
	}
	for _, f := range noteFaults() {
		addFaulty(f.name, f.apply(t, good))
	}

	// What is within the bounds, and signatures that Ed25519's stricter rules do not count.
	key = k.Public
	add("100 signatures", note+strings.Repeat("— a AAAAAAA=\n", 98), true)
	line := "— a " + strings.Repeat("AAAA", (seal.MaxNoteSize-len(note)-len("— a \n"))/4) + "\n"
	add("nearly 65,536 bytes", note+line, true)
	most := noteFault{"block of 1,024 seqs", "block", blockLines, "block 100-1123\n${1}groups " + b64zeros(64*32) + "\ndigests " + b64zeros(2*1024) + "\n${2}"}
	add(most.name, most.apply(t, good), true)
	own.Sig = aboveOrder(k.Sign(text))
	add("signature with S above the order", string(seal.MarshalNote(text, []seal.Signature{own, second})), true)
	key, own.Sig = withCofactor(t, text, random)
	own.Key = &key
	add("signature that holds with the cofactor only", string(seal.MarshalNote(text, []seal.Signature{own, second})), true)
	slices.SortStableFunc(out, func(a, b vector) int { return strings.Compare(boolKey(a.OK)+a.Name, boolKey(b.OK)+b.Name) })
	return encode(t, out)
}

func anchorKey(b byte) seal.AnchorKey {
	key := seal.PublicKey(samples.Fill(b))
	return seal.Ed25519Anchor(&key)
}

func boolKey(ok bool) string {
	if ok {
		return "0"
	}
	return "1"
}
