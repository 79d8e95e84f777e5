# What ships, beside the two binaries: image, chart, packages, and the release that holds them all. Everything goes into dist/, and twice
# the same commit gives twice the same bytes: no time but the commit's, no path and no name of the machine.

export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
REVISION  ?= $(shell git rev-parse HEAD 2>/dev/null)
IMAGE     ?= ghcr.io/logseal/logseal
ARCHS     := amd64 arm64
RELEASE   := $(abspath $(TOOLS))/release
CHART     := deploy/helm/logseal

##@ Release
.PHONY: image
image: dist/logseal-$(VERSION)-image.oci.tar ## The container image of both architectures: an OCI layout in dist/image, and the same as a tar file

.PHONY: chart
chart: $(RELEASE)/helm ## The Helm chart's package in dist/, and deploy/kubernetes/ rendered from it
	@mkdir -p dist
	@scripts/render-manifests $(RELEASE)/helm
	@$(RELEASE)/helm package $(CHART) --version $(VERSION) --app-version $(VERSION) --destination dist >/dev/null
	@echo "dist/logseal-$(VERSION).tgz"

.PHONY: packages
packages: $(foreach a,$(ARCHS),dist/logseal_$(VERSION)-1_$(a).deb) ## The Debian and RPM packages of both architectures in dist/

.PHONY: sbom
sbom: $(foreach a,$(ARCHS),dist/logseal-$(VERSION)-linux-$(a).cdx.json) ## The bills of materials (CycloneDX) in dist/

.PHONY: release
release: image chart packages sbom $(foreach a,$(ARCHS),dist/logseal-$(VERSION)-linux-$(a).tar.gz) ## All of these, archives of the binaries, provenance and SHA256SUMS
	@scripts/provenance "$(VERSION)" "$(REVISION)" dist
	@cd dist && sha256sum $$(ls -p | grep -v -e / -e SHA256SUMS | LC_ALL=C sort) > SHA256SUMS && cat SHA256SUMS

.PHONY: release-check
release-check: ## Make the release of the last commit twice, from two clones in different folders, and compare every byte
	@scripts/release-check

dist/linux_%/otelcol-logseal: $(SOURCES)
	@echo "Compiling otelcol-logseal for linux/$*: the first time as long as a first build"
	@mkdir -p $(@D)
	@GOOS=linux GOARCH=$* $(GOBUILD) -ldflags '$(LDFLAGS)' -o $@ ./components

dist/linux_%/logseal: $(SOURCES)
	@mkdir -p $(@D)
	@GOOS=linux GOARCH=$* $(GOBUILD) -ldflags '$(LDFLAGS)' -o $@ ./cmd/logseal

BINARIES := $(foreach a,$(ARCHS),dist/linux_$(a)/otelcol-logseal dist/linux_$(a)/logseal)
.PRECIOUS: $(BINARIES)

dist/logseal-$(VERSION)-image.oci.tar: $(BINARIES) $(RELEASE)/image
	@$(RELEASE)/image -out dist/image -archive $@ -name $(IMAGE):$(VERSION) -version $(VERSION) -revision "$(REVISION)" \
	  $(foreach a,$(ARCHS),linux/$(a)=dist/linux_$(a))

# journalctl and its libraries from Debian's packages beside the same binaries: for agents that read a node's journal. Of this machine's architecture.
.PHONY: image-journald
image-journald: $(BINARIES) $(RELEASE)/image ## The image with journalctl in it (tag -journald), for this machine's architecture
	@rm -rf dist/journald && scripts/journalctl-rootfs dist/journald
	@$(RELEASE)/image -out dist/image-journald -archive dist/logseal-$(VERSION)-journald-image.oci.tar -name $(IMAGE):$(VERSION)-journald \
	  -version $(VERSION) -revision "$(REVISION)" -rootfs dist/journald linux/$$(go env GOARCH)=dist/linux_$$(go env GOARCH)

# What is linked into a program, read from the program itself.
dist/logseal-$(VERSION)-linux-%.cdx.json: dist/linux_%/otelcol-logseal dist/linux_%/logseal $(RELEASE)/cyclonedx-gomod
	@$(RELEASE)/cyclonedx-gomod bin -json -noserial -notimestamp -std -version v$(VERSION) -output $(@:.cdx.json=-cli.cdx.json) dist/linux_$*/logseal
	@$(RELEASE)/cyclonedx-gomod bin -json -noserial -notimestamp -std -version v$(VERSION) -output $@ dist/linux_$*/otelcol-logseal

