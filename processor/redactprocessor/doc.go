// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package redactprocessor takes secrets and personal data out of logs, by the engine in pkg/redact.
package redactprocessor // import "github.com/logseal/logseal/processor/redactprocessor"
