// SPDX-License-Identifier: Apache-2.0

package tlsserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Reasons for which a handshake fails, as [Reason] returns them. They label metrics, so there are few and they do not
// change.
const (
	ReasonNoCertificate = "no_certificate"    // the client showed none
	ReasonUntrusted     = "untrusted_chain"   // its certificate is of no authority that is trusted
	ReasonExpired       = "expired"           // a certificate of its chain is not valid now
	ReasonCertificate   = "bad_certificate"   // its certificate is unusable in another way: not for client authentication, …
	ReasonVersion       = "tls_version"       // it speaks no TLS version that is new enough
	ReasonParameters    = "tls_parameters"    // no common cipher suite, key exchange or application protocol
	ReasonByClient      = "refused_by_client" // the client did not take our certificate: its pins, its CA, our name or validity
	ReasonNotTLS        = "not_tls"           // it does not speak TLS
	ReasonTimeout       = "timeout"           // it connected and did not finish the handshake
	ReasonClosed        = "closed"            // it hung up, as a load balancer does that looks whether a port is open
	ReasonOther         = "other"
)

// Reason returns why a handshake failed, as one of the Reason constants; "" for a nil error.
func Reason(err error) string {
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		alert     tls.AlertError
		operation *net.OpError
	)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errNoCertificate), strings.Contains(err.Error(), "client didn't provide a certificate"):
		return ReasonNoCertificate
	case errors.As(err, &record):
		return ReasonNotTLS
	case errors.As(err, &authority):
		return ReasonUntrusted
	case errors.As(err, &invalid):
		if invalid.Reason == x509.Expired {
			return ReasonExpired
		}
		return ReasonCertificate
	case errors.As(err, &operation) && operation.Op == "remote error", errors.As(err, &alert):
		return ReasonByClient
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return ReasonTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ReasonClosed
	default:
		return textReason(err.Error())
	}
}

// textReason goes by the text of an error, for which crypto/tls exports no value.
func textReason(text string) string {
	for _, known := range []struct{ text, reason string }{
		{"unsupported versions", ReasonVersion},
		{"first record does not look like a TLS handshake", ReasonNotTLS},
		{"no cipher suite", ReasonParameters},
		{"no ECDHE curve", ReasonParameters},
		{"no key exchanges", ReasonParameters},
		{"application protocol", ReasonParameters},
		{"certificate", ReasonCertificate},
	} {
		if strings.Contains(text, known.text) {
			return known.reason
		}
	}
	return ReasonOther
}

func hasBegin(rest []byte) bool { return bytes.Contains(rest, []byte("-----BEGIN")) }
