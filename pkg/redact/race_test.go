// SPDX-License-Identifier: Apache-2.0

//go:build race

package redact

// poolLosses is how many allocations a run may make because sync.Pool drops what it is given at random under the race
// detector: fewer than one for each of 50 records.
const poolLosses = 49
