// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// endorser vouches for a new stream, or for what an attacker wants to be one.
type endorser func(seal.Trust) (*seal.Endorsement, error)

func by(cert *testpki.Cert) endorser { return byAt(cert, time.Now()) }

func byAt(cert *testpki.Cert, at time.Time) endorser {
	return func(trust seal.Trust) (*seal.Endorsement, error) {
		pair := cert.TLS()
		return endorse.Sign(&pair, trust, at)
	}
}

// with signs with one certificate, and puts the chain of another one with its key there: what our own code would refuse to sign.
func with(cert, other *testpki.Cert) endorser {
	return func(trust seal.Trust) (*seal.Endorsement, error) {
		e, err := by(cert)(trust)
		if err == nil {
			e.Certificates = other.TLS().Certificate
		}
		return e, err
	}
}

// newEndorsed is a host whose stream carries what e says. Its clock is now's, as certificates want it.
func newEndorsed(t *testing.T, name string, into *lines, e endorser) *host {
	t.Helper()
	h := newHostInto(t, name, into)
	h.keyFile = &keyMemory{}
	require.NoError(t, sealer.InitKeyFile(h.keyFile, sealer.NewStream{Name: name, Endorse: e}))
	keys, err := sealer.LoadKeyFile(h.keyFile)
	require.NoError(t, err)
	h.trust = keys.Trust()
	h.now.Time = time.Now().UTC()
	return h
}

// verifyCA verifies lines with a CA, and trust lines if there are any.
func (l *lines) verifyCA(t *testing.T, ca *testpki.Cert, trust ...seal.Trust) *verifier.Report {
	t.Helper()
	v := verifier.New(trust)
	v.TrustCA(ca.Pool())
	report, err := archive.Verify(t.Context(), []string{l.write(t)}, v, time.Time{}, archive.Options{Stdin: bytes.NewReader(nil)})
	require.NoError(t, err)
	return report
}

func named(name string, opts ...testpki.Option) []testpki.Option {
	return append([]testpki.Option{testpki.Names(name)}, opts...)
}

// A stream that a certificate vouches for is trusted under its identity, in any order of the lines, and without a trust line.
func TestEndorsed(t *testing.T) {
	ca := testpki.NewCA("fleet")
	h := newEndorsed(t, "web-17", &lines{}, by(ca.NewIntermediate("site").NewLeaf("web-17", named("web-17.example.com")...)))
	h.start().send(20).seal().stop()
	h.start().send(3).stop()
	for seed := range uint64(10) {
		report := h.archive.shuffled(seed).verifyCA(t, ca)
		require.Equal(t, finding.OK, report.Verdict, show(report))
		require.EqualValues(t, 23, report.Verified)
		require.Len(t, report.Streams, 1)
		require.Equal(t, "web-17.example.com", report.Streams[0].Identity)
		require.Equal(t, "web-17.example.com (web-17, "+h.trust.StreamID()+")", report.Streams[0].Name)
		require.Empty(t, report.Streams[0].GoesOn)
	}
	// A record that was touched is found there as everywhere.
	forged := h.archive.clone()
	forged.replace(t, forged.record(t, 21), "line 21", "line XX")
	expect(t, forged.verifyCA(t, ca), map[finding.Code]int{finding.Altered: 1, finding.Unresolved: 2})
	// With a trust line, and without the CA, it verifies as ever.
	require.Equal(t, finding.OK, h.archive.verify(t, h.trust).Verdict)
	report := h.archive.verifyCA(t, ca, h.trust)
	require.Equal(t, finding.OK, report.Verdict)
	require.Equal(t, "web-17", report.Streams[0].Name)
}

