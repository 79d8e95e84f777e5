// SPDX-License-Identifier: Apache-2.0

package tlspin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
)

// Reasons for which a handshake fails, as [Reason] returns them. They label metrics, so there are few and they do not
// change.
const (
	ReasonPin         = "pin_mismatch"       // right chain, name and validity, other key
	ReasonUntrusted   = "untrusted_chain"    // no path to a trusted authority
	ReasonName        = "wrong_name"         // the certificate is for another host
	ReasonExpired     = "expired"            // a certificate of the chain is not valid now
	ReasonCertificate = "bad_certificate"    // the certificate is unusable in another way
	ReasonVersion     = "tls_version"        // the server does not speak a TLS version that is new enough
	ReasonGroup       = "key_exchange"       // no common key exchange, or none that is post-quantum
	ReasonClientCert  = "client_certificate" // the server refused our certificate, or the lack of one
	ReasonNotTLS      = "not_tls"            // the other side does not speak TLS
	ReasonTimeout     = "timeout"            // the other side did not answer in time
	ReasonOther       = "other"              // anything else, a connection that breaks included
)

// alertReasons says what the alerts mean that a server sends instead of finishing a handshake (RFC 8446, section 6.2).
var alertReasons = map[tls.AlertError]string{
	40:  ReasonGroup,      // handshake_failure: with TLS 1.3 alone, only a common key exchange can be missing
	42:  ReasonClientCert, // bad_certificate
	43:  ReasonClientCert, // unsupported_certificate
	44:  ReasonClientCert, // certificate_revoked
	45:  ReasonClientCert, // certificate_expired
	46:  ReasonClientCert, // certificate_unknown
	48:  ReasonClientCert, // unknown_ca
	49:  ReasonClientCert, // access_denied
	70:  ReasonVersion,    // protocol_version
	71:  ReasonGroup,      // insufficient_security
	116: ReasonClientCert, // certificate_required
}

// Reason returns why a handshake failed, as one of the Reason constants; "" for a nil error. In TLS 1.3 a server refuses a
// client's certificate only after the client's handshake is done: the first read returns that error, and Reason knows it.
func Reason(err error) string {
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
	)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrMismatch):
		return ReasonPin
	case errors.Is(err, ErrVersion):
		return ReasonVersion
	case errors.Is(err, ErrGroup):
		return ReasonGroup
	case errors.As(err, &record):
		return ReasonNotTLS
	case errors.As(err, &hostname):
		return ReasonName
	case errors.As(err, &authority):
		return ReasonUntrusted
	case errors.As(err, &invalid):
		if invalid.Reason == x509.Expired {
			return ReasonExpired
		}
		return ReasonCertificate
	case errors.As(err, &verify):
		return ReasonCertificate
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return ReasonTimeout
	default:
		return textReason(err.Error())
	}
}

// textReason goes by the text of an error, for which crypto/tls exports no value, or which came through a library that
// keeps only the text.
func textReason(text string) string {
	if strings.Contains(text, "tls: server selected unsupported protocol version") {
		return ReasonVersion
	}
	if _, sent, ok := strings.Cut(text, "remote error: "); ok {
		for alert, reason := range alertReasons {
			if strings.HasPrefix(sent, alert.Error()) {
				return reason
			}
		}
	}
	return ReasonOther
}
