// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

const (
	// maxThrottle bounds how long a server can silence us with one answer.
	maxThrottle = 5 * time.Minute
	// maxMessage bounds what of a server's message is repeated, in bytes.
	maxMessage = 256
)

// retryable turns a failed request into an error that makes exporterhelper hold the data and try again. No answer of a
// server is taken as a permission to forget logs: Unauthenticated is a token that has to be renewed, Unimplemented a
// proxy that has to be repaired.
//
// The text is made anew, so that an error which some library marked as permanent does not travel on inside.
func retryable(err error) error {
	st, ok := status.FromError(err)
	if !ok {
		return errors.New(clip(err.Error()))
	}
	held := errors.New(st.Code().String() + ": " + clip(st.Message()))
	if delay := retryDelay(st); delay > 0 {
		return exporterhelper.NewThrottleRetry(held, delay)
	}
	return held
}

// retryDelay returns how long the server asks us to wait, 0 when it does not.
func retryDelay(st *status.Status) time.Duration {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return min(info.GetRetryDelay().AsDuration(), maxThrottle)
		}
	}
	return 0
}

// clip bounds a text that the other side wrote.
func clip(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return text[:maxMessage] + "…"
}
