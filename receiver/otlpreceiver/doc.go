// SPDX-License-Identifier: Apache-2.0

// Package otlpreceiver is the otlp receiver, for logs: with the stock one's configuration, certificates that are followed
// while it runs, a trace of every client that is refused, and records that bear the identity of the client that sent them.
package otlpreceiver

//go:generate mdatagen metadata.yaml
