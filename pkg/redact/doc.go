// SPDX-License-Identifier: Apache-2.0

// Package redact finds and removes secrets and personal data in telemetry.
//
// [New] compiles a [Config] into an [Engine]. [Engine.Logs] redacts plog data in place, everywhere a value can hide:
// bodies, attributes and their keys at any depth, resources, scopes, event names, severity texts. [Engine.Text]
// does the same for one string.
//
// What is redacted is in package rules: a rule is one value, with its names, triggers, detector and examples. A text is read once by a
// prefilter (internal/prefilter), which stops only where one of the triggers begins, and notes where long runs of token characters
// are. Detectors are anchored at those places and validate what they find (check digits, lengths, decoding, context); what they
// accept becomes a span. Escaped or encoded text is decoded (internal/decode), scanned the same way, and its spans are mapped
// back. The value is rebuilt once. A text with nothing to redact costs no allocation.
//
// The package fails closed: whatever cannot be examined (a value over the limits, a panic in a detector) is replaced
// or dropped as configured, never passed. No error, metric or panic message of this package holds text that was
// scanned.
package redact