// Each way in which a certificate does not vouch has its own reason, and nothing of the stream is trusted.
func TestNotEndorsed(t *testing.T) {
	ca, now := testpki.NewCA("fleet"), time.Now()
	good := ca.NewLeaf("web-17", named("web-17.example.com")...)
	onlyDB := ca.NewIntermediate("db", func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"db.example.com"}, true
	})
	victim := newEndorsed(t, "web-17", &lines{}, by(good))
	victim.start().stop()
	moved := victim.archive.note(t, 0).Seal.Endorsement
	short := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-48*time.Hour), now.Add(-24*time.Hour) }

	for name, c := range map[string]struct {
		endorse endorser
		want    finding.Reason
	}{
		"not at all":               {nil, finding.NotEndorsed},
		"moved from another":       {func(seal.Trust) (*seal.Endorsement, error) { return moved, nil }, finding.EndorsementSignature},
		"by another key":           {with(good, ca.NewLeaf("web-18", named("web-18.example.com")...)), finding.EndorsementSignature},
		"expired at the time":      {byAt(ca.NewLeaf("web-17", named("web-17.example.com", short)...), now.Add(-36*time.Hour)), finding.EndorsementExpired},
		"for servers":              {with(good, ca.Renew(good, named("web-17.example.com", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })...)), finding.EndorsementUsage},
		"of a foreign CA":          {by(testpki.NewCA("foreign").NewLeaf("web-17", named("web-17.example.com")...)), finding.EndorsementChain},
		"of nobody's":              {by(testpki.NewSelfSigned("web-17", named("web-17.example.com")...)), finding.EndorsementChain},
		"of a CA for other names":  {by(onlyDB.NewLeaf("web-17", named("web-17.example.com")...)), finding.EndorsementNames},
		"of a certificate unnamed": {with(good, ca.Renew(good, func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "" })), finding.EndorsementIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			h := newEndorsed(t, "web-17", &lines{}, c.endorse)
			h.start().send(5).stop()
			report := h.archive.verifyCA(t, ca)
			found := expect(t, report, map[finding.Code]int{finding.UnknownStream: 3, finding.Orphan: 5, finding.Absent: 1})
			require.Equal(t, c.want, found[finding.UnknownStream][0].Reason)
			require.Empty(t, report.Streams)
			require.Zero(t, report.Verified)
			// The reason does not depend on the order.
			for seed := range uint64(5) {
				found := expect(t, h.archive.shuffled(seed+1).verifyCA(t, ca), map[finding.Code]int{finding.UnknownStream: 3, finding.Orphan: 5, finding.Absent: 1})
				require.Equal(t, c.want, found[finding.UnknownStream][0].Reason)
			}
		})
	}
}

// Who can write to the archive can neither take an endorsement off nor put another time beside it.
func TestEndorsementEdited(t *testing.T) {
	ca := testpki.NewCA("fleet")
	h := newEndorsed(t, "web-17", &lines{}, by(ca.NewLeaf("web-17", named("web-17.example.com")...)))
	h.start().send(5).stop()
	first := h.archive.sealNumber(t, 0)
	for name, edit := range map[string]func(string) string{
		"cut out": func(line string) string {
			before, rest, _ := strings.Cut(line, "endorsement ")
			_, after, _ := strings.Cut(rest, `\nnext `)
			return before + "next " + after
		},
		"dated back": func(line string) string { return strings.Replace(line, `\ntime 20`, `\ntime 19`, 1) },
	} {
		l := h.archive.clone()
		l.list[first] = edit(l.list[first])
		require.NotEqual(t, h.archive.list[first], l.list[first])
		require.NotNil(t, l.note(t, first), name)
		found := expect(t, l.verifyCA(t, ca), map[finding.Code]int{finding.UnknownStream: 3, finding.Orphan: 5, finding.Absent: 1})
		require.Equal(t, finding.NotEndorsed, found[finding.UnknownStream][0].Reason, name)

		// Beside the genuine one it is no more than a forged seal.
		l.list = append(l.list, h.archive.list[first])
		expect(t, l.verifyCA(t, ca), map[finding.Code]int{finding.BadSeal: 1})
	}
}

