// SPDX-License-Identifier: Apache-2.0

// Package record holds stamped records against what seals say of their ids (docs/stamp-format.md, section 8.3). Records come in any order, and what
// settles their ids comes from package session. What one handle's records come to is a [keeper]'s affair, of which there are two: one session
// has the handle, or several.
package record
