// SPDX-License-Identifier: Apache-2.0

package configcheck

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// All is everything that this package looks at.
func All(conf map[string]any, now time.Time) []Problem {
	problems := Files(conf, now)
	for _, id := range slices.Sorted(maps.Keys(InUse(conf, "extensions"))) {
		if kind, _, _ := strings.Cut(id, "/"); kind == "tls_pin" {
			problems = append(problems, Pins(conf, id)...)
		}
	}
	return problems
}

// Client is a section of the configuration that names an extension among its middlewares.
type Client struct {
	Key string         // exporters::otlp_grpc
	TLS map[string]any // its `tls`, nil when there is none

	section map[string]any
}

// Clients returns what names the extension among its middlewares, in the components in use.
func Clients(conf map[string]any, extension string) []Client {
	var found []Client
	for _, section := range []string{"extensions", "receivers", "processors", "exporters", "connectors"} {
		all, _ := conf[section].(map[string]any)
		used := InUse(conf, section)
		for _, id := range slices.Sorted(maps.Keys(all)) {
			if used[id] {
				visit(section+"::"+id, all[id], func(key string, block map[string]any) {
					if slices.Contains(middlewares(block), extension) {
						tls, _ := block["tls"].(map[string]any)
						found = append(found, Client{Key: key, TLS: tls, section: block})
					}
				})
			}
		}
	}
	return found
}

// middlewares are those that a section names, in their order.
func middlewares(block map[string]any) []string {
	list, _ := block["middlewares"].([]any)
	names := make([]string, len(list))
	for i, each := range list {
		middleware, _ := each.(map[string]any)
		names[i] = fmt.Sprint(middleware["id"])
	}
	return names
}

// Pins says why the pins of the extension, a tls_pin, would not hold: clients that speak in the clear or verify nothing have no key to pin, and
// pins that nobody names hold nobody to anything.
func Pins(conf map[string]any, extension string) []Problem {
	clients := Clients(conf, extension)
	if len(clients) == 0 {
		return []Problem{{Key: "extensions::" + extension, Err: fmt.Errorf(
			"no client names it, so its pins hold for none; write `middlewares: [{id: %s}]` in the exporter, or remove it", extension)}}
	}
	var problems []Problem
	for _, client := range clients {
		add := func(key, problem string) {
			problems = append(problems, Problem{Key: client.Key + "::" + key, Err: errors.New(problem)})
		}
		if strings.HasPrefix(client.Key, "exporters::siem") {
			add("middlewares", fmt.Sprintf("siem has pins of its own; remove %s there, and write `pins: …`", extension))
			continue
		}
		names := middlewares(client.section)
		if at := slices.Index(names, extension); at != len(names)-1 {
			add("middlewares", fmt.Sprintf("%s reaches the connections only from the end of the list; write it last, and once", extension))
		}
		if client.TLS["insecure"] == true {
			add("tls::insecure", "would send in the clear, where there is no key to pin; remove it and write the authority that signed the server's certificate, `tls: {ca_file: …}`")
		}
		if client.TLS["insecure_skip_verify"] == true {
			add("tls::insecure_skip_verify", "would accept certificates that nobody verified, and a pin comes in addition to verification; remove it and write `tls: {ca_file: …}`")
		}
		for _, key := range slices.Sorted(maps.Keys(client.section)) {
			if address, _ := client.section[key].(string); strings.HasSuffix(key, "endpoint") && strings.HasPrefix(address, "http://") {
				add(key, fmt.Sprintf("%q would be spoken to in the clear, where there is no key to pin; write `https://…`, for gRPC `HOST:PORT`", address))
			}
		}
	}
	return problems
}
