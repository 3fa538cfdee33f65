package dev.sallyport.proxy;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class ProxyArchTest {
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.sallyport.proxy");

    @Test
    void exchangesKnowNoWireProtocolNoSocketAndNoLog() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "dev.sallyport.proxy.http",
                        "dev.sallyport.proxy.filter",
                        "dev.sallyport.proxy.route")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.sallyport.proxy.http2",
                        "dev.sallyport.proxy.listen",
                        "dev.sallyport.proxy.log",
                        "dev.sallyport.proxy.metric",
                        "dev.sallyport.proxy.drain")
                .check(CLASSES);
    }

    @Test
    void decisionsNeedNoChannel() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.sallyport.proxy.filter", "dev.sallyport.proxy.route")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.netty.channel..", "dev.sallyport.proxy.upstream")
                .check(CLASSES);
    }

    @Test
    void backendsDoNotKnowListeners() {
        noClasses()
                .that()
                .resideInAPackage("dev.sallyport.proxy.upstream")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.sallyport.proxy.http2",
                        "dev.sallyport.proxy.listen",
                        "dev.sallyport.proxy.log")
                .check(CLASSES);
    }

    @Test
    void onlyListenersChooseATransport() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.sallyport.proxy.listen")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.netty.channel.epoll..", "io.netty.channel.uring..",
                        "io.netty.channel.nio..", "io.netty.channel.kqueue..")
                .check(CLASSES);
    }
}
