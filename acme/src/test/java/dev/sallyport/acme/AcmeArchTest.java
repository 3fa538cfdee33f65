package dev.sallyport.acme;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class AcmeArchTest {
    private final JavaClasses classes =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.sallyport.acme");

    @Test
    void seesNeitherNettyNorKubernetesNorNativeTls() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.netty..",
                        "io.fabric8..",
                        "dev.sallyport.tls.context..",
                        "dev.sallyport.tls.front..",
                        "dev.sallyport.tls.sni..")
                .check(classes);
    }

    @Test
    void thePlanIsPure() {
        classes()
                .that()
                .resideInAPackage("dev.sallyport.acme.plan")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "java.lang..",
                        "java.math",
                        "java.net",
                        "java.security..",
                        "java.time..",
                        "java.util..",
                        "dev.sallyport.acme.plan",
                        "dev.sallyport.model..",
                        "org.jspecify..")
                .check(classes);
    }

    @Test
    void namesAreTheFieldsTerms() {
        noClasses()
                .should()
                .haveNameMatching(".*(Impl|Manager|Util|Utils|Helper|Abstract\\w+)$")
                .check(classes);
    }

    @Test
    void recordsHaveNoNaturalOrder() {
        noClasses()
                .that()
                .areAssignableTo(Record.class)
                .should()
                .implement(Comparable.class)
                .check(classes);
    }
}
