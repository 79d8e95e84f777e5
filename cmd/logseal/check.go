// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"

	"github.com/logseal/logseal/internal/configcheck"
	"github.com/logseal/logseal/pkg/tlspin"
)

type checkOptions struct {
	configs   []string
	collector string
	noNetwork bool
	timeout   time.Duration
}

func newCheckCommand() *cobra.Command {
	var opts checkOptions
	cmd := &cobra.Command{
		Use:   "check --config FILE …",
		Short: "Check a collector's configuration, certificates and pins before it is started or reloaded",
		Long: `Check what a collector would meet if it were started or reloaded with this configuration, and change nothing:

- the configuration, with ` + "`otelcol-logseal validate`" + `;
- certificates, keys and authorities that the components in use name: the files are there and whole, each key is its
  certificate's, nothing has expired;
- every SIEM and gateway that a siem exporter sends to: it is reached, it has a pinned key, and it takes this host's
  certificate. Nothing is sent but a handshake.

Give the same --config as to the collector, and the same environment: ` + "`set -a; . /etc/logseal/agent.env`" + `.
Run it as the user that the collector runs as.

Exit status: 0 all is well; 1 something is wrong, and named; 2 usage, or a configuration or program that cannot be read.`,
		Example: `  logseal check --config /etc/logseal/agent.yaml
  logseal check --no-network --config /etc/logseal/gateway.yaml   # as ExecReload= in the systemd units`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	cmd.Flags().StringArrayVar(&opts.configs, "config", nil, "a configuration, as the collector takes it; once for each")
	cmd.Flags().StringVar(&opts.collector, "collector", "", "the collector's program (default: otelcol-logseal beside this one, or in PATH)")
	cmd.Flags().BoolVar(&opts.noNetwork, "no-network", false, "connect nowhere")
	cmd.Flags().DurationVar(&opts.timeout, "timeout", 5*time.Second, "for each connection")
	return cmd
}

func (o checkOptions) run(ctx context.Context, out io.Writer) error {
	if len(o.configs) == 0 {
		return errors.New("--config is not set; write the collector's, for example `logseal check --config /etc/logseal/agent.yaml`")
	}
	failed := false
	say := func(ok bool, format string, args ...any) {
		word := "ok    "
		if !ok {
			word, failed = "WRONG ", true
		}
		fmt.Fprintf(out, word+format+"\n", args...)
	}

	conf, err := resolve(ctx, o.configs)
	if err != nil {
		return exitError{exitUsage, err}
	}
	if why, err := o.validate(ctx); err != nil {
		return exitError{exitUsage, err}
	} else if why != "" {
		say(false, "configuration: %s", why)
	} else {
		say(true, "configuration: otelcol-logseal takes it")
	}

	problems := configcheck.All(conf, time.Now())
	for _, problem := range problems {
		say(false, "%s", problem)
	}
	if len(problems) == 0 {
		say(true, "files: certificates, keys and authorities are there and valid")
	}
	if !o.noNetwork {
		for _, destination := range destinations(conf) {
			state, err := destination.try(ctx, o.timeout)
			if err != nil {
				say(false, "%s: %s: %s", destination.exporter, destination.endpoint, err)
				continue
			}
			say(true, "%s: %s: %s, pinned key, certificate valid until %s", destination.exporter, destination.endpoint,
				tls.VersionName(state.Version), state.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly))
		}
	}
	if failed {
		return exitError{code: exitFailed}
	}
	return nil
}

// resolve returns the configuration as the collector would have it, with everything in it expanded.
func resolve(ctx context.Context, uris []string) (map[string]any, error) {
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              uris,
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory(), yamlprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	if err != nil {
		return nil, err
	}
	conf, err := resolver.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	return conf.ToStringMap(), resolver.Shutdown(ctx)
}

