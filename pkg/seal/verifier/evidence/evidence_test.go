// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/verifier/evidence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a host's stream and the archive of it.
type world struct {
	trust   seal.Trust
	archive string
	content []byte // of the archive
	ids     []seal.ID
}

// newWorld is a host with a post-quantum stream that stamped 20 records at a time, crashed in between, and went on. One
// record's text is not harmless.
func newWorld(t *testing.T, policy seal.Policy) *world { return newWorldOf(t, policy, 40) }

// newWorldOf has so many batches before the crash, and again behind it.
func newWorldOf(t *testing.T, policy seal.Policy, batches int) *world {
	h, err := sealtest.NewHostOf(sealer.NewStream{Name: "web-17", PostQuantum: true}, rand.New(rand.NewPCG(3, 4)))
	require.NoError(t, err)
	h.Policy = policy
	w := &world{trust: h.Trust, archive: filepath.Join(t.TempDir(), "archive.jsonl")}
	run := func(n int) {
		require.NoError(t, h.Start(t.Context()))
		for range n {
			require.NoError(t, h.Stamp(t.Context(), 20))
			h.Land(0, sealtest.Taken)
			require.NoError(t, h.Seal(t.Context()))
		}
	}
	run(batches)
	require.NoError(t, h.Stamp(t.Context(), 5))
	h.Land(0, sealtest.Taken)
	h.Crash()
	run(batches)
	require.NoError(t, h.Stop(t.Context()))
	var out bytes.Buffer
	for _, ld := range h.Received {
		for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			if text, ok := lr.Attributes().Get(seal.IDKey); ok {
				id, err := seal.ParseID(text.Str())
				require.NoError(t, err)
				w.ids = append(w.ids, id)
			}
		}
		data, err := new(plog.JSONMarshaler).MarshalLogs(ld)
		require.NoError(t, err)
		out.Write(append(data, '\n'))
	}
	w.content = out.Bytes()
	require.NoError(t, os.WriteFile(w.archive, w.content, 0o600))
	return w
}

// plainWorlds are two worlds that are made once.
var plainWorlds struct {
	sync.Mutex
	w, other *world
}

func plain(t *testing.T) (w, other *world) {
	t.Helper()
	plainWorlds.Lock()
	defer plainWorlds.Unlock()
	if plainWorlds.w == nil {
		plainWorlds.w, plainWorlds.other = newWorld(t, seal.Policy{}), newWorld(t, seal.Policy{})
	}
	of := func(made world) *world {
		made.archive = filepath.Join(t.TempDir(), "archive.jsonl")
		require.NoError(t, os.WriteFile(made.archive, made.content, 0o600))
		return &made
	}
	return of(*plainWorlds.w), of(*plainWorlds.other)
}

// source is an archive of one file.
func source(t *testing.T, path string) evidence.Source {
	return func(emit func(*verifier.Observed) error) error {
		return archive.Read(t.Context(), []string{path}, archive.Options{}, emit)
	}
}

func (w *world) build(t *testing.T, id seal.ID) (*evidence.Evidence, *evidence.Proof, error) {
	t.Helper()
	return evidence.Build(source(t, w.archive), []seal.Trust{w.trust}, id)
}

