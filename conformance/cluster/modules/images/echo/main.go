// Echo is the backend that runs in Pods: it answers with what it was asked, as JSON.
//
//	/healthz       200 while it runs
//	/readyz        200; 503 once it was told to end
//	/slow?ms=N     answers after N milliseconds
//	/bytes?n=N     N bytes
//	/status?code=N this status
//	anything else  the request as JSON
//
// SIGTERM ends it as a good citizen of a Service ends: it answers on for a while (-drain), since connections come until
// everybody has heard that its endpoint is gone, then it lets open requests end.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// What a request looked like. The names are those of the tests' own echo backend where both have them.
type echo struct {
	Backend    string  `json:"backend"`
	Connection int64   `json:"connection"`
	Protocol   string  `json:"protocol"`
	Host       string  `json:"host"`
	Method     string  `json:"method"`
	Target     string  `json:"target"`
	Fields     []field `json:"fields"`
	Body       string  `json:"body"`
}

type field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const (
	largestBody  = 1 << 20
	largestBytes = 1 << 30
	longestWait  = 10 * time.Minute
)

// The key of a connection's number in the context of its requests.
type connection struct{}

var (
	ending      atomic.Bool
	connections atomic.Int64
)

func main() {
	address := flag.String("listen", ":8080", "address to listen on")
	drain := flag.Duration("drain", 5*time.Second, "how long to answer on after SIGTERM")
	flag.Parse()

	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/readyz", ready)
	mux.HandleFunc("/slow", slow)
	mux.HandleFunc("/bytes", bytes)
	mux.HandleFunc("/status", status)
	mux.HandleFunc("/", whole)

	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Addr:              *address,
		Handler:           named(mux),
		Protocols:         protocols,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connection{}, connections.Add(1))
		},
	}

	term, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		<-term.Done()
		ending.Store(true)
		log.Printf("told to end: answering for %s more", *drain)
		time.Sleep(*drain)
		limit, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		ended <- server.Shutdown(limit)
	}()
	log.Printf("listening on %s as %s", *address, name())
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := <-ended; err != nil {
		log.Fatalf("requests were still open: %v", err)
	}
}

// The Pod's name: Kubernetes makes it the host name.
func name() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}

func named(next http.Handler) http.Handler {
	backend := name()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Backend", backend)
		next.ServeHTTP(w, r)
	})
}

func ready(w http.ResponseWriter, _ *http.Request) {
	if ending.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func slow(w http.ResponseWriter, r *http.Request) {
	wait, ok := number(w, r, "ms", longestWait.Milliseconds())
	if !ok {
		return
	}
	select {
	case <-time.After(time.Duration(wait) * time.Millisecond):
		whole(w, r)
	case <-r.Context().Done():
	}
}

func bytes(w http.ResponseWriter, r *http.Request) {
	count, ok := number(w, r, "n", largestBytes)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(count, 10))
	if _, err := io.CopyN(w, zeros{}, count); err != nil {
		log.Printf("cut off: %v", err)
	}
}

func status(w http.ResponseWriter, r *http.Request) {
	code, ok := number(w, r, "code", 599)
	if !ok {
		return
	}
	if code < 200 {
		http.Error(w, "code: "+strconv.FormatInt(code, 10)+" (expected: 200–599)", http.StatusBadRequest)
		return
	}
	w.WriteHeader(int(code))
}

func whole(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	number, _ := r.Context().Value(connection{}).(int64)
	seen := echo{
		Backend: name(), Connection: number, Protocol: r.Proto, Host: r.Host, Method: r.Method, Target: r.RequestURI,
		Fields: []field{}, Body: string(body),
	}
	for _, key := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[key] {
			seen.Fields = append(seen.Fields, field{key, value})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(seen); err != nil {
		log.Printf("cut off: %v", err)
	}
}

// A number in the query, or the answer that there is none.
func number(w http.ResponseWriter, r *http.Request, key string, most int64) (int64, bool) {
	text := r.URL.Query().Get(key)
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < 0 || value > most {
		http.Error(w, key+": "+strconv.Quote(text)+" (expected: 0–"+strconv.FormatInt(most, 10)+")", http.StatusBadRequest)
		return 0, false
	}
	return value, true
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}
