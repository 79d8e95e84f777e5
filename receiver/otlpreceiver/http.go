// SPDX-License-Identifier: Apache-2.0

package otlpreceiver

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

// serveHTTP takes a request of OTLP/HTTP, as protobuf or JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
func (t *taker) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "405 method not allowed, supported: [POST]", http.StatusMethodNotAllowed)
		return
	}
	kind := mediaType(r)
	if kind != protobufType && kind != jsonType {
		http.Error(w, "415 unsupported media type, supported: ["+jsonType+", "+protobufType+"]", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		code := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			code = http.StatusRequestEntityTooLarge
		}
		writeErrorText(w, r, err.Error(), code)
		return
	}
	request := plogotlp.NewExportRequest()
	if kind == jsonType {
		err = request.UnmarshalJSON(body)
	} else {
		err = request.UnmarshalProto(body)
	}
	if err != nil {
		writeErrorText(w, r, err.Error(), http.StatusBadRequest)
		return
	}
	peer, cert := httpPeer(r.Context())
	if err := t.take(r.Context(), request.Logs(), peer, cert); err != nil {
		st := status.Convert(err)
		writeStatus(w, kind, st, httpCode(st.Code()))
		return
	}
	response := plogotlp.NewExportResponse()
	var content []byte
	if kind == jsonType {
		content, err = response.MarshalJSON()
	} else {
		content, err = response.MarshalProto()
	}
	if err != nil {
		writeErrorText(w, r, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, kind, http.StatusOK, content)
}

// httpCode is what the OTLP specification makes of a gRPC code: 429 and 503 are to be tried again.
func httpCode(code codes.Code) int {
	switch code {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unimplemented:
		return http.StatusNotFound
	default:
		return http.StatusInternalServerError
	}
}

// grpcCodes are the codes of answers that are HTTP's own.
var grpcCodes = map[int]codes.Code{
	http.StatusBadRequest: codes.InvalidArgument, http.StatusUnauthorized: codes.Unauthenticated,
	http.StatusForbidden: codes.PermissionDenied, http.StatusNotFound: codes.Unimplemented,
	http.StatusTooManyRequests: codes.ResourceExhausted, http.StatusRequestEntityTooLarge: codes.ResourceExhausted,
	http.StatusServiceUnavailable: codes.Unavailable, http.StatusInternalServerError: codes.Internal,
}

// writeErrorText answers with an error that has no gRPC status.
func writeErrorText(w http.ResponseWriter, r *http.Request, text string, code int) {
	grpcCode, ok := grpcCodes[code]
	if !ok {
		grpcCode = codes.Unknown
	}
	writeStatus(w, mediaType(r), status.New(grpcCode, text), code)
}

// writeStatus answers with a google.rpc.Status, as OTLP/HTTP asks.
func writeStatus(w http.ResponseWriter, kind string, st *status.Status, code int) {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok && (code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable) {
			w.Header().Set("Retry-After", strconv.FormatInt(int64(info.GetRetryDelay().AsDuration()/time.Second), 10))
		}
	}
	var content []byte
	var err error
	if kind == protobufType {
		content, err = proto.Marshal(st.Proto())
	} else {
		kind = jsonType
		content, err = protojson.Marshal(st.Proto())
	}
	if err != nil {
		http.Error(w, "the error cannot be encoded", http.StatusInternalServerError)
		return
	}
	write(w, kind, code, content)
}

func write(w http.ResponseWriter, kind string, code int, content []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	_, _ = w.Write(content) // a client that is gone does not want it
}

func mediaType(r *http.Request) string {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return media
}
