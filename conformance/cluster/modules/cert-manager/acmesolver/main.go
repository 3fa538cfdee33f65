// Acmesolver is cert-manager's HTTP-01 solver, which it runs in Pods of its own.
package main

import (
	"flag"
	"os"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	"k8s.io/klog/v2"
)

func main() {
	s := &solver.HTTP01Solver{}
	flag.IntVar(&s.ListenPort, "listen-port", 8089, "port to answer on")
	flag.StringVar(&s.Domain, "domain", "", "host of the challenge")
	flag.StringVar(&s.Token, "token", "", "token of the challenge")
	flag.StringVar(&s.Key, "key", "", "answer of the challenge")
	flag.Parse()
	if err := s.Listen(klog.Background()); err != nil {
		klog.Error(err)
		os.Exit(1)
	}
}
