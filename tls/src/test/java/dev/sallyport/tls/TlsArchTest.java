package dev.sallyport.tls;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class TlsArchTest {
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.sallyport.tls");

    @Test
    void certificatesAreReadWithoutNettyAndWithoutTheOtherPackages() {
        noClasses()
                .that()
                .resideInAPackage("dev.sallyport.tls.certificate")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.netty..", "dev.sallyport.tls.context", "dev.sallyport.tls.front")
                .check(CLASSES);
    }

    @Test
    void nativeContextsDoNotKnowTheFront() {
        noClasses()
                .that()
                .resideInAPackage("dev.sallyport.tls.context")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.sallyport.tls.front")
                .check(CLASSES);
    }

    @Test
    void nobodyRegistersSecurityProviders() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("org.bouncycastle.jce.provider.BouncyCastleProvider")
                .orShould()
                .callMethod(
                        java.security.Security.class, "addProvider", java.security.Provider.class)
                .check(CLASSES);
    }

    @Test
    void nothingDependsOnATransport() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.netty.channel.epoll..", "io.netty.channel.uring..",
                        "io.netty.channel.nio..", "io.netty.channel.kqueue..")
                .check(CLASSES);
    }

    @Test
    void handlersAreNettyHandlers() {
        classes()
                .that()
                .haveSimpleNameEndingWith("Handler")
                .should()
                .beAssignableTo(io.netty.channel.ChannelHandler.class)
                .check(CLASSES);
    }
}
