// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"path/filepath"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/tlspin"
)

// PKI is a certificate authority with a folder. Its certificates are valid for a day, for localhost and the loopback
// addresses, as servers and as clients.
type PKI struct {
	dir string
	ca  *testpki.Cert
}

// Identity is a certificate with its key, as files.
type Identity struct {
	CertFile, KeyFile string
	Pin               string // sha256/BASE64 of the SubjectPublicKeyInfo
}

// NewPKI makes a certificate authority and puts its certificate into dir, which must exist. Its key stays in memory.
func NewPKI(dir string) (*PKI, error) {
	p := &PKI{dir: dir, ca: testpki.NewCA("Logseal demonstration CA")}
	return p, p.ca.WriteCert(p.CAFile())
}

// CAFile is the authority's certificate.
func (p *PKI) CAFile() string { return filepath.Join(p.dir, "ca.crt") }

// Issue makes NAME.crt and NAME.key, with a new key each time. The certificate is for NAME too.
func (p *PKI) Issue(name string) (Identity, error) { return p.IssueAs(name, name) }

// IssueAs is Issue with files that are called otherwise than the certificate: FILE.crt and FILE.key.
func (p *PKI) IssueAs(file, name string) (Identity, error) {
	cert := p.ca.NewLeaf(name, testpki.Names(name, "localhost", "127.0.0.1", "::1"))
	id := Identity{
		CertFile: filepath.Join(p.dir, file+".crt"), KeyFile: filepath.Join(p.dir, file+".key"), Pin: tlspin.Of(cert.X509).String(),
	}
	if err := cert.WriteCert(id.CertFile); err != nil {
		return Identity{}, err
	}
	return id, cert.WriteKey(id.KeyFile)
}
