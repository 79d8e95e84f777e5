// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/logseal/logseal/pkg/tlspin"
)

const (
	logsPath     = "/v1/logs"
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 64 * 1024
)

// httpClient sends over HTTP.
type httpClient struct {
	url       string
	userAgent string
	client    *http.Client
	transport *http.Transport
}

func (d *dialer) dialHTTP(ctx context.Context, endpoint string, policy tlspin.Policy, watch *handshakeWatch) (client, error) {
	cfg := d.config.http
	cfg.TLS = reloadedByUs(cfg.TLS)
	// A middleware of our own reaches the http.Transport under confighttp's client. The last one in the list is the
	// innermost, so no other one can come between.
	hook := &transportHook{
		policy: policy, preferGoGroups: len(cfg.TLS.CurvePreferences) == 0, watch: watch, consumers: d.config.consumers(),
	}
	cfg.Middlewares = append(slices.Clone(cfg.Middlewares), configmiddleware.Config{ID: hookID})
	extensions := map[component.ID]component.Component{hookID: hook}
	maps.Copy(extensions, d.host.GetExtensions())
	extensions[hookID] = hook // ours, whatever the host has under that name

	client, err := cfg.ToClient(ctx, extensions, d.settings)
	if err != nil {
		return nil, err
	}
	if hook.transport == nil {
		return nil, errors.New("the HTTP client was built without its pins")
	}
	client.Timeout = 0 // the context of each request has it
	// A redirect leads to another party, or to another path of this one: a person decides whether it is right.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	url := strings.TrimRight(endpoint, "/")
	if !strings.HasSuffix(url, logsPath) {
		url += logsPath
	}
	return &httpClient{url: url, userAgent: d.userAgent, client: client, transport: hook.transport}, nil
}

func (c *httpClient) export(ctx context.Context, wire []byte) (partialSuccess, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(wire))
	if err != nil {
		return partialSuccess{}, &refusal{cause: "request", message: clip(err.Error())}
	}
	r.Header.Set("Content-Type", protobufType)
	r.Header.Set("User-Agent", c.userAgent)
	response, err := c.client.Do(r)
	if err != nil {
		cause := "connection"
		if errors.Is(err, context.DeadlineExceeded) {
			cause = causeDeadline
		}
		return partialSuccess{}, &refusal{cause: cause, message: clip(err.Error())}
	}
	defer response.Body.Close()
	// One byte more than allowed, so that a longer answer shows.
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return partialSuccess{}, &refusal{cause: "connection", message: clip(err.Error())}
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return partialSuccess{}, httpRefusal(response.StatusCode, response.Header, errorMessage(response, content))
	}
	return readSuccess(response, content)
}

// readSuccess reads a 2xx answer.
func readSuccess(response *http.Response, content []byte) (partialSuccess, error) {
	// The page of a proxy or a login form is no SIEM that took logs.
	if isHTML(response.Header) {
		return partialSuccess{}, &refusal{cause: "not_otlp", message: "the answer is a web page; something else than a SIEM listens there"}
	}
	answer := plogotlp.NewExportResponse()
	var err error
	switch mediaType(response.Header) {
	case protobufType:
		err = answer.UnmarshalProto(content)
	case jsonType:
		if len(bytes.TrimSpace(content)) > 0 {
			err = answer.UnmarshalJSON(content)
		}
	default: // many servers answer with 200 or 204 and nothing of interest
		return partialSuccess{}, nil
	}
	if err != nil || len(content) > maxAnswer {
		// 2xx says that the request was taken. What cannot be read is a remark on it.
		return partialSuccess{message: "the server's answer cannot be read"}, nil
	}
	return newPartialSuccess(answer), nil
}

// errorMessage returns what an answer other than 2xx says: the message of the Status that OTLP prescribes, else the
// status line.
func errorMessage(response *http.Response, content []byte) string {
	if mediaType(response.Header) == protobufType && len(content) <= maxAnswer {
		var st spb.Status
		if proto.Unmarshal(content, &st) == nil && st.GetMessage() != "" {
			return st.GetMessage()
		}
	}
	if location := response.Header.Get("Location"); location != "" {
		return fmt.Sprintf("%s to %q, which is not followed", response.Status, clip(location))
	}
	return response.Status
}

func mediaType(header http.Header) string {
	media, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return media
}

func (c *httpClient) close() error {
	// Not http.Client.CloseIdleConnections, which the wrappers around the transport do not pass on.
	c.transport.CloseIdleConnections()
	return nil
}

var hookID = component.MustNewIDWithName("siem", "transport_hook")

// transportHook is a middleware that puts the policy into the http.Transport and watches its handshakes. It is no
// extension that an operator could configure: it exists in the map that one call of ToClient sees.
type transportHook struct {
	component.StartFunc
	component.ShutdownFunc
	policy         tlspin.Policy
	preferGoGroups bool
	watch          *handshakeWatch
	consumers      int
	transport      *http.Transport
}

var _ extensionmiddleware.HTTPClient = (*transportHook)(nil)

// GetHTTPRoundTripper implements extensionmiddleware.HTTPClient.
func (h *transportHook) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) {
		transport, ok := base.(*http.Transport)
		if !ok || transport.TLSClientConfig == nil {
			return nil, fmt.Errorf("pins cannot be put into a %T", base)
		}
		// The transport's own configuration, not a fresh one: confighttp may have prepared it for HTTP/2.
		pinned, err := applyPolicy(transport.TLSClientConfig, h.preferGoGroups, h.policy)
		if err != nil {
			return nil, err
		}
		own := ownExpiry(pinned)
		h.watch.noteRequests(pinned)
		transport.TLSClientConfig = pinned
		// Each consumer sends on a connection of its own where the server knows no HTTP/2, and net/http keeps two: the others
		// would shake hands for every request.
		if transport.MaxIdleConnsPerHost == 0 {
			transport.MaxIdleConnsPerHost = h.consumers
		}
		h.transport = transport
		return &watchedTransport{base: transport, watch: h.watch, own: own}, nil
	}, nil
}

// watchedTransport tells a watch how each handshake went.
type watchedTransport struct {
	base  http.RoundTripper
	watch *handshakeWatch
	own   time.Time // when our certificate expires; zero without one
}

func (t *watchedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	// Handshakes run in goroutines of the transport's own, which may outlive this request: the watch is safe for that.
	var fresh atomic.Bool // the request went out on a connection on which the server has said nothing yet
	trace := &httptrace.ClientTrace{
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			if err != nil {
				t.watch.refused(err)
				return
			}
			t.watch.passed(&state, t.own)
		},
		GotConn: func(info httptrace.GotConnInfo) { fresh.Store(!info.Reused) },
	}
	response, err := t.base.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	switch {
	case err == nil:
		t.watch.heard()
	case tlspin.Reason(err) == tlspin.ReasonClientCert:
		t.watch.refused(err)
	case fresh.Load() && r.Context().Err() == nil:
		// In TLS 1.3 a server refuses our certificate after the handshake is done on our side.
		t.watch.hungUp(err)
	}
	return response, err
}
