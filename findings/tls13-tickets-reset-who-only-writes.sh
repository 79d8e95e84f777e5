#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: a program that writes its logs over TLS, closes the connection in order (close_notify, then close) and had no error from either has
# sent them: the operating system delivers what was written before the end, as slow as the other side may read.
#
# True: not with TLS 1.3. There the server sends its session tickets after the handshake, unasked, and a sender that only writes never reads
# them. A socket that is closed with unread bytes in it is reset instead of ended, and what still waits in the sender's buffer is thrown away.
# Everything that a busy receiver has not taken yet is lost, and neither side's TLS library can be asked: write and close succeed. With
# TLS 1.2, or with a server that gives no tickets, all arrives. Senders built on OpenSSL always ask for tickets; Go's client does when it has a
# ClientSessionCache. Receivers written in Go send them unless SessionTicketsDisabled is set.
#
# Since: TLS 1.3 (OpenSSL 1.1.1 in 2018, Go 1.13 as a default in 2019). Seen with the Go release that runs this, 1.26 at the time.
#
# Source: RFC 8446, 4.6.1 (NewSessionTicket at any time after the handshake); RFC 2525, 2.17 and RFC 1122, 4.2.2.13 (a close with unread data
# resets); the notes on TLS 1.3 in SSL_shutdown(3) and SSL_CTX_set_num_tickets(3) of OpenSSL.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'END'
module example.com/finding

go 1.26
END
cat > main.go <<'END'
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"time"
)

const sent = 100 << 10

// transfer sends as a client that writes and closes, to a server that reads a little late, and returns what arrived.
func transfer(version uint16, withoutTickets bool) (int, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	check(err)
	root, err := x509.ParseCertificate(der)
	check(err)
	roots := x509.NewCertPool()
	roots.AddCert(root)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer l.Close()
	closed := make(chan struct{})
	go func() {
		conn, err := net.Dial("tcp", l.Addr().String())
		check(err)
		client := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1)})
		_, err = client.Write(make([]byte, sent))
		check(err)
		check(client.Close()) // close_notify, then the socket
		close(closed)
	}()
	conn, err := l.Accept()
	check(err)
	defer conn.Close()
	check(conn.(*net.TCPConn).SetReadBuffer(4 << 10)) // busy: most waits on the client's side
	server := tls.Server(conn, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, SessionTicketsDisabled: withoutTickets,
	})
	check(server.Handshake())
	<-closed
	n, err := io.Copy(io.Discard, server)
	return int(n), err
}

func main() {
	show := func(name string, version uint16, withoutTickets bool) {
		n, err := transfer(version, withoutTickets)
		switch {
		case err == nil && n == sent:
			fmt.Println(name, "all arrives")
		case err != nil && n < sent:
			fmt.Println(name, "a part arrives, then a reset")
		default:
			fmt.Println(name, n, err)
		}
	}
	show("TLS 1.2:", tls.VersionTLS12, false)
	show("TLS 1.3:", tls.VersionTLS13, false)
	show("TLS 1.3 without session tickets:", tls.VersionTLS13, true)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
go version >&2
go run . | tee seen
printf '%s\n' 'TLS 1.2: all arrives' 'TLS 1.3: a part arrives, then a reset' 'TLS 1.3 without session tickets: all arrives' > expected
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: the tickets nobody reads turn an orderly close into a reset"
