// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"hash/crc32"
	"strings"
)

// vendor is a form of token that starts with a prefix. The forms are the vendors' own, as they document them and as secret
// scanners list them; see docs/redaction.md.
type vendor struct {
	prefix string
	min    int    // characters after the prefix, at least
	extra  string // characters besides letters, digits, _ and - that the token may hold
	digits bool   // must hold a digit after the prefix, because the prefix is also an ordinary word
}

var vendors = []vendor{
	{"ghp_", 20, "", false},
	{"gho_", 20, "", false},
	{"ghu_", 20, "", false},
	{"ghs_", 20, "", false},
	{"ghr_", 20, "", false},
	{"github_pat_", 20, "", false},
	{"v1.", 40, "", true},
	{"glpat-", 20, ".", false},
	{"gldt-", 20, "", false},
	{"glrt-", 20, ".", false},
	{"glrtr-", 20, ".", false},
	{"glcbt-", 20, "", false},
	{"glptt-", 20, "", false},
	{"glft-", 20, "", false},
	{"glimt-", 20, "", false},
	{"glagent-", 20, "", false},
	{"gloas-", 20, "", false},
	{"glsoat-", 20, "", false},
	{"glffct-", 20, "", false},
	{"glwt-", 20, "", false},
	{"GR1348941", 20, "", false},
	{"xoxb-", 10, "", false},
	{"xoxp-", 10, "", false},
	{"xoxa-", 10, "", false},
	{"xoxr-", 10, "", false},
	{"xoxs-", 10, "", false},
	{"xoxo-", 10, "", false},
	{"xoxe-", 10, "", false},
	{"xoxe.xox", 10, ".", false},
	{"xoxc-", 10, "", false},
	{"xoxd-", 10, "%/+=", false},
	{"xapp-", 10, "", false},
	{"xwfp-", 10, "", false},
	{"sk_live_", 10, "", false},
	{"sk_test_", 10, "", false},
	{"sk_prod_", 10, "", false},
	{"rk_live_", 10, "", false},
	{"rk_test_", 10, "", false},
	{"rk_prod_", 10, "", false},
	{"whsec_", 16, "+/=", false},
	{"sk_", 24, "", true},
	{"AIza", 20, "", false},
	{"ya29.", 20, ".", false},
	{"GOCSPX-", 20, "", false},
	{"1//0", 20, "", false},
	{"npm_", 30, "", true},
	{"pypi-AgE", 16, "", false},
	{"rubygems_", 20, "", false},
	{"CLOJARS_", 20, "", false},
	{"oy2", 40, "", true},
	{"dckr_pat_", 20, "", false},
	{"dckr_oat_", 20, "", false},
	{"cio", 32, "", true},
	{"jsr_", 20, "", true},
	{"SG.", 40, ".=", false},
	{"key-", 32, "", true},
	{"pubkey-", 32, "", true},
	{"SK", 32, "", true},
	{"sk-ant-", 20, "", false},
	{"sk-proj-", 20, "", false},
	{"sk-svcacct-", 20, "", false},
	{"sk-admin-", 20, "", false},
	{"sk-or-", 20, "", false},
	{"sk-", 20, "", true},
	{"gsk_", 20, "", true},
	{"xai-", 40, "", true},
	{"pplx-", 20, "", true},
	{"hf_", 30, "", false},
	{"api_org_", 20, "", false},
	{"r8_", 30, "", true},
	{"lsv2_", 30, "", true},
	{"ls__", 30, "", true},
	{"nvapi-", 20, "", false},
	{"tvly-", 20, "", true},
	{"pcsk_", 20, "", false},
	{"jina_", 40, "", true},
	{"fw_", 20, "", true},
	{"ABSK", 20, "+/=", false},
	{"bedrock-api-key-", 12, "+/=", false},
	{"AKCp", 20, "", false},
	{"cmVmd", 20, "", false},
	{"dop_v1_", 20, "", false},
	{"doo_v1_", 20, "", false},
	{"dor_v1_", 20, "", false},
	{"dp.pt.", 20, "", false},
	{"dp.st.", 20, ".", false},
	{"dp.ct.", 20, "", false},
	{"dp.sa.", 20, "", false},
	{"dp.scim.", 20, "", false},
	{"dp.audit.", 20, "", false},
	{"dapi", 32, "", true},
	{"dt0", 60, ".", true},
	{"dose", 32, "", true},
	{"dkea", 32, "", true},
	{"shpat_", 20, "", false},
	{"shpca_", 20, "", false},
	{"shppa_", 20, "", false},
	{"shpss_", 20, "", false},
	{"shptka_", 20, "", false},
	{"sq0atp-", 20, "", false},
	{"sq0csp-", 20, "", false},
	{"sq0idp-", 20, "", false},
	{"EAAA", 20, "+=", true},
	{"EAA", 60, "", true},
	{"access_token$production$", 20, "$", false},
	{"lin_api_", 20, "", false},
	{"lin_oauth_", 20, "", false},
	{"ntn_", 20, "", false},
	{"secret_", 32, "", true},
	{"figd_", 20, "", false},
	{"figo", 40, "", true},
	{"pat", 60, ".", true},
	{"pat.", 40, ".", true},
	{"sat.", 40, ".", true},
	{"ATATT3", 20, "=", false},
	{"ATCTT3", 20, "=", false},
	{"ATBB", 28, "", true},
	{"ATTA", 60, "", true},
	{"ATOA", 60, "=", true},
	{"sl.", 60, "", true},
	{"HRKU-", 20, "", false},
	{"hvs.", 20, "", false},
	{"hvb.", 20, "", false},
	{"hvr.", 20, "", false},
	{"pul-", 20, "", false},
	{"pscale_tkn_", 20, "=.", false},
	{"pscale_pw_", 20, "=.", false},
	{"pscale_oauth_", 20, "=.", false},
	{"PMAK-", 20, "", false},
	{"PMAT-", 20, "", false},
	{"pnu_", 20, "", false},
	{"pnb_", 20, "", false},
	{"rdme_", 20, "", false},
	{"sntrys_", 20, "+/=", false},
	{"sntryu_", 20, "", false},
	{"shippo_live_", 20, "", false},
	{"shippo_test_", 20, "", false},
	{"sgp_", 20, "", false},
	{"slk_", 40, "", true},
	{"tskey-", 20, "", false},
	{"tfp_", 20, ".=", false},
	{"glsa_", 20, "", false},
	{"glc_", 20, "+/=", false},
	{"eyJrIjoi", 20, "+/=", false},
	{"ico-", 20, "", false},
	{"s-s4t2", 20, "", false},
	{"nfp_", 20, "", false},
	{"NRAK-", 20, "", false},
	{"NRII-", 20, "", false},
	{"NRJS-", 16, "", false},
	{"NRRA-", 20, "", false},
	{"NRIQ-", 20, "", false},
	{"NRBR-", 16, "", false},
	{"NRAA-", 20, "", false},
	{"ops_", 20, "+/=", false},
	{"A3-", 26, "", true},
	{"sha256~", 20, "", false},
	{"access-sandbox-", 20, "", false},
	{"access-production-", 20, "", false},
	{"access-development-", 20, "", false},
	{"AQVN", 30, "", true},
	{"t1.", 60, ".=", true},
	{"YC", 38, "", true},
	{"y0_", 50, "", true},
	{"LTAI", 12, "", true},
	{"AKID", 20, "", true},
	{"FLWSECK", 8, "", false},
	{"FLWPUBK", 8, "", false},
	{"fio-u-", 20, "=", false},
	{"duffel_", 30, "=", true},
	{"EZAK", 20, "", false},
	{"EZTK", 20, "", false},
	{"fo1_", 20, "", false},
	{"fm1r_", 20, "+/=", false},
	{"fm1a_", 20, "+/=", false},
	{"fm2_", 20, "+/=", false},
	{"live_", 24, "=", true},
	{"test_", 24, "=", true},
	{"CFPAT-", 20, "", false},
	{"sbp_", 20, "", false},
	{"sb_secret_", 20, "", false},
	{"vercel_", 20, "", true},
	{"vcp_", 20, "", true},
	{"rnd_", 24, "", true},
	{"v1.0-", 20, "", false},
	{"cfk_", 30, "", true},
	{"cfut_", 30, "", true},
	{"cfat_", 30, "", true},
	{"bkua_", 20, "", false},
	{"bkat_", 20, "", false},
	{"CCIPAT_", 20, "", false},
	{"CCIPRJ_", 20, "", false},
	{"squ_", 20, "", false},
	{"sqp_", 20, "", false},
	{"sqa_", 20, "", false},
	{"sdk-", 32, "", true},
	{"api-", 32, "", true},
	{"mob-", 32, "", true},
	{"aio_", 24, "", true},
	{"sm_aat_", 14, "", false},
	{"sm_pat_", 14, "", false},
	{"sm_sat_", 14, "", false},
	{"tk-us-", 20, "", false},
	{"API-", 22, "", true},
	{"sc_", 30, ".", true},
	{"ext_", 30, ".", true},
	{"scauth_", 30, ".", true},
	{"authress_", 30, ".", true},
	{"dnkey-", 20, "=", false},
	{"endr+", 16, "", false},
	{"phx_", 30, "", true},
	{"re_", 24, "", true},
	{"ddp_", 30, "", true},
	{"ddw_", 30, "", true},
	{"xkeysib-", 20, "", false},
	{"xsmtpsib-", 20, "", false},
	{"pk_prod_", 20, "", true},
	{"1000.", 60, ".", true},
	{"NF-", 32, "", true},
	{"BBFF-", 24, "", true},
	{"BBUS-", 24, "", true},
	{"b_", 42, "=", true},
	{"b.AAAAAQ", 20, "_-", false},
	{"sk.eyJ", 20, ".", false},
	{"pk.eyJ", 20, ".", false},
	{"tk.eyJ", 20, ".", false},
	{"TOKEN:", 30, "", true},
	{"sgs_", 30, "", true},
	{"ubi_", 30, "", true},
	{"aiven", 60, "", true},
	{"rootly_", 40, "", true},
	{"zpka_", 20, "", false},
	{"statsig-", 30, "", true},
	{"secret-", 32, "", true},
	{"pdl_", 30, "", true},
	{"rzp_live_", 12, "", false},
	{"rzp_test_", 12, "", false},
	{"ABTB", 30, "", true},
	{"stp_", 30, "", true},
	{"xau_", 30, "", true},
	{"napi_", 40, "", true},
	{"neon_", 40, "", true},
	{"ngrok_", 30, "", true},
	{"phc_", 40, "", true},
	{"sys_live_", 16, "", true},
	{"user-", 40, "", true},
	{"prod_", 40, "", true},
	{"ey_", 40, "", true},
	{"amzn.mws.", 20, "", false},
	{"da2-", 24, "", true},
	{"p8e-", 30, "", true},
	{"RGAPI-", 30, "", false},
	{"sub-c-", 30, "", true},
	{"pub-c-", 30, "", true},
	{"sec-c-", 30, "", true},
	{"IGQV", 60, "", true},
	{"cflt", 56, "+/", true},
	{"api_live.", 24, ".", false},
	{"api_live_", 24, ".", false},
	{"api_sandbox.", 24, ".", false},
	{"VF.DM.", 20, ".", false},
	{"VF.WS.", 20, ".", false},
	{"vca_", 24, "", true},
	{"vci_", 24, "", true},
	{"vck_", 24, "", true},
	{"vcr_", 24, "", true},
	{"3MVG9", 40, "._", true},
	{"gAAAAA", 60, "=", true},
	{"SWMTKN-1-", 20, "", false},
	{"K10", 60, ":", true},
	{"ory_at_", 20, ".", false},
	{"ory_rt_", 20, ".", false},
	{"ory_st_", 20, ".", false},
	{"ory_pat_", 20, ".", false},
	{"nyk_v0_", 20, "", false},
	{"essu_", 20, "=", false},
	{"os_v2_app_", 20, "", false},
	{"pat-na1-", 20, "", false},
	{"pat-eu1-", 20, "", false},
	{"mlsn.", 30, "", true},
	{"alcht_", 20, "", true},
	{"apify_api_", 20, "", false},
	{"AQE", 60, "+/=", true},
	{"sess-", 40, "", true},
	{"tgp_v1_", 30, "", false},
	{"mdb_sa_sk_", 20, "", false},
	{"hawk.", 30, ".", true},
	{"sqco_", 20, "", true},
	{"cal_live_", 20, "", false},
	{"cal_test_", 20, "", false},
	{"ag_", 40, "", true},
}

