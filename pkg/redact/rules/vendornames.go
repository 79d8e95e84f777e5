// SPDX-License-Identifier: Apache-2.0

package rules

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
