// SPDX-License-Identifier: Apache-2.0

package otlpreceiver

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/logseal/logseal/pkg/tlsserver"
	"github.com/logseal/logseal/receiver/internal/listenerr"
)

type otlp struct {
	config    *Config
	set       receiver.Settings
	telemetry *telemetry
	grpcTaker *taker
	httpTaker *taker

	secured    []*tlsserver.Server
	grpcServer *grpc.Server
	httpServer *http.Server
	serving    sync.WaitGroup
}

func newOTLP(cfg *Config, set receiver.Settings, next consumer.Logs) (*otlp, error) {
	telemetry, err := newTelemetry(set)
	if err != nil {
		return nil, err
	}
	r := &otlp{config: cfg, set: set, telemetry: telemetry}
	if r.grpcTaker, err = newTaker("grpc", r, next); err != nil {
		return nil, err
	}
	if r.httpTaker, err = newTaker("http", r, next); err != nil {
		return nil, err
	}
	return r, nil
}

// Start listens.
func (r *otlp) Start(ctx context.Context, host component.Host) error {
	err := r.startGRPC(ctx, host)
	if err == nil {
		err = r.startHTTP(ctx, host)
	}
	if err == nil {
		err = r.telemetry.observe(r.secured)
	}
	if err != nil {
		// What was started already is stopped: a collector that could not start does not call Shutdown on everything.
		return errors.Join(err, r.Shutdown(ctx))
	}
	return nil
}

func (r *otlp) startGRPC(ctx context.Context, host component.Host) error {
	if !r.config.Protocols.GRPC.HasValue() {
		return nil
	}
	cfg := *r.config.Protocols.GRPC.Get()
	var opts []configgrpc.ToServerOption
	if cfg.TLS.HasValue() {
		server, err := r.secure(ctx, "grpc", *cfg.TLS.Get(), []string{"h2"}, host)
		if err != nil {
			return err
		}
		// The last credentials win, over those that configgrpc makes.
		opts = append(opts, configgrpc.WithGrpcServerOption(grpc.Creds(serverCredentials{server})))
	}
	var err error
	if r.grpcServer, err = cfg.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, opts...); err != nil {
		return err
	}
	plogotlp.RegisterGRPCServer(r.grpcServer, &grpcService{taker: r.grpcTaker})
	listener, err := cfg.NetAddr.Listen(ctx)
	if err != nil {
		return listenerr.Explain("protocols::grpc::endpoint", err)
	}
	r.set.Logger.Info("Starting GRPC server", zap.String("endpoint", listener.Addr().String()))
	r.serving.Go(func() {
		if err := r.grpcServer.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

func (r *otlp) startHTTP(ctx context.Context, host component.Host) error {
	if !r.config.Protocols.HTTP.HasValue() {
		return nil
	}
	cfg := r.config.Protocols.HTTP.Get()
	mux := http.NewServeMux()
	mux.HandleFunc(string(cfg.LogsURLPath), r.httpTaker.serveHTTP)
	server := cfg.ServerConfig
	var err error
	if r.httpServer, err = server.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, mux, confighttp.WithErrorHandler(writeErrorText)); err != nil {
		return err
	}
	r.httpServer.ConnContext = contextWithConn
	listener, err := server.NetAddr.Listen(ctx)
	if err != nil {
		return listenerr.Explain("protocols::http::endpoint", err)
	}
	if server.TLS.HasValue() {
		secured, err := r.secure(ctx, "http", *server.TLS.Get(), []string{"h2", "http/1.1"}, host)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		listener = secured.Listener(listener)
	}
	r.set.Logger.Info("Starting HTTP server", zap.String("endpoint", listener.Addr().String()))
	r.serving.Go(func() {
		if err := r.httpServer.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// Shutdown stops listening, and returns when the requests under way are answered.
func (r *otlp) Shutdown(ctx context.Context) error {
	var err error
	if r.httpServer != nil {
		err = r.httpServer.Shutdown(ctx)
	}
	if r.grpcServer != nil {
		r.grpcServer.GracefulStop()
	}
	r.serving.Wait()
	for _, server := range r.secured {
		server.Close()
	}
	r.secured = nil
	r.telemetry.builder.Shutdown()
	return err
}