// vendorsBy lists the forms by the first byte of their prefix, the longest prefix first.
var vendorsBy = func() (t [256][]vendor) {
	for _, v := range vendors {
		list := t[v.prefix[0]]
		k := 0
		for k < len(list) && len(list[k].prefix) >= len(v.prefix) {
			k++
		}
		t[v.prefix[0]] = append(list[:k:k], append([]vendor{v}, list[k:]...)...)
	}
	return t
}()

// vendorToken examines the token that starts at i. dotted says that only the forms with a dot in their prefix, or in
// their body, can start here.
func (c *scan) vendorToken(i int, dotted bool) bool {
	s := c.s
	if i > 0 && class[s[i-1]]&isAlnum != 0 {
		return false
	}
	if awsKeyID(s, i) {
		c.add(ruleAWSKey, i, i+awsKeyLen)
		return true
	}
	for k := range vendorsBy[s[i]] {
		v := &vendorsBy[s[i]][k]
		if !strings.HasPrefix(s[i:], v.prefix) || dotted && !strings.ContainsAny(v.prefix, ".~") && !strings.Contains(v.extra, ".") {
			continue
		}
		body := i + len(v.prefix)
		end := body
		for end < len(s) && (class[s[end]]&isAlnum != 0 || s[end] == '_' || s[end] == '-' || v.extra != "" && strings.IndexByte(v.extra, s[end]) >= 0) {
			end++
		}
		for end > body && s[end-1] == '.' {
			end--
		}
		t := s[body:end]
		if len(t) < v.min || mask(t) || v.digits && (repeats(t) || !tokenLike(t, v.min)) {
			continue
		}
		if !mixed(t) && caseChanges(t) < 4 && (v.digits || len(t) < 16 || spanOf(t, 0, isAlpha|isDigit) < len(t) && spanOf(t, 0, isDigit|isNumSep) < len(t)) {
			continue
		}
		if v.digits && (resourceName(s[body:end]) || dashes(s[body:end])*5 > end-body) {
			continue
		}
		if v.prefix[0] == 'g' && len(v.prefix) == 4 && end-body > gitHubBody && gitHubCRC(s[body:body+gitHubBody]) {
			end = body + gitHubBody
		}
		c.add(ruleVendorToken, i, end)
		return true
	}
	// Hashicorp's and Discord's tokens have their mark in the middle.
	if dotted {
		return c.dottedToken(i)
	}
	return false
}

