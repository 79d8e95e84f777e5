// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// followInterval is how often the trust file is looked at, as certificates are.
const followInterval = 5 * time.Second

// trustFile is the file of those who are trusted, followed, and that of those who were learned, written.
type trustFile struct {
	config TrustConfig
	logger *zap.Logger
	health *health
	text   []byte // what was read last, good or bad
	list   []seal.Trust

	// shorter is a text without lines of before that was read once. It counts if it is still so at the next look: what is known of a
	// stream cannot be had back, and a file may be read while somebody writes it.
	shorter []byte

	learned []byte // what was written last
}

func newTrustFile(config TrustConfig, logger *zap.Logger, health *health) *trustFile {
	return &trustFile{config: config, logger: logger, health: health}
}

// read reads the file at a start. What cannot be read does not stop the start, for the records' way does not lead through here: those
// are trusted whom the text before names, as it was kept, nobody if there is none. Without them what is known of their streams would be
// given up, and whoever can take the file away for one start could rewrite a host's history unseen.
func (f *trustFile) read(before []byte) []seal.Trust {
	if before != nil {
		f.list, _ = seal.ParseTrust(bytes.NewReader(before)) // it was parsed before it was kept
	}
	list, _ := f.follow()
	return list
}

// follow returns who is trusted, and whether that has changed. While the file cannot be used, those of before stay.
func (f *trustFile) follow() (list []seal.Trust, changed bool) {
	if f.config.File == "" {
		return nil, false
	}
	text, err := os.ReadFile(f.config.File)
	if err == nil && f.text != nil && bytes.Equal(text, f.text) {
		return f.list, false
	}
	var parsed []seal.Trust
	if err == nil {
		f.text = text
		parsed, err = seal.ParseTrust(bytes.NewReader(text))
	}
	if err != nil {
		f.text = nil
		f.health.set(troubleTrust, fmt.Errorf("trust.file %s cannot be used, and the %d streams that were trusted before stay: %w", f.config.File, len(f.list), err))
		return f.list, false
	}
	f.health.set(troubleTrust, nil)
	if f.takesAway(parsed) && !bytes.Equal(text, f.shorter) {
		f.text, f.shorter = nil, text
		return f.list, false
	}
	f.shorter = nil
	if slices.Equal(parsed, f.list) {
		return f.list, false
	}
	f.list = parsed
	f.logger.Info("Streams are trusted", zap.String("file", f.config.File), zap.Int("streams", len(parsed)))
	return f.list, true
}

// takesAway reports whether a stream of before is not among those that were read.
func (f *trustFile) takesAway(parsed []seal.Trust) bool {
	return slices.ContainsFunc(f.list, func(before seal.Trust) bool {
		return !slices.ContainsFunc(parsed, func(t seal.Trust) bool { return t.Key == before.Key })
	})
}

// writeLearned writes the trust lines of what was learned, if they have changed.
func (f *trustFile) writeLearned(learned func() []watch.Learned) {
	if f.config.LearnedFile == "" {
		return
	}
	text := learnedText(learned())
	if text == nil || bytes.Equal(text, f.learned) {
		return
	}
	err := replaceFile(f.config.LearnedFile, text)
	if err == nil {
		f.learned = text
	} else {
		err = fmt.Errorf("trust.learned_file %s cannot be written: %w", f.config.LearnedFile, err)
	}
	f.health.set(troubleLearned, err)
}

// learnedText is the file of learned streams; nil if there are none.
func learnedText(list []watch.Learned) []byte {
	if len(list) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("# Streams that were trusted from their first seal on. Compare each with what its host has (logseal enroll), then move its line\n" +
		"# to your trust file.\n")
	for i := range list {
		l := &list[i]
		from := l.From.Address
		if from == "" {
			from = "an unknown address"
		}
		if l.From.Identity != "" {
			from += ", certificate of " + l.From.Identity
		}
		fmt.Fprintf(&b, "# %s from %s\n%s\n", l.When.UTC().Format(time.RFC3339), comment(from), l.Trust.String())
	}
	return b.Bytes()
}

// comment keeps a certificate's name, which its authority has checked and we have not, on its line.
func comment(text string) string { return strings.TrimSpace(verifier.Printable(text)) }

// replaceFile writes a file whole or not at all.
func replaceFile(path string, text []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new")
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	if syncErr := temporary.Sync(); err == nil {
		err = syncErr
	}
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Chmod(temporary.Name(), 0o640)
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}
