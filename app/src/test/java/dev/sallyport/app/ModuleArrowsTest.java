package dev.sallyport.app;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The arrows of ARCHITECTURE.md, for all modules at once: what a package must not see. */
@Tag("slow")
class ModuleArrowsTest {
    private static final String NETTY = "io.netty..";
    private static final String TCNATIVE = "io.netty.internal.tcnative..";
    private static final String FABRIC8 = "io.fabric8..";
    private static final String JACKSON = "tools.jackson..";
    private static final String PICOCLI = "picocli..";
    private static final String BOUNCY_CASTLE = "org.bouncycastle..";
    private static final String PROMETHEUS = "io.prometheus..";
    private static final String LOGBACK = "ch.qos.logback..";

    private static final Map<String, List<String>> FORBIDDEN = new LinkedHashMap<>();

    static {
        FORBIDDEN.put(
                "dev.sallyport.model..",
                List.of(
                        NETTY,
                        FABRIC8,
                        JACKSON,
                        PICOCLI,
                        BOUNCY_CASTLE,
                        PROMETHEUS,
                        LOGBACK,
                        "org.slf4j.."));
        FORBIDDEN.put(
                "dev.sallyport.tls.certificate..",
                List.of(NETTY, FABRIC8, JACKSON, PICOCLI, PROMETHEUS, LOGBACK));
        FORBIDDEN.put(
                "dev.sallyport.tls..",
                List.of(
                        FABRIC8,
                        JACKSON,
                        PICOCLI,
                        PROMETHEUS,
                        LOGBACK,
                        "io.netty.handler.codec.http.."));
        FORBIDDEN.put(
                "dev.sallyport.secretsync..",
                List.of(
                        NETTY,
                        PICOCLI,
                        PROMETHEUS,
                        LOGBACK,
                        "dev.sallyport.model.route..",
                        "dev.sallyport.model.upstream..",
                        "dev.sallyport.model.listener..",
                        "dev.sallyport.model.snapshot..",
                        "dev.sallyport.tls.context..",
                        "dev.sallyport.control..",
                        "dev.sallyport.proxy..",
                        "dev.sallyport.app.."));
        FORBIDDEN.put(
                "dev.sallyport.control..",
                List.of(
                        NETTY,
                        PICOCLI,
                        PROMETHEUS,
                        LOGBACK,
                        "dev.sallyport.tls.context..",
                        "dev.sallyport.proxy..",
                        "dev.sallyport.app.."));
        FORBIDDEN.put(
                "dev.sallyport.proxy..",
                List.of(
                        FABRIC8,
                        JACKSON,
                        PICOCLI,
                        PROMETHEUS,
                        LOGBACK,
                        TCNATIVE,
                        "dev.sallyport.control..",
                        "dev.sallyport.secretsync..",
                        "dev.sallyport.app.."));
    }

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.sallyport");

    @Test
    void noModuleSeesWhatTheDesignKeepsFromIt() {
        FORBIDDEN.forEach((from, targets) ->
                noClasses()
                        .that()
                        .resideInAPackage(from)
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(targets.toArray(String[]::new))
                        .check(CLASSES));
    }

    @Test
    void everyModuleWasLookedAt() {
        for (String from : FORBIDDEN.keySet()) {
            String prefix = from.replace("..", "");
            assertThat(CLASSES.stream().filter(type -> type.getPackageName().startsWith(prefix)))
                    .as(from)
                    .isNotEmpty();
        }
    }

    @Test
    void onlyTheCommandLineSeesPicocli() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.sallyport.app.command..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(PICOCLI)
                .check(CLASSES);
    }

    @Test
    void namesAreTheFieldsTerms() {
        noClasses()
                .should()
                .haveNameMatching(".*(Impl|(?<!Key)Manager|Util|Utils|Helper)(\\$.*)?$")
                .orShould()
                .haveSimpleNameStartingWith("Abstract")
                .check(CLASSES);
    }

    @Test
    void nothingEvaluatesWhatUsersWrite() {
        // No template, script or serialised object: the ways in of the gateways before us. Of JNDI
        // only what reads the text of a distinguished name, and looks nothing up.
        noClasses()
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage("javax.script..", "javax.naming..")
                                .and(
                                        not(
                                                belongToAnyOf(
                                                        LdapName.class,
                                                        Rdn.class,
                                                        InvalidNameException.class))))
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.io.ObjectInputStream")
                .check(CLASSES);
    }
}
