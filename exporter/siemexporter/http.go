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
	"go.opentelemetry.io/collector/config/confighttp"
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

// httpLine posts over HTTP on connections that keep to the policy.
type httpLine struct {
	userAgent string
	client    *http.Client
	transport *http.Transport
}

// httpReply is a server's answer, read whole.
type httpReply struct {
	code    int
	status  string // "400 Bad Request"
	header  http.Header
	content []byte // longer than maxAnswer: the answer was, and its rest is not here
}

func (d *dialer) newHTTPLine(ctx context.Context, cfg confighttp.ClientConfig, policy tlspin.Policy, watch *handshakeWatch) (*httpLine, error) {
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
	return &httpLine{userAgent: d.userAgent, client: client, transport: hook.transport}, nil
}

// post sends a body and returns the answer, whatever it says. An error is a *refusal: there was none.
func (l *httpLine) post(ctx context.Context, url string, header http.Header, body []byte) (*httpReply, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, &refusal{cause: "request", message: clip(err.Error())}
	}
	maps.Copy(r.Header, header)
	r.Header.Set("User-Agent", l.userAgent)
	response, err := l.client.Do(r)
	if err != nil {
		cause := causeConnection
		if errors.Is(err, context.DeadlineExceeded) {
			cause = causeDeadline
		}
		return nil, &refusal{cause: cause, message: clip(err.Error())}
	}
	defer response.Body.Close()
	// One byte more than allowed, so that a longer answer shows.
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, &refusal{cause: causeConnection, message: clip(err.Error())}
	}
	return &httpReply{code: response.StatusCode, status: response.Status, header: response.Header, content: content}, nil
}

func (l *httpLine) close() error {
	// Not http.Client.CloseIdleConnections, which the wrappers around the transport do not pass on.
	l.transport.CloseIdleConnections()
	return nil
}

// httpClient sends OTLP over HTTP.
type httpClient struct {
	*httpLine
	url string
}

func (d *dialer) dialHTTP(ctx context.Context, endpoint string, policy tlspin.Policy, watch *handshakeWatch) (client, error) {
	line, err := d.newHTTPLine(ctx, d.config.http, policy, watch)
	if err != nil {
		return nil, err
	}
	url := strings.TrimRight(endpoint, "/")
	if !strings.HasSuffix(url, logsPath) {
		url += logsPath
	}
	return &httpClient{line, url}, nil
}

var protobufHeader = http.Header{"Content-Type": {protobufType}}

func (c *httpClient) export(ctx context.Context, wire []byte) (answer, error) {
	reply, err := c.post(ctx, c.url, protobufHeader, wire)
	if err != nil {
		return answer{}, err
	}
	if reply.code < 200 || reply.code > 299 {
		return answer{}, httpRefusal(reply.code, reply.header, errorMessage(reply))
	}
	partial, err := readSuccess(reply)
	return answer{partialSuccess: partial}, err
}

// readSuccess reads a 2xx answer.
func readSuccess(reply *httpReply) (partialSuccess, error) {
	// The page of a proxy or a login form is no SIEM that took logs.
	if isHTML(reply.header) {
		return partialSuccess{}, &refusal{cause: "not_otlp", message: "the answer is a web page; something else than a SIEM listens there"}
	}
	response := plogotlp.NewExportResponse()
	var err error
	switch mediaType(reply.header) {
	case protobufType:
		err = response.UnmarshalProto(reply.content)
	case jsonType:
		if len(bytes.TrimSpace(reply.content)) > 0 {
			err = response.UnmarshalJSON(reply.content)
		}
	default: // many servers answer with 200 or 204 and nothing of interest
		return partialSuccess{}, nil
	}
	if err != nil || len(reply.content) > maxAnswer {
		// 2xx says that the request was taken. What cannot be read is a remark on it.
		return partialSuccess{message: "the server's answer cannot be read"}, nil
	}
	return newPartialSuccess(response), nil
}

// errorMessage returns what an answer other than 2xx says: the message of the Status that OTLP prescribes, else the
// status line.
func errorMessage(reply *httpReply) string {
	if mediaType(reply.header) == protobufType && len(reply.content) <= maxAnswer {
		var st spb.Status
		if proto.Unmarshal(reply.content, &st) == nil && st.GetMessage() != "" {
			return st.GetMessage()
		}
	}
	if location := reply.header.Get("Location"); location != "" {
		return fmt.Sprintf("%s to %q, which is not followed", reply.status, clip(location))
	}
	return reply.status
}

func mediaType(header http.Header) string {
	media, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return media
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
