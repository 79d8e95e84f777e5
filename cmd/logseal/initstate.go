// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// serviceAccount is where the kubelet mounts a pod's token and the CA of the API server.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

func newInitStateCommand() *cobra.Command {
	var dir, owner, node, nameFile string
	cmd := &cobra.Command{
		Use:   "init-state --dir DIR --owner UID:GID [flags]",
		Short: "Prepare an agent's state folder, as the init container of a Kubernetes pod",
		Long: `init-state makes an agent's state folder and hands it, with all that is in it, to the user that the agent runs as.

The kubelet makes a hostPath folder that belongs to root, and an image without a shell has no chown; so the chart runs this
first. It needs CAP_CHOWN, and only when the folder belongs to somebody else. A second run changes nothing.

With --kubernetes-node it also asks the API server for the node's uid, and writes NODE/UID into --stream-name-file: the
name under which the node's stream is sealed. A node that was made anew under an old name then has another name in reports
and trust files, and does not pass for the old one.

Exit status: 0 done; 1 the folder or the name cannot be made; 2 usage.`,
		Example: `  # what the chart runs for an agent without root
  logseal init-state --dir /var/lib/logseal/agent --owner 10001:0

  # and the name of the node's stream
  logseal init-state --dir /var/lib/logseal/agent --owner 10001:0 \
    --kubernetes-node node-1 --stream-name-file /run/logseal/stream-name`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			uid, gid, err := parseOwner(owner)
			if err != nil {
				return err
			}
			if dir == "" {
				return errors.New("--dir is needed: the agent's state folder")
			}
			if (node == "") != (nameFile == "") {
				return errors.New("--kubernetes-node and --stream-name-file go together: the name of the node's stream, and where to write it")
			}
			if err := ownState(dir, uid, gid); err != nil {
				return exitError{exitFailed, err}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s belongs to %d:%d\n", dir, uid, gid)
			if node == "" {
				return nil
			}
			nodeUID, err := kubernetesNodeUID(cmd.Context(), serviceAccount, net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")), node)
			if err != nil {
				return exitError{exitFailed, err}
			}
			name := node + "/" + nodeUID
			if err := os.WriteFile(nameFile, []byte(name), 0o644); err != nil { //nolint:gosec // read by another user; no newline: ${file:…} takes it literally
				return exitError{exitFailed, err}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the stream is called %s\n", name)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the agent's state `folder`; made if it is not there")
	cmd.Flags().StringVar(&owner, "owner", "10001:0", "`uid:gid` that the agent runs as")
	cmd.Flags().StringVar(&node, "kubernetes-node", "", "`name` of the node whose uid is to be found")
	cmd.Flags().StringVar(&nameFile, "stream-name-file", "", "`file` for the stream's name")
	return cmd
}

func parseOwner(s string) (uid, gid int, err error) {
	u, g, found := strings.Cut(s, ":")
	uid, err1 := strconv.Atoi(u)
	gid, err2 := strconv.Atoi(g)
	if !found || err1 != nil || err2 != nil || uid < 0 || gid < 0 {
		return 0, 0, fmt.Errorf("--owner %q: two numbers are needed, uid:gid, such as 10001:0", s)
	}
	return uid, gid, nil
}

// ownState makes dir with mode 0700 and gives it, with all below it, to the user. What belongs to the user already is not looked
// into: with no capability but CHOWN, root itself may not.
func ownState(dir string, uid, gid int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the state folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder, and the agent's state needs one", dir)
	}
	if owns(info, uid, gid) {
		return nil
	}
	if err := give(dir, info, uid, gid); err != nil {
		return fmt.Errorf("cannot give the state folder to %d:%d: %w (run it as root with CAP_CHOWN, or have the folder provisioned with that owner)", uid, gid, err)
	}
	return nil
}

// give changes owners from the leaves up, so that what is not finished is found unfinished at the next start. A folder that this
// process may not enter is its own for a moment.
func give(path string, info fs.FileInfo, uid, gid int) error {
	if info.IsDir() {
		if !owns(info, os.Geteuid(), os.Getegid()) {
			if err := os.Lchown(path, os.Geteuid(), os.Getegid()); err != nil {
				return err
			}
		}
		if err := os.Chmod(path, 0o700); err != nil {
			return err
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			below, err := e.Info()
			if err != nil {
				return err
			}
			if err := give(filepath.Join(path, e.Name()), below, uid, gid); err != nil {
				return err
			}
		}
	}
	return os.Lchown(path, uid, gid) // never through a symbolic link
}

func owns(info fs.FileInfo, uid, gid int) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == uid && int(stat.Gid) == gid
}

// kubernetesNodeUID asks the API server at address for the uid of a node, with the credentials that the kubelet mounted at account.
// It tries for a minute: a node's network may come up after its first pods.
func kubernetesNodeUID(ctx context.Context, account, address, node string) (string, error) {
	ca, err := os.ReadFile(filepath.Join(account, "ca.crt"))
	if err != nil {
		return "", fmt.Errorf("no credentials for the API server: %w (mount a service account token, or leave --kubernetes-node out)", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return "", fmt.Errorf("%s holds no certificate", filepath.Join(account, "ca.crt"))
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		uid, again, err := nodeUID(ctx, client, account, address, node)
		if err == nil || !again {
			return uid, err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(2 * time.Second):
		}
	}
}

func nodeUID(ctx context.Context, client *http.Client, account, address, node string) (uid string, again bool, err error) {
	token, err := os.ReadFile(filepath.Join(account, "token"))
	if err != nil {
		return "", false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/api/v1/nodes/"+node, http.NoBody) //nolint:gosec // the address is the kubelet's, and its CA is checked
	if err != nil {
		return "", false, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	response, err := client.Do(request) //nolint:gosec // as above
	if err != nil {
		return "", true, fmt.Errorf("the API server does not answer: %w", err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusForbidden:
		return "", false, fmt.Errorf("the API server refuses: the service account needs `get` on nodes (the chart's ClusterRole; or set agent.bindNodeUID: false)")
	case response.StatusCode == http.StatusNotFound:
		return "", false, fmt.Errorf("the API server knows no node %q", node)
	case response.StatusCode != http.StatusOK:
		return "", true, fmt.Errorf("the API server answers %s", response.Status)
	}
	var object struct {
		Metadata struct {
			UID string `json:"uid"`
		} `json:"metadata"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 4<<20)).Decode(&object); err != nil || object.Metadata.UID == "" {
		return "", true, fmt.Errorf("the API server's answer holds no uid: %w", err)
	}
	return object.Metadata.UID, false, nil
}
