// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// newQuantum is a host whose stream has ML-DSA-44 keys.
func newQuantum(t *testing.T) *host {
	t.Helper()
	h := newHost(t, "web-17")
	h.keyFile = &keyMemory{}
	require.NoError(t, sealer.InitKeyFile(h.keyFile, sealer.NewStream{Name: "web-17", PostQuantum: true}))
	keys, err := sealer.LoadKeyFile(h.keyFile)
	require.NoError(t, err)
	h.trust = keys.Trust()
	require.NotZero(t, h.trust.PostQuantum)
	return h
}

// sealTo makes a seal over a record until the number of the next is at least n.
func (h *host) sealTo(n uint64) *host {
	for h.thief().Number() < n {
		h.send(1).seal()
	}
	return h
}

// verifyQuantum verifies lines, and what nothing but Ed25519 vouches for is a finding.
func (l *lines) verifyQuantum(t *testing.T, trust ...seal.Trust) *verifier.Report {
	t.Helper()
	v := verifier.New(trust)
	v.RequirePostQuantum()
	report, err := archive.Verify(t.Context(), []string{l.write(t)}, v, time.Time{}, archive.Options{Stdin: bytes.NewReader(nil)})
	require.NoError(t, err)
	return report
}

func TestPostQuantum(t *testing.T) {
	h := newQuantum(t)
	h.start().sealTo(140)
	h.stop()
	for seed := range uint64(5) {
		report := h.archive.shuffled(seed).verify(t, h.trust)
		require.Equal(t, finding.OK, report.Verdict, show(report))
		require.Empty(t, report.Streams[0].NotPostQuantum)
		require.EqualValues(t, 128, report.Streams[0].PostQuantum)
	}
	expect(t, h.archive.verifyQuantum(t, h.trust), map[finding.Code]int{finding.NotPostQuantumYet: 1})

	// A trust line of before verifies as it did, and says so.
	old := h.trust
	old.PostQuantum = seal.Hash{}
	report := h.archive.verify(t, old)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.Equal(t, finding.LineWithoutMLDSA, report.Streams[0].NotPostQuantum)
	var text strings.Builder
	require.NoError(t, report.WriteText(&text))
	require.Contains(t, text.String(), "not post-quantum")
	found := expect(t, h.archive.verifyQuantum(t, old), map[finding.Code]int{finding.NotPostQuantum: 1})
	require.Equal(t, finding.LineWithoutMLDSA, found[finding.NotPostQuantum][0].Reason)

	// So does a stream that began without.
	classical := newHost(t, "web-18")
	classical.start().send(3).stop()
	require.Equal(t, finding.OK, classical.archive.verify(t, classical.trust).Verdict)
	found = expect(t, classical.archive.verifyQuantum(t, classical.trust), map[finding.Code]int{finding.NotPostQuantum: 1})
	require.Equal(t, finding.NoMLDSAKeys, found[finding.NotPostQuantum][0].Reason)

	// Trust by certificate rests on the certificate's signature.
	ca := testpki.NewCA("fleet")
	endorsed := newEndorsed(t, "web-17", &lines{}, by(ca.NewLeaf("web-17", named("web-17.example.com")...)))
	require.NoError(t, sealer.InitKeyFile(endorsed.keyFile, sealer.NewStream{
		Name: "web-17", PostQuantum: true, Endorse: by(ca.NewLeaf("web-17", named("web-17.example.com")...)),
	}))
	endorsed.start().send(3).stop()
	report = endorsed.archive.verifyCA(t, ca)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.Equal(t, finding.LineWithoutMLDSA, report.Streams[0].NotPostQuantum)
}

