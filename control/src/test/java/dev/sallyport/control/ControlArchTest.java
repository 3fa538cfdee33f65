package dev.sallyport.control;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class ControlArchTest {
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.sallyport.control");

    @Test
    void translationIsFreeOfInputOutputClockClientAndThreads() {
        noClasses()
                .that()
                .resideInAPackage("dev.sallyport.control.translate")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.io..",
                        "java.nio.file..",
                        "java.nio.channels..",
                        "java.util.concurrent..",
                        "org.slf4j..",
                        "io.fabric8.kubernetes.client..")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.time.InstantSource")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.time.Clock")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.Thread")
                .check(CLASSES);
    }

    @Test
    void translatorsKnowNoSource() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "dev.sallyport.control.translate", "dev.sallyport.control.resource")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.sallyport.control.source",
                        "dev.sallyport.control.reconcile",
                        "dev.sallyport.control")
                .check(CLASSES);
    }

    @Test
    void theControlSideKnowsNothingOfTraffic() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.netty..", "dev.sallyport.tls..", "dev.sallyport.proxy..")
                .check(CLASSES);
    }

    @Test
    void onlyOneFileEachKnowsYamlAndJson() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.sallyport.control.source")
                .and()
                .doNotHaveFullyQualifiedName("dev.sallyport.control.stored.ObjectJson")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.snakeyaml..", "tools.jackson..")
                .check(CLASSES);
    }
}
