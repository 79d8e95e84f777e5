// SPDX-License-Identifier: Apache-2.0

package configcheck

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Pins are judged in what is in use, wherever a client stands.
func TestPins(t *testing.T) {
	for name, tt := range map[string]struct {
		conf string
		want []string
	}{
		"right": {`
exporters:
  otlp_grpc: {endpoint: "a:4317", middlewares: [{id: other}, {id: tls_pin}], tls: {ca_file: a.pem}}
  load_balancing: {protocol: {otlp: {middlewares: [{id: tls_pin/other}]}}}
  not_used: {middlewares: [{id: tls_pin}], tls: {insecure: true}}
extensions: {tls_pin: {}, tls_pin/other: {}, tls_pin/not_used: {}}
service: {extensions: [tls_pin, tls_pin/other], pipelines: {logs: {exporters: [otlp_grpc, load_balancing]}}}`, nil},
		"named by nobody": {`
exporters: {otlp_grpc: {endpoint: "a:4317", middlewares: [{id: tls_pin/x}]}}
service: {extensions: [tls_pin], pipelines: {logs: {exporters: [otlp_grpc]}}}`, []string{
			"extensions::tls_pin: no client names it, so its pins hold for none; write `middlewares: [{id: tls_pin}]` in the exporter, or remove it",
		}},
		"in siem": {`
exporters: {siem/a: {endpoint: "a:4317", middlewares: [{id: tls_pin/x}]}}
service: {extensions: [tls_pin/x], pipelines: {logs: {exporters: [siem/a]}}}`, []string{
			"exporters::siem/a::middlewares: siem has pins of its own; remove tls_pin/x there, and write `pins: …`",
		}},
		"wrong in every way": {`
exporters:
  load_balancing:
    protocol:
      otlp: {endpoint: "http://a:4317", middlewares: [{id: tls_pin}, {id: other}], tls: {insecure: true, insecure_skip_verify: true}}
service: {extensions: [tls_pin], pipelines: {logs: {exporters: [load_balancing]}}}`, []string{
			"exporters::load_balancing::protocol::otlp::middlewares: tls_pin reaches the connections only from the end of the list; write it last, and once",
			"exporters::load_balancing::protocol::otlp::tls::insecure: would send in the clear, where there is no key to pin; remove it and write the authority that signed the server's certificate, `tls: {ca_file: …}`",
			"exporters::load_balancing::protocol::otlp::tls::insecure_skip_verify: would accept certificates that nobody verified, and a pin comes in addition to verification; remove it and write `tls: {ca_file: …}`",
			"exporters::load_balancing::protocol::otlp::endpoint: \"http://a:4317\" would be spoken to in the clear, where there is no key to pin; write `https://…`, for gRPC `HOST:PORT`",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var conf map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(tt.conf), &conf))
			var got []string
			for _, problem := range All(conf, time.Now()) {
				if problem.Key != "exporters::otlp_grpc::tls::ca_file" { // which is not there
					got = append(got, problem.String())
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
