// SPDX-License-Identifier: Apache-2.0

// Package clientid puts who was authenticated on the records that came over a connection, so that a host cannot speak in
// another one's name: what a record says of its origin is the sender's claim, what a verified client certificate says is
// the authority's.
//
// The package knows X.509 and pdata.
package clientid

import (
	"crypto/x509"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Prefix is that of the attributes that only a receiver writes. What a sender writes under it is removed.
const Prefix = "logseal.client."

// Attributes of the resource of every record that came from an authenticated client.
const (
	AttributeName   = Prefix + "name"   // string: see [Identity.Name]
	AttributeSerial = Prefix + "serial" // string: see [Identity.Serial]
)

// Identity is who a verified certificate says that the client is.
type Identity struct {
	// Name is the certificate's first URI SAN (a SPIFFE ID, for example), else its first DNS SAN, else its subject's
	// common name, else "".
	Name string
	// Serial is the certificate's serial number in upper-case hexadecimal, as `openssl x509 -serial` prints it.
	Serial string
	// Names are all names that the certificate may speak for: its URI and DNS SANs; without any, its common name.
	Names []string
}

// Of returns the identity in a certificate that was verified.
func Of(cert *x509.Certificate) Identity {
	id := Identity{Serial: strings.ToUpper(cert.SerialNumber.Text(16))}
	if len(id.Serial)%2 == 1 {
		id.Serial = "0" + id.Serial
	}
	for _, uri := range cert.URIs {
		id.Names = append(id.Names, uri.String())
	}
	id.Names = append(id.Names, cert.DNSNames...)
	if len(id.Names) == 0 && cert.Subject.CommonName != "" {
		id.Names = []string{cert.Subject.CommonName}
	}
	if len(id.Names) > 0 {
		id.Name = id.Names[0]
	}
	return id
}

// Put writes the identity on the resource of every record, and removes what the sender wrote under [Prefix].
func (id Identity) Put(logs plog.Logs) {
	Strip(logs)
	for _, rl := range logs.ResourceLogs().All() {
		attributes := rl.Resource().Attributes()
		attributes.PutStr(AttributeName, id.Name)
		attributes.PutStr(AttributeSerial, id.Serial)
	}
}

// Strip removes what the sender wrote under [Prefix], on resources, scopes and records: many stores show them in one list.
func Strip(logs plog.Logs) {
	for _, rl := range logs.ResourceLogs().All() {
		strip(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			strip(sl.Scope().Attributes())
			for _, record := range sl.LogRecords().All() {
				strip(record.Attributes())
			}
		}
	}
}

func strip(attributes pcommon.Map) {
	// Looked for first: records that have it are rare, and RemoveIf writes.
	for key := range attributes.All() {
		if strings.HasPrefix(key, Prefix) {
			attributes.RemoveIf(func(key string, _ pcommon.Value) bool { return strings.HasPrefix(key, Prefix) })
			return
		}
	}
}

// Mismatch says that a record's resource names a host that its sender's certificate does not.
type Mismatch struct {
	Attribute string
	Claimed   string   // the attribute's value, bounded; "" when it is absent
	Names     []string // of the certificate
}

func (m *Mismatch) Error() string {
	if m.Claimed == "" {
		return fmt.Sprintf("the receiver requires that %s is a name of the client's certificate, and a resource has no %[1]s; the certificate has %q", m.Attribute, m.Names)
	}
	return fmt.Sprintf("the receiver requires that %s is a name of the client's certificate: it is %q, and the certificate has %q", m.Attribute, m.Claimed, m.Names)
}

// maxClaim bounds what of a sender's claim is repeated, in bytes.
const maxClaim = 64

// Match returns a *[Mismatch] unless every resource has the attribute once, and its value is one of the certificate's names.
// Upper and lower case are one, as in host names; a wildcard matches nothing but itself.
func (id Identity) Match(logs plog.Logs, attribute string) error {
	for _, rl := range logs.ResourceLogs().All() {
		found := 0
		claimed := ""
		// All of them: a map with two equal keys must not pass by its first.
		for key, value := range rl.Resource().Attributes().All() {
			if key != attribute {
				continue
			}
			found++
			claimed = value.AsString()
			if value.Type() != pcommon.ValueTypeStr || !id.has(claimed) {
				return &Mismatch{Attribute: attribute, Claimed: clip(claimed), Names: id.Names}
			}
		}
		if found != 1 {
			return &Mismatch{Attribute: attribute, Names: id.Names}
		}
	}
	return nil
}

func (id Identity) has(name string) bool {
	for _, own := range id.Names {
		if name != "" && strings.EqualFold(own, name) {
			return true
		}
	}
	return false
}

func clip(text string) string {
	if len(text) <= maxClaim {
		return text
	}
	return strings.ToValidUTF8(text[:maxClaim], "") + "…"
}
