// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
)

// vectorBegin is when the streams of the vectors begin.
var vectorBegin = time.Date(2026, 11, 23, 5, 22, 20, 123456789, time.UTC)

// vectorCert is a certificate with its key and those that vouch for it. With an Ed25519 key everything in it is fixed.
type vectorCert struct {
	*x509.Certificate
	key    crypto.Signer
	issuer *vectorCert
}

// issue makes a certificate; of a key that anybody can compute from label, unless key is given.
func issue(t *testing.T, issuer *vectorCert, label string, key crypto.Signer, edit func(*x509.Certificate)) *vectorCert {
	t.Helper()
	if key == nil {
		seed := sha256.Sum256([]byte(label))
		key = ed25519.NewKeyFromSeed(seed[:])
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: vectorBegin.Add(-time.Hour), NotAfter: vectorBegin.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, DNSNames: []string{"web-17.example.com"},
	}
	if edit != nil {
		edit(template)
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &vectorCert{c, key, issuer}
}

func issueCA(t *testing.T, issuer *vectorCert, label string, edit func(*x509.Certificate)) *vectorCert {
	t.Helper()
	return issue(t, issuer, label, nil, func(c *x509.Certificate) {
		c.Subject, c.DNSNames, c.ExtKeyUsage, c.KeyUsage = pkix.Name{CommonName: label}, nil, nil, x509.KeyUsageCertSign
		c.IsCA, c.BasicConstraintsValid = true, true
		if edit != nil {
			edit(c)
		}
	})
}

func (c *vectorCert) pair() *tls.Certificate {
	out := &tls.Certificate{PrivateKey: c.key}
	for ; c.issuer != nil; c = c.issuer {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out
}

func (c *vectorCert) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// endorsed is a stream of one session, closed, that begins with what a certificate says of it: 3 records under seal 1, 2 under seal 2.
func endorsed(t *testing.T, label string, cert *vectorCert, edit func(*seal.Endorsement)) *vectorStream {
	v := newVectorStream(t, label)
	require.NoError(t, initKeyFile(v.file, NewStream{Name: "web-17", Endorse: func(trust seal.Trust) (*seal.Endorsement, error) {
		e, err := endorse.Sign(cert.pair(), trust, vectorBegin)
		if err == nil && edit != nil {
			edit(e)
		}
		return e, err
	}}, v.cfg.random))
	return v
}

func (v *vectorStream) five() *vectorStream {
	v.begin()
	v.log(3, true, true, true)
	v.tock()
	v.log(2, true, true, true)
	v.end()
	return v
}

// endorsements are archives that are verified with a CA.
func (s *vectorSet) endorsements() {
	t := s.t
	ca := issueCA(t, nil, "fleet", nil)
	site := issueCA(t, ca, "site", nil)
	cert := issue(t, site, "web-17", nil, nil)
	add := func(file, what string, v *vectorStream, outcome string, verified int, want verdicts) {
		a := s.add("endorsed"+file+".jsonl", what, v, outcome, v.serial, verified, want)
		a.Trust, a.TrustCA = "", ca.pem()
	}
	refused := verdicts{"UNKNOWN_STREAM": 4, "ORPHAN": 5, "ABSENT": 1}
	no := func(file, what string, v *vectorStream) { add("-"+file, what, v, tampered, 0, refused) }
	chainOf := func(c *vectorCert) func(*seal.Endorsement) {
		return func(e *seal.Endorsement) { e.Certificates = c.pair().Certificate }
	}

	add("", "a certificate below the CA vouches for the stream; the order of lines and a trust line make no difference", endorsed(t, "endorsed", cert, nil).five(), ok, 5, verdicts{})
	late := endorsed(t, "endorsed-expired-later", cert, nil)
	late.begin()
	late.log(3, true, true, true)
	late.now.Time = late.now.Time.Add(2 * time.Hour)
	late.tock()
	late.log(2, true, true, true)
	late.end()
	add("-expired-later", "the certificate expires after the stream has begun", late, ok, 5, verdicts{})
	v := endorsed(t, "endorsed-altered", cert, nil).five()
	v.replace(v.record(4), "line 4", "line X")
	add("-altered", "and a record altered", v, tampered, 3, verdicts{"ALTERED": 1, "UNRESOLVED": 1})

	no("not", "no endorsement", shortStream(t, "endorsed-not"))
	other := endorsed(t, "endorsed", cert, nil)
	k, err := LoadKeyFile(other.file)
	require.NoError(t, err)
	no("moved", "the endorsement of another stream", endorsed(t, "endorsed-moved", cert, func(e *seal.Endorsement) { *e = *k.endorsement }).five())
	no("other-key", "signed by another key than the certificate's", endorsed(t, "endorsed-other-key", cert, chainOf(issue(t, site, "web-18", nil, nil))).five())
	no("other-name", "made for another name of the stream", endorsed(t, "endorsed-other-name", cert, nil).renamed("web-18").five())
	late = endorsed(t, "endorsed-expired", cert, nil)
	late.now.Time = late.now.Time.Add(2 * time.Hour)
	no("expired", "the certificate was expired when the stream began", late.five())
	late = endorsed(t, "endorsed-early", cert, nil)
	late.now.Time = late.now.Time.Add(-2 * time.Hour)
	no("early", "the certificate was not valid yet when the stream began", late.five())
	no("expired-ca", "a CA between was expired when the stream began", endorsed(t, "endorsed-expired-ca", issue(t, site, "web-17", nil, nil), chainOf(
		issue(t, issueCA(t, ca, "site", func(c *x509.Certificate) { c.NotAfter = vectorBegin.Add(-time.Minute) }), "web-17", nil, nil))).five())
	no("server", "the certificate is for servers", endorsed(t, "endorsed-server", cert, chainOf(
		issue(t, site, "web-17", nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }))).five())
	no("server-ca", "a CA between is for servers", endorsed(t, "endorsed-server-ca", cert, chainOf(
		issue(t, issueCA(t, ca, "site", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), "web-17", nil, nil))).five())
	no("encipherment", "the certificate's key is not for signatures", endorsed(t, "endorsed-encipherment", cert, chainOf(
		issue(t, site, "web-17", nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }))).five())
	no("foreign", "a certificate below another CA", endorsed(t, "endorsed-foreign", issue(t, issueCA(t, nil, "foreign", nil), "web-17", nil, nil), nil).five())
	no("broken", "the CA between is cut out", endorsed(t, "endorsed-broken", cert, func(e *seal.Endorsement) { e.Certificates = e.Certificates[:1] }).five())
	no("leaf-issues", "issued by a certificate that is no CA's", endorsed(t, "endorsed-leaf-issues", issue(t, cert, "web-18", nil, nil), nil).five())
	issuedBy := func(edit func(*x509.Certificate)) *vectorCert {
		return issue(t, issueCA(t, ca, "site", edit), "web-17", nil, nil)
	}
	no("no-ca", "issued by a certificate that says it is no CA's, though its key may sign certificates", endorsed(t, "endorsed-no-ca", cert, chainOf(
		issuedBy(func(c *x509.Certificate) { c.IsCA = false }))).five())
	no("ca-key-usage", "a CA between whose key may not sign certificates", endorsed(t, "endorsed-ca-key-usage", cert, chainOf(
		issuedBy(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }))).five())
	no("path-length", "a CA below one whose path length is 0", endorsed(t, "endorsed-path-length", cert, chainOf(
		issue(t, issueCA(t, issueCA(t, ca, "site", func(c *x509.Certificate) { c.MaxPathLenZero = true }), "rack", nil), "web-17", nil, nil))).five())
	no("critical", "a critical extension that nobody knows", endorsed(t, "endorsed-critical", cert, chainOf(
		issue(t, site, "web-17", nil, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}}
		}))).five())
	no("no-der", "certificates that are none", endorsed(t, "endorsed-no-der", cert, func(e *seal.Endorsement) { e.Certificates = [][]byte{[]byte("none")} }).five())
	constrained := func(edit func(*x509.Certificate)) *vectorCert { return issueCA(t, ca, "site", edit) }
	no("names", "a DNS name outside the CA's constraints", endorsed(t, "endorsed-names", cert, chainOf(issue(t, constrained(func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.org"}, true
	}), "web-17", nil, nil))).five())
	onlyDNS := constrained(func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.com"}, true
	})
	uri, err := url.Parse("spiffe://example.org/db")
	require.NoError(t, err)
	add("-names-held", "a DNS name within the CA's constraints", endorsed(t, "endorsed-names-held", cert, chainOf(issue(t, onlyDNS, "web-17", nil, nil))).five(), ok, 5, verdicts{})
	no("names-uri", "a URI, and a CA that is permitted DNS names", endorsed(t, "endorsed-names-uri", cert, chainOf(
		issue(t, onlyDNS, "web-17", nil, func(c *x509.Certificate) { c.URIs = []*url.URL{uri} }))).five())
	no("names-cn", "a common name, and a CA that is permitted DNS names", endorsed(t, "endorsed-names-cn", cert, chainOf(
		issue(t, onlyDNS, "web-17", nil, func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "web-17" }))).five())
	no("names-excluded", "a common name, and a CA that excludes some DNS names", endorsed(t, "endorsed-names-excluded", cert, chainOf(issue(t, constrained(func(c *x509.Certificate) {
		c.ExcludedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.org"}, true
	}), "web-17", nil, func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "web-17" }))).five())
	excluding := constrained(func(c *x509.Certificate) {
		c.ExcludedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.com"}, true
	})
	shouting := func(c *x509.Certificate) { c.DNSNames = []string{"WEB-17.Example.COM"} }
	no("names-excluded-dns", "a DNS name that the CA excludes", endorsed(t, "endorsed-names-excluded-dns", cert, chainOf(issue(t, excluding, "web-17", nil, nil))).five())
	no("names-excluded-case", "the same in upper and lower case", endorsed(t, "endorsed-names-excluded-case", cert, chainOf(issue(t, excluding, "web-17", nil, shouting))).five())
	add("-names-case", "a DNS name within the CA's constraints, in upper and lower case", endorsed(t, "endorsed-names-case", cert, chainOf(issue(t, onlyDNS, "web-17", nil, shouting))).five(), ok, 5, verdicts{})
	for _, whole := range []bool{true, false} {
		quantum := newVectorStream(t, "endorsed-quantum")
		require.NoError(t, initKeyFile(quantum.file, NewStream{Name: "web-17", PostQuantum: true, Endorse: func(trust seal.Trust) (*seal.Endorsement, error) {
			if !whole {
				trust.PostQuantum = seal.Hash{}
			}
			return endorse.Sign(cert.pair(), trust, vectorBegin)
		}}, quantum.cfg.random))
		if whole {
			add("-quantum", "the endorsement of a post-quantum stream is of its ML-DSA key, too", quantum.five(), ok, 5, verdicts{})
		} else {
			no("quantum-other", "the endorsement of a post-quantum stream is not of its ML-DSA key", quantum.five())
		}
	}
	no("nobody", "a certificate that names nobody", endorsed(t, "endorsed-nobody", cert, chainOf(
		issue(t, site, "web-17", nil, func(c *x509.Certificate) { c.DNSNames = nil }))).five())

	cut := endorsed(t, "endorsed-cut", cert, nil).five()
	before, rest, _ := strings.Cut(cut.lines[cut.sealLine(0)], "endorsement ")
	_, after, _ := strings.Cut(rest, `\nnext `)
	cut.lines[cut.sealLine(0)] = before + "next " + after
	no("cut", "the endorsement is cut out of the seal", cut)

	// Two streams of one identity.
	two := func(label string, name string, closed bool, begin time.Duration) *vectorStream {
		old := endorsed(t, "further-old", cert, nil)
		old.begin()
		old.log(3, true, true, true)
		old.tock()
		if closed {
			old.end()
		}
		further := endorsed(t, label, cert, nil)
		if name != "web-17" {
			further = newVectorStream(t, label)
			require.NoError(t, initKeyFile(further.file, NewStream{Name: name, Endorse: func(trust seal.Trust) (*seal.Endorsement, error) {
				return endorse.Sign(cert.pair(), trust, vectorBegin)
			}}, further.cfg.random))
		}
		further.now.Time = further.now.Time.Add(begin)
		further.five()
		further.lines = append(old.lines, further.lines...)
		further.serial += old.serial
		return further
	}
	add("-further-closed", "another stream of the identity and the name begins after the first was closed", two("further-closed", "web-17", true, time.Minute), ok, 8, verdicts{})
	add("-further", "another stream of the identity and the name begins, and the first was not closed: its certificate was stolen, maybe", two("further", "web-17", false, time.Minute), tampered, 8, verdicts{"FURTHER_STREAM": 1, "OPEN_END": 1})
	add("-further-overlap", "another stream of the identity and the name begins before the first is closed", two("further-overlap", "web-17", true, time.Nanosecond), tampered, 8, verdicts{"FURTHER_STREAM": 1})
	add("-further-name", "another stream of the identity under another name, and the first goes on", two("further-name", "web-17/audit", false, time.Minute), incomplete, 8, verdicts{"OPEN_END": 1})
}

