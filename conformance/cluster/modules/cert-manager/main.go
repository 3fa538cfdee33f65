// cert-manager's controllers, wired as its controller command wires them: that command is a nested module, which the
// module proxy does not serve.
package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/klog/v2"

	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	gateways "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/ingresses"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

const workers = 5

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig; in-cluster without it")
	gatewayAPI := flag.Bool("gateway-api", false, "run the gateway shim, which needs the CRDs of the Gateway API")
	nameservers := flag.String("http01-nameservers", "", "resolvers of the HTTP-01 self check, separated by commas")
	solver := flag.String("solver-image", "", "image of the HTTP-01 solver")
	issuer := flag.String("default-issuer-name", "", "issuer for Ingresses that have kubernetes.io/tls-acme only")
	issuerKind := flag.String("default-issuer-kind", "Issuer", "its kind")
	klog.InitFlags(nil)
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	chosen := options(*kubeconfig, *solver, split(*nameservers), *gatewayAPI)
	chosen.IngressShimOptions.DefaultIssuerName = *issuer
	chosen.IngressShimOptions.DefaultIssuerKind = *issuerKind
	if err := run(ctx, chosen); err != nil {
		klog.Fatal(err)
	}
}

func split(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(each string) bool { return each == "" })
}

// The defaults of cert-manager's own command, except where the comment says otherwise.
func options(kubeconfig, solver string, nameservers []string, gatewayAPI bool) controller.ContextOptions {
	return controller.ContextOptions{
		Kubeconfig: kubeconfig,
		// Ten times its own: 200 Certificates at once are to load the gateway, not to wait for a client.
		KubernetesAPIQPS:   200,
		KubernetesAPIBurst: 500,
		IssuerOptions:      controller.IssuerOptions{ClusterResourceNamespace: "cert-manager"},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 solver,
			HTTP01SolverResourceRequestCPU:    resource.MustParse("10m"),
			HTTP01SolverResourceRequestMemory: resource.MustParse("64Mi"),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse("100m"),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse("64Mi"),
			ACMEHTTP01SolverRunAsNonRoot:      true,
			HTTP01SolverNameservers:           nameservers,
			DNS01CheckRetryPeriod:             10 * time.Second,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerGroup:                "cert-manager.io",
			DefaultAutoCertificateAnnotations: []string{"kubernetes.io/tls-acme"},
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes: []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
			// Its own are an hour and 32 hours: a test of a broken issuer does not wait for that.
			CertificateRequestMinimumBackoffDuration: 2 * time.Second,
			CertificateRequestMaximumBackoffDuration: time.Minute,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: 60},
		ConfigOptions:    controller.ConfigOptions{EnableGatewayAPI: gatewayAPI},
	}
}

// Runs every controller until the context ends or one of them fails.
func run(ctx context.Context, options controller.ContextOptions) error {
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	root, err := factory.Build("testbed")
	if err != nil {
		return err
	}
	failed := make(chan error)
	for name, build := range controller.Known() {
		if name == gateways.ControllerName && !options.EnableGatewayAPI {
			continue
		}
		each, err := build(factory)
		if err != nil {
			return err
		}
		go func() {
			if err := each.Run(workers, ctx); err != nil {
				select {
				case failed <- err:
				case <-ctx.Done():
				}
			}
		}()
	}
	root.SharedInformerFactory.Start(ctx.Done())
	root.KubeSharedInformerFactory.Start(ctx.Done())
	root.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	if options.EnableGatewayAPI {
		root.GWShared.Start(ctx.Done())
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}
