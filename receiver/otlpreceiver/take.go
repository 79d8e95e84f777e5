// SPDX-License-Identifier: Apache-2.0

package otlpreceiver

import (
	"context"
	"crypto/x509"
	"errors"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/pkg/clientid"
)

// taker hands requests on, whichever protocol brought them.
type taker struct {
	next      consumer.Logs
	obsreport *receiverhelper.ObsReport
	identity  ClientIdentity
	telemetry *telemetry
	mismatch  *rateLimited
}

func newTaker(transport string, r *otlp, next consumer.Logs) (*taker, error) {
	obsreport, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: transport, ReceiverCreateSettings: r.set,
	})
	if err != nil {
		return nil, err
	}
	return &taker{
		next: next, obsreport: obsreport, identity: r.config.ClientIdentity, telemetry: r.telemetry,
		mismatch: newRateLimited(r.set.Logger, "Refused records in another host's name; the sender has them"),
	}, nil
}

// take hands a request on and returns nil, or an error that has a gRPC status. cert is the client's, verified; nil when it
// has none.
func (t *taker) take(ctx context.Context, logs plog.Logs, peer string, cert *x509.Certificate) error {
	records := logs.LogRecordCount()
	if records == 0 {
		return nil
	}
	ctx = t.obsreport.StartLogsOp(ctx)
	err := t.identify(logs, records, peer, cert)
	if err == nil {
		err = t.next.ConsumeLogs(ctx, logs)
	}
	t.obsreport.EndLogsOp(ctx, "protobuf", records, err)
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	// Internal asks a sender of ours to try again, and stock senders to give up.
	if consumererror.IsPermanent(err) {
		return status.Error(codes.Internal, err.Error())
	}
	return status.Error(codes.Unavailable, err.Error())
}

// identify puts the client's identity on the records, or refuses them.
//
// A mismatch is PermissionDenied, for which the siem exporter holds its data: a host whose name or certificate is wrong
// loses nothing until it is corrected.
func (t *taker) identify(logs plog.Logs, records int, peer string, cert *x509.Certificate) error {
	if !t.identity.Enabled {
		return nil
	}
	if cert == nil {
		clientid.Strip(logs)
		return nil
	}
	id := clientid.Of(cert)
	if t.identity.RequireMatch != "" {
		if err := id.Match(logs, t.identity.RequireMatch); err != nil {
			t.telemetry.mismatched(records)
			mismatch := (*clientid.Mismatch)(nil)
			errors.As(err, &mismatch)
			t.mismatch.warn(id.Name, zap.String("peer", peer), zap.String("client", id.Name), zap.String("serial", id.Serial),
				zap.String("attribute", mismatch.Attribute), zap.String("claimed", mismatch.Claimed))
			return status.Error(codes.PermissionDenied, err.Error())
		}
	}
	id.Put(logs)
	return nil
}

// grpcService is the OTLP logs service.
type grpcService struct {
	plogotlp.UnimplementedGRPCServer
	taker *taker
}

// Export implements plogotlp.GRPCServer.
func (s *grpcService) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	peer, cert := grpcPeer(ctx)
	return plogotlp.NewExportResponse(), s.taker.take(ctx, request.Logs(), peer, cert)
}
