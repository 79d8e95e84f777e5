// SPDX-License-Identifier: Apache-2.0

// Package keychain is a stream's chain of keys (docs/stamp-format.md, section 7): it signs seals and overwrites the keys that did.
package keychain