// TestEveryRecord: the evidence of every record is made, written, read and holds, under the reader's trust line and under its own.
func TestEveryRecord(t *testing.T) {
	w, _ := plain(t)
	for i := 0; i < len(w.ids); i += 397 {
		id := w.ids[i]
		e, made, err := w.build(t, id)
		require.NoError(t, err)
		var file bytes.Buffer
		require.NoError(t, e.Write(&file))
		require.True(t, evidence.Is(file.Bytes()))
		back, err := evidence.Read(&file)
		require.NoError(t, err)
		require.Equal(t, e, back)
		for _, trust := range [][]seal.Trust{nil, {w.trust}} {
			p, err := back.Check(trust)
			require.NoError(t, err)
			require.Equal(t, len(trust) > 0, p.Given)
			require.Equal(t, id.String(), p.ID)
			require.Contains(t, p.Group, p.ID)
			require.Contains(t, string(p.Record), `"`+p.ID+`"`)
			require.Equal(t, made.Seal.Number, p.Seal.Number)
			require.GreaterOrEqual(t, p.Seals, p.Seal.Number+1)
			require.Empty(t, p.NotPostQuantum)
			if p.Seal.Number <= 64 {
				require.GreaterOrEqual(t, p.PostQuantum, p.Seal.Number, "the anchor behind it is in the file")
			}
		}
	}
	// What was adopted after the crash is proven too, with what is known of that.
	crashed := slices.IndexFunc(w.ids, func(id seal.ID) bool { return id.Handle == w.ids[0].Handle && id.Seq == 802 })
	require.GreaterOrEqual(t, crashed, 0)
	_, p, err := w.build(t, w.ids[crashed])
	require.NoError(t, err)
	require.Equal(t, seal.KindAdopt, p.Seal.Kind)
}

// TestRefused: whoever changes anything in the evidence, or swaps a part of it for that of another, is refused, and the reason repeats nothing of a
// record.
func TestRefused(t *testing.T) {
	w, other := plain(t)
	id := w.ids[333]
	good, proof, err := w.build(t, id)
	require.NoError(t, err)
	foreign, _, err := other.build(t, other.ids[333])
	require.NoError(t, err)
	own := slices.IndexFunc(good.Records, func(r []byte) bool { return bytes.Contains(r, []byte(`"`+id.String()+`"`)) })
	covering := int(proof.Seal.Number)
	for name, tt := range map[string]struct {
		change func(e *evidence.Evidence)
		trust  []seal.Trust
		says   string
	}{
		"the record edited": {change: func(e *evidence.Evidence) {
			e.Records[own] = bytes.Replace(e.Records[own], []byte(`"stringValue":"line`), []byte(`"stringValue":"Line`), 1)
			e.Records[own] = bytes.Replace(e.Records[own], []byte(`"stringValue":"the same`), []byte(`"stringValue":"The same`), 1)
		}, says: "is not what was sealed"},
		"one beside it edited": {change: func(e *evidence.Evidence) {
			e.Records[(own+1)%len(e.Records)] = bytes.Replace(e.Records[(own+1)%len(e.Records)], []byte(`"h"`), []byte(`"i"`), 1)
		}, says: "is not what was sealed"},
		"one beside it taken out": {change: func(e *evidence.Evidence) { e.Records = e.Records[1:] }, says: "were sealed together"},
		"one twice":               {change: func(e *evidence.Evidence) { e.Records[0] = e.Records[1] }, says: "is not the one with the id"},
		"another record's id":     {change: func(e *evidence.Evidence) { e.ID = w.ids[900] }, says: ""},
		"an id of nobody":         {change: func(e *evidence.Evidence) { e.ID.Seq = 1 << 40 }, says: "none of its seals covers"},
		"a record that is two things": {change: func(e *evidence.Evidence) {
			e.Records[own] = bytes.Replace(e.Records[own], []byte(`{"body"`), []byte(`{"body":{},"body"`), 1)
		}, says: "is not the one with the id"},
		"the first seal taken out":    {change: func(e *evidence.Evidence) { e.Seals = e.Seals[1:] }, says: "BAD_SEAL"},
		"a seal taken out":            {change: func(e *evidence.Evidence) { e.Seals = slices.Delete(e.Seals, 3, 4) }, says: ""},
		"the covering seal taken out": {change: func(e *evidence.Evidence) { e.Seals = e.Seals[:covering] }, says: "none of its seals covers"},
		"a seal edited": {change: func(e *evidence.Evidence) {
			e.Seals[covering] = bytes.Replace(e.Seals[covering], []byte("\nkind block\n"), []byte("\nkind heartbeat\n"), 1)
		}, says: "is none"},
		"its time edited": {change: func(e *evidence.Evidence) {
			e.Seals[covering] = bytes.Replace(e.Seals[covering], []byte("\ntime 2027"), []byte("\ntime 2026"), 1)
		}, says: "BAD_SEAL"},
		"another stream's chain":                {change: func(e *evidence.Evidence) { e.Seals = foreign.Seals }, says: "of another stream"},
		"another stream's chain and trust line": {change: func(e *evidence.Evidence) { e.Seals, e.Trust = foreign.Seals, foreign.Trust }, says: "none of its seals covers"},
		"all of another stream, with my trust":  {change: func(e *evidence.Evidence) { *e = *foreign }, trust: []seal.Trust{w.trust}, says: "not among those that are trusted"},
		"another trust line in it":              {change: func(e *evidence.Evidence) { e.Trust = foreign.Trust }, says: "of another stream"},
		"other trust":                           {change: func(*evidence.Evidence) {}, trust: []seal.Trust{other.trust}, says: "not among those that are trusted"},
		"nothing":                               {change: func(e *evidence.Evidence) { e.Seals, e.Records = nil, nil }, says: "ABSENT"},
		"without its ML-DSA keys": {change: func(e *evidence.Evidence) {
			for i, s := range e.Seals {
				lines := strings.SplitAfter(string(s), "\n")
				lines = slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "/ml-dsa-44 ") })
				e.Seals[i] = []byte(strings.Join(lines, ""))
			}
		}, says: ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := *good
			e.Records, e.Seals = clone(good.Records), clone(good.Seals)
			tt.change(&e)
			_, err := e.Check(tt.trust)
			require.ErrorIs(t, err, evidence.ErrRefused)
			require.ErrorContains(t, err, tt.says)
			require.NotContains(t, err.Error(), "stringValue")
			require.NotContains(t, err.Error(), "the same again")
		})
	}
}

