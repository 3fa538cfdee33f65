package dev.sallyport.model;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class ModelArchTest {
    private final JavaClasses classes =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.sallyport.model");

    @Test
    void seesNothingButTheJdkAndItself() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "java..",
                        "javax.security.auth.x500",
                        "dev.sallyport.model..",
                        "org.jspecify..")
                .check(classes);
    }

    /** What others' failed with is put into words here, though. */
    @Test
    void doesNoInputOrOutput() {
        noClasses()
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(
                                        "java.nio.file..", "java.net.http..", "java.nio.channels..")
                                .and(not(assignableTo(IOException.class))))
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
        // An order that disagrees with equals breaks sorted collections: orders are named
        // comparators here.
        noClasses()
                .that()
                .areAssignableTo(Record.class)
                .should()
                .implement(Comparable.class)
                .check(classes);
    }
}
