// SPDX-License-Identifier: Apache-2.0

package rules

// Where the forms of tokens are published.
const (
	gitleaks   = "gitleaks' rules"
	scanners   = "the published lists of secret scanners"
	documented = "the vendor's documentation"
)

// vendor is who hands out tokens, and the forms that they have. Tests make a token of each form at its shortest. stay is a text that
// looks like one and is none.
type vendor struct {
	name, source, stay string
	forms              []form
}

// form is a prefix and what follows it.
type form struct {
	prefix string
	min    int    // characters after the prefix, at least
	extra  string // characters besides letters, digits, _ and - that the token may hold
	word   bool   // the prefix is also an ordinary word: what follows must look random, with a digit
	cue    bool   // so many things begin like it that hexadecimal digits behind it need a word about credentials near them
}

var vendors = []vendor{
	{name: "GitHub", stay: "ghp_ and github_pat_ are prefixes", source: gitleaks, forms: []form{
		{prefix: "ghp_", min: 20},
		{prefix: "gho_", min: 20},
		{prefix: "ghu_", min: 20},
		{prefix: "ghs_", min: 20},
		{prefix: "ghr_", min: 20},
		{prefix: "github_pat_", min: 20},
		{prefix: "v1.", min: 40, word: true},
	}},
	{name: "GitLab", source: gitleaks, forms: []form{
		{prefix: "glpat-", min: 20, extra: "."},
		{prefix: "gldt-", min: 20},
		{prefix: "glrt-", min: 20, extra: "."},
		{prefix: "glrtr-", min: 20, extra: "."},
		{prefix: "glcbt-", min: 20},
		{prefix: "glptt-", min: 20},
		{prefix: "glft-", min: 20},
		{prefix: "glimt-", min: 20},
		{prefix: "glagent-", min: 20},
		{prefix: "gloas-", min: 20},
		{prefix: "glsoat-", min: 20},
		{prefix: "glffct-", min: 20},
		{prefix: "glwt-", min: 20},
		{prefix: "GR1348941", min: 20},
	}},
	{name: "Slack", stay: "xoxb-and-so-on", source: gitleaks, forms: []form{
		{prefix: "xoxb-", min: 15},
		{prefix: "xoxp-", min: 15},
		{prefix: "xoxa-", min: 15},
		{prefix: "xoxr-", min: 15},
		{prefix: "xoxs-", min: 15},
		{prefix: "xoxo-", min: 15},
		{prefix: "xoxe-", min: 15},
		{prefix: "xoxe.xox", min: 20, extra: "."},
		{prefix: "xoxc-", min: 15},
		{prefix: "xoxd-", min: 15, extra: "%/+="},
		{prefix: "xapp-", min: 15},
		{prefix: "xwfp-", min: 15},
	}},
	{name: "Stripe", stay: "sk_test_is_what_keys_of_the_sandbox_begin_with", source: gitleaks, forms: []form{
		{prefix: "sk_live_", min: 12},
		{prefix: "sk_test_", min: 12},
		{prefix: "sk_prod_", min: 12},
		{prefix: "rk_live_", min: 12},
		{prefix: "rk_test_", min: 12},
		{prefix: "rk_prod_", min: 12},
		{prefix: "whsec_", min: 16, extra: "+/="},
		{prefix: "sk_", min: 24, word: true},
	}},
	{name: "Google", stay: "AIza is how they begin", source: gitleaks, forms: []form{
		{prefix: "AIza", min: 20},
		{prefix: "ya29.", min: 20, extra: "."},
		{prefix: "GOCSPX-", min: 20},
		{prefix: "1//0", min: 20},
	}},
	{name: "npm", stay: "npm_config_user_agent_for_the_whole_build", source: gitleaks, forms: []form{
		{prefix: "npm_", min: 30, word: true},
	}},
	{name: "PyPI", stay: "pypi-AgE", source: gitleaks, forms: []form{
		{prefix: "pypi-AgE", min: 16},
	}},
	{name: "RubyGems", source: gitleaks, forms: []form{
		{prefix: "rubygems_", min: 20},
	}},
	{name: "Clojars", source: gitleaks, forms: []form{
		{prefix: "CLOJARS_", min: 20},
	}},
	{name: "NuGet", stay: "oy2", source: scanners, forms: []form{
		{prefix: "oy2", min: 40, word: true},
	}},
	{name: "Docker", source: documented, forms: []form{
		{prefix: "dckr_pat_", min: 20},
		{prefix: "dckr_oat_", min: 20},
		{prefix: "SWMTKN-1-", min: 20},
	}},
	{name: "crates.io", source: scanners, forms: []form{
		{prefix: "cio", min: 32, word: true, cue: true},
	}},
	{name: "JSR", source: scanners, forms: []form{
		{prefix: "jsr_", min: 20, word: true},
	}},
	{name: "SendGrid", source: gitleaks, forms: []form{
		{prefix: "SG.", min: 40, extra: ".="},
	}},
	{name: "Mailgun", source: gitleaks, forms: []form{
		{prefix: "key-", min: 32, word: true, cue: true},
		{prefix: "pubkey-", min: 32, word: true, cue: true},
	}},
	{name: "Twilio", source: scanners, forms: []form{
		{prefix: "SK", min: 32, word: true},
	}},
	{name: "Anthropic", source: gitleaks, forms: []form{
		{prefix: "sk-ant-", min: 20},
	}},
	{name: "OpenAI", stay: "sk-learn-models-and-pipelines-of-the-team", source: gitleaks, forms: []form{
		{prefix: "sk-proj-", min: 20},
		{prefix: "sk-svcacct-", min: 20},
		{prefix: "sk-admin-", min: 20},
		{prefix: "sk-", min: 20, word: true},
		{prefix: "sess-", min: 40, word: true, cue: true},
	}},
	{name: "OpenRouter", source: scanners, forms: []form{
		{prefix: "sk-or-", min: 20},
	}},
	{name: "Groq", source: scanners, forms: []form{
		{prefix: "gsk_", min: 20, word: true},
	}},
	{name: "xAI", source: scanners, forms: []form{
		{prefix: "xai-", min: 40, word: true},
	}},
	{name: "Perplexity", source: gitleaks, forms: []form{
		{prefix: "pplx-", min: 20, word: true},
	}},
	{name: "Hugging Face", stay: "hf_transfer_enabled", source: gitleaks, forms: []form{
		{prefix: "hf_", min: 30},
		{prefix: "api_org_", min: 20},
	}},
	{name: "Replicate", source: scanners, forms: []form{
		{prefix: "r8_", min: 30, word: true},
	}},
	{name: "LangChain", source: scanners, forms: []form{
		{prefix: "lsv2_", min: 30, word: true},
		{prefix: "ls__", min: 30, word: true},
	}},
	{name: "NVIDIA", source: scanners, forms: []form{
		{prefix: "nvapi-", min: 20},
	}},
	{name: "Tavily", source: scanners, forms: []form{
		{prefix: "tvly-", min: 20, word: true},
	}},
	{name: "Pinecone", source: scanners, forms: []form{
		{prefix: "pcsk_", min: 20},
	}},
	{name: "Jina", source: scanners, forms: []form{
		{prefix: "jina_", min: 40, word: true},
	}},
	{name: "Fireworks", source: scanners, forms: []form{
		{prefix: "fw_", min: 20, word: true},
	}},
	{name: "Together", source: scanners, forms: []form{
		{prefix: "tgp_v1_", min: 30},
	}},
	{name: "Amazon Bedrock", source: gitleaks, forms: []form{
		{prefix: "ABSK", min: 20, extra: "+/="},
		{prefix: "bedrock-api-key-", min: 12, extra: "+/="},
	}},
	{name: "Amazon Web Services", source: documented, forms: []form{
		{prefix: "amzn.mws.", min: 20},
		{prefix: "da2-", min: 24, word: true},
	}},
	{name: "JFrog", source: gitleaks, forms: []form{
		{prefix: "AKCp", min: 20},
		{prefix: "cmVmd", min: 20},
	}},
	{name: "DigitalOcean", source: gitleaks, forms: []form{
		{prefix: "dop_v1_", min: 20},
		{prefix: "doo_v1_", min: 20},
		{prefix: "dor_v1_", min: 20},
	}},
	{name: "Doppler", source: gitleaks, forms: []form{
		{prefix: "dp.pt.", min: 20},
		{prefix: "dp.st.", min: 20, extra: "."},
		{prefix: "dp.ct.", min: 20},
		{prefix: "dp.sa.", min: 20},
		{prefix: "dp.scim.", min: 20},
		{prefix: "dp.audit.", min: 20},
	}},
	{name: "Databricks", source: gitleaks, forms: []form{
		{prefix: "dapi", min: 32, word: true},
		{prefix: "dose", min: 32, word: true},
		{prefix: "dkea", min: 32, word: true},
	}},
	{name: "Dynatrace", source: gitleaks, forms: []form{
		{prefix: "dt0", min: 60, extra: ".", word: true},
	}},
	{name: "Shopify", source: gitleaks, forms: []form{
		{prefix: "shpat_", min: 20},
		{prefix: "shpca_", min: 20},
		{prefix: "shppa_", min: 20},
		{prefix: "shpss_", min: 20},
		{prefix: "shptka_", min: 20},
	}},
	{name: "Square", source: gitleaks, forms: []form{
		{prefix: "sq0atp-", min: 20},
		{prefix: "sq0csp-", min: 20},
		{prefix: "sq0idp-", min: 20},
		{prefix: "EAAA", min: 20, extra: "+=", word: true},
		{prefix: "sqco_", min: 20, word: true},
	}},
	{name: "Meta", source: gitleaks, forms: []form{
		{prefix: "EAA", min: 60, word: true},
		{prefix: "IGQV", min: 60, word: true},
	}},
	{name: "Braintree", source: scanners, forms: []form{
		{prefix: "access_token$production$", min: 20, extra: "$"},
	}},
	{name: "Linear", source: gitleaks, forms: []form{
		{prefix: "lin_api_", min: 20},
		{prefix: "lin_oauth_", min: 20},
	}},
	{name: "Notion", source: gitleaks, forms: []form{
		{prefix: "ntn_", min: 20},
		{prefix: "secret_", min: 32, word: true},
	}},
	{name: "Figma", source: scanners, forms: []form{
		{prefix: "figd_", min: 20},
		{prefix: "figo", min: 40, word: true, cue: true},
	}},
	{name: "Airtable", stay: "patches and patterns, pathological cases", source: gitleaks, forms: []form{
		{prefix: "pat", min: 60, extra: ".", word: true, cue: true},
	}},
	{name: "Harness", source: gitleaks, forms: []form{
		{prefix: "pat.", min: 40, extra: ".", word: true},
		{prefix: "sat.", min: 40, extra: ".", word: true},
	}},
	{name: "Atlassian", source: gitleaks, forms: []form{
		{prefix: "ATATT3", min: 20, extra: "="},
		{prefix: "ATCTT3", min: 20, extra: "="},
		{prefix: "ATBB", min: 28, word: true},
		{prefix: "ATTA", min: 60, word: true},
		{prefix: "ATOA", min: 60, extra: "=", word: true},
	}},
	{name: "Dropbox", stay: "sl.example.com", source: scanners, forms: []form{
		{prefix: "sl.", min: 60, word: true},
	}},
	{name: "Heroku", source: gitleaks, forms: []form{
		{prefix: "HRKU-", min: 20},
	}},
	{name: "HashiCorp Vault", stay: "hvs.is.a.name", source: gitleaks, forms: []form{
		{prefix: "hvs.", min: 20},
		{prefix: "hvb.", min: 20},
		{prefix: "hvr.", min: 20},
		{prefix: "b.AAAAAQ", min: 20, extra: "_-"},
	}},
	{name: "Pulumi", source: gitleaks, forms: []form{
		{prefix: "pul-", min: 20},
	}},
	{name: "PlanetScale", source: gitleaks, forms: []form{
		{prefix: "pscale_tkn_", min: 20, extra: "=."},
		{prefix: "pscale_pw_", min: 20, extra: "=."},
		{prefix: "pscale_oauth_", min: 20, extra: "=."},
	}},
	{name: "Postman", source: gitleaks, forms: []form{
		{prefix: "PMAK-", min: 20},
		{prefix: "PMAT-", min: 20},
	}},
	{name: "Prefect", source: gitleaks, forms: []form{
		{prefix: "pnu_", min: 20},
		{prefix: "pnb_", min: 20},
	}},
	{name: "ReadMe", source: gitleaks, forms: []form{
		{prefix: "rdme_", min: 20},
	}},
	{name: "Sentry", source: gitleaks, forms: []form{
		{prefix: "sntrys_", min: 20, extra: "+/="},
		{prefix: "sntryu_", min: 20},
	}},
	{name: "Shippo", source: gitleaks, forms: []form{
		{prefix: "shippo_live_", min: 20},
		{prefix: "shippo_test_", min: 20},
	}},
	{name: "Sourcegraph", source: gitleaks, forms: []form{
		{prefix: "sgp_", min: 20},
		{prefix: "slk_", min: 40, word: true},
		{prefix: "sgs_", min: 30, word: true},
	}},
	{name: "Tailscale", source: documented, forms: []form{
		{prefix: "tskey-", min: 20},
	}},
	{name: "Typeform", source: gitleaks, forms: []form{
		{prefix: "tfp_", min: 20, extra: ".="},
	}},
	{name: "Grafana", source: gitleaks, forms: []form{
		{prefix: "glsa_", min: 20},
		{prefix: "glc_", min: 20, extra: "+/="},
		{prefix: "eyJrIjoi", min: 20, extra: "+/="},
	}},
	{name: "Infracost", source: gitleaks, forms: []form{
		{prefix: "ico-", min: 20},
	}},
	{name: "42 Intra", source: gitleaks, forms: []form{
		{prefix: "s-s4t2", min: 20},
	}},
	{name: "Netlify", source: documented, forms: []form{
		{prefix: "nfp_", min: 20},
	}},
	{name: "New Relic", source: gitleaks, forms: []form{
		{prefix: "NRAK-", min: 20},
		{prefix: "NRII-", min: 20},
		{prefix: "NRJS-", min: 16},
		{prefix: "NRRA-", min: 20},
		{prefix: "NRIQ-", min: 20},
		{prefix: "NRBR-", min: 16},
		{prefix: "NRAA-", min: 20},
	}},
	{name: "1Password", source: gitleaks, forms: []form{
		{prefix: "ops_", min: 20, extra: "+/="},
		{prefix: "A3-", min: 26, word: true},
	}},
	{name: "OpenShift", source: gitleaks, forms: []form{
		{prefix: "sha256~", min: 20},
	}},
	{name: "Plaid", source: gitleaks, forms: []form{
		{prefix: "access-sandbox-", min: 20},
		{prefix: "access-production-", min: 20},
		{prefix: "access-development-", min: 20},
	}},
	{name: "Yandex Cloud", stay: "t1.micro and t1.small", source: gitleaks, forms: []form{
		{prefix: "AQVN", min: 30, word: true},
		{prefix: "t1.", min: 60, extra: ".=", word: true},
		{prefix: "YC", min: 38, word: true},
		{prefix: "y0_", min: 50, word: true},
	}},
	{name: "Alibaba Cloud", source: gitleaks, forms: []form{
		{prefix: "LTAI", min: 12, word: true},
	}},
	{name: "Tencent Cloud", source: scanners, forms: []form{
		{prefix: "AKID", min: 20, word: true},
	}},
	{name: "Flutterwave", source: gitleaks, forms: []form{
		{prefix: "FLWSECK", min: 13},
		{prefix: "FLWPUBK", min: 13},
	}},
	{name: "Frame.io", source: gitleaks, forms: []form{
		{prefix: "fio-u-", min: 20, extra: "="},
	}},
	{name: "Duffel", source: gitleaks, forms: []form{
		{prefix: "duffel_", min: 30, extra: "=", word: true},
	}},
	{name: "EasyPost", source: gitleaks, forms: []form{
		{prefix: "EZAK", min: 20},
		{prefix: "EZTK", min: 20},
	}},
	{name: "Fly.io", source: gitleaks, forms: []form{
		{prefix: "fo1_", min: 20},
		{prefix: "fm1r_", min: 20, extra: "+/="},
		{prefix: "fm1a_", min: 20, extra: "+/="},
		{prefix: "fm2_", min: 20, extra: "+/="},
	}},
	{name: "GoCardless", stay: "live_streaming_of_the_second_conference_day", source: gitleaks, forms: []form{
		{prefix: "live_", min: 24, extra: "=", word: true, cue: true},
		{prefix: "test_", min: 24, extra: "=", word: true, cue: true},
	}},
	{name: "Contentful", source: scanners, forms: []form{
		{prefix: "CFPAT-", min: 20},
	}},
	{name: "Supabase", source: scanners, forms: []form{
		{prefix: "sbp_", min: 20},
		{prefix: "sb_secret_", min: 20},
	}},
	{name: "Vercel", source: scanners, forms: []form{
		{prefix: "vercel_", min: 20, word: true},
		{prefix: "vcp_", min: 20, word: true},
		{prefix: "vca_", min: 24, word: true},
		{prefix: "vci_", min: 24, word: true},
		{prefix: "vck_", min: 24, word: true},
		{prefix: "vcr_", min: 24, word: true},
	}},
	{name: "Render", source: scanners, forms: []form{
		{prefix: "rnd_", min: 24, word: true},
	}},
	{name: "Cloudflare", stay: "v1.0-beta", source: gitleaks, forms: []form{
		{prefix: "v1.0-", min: 20},
		{prefix: "cfk_", min: 30, word: true},
		{prefix: "cfut_", min: 30, word: true},
		{prefix: "cfat_", min: 30, word: true},
	}},
	{name: "Buildkite", source: scanners, forms: []form{
		{prefix: "bkua_", min: 20},
		{prefix: "bkat_", min: 20},
	}},
	{name: "CircleCI", source: scanners, forms: []form{
		{prefix: "CCIPAT_", min: 20},
		{prefix: "CCIPRJ_", min: 20},
	}},
	{name: "SonarQube", source: gitleaks, forms: []form{
		{prefix: "squ_", min: 20},
		{prefix: "sqp_", min: 20},
		{prefix: "sqa_", min: 20},
	}},
	{name: "LaunchDarkly", stay: "cache api-5d41402abc4b2a76b9719d911017c592 hit", source: scanners, forms: []form{
		{prefix: "sdk-", min: 32, word: true, cue: true},
		{prefix: "api-", min: 32, word: true, cue: true},
		{prefix: "mob-", min: 32, word: true, cue: true},
	}},
	{name: "Adafruit IO", source: scanners, forms: []form{
		{prefix: "aio_", min: 24, word: true},
	}},
	{name: "SettleMint", source: gitleaks, forms: []form{
		{prefix: "sm_aat_", min: 14},
		{prefix: "sm_pat_", min: 14},
		{prefix: "sm_sat_", min: 14},
	}},
	{name: "Scalingo", source: gitleaks, forms: []form{
		{prefix: "tk-us-", min: 20},
	}},
	{name: "Octopus Deploy", source: scanners, forms: []form{
		{prefix: "API-", min: 22, word: true},
	}},
	{name: "Authress", source: gitleaks, forms: []form{
		{prefix: "sc_", min: 30, extra: ".", word: true},
		{prefix: "ext_", min: 30, extra: ".", word: true},
		{prefix: "scauth_", min: 30, extra: ".", word: true},
		{prefix: "authress_", min: 30, extra: ".", word: true},
	}},
	{name: "Defined Networking", source: gitleaks, forms: []form{
		{prefix: "dnkey-", min: 20, extra: "="},
	}},
	{name: "Endor Labs", source: scanners, forms: []form{
		{prefix: "endr+", min: 16},
	}},
	{name: "PostHog", source: scanners, forms: []form{
		{prefix: "phx_", min: 30, word: true},
		{prefix: "phc_", min: 40, word: true},
	}},
	{name: "Resend", source: scanners, forms: []form{
		{prefix: "re_", min: 24, word: true, cue: true},
	}},
	{name: "Datadog", source: scanners, forms: []form{
		{prefix: "ddp_", min: 30, word: true},
		{prefix: "ddw_", min: 30, word: true},
	}},
	{name: "Brevo", source: gitleaks, forms: []form{
		{prefix: "xkeysib-", min: 20},
		{prefix: "xsmtpsib-", min: 20},
	}},
	{name: "Paddle", source: scanners, forms: []form{
		{prefix: "pdl_", min: 30, word: true},
	}},
	{name: "Clerk", source: scanners, forms: []form{
		{prefix: "pk_prod_", min: 20, word: true},
	}},
	{name: "Zoho", source: scanners, forms: []form{
		{prefix: "1000.", min: 60, extra: ".", word: true},
	}},
	{name: "Netflix", source: scanners, forms: []form{
		{prefix: "NF-", min: 32, word: true},
	}},
	{name: "Ubidots", source: scanners, forms: []form{
		{prefix: "BBFF-", min: 24, word: true},
		{prefix: "BBUS-", min: 24, word: true},
	}},
	{name: "Beamer", source: scanners, forms: []form{
		{prefix: "b_", min: 42, extra: "=", word: true, cue: true},
	}},
	{name: "Mapbox", source: scanners, forms: []form{
		{prefix: "sk.eyJ", min: 20, extra: "."},
		{prefix: "pk.eyJ", min: 20, extra: "."},
		{prefix: "tk.eyJ", min: 20, extra: "."},
	}},
	{name: "Ubiquiti", source: scanners, forms: []form{
		{prefix: "ubi_", min: 30, word: true},
	}},
	{name: "Aiven", source: scanners, forms: []form{
		{prefix: "aiven", min: 60, word: true},
	}},
	{name: "Rootly", source: scanners, forms: []form{
		{prefix: "rootly_", min: 40, word: true},
	}},
	{name: "Zuplo", source: scanners, forms: []form{
		{prefix: "zpka_", min: 20},
	}},
	{name: "Statsig", source: scanners, forms: []form{
		{prefix: "statsig-", min: 30, word: true},
		{prefix: "secret-", min: 32, word: true, cue: true},
	}},
	{name: "Razorpay", source: scanners, forms: []form{
		{prefix: "rzp_live_", min: 12},
		{prefix: "rzp_test_", min: 12},
	}},
	{name: "Airbrake", source: scanners, forms: []form{
		{prefix: "ABTB", min: 30, word: true},
	}},
	{name: "Stytch", source: scanners, forms: []form{
		{prefix: "stp_", min: 30, word: true},
	}},
	{name: "Xata", source: scanners, forms: []form{
		{prefix: "xau_", min: 30, word: true},
	}},
	{name: "Neon", source: scanners, forms: []form{
		{prefix: "napi_", min: 40, word: true},
		{prefix: "neon_", min: 40, word: true},
	}},
	{name: "ngrok", source: scanners, forms: []form{
		{prefix: "ngrok_", min: 30, word: true},
	}},
	{name: "Lob", stay: "deployed prod_9fceb02d0ae598e95dc970b74767f19372d61af8", source: scanners, forms: []form{
		{prefix: "sys_live_", min: 16, word: true},
		{prefix: "user-", min: 40, word: true, cue: true},
		{prefix: "prod_", min: 40, word: true, cue: true},
		{prefix: "ey_", min: 40, word: true, cue: true},
	}},
	{name: "Adobe", stay: "p8e-xx", source: gitleaks, forms: []form{
		{prefix: "p8e-", min: 30, word: true},
	}},
	{name: "Riot Games", source: scanners, forms: []form{
		{prefix: "RGAPI-", min: 30},
	}},
	{name: "PubNub", source: scanners, forms: []form{
		{prefix: "sub-c-", min: 30, word: true},
		{prefix: "pub-c-", min: 30, word: true},
		{prefix: "sec-c-", min: 30, word: true},
	}},
	{name: "Confluent", source: scanners, forms: []form{
		{prefix: "cflt", min: 56, extra: "+/", word: true},
	}},
	{name: "Onfido", source: scanners, forms: []form{
		{prefix: "api_live.", min: 24, extra: "."},
		{prefix: "api_live_", min: 24, extra: "."},
		{prefix: "api_sandbox.", min: 24, extra: "."},
	}},
	{name: "Voiceflow", source: scanners, forms: []form{
		{prefix: "VF.DM.", min: 20, extra: "."},
		{prefix: "VF.WS.", min: 20, extra: "."},
	}},
	{name: "Salesforce", source: scanners, forms: []form{
		{prefix: "3MVG9", min: 40, extra: "._", word: true},
	}},
	{name: "Fernet", source: documented, forms: []form{
		{prefix: "gAAAAA", min: 60, extra: "=", word: true},
	}},
	{name: "K3s", source: documented, forms: []form{
		{prefix: "K10", min: 60, extra: ":", word: true},
	}},
	{name: "Ory", source: scanners, forms: []form{
		{prefix: "ory_at_", min: 20, extra: "."},
		{prefix: "ory_rt_", min: 20, extra: "."},
		{prefix: "ory_st_", min: 20, extra: "."},
		{prefix: "ory_pat_", min: 20, extra: "."},
	}},
	{name: "Nylas", source: scanners, forms: []form{
		{prefix: "nyk_v0_", min: 20},
	}},
	{name: "Elastic", source: documented, forms: []form{
		{prefix: "essu_", min: 20, extra: "="},
	}},
	{name: "OneSignal", source: scanners, forms: []form{
		{prefix: "os_v2_app_", min: 20},
	}},
	{name: "HubSpot", source: scanners, forms: []form{
		{prefix: "pat-na1-", min: 20},
		{prefix: "pat-eu1-", min: 20},
	}},
	{name: "MailerSend", source: scanners, forms: []form{
		{prefix: "mlsn.", min: 30, word: true},
	}},
	{name: "Alchemy", source: scanners, forms: []form{
		{prefix: "alcht_", min: 20, word: true},
	}},
	{name: "Apify", source: scanners, forms: []form{
		{prefix: "apify_api_", min: 20},
	}},
	{name: "LinkedIn", source: scanners, forms: []form{
		{prefix: "AQE", min: 60, extra: "+/=", word: true},
	}},
	{name: "MongoDB Atlas", source: documented, forms: []form{
		{prefix: "mdb_sa_sk_", min: 20},
	}},
	{name: "Honeybadger", source: scanners, forms: []form{
		{prefix: "hawk.", min: 30, extra: ".", word: true},
	}},
	{name: "Cal.com", source: scanners, forms: []form{
		{prefix: "cal_live_", min: 20},
		{prefix: "cal_test_", min: 20},
	}},
	{name: "Agora", source: scanners, forms: []form{
		{prefix: "ag_", min: 40, word: true, cue: true},
	}},
}