// The proof reaches as far as anchors lead from one to the next.
func TestPostQuantumAcrossGaps(t *testing.T) {
	h := newQuantum(t)
	h.start().sealTo(200)
	h.stop()
	for name, c := range map[string]struct {
		drop  []int
		until uint64
	}{
		"a seal behind an anchor": {[]int{130}, 128},
		"an anchor":               {[]int{128}, 64},
		"the first anchor":        {[]int{64}, 0},
	} {
		l := h.archive.clone()
		for _, number := range c.drop {
			l.remove(l.sealNumber(t, number))
		}
		report := l.verifyQuantum(t, h.trust)
		require.Equal(t, c.until, report.Streams[0].PostQuantum, name)
		require.Empty(t, report.Streams[0].NotPostQuantum, name)
		reasons := map[finding.Reason]bool{}
		for _, f := range report.Findings {
			reasons[f.Reason] = true
		}
		require.True(t, reasons[finding.Ed25519Alone], "%s: %s", name, show(report))
	}
}

// Day by day: what is verified stays proven, and the next day goes on from there.
func TestPostQuantumFromCheckpoint(t *testing.T) {
	h := newQuantum(t)
	h.start().sealTo(70)
	first := h.archive.clone()
	h.sealTo(140)
	h.stop()
	list, err := verifier.ParseCheckpoints(checkpointOf(t, first.verify(t, h.trust)))
	require.NoError(t, err)
	v := verifier.New([]seal.Trust{h.trust})
	require.NoError(t, v.From(list, finding.Place{}))
	second := &lines{list: h.archive.list[len(first.list):]}
	report, err := archive.Verify(t.Context(), []string{second.write(t)}, v, time.Time{}, archive.Options{})
	require.NoError(t, err)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, 128, report.Streams[0].PostQuantum)
}

// cutSignature removes the signature line of a key from the seal in a line.
func (l *lines) cutSignature(t *testing.T, i int, suffix string) {
	t.Helper()
	before, rest, found := strings.Cut(l.list[i], `\n— logseal.v1/`+l.note(t, i).Seal.StreamID+suffix+" ")
	require.True(t, found)
	_, after, _ := strings.Cut(rest, `\n`)
	l.list[i] = before + `\n` + after
}

// An anchor, and the first seal, must carry their ML-DSA-44 signatures, whatever else vouches for them.
func TestAttackMLDSASignature(t *testing.T) {
	h := newQuantum(t)
	h.start().sealTo(140)
	h.stop()
	upTo := h.archive.sealNumber(t, 100)
	for _, c := range []struct {
		number, lines int
		want          finding.Reason
	}{
		{0, len(h.archive.list), finding.MLDSAMissing},
		{64, len(h.archive.list), finding.AnchorUnsigned}, // anchor 128 vouches for it
		{64, upTo, finding.MLDSAMissing},
		{128, len(h.archive.list), finding.MLDSAMissing},
	} {
		for _, trusted := range []bool{true, false} { // also where the trust line does not name the key
			what := fmt.Sprintf("seal %d of %d lines, trusted %v", c.number, c.lines, trusted)
			trust := h.trust
			if !trusted {
				trust.PostQuantum = seal.Hash{}
			}
			l := &lines{list: append([]string{}, h.archive.list[:c.lines]...)}
			i := l.sealNumber(t, c.number)
			genuine := l.list[i]
			l.cutSignature(t, i, seal.MLDSASuffix)
			requireBadSeal(t, l.verify(t, trust), c.want, what)

			// The genuine copy beside it makes it whole, before or behind it.
			for _, list := range [][]string{append([]string{genuine}, l.list...), append(append([]string{}, l.list...), genuine)} {
				report := (&lines{list: list}).verify(t, trust)
				require.NotEqual(t, finding.Tampered, report.Verdict, "%s: %s", what, show(report))
			}
		}
	}
}

func requireBadSeal(t *testing.T, report *verifier.Report, want finding.Reason, what string) {
	t.Helper()
	require.Equal(t, finding.Tampered, report.Verdict, what)
	for _, f := range report.Findings {
		if f.Reason == want {
			return
		}
	}
	require.Fail(t, "not found", "%s: no %s: %s", what, want, show(report))
}

