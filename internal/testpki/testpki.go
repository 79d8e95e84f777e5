// SPDX-License-Identifier: Apache-2.0

// Package testpki makes certificate authorities, certificates and keys for tests and the demonstration, in memory or as
// files. A certificate that cannot be made is a mistake of the caller, and a panic. As a shipped program uses it, it does
// not import package testing.
package testpki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
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
func NewCA(name string) *Cert { return sign(authority(name), newKey(), nil) }

// NewIntermediate returns an authority that c signed.
func (c *Cert) NewIntermediate(name string, opts ...Option) *Cert {
	template := authority(name)
	for _, opt := range opts {
		opt(template)
	}
	return sign(template, newKey(), c)
}

// NewLeaf returns a certificate that c signed, for server and client authentication, with a new key.
func (c *Cert) NewLeaf(name string, opts ...Option) *Cert { return sign(leaf(name, opts), newKey(), c) }

// Renew returns a certificate with the key of old, newly signed by c.
func (c *Cert) Renew(old *Cert, opts ...Option) *Cert {
	return sign(leaf(old.X509.Subject.CommonName, opts), old.Key, c)
}

// NewSelfSigned returns a certificate that signs itself and is no authority.
func NewSelfSigned(name string, opts ...Option) *Cert { return sign(leaf(name, opts), newKey(), nil) }

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

// WriteCert writes the presented chain to a file, which is replaced as a whole.
func (c *Cert) WriteCert(path string) error {
	var chain []byte
	for _, der := range c.TLS().Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return replace(path, chain)
}

// WriteKey writes the key to a file, which is replaced as a whole.
func (c *Cert) WriteKey(path string) error {
	der, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		return err
	}
	return replace(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// WriteFiles writes the presented chain to dir/name.pem and the key to dir/name.key, and returns the two paths. t is the
// test that ends when that fails.
func (c *Cert) WriteFiles(t failer, dir, name string) (certFile, keyFile string) {
	t.Helper()
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	if err := c.WriteKey(keyFile); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteCert(certFile); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

// failer is what of a testing.TB is needed.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func replace(path string, content []byte) error {
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
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

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}

// sign issues template for key: by issuer, or by itself when issuer is nil.
func sign(template *x509.Certificate, key *ecdsa.PrivateKey, issuer *Cert) *Cert {
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.X509, issuer.Key
	}
	// Without a serial number in the template, a random one is made.
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	must(err)
	cert, err := x509.ParseCertificate(der)
	must(err)
	return &Cert{X509: cert, Key: key, issuer: issuer}
}

func must(err error) {
	if err != nil {
		panic(fmt.Errorf("testpki: %w", err))
	}
}
