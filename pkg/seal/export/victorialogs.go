// SPDX-License-Identifier: Apache-2.0

package export

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
	lost:    "VictoriaLogs keeps no observed time and no flags, makes strings of all values, and writes decimals anew",
}
