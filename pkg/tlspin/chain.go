// SPDX-License-Identifier: Apache-2.0

package tlspin

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Entry describes one certificate of a chain to the operator who is choosing pins.
type Entry struct {
	Pin      Pin
	Role     string // "leaf", "intermediate" or "root"
	Subject  string
	Issuer   string
	NotAfter time.Time // the end of validity, UTC
	Advice   string    // whether and when to pin this key
}

// Describe returns an entry for each certificate of a chain, leaf first.
func Describe(chain []*x509.Certificate) []Entry {
	entries := make([]Entry, len(chain))
	for i, cert := range chain {
		entries[i] = Entry{
			Pin:      Of(cert),
			Subject:  cert.Subject.String(),
			Issuer:   cert.Issuer.String(),
			NotAfter: cert.NotAfter.UTC(),
		}
		switch {
		case i == 0:
			entries[i].Role = "leaf"
			entries[i].Advice = "strictest: pin it together with a backup key that the server holds ready; renew certificates with the same key"
		case bytes.Equal(cert.RawIssuer, cert.RawSubject):
			entries[i].Role = "root"
			entries[i].Advice = "weakest: any certificate below this authority with the right name is accepted"
		default:
			entries[i].Role = "intermediate"
			entries[i].Advice = "choose it when the leaf's key changes at every renewal and this authority is yours"
		}
	}
	return entries
}

// ReadChain reads the certificates of a PEM file, in the file's order. Other blocks, such as a key, are passed over.
func ReadChain(path string) ([]*x509.Certificate, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w", path, len(chain)+1, err)
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%s: no PEM block of type CERTIFICATE", path)
	}
	return chain, nil
}

// Fetched is what a server presented to [Fetch].
type Fetched struct {
	// Chain is the chain that verified, leaf first and root included; when none did, what the server sent.
	Chain []*x509.Certificate
	// Verify is nil when the chain leads to a trusted authority, is valid now and bears the name asked for.
	Verify error
	// Version is the TLS version of the session.
	Version uint16
}

// Fetch connects to addr, "host:port", and returns the chain that the server there presents. roots is the set of trusted
// authorities, nil the system's; serverName is the name to ask for, "" the host of addr.
//
// Nothing is sent but the handshake. A server that wants a client certificate is described nevertheless. Whoever answers
// at addr is described: compare the pins with what the server's owner tells you in another way.
func Fetch(ctx context.Context, addr, serverName string, roots *x509.CertPool) (*Fetched, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if serverName == "" {
		serverName = host
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer raw.Close()

	var fetched *Fetched
	conn := tls.Client(raw, &tls.Config{
		ServerName: serverName,
		NextProtos: []string{"h2", "http/1.1"},
		// The chain is wanted even if it does not verify. It is verified right below, and no payload is ever sent.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(state tls.ConnectionState) error {
			fetched = &Fetched{Chain: state.PeerCertificates, Version: state.Version}
			chain, err := verify(state.PeerCertificates, serverName, roots)
			if err != nil {
				fetched.Verify = err
			} else {
				fetched.Chain = chain
			}
			return nil
		},
	})
	err = conn.HandshakeContext(ctx)
	if fetched != nil {
		return fetched, nil
	}
	if err == nil {
		err = errors.New("the server presented no certificate")
	}
	return nil, err
}

// verify returns the first chain from the presented leaf to a trusted root.
func verify(presented []*x509.Certificate, serverName string, roots *x509.CertPool) ([]*x509.Certificate, error) {
	intermediates := x509.NewCertPool()
	for _, cert := range presented[1:] {
		intermediates.AddCert(cert)
	}
	chains, err := presented[0].Verify(x509.VerifyOptions{DNSName: serverName, Roots: roots, Intermediates: intermediates})
	if err != nil {
		return nil, err
	}
	return chains[0], nil
}
