// SPDX-License-Identifier: Apache-2.0

package endorse

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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
)

var sealTime = time.Date(2026, 11, 23, 5, 22, 20, 0, time.UTC)

// issued is a certificate with its key and those that vouch for it.
type issued struct {
	*x509.Certificate
	key    crypto.Signer
	issuer *issued
}

// issue makes a certificate. edit may be nil, and so may key, for a new one, and issuer, for a root.
func issue(t testing.TB, issuer *issued, key crypto.Signer, edit func(*x509.Certificate)) *issued {
	t.Helper()
	if key == nil {
		var err error
		_, key, err = ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: sealTime.Add(-time.Hour), NotAfter: sealTime.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, DNSNames: []string{"web-17.example.com"},
	}
	if edit != nil {
		edit(template)
	}
	made := &issued{key: key, issuer: issuer}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	made.Certificate, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return made
}

func ca(t testing.TB, issuer *issued, edit func(*x509.Certificate)) *issued {
	t.Helper()
	return issue(t, issuer, nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "CA " + rand.Text()}
		c.DNSNames, c.ExtKeyUsage, c.KeyUsage = nil, nil, x509.KeyUsageCertSign
		c.IsCA, c.BasicConstraintsValid = true, true
		if edit != nil {
			edit(c)
		}
	})
}

func (c *issued) tls() *tls.Certificate {
	out := &tls.Certificate{PrivateKey: c.key}
	for ; c.issuer != nil; c = c.issuer {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out
}

func (c *issued) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.Certificate)
	return pool
}

func aTrust() seal.Trust {
	return seal.Trust{Name: "web-17", Key: seal.PublicKey{1, 2, 3}}
}

// firstSeal is the part of a seal that an endorsement is about.
func firstSeal(e *seal.Endorsement) *seal.Seal {
	return &seal.Seal{Name: aTrust().Name, Key: aTrust().Key, Time: sealTime, Endorsement: e}
}

// raw signs whatever the certificate says, as somebody would who has its key and not our code.
func raw(t testing.TB, cert *issued) *seal.Endorsement {
	t.Helper()
	digest, opts, err := digestFor(cert.key.Public(), message(aTrust()))
	require.NoError(t, err)
	signature, err := cert.key.Sign(rand.Reader, digest, opts)
	require.NoError(t, err)
	return &seal.Endorsement{Signature: signature, Certificates: cert.tls().Certificate}
}

func TestEveryKindOfKey(t *testing.T) {
	root := ca(t, nil, nil)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, key := range map[string]crypto.Signer{"Ed25519": nil, "P-256": p256, "P-384": p384, "RSA": rsa2048} {
		cert := issue(t, ca(t, root, nil), key, nil)
		trust := aTrust()
		trust.Optional = true // of a trust file, and nothing that is signed
		e, err := Sign(cert.tls(), trust, sealTime)
		require.NoError(t, err, name)
		identity, err := Check(firstSeal(e), root.pool())
		require.NoError(t, err, name)
		require.Equal(t, "web-17.example.com", identity)

		e.Signature[len(e.Signature)-1] ^= 1
		_, err = Check(firstSeal(e), root.pool())
		require.ErrorIs(t, err, ErrSignature, name)
	}
	_, err = Sign(issue(t, root, p521, nil).tls(), aTrust(), sealTime)
	require.ErrorIs(t, err, ErrKey)

	// RSA signatures of another form than the one that counts.
	cert := issue(t, root, rsa2048, nil)
	e := raw(t, cert)
	digest, _, err := digestFor(&rsa2048.PublicKey, message(aTrust()))
	require.NoError(t, err)
	for _, opts := range []crypto.SignerOpts{crypto.SHA256, &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA256}} {
		e.Signature, err = rsa2048.Sign(rand.Reader, digest, opts)
		require.NoError(t, err)
		_, err = Check(firstSeal(e), root.pool())
		require.ErrorIs(t, err, ErrSignature)
	}
}

func TestIdentity(t *testing.T) {
	root := ca(t, nil, nil)
	uri, err := url.Parse("spiffe://example.com/web-17")
	require.NoError(t, err)
	for want, edit := range map[string]func(*x509.Certificate){
		"spiffe://example.com/web-17": func(c *x509.Certificate) { c.URIs = []*url.URL{uri} },
		"web-17.example.com":          func(c *x509.Certificate) { c.Subject.CommonName = "not this" },
		"web-17": func(c *x509.Certificate) {
			c.DNSNames, c.Subject.CommonName = nil, "web-17"
		},
	} {
		cert := issue(t, root, nil, edit)
		e, err := Sign(cert.tls(), aTrust(), sealTime)
		require.NoError(t, err)
		identity, err := Check(firstSeal(e), root.pool())
		require.NoError(t, err)
		require.Equal(t, want, identity)
	}
}

