// SPDX-License-Identifier: Apache-2.0

package endorse

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
)

// What is wrong with an endorsement. [Check] wraps one of them.
var (
	ErrNone      = errors.New("the stream's first seal carries no endorsement")
	ErrKey       = errors.New("the certificate's key is none of Ed25519, ECDSA P-256 or P-384, and RSA of 2,048 to 8,192 bits")
	ErrSignature = errors.New("it is not signed by the certificate's key, or of another stream")
	ErrChain     = errors.New("the certificate does not lead to a trusted CA")
	ErrExpired   = errors.New("a certificate was not valid at the time of the seal")
	ErrUsage     = errors.New("the certificate is not for client authentication")
	ErrNames     = errors.New("a CA's name constraints do not allow the certificate's name")
	ErrIdentity  = errors.New("the certificate names nobody: it has no URI, no DNS name and no common name")
)

// domain is in front of what is signed. The key signs other things too, TLS handshakes most of all, and none of them begins so.
const domain = "logseal/v1 endorsement\x00"

// message is what the certificate's key signs: the stream's trust line.
func message(trust seal.Trust) []byte {
	trust.Optional = false
	return []byte(domain + trust.String())
}

const (
	minRSABits = 2048
	maxRSABits = 8192
)

// pss is the one form of RSA signatures that counts: RSA-PSS with SHA-256 and a salt of its length.
var pss = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}

// Load reads a certificate chain and its key from PEM files: the host's own certificate first, then those between it and the CA.
func Load(certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err // names the file, or says what is wrong between the two
	}
	return &cert, nil
}

// Sign endorses the stream of a trust line. It refuses a certificate that no [Check] at that time would accept, whatever the CA.
func Sign(cert *tls.Certificate, trust seal.Trust, now time.Time) (*seal.Endorsement, error) {
	key, ok := cert.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, ErrKey
	}
	chain, err := parse(cert.Certificate)
	if err != nil {
		return nil, err
	}
	leaf := chain[0]
	if err := checkLeaf(leaf); err != nil {
		return nil, err
	}
	for _, c := range chain {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return nil, fmt.Errorf("%w: %s is valid from %s to %s", ErrExpired, c.Subject, c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	e := &seal.Endorsement{Certificates: cert.Certificate}
	digest, opts, err := digestFor(leaf.PublicKey, message(trust))
	if err != nil {
		return nil, err
	}
	if e.Signature, err = key.Sign(rand.Reader, digest, opts); err != nil {
		return nil, err
	}
	return e, e.Check()
}

// digestFor returns what a key of this kind is given to sign a message.
func digestFor(public crypto.PublicKey, message []byte) ([]byte, crypto.SignerOpts, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return message, crypto.Hash(0), nil
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			sum := sha256.Sum256(message)
			return sum[:], crypto.SHA256, nil
		case elliptic.P384():
			sum := sha512.Sum384(message)
			return sum[:], crypto.SHA384, nil
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			sum := sha256.Sum256(message)
			return sum[:], pss, nil
		}
	}
	return nil, nil, ErrKey
}

// Check returns the identity under which the stream of a first seal is to be trusted: the certificate's first URI, else its first DNS
// name, else its common name. The certificates must have been valid at the time of the seal; whether they are now makes no
// difference, and neither does a revocation.
func Check(first *seal.Seal, roots *x509.CertPool) (identity string, err error) {
	e := first.Endorsement
	if e == nil {
		return "", ErrNone
	}
	chain, err := parse(e.Certificates)
	if err != nil {
		return "", err
	}
	leaf := chain[0]
	if err := verify(leaf.PublicKey, message(first.FirstTrust()), e.Signature); err != nil {
		return "", err
	}
	if err := checkLeaf(leaf); err != nil {
		return "", err
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: first.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return "", fmt.Errorf("%w: %w", chainError(err), err)
	}
	form, identity := identityOf(leaf)
	if !slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return mayName(chain[1:], form) }) {
		return "", ErrNames
	}
	return identity, nil
}

func verify(public crypto.PublicKey, message, signature []byte) error {
	digest, _, err := digestFor(public, message)
	if err != nil {
		return err
	}
	ok := false
	switch k := public.(type) {
	case ed25519.PublicKey:
		ok = ed25519.Verify(k, digest, signature)
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(k, digest, signature)
	case *rsa.PublicKey:
		ok = rsa.VerifyPSS(k, pss.Hash, digest, signature, pss) == nil
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// chainError says what kind of error a chain's is.
func chainError(err error) error {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) {
		switch invalid.Reason {
		case x509.Expired:
			return ErrExpired
		case x509.IncompatibleUsage, x509.CANotAuthorizedForExtKeyUsage:
			return ErrUsage
		case x509.CANotAuthorizedForThisName, x509.UnconstrainedName, x509.NameConstraintsWithoutSANs, x509.TooManyConstraints:
			return ErrNames
		}
	}
	return ErrChain
}

func parse(certificates [][]byte) ([]*x509.Certificate, error) {
	if len(certificates) == 0 {
		return nil, ErrChain
	}
	chain := make([]*x509.Certificate, len(certificates))
	for i, der := range certificates {
		var err error
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrChain, err)
		}
	}
	return chain, nil
}

// checkLeaf looks at what a certificate says of itself.
func checkLeaf(leaf *x509.Certificate) error {
	if _, identity := identityOf(leaf); identity == "" {
		return ErrIdentity
	}
	// As a TLS server does: no usage at all is any usage.
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return ErrUsage
	}
	limited := len(leaf.ExtKeyUsage) > 0 || len(leaf.UnknownExtKeyUsage) > 0
	if limited && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return ErrUsage
	}
	return nil
}

// nameForm is a kind of name, as name constraints know them.
type nameForm int

const (
	formURI nameForm = iota
	formDNS
	formCommonName
)

func identityOf(c *x509.Certificate) (nameForm, string) {
	switch {
	case len(c.URIs) > 0:
		return formURI, c.URIs[0].String()
	case len(c.DNSNames) > 0:
		return formDNS, c.DNSNames[0]
	default:
		return formCommonName, c.Subject.CommonName
	}
}

// mayName reports whether the CAs of a chain may give names of a form. X.509 constrains each form by itself: a CA that may only
// issue DNS names below one domain could still put any URI, or any common name, into a certificate, and would speak for
// everybody. So a CA that is limited to names of some form gives identities of no other.
func mayName(cas []*x509.Certificate, form nameForm) bool {
	for _, ca := range cas {
		limited := len(ca.PermittedDNSDomains)+len(ca.PermittedURIDomains)+len(ca.PermittedEmailAddresses)+len(ca.PermittedIPRanges) > 0
		if limited && (form != formURI || len(ca.PermittedURIDomains) == 0) && (form != formDNS || len(ca.PermittedDNSDomains) == 0) {
			return false
		}
		// A common name is held against no constraint at all.
		if form == formCommonName && len(ca.ExcludedDNSDomains)+len(ca.ExcludedURIDomains) > 0 {
			return false
		}
	}
	return true
}

// ParseRoots reads the certificates of trusted CAs from PEM. What is not a certificate in it is an error, and so is nothing.
func ParseRoots(data []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for n := 1; ; n++ {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			if n == 1 {
				return nil, errors.New("there is no PEM certificate in it")
			}
			return pool, nil
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block %d is a %s, not a certificate", n, block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", n, err)
		}
		pool.AddCert(c)
	}
}