const (
	gitHubBody = 36
	awsKeyLen  = 20
)

// gitHubCRC reports whether the last six characters of a GitHub token are the CRC-32 of the others, in base 62: then the
// token ends here, whatever follows.
func gitHubCRC(body string) bool {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := crc32.ChecksumIEEE([]byte(body[:30]))
	for k := len(body) - 1; k >= 30; k-- {
		if body[k] != digits[sum%62] {
			return false
		}
		sum /= 62
	}
	return true
}

// awsKeyID reports whether an AWS access key id starts at i: a type, then 16 characters of base 32.
func awsKeyID(s string, i int) bool {
	if len(s)-i < awsKeyLen || s[i] != 'A' {
		return false
	}
	switch s[i : i+4] {
	case "AKIA", "ASIA", "ABIA", "ACCA":
	default:
		if s[i:i+3] != "A3T" {
			return false
		}
	}
	digits, distinct := 0, [256]bool{}
	n := 0
	for k := i + 4; k < i+awsKeyLen; k++ {
		b := s[k]
		if class[b]&isUpper == 0 && class[b]&isDigit == 0 {
			return false
		}
		if class[b]&isDigit != 0 {
			digits++
		}
		if !distinct[b] {
			distinct[b] = true
			n++
		}
	}
	return n > 3 && !is(s, i+awsKeyLen, isAlnum) && at(s, i-1) != '_'
}

