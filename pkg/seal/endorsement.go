// SPDX-License-Identifier: Apache-2.0

package seal

import "errors"

// Limits of an endorsement.
const (
	MaxCertificates     = 8
	MaxCertificateBytes = 16 << 10 // of all of them
	maxEndorsementSize  = 1 << 10  // of the signature
)

// Endorsement is what the first seal of a stream may carry: a certificate that vouches for the stream's trust line. Package
// endorse makes and checks it.
type Endorsement struct {
	Signature    []byte   // by the key of the first certificate
	Certificates [][]byte // DER; each is signed by the next
}

// Check returns an error unless the endorsement can stand in a seal.
func (e *Endorsement) Check() error {
	if len(e.Signature) == 0 || len(e.Signature) > maxEndorsementSize {
		return errors.New("the signature of an endorsement has 1 to 1,024 bytes")
	}
	if len(e.Certificates) == 0 || len(e.Certificates) > MaxCertificates {
		return errors.New("an endorsement has 1 to 8 certificates")
	}
	size := 0
	for _, der := range e.Certificates {
		if size += len(der); len(der) == 0 || size > MaxCertificateBytes {
			return errors.New("the certificates of an endorsement have at most 16,384 bytes together, and none is empty")
		}
	}
	return nil
}

// endorsement reads the lines of an endorsement.
func (p *parser) endorsement() *Endorsement {
	e := &Endorsement{Signature: p.bytes(p.field("endorsement"))}
	for p.has("certificate") && len(e.Certificates) <= MaxCertificates {
		e.Certificates = append(e.Certificates, p.bytes(p.field("certificate")))
	}
	if err := e.Check(); err != nil {
		p.fail(err)
	}
	return e
}