// quantumThief has every Ed25519 key that the stream will ever have from now on, as who can compute them from public keys, and none of its
// ML-DSA-44 keys.
func quantumThief(h *host) *forge.Forger {
	f := h.thief()
	f.Chain.LoseMLDSA(rand.Reader)
	return f
}

// TestQuantumAdversary: somebody forges every Ed25519 signature from a seal on. He comes as far as the next anchor, and is named there.
func TestQuantumAdversary(t *testing.T) {
	h := newQuantum(t)
	h.start().sealTo(10)
	kept := len(h.archive.list)
	template := *h.archive.note(t, h.archive.sealNumber(t, 9)).Seal
	f := quantumThief(h)
	h.sealTo(140)
	genuine := h.archive.note(t, h.archive.sealNumber(t, 64)).Seal
	h.stop()

	for name, c := range map[string]struct {
		anchor func(*seal.Seal) // what he does to the anchor's text
		want   finding.Reason
	}{
		"with ML-DSA keys of his own":                     {nil, finding.MLDSAOtherKey},
		"with the genuine one, which he cannot sign with": {func(s *seal.Seal) { s.MLDSA, s.OwnAnchor = genuine.MLDSA, genuine.OwnAnchor }, finding.MLDSAMissing},
		"as a stream without": {func(s *seal.Seal) {
			for i := range s.Anchors {
				key := seal.PublicKey(s.Anchors[i].Key[1:])
				s.Anchors[i].Key = seal.Ed25519Anchor(&key)
			}
			s.MLDSA = nil
		}, finding.MLDSAMissing},
	} {
		t.Run(name, func(t *testing.T) {
			forger := &forge.Forger{Chain: f.Chain.Clone(), Random: rand.Reader}
			l := h.archive.clone()
			l.list = l.list[:kept]
			for forger.Number() < 70 {
				s := seal.Seal{
					StreamID: template.StreamID, Kind: seal.KindHeartbeat, Handle: template.Handle, Nonce: template.Nonce, Time: template.Time, BootID: template.BootID,
				}
				edit := c.anchor
				if forger.Number() != 64 {
					edit = nil
				}
				l.addNote(t, forger.Seal(s, edit))
			}
			report := l.verify(t, h.trust)
			requireBadSeal(t, report, c.want, name)
			require.EqualValues(t, 64, report.Streams[0].Seals, "he comes as far as seal 63")
			require.Zero(t, report.Streams[0].PostQuantum)

			// Beside the genuine seals his are a fork, and the genuine anchor is the one that is followed.
			l.list = append(l.list, h.archive.list[kept:]...)
			report = l.verify(t, h.trust)
			require.Equal(t, finding.Tampered, report.Verdict)
			forked := false
			for _, finds := range report.Findings {
				forked = forked || finds.Code == finding.Forked
			}
			require.True(t, forked, show(report))
		})
	}

	// He may name another key for the anchor in what he forges: that contradicts what the genuine seals have named, and proves nothing.
	forger := &forge.Forger{Chain: f.Chain.Clone(), Random: rand.Reader}
	forger.Chain.Rename()
	l := h.archive.clone()
	l.list = l.list[:kept]
	for forger.Number() < 70 {
		l.addNote(t, forger.Seal(seal.Seal{
			StreamID: template.StreamID, Kind: seal.KindHeartbeat, Handle: template.Handle, Nonce: template.Nonce, Time: template.Time, BootID: template.BootID,
		}, nil))
	}
	report := l.verify(t, h.trust)
	requireBadSeal(t, report, finding.AnchorRenamed, "another name")
	require.Zero(t, report.Streams[0].PostQuantum)

	// A whole history of his own, from seal 0 on, under the genuine first key.
	first := newQuantum(t)
	whole := quantumThief(first)
	first.start().send(3).stop()
	open := *first.archive.note(t, first.archive.sealNumber(t, 0)).Seal
	l = &lines{}
	l.addNote(t, whole.Seal(open, nil))
	requireBadSeal(t, l.verify(t, first.trust), finding.MLDSAOtherKey, "seal 0")
}
