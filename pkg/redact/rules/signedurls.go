// SPDX-License-Identifier: Apache-2.0

package rules

var ruleSignedURL = newID("signed_url")

var _ = register(ruleSignedURL, Rule{
	Pack:  Secrets,
	Names: []Names{{Words: "signature sig", Strength: Weak}},
	Gone: []Example{
		{"https://b.example/o?X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024", "fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024"},
		{"https://a.blob.core.windows.net/c?sv=2022&sig=zvZ%2BnNx0Vq3Gg7c5n6v2hH6M0Q8YpR1sT4uW9xA%3D", "nNx0Vq3Gg7c5n6v2hH6M0Q8YpR1sT4uW9xA"},
	},
	Stay:        []string{"signature=valid", "sig=11 core dumped"},
	Takes:       "`sig=`, `X-Amz-Signature`, …",
	ValidatedBy: "20 characters or more, token-like",
	OverMatches: "signatures that are not secret",
	Source:      "AWS Signature Version 4; Azure SAS",
})
