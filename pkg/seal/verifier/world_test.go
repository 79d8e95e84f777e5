// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// store is a Store in memory.
type store map[string][]byte

func (m store) Batch(_ context.Context, ops ...*sealer.Op) error {
	for _, op := range ops {
		switch op.Kind {
		case sealer.OpGet:
			op.Value = slices.Clone(m[op.Key])
		case sealer.OpSet:
			m[op.Key] = slices.Clone(op.Value)
		case sealer.OpDelete:
			delete(m, op.Key)
		}
	}
	return nil
}

// keyMemory is a key file in memory, so that a killed sealer can just be forgotten.
type keyMemory struct{ data []byte }

func (k *keyMemory) ReadAt(b []byte, at int64) (int, error) {
	return bytes.NewReader(k.data).ReadAt(b, at)
}

func (k *keyMemory) WriteAt(b []byte, at int64) (int, error) {
	if need := int(at) + len(b); need > len(k.data) {
		k.data = append(k.data, make([]byte, need-len(k.data))...)
	}
	return copy(k.data[at:], b), nil
}

func (k *keyMemory) Close() error { return nil }
func (k *keyMemory) Sync() error  { return nil }

// host is a host with one stream, and the archive of what it sends: one record a line, so that a test can name lines.
type host struct {
	t       *testing.T
	name    string
	keyFile *keyMemory
	trust   seal.Trust
	store   store
	now     sealer.Reading
	policy  seal.Policy
	sealer  *sealer.Sealer
	archive *lines
	text    int // numbers the records' texts
}

// lines is an archive of OTLP JSON lines.
type lines struct {
	list []string
	logs *[]plog.Logs // where to keep what comes instead, as pdata, if set
}

func newHost(t *testing.T, name string) *host { return newHostInto(t, name, &lines{}) }

func newHostInto(t *testing.T, name string, into *lines) *host {
	h := &host{
		t: t, name: name, keyFile: &keyMemory{}, store: store{}, archive: into,
		now: sealer.Reading{Time: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), Uptime: time.Hour, BootID: [16]byte{1}},
	}
	require.NoError(t, sealer.InitKeyFile(h.keyFile, sealer.NewStream{Name: name}))
	keys, err := sealer.LoadKeyFile(h.keyFile)
	require.NoError(t, err)
	h.trust = keys.Trust()
	return h
}

// received makes the archive keep what it gets from now on as pdata, and returns it.
func (h *host) received() *[]plog.Logs {
	var all []plog.Logs
	for _, line := range h.archive.list {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(h.t, err)
		all = append(all, ld)
	}
	h.archive.logs = &all
	return &all
}

// start starts a session.
func (h *host) start() *host {
	keys, err := sealer.LoadKeyFile(h.keyFile)
	require.NoError(h.t, err)
	h.sealer, err = sealer.Open(h.t.Context(), sealer.Config{
		Keys: keys, Store: h.store, Policy: h.policy, Software: "test/1", SealResource: map[string]string{"host.name": h.name},
		Clock: func() sealer.Reading { return h.now },
	})
	require.NoError(h.t, err)
	return h.seal()
}

func (h *host) emit(_ context.Context, ld plog.Logs) error {
	h.archive.add(h.t, ld)
	return nil
}

// send stamps and forwards n records, as one batch.
func (h *host) send(n int) *host {
	return h.sendLogs(h.batch(n))
}

func (h *host) sendLogs(ld plog.Logs) *host {
	b, err := h.sealer.Stamp(h.t.Context(), ld)
	require.NoError(h.t, err)
	h.archive.add(h.t, ld)
	b.Settle(true)
	return h
}

func (h *host) batch(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", h.name)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("test")
	for range n {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(1795410000000000000)
		lr.Body().SetStr(fmt.Sprintf("line %d of %s", h.text, h.name))
		lr.Attributes().PutStr("k8s.pod", "a")
		h.text++
	}
	return ld
}

// seal lets time pass and makes the seals that are due.
func (h *host) seal() *host {
	h.now.Uptime += time.Minute
	h.now.Time = h.now.Time.Add(time.Minute)
	require.NoError(h.t, h.sealer.Seal(h.t.Context(), h.emit))
	return h
}

// stop ends the session in good order.
func (h *host) stop() *host {
	require.NoError(h.t, h.sealer.Close(h.t.Context(), h.emit))
	return h
}

// kill ends the session as kill -9 does.
func (h *host) kill() *host {
	h.sealer = nil
	return h
}

// snapshot copies what the host has on its disk.
func (h *host) snapshot() func() {
	keys, saved := slices.Clone(h.keyFile.data), maps.Clone(h.store)
	return func() {
		h.keyFile = &keyMemory{slices.Clone(keys)}
		h.store = maps.Clone(saved)
	}
}

// add writes each record to a line of its own.
func (l *lines) add(t *testing.T, ld plog.Logs) {
	if l.logs != nil {
		*l.logs = append(*l.logs, ld)
		return
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				one := plog.NewLogs()
				to := one.ResourceLogs().AppendEmpty()
				rl.Resource().CopyTo(to.Resource())
				to.SetSchemaUrl(rl.SchemaUrl())
				scope := to.ScopeLogs().AppendEmpty()
				sl.Scope().CopyTo(scope.Scope())
				scope.SetSchemaUrl(sl.SchemaUrl())
				lr.CopyTo(scope.LogRecords().AppendEmpty())
				data, err := (&plog.JSONMarshaler{}).MarshalLogs(one)
				require.NoError(t, err)
				l.list = append(l.list, string(data))
			}
		}
	}
}

func (l *lines) clone() *lines { return &lines{list: slices.Clone(l.list)} }

