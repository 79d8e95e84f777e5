// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// file is one entry of a layer.
type file struct {
	data []byte
	link string // target of a symbolic link
	mode int64
	dir  bool
	uid  int
}

// files are the entries of a layer by path, without a leading slash.
type files map[string]file

// system is everything but the binaries: who runs, whom TLS trusts, and the configurations.
func system(o options) (files, error) {
	f := files{
		"tmp":             {dir: true, mode: 0o1777},
		"var/lib/logseal": {dir: true, mode: 0o770, uid: 10001},
		"etc/passwd":      {mode: 0o644, data: []byte("root:x:0:0::/:/sbin/nologin\nlogseal:x:10001:0::/:/sbin/nologin\n")},
		"etc/group":       {mode: 0o644, data: []byte("root:x:0:\nlogseal:x:10001:\n")},
	}
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil { // a PEM file cannot say it
			continue
		}
		if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	f["etc/ssl/certs/ca-certificates.crt"] = file{mode: 0o644, data: roots.Bytes()}
	for _, role := range []string{"agent", "gateway", "siem"} {
		if err := f.copy("etc/logseal/"+role+".yaml", filepath.Join(o.configs, role, "config.yaml"), 0o644); err != nil {
			return nil, err
		}
	}
	// Laid over the gateway's by whoever wants it.
	if err := f.copy("etc/logseal/gateway-webhook.yaml", filepath.Join(o.configs, "gateway", "webhook.yaml"), 0o644); err != nil {
		return nil, err
	}
	if o.rootfs == "" {
		return f, nil
	}
	return f, f.tree(o.rootfs)
}

func (f files) copy(to, from string, mode int64) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f[to] = file{data: data, mode: mode}
	return nil
}

// tree takes over a folder with all that is below it: files, folders and symbolic links.
func (f files) tree(root string) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(p)
			f[filepath.ToSlash(rel)] = file{link: target, mode: 0o777}
			return err
		}
		return f.copy(filepath.ToSlash(rel), p, int64(info.Mode().Perm()))
	})
}

// layer renders the files as a layer, folders before what is in them, in alphabetical order.
func (f files) layer() (v1.Layer, error) {
	all := maps.Clone(f)
	for name := range f {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, there := all[dir]; !there {
				all[dir] = file{dir: true, mode: 0o755}
			}
		}
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		e := all[name]
		h := &tar.Header{Name: name, Mode: e.mode, Uid: e.uid, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		switch {
		case e.dir:
			h.Typeflag, h.Name = tar.TypeDir, name+"/"
		case e.link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		default:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.data))
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
}

// archive writes a layout as one tar file: what `ctr images import` and `podman load` take.
func archive(layout, to string, at time.Time) error {
	var names []string
	err := filepath.WalkDir(layout, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	for _, p := range names { // WalkDir is in alphabetical order
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(p, layout+string(filepath.Separator)))
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Close()
}
