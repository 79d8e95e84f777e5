// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/internal/hectest"
)

const hecToken = "c0ffee00-0000-4000-8000-000000000001"

// hecAnswers say in a collector's words what a sink was told to say over gRPC.
var hecAnswers = map[codes.Code]hectest.Answer{
	codes.Unknown:           hectest.InternalError,
	codes.Internal:          hectest.InternalError,
	codes.InvalidArgument:   hectest.InvalidFormat,
	codes.ResourceExhausted: {Status: http.StatusRequestEntityTooLarge},
	codes.Unauthenticated:   hectest.InvalidToken,
	codes.Unavailable:       hectest.Busy,
}

// collector returns an HTTP Event Collector that hands originals to the sink.
func (s *sink) collector() *hectest.Server {
	return &hectest.Server{Token: hecToken, Judge: func(events []hectest.Event) hectest.Answer {
		logs := plog.NewLogs()
		for _, event := range events {
			one, err := new(plog.JSONUnmarshaler).UnmarshalLogs([]byte(event.Raw()))
			if err != nil {
				return hectest.Answer{Status: http.StatusTeapot, Text: err.Error()}
			}
			one.ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
		}
		_, err := s.Export(context.Background(), plogotlp.NewExportRequestFromLogs(logs))
		var answer httpAnswer
		switch {
		case errors.As(err, &answer):
			return hectest.Answer{Status: answer.code, Header: answer.header}
		case err != nil:
			return hecAnswers[status.Code(err)]
		default:
			return hectest.Answer{}
		}
	}}
}
