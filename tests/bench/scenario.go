// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// scenario compares two pipelines on the same input.
type scenario struct {
	name  string
	title string
	sides [2]side
}

// side is one pipeline: what stands between file_log and the end, as YAML.
type side struct {
	name       string
	processors string // YAML of the processors section, "" for none; @DIR@ is filled in
	order      string // of the pipeline's processors
	exporter   string // YAML of one exporter; @ENDPOINT@, @PKI@ and @PINS@ are filled in
	stock      bool   // run by the collector of tests/bench/stock, not by the one that is measured
}

// network says whether the pipeline ends in a server.
func (s side) network() bool { return strings.Contains(s.exporter, "@ENDPOINT@") }

const (
	toNop = "  nop:\n"

	// The same queue, batches, retry, connection and certificates on both sides.
	queue = `    compression: %s
    sending_queue: {sizer: requests, queue_size: 10000, block_on_overflow: true%s, batch: {flush_timeout: 200ms, sizer: bytes, min_size: 0, max_size: 3000000}}
    retry_on_failure: {max_elapsed_time: 0}
    tls: {ca_file: "@PKI@/ca.crt", cert_file: "@PKI@/agent.crt", key_file: "@PKI@/agent.key", min_version: "1.3"}
`
	stamped = "  stamp: {key_file: \"@DIR@/stream.key\", storage: encrypted_storage}\n"

	siemExporter = "  siem:\n    endpoint: @ENDPOINT@\n    pins: @PINS@\n"
	otlpExporter = "  otlp_grpc:\n    endpoint: @ENDPOINT@\n"

	// Ours keeps on the encrypted storage, the stock exporter on the stock one.
	onDisk  = ", storage: encrypted_storage"
	onStock = ", storage: file_storage"
)

var scenarios = []scenario{
	exporters("siem-disk-none", "disk queue, no compression", "none", onDisk),
	exporters("siem-disk-gzip", "disk queue, gzip", "gzip", onDisk),
	exporters("siem-disk-zstd", "disk queue, zstd", "zstd", onDisk),
	memory("siem-memory-none", "memory queue, no compression", "none"),
	memory("siem-memory-gzip", "memory queue, gzip", "gzip"),
	{
		name: "queue", title: "siem with a disk queue against siem with a memory queue, no compression",
		sides: [2]side{
			{name: "disk", exporter: siemExporter + fmt.Sprintf(queue, "none", onDisk)},
			{name: "memory", exporter: siemExporter + "    allow_memory_queue: true\n" + fmt.Sprintf(queue, "none", "")},
		},
	},
	{
		name: "file-log", title: "file_log -> nop against the same with the stock receiver",
		sides: [2]side{
			{name: "file_log", exporter: toNop},
			{name: "stock", exporter: toNop, stock: true},
		},
	},
	{
		name: "stamp", title: "file_log -> stamp -> nop against file_log -> nop",
		sides: [2]side{
			{name: "stamp", order: "stamp", exporter: toNop, processors: stamped},
			{name: "nothing", exporter: toNop},
		},
	},
	{
		name: "redact", title: "file_log -> redact -> nop against file_log -> nop, all packs on",
		sides: [2]side{
			{name: "redact", order: "redact", exporter: toNop, processors: "  redact:\n"},
			{name: "nothing", exporter: toNop},
		},
	},
}

func exporters(name, title, compression, storage string) scenario {
	return scenario{
		name: name, title: "siem against the stock otlp_grpc, " + title,
		sides: [2]side{
			{name: "siem", exporter: siemExporter + fmt.Sprintf(queue, compression, storage)},
			{name: "otlp_grpc", exporter: otlpExporter + fmt.Sprintf(queue, compression, strings.Replace(storage, onDisk, onStock, 1))},
		},
	}
}

func memory(name, title, compression string) scenario {
	s := exporters(name, title, compression, "")
	s.sides[0].exporter = siemExporter + "    allow_memory_queue: true\n" + fmt.Sprintf(queue, compression, "")
	return s
}
