// SPDX-License-Identifier: Apache-2.0

// Package testbed makes what the demonstration and the whole-process tests run on: keys and certificates, collector
// processes from the shipped configurations, and a reader of the archive that the stand-in SIEM writes.
package testbed