dist/docs/.done: $(SOURCES)
	@rm -rf dist/docs && mkdir -p dist/docs/man dist/docs/completions
	@go run -buildvcs=false -tags man ./cmd/logseal dist/docs/man
	@gzip -9n dist/docs/man/*.1
	@go build -buildvcs=false -o dist/docs/logseal ./cmd/logseal
	@dist/docs/logseal completion bash > dist/docs/completions/logseal.bash
	@dist/docs/logseal completion zsh > dist/docs/completions/_logseal
	@dist/docs/logseal completion fish > dist/docs/completions/logseal.fish
	@rm dist/docs/logseal && touch $@

dist/logseal_$(VERSION)-1_%.deb: dist/linux_%/otelcol-logseal dist/linux_%/logseal dist/docs/.done dist/logseal-$(VERSION)-linux-%.cdx.json $(wildcard deploy/packages/*) $(RELEASE)/nfpm
	@for kind in deb rpm; do \
	  ARCH=$* VERSION=$(VERSION) BIN=dist/linux_$* DOCS=dist/docs SBOM=dist/logseal-$(VERSION)-linux-$* \
	  $(RELEASE)/nfpm package --config deploy/packages/nfpm.yaml --packager $$kind --target dist || exit 1; \
	done; ls dist/logseal*$(VERSION)-1*$*.deb

dist/logseal-$(VERSION)-linux-%.tar.gz: dist/linux_%/otelcol-logseal dist/linux_%/logseal
	@rm -rf dist/tar_$* && mkdir -p dist/tar_$*/logseal-$(VERSION)
	@cp dist/linux_$*/* LICENSE README.md CHANGELOG.md dist/tar_$*/logseal-$(VERSION)/
	@cp -r docs distributions deploy dist/tar_$*/logseal-$(VERSION)/
	@tar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --mode=u+rw,go+rX,go-w -C dist/tar_$* -cf - logseal-$(VERSION) | gzip -9n > $@
	@rm -rf dist/tar_$*; echo $@

$(RELEASE)/image: $(wildcard internal/tools/release/image/*.go) internal/tools/release/go.mod
	@cd internal/tools/release && GOFLAGS=-buildvcs=false CGO_ENABLED=0 GOBIN=$(RELEASE) go install -trimpath ./image
$(RELEASE)/customobjects: $(wildcard internal/tools/customobjects/*)
	@echo "Building $(@F) (the first time: a minute or two)"
	@cd internal/tools/customobjects && GOFLAGS=-buildvcs=false CGO_ENABLED=0 GOBIN=$(RELEASE) go install -trimpath .
$(RELEASE)/cyclonedx-gomod: TOOL := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
$(RELEASE)/nfpm: TOOL := github.com/goreleaser/nfpm/v2/cmd/nfpm
$(RELEASE)/helm: TOOL := helm.sh/helm/v4/cmd/helm
$(RELEASE)/%: internal/tools/release/go.mod internal/tools/release/go.sum
	@echo "Building $(@F) (the first time: a minute or two)"
	@cd internal/tools/release && GOFLAGS=-buildvcs=false CGO_ENABLED=0 GOBIN=$(RELEASE) go install -trimpath $(TOOL)
	@touch $@

.PHONY: release-tools
release-tools: $(RELEASE)/helm $(RELEASE)/customobjects $(RELEASE)/image $(RELEASE)/nfpm $(RELEASE)/cyclonedx-gomod ## Build the tools that these targets and tests/deploy use

.PHONY: test-packages
test-packages: packages ## Install, upgrade and purge the Debian package in a Debian of its own (root, mmdebstrap)
	@command -v mmdebstrap >/dev/null || { echo "make test-packages needs mmdebstrap (Debian: apt-get install mmdebstrap)"; exit 1; }
	@root=$$(mktemp -d) && trap 'rm -rf --one-file-system "$$root"' EXIT && \
	  mmdebstrap --quiet --variant=minbase --include=systemd,ca-certificates bookworm "$$root" && \
	  LOGSEAL_TEST_DEBIAN="$$root" go test -buildvcs=false -count=1 -run TestPackage -v ./tests/deploy

CLUSTER := $(abspath .cluster)
.PHONY: test-cluster
test-cluster: bin/otelcol-logseal bin/logseal $(RELEASE)/image $(RELEASE)/helm ## Install the chart on a real one-node Kubernetes on this machine (root; the first time it builds Kubernetes: an hour)
	@[ -x $(CLUSTER)/bin/kubelet ] || K8S_HOME=$(CLUSTER) tests/cluster/build
	@tests/cluster/images $(CLUSTER)/img
	@tests/cluster/crds $(CLUSTER)/crds
	@$(RELEASE)/image -out $(CLUSTER)/image -archive $(CLUSTER)/img/logseal.oci.tar -name logseal.test/logseal:1 -version $(VERSION) linux/$$(go env GOARCH)=bin
	LOGSEAL_TEST_CLUSTER=$(CLUSTER) CGO_ENABLED=0 go test -buildvcs=false -count=1 -timeout 30m -v ./tests/cluster
