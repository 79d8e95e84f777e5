// SPDX-License-Identifier: Apache-2.0

package nestinglimitextension

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"

	"go.opentelemetry.io/collector/extension/extensionmiddleware"

	"github.com/logseal/logseal/pkg/nesting"
)

// otherSignals are the receiver's default paths that take no logs. The path of logs is configurable, so any other path is
// taken for it.
var otherSignals = map[string]bool{"/v1/traces": true, "/v1/metrics": true, "/v1development/profiles": true}

var checks = map[string]func([]byte, int) error{
	"application/x-protobuf": nesting.Check,
	"application/json":       nesting.CheckJSON,
}

// GetHTTPHandler checks requests of logs. It runs behind the receiver's decompression and size limit.
func (*limiter) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
			check := checks[kind]
			if check == nil || otherSignals[r.URL.Path] {
				next.ServeHTTP(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				code := http.StatusBadRequest
				if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
					code = http.StatusRequestEntityTooLarge
				}
				http.Error(w, "the body could not be read", code)
				return
			}
			if err := check(body, nesting.MaxDepth); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		}), nil
	}, nil
}