func clone(list [][]byte) [][]byte {
	out := make([][]byte, len(list))
	for i, b := range list {
		out[i] = bytes.Clone(b)
	}
	return out
}

// TestNotProven: an archive that does not prove a record makes no evidence, and says why.
func TestNotProven(t *testing.T) {
	w, other := plain(t)
	whole, err := os.ReadFile(w.archive)
	require.NoError(t, err)
	id := w.ids[333]
	for name, tt := range map[string]struct {
		change func(lines []string) []string
		trust  seal.Trust
		says   string
	}{
		"altered": {func(lines []string) []string {
			for i := range lines {
				lines[i] = strings.ReplaceAll(lines[i], `"line 2`, `"Line 2`)
			}
			return lines
		}, w.trust, "is not what was sealed"},
		"deleted": {func(lines []string) []string {
			return slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, id.String()) })
		}, w.trust, "is not in the archive"},
		"without a seal":   {func(lines []string) []string { return append(lines[:2], lines[3:]...) }, w.trust, "is not in the archive"},
		"another's trust":  {func(lines []string) []string { return lines }, other.trust, "its stream is not trusted"},
		"sealed later":     {func(lines []string) []string { return lines[:20] }, w.trust, "it was not sealed yet"},
		"lines twice":      {func(lines []string) []string { return append(lines, lines...) }, w.trust, ""},
		"in another order": {func(lines []string) []string { slices.Reverse(lines); return lines }, w.trust, ""},
		"with a forged double": {func(lines []string) []string {
			for _, l := range lines {
				if strings.Contains(l, id.String()) {
					return append(lines, strings.ReplaceAll(l, `"h"`, `"i"`))
				}
			}
			return nil
		}, w.trust, "several records with the id"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a")
			lines := tt.change(strings.SplitAfter(strings.TrimSpace(string(whole))+"\n", "\n"))
			require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))
			_, p, err := evidence.Build(source(t, path), []seal.Trust{tt.trust}, id)
			if tt.says == "" {
				require.NoError(t, err)
				require.NotNil(t, p)
				return
			}
			require.ErrorIs(t, err, evidence.ErrRefused)
			require.ErrorContains(t, err, tt.says)
		})
	}
}