// TestNotEndorsed: each of these is refused, for its own reason; what is the certificate's own fault is already refused by Sign.
func TestNotEndorsed(t *testing.T) {
	root := ca(t, nil, nil)
	onlyDNS := func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.com"}, true
	}
	uri, err := url.Parse("spiffe://example.com/db")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		cert   *issued
		at     time.Time // of the seal, if not sealTime
		edit   func(*seal.Seal)
		want   error
		signed bool // Sign refuses it as well
	}{
		"no endorsement":          {cert: issue(t, root, nil, nil), edit: func(s *seal.Seal) { s.Endorsement = nil }, want: ErrNone},
		"another stream's key":    {cert: issue(t, root, nil, nil), edit: func(s *seal.Seal) { s.Key[0]++ }, want: ErrSignature},
		"another stream's name":   {cert: issue(t, root, nil, nil), edit: func(s *seal.Seal) { s.Name = "web-18" }, want: ErrSignature},
		"another key's signature": {cert: issue(t, root, nil, nil), edit: func(s *seal.Seal) { s.Endorsement.Certificates = issue(t, root, nil, nil).tls().Certificate }, want: ErrSignature},
		"no DER": {cert: issue(t, root, nil, nil), edit: func(s *seal.Seal) {
			s.Endorsement.Certificates = append(slices.Clone(s.Endorsement.Certificates), []byte("junk"))
		}, want: ErrChain},
		"a foreign CA's": {cert: issue(t, ca(t, nil, nil), nil, nil), want: ErrChain},
		"an intermediate cut out": {cert: issue(t, ca(t, root, nil), nil, nil), edit: func(s *seal.Seal) {
			s.Endorsement.Certificates = s.Endorsement.Certificates[:1]
		}, want: ErrChain},
		"issued by a leaf":        {cert: issue(t, issue(t, root, nil, nil), nil, nil), want: ErrChain},
		"expired":                 {cert: issue(t, root, nil, nil), at: sealTime.Add(2 * time.Hour), want: ErrExpired},
		"not valid yet":           {cert: issue(t, root, nil, nil), at: sealTime.Add(-2 * time.Hour), want: ErrExpired},
		"an expired intermediate": {cert: issue(t, ca(t, root, func(c *x509.Certificate) { c.NotAfter = sealTime.Add(-time.Minute) }), nil, nil), want: ErrExpired},
		"for servers": {cert: issue(t, root, nil, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}), want: ErrUsage, signed: true},
		"not for signatures": {cert: issue(t, root, nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), want: ErrUsage, signed: true},
		"of a CA for servers": {cert: issue(t, ca(t, root, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}), nil, nil), want: ErrUsage},
		"of a CA for other names": {cert: issue(t, ca(t, root, func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.org"}, true
		}), nil, nil), want: ErrNames},
		"a URI of a CA for DNS names": {cert: issue(t, ca(t, root, onlyDNS), nil, func(c *x509.Certificate) {
			c.URIs = append(c.URIs, uri)
		}), want: ErrNames},
		"a common name of a CA for DNS names": {cert: issue(t, ca(t, root, onlyDNS), nil, func(c *x509.Certificate) {
			c.DNSNames, c.Subject.CommonName = nil, "db.example.org"
		}), want: ErrNames},
		"a common name of a CA not for all names": {cert: issue(t, ca(t, root, func(c *x509.Certificate) {
			c.ExcludedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.org"}, true
		}), nil, func(c *x509.Certificate) {
			c.DNSNames, c.Subject.CommonName = nil, "db.example.org"
		}), want: ErrNames},
		"nobody's": {cert: issue(t, root, nil, func(c *x509.Certificate) { c.DNSNames = nil }), want: ErrIdentity, signed: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := firstSeal(raw(t, c.cert))
			if !c.at.IsZero() {
				s.Time = c.at
			}
			if c.edit != nil {
				c.edit(s)
			} else {
				_, err := Sign(c.cert.tls(), aTrust(), s.Time)
				if c.signed || !c.at.IsZero() {
					require.ErrorIs(t, err, c.want)
				}
			}
			identity, err := Check(s, root.pool())
			require.ErrorIs(t, err, c.want)
			require.Empty(t, identity)
		})
	}

	// A small key, which the standard library signs certificates for no more.
	require.ErrorIs(t, verify(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}, message(aTrust()), make([]byte, 128)), ErrKey)
}

func TestDNSWithinConstraints(t *testing.T) {
	root := ca(t, nil, nil)
	cert := issue(t, ca(t, root, func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.com"}, true
	}), nil, nil)
	identity, err := Check(firstSeal(raw(t, cert)), root.pool())
	require.NoError(t, err)
	require.Equal(t, "web-17.example.com", identity)
}

func TestFiles(t *testing.T) {
	root := ca(t, nil, nil)
	cert := issue(t, ca(t, root, nil), nil, nil)
	var chain []byte
	for _, der := range cert.tls().Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, chain, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	loaded, err := Load(certFile, keyFile)
	require.NoError(t, err)
	_, err = Sign(loaded, aTrust(), sealTime)
	require.NoError(t, err)
	_, err = Load(certFile, filepath.Join(dir, "none"))
	require.ErrorContains(t, err, filepath.Join(dir, "none"))

	rootPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
	pool, err := ParseRoots(append([]byte("the fleet's\n"), rootPEM...))
	require.NoError(t, err)
	_, err = Check(firstSeal(raw(t, cert)), pool)
	require.NoError(t, err)
	for _, bad := range []string{"", "no PEM", strings.ReplaceAll(string(rootPEM), "CERTIFICATE", "PUBLIC KEY"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		_, err := ParseRoots([]byte(bad))
		require.Error(t, err)
	}
}