// renamed changes the name in the key file, behind the endorsement's back.
func (v *vectorStream) renamed(name string) *vectorStream {
	page := slices.Clone(v.file.data[:pageSize])
	at := len(keyFileTag) + len(seal.PublicKey{})
	require.Equal(v.t, len(name), int(page[at]))
	copy(page[at+1:], name)
	copy(v.file.data, sumPage(page))
	return v
}

// endorsementVector is an endorsement of a stream, and the identity under which it is to be trusted; empty if it is not.
type endorsementVector struct {
	Name         string   `json:"name"`
	TrustLine    string   `json:"trust_line"`
	Time         string   `json:"time"` // of the seal
	TrustCA      string   `json:"trust_ca"`
	Signature    []byte   `json:"endorsement"`
	Certificates [][]byte `json:"certificates"`
	Identity     string   `json:"identity"`
}

// vectorEndorsements are endorsements by every kind of key. Their signatures are not to be had a second time: they are made when vectors are
// written anew, and checked always.
func vectorEndorsements(t *testing.T) []byte {
	var list []endorsementVector
	path := filepath.Join("..", "testdata", "vectors", "endorsements.json")
	data, err := os.ReadFile(path)
	if !*updateVectors || !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &list))
	}
	if *updateVectors { // what is there stays
		have := func(name string) bool {
			return slices.ContainsFunc(list, func(v endorsementVector) bool { return v.Name == name })
		}
		for _, made := range makeEndorsements(t, have) {
			if !have(made.Name) {
				list = append(list, made)
			}
		}
		slices.SortFunc(list, func(a, b endorsementVector) int { return strings.Compare(a.Name, b.Name) })
		data = encode(t, list)
	}
	for _, v := range list {
		trust, err := seal.ParseTrustLine(v.TrustLine)
		require.NoError(t, err)
		at, err := time.Parse(time.RFC3339Nano, v.Time)
		require.NoError(t, err)
		roots, err := endorse.ParseRoots([]byte(v.TrustCA))
		require.NoError(t, err)
		identity, err := endorse.Check(&seal.Seal{Name: trust.Name, Key: trust.Key, Time: at, Endorsement: &seal.Endorsement{Signature: v.Signature, Certificates: v.Certificates}}, roots)
		require.Equal(t, v.Identity, identity, v.Name)
		require.Equal(t, v.Identity == "", err != nil, v.Name)
	}
	return data
}

