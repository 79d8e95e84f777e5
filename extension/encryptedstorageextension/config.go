// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/logseal/logseal/pkg/seglog"
)

// Config is the configuration of encrypted_storage.
type Config struct {
	// Directory is the store's own. It is made if it is not there.
	Directory string `mapstructure:"directory"`

	// KeyFile holds the store's keys, one a line, in base64. The first seals; the others open what was sealed before. It is
	// made at the first start. The default is storage.key in Directory.
	KeyFile string `mapstructure:"key_file"`

	// Key is the same text, instead of a file: `${env:NAME}`.
	Key configopaque.String `mapstructure:"key"`

	// Fsync says when writes are forced to the disk: never, interval or always.
	Fsync string `mapstructure:"fsync"`

	// FsyncInterval is the interval of `fsync: interval`.
	FsyncInterval time.Duration `mapstructure:"fsync_interval"`

	// MaxSizeMiB bounds the files; 0 leaves that to the disk. What does not fit is refused, never dropped.
	MaxSizeMiB int64 `mapstructure:"max_size_mib"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

const (
	defaultKeyFile = "storage.key"
	// minSizeMiB is what the positions, the stamp and a small queue need, with their reserve.
	minSizeMiB = 8
)

func createDefaultConfig() component.Config {
	return &Config{Fsync: string(seglog.SyncInterval), FsyncInterval: time.Second}
}

// Validate implements confmap.Validator.
func (c *Config) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New("directory: missing; name a folder that survives a restart, such as /var/lib/logseal/agent"))
	}
	if c.Key != "" && c.KeyFile != "" {
		errs = append(errs, errors.New("key and key_file: set one of them"))
	}
	if c.Key != "" {
		if _, err := seglog.ParseKeys(string(c.Key)); err != nil {
			errs = append(errs, fmt.Errorf("key: %w", err))
		}
	}
	switch seglog.SyncPolicy(c.Fsync) {
	case seglog.SyncNever, seglog.SyncInterval, seglog.SyncAlways:
	default:
		errs = append(errs, fmt.Errorf("fsync: %q is unknown; write never, interval (the default) or always", c.Fsync))
	}
	if c.FsyncInterval < 10*time.Millisecond || c.FsyncInterval > time.Hour {
		errs = append(errs, fmt.Errorf("fsync_interval: %s is not between 10ms and 1h", c.FsyncInterval))
	}
	if c.MaxSizeMiB != 0 && c.MaxSizeMiB < minSizeMiB {
		errs = append(errs, fmt.Errorf("max_size_mib: %d is below %d, which the reserve needs; 0 leaves the bound to the disk", c.MaxSizeMiB, minSizeMiB))
	}
	return errors.Join(errs...)
}

func (c *Config) keyFile() string {
	if c.KeyFile != "" {
		return c.KeyFile
	}
	return filepath.Join(c.Directory, defaultKeyFile)
}
