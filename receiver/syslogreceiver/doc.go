// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package syslogreceiver takes syslog from real senders, over TCP, TLS and UDP: the stock receiver's type and options, with a
// listener, framing and header parser of its own. A connection may mix octet-counted and line-framed messages, RFC 5424 and what
// devices have made of RFC 3164; what is too long comes in parts; what does not parse goes on as it came. The body is the
// message as it came, and the attributes are what its header says.
package syslogreceiver
