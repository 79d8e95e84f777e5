// SPDX-License-Identifier: Apache-2.0

// Package hectest is a Splunk HTTP Event Collector for tests and measurements. It behaves as Splunk documents and as its users report:
//
//   - requests, answers and codes: Splunk Enterprise 9, "Format events for HTTP Event Collector", "Troubleshoot HTTP Event Collector";
//   - acknowledgement: "About HTTP Event Collector Indexer Acknowledgment": numbers count from 0 within a channel, and a number that was asked for
//     and is true is forgotten;
//   - the events before an invalid one are taken, and those behind it are not: github.com/moby/moby/issues/35862;
//   - invalid-event-number counts from 0, and from 1 for an incorrect index: Splunk Connect for Syslog prints 1 for the only event of a check
//     (its "Troubleshoot" page).
package hectest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// Event is an event as a collector reads it.
type Event struct {
	Time       json.Number     `json:"time"`
	Host       string          `json:"host"`
	Source     string          `json:"source"`
	SourceType string          `json:"sourcetype"`
	Index      string          `json:"index"`
	Event      json.RawMessage `json:"event"`
	Fields     map[string]any  `json:"fields"`
}

// Raw is what is indexed as _raw: a text as it is, any other value as it was written.
func (e *Event) Raw() string {
	var text string
	if json.Unmarshal(e.Event, &text) == nil {
		return text
	}
	return string(e.Event)
}

// Answer is one of the collector's, with the HTTP status that it comes with.
type Answer struct {
	Status       int               `json:"-"`
	Header       map[string]string `json:"-"`
	Text         string            `json:"text"`
	Code         int               `json:"code"`
	InvalidEvent *int              `json:"invalid-event-number,omitempty"`
	AckID        *uint64           `json:"ackId,omitempty"`
}

// The answers that need no event.
var (
	TokenDisabled  = Answer{Status: http.StatusForbidden, Text: "Token disabled", Code: 1}
	TokenRequired  = Answer{Status: http.StatusUnauthorized, Text: "Token is required", Code: 2}
	Unauthorized   = Answer{Status: http.StatusUnauthorized, Text: "Invalid authorization", Code: 3}
	InvalidToken   = Answer{Status: http.StatusForbidden, Text: "Invalid token", Code: 4}
	NoData         = Answer{Status: http.StatusBadRequest, Text: "No data", Code: 5}
	InvalidFormat  = Answer{Status: http.StatusBadRequest, Text: "Invalid data format", Code: 6}
	IncorrectIndex = Answer{Status: http.StatusBadRequest, Text: "Incorrect index", Code: 7}
	InternalError  = Answer{Status: http.StatusInternalServerError, Text: "Internal server error", Code: 8}
	Busy           = Answer{Status: http.StatusServiceUnavailable, Text: "Server is busy", Code: 9}
	ChannelMissing = Answer{Status: http.StatusBadRequest, Text: "Data channel is missing", Code: 10}
	ChannelInvalid = Answer{Status: http.StatusBadRequest, Text: "Invalid data channel", Code: 11}
	EventMissing   = Answer{Status: http.StatusBadRequest, Text: "Event field is required", Code: 12}
	EventBlank     = Answer{Status: http.StatusBadRequest, Text: "Event field cannot be blank", Code: 13}
	AckDisabled    = Answer{Status: http.StatusBadRequest, Text: "ACK is disabled", Code: 14}
	InvalidFields  = Answer{Status: http.StatusBadRequest, Text: "Error in handling indexed fields", Code: 15}
)

// At returns the answer with the number of an event, counted from 0, as the collector gives it.
func (a Answer) At(event int) Answer {
	if a.Code == IncorrectIndex.Code {
		event++
	}
	a.InvalidEvent = &event
	return a
}

// Server is a collector with one token. Its fields are set before it serves.
type Server struct {
	Token string
	// Acknowledge is whether the token's acknowledgement is switched on.
	Acknowledge bool
	// Indexes are those that the token allows; all, when there are none.
	Indexes []string
	// MaxContentLength bounds a request, in bytes before compression; 0 for no bound.
	MaxContentLength int64
	// Judge, when set, may answer in the collector's place before it takes a request's events. An answer without a status leaves it to the
	// collector.
	Judge func([]Event) Answer
	// Take is given the events that are taken.
	Take func([]Event)
	// Skim, when set, is given what a request holds as it came, and nothing of it is judged or taken: in a measurement the collector is not to
	// take more of the machine than what is measured.
	Skim func(body []byte)

	mu       sync.Mutex
	channels map[string]*channel
	holding  bool
}

type channel struct {
	next   uint64
	stored map[uint64]bool // by number; forgotten when it was told to be true
}

// Hold makes the indexer acknowledge nothing from now on, or all that it has taken.
func (s *Server) Hold(hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = hold
	if hold {
		return
	}
	for _, c := range s.channels {
		for number := range c.stored {
			c.stored[number] = true
		}
	}
}

