// SPDX-License-Identifier: Apache-2.0

// Command image writes Logseal's container image as an OCI image layout, without a container engine, a registry or root.
// The same binaries give the same bytes, whoever builds and whenever: every file in it has one owner, one time and one
// order, and the CA certificates come from a module that go.sum pins.
//
//	image -out DIR -archive FILE -name REF -version V [-revision R] [-rootfs DIR] PLATFORM=BINDIR ...
//
// PLATFORM is linux/amd64 or linux/arm64, BINDIR a folder that holds otelcol-logseal and logseal for it. -rootfs lays further
// files, such as journalctl and its libraries, under the image of a single platform.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is who the collector runs as where nobody says otherwise. Group 0 is what lets it read the logs that containerd
// writes (0640 root:root) without any capability.
const user = "10001:0"

type options struct {
	out, archive, name, version, revision, rootfs, configs string
	created                                                time.Time
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("image: ")
	var o options
	flag.StringVar(&o.out, "out", "dist/image", "folder of the OCI image layout, made anew")
	flag.StringVar(&o.archive, "archive", "", "also write the layout as one tar file, for ctr and podman")
	flag.StringVar(&o.name, "name", "", "reference in the layout's index, such as ghcr.io/logseal/logseal:0.1.0")
	flag.StringVar(&o.version, "version", "", "version label")
	flag.StringVar(&o.revision, "revision", "", "revision label: the commit")
	flag.StringVar(&o.rootfs, "rootfs", "", "folder of further files for the image")
	flag.StringVar(&o.configs, "configs", "distributions", "folder of the shipped configurations")
	flag.Parse()
	o.created = epoch()
	if o.name == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := build(o, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// epoch is SOURCE_DATE_EPOCH (reproducible-builds.org), or 1970.
func epoch() time.Time {
	var s int64
	fmt.Sscan(os.Getenv("SOURCE_DATE_EPOCH"), &s) //nolint:errcheck // what is no number is 0
	return time.Unix(s, 0).UTC()
}

func build(o options, platforms []string) error {
	if o.rootfs != "" && len(platforms) > 1 {
		return fmt.Errorf("-rootfs holds programs of one platform, and %d are named", len(platforms))
	}
	var index v1.ImageIndex = empty.Index
	index = mutate.IndexMediaType(index, types.OCIImageIndex)
	for _, p := range platforms {
		name, dir, found := strings.Cut(p, "=")
		platform, err := v1.ParsePlatform(name)
		if !found || err != nil {
			return fmt.Errorf("%q is not of the form linux/ARCH=FOLDER", p)
		}
		image, err := imageOf(o, platform, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		digest, err := image.Digest()
		if err != nil {
			return err
		}
		log.Printf("%-12s %s", name, digest)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	return write(o, index)
}

func imageOf(o options, platform *v1.Platform, bin string) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	base, err := system(o)
	if err != nil {
		return nil, err
	}
	binaries := files{}
	for _, name := range []string{"otelcol-logseal", "logseal"} {
		if err := binaries.copy("usr/bin/"+name, filepath.Join(bin, name), 0o755); err != nil {
			return nil, err
		}
	}
	// What changes least comes first, so that an update fetches least.
	for _, layer := range []struct {
		files files
		what  string
	}{{base, "system files, CA certificates, configurations"}, {binaries, "otelcol-logseal and logseal"}} {
		l, err := layer.files.layer()
		if err != nil {
			return nil, err
		}
		if image, err = mutate.Append(image, mutate.Addendum{Layer: l, History: v1.History{
			Created: v1.Time{Time: o.created}, CreatedBy: "make image", Comment: layer.what,
		}}); err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Created = v1.Time{Time: o.created}
	config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
	config.Config = v1.Config{
		User:       user,
		Entrypoint: []string{"/usr/bin/otelcol-logseal"},
		Cmd:        []string{"--config", "/etc/logseal/agent.yaml"},
		Env:        []string{"PATH=/usr/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"},
		WorkingDir: "/",
		Labels: map[string]string{ // https://github.com/opencontainers/image-spec/blob/main/annotations.md
			"org.opencontainers.image.title":         "logseal",
			"org.opencontainers.image.description":   "An OpenTelemetry Collector distribution for logs that must be trusted: agent and gateway",
			"org.opencontainers.image.version":       o.version,
			"org.opencontainers.image.revision":      o.revision,
			"org.opencontainers.image.licenses":      "Apache-2.0",
			"org.opencontainers.image.source":        "https://github.com/logseal/logseal",
			"org.opencontainers.image.documentation": "https://github.com/logseal/logseal/blob/main/docs/deploy.md",
			"org.opencontainers.image.created":       o.created.Format(time.RFC3339),
		},
	}
	return mutate.ConfigFile(image, config)
}

// write leaves the layout in o.out with the one index as its only entry, under o.name.
func write(o options, index v1.ImageIndex) error {
	if err := os.RemoveAll(o.out); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	l, err := layout.Write(o.out, empty.Index)
	if err != nil {
		return err
	}
	if err := l.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": o.name,
		"io.containerd.image.name":          o.name, // what `ctr images import` calls it
	})); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	log.Printf("%-12s %s", "index", digest)
	if o.archive == "" {
		return nil
	}
	return archive(o.out, o.archive, o.created)
}
