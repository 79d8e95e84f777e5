// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package encryptedstorageextension is a storage extension made for queues, encrypted and authenticated on disk. What it
// stores in, and how, is package seglog's.
package encryptedstorageextension
