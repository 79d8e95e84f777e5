// SPDX-License-Identifier: Apache-2.0

package export

// otlp is whatever answers in OTLP JSON, in pages and envelopes of its own: records stand wherever there is a member resourceLogs.
var otlp = layout{
	name: "otlp",
	is:   `"resourceLogs", anywhere in it`,
	otlp: true,
}