// Whoever has a host's certificate can begin another stream under its identity, and touch nothing of the old one. It is information
// where the old one was closed before, and a finding where it was not.
func TestFurtherStream(t *testing.T) {
	ca := testpki.NewCA("fleet")
	cert := ca.NewLeaf("web-17", named("web-17.example.com")...)
	for name, c := range map[string]struct {
		closed, overlaps bool
		name             string
		want             map[finding.Code]int
		info             bool
	}{
		"closed before":     {closed: true, name: "web-17", info: true},
		"goes on":           {closed: true, overlaps: true, name: "web-17", want: map[finding.Code]int{finding.FurtherStream: 1}},
		"never closed":      {name: "web-17", want: map[finding.Code]int{finding.FurtherStream: 1, finding.OpenEnd: 1}},
		"another stamp's":   {closed: true, overlaps: true, name: "web-17/audit"},
		"another, not shut": {name: "web-17/audit", want: map[finding.Code]int{finding.OpenEnd: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == nil {
				c.want = map[finding.Code]int{}
			}
			archive := &lines{}
			old := newEndorsed(t, "web-17", archive, by(cert))
			old.start().send(5).seal()
			if c.closed && !c.overlaps {
				old.stop()
			}
			further := newEndorsed(t, c.name, archive, by(cert))
			further.now.Time = old.now.Time.Add(time.Minute)
			further.start().send(5)
			if c.closed && c.overlaps {
				old.seal().seal().stop()
			}
			further.stop()
			for seed := range uint64(5) {
				for _, trust := range [][]seal.Trust{nil, {old.trust}} { // a trust line makes no difference to who it is
					report := archive.shuffled(seed).verifyCA(t, ca, trust...)
					expect(t, report, c.want)
					require.EqualValues(t, 10, report.Verified)
					for _, s := range report.Streams {
						if s.StreamID == further.trust.StreamID() && c.info {
							require.Equal(t, old.trust.StreamID(), s.GoesOn)
						} else {
							require.Empty(t, s.GoesOn)
						}
					}
				}
			}
		})
	}
}

// Seals that come long before the first, which a certificate vouches for, cost a second pass and nothing else.
func TestEndorsedLate(t *testing.T) {
	ca := testpki.NewCA("fleet")
	h := newEndorsed(t, "web-17", &lines{}, by(ca.NewLeaf("web-17", named("web-17.example.com")...)))
	h.start()
	for range 20 {
		h.send(2).seal()
	}
	h.stop()
	late := h.archive.clone()
	late.list = append(late.list[1:], late.list[0])
	v := verifier.New(nil)
	v.TrustCA(ca.Pool())
	v.LimitStrange(30_000)
	path := late.write(t)
	report, err := archive.Verify(t.Context(), []string{path}, v, time.Time{}, archive.Options{})
	require.NoError(t, err)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, 40, report.Verified)

	// Of a stream that nothing vouches for, however many seals there are, each counts and few are kept.
	stranger := newHost(t, "web-18")
	stranger.start()
	for range 50 {
		stranger.seal()
	}
	v = verifier.New([]seal.Trust{h.trust})
	v.TrustCA(ca.Pool())
	v.LimitStrange(30_000)
	report, err = archive.Verify(t.Context(), []string{path, stranger.archive.write(t)}, v, time.Time{}, archive.Options{})
	require.NoError(t, err)
	expect(t, report, map[finding.Code]int{finding.UnknownStream: 51})
}

// Day by day: a checkpoint vouches for the stream as the certificate did, and keeps its identity.
func TestEndorsedFromCheckpoint(t *testing.T) {
	ca := testpki.NewCA("fleet")
	cert := ca.NewLeaf("web-17", named("web-17.example.com")...)
	h := newEndorsed(t, "web-17", &lines{}, by(cert))
	h.start().send(5).seal()
	first := h.archive.clone()
	monday := first.verifyCA(t, ca)
	h.send(5).seal()
	second := &lines{list: h.archive.list[len(first.list):]}
	further := newEndorsed(t, "web-17", second, by(cert))
	further.now.Time = h.now.Time.Add(time.Minute)
	further.start().send(5).stop()

	list, err := verifier.ParseCheckpoints(checkpointOf(t, monday))
	require.NoError(t, err)
	v := verifier.New(nil)
	v.TrustCA(ca.Pool())
	require.NoError(t, v.From(list, finding.Place{File: "checkpoint"}))
	tuesday, err := archive.Verify(t.Context(), []string{second.write(t)}, v, time.Time{}, archive.Options{})
	require.NoError(t, err)
	expect(t, tuesday, map[finding.Code]int{finding.FurtherStream: 1, finding.OpenEnd: 1})
	require.EqualValues(t, 10, tuesday.Verified)
	require.Equal(t, "web-17.example.com", tuesday.Checkpoints[0].Identity)

	// Without a CA somebody must name the stream, and without its key nothing can.
	require.ErrorContains(t, verifier.New(nil).From(list, finding.Place{}), "not in the trust file")
	list[0].Open = nil
	v = verifier.New(nil)
	v.TrustCA(ca.Pool())
	require.ErrorContains(t, v.From(list, finding.Place{}), "open seal")
}
