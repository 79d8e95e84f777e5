// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package siemexporter delivers logs to a SIEM over TLS 1.3, in OTLP or in a protocol of its own, to servers whose public keys the operator has
// pinned, from a queue on disk that nothing but a delivery or a dead letter empties.
//
// It refuses configurations under which logs could be read on the way, reach another party or get lost. What is left to
// chance by the stock OTLP exporters is settled here: a server that refuses, fails, or is somebody else makes the data
// wait, and never disappear.
package siemexporter
