// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package floodguardprocessor keeps a flood of records of one source from taking what the others need, and sends a record
// of what it shed. Who passes is decided by package flood; this package tells it where records come from, and gives its
// reports a next consumer, its state a storage and its counts a metric.
//
// It stands before whatever is expensive, so before redact; and before stamp, which seals its reports.
package floodguardprocessor
