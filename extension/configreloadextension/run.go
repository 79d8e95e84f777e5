// SPDX-License-Identifier: Apache-2.0

package configreloadextension

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"

	"github.com/logseal/logseal/internal/configcheck"
)

const (
	// checkVariable is set for the child process that checks a configuration.
	checkVariable = "LOGSEAL_CHECK_FILES"
	checkTimeout  = time.Minute
	// maxWhy bounds what of the child's complaint is repeated, in bytes.
	maxWhy = 2048
	// remindInterval is how often a refusal is logged that lasts.
	remindInterval = 10 * time.Minute
)

// failedReload is how otelcol's errors of a reload begin; those of a first start and of a stop do not.
var failedReload = []string{"failed to setup configuration components", "failed to shutdown the retiring config"}

// Run runs the collector's command line. It returns when the command is done.
func Run(set otelcol.CollectorSettings) error {
	r := &runner{}
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ProviderFactories = r.sources.wrap(resolver.ProviderFactories)
	resolver.ConverterFactories = append(resolver.ConverterFactories, confmap.NewConverterFactory(r.newConverter))

	if cmd, _, err := otelcol.NewCommand(set).Find(os.Args[1:]); err != nil || cmd.HasParent() {
		return otelcol.NewCommand(set).Execute() // validate, components, …
	}
	defer r.stops.serve()()
	for {
		stop := r.takeSignals()
		err := otelcol.NewCommand(set).Execute()
		stop()
		if err == nil || !isFailedReload(err) || r.stops.asked.Load() {
			return err
		}
		// The old configuration is stopped, the new one could not be started.
		process.set(err)
		fmt.Fprintf(os.Stderr, "The configuration that was asked for cannot be started, and the one before is started again: %v\n", err)
		r.sources.goBack()
	}
}

func isFailedReload(err error) bool {
	for _, start := range failedReload {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

type runner struct {
	sources sources
	stops   stops
	logger  atomic.Pointer[zap.Logger]
}

// takeSignals takes SIGHUP over from otelcol, until the function that it returns is called.
//
// otelcol asks for the signal once its first configuration runs. Until then the signal is ignored, and that it is ignored no
// more tells that otelcol has asked. A second Ignore takes the signal away from it.
func (r *runner) takeSignals() (stop func()) {
	signal.Ignore(syscall.SIGHUP)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for signal.Ignored(syscall.SIGHUP) {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
		r.stops.listening.Store(time.Now().UnixNano())
		signal.Ignore(syscall.SIGHUP)
		asked := make(chan os.Signal, 1) // more than one request to come is one
		signal.Notify(asked, syscall.SIGHUP)
		defer signal.Stop(asked)
		r.serve(ctx, asked)
	}()
	return func() {
		cancel()
		<-done
		r.stops.listening.Store(0)
	}
}

func (r *runner) serve(ctx context.Context, asked <-chan os.Signal) {
	remind := time.NewTicker(remindInterval)
	defer remind.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-remind.C:
			if why, _ := process.state(); why != nil {
				r.log().Error("The configuration on disk was refused, and the one before runs on", zap.Error(why))
			}
		case <-asked:
			r.log().Info("Received SIGHUP; the configuration on disk is checked before it is taken")
			if err := check(ctx); err != nil {
				if ctx.Err() != nil {
					return
				}
				process.set(err)
				r.log().Error("The configuration on disk is refused, and the one before runs on", zap.Error(err))
				continue
			}
			process.set(nil)
			if !r.sources.trigger() {
				r.log().Error("The configuration cannot be reloaded: no source of it can be read again")
			}
		}
	}
}

// check has a child process of the same program validate the configuration on disk, with the same arguments.
func check(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("it cannot be checked: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"validate"}, os.Args[1:]...)...) //nolint:gosec // our own program and arguments
	cmd.Env = append(os.Environ(), checkVariable+"=1")
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	why := strings.TrimPrefix(strings.TrimSpace(string(output)), "Error: ")
	if len(why) > maxWhy {
		why = strings.ToValidUTF8(why[:maxWhy], "") + "…"
	}
	if why == "" {
		why = err.Error()
	}
	return errors.New(why)
}

func (r *runner) log() *zap.Logger {
	if logger := r.logger.Load(); logger != nil {
		return logger
	}
	return zap.NewNop()
}

// newConverter returns a converter that changes nothing. otelcol gives it a logger, and the configuration as it is when
// everything in it is expanded.
func (r *runner) newConverter(set confmap.ConverterSettings) confmap.Converter {
	r.logger.Store(set.Logger)
	return filesConverter{&r.sources}
}

type filesConverter struct{ sources *sources }

// Convert checks, in the child process, the files that the configuration names.
func (c filesConverter) Convert(_ context.Context, conf *confmap.Conf) error {
	c.sources.resolved()
	if os.Getenv(checkVariable) == "" {
		return nil
	}
	return configcheck.Unusable(configcheck.All(conf.ToStringMap(), time.Now()))
}
