// SPDX-License-Identifier: Apache-2.0

// Package distributions holds the configurations that ship, so that the demonstration and the tests run these and no
// others.
package distributions

import _ "embed"

// The collector configurations of the three roles.
var (
	//go:embed agent/config.yaml
	Agent []byte
	//go:embed gateway/config.yaml
	Gateway []byte
	//go:embed siem/config.yaml
	SIEM []byte

	// GatewayWebhook goes on top of Gateway: findings go to a webhook as well.
	//go:embed gateway/webhook.yaml
	GatewayWebhook []byte
)
