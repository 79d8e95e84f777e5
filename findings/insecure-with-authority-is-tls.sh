#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: `tls: {insecure: true}` in an exporter of the OpenTelemetry Collector switches TLS off, whatever stands beside it. So whoever greps a
# fleet's configurations for it finds the exporters that send in the clear, and a receiver without TLS is reached by adding it.
#
# True: beside `ca_file` or `ca_pem` it does nothing. The client speaks TLS and verifies the server; a receiver in the clear, for which it was written,
# is never reached, and the error is one of a handshake. The configuration is valid, and no warning is logged. Over HTTP it does
# nothing at all: there the URL's scheme decides, and an https server is verified by the system's authorities.
#
# Since: seen with v1.66.0 (v0.160.0 of the collector).
#
# Source: go.opentelemetry.io/collector/config/configtls, ClientConfig.LoadTLSConfig (Insecure counts only without a CA), against its README: "whether to
# disable transport security entirely".
set -euo pipefail

stable=v1.66.0
version=v0.160.0 # the other modules of the same release
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<END
module example.com/finding

go 1.26

require (
	go.opentelemetry.io/collector/component/componenttest $version
	go.opentelemetry.io/collector/config/configgrpc $stable
	go.opentelemetry.io/collector/config/confighttp $version
	go.opentelemetry.io/collector/config/configtls $stable
)
END
cat > main.go <<'END'
package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configtls"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// firstByte returns what a gRPC client sends first: 0x16 begins a TLS handshake, 'P' HTTP/2 in the clear.
func firstByte(ctx context.Context, tls configtls.ClientConfig) byte {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer listener.Close()
	cfg := configgrpc.NewDefaultClientConfig()
	cfg.Endpoint, cfg.TLS = listener.Addr().String(), tls
	must(cfg.Validate())
	must(cfg.TLS.Validate())
	conn, err := cfg.ToClientConn(ctx, nil, componenttest.NewNopTelemetrySettings())
	must(err)
	defer conn.Close()
	accepted, err := listener.Accept()
	must(err)
	defer accepted.Close()
	must(accepted.SetDeadline(time.Now().Add(30 * time.Second)))
	var first [1]byte
	_, err = accepted.Read(first[:])
	must(err)
	return first[0]
}

func main() {
	ctx := context.Background()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	must(os.WriteFile("ca.pem", ca, 0o600))

	alone := firstByte(ctx, configtls.ClientConfig{Insecure: true})
	fmt.Printf("gRPC, insecure: true                   first byte %#x\n", alone)
	beside := configtls.ClientConfig{Insecure: true}
	beside.CAFile = "ca.pem"
	withCA := firstByte(ctx, beside)
	fmt.Printf("gRPC, insecure: true, ca_file: ca.pem  first byte %#x\n", withCA)

	cfg := confighttp.NewDefaultClientConfig()
	cfg.TLS.Insecure = true
	client, err := cfg.ToClient(ctx, nil, componenttest.NewNopTelemetrySettings())
	must(err)
	response, err := client.Get(server.URL)
	if err == nil {
		response.Body.Close()
		err = errors.New("reached")
	}
	fmt.Printf("HTTP, insecure: true, https            %v\n", err)
	if alone != 'P' || withCA != 0x16 || err.Error() == "reached" {
		fmt.Println("CHANGED")
		os.Exit(1)
	}
}
END
export GOFLAGS=-mod=mod
go mod tidy >/dev/null 2>&1 || { go mod tidy; exit 2; }
echo "go.opentelemetry.io/collector/config/configtls $stable"
go run .
