// SPDX-License-Identifier: Apache-2.0

package export

import "github.com/logseal/logseal/pkg/seal/canonical"

// victoriaLogs is the query API of VictoriaLogs, /select/logsql/query: an object a line.
// https://docs.victoriametrics.com/victorialogs/querying/#querying-logs
var victoriaLogs = layout{
	name:    "victorialogs",
	is:      `lines with "_msg" and "_time"`,
	rows:    map[string]shape{"": {}},
	id:      []string{"logseal.id"},
	carried: []string{"logseal.original"},
	text:    []string{"_msg"},
	event:   []string{"event_name", "event.name"},
	visible: []string{"_msg"},
	noText:  "missing _msg field",
	time:    []string{"_time"},
	repeats: true,
	shown: func(s canonical.Shown) string {
		switch s.Part {
		case canonical.Body, canonical.Attribute, canonical.ResourceAttribute:
			return s.Name
		}
		return map[canonical.Part]string{
			canonical.SeverityNumber: "severity_number", canonical.SeverityText: "severity_text", canonical.EventName: "event_name",
			canonical.TraceID: "trace_id", canonical.SpanID: "span_id",
		}[s.Part]
	},
	lost: "VictoriaLogs keeps no observed time and no flags, makes strings of all values, and writes decimals anew",
}
