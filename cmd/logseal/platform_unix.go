// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import "github.com/spf13/cobra"

// platformCommands are those that only make sense where files have owners.
func platformCommands() []*cobra.Command { return []*cobra.Command{newInitStateCommand()} }
