// SPDX-License-Identifier: Apache-2.0

// Package endorse vouches for streams by certificate (docs/stamp-format.md, section 7.1): what a host's TLS client key, for which an
// organisation's CA vouches, says of the stream that the host begins.
//
//	cert, err := endorse.Load(certFile, keyFile)
//	endorsement, err := endorse.Sign(cert, trust, time.Now()) // into the stream's first seal
//
//	roots, err := endorse.ParseRoots(pem)
//	identity, err := endorse.Check(first, roots) // of somebody else's first seal
//
// An endorsement says who began a stream. That the seals after it are the stream's follows from its keys, as with a trust line.
package endorse