func makeEndorsements(t *testing.T, have func(name string) bool) (list []endorsementVector) {
	ca := issueCA(t, nil, "fleet", nil)
	site := issueCA(t, ca, "site", nil)
	trust := seal.Trust{Name: "web-17", Key: seal.PublicKey(sha256.Sum256([]byte("pk0")))}
	message := []byte("logseal/v1 endorsement\x00" + trust.String())
	digest := sha256.Sum256(message)
	addChain := func(name string, certificates [][]byte, signature []byte, identity string) {
		list = append(list, endorsementVector{name, trust.String(), vectorBegin.Format(time.RFC3339Nano), ca.pem(), signature, certificates, identity})
	}
	add := func(name string, cert *vectorCert, signature []byte, identity string) {
		addChain(name, cert.pair().Certificate, signature, identity)
	}
	curve := func(c elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		require.NoError(t, err)
		return key
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	const dns = "web-17.example.com"
	for name, key := range map[string]crypto.Signer{"Ed25519": nil, "ECDSA P-256": curve(elliptic.P256()), "ECDSA P-384": curve(elliptic.P384()), "RSA 2048": rsaKey} {
		cert := issue(t, site, "web-17", key, nil)
		e, err := endorse.Sign(cert.pair(), trust, vectorBegin)
		require.NoError(t, err)
		add(name, cert, e.Signature, dns)
	}
	sign := func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) []byte {
		signature, err := key.Sign(rand.Reader, digest, opts)
		require.NoError(t, err)
		return signature
	}
	cert := issue(t, site, "web-17", rsaKey, nil)
	add("RSA, PKCS #1 v1.5", cert, sign(rsaKey, digest[:], crypto.SHA256), "")
	add("RSA-PSS with a salt of 20 bytes", cert, sign(rsaKey, digest[:], &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA256}), "")
	small, err := rsa.GenerateKey(rand.Reader, 2047)
	require.NoError(t, err)
	add("RSA 2047", issue(t, site, "web-17", small, nil), sign(small, digest[:], &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}), "")
	if !have("RSA 8200") { // that key takes half a minute
		large, err := rsa.GenerateKey(rand.Reader, 8200)
		require.NoError(t, err)
		add("RSA 8200", issue(t, site, "web-17", large, nil), sign(large, digest[:], &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}), "")
	}
	p521, p384 := curve(elliptic.P521()), curve(elliptic.P384())
	add("ECDSA P-521", issue(t, site, "web-17", p521, nil), sign(p521, digest[:], crypto.SHA256), "")
	add("ECDSA P-384 with SHA-256", issue(t, site, "web-17", p384, nil), sign(p384, digest[:], crypto.SHA256), "")

	// Identities.
	uri, err := url.Parse("spiffe://example.com/web-17")
	require.NoError(t, err)
	for identity, edit := range map[string]func(*x509.Certificate){
		uri.String(): func(c *x509.Certificate) { c.URIs, c.Subject.CommonName = []*url.URL{uri}, "web-17" },
		"web-17":     func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "web-17" },
	} {
		cert := issue(t, site, "web-17", nil, edit)
		e, err := endorse.Sign(cert.pair(), trust, vectorBegin)
		require.NoError(t, err)
		add("identity "+identity, cert, e.Signature, identity)
	}
	any := issue(t, site, "web-17", nil, func(c *x509.Certificate) { c.ExtKeyUsage = nil })
	e, err := endorse.Sign(any.pair(), trust, vectorBegin)
	require.NoError(t, err)
	add("no extended key usage", any, e.Signature, dns)

	// A path leads over any of the other certificates, in any order.
	rack := issueCA(t, site, "rack", nil)
	below := issue(t, rack, "web-17", nil, nil)
	e, err = endorse.Sign(below.pair(), trust, vectorBegin)
	require.NoError(t, err)
	addChain("a certificate that is of no path", append(below.pair().Certificate, issueCA(t, nil, "stranger", nil).Raw), e.Signature, dns)
	addChain("certificates between in another order", [][]byte{below.Raw, site.Raw, rack.Raw}, e.Signature, dns)
	return list
}
