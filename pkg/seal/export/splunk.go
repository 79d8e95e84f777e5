// SPDX-License-Identifier: Apache-2.0

package export

// splunk is Splunk's search: jobs/export with output_mode=json (an object a line), jobs/SID/results with json or json_rows, and what the web
// page saves. https://help.splunk.com, REST API reference, "search/v2/jobs/export" and "search/v2/jobs/{search_id}/results".
var splunk = layout{
	name: "splunk",
	is:   `lines with "result", or "results": output_mode=json`,
	rows: map[string]shape{
		"":          {},
		"result":    {},
		"results[]": {},
		"rows[]":    {header: "fields"},
	},
	envelope: []string{"preview", "offset", "lastrow", "result", "results", "init_offset", "messages", "fields", "rows", "post_process_count", "highlighted"},
	id:       []string{"logseal.id", "logseal_id"},
	carried:  []string{"logseal.original", "logseal_original"},
	text:     []string{"_raw", "event", "body"},
	event:    []string{"event_name"},
	visible:  []string{"_raw"},
	events:   true,
	cutsAt:   10_000, // TRUNCATE
	offset:   "init_offset",
	lost:     "Splunk has its text and not its original (the search must return _raw; format: original must be what siem sends)",
}
