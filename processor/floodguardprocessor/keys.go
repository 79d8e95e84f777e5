// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/netip"
	"strings"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/logseal/logseal/pkg/clientid"
	"github.com/logseal/logseal/pkg/flood"
)

// The names in key that are no attributes.
const (
	clientPrefix = "client."
	// keyClientName is who the client was authenticated as: its certificate's name, or what an authenticator says.
	keyClientName = "client.name"
	// keyClientAddress is where a connection comes from, without the port: who has one address has all its ports. Of IPv6 it
	// is the /64, which is what a host is given.
	keyClientAddress = "client.address"
	// keyJournalUnit is one of the fields that journald sets itself. Their names begin with an underscore.
	keyJournalUnit = "_SYSTEMD_UNIT"
	// peerAttribute is set by tcp_log, udp_log and syslog with add_attributes: true.
	peerAttribute = "net.peer.ip"
)

// keyer finds the key of records. What a client has sent is told apart by the connection alone: its attributes are the
// client's own words. Attributes count for what a receiver on this host has read.
type keyer struct {
	names []string

	client   flood.Key // of all records of the batch, if remote
	remote   bool
	resource flood.Key // of all records of the resource, for names before upTo
	upTo     int
}

// batch takes what is known of all records of a batch.
func (k *keyer) batch(ctx context.Context) {
	info := client.FromContext(ctx)
	connection, _ := peer.FromContext(ctx)
	k.client, k.remote = flood.Key{}, info.Addr != nil || info.Auth != nil || connection != nil
	if !k.remote {
		return
	}
	for _, name := range k.names {
		value := ""
		switch name {
		case keyClientName:
			value = clientName(info.Auth, connection)
		case keyClientAddress:
			value = clientAddress(info.Addr, connection)
		}
		if value != "" {
			k.client = flood.Key{Name: name, Value: bounded(value)}
			return
		}
	}
}

// resourceLogs takes what is known of all records of a resource.
func (k *keyer) resourceLogs(rl plog.ResourceLogs) {
	k.resource, k.upTo = flood.Key{}, len(k.names)
	if k.remote {
		return
	}
	attributes := rl.Resource().Attributes()
	for i, name := range k.names {
		if value := text(attributes, name); value != "" {
			k.resource, k.upTo = flood.Key{Name: name, Value: value}, i
			return
		}
	}
}

// record returns the key of a record. The empty one is that of all of which nothing is known.
func (k *keyer) record(lr plog.LogRecord) flood.Key {
	if k.remote {
		return k.client
	}
	for _, name := range k.names[:k.upTo] {
		var value string
		switch {
		case name == keyClientAddress:
			value = text(lr.Attributes(), peerAttribute)
			if address, err := netip.ParseAddr(value); err == nil {
				value = networkOf(address)
			}
		case name[0] == '_' && lr.Body().Type() == pcommon.ValueTypeMap:
			value = text(lr.Body().Map(), name)
		default:
			value = text(lr.Attributes(), name)
		}
		if value != "" {
			return flood.Key{Name: name, Value: value}
		}
	}
	return k.resource
}

func text(attributes pcommon.Map, name string) string {
	if value, found := attributes.Get(name); found && value.Type() == pcommon.ValueTypeStr {
		return bounded(value.Str())
	}
	return ""
}

// maxKey is how long a key's value may be: a state holds it.
const maxKey = 256

// bounded makes a value that is too long one that is as good.
func bounded(value string) string {
	if len(value) <= maxKey {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return strings.ToValidUTF8(value[:maxKey-1-2*8], "") + "~" + hex.EncodeToString(sum[:8])
}

// clientName returns who the client is. Authenticators name their users differently.
func clientName(auth client.AuthData, connection *peer.Peer) string {
	if auth != nil {
		for _, attribute := range []string{"subject", "username"} {
			if name, ok := auth.GetAttribute(attribute).(string); ok && name != "" {
				return name
			}
		}
	}
	if connection != nil {
		if info, ok := connection.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
			return clientid.Of(info.State.VerifiedChains[0][0]).Name
		}
	}
	return ""
}

func clientAddress(addr net.Addr, connection *peer.Peer) string {
	if addr == nil && connection != nil {
		addr = connection.Addr
	}
	var ip net.IP
	switch a := addr.(type) {
	case nil:
		return ""
	case *net.TCPAddr:
		ip = a.IP
	case *net.UDPAddr:
		ip = a.IP
	case *net.IPAddr:
		ip = a.IP
	default:
		host, _, err := net.SplitHostPort(addr.String())
		if err != nil {
			host = addr.String()
		}
		if parsed, err := netip.ParseAddr(host); err == nil {
			return networkOf(parsed)
		}
		return host
	}
	address, ok := netip.AddrFromSlice(ip)
	if !ok {
		return ""
	}
	return networkOf(address)
}

// networkOf returns an IPv4 address, or the /64 of an IPv6 one.
func networkOf(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if address.Is4() || address.IsLoopback() {
		return address.String()
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return address.String()
	}
	return prefix.String()
}