// Restart forgets all numbers, as a restart of the collector does.
func (s *Server) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case "/services/collector", "/services/collector/event":
		respond(w, s.events(r))
	case "/services/collector/ack":
		s.acknowledgements(w, r)
	default:
		http.NotFound(w, r)
	}
}

func respond(w http.ResponseWriter, a Answer) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.Status)
	_ = json.NewEncoder(w).Encode(a)
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

// admit checks token and channel; an answer without a status is a welcome.
func (s *Server) admit(r *http.Request) (channelID string, _ Answer) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case scheme == "":
		return "", TokenRequired
	case scheme != "Splunk":
		return "", Unauthorized
	case token != s.Token:
		return "", InvalidToken
	}
	if channelID = r.Header.Get("X-Splunk-Request-Channel"); channelID == "" {
		channelID = r.URL.Query().Get("channel")
	}
	switch {
	case s.Acknowledge && channelID == "":
		return "", ChannelMissing
	case channelID != "" && !guid.MatchString(channelID):
		return "", ChannelInvalid
	}
	return channelID, Answer{}
}

func (s *Server) events(r *http.Request) Answer {
	channelID, refused := s.admit(r)
	if refused.Status != 0 {
		return refused
	}
	body, err := s.body(r)
	switch {
	case errors.Is(err, errTooLarge):
		return Answer{Status: http.StatusRequestEntityTooLarge, Text: "Content-Length is too large", Code: 27}
	case err != nil:
		return InvalidFormat
	case len(bytes.TrimSpace(body)) == 0:
		return NoData
	}
	if s.Skim != nil {
		s.Skim(body)
		return s.success(channelID)
	}
	events, refused := s.parse(body)
	if s.Judge != nil {
		if judged := s.Judge(events); judged.Status != 0 {
			return judged
		}
	}
	if len(events) > 0 && s.Take != nil {
		s.Take(events)
	}
	if refused.Status != 0 {
		return refused
	}
	return s.success(channelID)
}

func (s *Server) success(channelID string) Answer {
	answer := Answer{Status: http.StatusOK, Text: "Success"}
	if s.Acknowledge {
		number := s.number(channelID)
		answer.AckID = &number
	}
	return answer
}

var errTooLarge = errors.New("too large")

func (s *Server) body(r *http.Request) (body []byte, err error) {
	reader := io.Reader(r.Body)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
	case "gzip":
		if reader, err = gzip.NewReader(reader); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("content encoding %q", encoding)
	}
	if s.MaxContentLength > 0 {
		reader = io.LimitReader(reader, s.MaxContentLength+1)
	}
	if body, err = io.ReadAll(reader); err == nil && s.MaxContentLength > 0 && int64(len(body)) > s.MaxContentLength {
		err = errTooLarge
	}
	return body, err
}

// parse returns the events up to the first that is invalid, and what is said of that one.
func (s *Server) parse(body []byte) (events []Event, refused Answer) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	for n := 0; ; n++ {
		var event Event
		switch err := decoder.Decode(&event); {
		case errors.Is(err, io.EOF):
			return events, Answer{}
		case err != nil:
			return events, InvalidFormat.At(n)
		case event.Event == nil:
			return events, EventMissing.At(n)
		case event.Raw() == "":
			return events, EventBlank.At(n)
		case len(s.Indexes) > 0 && event.Index != "" && !slices.Contains(s.Indexes, event.Index):
			return events, IncorrectIndex.At(n)
		}
		for _, value := range event.Fields {
			if _, nested := value.(map[string]any); nested {
				return events, InvalidFields.At(n)
			}
		}
		events = append(events, event)
	}
}

func (s *Server) number(channelID string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.channels == nil {
		s.channels = map[string]*channel{}
	}
	c := s.channels[channelID]
	if c == nil {
		c = &channel{stored: map[uint64]bool{}}
		s.channels[channelID] = c
	}
	number := c.next
	c.next++
	c.stored[number] = !s.holding
	return number
}

func (s *Server) acknowledgements(w http.ResponseWriter, r *http.Request) {
	channelID, refused := s.admit(r)
	if refused.Status == 0 && !s.Acknowledge {
		refused = AckDisabled
	}
	var asked struct {
		Acks []uint64 `json:"acks"`
	}
	if refused.Status == 0 && json.NewDecoder(r.Body).Decode(&asked) != nil {
		refused = InvalidFormat
	}
	if refused.Status != 0 {
		respond(w, refused)
		return
	}
	acks := map[string]bool{}
	s.mu.Lock()
	for _, number := range asked.Acks {
		done := false
		if c := s.channels[channelID]; c != nil {
			if done = c.stored[number]; done {
				delete(c.stored, number)
			}
		}
		acks[strconv.FormatUint(number, 10)] = done
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"acks": acks})
}
