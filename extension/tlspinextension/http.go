// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptrace"

	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// GetHTTPRoundTripper implements extensionmiddleware.HTTPClient.
//
// A round tripper alone could only look at the answer, when the request has gone out. So the policy goes into the http.Transport
// below, where each handshake asks it.
func (p *pinner) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		transport, ok := base.(*http.Transport)
		if !ok {
			return nil, fmt.Errorf("%s: pins cannot be put into a %T; write the extension last under `middlewares`", p.id, base)
		}
		if transport == http.DefaultTransport || transport.DialTLSContext != nil || transport.DialTLS != nil { //nolint:staticcheck // who still sets it makes the handshake himself
			return nil, fmt.Errorf("%s: pins cannot be put into this client, whose connections are shared or made by itself; remove the extension from its `middlewares`", p.id)
		}
		// The transport's own configuration, not a fresh one: confighttp may have prepared it for HTTP/2.
		cfg := transport.TLSClientConfig
		if cfg == nil {
			cfg = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		pinned, err := p.pin(cfg)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = pinned
		return &pinnedTransport{base: transport, id: p.id.String(), watch: p.watch}, nil
	}, nil
}

// pinnedTransport sends over TLS only, and tells the watch how handshakes went.
type pinnedTransport struct {
	base  *http.Transport
	id    string
	watch *watch
}

func (t *pinnedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" { // an endpoint, or where a redirect leads
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, fmt.Errorf("%s: %s://%s would be spoken to in the clear, where there is no key to pin; write `https://…`", t.id, r.URL.Scheme, r.URL.Host)
	}
	server := r.URL.Host
	trace := &httptrace.ClientTrace{TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
		if err != nil {
			t.watch.refused(server, err)
		} else {
			t.watch.passed(server)
		}
	}}
	return t.base.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
}
