// SPDX-License-Identifier: Apache-2.0

package export

import (
	"strings"

	"github.com/logseal/logseal/pkg/seal/canonical"
)

// loki is Grafana Loki: query_range, query and tail of its API, logcli's jsonl, and what Grafana saves.
// https://grafana.com/docs/loki/latest/reference/loki-http-api/
var loki = layout{
	name: "loki",
	is:   `"data": {"result": [{"stream": {…}, "values": […]}]}, or lines with "line"`,
	rows: map[string]shape{
		"":                       {},
		"data.result[].values[]": {names: []string{"timestamp", "line", "metadata"}, with: "data.result[].stream"},
		"streams[].values[]":     {names: []string{"timestamp", "line", "metadata"}, with: "streams[].stream"},
	},
	envelope: []string{"status", "data", "streams", "dropped_entries", "errorType", "error", "message"},
	prefixes: []string{"metadata.structuredMetadata.", "metadata.parsed.", "metadata.", "labels.", "fields.", "structuredMetadata."},
	id:       []string{"logseal_id"},
	carried:  []string{"logseal_original"},
	text:     []string{"line", "Line"},
	event:    []string{"event_name"},
	visible:  []string{"line", "Line"},
	time:     []string{"timestamp"},
	shown: func(s canonical.Shown) string {
		if s.Part == canonical.Attribute || s.Part == canonical.ResourceAttribute {
			return strings.Map(labelRune, s.Name)
		}
		return ""
	},
	lost: "Loki makes strings of all values, changes their names, and keeps no difference between those of the record, its scope and its resource",
}

// labelRune is what Loki makes of a character in a name.
func labelRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return r
	}
	return '_'
}
