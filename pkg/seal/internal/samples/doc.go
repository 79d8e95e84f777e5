// SPDX-License-Identifier: Apache-2.0

// Package samples are records, seals and leaves that tests of several packages use.
package samples
