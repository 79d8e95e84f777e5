// SPDX-License-Identifier: Apache-2.0

// Package configcheck looks at what the collector's own validation does not, and finds out at a start: what a configuration names outside
// itself (certificates, keys, authorities), and whether components agree that name each other.
package configcheck

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Problem is one thing that is wrong.
type Problem struct {
	Key string // where in the configuration, as the collector writes it: exporters::siem::tls::cert_file
	Err error
	// Expired: the file can be read and used, and who is shown it will refuse it.
	Expired bool
}

func (p Problem) String() string { return p.Key + ": " + p.Err.Error() }

// Unusable are the problems with which a collector does not start.
func Unusable(problems []Problem) error {
	var errs []error
	for _, p := range problems {
		if !p.Expired {
			errs = append(errs, errors.New(p.String()))
		}
	}
	return errors.Join(errs...)
}

// Files checks every certificate, key and authority that the components in use name, by the keys of configtls. conf is the
// configuration as it is when everything in it is expanded.
func Files(conf map[string]any, now time.Time) []Problem {
	var problems []Problem
	for _, section := range []string{"extensions", "receivers", "processors", "exporters", "connectors"} {
		all, _ := conf[section].(map[string]any)
		used := InUse(conf, section)
		for _, id := range slices.Sorted(maps.Keys(all)) {
			if used[id] {
				visit(section+"::"+id, all[id], func(key string, block map[string]any) { checkTLS(key, block, now, &problems) })
			}
		}
	}
	return problems
}

// InUse returns the components of a section that the service runs.
func InUse(conf map[string]any, section string) map[string]bool {
	service, _ := conf["service"].(map[string]any)
	used := map[string]bool{}
	add := func(list any) {
		ids, _ := list.([]any)
		for _, id := range ids {
			used[fmt.Sprint(id)] = true
		}
	}
	if section == "extensions" {
		add(service["extensions"])
		return used
	}
	pipelines, _ := service["pipelines"].(map[string]any)
	for _, each := range pipelines {
		pipeline, _ := each.(map[string]any)
		switch section {
		case "connectors": // an exporter here, a receiver there
			add(pipeline["exporters"])
		default:
			add(pipeline[section])
		}
	}
	return used
}

// visit calls see for each section at and below a value.
func visit(key string, value any, see func(key string, block map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		see(key, value)
		for _, name := range slices.Sorted(maps.Keys(value)) {
			visit(key+"::"+name, value[name], see)
		}
	case []any:
		for i, each := range value {
			visit(fmt.Sprintf("%s::%d", key, i), each, see)
		}
	}
}

func checkTLS(key string, block map[string]any, now time.Time, problems *[]Problem) {
	add := func(name string, err error, expired bool) {
		*problems = append(*problems, Problem{Key: key + "::" + name, Err: err, Expired: expired})
	}
	cert, _ := block["cert_file"].(string)
	private, _ := block["key_file"].(string)
	switch {
	case cert != "" && private != "":
		pair, err := tls.LoadX509KeyPair(cert, private)
		if err != nil {
			add("cert_file", fmt.Errorf("%s with %s: %w", cert, private, err), false)
			break
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			add("cert_file", fmt.Errorf("%s: %w", cert, err), false)
			break
		}
		if err := valid(leaf, now); err != nil {
			add("cert_file", fmt.Errorf("%s: %w", cert, err), true)
		}
	case cert != "":
		if _, err := certificates(cert); err != nil {
			add("cert_file", err, false)
		}
	}
	for _, name := range []string{"ca_file", "client_ca_file"} {
		file, _ := block[name].(string)
		if file == "" {
			continue
		}
		authorities, err := certificates(file)
		if err != nil {
			add(name, err, false)
			continue
		}
		for _, authority := range authorities {
			if err := valid(authority, now); err != nil {
				add(name, fmt.Errorf("%s: %s: %w", file, authority.Subject, err), true)
			}
		}
	}
}

func valid(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.After(cert.NotAfter):
		return fmt.Errorf("expired on %s", cert.NotAfter.UTC().Format(time.DateTime))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("is not valid before %s", cert.NotBefore.UTC().Format(time.DateTime))
	}
	return nil
}

// certificates reads every certificate of a PEM file, and says when there is more in it that cannot be read.
func certificates(path string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w", path, len(found)+1, err)
		}
		found = append(found, cert)
	}
	switch {
	case strings.Contains(string(rest), "-----BEGIN"):
		return nil, fmt.Errorf("%s: what follows certificate %d cannot be read; the file may be cut off", path, len(found))
	case len(found) == 0:
		return nil, fmt.Errorf("%s: no PEM block of type CERTIFICATE", path)
	}
	return found, nil
}
