// SPDX-License-Identifier: Apache-2.0

package redactprocessor

import "github.com/logseal/logseal/pkg/redact"

// Config is the engine's configuration: the processor adds nothing to it.
type Config = redact.Config
