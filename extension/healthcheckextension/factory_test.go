// SPDX-License-Identifier: Apache-2.0

package healthcheckextension

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pipeline"
	"go.uber.org/goleak"

	"github.com/logseal/logseal/internal/testport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t *testing.T, section map[string]any) (*Config, error) {
	t.Helper()
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(section).Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

type watcher interface {
	component.Component
	ComponentStatusChanged(*componentstatus.InstanceID, *componentstatus.Event)
	Ready() error
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Close = true
	resp, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// A component in trouble for longer than recovery_duration makes the answer 500, however the section is written.
func TestTroubleIsNotHealthy(t *testing.T) {
	for name, section := range map[string]func(address string) map[string]any{
		"as ever": func(a string) map[string]any {
			return map[string]any{"endpoint": a, "component_health": map[string]any{"recovery_duration": "0s"}}
		},
		"http": func(a string) map[string]any {
			return map[string]any{"http": map[string]any{"endpoint": a}, "component_health": map[string]any{"recovery_duration": "0s"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := testport.Address(t)
			cfg, err := load(t, section(address))
			require.NoError(t, err)
			ext, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(NewFactory().Type()), cfg)
			require.NoError(t, err)
			require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
			defer func() { require.NoError(t, ext.Shutdown(t.Context())) }()
			w := ext.(watcher)
			require.NoError(t, w.Ready())

			siem := componentstatus.NewInstanceID(component.MustNewID("siem"), component.KindExporter, pipeline.NewID(pipeline.SignalLogs))
			self := componentstatus.NewInstanceID(component.MustNewID("health_check"), component.KindExtension)
			expect := func(status int, texts ...string) {
				t.Helper()
				require.Eventually(t, func() bool { got, _ := get(t, "http://"+address); return got == status }, 30*time.Second, 5*time.Millisecond)
				_, body := get(t, "http://"+address+"/?verbose")
				for _, text := range texts {
					assert.Contains(t, body, text)
				}
			}
			w.ComponentStatusChanged(self, componentstatus.NewEvent(componentstatus.StatusOK))
			w.ComponentStatusChanged(siem, componentstatus.NewEvent(componentstatus.StatusOK))
			expect(http.StatusOK)
			w.ComponentStatusChanged(siem, componentstatus.NewRecoverableErrorEvent(errors.New("the queue is full")))
			expect(http.StatusInternalServerError, "the queue is full", "exporter:siem")
			live, _ := get(t, "http://"+address+"/?pipeline=extensions")
			assert.Equal(t, http.StatusOK, live, "the process is alive")
			w.ComponentStatusChanged(siem, componentstatus.NewEvent(componentstatus.StatusOK))
			expect(http.StatusOK)
		})
	}
}

func TestDefaults(t *testing.T) {
	cfg, err := load(t, nil)
	require.NoError(t, err)
	inner := cfg.Stock.Config
	assert.Equal(t, "localhost:13133", inner.HTTPConfig.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, "/", inner.HTTPConfig.Status.Path)
	assert.False(t, inner.HTTPConfig.Config.Enabled, "the configuration is nobody's business")
	assert.True(t, inner.ComponentHealthConfig.IncludeRecoverable)
	assert.Equal(t, time.Minute, inner.ComponentHealthConfig.RecoveryDuration)
}

func TestRefused(t *testing.T) {
	for want, section := range map[string]map[string]any{
		"check_collector_pipeline": {"check_collector_pipeline": map[string]any{"enabled": true}},
		"under http":               {"endpoint": "localhost:1", "http": map[string]any{"endpoint": "localhost:1"}},
	} {
		_, err := load(t, section)
		require.ErrorContains(t, err, want)
	}
}
