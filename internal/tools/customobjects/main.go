// SPDX-License-Identifier: Apache-2.0

// Command customobjects reads a manifest of one object from standard input and decodes it into the Go type of the project that its kind is of,
// cert-manager or the Prometheus operator. A field that the type does not have is an error, and so is a kind that it does not know.
//
// It has a module of its own: these types ask for other versions of Kubernetes' packages than the product has.
package main

import (
	"fmt"
	"io"
	"os"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

var types = map[string]func() any{
	"cert-manager.io/v1 Certificate":          func() any { return new(certmanager.Certificate) },
	"monitoring.coreos.com/v1 PodMonitor":     func() any { return new(monitoring.PodMonitor) },
	"monitoring.coreos.com/v1 ServiceMonitor": func() any { return new(monitoring.ServiceMonitor) },
	"monitoring.coreos.com/v1 PrometheusRule": func() any { return new(monitoring.PrometheusRule) },
}

func main() {
	if err := check(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(r io.Reader) error {
	manifest, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	var head struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(manifest, &head); err != nil {
		return err
	}
	kind := head.APIVersion + " " + head.Kind
	object, known := types[kind]
	if !known {
		return fmt.Errorf("no type for %q", kind)
	}
	if err := yaml.UnmarshalStrict(manifest, object()); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}
