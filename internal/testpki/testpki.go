// SPDX-License-Identifier: Apache-2.0

// Package testpki makes certificate authorities, certificates and keys for tests, in memory or as files.
package testpki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Cert is a certificate with its key and the chain that issued it.
type Cert struct {
	X509   *x509.Certificate
	Key    *ecdsa.PrivateKey
	issuer *Cert // nil for a root
}

// Option changes the template of a certificate before it is signed.
type Option func(*x509.Certificate)

// Names sets the host names and addresses that the certificate is for, instead of localhost and the loopback addresses.
func Names(names ...string) Option {
	return func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = nil, nil
		for _, name := range names {
			if ip := net.ParseIP(name); ip != nil {
				c.IPAddresses = append(c.IPAddresses, ip)
			} else {
				c.DNSNames = append(c.DNSNames, name)
			}
		}
	}
}

// Expired makes the certificate one that was valid until an hour ago.
func Expired() Option {
	return func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	}
}

// NewCA returns a self-signed root.
func NewCA(t testing.TB, name string) *Cert {
	t.Helper()
	return sign(t, authority(name), newKey(t), nil)
}

// NewIntermediate returns an authority that c signed.
func (c *Cert) NewIntermediate(t testing.TB, name string) *Cert {
	t.Helper()
	return sign(t, authority(name), newKey(t), c)
}

// NewLeaf returns a certificate that c signed, for server and client authentication, with a new key.
func (c *Cert) NewLeaf(t testing.TB, name string, opts ...Option) *Cert {
	t.Helper()
	return sign(t, leaf(name, opts), newKey(t), c)
}

// Renew returns a certificate with the key of leaf, newly signed by c.
func (c *Cert) Renew(t testing.TB, leafCert *Cert, opts ...Option) *Cert {
	t.Helper()
	return sign(t, leaf(leafCert.X509.Subject.CommonName, opts), leafCert.Key, c)
}

// NewSelfSigned returns a certificate that signs itself and is no authority.
func NewSelfSigned(t testing.TB, name string, opts ...Option) *Cert {
	t.Helper()
	return sign(t, leaf(name, opts), newKey(t), nil)
}

// TLS returns the certificate with its intermediates, as a server or client presents it.
func (c *Cert) TLS() tls.Certificate {
	out := tls.Certificate{PrivateKey: c.Key, Leaf: c.X509}
	for cert := c; cert != nil; cert = cert.issuer {
		if cert.issuer == nil && cert != c {
			break // the root is known to whoever trusts it
		}
		out.Certificate = append(out.Certificate, cert.X509.Raw)
	}
	return out
}

// Pool returns a pool that trusts c alone.
func (c *Cert) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.X509)
	return pool
}

// WriteFiles writes the presented chain to dir/name.pem and the key to dir/name.key, and returns the two paths. Each
// file is replaced as a whole.
func (c *Cert) WriteFiles(t testing.TB, dir, name string) (certFile, keyFile string) {
	t.Helper()
	var chain []byte
	for _, der := range c.TLS().Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	replace(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	replace(t, certFile, chain)
	return certFile, keyFile
}

func replace(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func authority(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
}

func leaf(name string, opts []Option) *x509.Certificate {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, opt := range opts {
		opt(template)
	}
	return template
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign issues template for key: by issuer, or by itself when issuer is nil.
func sign(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey, issuer *Cert) *Cert {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = serial
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.X509, issuer.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Cert{X509: cert, Key: key, issuer: issuer}
}
