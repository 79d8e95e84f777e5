// SPDX-License-Identifier: Apache-2.0

// Package forge makes the seals that an attacker could make who has taken a host. Tests use it.
package forge