// TestFarAhead: who makes up a seal with a number far ahead that claims the record keeps nobody from proving it, and adds nothing to the evidence.
func TestFarAhead(t *testing.T) {
	w, _ := plain(t)
	id := w.ids[3]
	want, proof, err := w.build(t, id)
	require.NoError(t, err)
	text := string(want.Seals[proof.Seal.Number])
	for _, number := range []uint64{proof.Seal.Number + 1000, 9e17 + 1} {
		n, err := seal.ParseNote(text)
		require.NoError(t, err)
		n.Seal.Number = number
		for i, anchor := range seal.AnchorsAfter(number) {
			n.Seal.Anchors = append(n.Seal.Anchors[:i:i], seal.Anchor{Number: anchor, Key: n.Seal.Anchors[0].Key})
		}
		far := n.Seal.Text() + strings.TrimPrefix(text, n.Text)
		_, err = seal.ParseNote(far)
		require.NoError(t, err)
		made, err := json.Marshal(far)
		require.NoError(t, err)
		line := `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{"stringValue":` + string(made) + `},"eventName":"logseal.seal"}]}]}]}` + "\n"
		require.NoError(t, os.WriteFile(w.archive, append([]byte(line), w.content...), 0o600))
		e, _, err := w.build(t, id)
		require.NoError(t, err, "%d", number)
		require.Equal(t, want, e)
	}
}

// TestRead: a file that two readers would read in two ways is none.
func TestRead(t *testing.T) {
	w, _ := plain(t)
	e, _, err := w.build(t, w.ids[0])
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, e.Write(&b))
	good := strings.TrimSpace(b.String())
	for name, text := range map[string]string{
		"nothing": "", "no object": "[]", "cut off": good[:len(good)-5], "something behind": good + "{}",
		"a member twice":         strings.Replace(good, `"id":`, `"id":"aaaaaaaa-1","id":`, 1),
		"another spelling":       strings.Replace(good, `"id":`, `"ID":`, 1),
		"an unknown member":      strings.Replace(good, `"id":`, `"note":"x","id":`, 1),
		"a member missing":       strings.Replace(good, `"id":"`+e.ID.String()+`",`, "", 1),
		"another version":        strings.Replace(good, `"logseal_evidence":1`, `"logseal_evidence":2`, 1),
		"no trust line":          strings.Replace(good, `"trust":"web`, `"trust":"-web`, 1),
		"no id":                  strings.Replace(good, e.ID.String(), "x", 1),
		"bytes that are no text": strings.Replace(good, `"id"`, "\"id\xff\"", 1),
	} {
		_, err := evidence.Read(strings.NewReader(text))
		require.Error(t, err, name)
	}
	_, err = evidence.Read(strings.NewReader("{\n  " + good[1:]))
	require.NoError(t, err, "white space is none of it")
}

// TestPage: the page says what is proven and what is not, and nothing in a record passes for a part of it.
func TestPage(t *testing.T) {
	policy, err := seal.NewPolicy([]string{"n"}, nil)
	require.NoError(t, err)
	w := newWorld(t, policy)
	_, p, err := w.build(t, w.ids[333])
	require.NoError(t, err)
	p.Record = append(p.Record, "\u202e</pre><script>alert(1)</script>\x1b[31m"...)
	p.Trust.Name = "web-17<b>"
	p.Shown[0].Text = "<img src=x onerror=alert(1)>"
	p.Times[0] = time.Date(2026, 11, 23, 5, 22, 20, 0, time.UTC)
	for _, given := range []bool{true, false} {
		p.Given = given
		var b bytes.Buffer
		require.NoError(t, p.WriteHTML(&b))
		page := b.String()
		for _, never := range []string{"<script", "<img", "web-17<b>", "\u202e", "\x1b", "{{", "ZgotmplZ"} {
			require.NotContains(t, page, never)
		}
		for _, want := range []string{p.ID, `\u{202e}`, "2026-11-23 05:22:20 UTC", "default-src &#39;none&#39;", "What it does not prove", "was added on the way, and is left out"} {
			require.Contains(t, page, strings.ReplaceAll(want, "&#39;", "'"))
		}
		require.Equal(t, !given, strings.Contains(page, "came with the evidence"))
	}
}

