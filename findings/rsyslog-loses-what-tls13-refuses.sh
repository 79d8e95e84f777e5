#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: a receiver that refuses the sender's client certificate, because it has run out or its authority is not trusted yet, costs time: rsyslog
# cannot connect, keeps the messages in its queue (queue.type, action.resumeRetryCount="-1"), and sends them once the certificate is accepted.
#
# True: with TLS 1.2 it is so. With TLS 1.3 the messages are lost, most of them. There the client has finished its handshake before the server has looked at its
# certificate; the refusal comes afterwards, as an alert that only a read shows. rsyslog takes the connection for made, writes what
# is at the head of its queue, and counts it as sent; with the next write the connection is found to be broken, and the next
# one begins in the same way. The queue empties into a receiver that takes nothing. rsyslog's log says that connections break, and no more.
# It is the update of a library that changes which of the two happens: both sides choose 1.3 by themselves when they can.
#
# Since: TLS 1.3 in rsyslog's ossl driver, that is OpenSSL 1.1.1. Seen with Debian's rsyslog 8.2302.0 and OpenSSL 3.0 against a receiver of Go's crypto/tls.
#
# Source: RFC 8446, section 4.4.2.4 and appendix E.1.2 (a client cannot know whether its authentication was accepted);
# tools/omfwd.c of rsyslog, which has no answer to wait for.
set -euo pipefail

rsyslog=8.2302.0-1+deb12u2
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
echo "fetching rsyslog $rsyslog" >&2
(apt-get download -qq "rsyslog=$rsyslog" "rsyslog-openssl=$rsyslog" libestr0 libfastjson4 && for package in *.deb; do dpkg -x "$package" .; done) >&2

cat > go.mod <<'END'
module example.com/finding

go 1.26
END
cat > main.go <<'END'
// receiver ADDRESS VERSION makes certificates, and then refuses the sender's for eight seconds, since it trusts another authority. It accepts it after
// that, and prints how many lines have come when none has for five seconds.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(name string) authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	check(err)
	cert, err := x509.ParseCertificate(der)
	check(err)
	return authority{cert, key}
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

func (a authority) issue(name string) (cert, private []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	t := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	check(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

var (
	mu      sync.Mutex
	trusted *x509.CertPool
	seen    = map[string]bool{}
	last    time.Time
)

func serve(conn net.Conn, config tls.Config) {
	defer conn.Close()
	mu.Lock()
	config.ClientCAs = trusted
	mu.Unlock()
	lines := bufio.NewScanner(tls.Server(conn, &config))
	for lines.Scan() {
		mu.Lock()
		if i := strings.LastIndex(lines.Text(), "line "); i >= 0 {
			seen[lines.Text()[i:]], last = true, time.Now()
		}
		mu.Unlock()
	}
}

func main() {
	ours, other := newAuthority("ours"), newAuthority("other")
	cert, key := ours.issue("sender")
	check(os.WriteFile("ca.crt", ours.pem(), 0o600))
	check(os.WriteFile("client.crt", cert, 0o600))
	check(os.WriteFile("client.key", key, 0o600))
	pair, err := tls.X509KeyPair(ours.issue("localhost"))
	check(err)
	version := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[os.Args[2]]
	config := tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: version, MaxVersion: version,
		SessionTicketsDisabled: true, // which are another story
	}
	trusted = other.pool()
	l, err := net.Listen("tcp", os.Args[1])
	check(err)
	go func() {
		for {
			conn, err := l.Accept()
			check(err)
			go serve(conn, config)
		}
	}()
	check(os.WriteFile("ready", nil, 0o600))
	time.Sleep(8 * time.Second)
	mu.Lock()
	trusted, last = ours.pool(), time.Now()
	mu.Unlock()
	for quiet := time.Duration(0); quiet < 5*time.Second; time.Sleep(100 * time.Millisecond) {
		mu.Lock()
		quiet = time.Since(last)
		mu.Unlock()
	}
	mu.Lock()
	defer mu.Unlock()
	fmt.Println(len(seen))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
go build -o receiver . >&2

run() { # VERSION: prints how many of 100 lines arrive
  local port=$(( 20000 + RANDOM % 10000 ))
  rm -rf state ready; mkdir state; : > app.log
  ./receiver "127.0.0.1:$port" "$1" > count & local receiver=$!
  for _ in $(seq 100); do [ -e ready ] && break; sleep 0.1; done
  cat > rsyslog.conf <<END
global(workDirectory="$dir/state" defaultNetstreamDriverCAFile="$dir/ca.crt" defaultNetstreamDriverCertFile="$dir/client.crt" defaultNetstreamDriverKeyFile="$dir/client.key")
module(load="imfile" mode="polling" PollingInterval="1")
input(type="imfile" File="$dir/app.log" Tag="app:")
action(type="omfwd" target="localhost" port="$port" protocol="tcp"
  streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="localhost"
  action.resumeRetryCount="-1" action.resumeInterval="1" queue.type="LinkedList" queue.filename="q" queue.saveOnShutdown="on")
END
  LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu usr/sbin/rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/state/pid" -M "$dir/usr/lib/x86_64-linux-gnu/rsyslog" >rsyslog.log 2>&1 &
  local sender=$!
  for i in $(seq 100); do echo "line $i" >> app.log; sleep 0.05; done
  wait "$receiver"
  kill "$sender"; wait "$sender" 2>/dev/null || true
  cat count
}

old=$(run 1.2); new=$(run 1.3)
echo "of 100 lines that were logged while the certificate was refused arrive, once it is accepted:"
echo "with TLS 1.2: $old"
echo "with TLS 1.3: $new"
[ "$old" = 100 ] && [ "$new" -lt 80 ] || { echo "it behaves otherwise now"; exit 1; }
echo "as described: rsyslog takes lines for sent that were refused with its certificate"
