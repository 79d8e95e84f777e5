// SPDX-License-Identifier: Apache-2.0

package export

import "github.com/logseal/logseal/pkg/seal/canonical"

// elastic is the search of Elasticsearch and OpenSearch: pages of _search, scroll and point in time, _msearch, async search, ES|QL and SQL in
// JSON, and the lines of their dump tools: hits or documents. What names the fields is who writes the index: Elastic's own collector and endpoint,
// Data Prepper ("@"), Graylog ("otel_"). https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-search
var elastic = layout{
	name: "elastic",
	is:   `"hits": {"hits": […]}, a hit a line, or "columns" and "values"`,
	rows: map[string]shape{
		"":                        {},
		"hits.hits[]":             {},
		"responses[].hits.hits[]": {},
		"response.hits.hits[]":    {},
		"values[]":                {header: "columns"},
		"rows[]":                  {header: "columns"},
	},
	envelope: []string{
		"took", "timed_out", "hits", "_shards", "_clusters", "_scroll_id", "pit_id", "num_reduce_phases", "terminated_early", "aggregations", "profile", "suggest",
		"responses", "response", "id", "is_partial", "is_running", "start_time_in_millis", "expiration_time_in_millis", "completion_time_in_millis",
		"columns", "values", "rows", "cursor", "documents_found", "values_loaded", "error", "status",
	},
	prefixes: []string{"_source.", "fields."},
	id:       []string{"attributes.logseal.id", "logseal.id", "logseal_id", "labels.logseal_id", "log.attributes.logseal@id", "log.attributes.logseal.id", "otel_attributes_logseal_id"},
	carried: []string{
		"attributes.logseal.original", "logseal.original", "logseal_original", "labels.logseal_original", "log.attributes.logseal@original", "log.attributes.logseal.original",
		"otel_attributes_logseal_original",
	},
	text:    []string{"body.text", "message", "body", "event.original", "body.structured"},
	event:   []string{"event_name", "eventName", "attributes.event.name"},
	visible: []string{"body.text", "message", "body"},
	time:    []string{"@timestamp"},
	shown: func(s canonical.Shown) string {
		switch s.Part {
		case canonical.Attribute:
			return "attributes." + s.Name
		case canonical.ResourceAttribute:
			return "resource.attributes." + s.Name
		}
		return map[canonical.Part]string{
			canonical.SeverityNumber: "severity_number", canonical.SeverityText: "severity_text", canonical.EventName: "event_name",
			canonical.TraceID: "trace_id", canonical.SpanID: "span_id",
		}[s.Part]
	},
	total:   []string{"hits.total.value", "hits.total", "response.hits.total.value"},
	atLeast: []string{"hits.total.relation", "response.hits.total.relation"},
	partial: []string{"timed_out", "_shards.failed", "is_partial", "response.timed_out", "response._shards.failed"},
	lost:    "the index has fields of it and no original, and keeps neither the types of values nor which of them were the resource's",
}