// validate has the collector judge the configuration, and returns what it says against it.
func (o checkOptions) validate(ctx context.Context) (why string, err error) {
	program := o.collector
	if program == "" {
		if program, err = findCollector(); err != nil {
			return "", err
		}
	}
	args := []string{"validate"}
	for _, config := range o.configs {
		args = append(args, "--config", config)
	}
	output, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return strings.TrimPrefix(strings.TrimSpace(string(output)), "Error: "), nil
	}
	return "", err
}

func findCollector() (string, error) {
	const name = "otelcol-logseal"
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w; say where it is with --collector", err)
	}
	return found, nil
}

// destination is where a siem exporter sends.
type destination struct {
	exporter, endpoint       string
	pins                     []string
	ca, cert, key            string
	serverName, minVersion   string
	proxied, needPostQuantum bool
}

// destinations are those of the siem exporters in use.
func destinations(conf map[string]any) []destination {
	exporters, _ := conf["exporters"].(map[string]any)
	used := configcheck.InUse(conf, "exporters")
	var found []destination
	for id, value := range exporters {
		kind, _, _ := strings.Cut(id, "/")
		block, _ := value.(map[string]any)
		if kind != "siem" || !used[id] || block == nil {
			continue
		}
		client, _ := block["tls"].(map[string]any)
		each := destination{
			exporter: "exporters::" + id, pins: texts(block["pins"]), ca: text(client["ca_file"]), cert: text(client["cert_file"]), key: text(client["key_file"]),
			serverName: text(client["server_name_override"]), minVersion: text(client["min_version"]), proxied: text(block["proxy_url"]) != "",
		}
		each.needPostQuantum, _ = block["require_post_quantum"].(bool)
		if endpoint := text(block["endpoint"]); endpoint != "" {
			each.endpoint = endpoint
			found = append(found, each)
		}
		several, _ := block["endpoints"].([]any)
		for _, one := range several {
			one, _ := one.(map[string]any)
			each := each
			each.endpoint = text(one["endpoint"])
			if pins := texts(one["pins"]); len(pins) > 0 {
				each.pins = pins
			}
			found = append(found, each)
		}
	}
	slices.SortStableFunc(found, func(a, b destination) int { return strings.Compare(a.exporter, b.exporter) })
	return found
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

func texts(value any) []string {
	list, _ := value.([]any)
	var found []string
	for _, each := range list {
		found = append(found, text(each))
	}
	return found
}

// try makes a connection as the exporter does, and ends it when the server has taken this host's certificate.
func (d destination) try(ctx context.Context, timeout time.Duration) (*tls.ConnectionState, error) {
	if d.proxied {
		return nil, errors.New("is reached by a proxy, which this command does not use; check it with --no-network, and look at the collector's log")
	}
	address := strings.TrimPrefix(d.endpoint, "dns:///")
	if u, err := url.Parse(d.endpoint); err == nil && u.Scheme == "https" {
		if address = u.Host; u.Port() == "" {
			address = net.JoinHostPort(u.Hostname(), "443")
		}
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	policy := tlspin.Policy{AllowTLS12: d.minVersion == "1.2", RequirePostQuantum: d.needPostQuantum}
	for _, pin := range d.pins {
		parsed, err := tlspin.Parse(pin)
		if err != nil {
			return nil, err
		}
		policy.Pins = append(policy.Pins, parsed)
	}
	cfg := &tls.Config{ServerName: host, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	if d.serverName != "" {
		cfg.ServerName = d.serverName
	}
	if d.ca != "" {
		content, err := os.ReadFile(d.ca)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		cfg.RootCAs.AppendCertsFromPEM(content)
	}
	if d.cert != "" {
		pair, err := tls.LoadX509KeyPair(d.cert, d.key)
		if err != nil {
			return nil, err
		}
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	pinned, err := policy.Apply(cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	conn := tls.Client(raw, pinned)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", tlspin.Reason(err), err)
	}
	// In TLS 1.3 a server refuses a certificate after the handshake is done on our side: the first read tells. A gRPC server
	// says something at once; one that knows HTTP/1.1 only waits for us.
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("the server refuses this host's certificate, or the lack of one: %w", err)
	}
	state := conn.ConnectionState()
	return &state, nil
}
