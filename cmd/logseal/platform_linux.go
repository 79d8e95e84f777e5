// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/spf13/cobra"

// platformCommands are those that only a host or node needs: the demonstration runs collectors, init-state gives files away. Auditors' machines
// have the others.
func platformCommands() []*cobra.Command {
	return []*cobra.Command{newDemoCommand(), newInitStateCommand()}
}
