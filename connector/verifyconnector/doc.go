// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package verifyconnector verifies stamped streams while they pass, and says as records and metrics what is wrong with them. It
// stands beside the path: whatever becomes of what it looks at, the records go on.
//
// The rules are those of package watch; this is the queue before it, the state behind it, and the way its findings take.
package verifyconnector