// TestUncovered: what no digest covers is not in the evidence, where two copies of the archive may have it differently; and evidence that has it is refused.
func TestUncovered(t *testing.T) {
	policy, err := seal.NewPolicy([]string{"n", "logseal.original"}, []string{"host.*"})
	require.NoError(t, err)
	w := newWorldOf(t, policy, 2)
	whole, err := os.ReadFile(w.archive)
	require.NoError(t, err)
	other := bytes.ReplaceAll(bytes.ReplaceAll(whole, []byte(`"stringValue":"h"`), []byte(`"stringValue":"forged"`)), []byte(`"key":"n"`), []byte(`"key":"logseal.original"`))
	require.NoError(t, os.WriteFile(w.archive, append(whole, other...), 0o600))
	id := w.ids[3]
	good, proof, err := w.build(t, id)
	require.NoError(t, err)
	for _, text := range append(clone(good.Records), proof.Record) {
		for _, name := range []string{`"n"`, "logseal.original", "host.name", "forged"} {
			require.NotContains(t, string(text), name)
		}
	}
	for _, at := range []string{`"attributes":[{"key":"logseal.id"`, `"resource":{`} {
		for _, add := range []string{`{"key":"n","value":{"intValue":"7"}},{"key":"logseal.id"`, `{"key":"logseal.original","value":{"stringValue":"e30="}},{"key":"logseal.id"`, `"attributes":[{"key":"host.name","value":{"stringValue":"x"}}]`} {
			if strings.Contains(add, "host.name") != strings.Contains(at, "resource") {
				continue
			}
			for i, text := range good.Records {
				e := *good
				e.Records = clone(good.Records)
				begin, _, _ := strings.Cut(at, `{"key"`)
				e.Records[i] = bytes.Replace(text, []byte(at), []byte(begin+add), 1)
				require.NotEqual(t, text, e.Records[i])
				_, err := e.Check(nil)
				require.ErrorIs(t, err, evidence.ErrRefused)
				require.ErrorContains(t, err, "an attribute that no digest covers")
			}
		}
	}
}

// TestAnyByte: whichever byte of a file is another, it is refused, or all that it says and shows is the same. Where the byte is of the id, the file may
// prove another record that is in it, and that is what it says then.
func TestAnyByte(t *testing.T) {
	policy, err := seal.NewPolicy([]string{"n"}, nil)
	require.NoError(t, err)
	w := newWorldOf(t, policy, 1)
	said := func(p *evidence.Proof) string {
		var b bytes.Buffer
		require.NoError(t, p.WriteHTML(&b))
		return p.String() + b.String()
	}
	good, _, err := w.build(t, w.ids[3])
	require.NoError(t, err)
	says := map[string]string{}
	for _, id := range w.ids[:len(good.Records)] {
		other := *good
		other.ID = id
		p, err := other.Check(nil)
		require.NoError(t, err)
		says[p.ID] = said(p)
	}
	var file bytes.Buffer
	require.NoError(t, good.Write(&file))
	rng := rand.New(rand.NewPCG(5, 6))
	refused := 0
	for range 600 {
		data := bytes.Clone(file.Bytes())
		data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		e, err := evidence.Read(bytes.NewReader(data))
		if err != nil {
			refused++
			continue
		}
		p, err := e.Check(nil)
		if err != nil {
			require.ErrorIs(t, err, evidence.ErrRefused)
			refused++
			continue
		}
		require.Equal(t, says[p.ID], said(p))
	}
	require.Greater(t, refused, 500)
}

// FuzzRead: whatever a file holds, it is refused or proven, and nothing else.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"logseal_evidence":1,"id":"k3x7a2qd-17","trust":"web-17+7f3b7e96+AScH2Uh3vpjgWGqAc81AbharxpQlUjD+8h0eSb0mmCkV","records":["{}"],"seals":["logseal.v1/x\n"]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := evidence.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		_, err = e.Check(nil)
		require.ErrorIs(t, err, evidence.ErrRefused)
	})
}
