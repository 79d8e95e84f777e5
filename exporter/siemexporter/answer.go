// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// maxThrottle bounds how long a server can silence us with one answer.
	maxThrottle = 5 * time.Minute
	// causeDeadline is the cause of a request that was not answered in time.
	causeDeadline = "deadline_exceeded"
	// causeConnection is the cause of a request whose connection broke, or could not be made.
	causeConnection = "connection"
	// maxMessage bounds what of a server's message is repeated, in bytes.
	maxMessage = 256
)

// verdict is what becomes of a request that was refused.
type verdict int

const (
	// held: the data waits and is sent again as it is. Whatever is not one of the others is held: a wrong token has to be
	// renewed and a proxy repaired, but no answer of a server is a permission to forget logs.
	held verdict = iota
	// exhausted: the server has not enough of something, which may be room for a request of this size. It is sent again in
	// parts, down to a single record.
	exhausted
	// tooLarge: the request is too large, and the server says so. It is sent again in parts; a record that is too large by
	// itself is a dead letter.
	tooLarge
	// invalid: the server will never take at least one of the records. They are looked for by halving.
	invalid
)

// refusal is every outcome of a request but success: a server's answer, or the lack of one.
type refusal struct {
	verdict verdict
	cause   string        // one of a small set of words, for metrics
	message string        // for people; bounded
	delay   time.Duration // how long the server asks us to wait, 0 when it does not
	// record is the number of the record that it is about, counted from 1; 0 when it names none. Those before it are not to blame.
	record int
}

func (r *refusal) Error() string { return r.cause + ": " + r.message }

// grpcRefusal judges the error of a gRPC call.
func grpcRefusal(err error) *refusal {
	st, ok := status.FromError(err)
	if !ok {
		return &refusal{cause: "unknown", message: clip(err.Error())}
	}
	r := &refusal{cause: grpcCauses[st.Code()], message: clip(st.Message()), delay: retryDelay(st)}
	switch {
	case st.Code() == codes.InvalidArgument:
		r.verdict = invalid
	case st.Code() == codes.ResourceExhausted && r.delay == 0:
		r.verdict = exhausted
		// grpc-go and grpc-java say "larger than max" and "exceeds maximum size".
		if strings.Contains(st.Message(), "larger than max") || strings.Contains(st.Message(), "exceeds maximum") {
			r.verdict = tooLarge
		}
	// An HTTP proxy in front of a gRPC server answers in its own language.
	case st.Code() == codes.Unknown && strings.Contains(st.Message(), "HTTP status code received from server: 413"):
		r.verdict = tooLarge
	}
	return r
}

// grpcCauses are the codes' names in the spelling of a metric.
var grpcCauses = map[codes.Code]string{
	codes.OK:                 "ok",
	codes.Canceled:           "canceled",
	codes.Unknown:            "unknown",
	codes.InvalidArgument:    "invalid_argument",
	codes.DeadlineExceeded:   causeDeadline,
	codes.NotFound:           "not_found",
	codes.AlreadyExists:      "already_exists",
	codes.PermissionDenied:   "permission_denied",
	codes.ResourceExhausted:  "resource_exhausted",
	codes.FailedPrecondition: "failed_precondition",
	codes.Aborted:            "aborted",
	codes.OutOfRange:         "out_of_range",
	codes.Unimplemented:      "unimplemented",
	codes.Internal:           "internal",
	codes.Unavailable:        "unavailable",
	codes.DataLoss:           "data_loss",
	codes.Unauthenticated:    "unauthenticated",
}

// retryDelay returns how long the server asks us to wait, 0 when it does not.
func retryDelay(st *status.Status) time.Duration {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return boundDelay(info.GetRetryDelay().AsDuration())
		}
	}
	return 0
}

// httpRefusal judges an HTTP answer other than success. message is what the server says about it.
func httpRefusal(code int, header http.Header, message string) *refusal {
	r := &refusal{cause: "http_" + strconv.Itoa(code), message: clip(message)}
	switch code {
	case http.StatusBadRequest:
		// A front that refuses a connection, for want of a client certificate for example, says 400 in HTML: that is no
		// judgement of the records.
		if !isHTML(header) {
			r.verdict = invalid
		}
	case http.StatusRequestEntityTooLarge:
		r.verdict = tooLarge
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		r.delay = retryAfter(header, time.Now())
	}
	return r
}

// retryAfter reads the Retry-After header, a number of seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return boundDelay(time.Duration(seconds) * time.Second)
	}
	if date, err := http.ParseTime(value); err == nil {
		return boundDelay(date.Sub(now))
	}
	return 0
}

func boundDelay(asked time.Duration) time.Duration { return max(0, min(asked, maxThrottle)) }

func isHTML(header http.Header) bool {
	return strings.HasPrefix(strings.ToLower(header.Get("Content-Type")), "text/html")
}

// asRefusal returns err as a refusal; an error of another kind becomes one that is held.
func asRefusal(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	return &refusal{cause: "other", message: clip(err.Error())}
}

// clip bounds a text that the other side wrote.
func clip(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessage], "") + "…"
}
