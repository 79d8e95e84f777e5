// SPDX-License-Identifier: Apache-2.0

//go:build race

package verifier_test

// sampled says that tests which go through everything take a part of it: under the race detector, which makes them ten times as long and
// learns nothing from one goroutine. `make test` runs them without it too, in full.
const sampled = true
