// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package tlspinextension is a middleware of clients that holds them to pinned keys: exporters of the stock collector, and whatever else makes its
// connections with confighttp or configgrpc.
package tlspinextension
