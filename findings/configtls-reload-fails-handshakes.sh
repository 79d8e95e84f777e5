#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: a collector's `tls: {reload_interval: …}` takes a renewed certificate over when it is there, and goes on with the one it has until
# then. So do nginx and most servers: what cannot be loaded is reported, and changes nothing.
#
# True: certificate and key are two files, which a renewal writes one after the other. From the first handshake after the interval on that meets
# a pair that does not fit, every handshake fails, though a pair that is valid for weeks is in memory; the pair is loaded again with each. If the
# renewal has failed between its two files, the receiver takes no new connection until somebody mends it, and what is said in the
# collector's own log depends on the server (gRPC: nothing). A client (exporter) with a certificate of its own likewise. Without
# reload_interval, the default, the files are read once, and the certificate runs out instead. What avoids it is to replace both files at once: a symbolic link
# to a folder, as the kubelet mounts secrets.
#
# Since: seen with v1.66.0 of the package (collector v0.160.0).
#
# Source: go.opentelemetry.io/collector/config/configtls, configtls.go, certReloader.GetCertificate, which returns the error of loading where it
# still has a certificate.
set -euo pipefail

version=v1.66.0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<END
module example.com/finding

go 1.26

require go.opentelemetry.io/collector/config/configtls $version
END
cat > main.go <<'END'
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"go.opentelemetry.io/collector/config/configtls"
)

// pair is a certificate and its key, as files hold them.
type pair struct{ cert, key []byte }

func newPair() pair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	check(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	return pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	}
}

func main() {
	old, renewed := newPair(), newPair()
	check(os.WriteFile("tls.crt", old.cert, 0o600))
	check(os.WriteFile("tls.key", old.key, 0o600))
	config := configtls.ServerConfig{Config: configtls.Config{CertFile: "tls.crt", KeyFile: "tls.key", ReloadInterval: time.Millisecond}}
	server, err := config.LoadTLSConfig(context.Background())
	check(err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	check(err)
	go func() {
		for {
			conn, err := l.Accept()
			check(err)
			go func() {
				_ = conn.(*tls.Conn).Handshake()
				conn.Close()
			}()
		}
	}()

	try := func(when string) {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(old.cert)
		roots.AppendCertsFromPEM(renewed.cert)
		taken := 0
		for range 5 {
			time.Sleep(20 * time.Millisecond)
			conn, err := net.Dial("tcp", l.Addr().String())
			check(err)
			if tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: "localhost"}).Handshake() == nil {
				taken++
			}
			conn.Close()
		}
		fmt.Printf("%s: %d of 5 handshakes succeed\n", when, taken)
	}
	try("before the renewal")
	check(os.WriteFile("tls.crt", renewed.cert, 0o600))
	try("certificate renewed, key not yet")
	check(os.WriteFile("tls.key", renewed.key, 0o600))
	try("both renewed")
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
echo "building with configtls $version" >&2
GOFLAGS=-mod=mod go build -o finding . >&2
./finding | tee seen
cat > expected <<'END'
before the renewal: 5 of 5 handshakes succeed
certificate renewed, key not yet: 0 of 5 handshakes succeed
both renewed: 5 of 5 handshakes succeed
END
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: while the files do not fit, the pair in memory is not used"
