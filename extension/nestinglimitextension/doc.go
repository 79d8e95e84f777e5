// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package nestinglimitextension is a middleware for OTLP receivers that refuses a logs request whose values are nested
// more than 1,000 deep, before it is unmarshalled. See package nesting for why.
package nestinglimitextension