// dottedToken examines tokens of three parts, by their lengths: Terraform Cloud (14.atlasv1.60+) and Discord (24.6.27+).
func (c *scan) dottedToken(i int) bool {
	s := c.s
	a := base64urlEnd(s, i)
	if at(s, a) != '.' {
		return false
	}
	b := base64urlEnd(s, a+1)
	if at(s, b) != '.' {
		return false
	}
	d := base64urlEnd(s, b+1)
	x, y, z := a-i, b-a-1, d-b-1
	if x == 14 && s[a+1:b] == "atlasv1" && z >= 50 ||
		x >= 23 && x <= 28 && y == 6 && z >= 27 && z <= 40 && mixed(s[i:a]) && caseChanges(s[i:a]) > 3 {
		c.add(ruleVendorToken, i, d)
		return true
	}
	return false
}

// vendorNames are names of services that hand out API credentials: a random token right after one of them is taken for such
// a credential.
var vendorNames = set("abstractapi abuseipdb abyssale accuweather adafruit adobe adobeio adyen adzuna aeroworkflow agora aha airbrake airship " +
	"airtable airvisual aiven alchemy alconost alegra aletheia aletheiaapi algolia alibaba alienvault allsports amadeus ambee " +
	"amplitude anthropic anypoint apacta api2cart apideck apiflash apifonica apify apilayer apimatic apimetrics apitemplate " +
	"apollo appcenter appcues appdynamics appfollow appointedd appoptics appsflyer appsynergy apptivo artifactory artsy asana " +
	"assemblyai atera atlassian atlassiandatacenter auth0 auth0management authress autodesk autoklose avaza aviationstack " +
	"aweber axonaut aylien ayrshare azurecontainerregistry azuredevops azurewebsites bannerbear baremetrics baseten beamer " +
	"beebole besnappy betterstack billomat bitbar bitbucket bitcoinaverage bitfinex bitly bitmex bitrise bittrex blazemeter " +
	"blitapp blocknative blynk bombbomb boostnote borgbase braintree braintreepayments braintrust branchio brandfetch brevo " +
	"browserstack browshot bscscan buddyns budibase bugherd bugsnag buildkite bulbul bulksms buttercms caflou calendarific " +
	"calendly calorieninja campayn cannyio capsulecrm captaindata carbonblack carboninterface cashboard caspio censys " +
	"centralstationcrm cerebras cexio chargebee chartmogul chatbot chatfuel checio checklyhq checkr checkvist cicero circleci " +
	"ciscomeraki clarifai clearbit clickhelp clickhouse clicksend clicksendsms clickup clientary clinchpad clockify " +
	"clockworksms clojars closecrm cloudconvert cloudelements cloudera cloudflare cloudimage cloudinary cloudmersive cloudplan " +
	"cloudsight cloudsmith cloverly cloze clustdoc codacy codeclimate codecov codemagic codequiry coderabbit codeship cohere " +
	"coinapi coinbase coinlayer coinlib commercejs conekta confluence confluent contentful convertapi convertkit convier " +
	"couchbase countrylayer coveralls craftmypdf crowdin crowdstrike cryptocompare currencycloud currencyfreaks currencylayer " +
	"currencyscoop customerguru customerio d7network dailyco dareboost databox databricks datadog datagov deepai deepgram deepl " +
	"deepseek delighted demio denodo dependencytrack detectify detectlanguage deviantart dfuse dialmycalls diffbot diggernaut " +
	"digicert digitalocean discord disqus dnscheck dockerhub docparser documo docusign doppler dotdigital dovico dronahq " +
	"droneci dropbox duffel duply dwolla dynalist dynatrace dyspatch eagleeyenetworks easyinsight easypost ecostruxureit edamam " +
	"edenai eightxeight elasticemail elevenlabs enablex endorlabs etherscan ethplorer etsy eventbrite everhour exaai " +
	"exchangerate exchangerateapi exchangeratesapi extractorapi facebook faceplusplus fastforex fastly feedier feedly fetchrss " +
	"fibery figma filestack filezilla finage financialmodelingprep findl finicity finnhub firebase firecrawl fireworks fixer " +
	"fixerio fleetbase flexport flickr flightapi flightlabs flightstats flowflu flutterwave flyio formbucket formcraft " +
	"foursquare frameio freemius freshbooks freshdesk friendli fulcrum fullstory fxmarket geckoboard gengo geoapify geocodify " +
	"geocodio geoipifi getgeoapi getgist getresponse getsandbox giphy gitalk gitea gitguardian gitter glassnode gocanvas " +
	"gocardless godaddy goodday grafana graphcms groovehq groq guardianapi gumroad gyazo happyscribe hashicorp hasura hellosign " +
	"helpcrunch helpscout hereapi heroku hiveage holidayapi honeybadger honeycomb hotjar hubspot huggingface humio hybiscus " +
	"hypertrack ibm iconfinder iexapis iexcloud imagekit imagga infracost infura insightly instagram instamojo intercom " +
	"interseller intra42 intrinio invoiceocean ip2location ipapi ipdata ipgeolocation ipify ipinfo ipinfodb ipquality ipstack " +
	"jfrog jira jotform jumpcloud jumpseller jupiterone kanbantool karmacrm keenio kickbox klaviyo klingai klipfolio " +
	"knapsackpro kontent kraken kucoin kylas langchain langfuse langsmith languagelayer larksuite lastfm launchdarkly " +
	"leadfeeder lemlist lemonsqueezy lendflow lessannoyingcrm lexigram linemessaging linenotify linkedin linode liveagent " +
	"livestorm loadmill lob locationiq loggly loginradius logzio lokalise looker loyverse lunchmoney luno madkudu magicbell " +
	"mailboxlayer mailchimp mailerlite mailgun mailjet mailjetsms mailmodo mailsac mailtrap mandrill mapbox mapquest " +
	"marketstack mattermost mavenlink maxmind meaningcloud mediastack meistertask meraki mesibo messagebird metaapi metabase " +
	"metrilo microsoftteams mindmeister mistral mixmax mixpanel mockaroo monkeylearn moonclerk moosend moralis mrticktock " +
	"myfreshworks myintervals nasa nasdaqdatalink nethunt netlify netsuite neutrinoapi newrelic newsapi newscatcher nexmo " +
	"nftport ngrok nicereply nightfall nozbeteams npm nubela numverify nutritionix nvapi nylas nytimes oanda octopus " +
	"octopusdeploy okta ollama omnisend onedesk onelogin onepagecrm onepassword onesignal onfleet oopspam openai opencage " +
	"opencagedata openrouter openshift openuv openvpn openweather openweathermap opsgenie optimizely overloop owlbot " +
	"packagecloud pagarme pagerduty pandadoc pandascore paperform papertrail paralleldots parsehub parseur partnerstack " +
	"pastebin paydirtapp paymo paymoapp paymongo paypal paystack pdflayer pdfshift pendo peopledatalabs pepipost perplexity " +
	"pganalyzeread phantombuster photoroom phraseapp pinata pinecone pingdom pipedream pipedrive pivotaltracker pixabay plaid " +
	"planetscale planviewleankit planyo plivo podio pollsapi poloniex positionstack postageapp postbacks posthog postman " +
	"postmark powrbot prefect privateai prodpad prospectcrm proxycrawl pubnub pulumi purestake pushbullet pypi quaderno " +
	"qualaroo qualtrics quandl qubole railwayapp rapidapi rawg razorpay reachmail reallysimplesystems rebrandly recaptcha " +
	"rechargepayments rentman repairshopr replyio requestfinance restpack retell revampcrm ringcentral ritekit robinhoodcrypto " +
	"rocketreach rockset rollbar rootly route4me rownd rubygems runrunit runscope saladcloud salesblink salescookie salesflare " +
	"salesforce salesmate samsara satismeter saucelabs scaleway scalingo scalr scrapeowl scraperapi scraperbox scrapestack " +
	"scrapfly scrapingant scrapingbee screenshotapi screenshotlayer scrutinizerci securitytrails selectpdf semantria sendbird " +
	"sendbirdorganizationapi sendgrid sendinblue sendpulse sengrid sentry sentryorg serpapi serphouse serpstack settlemint " +
	"sheety sherpadesk shipday shippo shodan shopify shortcut shotstack shutterstock sidekiq signable signalwire signaturit " +
	"signupgenius simfin simplesat simplynoted simvoly sinchmessage sirv siteleaf skrapp skybiometry slack smartsheets " +
	"smartystreets smooch snipcart snowflake snyk solarwindsobservability sonar sonarcloud sonarqube sourcegraph " +
	"sourcegraphcody sparkpost spectralops splitio splunk splunkobservability spoonacular sportsmonk spotify squareapp " +
	"squarespace squareup sslmate stability stackhawk statuscake statuspage statuspal stitchdata stockdata storecove stormboard " +
	"stormglass storyblok storychief strava stripe stripo stytch sugester sumo sumologic supabase supernotes surveyanyplace " +
	"surveybot surveysparrow survicate swiftype tableau tailscale tallyfy tatumio tavily taxjar teamgate teamwork teamworkcrm " +
	"teamworkdesk teamworkspaces tefter telegram teletype telnyx terraform terraformcloud testingbot textmagic theoddsapi " +
	"thingsboard thinkific thousandeyes ticketmaster tickettailor tiingo timecamp timezoneapi tines tmetric todoist toggltrack " +
	"tokeet tomorrowio tomtom tradier transferwise travelpayouts travisci trello truenas twelvedata twilio twitch twitter " +
	"tyntec typeform typetalk ubidots uclassify unifyid unplugg unsplash upcdatabase uplead uploadcare upstash uptimerobot " +
	"upwave urlscan userflow userstack vagrantcloud vastai vatlayer vault vbout vercel verimail veriphone versioneye viewneo " +
	"vimeo virustotal visualcrossing voiceflow voicegain vonage vouchery vpnapi vultr wakatime walkscore weatherbit " +
	"weatherstack web3storage webex webexbot webflow websitepulse wepay whoxy wistia workday worksnaps workstack worldcoinindex " +
	"worldweather wpengine wrike xata yandex yelp youneedabudget yousign youtube zapier zendesk zenkitapi zenrows zenscrape " +
	"zenserp zeplin zerobounce zerotier zhipu zipapi zipbooks zipcodeapi zipcodebase zoho zohocrm zonka zonkafeedback zulip " +
	"zulipchat zuplo")
