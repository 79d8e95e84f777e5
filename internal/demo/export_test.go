// SPDX-License-Identifier: Apache-2.0

package demo

var Outcome = outcome