// shuffled copies the lines: in their own order for seed 0, and in another one for any other seed.
func (l *lines) shuffled(seed uint64) *lines {
	b := l.clone()
	if seed > 0 {
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(b.list), func(i, j int) { b.list[i], b.list[j] = b.list[j], b.list[i] })
	}
	return b
}

// find returns the index of the only line that holds all of the texts.
func (l *lines) find(t *testing.T, texts ...string) int {
	found := -1
	for i, line := range l.list {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all && (found < 0 || l.list[found] != line) { // seals may be sent twice
			require.Equal(t, -1, found, "two lines hold %q", texts)
			found = i
		}
	}
	require.NotEqual(t, -1, found, "no line holds %q", texts)
	return found
}

// record returns the index of the line with the n-th text of a host.
func (l *lines) record(t *testing.T, n int) int {
	return l.find(t, fmt.Sprintf(`"line %d of `, n))
}

// sealNumber returns the index of the line with a seal.
func (l *lines) sealNumber(t *testing.T, n int) int {
	return l.find(t, `"logseal.seal"`, fmt.Sprintf(`\nseal %d\n`, n))
}

func (l *lines) isSeal(i int) bool { return strings.Contains(l.list[i], `"logseal.seal"`) }

func (l *lines) remove(i int) { l.list = slices.Delete(l.list, i, i+1) }

func (l *lines) replace(t *testing.T, i int, old, new string) {
	require.Contains(t, l.list[i], old)
	l.list[i] = strings.Replace(l.list[i], old, new, 1)
}

func (l *lines) id(t *testing.T, i int) string {
	_, rest, ok := strings.Cut(l.list[i], `"logseal.id","value":{"stringValue":"`)
	require.True(t, ok, "line without an id: %s", l.list[i])
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// write writes the lines to a file.
func (l *lines) write(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "archive.json")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(l.list, "\n")+"\n"), 0o600))
	return path
}

// verify verifies the lines as a file, with standard input closed, the way the command does.
func (l *lines) verify(t *testing.T, trust ...seal.Trust) *verifier.Report {
	return l.verifyUntil(t, time.Time{}, trust...)
}

func (l *lines) verifyUntil(t *testing.T, until time.Time, trust ...seal.Trust) *verifier.Report {
	path := l.write(t)
	report, err := archive.Verify(t.Context(), []string{path}, verifier.New(trust), until, archive.Options{Stdin: bytes.NewReader(nil)})
	require.NoError(t, err)
	return report
}

// expect checks that a report's findings are of exactly these verdicts, with these counts, and returns them by verdict.
func expect(t *testing.T, report *verifier.Report, want map[finding.Code]int) map[finding.Code][]finding.Finding {
	t.Helper()
	got, all := map[finding.Code]int{}, map[finding.Code][]finding.Finding{}
	for _, f := range report.Findings {
		got[f.Code] += int(f.Count)
		all[f.Code] = append(all[f.Code], f)
	}
	require.Equal(t, want, got, "findings: %s", show(report))
	return all
}

func show(report *verifier.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d records, %d verified\n", report.Verdict, report.Records, report.Verified)
	for _, f := range report.Findings {
		fmt.Fprintf(&b, "  %s %s %s..%s ×%d %s:%d %s\n", f.Code, f.Stream, f.ID, f.LastID, f.Count, f.Place.File, f.Place.Line, f.Message())
	}
	return b.String()
}

// leaf returns the leaf hash of the record in a line.
func (l *lines) leaf(t *testing.T, i int) (leaf seal.Hash) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "line.json")
	require.NoError(t, os.WriteFile(path, []byte(l.list[i]), 0o600))
	err := archive.Read(t.Context(), []string{path}, archive.Options{}, func(o *verifier.Observed) error {
		require.Empty(t, o.Fault)
		leaf = sha256.Sum256(o.Canonical)
		return nil
	})
	require.NoError(t, err)
	return leaf
}

// addNote adds a record that claims to be a seal.
func (l *lines) addNote(t *testing.T, note string) {
	ld := plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	sl.Scope().SetName(seal.ScopeName)
	lr := sl.LogRecords().AppendEmpty()
	lr.SetEventName(seal.EventName)
	lr.Body().SetStr(note)
	l.add(t, ld)
}

// note parses the seal in a line.
func (l *lines) note(t *testing.T, i int) *seal.Note {
	t.Helper()
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(l.list[i]))
	require.NoError(t, err)
	n, err := seal.ParseNote(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str())
	require.NoError(t, err)
	return n
}

// thief takes the host's keys as they are now.
func (h *host) thief() *forge.Forger {
	return forge.NewForger(&keyMemory{slices.Clone(h.keyFile.data)})
}

// cover fills in what a seal covers: the leaves of the given lines, for the given seqs.
func cover(s seal.Seal, covered seal.Ranges, leaves []seal.Hash) seal.Seal {
	s.Covered = covered
	s.Groups = seal.AppendGroups(nil, leaves, s.GroupSize())
	s.Prefixes = nil
	for i := range leaves {
		s.Prefixes = append(s.Prefixes, leaves[i][:2]...)
	}
	return s
}

// leafFast is leaf without reading the line as an archive, for those who try many.
func (l *lines) leafFast(t *testing.T, i int) seal.Hash {
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(l.list[i]))
	require.NoError(t, err)
	var h canonical.Hasher
	rl := ld.ResourceLogs().At(0)
	source, err := h.Source(rl, rl.ScopeLogs().At(0), &seal.Policy{})
	require.NoError(t, err)
	digest, err := h.Record(&source, rl.ScopeLogs().At(0).LogRecords().At(0), &seal.Policy{})
	require.NoError(t, err)
	return digest
}
